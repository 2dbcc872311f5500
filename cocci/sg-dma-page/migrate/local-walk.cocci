// SPDX-License-Identifier: GPL-2.0-only
/// use the DMA page iterator for DMA addresses
///
/// for_each_sg_page() steps by the length of each entry in memory. Once
/// dma_map_sg() has merged entries, the DMA segments are fewer and longer,
/// and a loop that reads sg_page_iter_dma_address() steps through the wrong
/// list: it can read wrong addresses or end early. Declare the iterator as
/// struct sg_dma_page_iter, which steps by sg_dma_len(), and walk with
/// for_each_sg_dma_page().
///
//# Left as they are: an iterator that also gives a page or a field
//# (mixed-walk.cocci), one that is handed to a helper (pointer-walk.cocci),
//# kept in a structure (member-walk.cocci), or shared by a page loop and a
//# DMA loop (second-walk.cocci); every walk of a file that counts pages in a
//# loop of its own (counting-walk.cocci); a function that names both APIs.
//# Not seen by Coccinelle: an #ifdef between declaration and use.
//
// Shape: S01, S02, S03, S04, S05, S06, S07, S08, S09, S10, S20
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: converted
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
for_each_sg_page@loop(sgl, &it, nents, off) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, &it, nents, off) if (<+... it ...+>) S
|
for_each_sg_page@loop(sgl, &it, nents, off) if (C) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, &it, nents, off) if (C) {
... when any
it
... when any
} else S
|
for_each_sg_page@loop(sgl, &it, nents, off) if (C) S else {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, &it, nents, off) for (...;...;...) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, &it, nents, off) while (C) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, &it, nents, off) I(...) {
... when any
it
... when any
}
|
for_each_sg_page@loop(sgl, &it, nents, off) {
<+...
it
...+>
}
|
for_each_sg_page@loop(sgl, &it, nents, off) {
<+...
_Generic(...)
...+>
}
)

// counting: a loop whose body does not. It sizes something by CPU pages, and
// what it sized is filled by DMA pages as soon as the other walk changes.
@counting@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
statement S;
position loop != named.loop;
@@
for_each_sg_page@loop(sgl, &it, nents, off) S

// looped, served: a use that the DMA iterator takes over with another name at
// most. They are two rules: beside a loop, one call of a line would be found,
// and for (start; next;) has two.
@looped@
iterator name for_each_sg_page;
idexpression struct sg_page_iter it;
expression sgl, nents, off;
statement S;
position use;
@@
for_each_sg_page(sgl, &it@use, nents, off) S

@served@
idexpression struct sg_page_iter it;
expression sgl, nents, off;
position use;
@@
(
__sg_page_iter_start(&it@use, sgl, nents, off)
|
__sg_page_iter_next(&it@use)
|
memset(&it@use, ...)
)

// sized: the variable is measured, as memset() needs it.
@sized@
idexpression struct sg_page_iter it;
position use;
@@
sizeof(it@use)

// address: an address is read, by the accessor or by what it stands for.
@address@
idexpression struct sg_page_iter it;
type T;
position one, two;
@@
(
  sg_page_iter_dma_address(&it@one)
|
  sg_dma_address(it@one.sg) +
  ((T)it@two.sg_pgoffset << PAGE_SHIFT)
|
  sg_dma_address(it@one.sg) +
  ((T)it@two.sg_pgoffset * PAGE_SIZE)
|
  sg_dma_address(it@one.sg) +
  PFN_PHYS(it@two.sg_pgoffset)
|
  it@one.sg->dma_address +
  ((T)it@two.sg_pgoffset << PAGE_SHIFT)
|
  it@one.sg->dma_address +
  ((T)it@two.sg_pgoffset * PAGE_SIZE)
|
  it@one.sg->dma_address +
  PFN_PHYS(it@two.sg_pgoffset)
)

// stray: a declaration with any other use. A variable has one type for all
// of its uses, and declarators share it, so one stray use keeps them all.
@stray exists@
identifier it;
initializer I;
position t;
position use != {looped.use, served.use, sized.use, address.one, address.two};
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
|
static struct sg_page_iter@t it;
)
... when any
    when != struct sg_page_iter it;
it@use

// newer: a function that has the DMA iterator already serves two kernels.
@newer exists@
identifier it, other;
position t;
@@
(
struct sg_page_iter@t it;
... when any
struct sg_dma_page_iter other;
|
struct sg_dma_page_iter other;
... when any
struct sg_page_iter@t it;
)

// walk: a declaration that nothing speaks against, and an address is read.
@walk depends on !counting exists@
identifier it;
initializer I;
position t != {stray.t, newer.t};
position address.one;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
|
static struct sg_page_iter@t it;
)
... when any
    when != struct sg_page_iter it;
it@one

@depends on context@
position walk.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << walk.t;
@@
coccilib.report.print_report(
    t[0], "local-walk: step with for_each_sg_dma_page()")

@script:python depends on org@
t << walk.t;
@@
coccilib.org.print_todo(
    t[0], "local-walk: step with for_each_sg_dma_page()")

// The rewrite. A position does not survive a change, but the new type does:
// from here on the type of a variable says which uses must follow it.
@retyped depends on patch@
position walk.t;
@@
- struct sg_page_iter@t
+ struct sg_dma_page_iter

@depends on retyped@
idexpression struct sg_dma_page_iter it;
iterator name for_each_sg_page, for_each_sg_dma_page;
expression sgl, nents, off;
statement S;
@@
- for_each_sg_page
+ for_each_sg_dma_page
  (sgl, &it, nents, off) S

@depends on retyped@
idexpression struct sg_dma_page_iter it;
expression sgl, nents, off;
@@
  __sg_page_iter_start(
- &it
+ &it.base
  , sgl, nents, off)

@depends on retyped@
idexpression struct sg_dma_page_iter it;
expression E;
@@
  memset(&it, E,
- sizeof(struct sg_page_iter)
+ sizeof(struct sg_dma_page_iter)
  )

@depends on retyped@
idexpression struct sg_dma_page_iter it;
@@
- __sg_page_iter_next(
+ __sg_page_iter_dma_next(
  &it)

@depends on retyped@
idexpression struct sg_dma_page_iter it;
type T;
@@
(
- sg_dma_address(it.sg) + ((T)it.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&it)
|
- sg_dma_address(it.sg) + ((T)it.sg_pgoffset * PAGE_SIZE)
+ sg_page_iter_dma_address(&it)
|
- sg_dma_address(it.sg) + PFN_PHYS(it.sg_pgoffset)
+ sg_page_iter_dma_address(&it)
|
- it.sg->dma_address + ((T)it.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&it)
|
- it.sg->dma_address + ((T)it.sg_pgoffset * PAGE_SIZE)
+ sg_page_iter_dma_address(&it)
|
- it.sg->dma_address + PFN_PHYS(it.sg_pgoffset)
+ sg_page_iter_dma_address(&it)
)
