// SPDX-License-Identifier: GPL-2.0-only
/// start a DMA page walk with the mapped count
///
/// dma_map_sg() returns how many entries the DMA list has, and struct sg_table
/// keeps that as nents. An iterator that starts with orig_nents can step past
/// the last segment into entries that were not mapped, and the address that it
/// gives there is stale.
///
/// Hand over nents.
///
//# Moderate, because code that steps by hand mostly knows how many pages it
//# wants, and ends there: of three in v6.12 none goes past the last segment.
//# Left alone: a loop of for_each_sg_dma_page(), which its count ends
//# (dma-walk-orig-nents.cocci); a page walk, for which orig_nents is right; and
//# a count that the driver keeps itself.
//
// Shape: M3
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-start-orig-nents: orig_nents counts the CPU list; a DMA walk
//   starts with nents, which is what dma_map_sg() returned
// Tokens: sg_dma_page_iter __sg_page_iter_dma_next

virtual patch
virtual context
virtual org
virtual report

// start: a DMA iterator that starts with the count of the CPU list.
@start@
expression E, L, T, O;
position p;
@@
(
__sg_page_iter_start@p(&E.base, L, T->orig_nents, O)
|
__sg_page_iter_start@p(&E->base, L, T->orig_nents, O)
|
__sg_page_iter_start@p(&E.base, L, T.orig_nents, O)
|
__sg_page_iter_start@p(&E->base, L, T.orig_nents, O)
)

// helper: a function that starts the iterator it is handed with orig_nents.
@helper@
identifier fn, ptr;
parameter list[n] before;
expression L, T, O;
@@
fn(before, struct sg_page_iter *ptr, ...)
{
<+...
(
__sg_page_iter_start(ptr, L, T->orig_nents, O)
|
__sg_page_iter_start(ptr, L, T.orig_nents, O)
)
...+>
}

// handed: that function, handed the inside of a DMA iterator.
@handed@
identifier helper.fn;
expression list[helper.n] before;
expression E;
position p;
@@
(
fn@p(before, &E.base, ...)
|
fn@p(before, &E->base, ...)
)

// patch: count with nents. A helper that serves both lists is left to a
// person.
@depends on patch@
expression E, L, T, O;
@@
(
__sg_page_iter_start(\(&E.base\|&E->base\), L,
- T->orig_nents
+ T->nents
 , O)
|
__sg_page_iter_start(\(&E.base\|&E->base\), L,
- T.orig_nents
+ T.nents
 , O)
)

// both: one of the two.
@both@
identifier f;
position p = {start.p, handed.p};
@@
f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position both.p;
@@
* f@p(...)

// report: print the finding.
@script:python depends on report@
p << both.p;
@@
coccilib.report.print_report(p[0],
    "dma-start-orig-nents: orig_nents counts the CPU list; a DMA walk starts "
    "with nents, which is what dma_map_sg() returned")

// org: print the same.
@script:python depends on org@
p << both.p;
@@
coccilib.org.print_todo(p[0],
    "dma-start-orig-nents: orig_nents counts the CPU list; a DMA walk starts "
    "with nents, which is what dma_map_sg() returned")
