// SPDX-License-Identifier: GPL-2.0-only
/// size by DMA pages what a DMA page walk fills
///
/// A walk over pages counts by the CPU length of the entries, a DMA page walk
/// by the length of the segments. The two numbers differ where offsets or a
/// merge make them. What the one counted is too small, or too large, for what
/// the other writes.
///
/// Count with for_each_sg_dma_page(), or from the bytes of the list.
///
//# Left alone: a loop over pages whose body reads the page, and a count that
//# no DMA page walk follows in the function or in a caller.
//
// Shape: N24
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: page-count-dma-fill: counts CPU pages for what a DMA page walk
//   fills: count with the DMA iterator
// Tokens: for_each_sg_dma_page

virtual patch
virtual context
virtual org
virtual report

// pages: a loop that reads what its iterator stands on.
@pages exists@
iterator name for_each_sg_page;
expression L, N, O;
identifier it;
position w;
@@
for_each_sg_page@w(L, &it, N, O) {
	... when any
	it
	... when any
}

// counting: a loop that does not.
@counting@
iterator name for_each_sg_page;
expression L, N, O;
identifier it, fn;
statement S;
position w != pages.w;
position p;
@@
fn(...)
{
<+...
for_each_sg_page@p@w(L, &it, N, O) S
...+>
}

// here: a DMA page walk behind it in the same function.
@here exists@
iterator name for_each_sg_page, for_each_sg_dma_page;
expression A, B, C, D, L, N, O, P;
statement S, S2;
position counting.p;
@@
for_each_sg_page@p(L, A, N, O) S
... when any
for_each_sg_dma_page(P, B, C, D) S2

// caller: one behind a call of the function.
@caller exists@
iterator name for_each_sg_dma_page;
identifier counting.fn;
expression B, C, D, P;
statement S;
@@
fn(...)
... when any
for_each_sg_dma_page(P, B, C, D) S

// first: the loop in it.
@first depends on caller@
iterator name for_each_sg_page;
expression A, L, N, O;
statement S;
position counting.p;
position q;
@@
for_each_sg_page@p@q(L, A, N, O) S

// same: the loop of a function with both.
@same depends on here@
iterator name for_each_sg_page;
expression A, L, N, O;
statement S;
position counting.p;
position q;
@@
for_each_sg_page@p@q(L, A, N, O) S

// sized: one of them.
@sized@
iterator name for_each_sg_page;
expression A, L, N, O;
statement S;
position p = {first.q, same.q};
@@
for_each_sg_page@p(L, A, N, O) S

// context: mark the line.
@depends on context@
iterator name for_each_sg_page;
expression A, L, N, O;
statement S;
position sized.p;
@@
* for_each_sg_page@p(L, A, N, O) S

// report: print the finding.
@script:python depends on report@
p << sized.p;
@@
coccilib.report.print_report(p[0],
    "page-count-dma-fill: counts CPU pages for what a DMA page walk "
    "fills: count with the DMA iterator")

// org: print the same.
@script:python depends on org@
p << sized.p;
@@
coccilib.org.print_todo(p[0],
    "page-count-dma-fill: counts CPU pages for what a DMA page walk "
    "fills: count with the DMA iterator")
