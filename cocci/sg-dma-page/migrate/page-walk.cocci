// SPDX-License-Identifier: GPL-2.0-only
/// name the iterators that walk pages only
///
/// An iterator that gives pages and is never asked for a DMA address is right
/// as it is: for_each_sg_page() steps through the CPU list, and that is the
/// list its pages stand in. Such a walk must stay.
///
//# Not judged here: an iterator in a structure, and one whose scatterlist
//# entry is asked for its DMA address or length.
//
// Shape: B
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: kept
// Reason: page-walk: it gives pages and no DMA address

virtual patch
virtual context
virtual org
virtual report

// dma: the DMA side of the entry an iterator stands on.
@dma@
struct sg_page_iter it;
struct sg_page_iter *ptr;
position side;
@@
(
sg_page_iter_dma_address(&it@side)
|
sg_page_iter_dma_address(ptr@side)
|
sg_dma_address(it@side.sg)
|
sg_dma_address(ptr@side->sg)
|
sg_dma_len(it@side.sg)
|
sg_dma_len(ptr@side->sg)
)

// helper: a function of this file that takes an iterator and leaves its DMA
// side alone.
@helper@
identifier fn, ptr;
position dma.side;
@@
fn(..., struct sg_page_iter *ptr, ...)
{
... when != ptr@side
}

// paged: a use that a page iterator is for.
@paged@
iterator name for_each_sg_page, for_each_sgtable_page;
identifier helper.fn;
local idexpression struct sg_page_iter it;
expression sgl, nents, off;
statement S;
position use;
@@
(
for_each_sg_page(sgl, &it@use, nents, off) S
|
for_each_sgtable_page(sgl, &it@use, off) S
|
sg_page_iter_page(&it@use)
|
__sg_page_iter_start(&it@use, ...)
|
__sg_page_iter_next(&it@use)
|
fn(..., &it@use, ...)
|
it@use.sg
|
it@use.sg_pgoffset
)

// other: a declaration with a use of another kind.
@other exists@
identifier it;
initializer I;
position t;
position use != paged.use;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@use

// side: a declaration whose DMA side is read.
@side exists@
identifier it;
initializer I;
position t;
position dma.side;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@side

// walk: a declaration that gives pages and nothing else.
@walk@
identifier it;
position t != {other.t, side.t};
initializer I;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)

@depends on context@
position walk.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << walk.t;
@@
coccilib.report.print_report(t[0], "page-walk: gives pages only, stays")

@script:python depends on org@
t << walk.t;
@@
coccilib.org.print_todo(t[0], "page-walk: gives pages only, stays")
