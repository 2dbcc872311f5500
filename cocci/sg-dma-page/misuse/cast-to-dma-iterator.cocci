// SPDX-License-Identifier: GPL-2.0-only
/// declare the DMA iterator instead of casting to it
///
/// A struct sg_page_iter that is taken for a struct sg_dma_page_iter by a
/// cast or by container_of() compiles everywhere and is stepped through the
/// CPU list all the same: the type says DMA, the walk does not.
///
/// Declare the iterator as struct sg_dma_page_iter and step it with
/// for_each_sg_dma_page().
///
//# Left alone: a cast from void *, container_of() on another structure, and a
//# page iterator that comes in by a pointer, which may lie in a DMA iterator
//# (base-to-dma-iterator has those).
//
// Shape: M8
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: cast-to-dma-iterator: a page iterator does not become a DMA
//   iterator by a cast; declare it as struct sg_dma_page_iter
// Tokens: sg_dma_page_iter

virtual patch
virtual context
virtual org
virtual report

// taken: a page iterator, and no pointer to one, taken for a DMA iterator.
@taken@
struct sg_page_iter it;
symbol base;
position p;
@@
(
container_of(&it@p, struct sg_dma_page_iter, base)
|
 (struct sg_dma_page_iter *)&it@p
)

// pointed: the same by way of a pointer.
@pointed exists@
struct sg_page_iter it;
idexpression ptr;
expression E;
symbol base;
position p;
@@
ptr = &it
... when != ptr = E
(
container_of(ptr@p, struct sg_dma_page_iter, base)
|
 (struct sg_dma_page_iter *)ptr@p
)


// found: all of these.
@found@
expression e;
position p = {taken.p, pointed.p};
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
    "cast-to-dma-iterator: a page iterator does not become a DMA "
    "iterator by a cast; declare it as struct sg_dma_page_iter")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "cast-to-dma-iterator: a page iterator does not become a DMA "
    "iterator by a cast; declare it as struct sg_dma_page_iter")
