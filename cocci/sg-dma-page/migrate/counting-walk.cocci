// SPDX-License-Identifier: GPL-2.0-only
/// name the loops that count pages for a DMA walk to fill
///
/// A loop that never looks at its iterator counts CPU pages, and what it
/// sizes is filled by the DMA walk of the same file. The DMA walk counts by
/// sg_dma_len(), so converting it alone can overrun an array that was sized
/// by the other. Both are converted together or not at all, and which count
/// is meant is for a person to say.
///
//# Not seen: a count taken in another file.
//
// Shape: S21
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: manual
// Reason: counts-pages: a loop of this file counts CPU pages and a walk fills
//   what it sized with DMA addresses; give both loops the DMA page iterator
//   and the mapped count, or size the array for the worst case
// Tokens: sg_page_iter_dma_address .sg_pgoffset

virtual patch
virtual context
virtual org
virtual report

// named: a loop whose body names its iterator.
// The last but one is for a body that is one do or switch statement. In
// _Generic() spatch reads no name, so a body that has one may name anything.
@named exists@
iterator name for_each_sg_page;
iterator I;
expression sgl, nents, off, C;
identifier it;
statement S;
position loop;
@@
(
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) if (<+... it ...+>) S
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) if (C) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) if (C) {
... when any
it
... when any
} else S
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) if (C) S else {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) for (...;...;...) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) while (C) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) I(...) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) {
<+...
it
...+>
}
|
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) {
<+...
_Generic(...)
...+>
}
)

// counting: a declaration with a loop whose body does not.
@counting exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
initializer I;
statement S;
position loop != named.loop;
position t;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
for_each_sg_page@loop(sgl, &it, nents, off) S

@lent exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier fn, ptr;
statement S;
position loop != named.loop;
position t;
@@
fn(..., struct sg_page_iter@t *ptr, ...)
{
... when any
for_each_sg_page@loop(sgl, ptr, nents, off) S
... when any
}

// filling: a declaration whose DMA side is read.
@filling exists@
identifier it;
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
\(sg_page_iter_dma_address(&it)\|sg_dma_address(it.sg)\)

@filled exists@
identifier fn, ptr;
position t;
@@
fn(..., struct sg_page_iter@t *ptr, ...)
{
... when any
\(sg_page_iter_dma_address(ptr)\|sg_dma_address(ptr->sg)\)
... when any
}

// neither, either: all of these, where the file has both kinds.
@neither@
position t != {counting.t, lent.t, filling.t, filled.t};
@@
struct sg_page_iter@t

@either depends on (counting || lent) && (filling || filled)@
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
    t[0], "counting-walk: one loop counts pages, another fills addresses")

@script:python depends on org@
t << either.t;
@@
coccilib.org.print_todo(
    t[0], "counting-walk: one loop counts pages, another fills addresses")
