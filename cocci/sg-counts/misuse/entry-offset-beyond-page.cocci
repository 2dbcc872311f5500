// SPDX-License-Identifier: GPL-2.0-only
/// keep the offset of an entry below a page
///
/// sg_set_page() with an offset of a page or more names one page and means
/// another. The page iterators and drivers that add the pages of an entry
/// from its offset count too many, which corrupted memory in 2026.
///
/// Give the page that holds the data and the offset within it: nth_page() or
/// folio_page().
///
//# Left alone: an offset within a page, and one whose size nothing shows.
//
// Shape: N23
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: entry-offset-beyond-page: the offset is a page or more: give the
//   page that holds the data and the offset in it
// Tokens: sg_set_page sg_set_folio

virtual patch
virtual context
virtual org
virtual report

// pages: an offset counted in pages.
@pages@
expression S, P, L, K;
position p;
@@
(
sg_set_page@p(S, P, L, K << PAGE_SHIFT)
|
sg_set_page@p(S, P, L, K * PAGE_SIZE)
|
sg_set_page@p(S, P, L, (K << PAGE_SHIFT) + ...)
|
sg_set_page@p(S, P, L, K * PAGE_SIZE + ...)
)

// kept: the same by way of a variable.
@kept exists@
idexpression off;
expression S, P, L, K, E;
position p;
@@
(
off = K << PAGE_SHIFT
|
off = K * PAGE_SIZE
)
... when != off = E
sg_set_page@p(S, P, L, off)

// found: one of them, under one name.
@found@
identifier f;
position p = {pages.p, kept.p};
@@
f@p

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
    "entry-offset-beyond-page: the offset is a page or more: give the "
    "page that holds the data and the offset in it")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "entry-offset-beyond-page: the offset is a page or more: give the "
    "page that holds the data and the offset in it")
