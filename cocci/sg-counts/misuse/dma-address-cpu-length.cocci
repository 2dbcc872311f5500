// SPDX-License-Identifier: GPL-2.0-only
/// pair sg_dma_address() with sg_dma_len()
///
/// sg->length is the length of the CPU entry. The segment at sg_dma_address()
/// is sg_dma_len() bytes long, which is more than one entry once entries were
/// merged. Hardware that gets the address and the CPU length transfers too
/// little, and what follows is read from the wrong place.
///
/// Take the length from sg_dma_len().
///
//# Left alone: a file that fills the DMA side itself, and a length that is
//# not read beside an address of the same entry. Not seen: that a driver gave
//# a copy of the entry another ->length before, which is then the right one.
//
// Shape: N16
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-address-cpu-length: the segment at this address is
//   sg_dma_len() bytes long, not ->length
// Tokens: sg_dma_address dma_address

virtual patch
virtual context
virtual org
virtual report

// sets: a file that fills the DMA side itself knows what it holds.
@sets@
expression E, V;
@@
(
sg_dma_address(E) = V
|
sg_dma_len(E) = V
|
E->dma_address = V
|
E->dma_length = V
)

// after: the address, and then the length of the same entry.
@after depends on !sets exists@
idexpression struct scatterlist *sg;
expression X, Y, E;
assignment operator set;
type T;
identifier y;
position p;
@@
X = \(sg_dma_address(sg)\|sg->dma_address\)
... when != sg set E
    when != \(sg_dma_len(sg)\|sg->dma_length\)
(
Y = sg@p->length;
|
T y = sg@p->length;
)

// first: the length, and then the address.
@first depends on !sets exists@
idexpression struct scatterlist *sg;
expression X, Y, E;
assignment operator set;
position p;
@@
Y = sg@p->length;
... when != sg set E
    when != \(sg_dma_len(sg)\|sg->dma_length\)
X = \(sg_dma_address(sg)\|sg->dma_address\);

// declared: the same, where the length is an initial value.
@declared depends on !sets exists@
idexpression struct scatterlist *sg;
expression X, E;
assignment operator set;
type T;
identifier y;
position p;
@@
T y = sg@p->length;
... when != sg set E
    when != \(sg_dma_len(sg)\|sg->dma_length\)
X = \(sg_dma_address(sg)\|sg->dma_address\);

// cast: both are initial values, behind casts.
@cast depends on !sets exists@
idexpression struct scatterlist *sg;
expression E;
assignment operator set;
type T, U, V, W;
identifier x, y;
position p;
@@
T x = \((U)sg_dma_address(sg)\|sg_dma_address(sg)\);
... when != sg set E
    when != \(sg_dma_len(sg)\|sg->dma_length\)
V y = \((W)sg@p->length\|sg@p->length\);

// indexed: an array of entries; a descriptor gets both in one turn.
@indexed depends on !sets exists@
expression H, S, i;
identifier a, l;
position p;
@@
H[i].l = <+... S@p[i].length ...+>;
... when != sg_dma_len(&S[i])
H[i].a = <+... sg_dma_address(&S[i]) ...+>;

// handed: both in one call.
@handed depends on !sets@
expression sg;
identifier g;
position p;
@@
g(..., \(sg_dma_address(sg)\|sg->dma_address\), ..., sg@p->length, ...)

// found: one of them, under one name.
@found@
expression e;
position p = {after.p, first.p, declared.p, cast.p, indexed.p,
	handed.p};
@@
e@p

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
    "dma-address-cpu-length: the segment at this address is "
    "sg_dma_len() bytes long, not ->length")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "dma-address-cpu-length: the segment at this address is "
    "sg_dma_len() bytes long, not ->length")
