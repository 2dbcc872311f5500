// SPDX-License-Identifier: GPL-2.0-only
/// name the walks that read pages and DMA addresses together
///
/// A walk that reads the page and the DMA address from one iterator pairs
/// what does not belong together once dma_map_sg() has merged entries: the
/// pages stand in the CPU list, the addresses in the shorter DMA list. No
/// change of type mends that; it takes two walks, each with its own iterator
/// and its own count.
///
//# Not judged here: an iterator kept in a structure (member-both.cocci), one
//# that a page loop and a DMA loop use in turn (second-walk.cocci).
//
// Shape: S16, S17
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: manual
// Reason: both-sides: one iterator gives pages and DMA addresses; walk the
//   pages with for_each_sg_page() and orig_nents, and the addresses in a loop
//   of their own with for_each_sg_dma_page() and the mapped count
// Tokens: sg_page_iter_dma_address .sg_pgoffset

virtual patch
virtual context
virtual org
virtual report

// address: the DMA side of an iterator is read.
// Declared, a loop is read even where its body has no braces.
@address@
iterator name for_each_sg_page;
local idexpression struct sg_page_iter it;
local idexpression struct sg_page_iter *ptr;
position use;
@@
(
  sg_page_iter_dma_address(\(&it@use\|ptr@use\))
|
  sg_dma_address(\(it@use.sg\|ptr@use->sg\))
|
  sg_dma_len(\(it@use.sg\|ptr@use->sg\))
)

// page: its CPU side is read, as a page or through the entry it stands on.
@page@
local idexpression struct sg_page_iter it;
local idexpression struct sg_page_iter *ptr;
position use != address.use;
@@
(
  sg_page_iter_page(\(&it@use\|ptr@use\))
|
  \(it@use.sg\|ptr@use->sg\)
)

// paged, mine: a variable with both.
@paged exists@
identifier it;
initializer I;
position t;
position page.use;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@use

@mine exists@
identifier paged.it;
initializer I;
position paged.t;
position here;
position address.use;
@@
(
struct sg_page_iter@t@here it;
|
struct sg_page_iter@t@here it = I;
)
... when any
    when != struct sg_page_iter it;
it@use

// lent: a variable that is read one way here, and the other way by a helper.
@reader exists@
identifier fn, ptr;
parameter list[n] before;
position address.use;
@@
fn(before, struct sg_page_iter *ptr, ...)
{
... when any
ptr@use
... when any
}

@pager exists@
identifier fn, ptr;
parameter list[n] before;
position page.use;
@@
fn(before, struct sg_page_iter *ptr, ...)
{
... when any
ptr@use
... when any
}

@asked exists@
identifier reader.fn, it;
expression list[reader.n] others;
initializer I;
position t;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
fn(others, &it, ...)

@lent exists@
identifier asked.it;
identifier pager.fn;
expression list[pager.n] others;
initializer I;
position asked.t;
position here;
position page.use;
@@
(
struct sg_page_iter@t@here it;
|
struct sg_page_iter@t@here it = I;
)
... when any
    when != struct sg_page_iter it;
(
it@use
|
fn(others, &it, ...)
)

// served: a helper that gives the page, for a walk that reads addresses.
@own exists@
identifier it;
initializer I;
position t;
position address.use;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@use

@served exists@
identifier own.it, pager.fn;
expression list[pager.n] others;
initializer I;
position own.t;
position here;
@@
(
struct sg_page_iter@t@here it;
|
struct sg_page_iter@t@here it = I;
)
... when any
    when != struct sg_page_iter it;
fn(others, &it, ...)

// helper: a parameter with both.
@given exists@
identifier fn, ptr;
position t;
position page.use;
@@
fn(..., struct sg_page_iter@t *ptr, ...)
{
... when any
ptr@use
... when any
}

@helper exists@
identifier fn, given.ptr;
position given.t;
position here;
position address.use;
@@
fn(..., struct sg_page_iter@t@here *ptr, ...)
{
... when any
ptr@use
... when any
}

// either: each declaration once, however many ways lead to it.
@neither@
position t != {mine.here, lent.here, served.here, helper.here};
@@
struct sg_page_iter@t

@either@
position t != neither.t;
@@
struct sg_page_iter@t

@depends on context@
position either.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << either.t;
@@
coccilib.report.print_report(
    t[0], "mixed-walk: gives pages and DMA addresses, walk each on its own")

@script:python depends on org@
t << either.t;
@@
coccilib.org.print_todo(
    t[0], "mixed-walk: gives pages and DMA addresses, walk each on its own")
