// SPDX-License-Identifier: GPL-2.0-only
/// ask a page iterator for the page
///
/// A DMA page iterator steps through the DMA list. Once dma_map_sg() has
/// merged entries that list is shorter than the CPU list, so its position says
/// nothing about pages: sg_page_iter_page(&it.base) returns the page of an
/// unrelated entry.
///
/// Walk the pages with for_each_sg_page() and the CPU count (orig_nents), in a
/// loop and with an iterator of their own.
///
//# Left alone: sg_page_iter_page() on a page iterator, as a variable or as a
//# member of any name but base.
//
// Shape: M1
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-walk-reads-page: a DMA page iterator cannot give the page; walk
//   the pages with for_each_sg_page() and orig_nents in a loop of their own
// Tokens: sg_page_iter_page

virtual patch
virtual context
virtual org
virtual report

// page: a page asked of the page iterator inside a DMA iterator.
@page@
expression E;
position p;
@@
(
sg_page_iter_page@p(&E.base)
|
sg_page_iter_page@p(&E->base)
)

// context: mark the line.
@depends on context@
identifier f;
position page.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << page.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-reads-page: a DMA page iterator cannot give the page; walk "
    "the pages with for_each_sg_page() and orig_nents in a loop of their "
    "own")

// org: say it.
@script:python depends on org@
p << page.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-reads-page: a DMA page iterator cannot give the page; walk "
    "the pages with for_each_sg_page() and orig_nents in a loop of their "
    "own")
