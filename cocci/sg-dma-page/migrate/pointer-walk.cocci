// SPDX-License-Identifier: GPL-2.0-only
/// hand the DMA page iterator to the helpers that read it
///
/// for_each_sg_page() and __sg_page_iter_next() step by the length of each
/// entry in memory. Once dma_map_sg() has merged entries, the DMA segments
/// are fewer and longer, and a walk that reads DMA addresses steps through
/// the wrong list: it can read wrong addresses or end early. Here functions
/// hand the iterator on by a pointer. Convert the iterator, the parameters
/// of all these functions and what they call together.
///
//# A chain is converted whole or not at all: functions that read an address,
//# those that hand their own parameter on to them (three levels), the
//# variables at the top, and what these are handed to besides (two levels:
//# functions that only start, step or test). One doubt about any of them
//# leaves all chains of the file to a person: a use that the DMA iterator
//# cannot serve, an argument that is neither such a variable nor NULL, a
//# function that is exported or whose address is taken.
//# Not seen by Coccinelle: callers in other files, #ifdef.
//
// Shape: S06, S07, S08, S09, S10, S11, S12, S13
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

// counting: a loop whose body does not. It sizes something by CPU pages, and
// what it sized is filled by DMA pages as soon as the other walk changes.
@counting@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
statement S;
position loop != named.loop;
@@
for_each_sg_page@loop(sgl, \(&it\|it\), nents, off) S

// looped, served: a use that the DMA iterator takes over with another name at
// most. They are two rules: beside a loop, one call of a line would be found,
// and for (start; next;) has two.
@looped@
iterator name for_each_sg_page;
local idexpression struct sg_page_iter it;
local idexpression struct sg_page_iter *ptr;
expression sgl, nents, off;
statement S;
position use;
@@
for_each_sg_page(sgl, \(&it@use\|ptr@use\), nents, off) S

@served@
local idexpression struct sg_page_iter it;
local idexpression struct sg_page_iter *ptr;
expression sgl, nents, off;
position use;
@@
(
__sg_page_iter_start(\(&it@use\|ptr@use\), sgl, nents, off)
|
__sg_page_iter_next(\(&it@use\|ptr@use\))
)

// aliased: a pointer that is made one to something else.
@aliased disable drop_cast@
local idexpression struct sg_page_iter *ptr;
type T;
position use;
@@
  (T *)ptr@use

// tested: a pointer is compared with nothing or made a number.
@tested disable drop_cast@
local idexpression struct sg_page_iter *ptr;
type N;
expression E, F;
position use != aliased.use;
@@
(
  ptr@use == NULL
|
  ptr@use != NULL
|
  !ptr@use
|
  (N)ptr@use
|
  ptr@use && E
|
  ptr@use || E
|
  ptr@use ? E : F
)

// asked: the same, as a condition of its own.
@asked@
local idexpression struct sg_page_iter *ptr;
statement S1, S2;
position use;
@@
if (ptr@use) S1 else S2

// address: an address is read, by the accessor or by what it stands for.
@address@
local idexpression struct sg_page_iter it;
type T;
position one, two;
@@
(
  sg_page_iter_dma_address(&it@one)
|
  sg_dma_address(it@one.sg) + ((T)it@two.sg_pgoffset << PAGE_SHIFT)
|
  sg_dma_address(it@one.sg) + (T)it@two.sg_pgoffset * PAGE_SIZE
|
  sg_dma_address(it@one.sg) + PFN_PHYS(it@two.sg_pgoffset)
|
  it@one.sg->dma_address + ((T)it@two.sg_pgoffset << PAGE_SHIFT)
|
  it@one.sg->dma_address + (T)it@two.sg_pgoffset * PAGE_SIZE
|
  it@one.sg->dma_address + PFN_PHYS(it@two.sg_pgoffset)
)

@reached@
local idexpression struct sg_page_iter *ptr;
type T;
position one, two;
@@
(
  sg_page_iter_dma_address(ptr@one)
|
  sg_dma_address(ptr@one->sg) + ((T)ptr@two->sg_pgoffset << PAGE_SHIFT)
|
  sg_dma_address(ptr@one->sg) + (T)ptr@two->sg_pgoffset * PAGE_SIZE
|
  sg_dma_address(ptr@one->sg) + PFN_PHYS(ptr@two->sg_pgoffset)
|
  ptr@one->sg->dma_address + ((T)ptr@two->sg_pgoffset << PAGE_SHIFT)
|
  ptr@one->sg->dma_address + (T)ptr@two->sg_pgoffset * PAGE_SIZE
|
  ptr@one->sg->dma_address + PFN_PHYS(ptr@two->sg_pgoffset)
)

// read: a function that reads an address from the iterator it is given.
@read exists@
identifier fn, ptr;
parameter list[n] before;
position t;
position reached.one;
@@
fn(before, struct sg_page_iter@t *ptr, ...)
{
... when any
ptr@one
... when any
}

// up1, up2, up3: a function that hands its own parameter on to one of those.
@up1 exists@
identifier read.fn, caller, ptr;
expression list[read.n] others;
parameter list[n] before;
position t;
@@
caller(before, struct sg_page_iter@t *ptr, ...)
{
... when any
fn(others, ptr, ...)
... when any
}

@up2 exists@
identifier up1.caller, outer, ptr;
expression list[up1.n] others;
parameter list[n] before;
position t;
@@
outer(before, struct sg_page_iter@t *ptr, ...)
{
... when any
caller(others, ptr, ...)
... when any
}

@up3 exists@
identifier up2.outer, outest, ptr;
expression list[up2.n] others;
parameter list[n] before;
position t;
@@
outest(before, struct sg_page_iter@t *ptr, ...)
{
... when any
outer(others, ptr, ...)
... when any
}

// apart: every iterator that is none of these parameters. What is not apart
// is in; a rule can only say so the other way round.
@apart@
position t != {read.t, up1.t, up2.t, up3.t};
@@
struct sg_page_iter@t

@reading@
identifier fn, ptr;
parameter list[n] before;
position t != apart.t;
@@
fn(before, struct sg_page_iter@t *ptr, ...) { ... }

// lent: a variable that is handed to a function that reads it, and one that
// is read where it is and handed to any function.
@lent exists@
identifier reading.fn, it;
expression list[reading.n] others;
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

@own exists@
identifier it;
initializer I;
position t;
position address.one;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@one

// without: the same as apart, with the variables counted in.
@without@
position t != {read.t, up1.t, up2.t, up3.t, lent.t, own.t};
@@
struct sg_page_iter@t

// asks: a function that any of these is handed to besides.
@asks exists@
identifier fn, it;
initializer I;
expression list[n] others;
position t != without.t;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
fn(others, &it, ...)

@passes exists@
identifier fn, user, ptr;
parameter list[m] before;
expression list[n] others;
position t != without.t;
@@
user(before, struct sg_page_iter@t *ptr, ...)
{
... when any
fn(others, ptr, ...)
... when any
}

// down1, down2: its parameter, and that of a function it asks in turn.
@down1@
identifier asks.fn, ptr;
parameter list[asks.n] before;
position t;
@@
fn(before, struct sg_page_iter@t *ptr, ...) { ... }

@down2@
identifier passes.fn, ptr;
parameter list[passes.n] before;
position t;
@@
fn(before, struct sg_page_iter@t *ptr, ...) { ... }

@deeper exists@
identifier asks.fn, callee, ptr;
parameter list[asks.n] before;
expression list[n] others;
@@
fn(before, struct sg_page_iter *ptr, ...)
{
... when any
callee(others, ptr, ...)
... when any
}

@down3@
identifier deeper.callee, ptr;
parameter list[deeper.n] before;
position t;
@@
callee(before, struct sg_page_iter@t *ptr, ...) { ... }

// other: every iterator that is not of a chain. What is not other is.
@other@
position t != {read.t, up1.t, up2.t, up3.t, lent.t, own.t, down1.t, down2.t,
	       down3.t};
@@
struct sg_page_iter@t

// takes: a function of a chain, and where it takes the iterator.
@takes@
identifier fn, ptr;
parameter list[n] before;
position t != other.t;
@@
fn(before, struct sg_page_iter@t *ptr, ...) { ... }

// handed, passed: a variable or a parameter of a chain that is handed on to
// a function of a chain.
@handed exists@
identifier takes.fn, it;
expression list[takes.n] others;
initializer I;
position t != other.t;
position use;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
fn(others, &it@use, ...)

@passed exists@
identifier takes.fn, user, ptr;
parameter list[m] before;
expression list[takes.n] others;
position t != other.t;
position use;
@@
user(before, struct sg_page_iter@t *ptr, ...)
{
... when any
fn(others, ptr@use, ...)
... when any
}

// stray: any other use of one of them.
@stray exists@
identifier it;
initializer I;
position t != other.t;
position use != {looped.use, served.use, address.one, address.two, handed.use};
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
it@use

@strayed exists@
identifier fn, ptr;
parameter list[m] before;
position t != other.t;
position use != {looped.use, served.use, tested.use, asked.use, reached.one,
		 reached.two, passed.use};
@@
fn(before, struct sg_page_iter@t *ptr, ...)
{
... when any
ptr@use
... when any
}

// plain, odd, foreign: a call that hands a function of a chain something
// else than one of them or NULL.
@plain@
identifier takes.fn, it;
expression list[takes.n] others;
position call;
@@
fn@call(others, \(NULL\|&it\|it\), ...)

@odd@
identifier takes.fn;
expression list[takes.n] others;
expression E;
position call != plain.call;
@@
fn@call(others, E, ...)

@foreign@
identifier takes.fn;
identifier it !~ "^NULL$";
expression list[takes.n] others;
position use != {handed.use, passed.use};
@@
fn(others, \(&it@use\|it@use\), ...)

// kept: a function of a chain whose address is taken, or that is exported:
// its name stands where it is not called.
@called@
identifier takes.fn;
position use;
@@
fn@use(...)

@kept@
identifier takes.fn;
position use != called.use;
@@
fn@use

// newer: code that has the DMA iterator already serves two kernels.
@newer exists@
identifier ptr, it, fn;
parameter list[m] before;
position t != other.t;
@@
fn(before, struct sg_page_iter@t *ptr, ...)
{
... when any
struct sg_dma_page_iter it;
... when any
}

@twin exists@
identifier it, new;
position t != other.t;
@@
struct sg_page_iter@t it;
... when any
struct sg_dma_page_iter new;

// fixed: a parameter that may not be written through; the accessor asks for
// one that may.
@fixed@
identifier fn, ptr;
parameter list before;
position t != other.t;
@@
fn(before, const struct sg_page_iter@t *ptr, ...) { ... }

// prototype: the declaration of a function of a chain.
@prototype@
identifier takes.fn, ptr;
parameter list[takes.n] before;
type T;
position t;
@@
(
T fn(before, struct sg_page_iter@t *, ...);
|
T fn(before, struct sg_page_iter@t *ptr, ...);
|
static T fn(before, struct sg_page_iter@t *, ...);
|
static T fn(before, struct sg_page_iter@t *ptr, ...);
|
extern T fn(before, struct sg_page_iter@t *, ...);
|
extern T fn(before, struct sg_page_iter@t *ptr, ...);
)

// walk: the variables at the top of the chains; nothing speaks against them.
@walk depends on takes && !counting && !stray && !strayed && !odd &&
	!foreign && !kept && !newer && !twin && !fixed@
identifier it;
initializer I;
position t != other.t;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)

// rest, follow: all that changes with them, their prototypes included.
@rest@
position t != {read.t, up1.t, up2.t, up3.t, lent.t, own.t, down1.t, down2.t,
	       down3.t, prototype.t};
@@
struct sg_page_iter@t

@follow depends on walk@
position t != rest.t;
@@
struct sg_page_iter@t

@depends on context@
position follow.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << follow.t;
@@
coccilib.report.print_report(
    t[0], "pointer-walk: hand the DMA page iterator on")

@script:python depends on org@
t << follow.t;
@@
coccilib.org.print_todo(
    t[0], "pointer-walk: hand the DMA page iterator on")

// The rewrite. A position does not survive a change, but the new type does:
// from here on the type of an iterator says which uses must follow it.
@retyped depends on patch@
position follow.t;
@@
- struct sg_page_iter@t
+ struct sg_dma_page_iter

@depends on retyped@
struct sg_dma_page_iter *ptr;
iterator name for_each_sg_page, for_each_sg_dma_page;
expression sgl, nents, off;
statement S;
@@
- for_each_sg_page
+ for_each_sg_dma_page
  (sgl, ptr, nents, off) S

@depends on retyped@
local idexpression struct sg_dma_page_iter it;
local idexpression struct sg_dma_page_iter *ptr;
expression sgl, nents, off;
@@
(
  __sg_page_iter_start(
- &it
+ &it.base
  , sgl, nents, off)
|
  __sg_page_iter_start(
- ptr
+ &ptr->base
  , sgl, nents, off)
)

@depends on retyped@
struct sg_dma_page_iter *ptr;
@@
- __sg_page_iter_next(
+ __sg_page_iter_dma_next(
  ptr)

@depends on retyped@
local idexpression struct sg_dma_page_iter it;
type T;
@@
(
- sg_dma_address(it.sg) + ((T)it.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&it)
|
- sg_dma_address(it.sg) + (T)it.sg_pgoffset * PAGE_SIZE
+ sg_page_iter_dma_address(&it)
|
- sg_dma_address(it.sg) + PFN_PHYS(it.sg_pgoffset)
+ sg_page_iter_dma_address(&it)
|
- it.sg->dma_address + ((T)it.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&it)
|
- it.sg->dma_address + (T)it.sg_pgoffset * PAGE_SIZE
+ sg_page_iter_dma_address(&it)
|
- it.sg->dma_address + PFN_PHYS(it.sg_pgoffset)
+ sg_page_iter_dma_address(&it)
)

@depends on retyped@
local idexpression struct sg_dma_page_iter *ptr;
type T;
@@
(
- sg_dma_address(ptr->sg) + ((T)ptr->sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(ptr)
|
- sg_dma_address(ptr->sg) + (T)ptr->sg_pgoffset * PAGE_SIZE
+ sg_page_iter_dma_address(ptr)
|
- sg_dma_address(ptr->sg) + PFN_PHYS(ptr->sg_pgoffset)
+ sg_page_iter_dma_address(ptr)
|
- ptr->sg->dma_address + ((T)ptr->sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(ptr)
|
- ptr->sg->dma_address + (T)ptr->sg_pgoffset * PAGE_SIZE
+ sg_page_iter_dma_address(ptr)
|
- ptr->sg->dma_address + PFN_PHYS(ptr->sg_pgoffset)
+ sg_page_iter_dma_address(ptr)
)
