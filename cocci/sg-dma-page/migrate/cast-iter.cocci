// SPDX-License-Identifier: GPL-2.0-only
/// name the casts from the page iterator to the DMA page iterator
///
/// struct sg_dma_page_iter begins with a page iterator, so a cast between
/// the two compiles on every kernel. What it points to is still stepped by
/// CPU pages: the address is as wrong as before, and the compiler can no
/// longer say so.
///
// Shape: S26
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: manual
// Reason: cast: a page iterator is made a DMA page iterator by a cast, which
//   compiles and keeps the wrong step; declare it as struct sg_dma_page_iter
//   and step it with for_each_sg_dma_page()

virtual patch
virtual context
virtual org
virtual report

// cast: a page iterator that is taken for the other kind.
// Declared, a loop is read even where its body has no braces.
@cast@
iterator name for_each_sg_page;
local idexpression struct sg_page_iter it;
local idexpression struct sg_page_iter *ptr;
position use;
@@
(
  container_of(\(&it@use\|ptr@use\), struct sg_dma_page_iter, ...)
|
  (struct sg_dma_page_iter *)\(&it@use\|ptr@use\)
)

// type: the cast itself.
@type_of@
expression E;
position t;
@@
(
  container_of(E, struct sg_dma_page_iter@t, ...)
|
  (struct sg_dma_page_iter@t *)E
)

// source: what is cast.
@source exists@
identifier it;
initializer I;
position cast.use;
position t;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@use

@lent exists@
identifier fn, ptr;
position cast.use;
position t;
@@
fn(..., struct sg_page_iter@t *ptr, ...)
{
... when any
ptr@use
... when any
}
// neither, either: each declaration once.
@neither@
position t != {source.t, lent.t};
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

@depends on context@
expression E;
position type_of.t;
@@
(
* container_of(E, struct sg_dma_page_iter@t, ...)
|
* (struct sg_dma_page_iter@t *)E
)

@script:python depends on report@
t << type_of.t;
@@
coccilib.report.print_report(
    t[0], "cast-iter: a page iterator is cast, its step stays wrong")

@script:python depends on org@
t << type_of.t;
@@
coccilib.org.print_todo(
    t[0], "cast-iter: a page iterator is cast, its step stays wrong")
