// SPDX-License-Identifier: GPL-2.0-only
/// keep what dma_map_sg() returned
///
/// dma_map_sg() returns how many entries the DMA list has, and 0 when it
/// failed. Code that drops the result does not notice a failure and walks the
/// DMA list with the count of the CPU list.
///
/// Keep the result, leave on 0, and walk with it.
///
//# Left alone: a result that is stored or tested, and a list of one entry
//# whose result is tested, since one entry cannot be merged.
//
// Shape: N3
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: map-result-dropped: the result is dropped: it is 0 on failure, and
//   else the count that a DMA walk takes
// Tokens: dma_map_sg dma_map_sg_attrs pci_map_sg ib_dma_map_sg dma_map_sgtable

virtual patch
virtual context
virtual org
virtual report

// alone: a mapping that is a statement of its own.
@alone@
position p;
@@
(
dma_map_sg@p(...);
|
dma_map_sg_attrs@p(...);
|
pci_map_sg@p(...);
|
ib_dma_map_sg@p(...);
|
dma_map_sgtable@p(...);
)

// tested: a mapping that is tested for failure and walked with the old count.
@tested exists@
expression D, L, N;
iterator name for_each_sg, for_each_sg_dma_page;
expression sg, i, O, A, B;
statement S1, S2;
position p;
@@
(
if (!dma_map_sg@p(D, L, N, ...)) S1
|
if (!dma_map_sg_attrs@p(D, L, N, ...)) S1
|
if (!pci_map_sg@p(D, L, N, ...)) S1
|
if (!ib_dma_map_sg@p(D, L, N, ...)) S1
)
... when != N = A
    when != L = B
(
for_each_sg_dma_page(L, O, N, i) S2
|
for_each_sg(L, sg, N, i) {
	<+...
	\(sg_dma_address(sg)\|sg_dma_len(sg)\)
	...+>
}
)

// context: mark the line.
@depends on context@
identifier f;
position alone.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position tested.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << alone.p;
@@
coccilib.report.print_report(p[0],
    "map-result-dropped: the result is dropped: it is 0 on failure, and "
    "else the count that a DMA walk takes")

// org: say it.
@script:python depends on org@
p << alone.p;
@@
coccilib.org.print_todo(p[0],
    "map-result-dropped: the result is dropped: it is 0 on failure, and "
    "else the count that a DMA walk takes")

// report: say it.
@script:python depends on report@
p << tested.p;
@@
coccilib.report.print_report(p[0],
    "map-result-dropped: the result is dropped: it is 0 on failure, and "
    "else the count that a DMA walk takes")

// org: say it.
@script:python depends on org@
p << tested.p;
@@
coccilib.org.print_todo(p[0],
    "map-result-dropped: the result is dropped: it is 0 on failure, and "
    "else the count that a DMA walk takes")
