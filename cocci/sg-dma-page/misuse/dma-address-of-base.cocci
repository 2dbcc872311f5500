// SPDX-License-Identifier: GPL-2.0-only
/// hand the DMA iterator itself to its accessor
///
/// sg_page_iter_dma_address() takes a struct sg_dma_page_iter. Handing it the
/// page iterator inside one compiles only where the transitional accessor or
/// an old one is in place, and hides from the compiler which list is walked.
///
//# Left alone: &it.base handed to __sg_page_iter_start() or to a helper of the
//# driver.
//
// Shape: M5
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-address-of-base: the accessor takes the DMA iterator; write
//   sg_page_iter_dma_address(&it), without .base
// Tokens: sg_page_iter_dma_address

virtual patch
virtual context
virtual org
virtual report

// inner: the accessor on the page iterator inside a DMA iterator.
@inner@
expression E;
position p;
@@
(
sg_page_iter_dma_address@p(&E.base)
|
sg_page_iter_dma_address@p(&E->base)
)

// patch: name the iterator, not its inside.
@depends on patch@
expression E;
position inner.p;
@@
(
sg_page_iter_dma_address@p(
- &E.base
+ &E
 )
|
sg_page_iter_dma_address@p(
- &E->base
+ E
 )
)

// context: mark the line.
@depends on context@
identifier f;
position inner.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "dma-address-of-base: the accessor takes the DMA iterator; write "
    "sg_page_iter_dma_address(&it), without .base")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "dma-address-of-base: the accessor takes the DMA iterator; write "
    "sg_page_iter_dma_address(&it), without .base")
