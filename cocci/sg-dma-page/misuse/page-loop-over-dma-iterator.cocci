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
@loop exists@
iterator name for_each_sg_page;
expression L, E, N, O;
position p;
@@
(
for_each_sg_page@p(L, &E.base, N, O) {
... when any
sg_page_iter_dma_address(&E)
... when any
}
|
for_each_sg_page@p(L, &E->base, N, O) {
... when any
sg_page_iter_dma_address(E)
... when any
}
)

// other_body: the same with a do loop, a switch or an if for its body: what it
// reads comes before the loop's next step.
@other_body exists@
iterator name for_each_sg_page;
expression E, K, L, M, N, O, V;
statement S, S1;
position p != loop.p;
@@
sg_page_iter_dma_address(&E)
... when != for_each_sg_page(M, &E.base, K, V) S1
for_each_sg_page@p(L, &E.base, N, O) S

// other_pointer: the same through a pointer.
@other_pointer exists@
iterator name for_each_sg_page;
expression E, K, L, M, N, O, V;
statement S, S1;
position p != loop.p;
@@
sg_page_iter_dma_address(E)
... when != for_each_sg_page(M, &E->base, K, V) S1
for_each_sg_page@p(L, &E->base, N, O) S

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
iterator I;
statement S;
position other_body.p;
@@
* I@p(...)
S

// context: mark the line.
@depends on context@
iterator I;
statement S;
position other_pointer.p;
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

// report: say it.
@script:python depends on report@
p << other_body.p;
@@
coccilib.report.print_report(p[0],
    "page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page; "
    "write for_each_sg_dma_page() or __sg_page_iter_dma_next()")

// report: say it.
@script:python depends on report@
p << other_pointer.p;
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

// org: say it.
@script:python depends on org@
p << other_body.p;
@@
coccilib.org.print_todo(p[0],
    "page-loop-over-dma-iterator: a DMA iterator is stepped by CPU page; "
    "write for_each_sg_dma_page() or __sg_page_iter_dma_next()")

// org: say it.
@script:python depends on org@
p << other_pointer.p;
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
