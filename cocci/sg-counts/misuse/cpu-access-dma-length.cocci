// SPDX-License-Identifier: GPL-2.0-only
/// bound CPU access to an entry by its own length
///
/// sg_virt() and sg_page() give the CPU side of an entry, which holds
/// sg->length bytes. sg_dma_len() is the length of a DMA segment: it may
/// cover several entries, or be stale or 0 where the list is not mapped. Code
/// that copies that many bytes runs past the entry or copies nothing.
///
/// Take the length from sg->length.
///
//# Left alone: a length that is not read beside a CPU address of the same
//# entry, one that is stored next to its DMA address, which it belongs to, and
//# a file that fills the DMA side itself.
//
//# Rewritten in patch mode, where the function reads no DMA address.
//
// Shape: N17
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: cpu-access-dma-length: the CPU side of an entry holds ->length
//   bytes, not sg_dma_len()
// Changes: where entries were merged, the CPU stays within an entry now
// Tokens: sg_dma_len

virtual patch
virtual context
virtual org
virtual report

// fills: a file that fills the DMA side itself, as an IOMMU driver does.
@fills@
expression E, S;
assignment operator set;
@@
\(sg_dma_len(S)\|S->dma_length\) set E

// behind: a length that is stored behind the DMA address of its entry.
@behind@
expression A, L, S;
position p;
@@
A = <+... sg_dma_address(S) ...+>;
L = <+... sg_dma_len@p(S) ...+>;

// ahead: the same the other way round.
@ahead@
expression A, L, S;
position p;
@@
L = <+... sg_dma_len@p(S) ...+>;
A = <+... sg_dma_address(S) ...+>;

// after: where the bytes are, and then the length.
@after depends on !fills exists@
idexpression struct scatterlist *sg;
expression X, Y, E;
assignment operator set;
type T, U;
identifier x, y;
position p != {ahead.p, behind.p};
@@
(
X = <+... \(sg_virt(sg)\|page_address(sg_page(sg))\|kmap(sg_page(sg))\|
     kmap_atomic(sg_page(sg))\|kmap_local_page(sg_page(sg))\) ...+>;
|
T x = <+... \(sg_virt(sg)\|page_address(sg_page(sg))\|kmap(sg_page(sg))\|
     kmap_atomic(sg_page(sg))\|kmap_local_page(sg_page(sg))\) ...+>;
)
... when != sg set E
(
Y = <+... sg_dma_len@p(sg) ...+>;
|
U y = <+... sg_dma_len@p(sg) ...+>;
)

// first: the length, and then where the bytes are.
@first depends on !fills exists@
idexpression struct scatterlist *sg;
expression X, Y, E;
assignment operator set;
type T, U;
identifier x, y;
position p != {ahead.p, behind.p};
@@
(
Y = <+... sg_dma_len@p(sg) ...+>;
|
U y = <+... sg_dma_len@p(sg) ...+>;
)
... when != sg set E
(
X = <+... \(sg_virt(sg)\|page_address(sg_page(sg))\|kmap(sg_page(sg))\|
     kmap_atomic(sg_page(sg))\|kmap_local_page(sg_page(sg))\) ...+>;
|
T x = <+... \(sg_virt(sg)\|page_address(sg_page(sg))\|kmap(sg_page(sg))\|
     kmap_atomic(sg_page(sg))\|kmap_local_page(sg_page(sg))\) ...+>;
)

// copied: both in one call.
@copied depends on !fills@
expression sg, A;
position p;
@@
(
memcpy(A, sg_virt(sg), sg_dma_len@p(sg))
|
memcpy(sg_virt(sg), A, sg_dma_len@p(sg))
|
memset(sg_virt(sg), A, sg_dma_len@p(sg))
|
memcmp(A, sg_virt(sg), sg_dma_len@p(sg))
|
memcmp(sg_virt(sg), A, sg_dma_len@p(sg))
)

// found: one of them, under one name.
@found@
identifier f;
position p = {after.p, first.p, copied.p};
@@
f@p

// device: a function that hands entries to a device, too.
@device depends on patch && found@
expression S;
identifier fn;
position b;
@@
fn@b(...)
{
<+...
\(sg_dma_address(S)\|S->dma_address\|S.dma_address\)
...+>
}

// shared: the lengths in it, which may be for the device.
@shared depends on device@
identifier f, fn;
position b = {device.b};
position found.p;
position q;
@@
fn@b(...)
{
<+...
f@p@q(...)
...+>
}

// patch: read the length of the CPU side.
@depends on patch@
expression sg;
position found.p;
position q != shared.q;
@@
- sg_dma_len@p@q(sg)
+ sg->length

// context: mark the line.
@depends on context@
identifier f;
position found.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "cpu-access-dma-length: the CPU side of an entry holds ->length "
    "bytes, not sg_dma_len()")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-access-dma-length: the CPU side of an entry holds ->length "
    "bytes, not sg_dma_len()")
