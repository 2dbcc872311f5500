// SPDX-License-Identifier: GPL-2.0-only
/// keep a DMA page iterator where only DMA addresses are read
///
/// An iterator that is kept in a structure is started, stepped and read in
/// different functions. __sg_page_iter_next() steps by the length of each
/// entry in memory. Once dma_map_sg() has merged entries, the DMA segments
/// are fewer and longer, and the addresses that are read can be wrong. Make
/// the member a struct sg_dma_page_iter, and step it as one.
///
//# One structure is converted whole or not at all: every use of the member
//# in every file of the unit. Left alone: a member that also gives a page or
//# a field (member-both.cocci), whose address goes anywhere else
//# (escaped-iter.cocci), or that is reached by a pointer whose type
//# Coccinelle does not know.
//
// Shape: S14, S15
// Confidence: High
// Options: --local-includes --include-headers
// Requires: 1.0.8
// Verdict: converted
// Tokens: sg_page_iter_dma_address .sg_pgoffset

virtual patch
virtual context
virtual org
virtual report

// member: a structure that keeps an iterator.
@member@
identifier tag, iter;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

// read: such a member gives an address, by the accessor or written out.
@read@
identifier tag, member.iter;
struct tag *ptr;
struct tag val;
type T;
position one, two;
@@
(
  sg_page_iter_dma_address(\(&ptr->iter@one\|&val.iter@one\))
|
  sg_dma_address(ptr->iter@one.sg) +
  ((T)ptr->iter@two.sg_pgoffset << PAGE_SHIFT)
|
  sg_dma_address(ptr->iter@one.sg) +
  (T)ptr->iter@two.sg_pgoffset * PAGE_SIZE
|
  sg_dma_address(ptr->iter@one.sg) + PFN_PHYS(ptr->iter@two.sg_pgoffset)
|
  sg_dma_address(val.iter@one.sg) +
  ((T)val.iter@two.sg_pgoffset << PAGE_SHIFT)
|
  sg_dma_address(val.iter@one.sg) + (T)val.iter@two.sg_pgoffset * PAGE_SIZE
|
  sg_dma_address(val.iter@one.sg) + PFN_PHYS(val.iter@two.sg_pgoffset)
)

// looped, served: a use that the DMA iterator takes over with another name at
// most. They are two rules: beside a loop, one call of a line would be found.
@looped@
iterator name for_each_sg_page;
identifier tag, member.iter;
struct tag *ptr;
struct tag val;
expression sgl, nents, off;
statement S;
position use;
@@
(
for_each_sg_page(sgl, &ptr->iter@use, nents, off) S
|
for_each_sg_page(sgl, &val.iter@use, nents, off) S
)

@served@
identifier tag, member.iter;
struct tag *ptr;
struct tag val;
expression sgl, nents, off;
position use;
@@
(
__sg_page_iter_start(\(&ptr->iter@use\|&val.iter@use\), sgl, nents, off)
|
__sg_page_iter_next(\(&ptr->iter@use\|&val.iter@use\))
)

// stray: any other use of a member of that name, and whose it is.
@stray@
identifier tag, member.iter;
struct tag *ptr;
struct tag val;
position use != {looped.use, served.use, read.one, read.two};
@@
\(ptr->iter@use\|val.iter@use\)

@spoiled@
identifier stray.tag, member.iter;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

// known, unknown: an iterator that is used, and nobody knows of what. Only
// the calls of the API are asked: every member access of a file makes a
// binding each, and minutes of work.
@known@
identifier tag, slot;
struct tag *ptr;
struct tag val;
position use;
@@
(
sg_page_iter_dma_address(\(&ptr->slot@use\|&val.slot@use\))
|
sg_page_iter_page(\(&ptr->slot@use\|&val.slot@use\))
|
__sg_page_iter_next(\(&ptr->slot@use\|&val.slot@use\))
|
__sg_page_iter_start(\(&ptr->slot@use\|&val.slot@use\), ...)
)

@unknown@
identifier slot;
expression E;
position use != known.use;
@@
(
sg_page_iter_dma_address(\(&E->slot@use\|&E.slot@use\))
|
sg_page_iter_page(\(&E->slot@use\|&E.slot@use\))
|
__sg_page_iter_next(\(&E->slot@use\|&E.slot@use\))
|
__sg_page_iter_start(\(&E->slot@use\|&E.slot@use\), ...)
)

@unsure@
identifier tag, unknown.slot;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t slot;
	...
};

// set: a member that a static initialiser names.
@set@
identifier tag, v, member.iter;
initializer I;
@@
struct tag v = { .iter = I, };

@started@
identifier set.tag, member.iter;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

// reading, dry: a member that gives addresses, and all the others.
@reading@
identifier read.tag, member.iter;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

@dry@
position t != reading.t;
@@
struct sg_page_iter@t

// named, counting: a loop whose body never names its iterator sizes something
// by CPU pages; what it sized is filled by DMA pages as soon as another walk
// changes.
@named exists@
iterator name for_each_sg_page;
iterator I;
expression sgl, nents, off, C, E;
statement S;
position loop;
@@
(
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) {
... when any
E
... when any
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) if (<+... E ...+>) S
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) if (C) {
... when any
E
... when any
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) if (C) {
... when any
E
... when any
} else S
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) if (C) S else {
... when any
E
... when any
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) for (...;...;...) {
... when any
E
... when any
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) while (C) {
... when any
E
... when any
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) I(...) {
... when any
E
... when any
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) {
<+...
E
...+>
}
|
for_each_sg_page@loop(sgl, \(&E\|E\), nents, off) {
<+...
_Generic(...)
...+>
}
)

@counting@
iterator name for_each_sg_page;
expression sgl, nents, off, E;
statement S;
position loop != named.loop;
@@
for_each_sg_page@loop(sgl, E, nents, off) S

// walk: a member that nothing speaks against, and an address is read.
@walk depends on !counting@
identifier owner, slot;
position t != {dry.t, spoiled.t, unsure.t, started.t};
@@
struct owner {
	...
	struct sg_page_iter@t slot;
	...
};

@depends on context@
position walk.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << walk.t;
@@
coccilib.report.print_report(
    t[0], "member-walk: keep a DMA page iterator")

@script:python depends on org@
t << walk.t;
@@
coccilib.org.print_todo(
    t[0], "member-walk: keep a DMA page iterator")

// The rewrite. The member first; a position does not survive a change, so
// its uses follow by the names of the structure and the member.
@retyped depends on patch@
position walk.t;
@@
- struct sg_page_iter@t
+ struct sg_dma_page_iter

@depends on retyped@
identifier walk.owner, walk.slot;
iterator name for_each_sg_page, for_each_sg_dma_page;
struct owner *ptr;
struct owner val;
expression sgl, nents, off;
statement S;
@@
(
- for_each_sg_page
+ for_each_sg_dma_page
  (sgl, &ptr->slot, nents, off) S
|
- for_each_sg_page
+ for_each_sg_dma_page
  (sgl, &val.slot, nents, off) S
)

@depends on retyped@
identifier walk.owner, walk.slot;
struct owner *ptr;
struct owner val;
expression sgl, nents, off;
@@
(
  __sg_page_iter_start(
- &ptr->slot
+ &ptr->slot.base
  , sgl, nents, off)
|
  __sg_page_iter_start(
- &val.slot
+ &val.slot.base
  , sgl, nents, off)
)

@depends on retyped@
identifier walk.owner, walk.slot;
struct owner *ptr;
struct owner val;
@@
- __sg_page_iter_next(
+ __sg_page_iter_dma_next(
  \(&ptr->slot\|&val.slot\))

@depends on retyped@
identifier walk.owner, walk.slot;
struct owner *ptr;
struct owner val;
type T;
@@
(
- sg_dma_address(ptr->slot.sg) + ((T)ptr->slot.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&ptr->slot)
|
- sg_dma_address(ptr->slot.sg) + (T)ptr->slot.sg_pgoffset * PAGE_SIZE
+ sg_page_iter_dma_address(&ptr->slot)
|
- sg_dma_address(ptr->slot.sg) + PFN_PHYS(ptr->slot.sg_pgoffset)
+ sg_page_iter_dma_address(&ptr->slot)
|
- sg_dma_address(val.slot.sg) + ((T)val.slot.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&val.slot)
|
- sg_dma_address(val.slot.sg) + (T)val.slot.sg_pgoffset * PAGE_SIZE
+ sg_page_iter_dma_address(&val.slot)
|
- sg_dma_address(val.slot.sg) + PFN_PHYS(val.slot.sg_pgoffset)
+ sg_page_iter_dma_address(&val.slot)
)
