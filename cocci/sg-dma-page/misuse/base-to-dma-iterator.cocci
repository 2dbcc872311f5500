// SPDX-License-Identifier: GPL-2.0-only
/// hand over the DMA iterator, not the page iterator in it
///
/// A function that takes a struct sg_page_iter and makes a struct
/// sg_dma_page_iter of it, by a cast or by container_of(), is right for the
/// base of a DMA iterator only. Handed any other page iterator it reads what
/// lies behind it, and walks the CPU list as if it were the DMA list.
///
/// Let the function take the struct sg_dma_page_iter.
///
//# Left alone: a function that this file hands the base of a DMA iterator, a
//# cast from void *, and container_of() on another structure.
//
// Shape: M8
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: base-to-dma-iterator: nothing here shows that this page iterator
//   lies in a struct sg_dma_page_iter; hand over the DMA iterator itself
// Tokens: sg_dma_page_iter

virtual patch
virtual context
virtual org
virtual report

// called: a function that is handed the base of a DMA iterator.
@called@
identifier fn;
expression E;
@@
fn(..., \(&E.base\|&E->base\), ...)

// right: what such a function makes of it.
@right exists@
identifier called.fn, ptr;
symbol base;
position q;
@@
fn(..., struct sg_page_iter *ptr, ...)
{
... when any
(
container_of(ptr@q, struct sg_dma_page_iter, base)
|
 (struct sg_dma_page_iter *)ptr@q
)
... when any
}

// taken: a page iterator that comes in, taken for the inside of a DMA iterator.
@taken exists@
identifier fn, ptr;
symbol base;
position p != right.q;
@@
fn(..., struct sg_page_iter *ptr, ...)
{
... when any
(
container_of(ptr@p, struct sg_dma_page_iter, base)
|
 (struct sg_dma_page_iter *)ptr@p
)
... when any
}


// found: all of these.
@found@
expression e;
position p = {taken.p};
@@
e@p

// context: mark the line.
@depends on context@
expression e;
position found.p;
@@
* e@p

// report: say it.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "base-to-dma-iterator: nothing here shows that this page iterator "
    "lies in a struct sg_dma_page_iter; hand over the DMA iterator "
    "itself")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "base-to-dma-iterator: nothing here shows that this page iterator "
    "lies in a struct sg_dma_page_iter; hand over the DMA iterator "
    "itself")
