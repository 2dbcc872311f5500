// SPDX-License-Identifier: GPL-2.0-only
/// step a DMA iterator with the DMA loop
///
/// for_each_sg_page() and __sg_page_iter_next() step by CPU page, also when
/// they are handed the inside of a DMA iterator. The DMA address read then
/// belongs to another page as soon as entries have been merged.
///
/// Step it with for_each_sg_dma_page() or __sg_page_iter_dma_next().
///
//# Left alone: &it.base handed to __sg_page_iter_start() or to a helper that
//# starts it, which is how a DMA iterator is started by hand.
//
// Shape: M9
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page;
//   write for_each_sg_dma_page() or __sg_page_iter_dma_next()
// Tokens: for_each_sg_page __sg_page_iter_next

virtual patch
virtual context
virtual org
virtual report

// loop: a page loop over a DMA iterator whose DMA address is read.
@loop@
iterator name for_each_sg_page;
expression L, E, N, O, x;
position p;
@@
(
for_each_sg_page@p(L, &E.base, N, O) {
	<+...
	sg_page_iter_dma_address(&E)
	...+>
}
|
for_each_sg_page@p(L, &E->base, N, O) {
	<+...
	sg_page_iter_dma_address(E)
	...+>
}
|
for_each_sg_page@p(L, &E.base, N, O)
	x = <+... sg_page_iter_dma_address(&E) ...+>;
|
for_each_sg_page@p(L, &E->base, N, O)
	x = <+... sg_page_iter_dma_address(E) ...+>;
)

// step: one step by CPU page.
@step@
expression E;
position p;
@@
(
__sg_page_iter_next@p(&E.base)
|
__sg_page_iter_next@p(&E->base)
)

// patch: the step of the right list. A loop is left to a person, since its
// count changes with it.
@depends on patch@
expression E;
position step.p;
@@
(
- __sg_page_iter_next@p(&E.base)
+ __sg_page_iter_dma_next(&E)
|
- __sg_page_iter_next@p(&E->base)
+ __sg_page_iter_dma_next(E)
)

// context: mark the line.
@depends on context@
iterator I;
statement S;
position loop.p;
@@
* I@p(...)
S

// context: mark the line.
@depends on context@
identifier f;
position step.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << loop.p;
@@
coccilib.report.print_report(p[0],
    "page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page; "
    "write for_each_sg_dma_page() or __sg_page_iter_dma_next()")

// org: say it.
@script:python depends on org@
p << loop.p;
@@
coccilib.org.print_todo(p[0],
    "page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page; "
    "write for_each_sg_dma_page() or __sg_page_iter_dma_next()")

// report: say it.
@script:python depends on report@
p << step.p;
@@
coccilib.report.print_report(p[0],
    "page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page; "
    "write for_each_sg_dma_page() or __sg_page_iter_dma_next()")

// org: say it.
@script:python depends on org@
p << step.p;
@@
coccilib.org.print_todo(p[0],
    "page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page; "
    "write for_each_sg_dma_page() or __sg_page_iter_dma_next()")
