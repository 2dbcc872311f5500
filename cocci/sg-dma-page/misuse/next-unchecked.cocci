// SPDX-License-Identifier: GPL-2.0-only
/// test what the iterator's next returns
///
/// The iterator's next returns false when no page is left, and then the
/// iterator stands on nothing: reading it gives an address from past the
/// mapping. A call whose result nobody looks at is right only where the caller
/// has proven that the page exists.
///
//# Left alone: a next inside a condition, an assignment or a return.
//
// Shape: M7
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: next-unchecked: nobody looks at what next returns; test it before
//   the iterator is read
// Tokens: __sg_page_iter_dma_next __sg_page_iter_next

virtual patch
virtual context
virtual org
virtual report

// step: a next that is a statement of its own.
@step@
position p;
@@
(
__sg_page_iter_dma_next@p(...);
|
__sg_page_iter_next@p(...);
)

// context: mark the line.
@depends on context@
identifier f;
position step.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << step.p;
@@
coccilib.report.print_report(p[0],
    "next-unchecked: nobody looks at what next returns; test it before the "
    "iterator is read")

// org: say it.
@script:python depends on org@
p << step.p;
@@
coccilib.org.print_todo(p[0],
    "next-unchecked: nobody looks at what next returns; test it before the "
    "iterator is read")
