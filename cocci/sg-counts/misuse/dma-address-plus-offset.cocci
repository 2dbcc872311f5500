// SPDX-License-Identifier: GPL-2.0-only
/// add no offset to the address of a DMA segment
///
/// sg_dma_address() is where the data of a segment begins: the mapping has
/// added the offset within the page already. Adding sg->offset once more
/// misses the data by that much, and after a merge the offset belongs to
/// another entry.
///
/// Drop the offset.
///
//# Left alone: the offset beside a physical or virtual address of the page,
//# and an offset of something else.
//
// Shape: N12
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-address-plus-offset: sg_dma_address() begins behind the
//   offset already: do not add it again
// Changes: where an entry has an offset, the device is given the address
//   that it was mapped at
// Tokens: sg_dma_address dma_address

virtual patch
virtual context
virtual org
virtual report

// sum: both in one expression.
@sum@
expression sg;
position p;
@@
(
sg_dma_address(sg) + sg@p->offset
|
sg_dma_address(&sg) + sg@p.offset
|
sg->dma_address + sg@p->offset
)

// later: the address is kept and the offset is added to it.
@later exists@
idexpression a;
expression sg, E, F;
assignment operator set;
position p;
@@
(
a = sg_dma_address(sg)
|
a = sg->dma_address
)
... when != a = E
    when != sg set F
(
a += sg@p->offset
|
a + sg@p->offset
)

// found: one of them, under one name.
@found@
expression e;
position p = {sum.p, later.p};
@@
e@p

// patch: drop it where it stands beside the address.
@depends on patch disable plus_comm@
expression sg;
position sum.p;
@@
(
  sg_dma_address(sg)
- + sg@p->offset
|
- sg@p->offset +
  sg_dma_address(sg)
|
  sg_dma_address(&sg)
- + sg@p.offset
|
  sg->dma_address
- + sg@p->offset
)

// context: mark the line.
@depends on context@
expression e;
position found.p;
@@
* e@p

// report: print the finding.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "dma-address-plus-offset: sg_dma_address() begins behind the offset "
    "already: do not add it again")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "dma-address-plus-offset: sg_dma_address() begins behind the offset "
    "already: do not add it again")
