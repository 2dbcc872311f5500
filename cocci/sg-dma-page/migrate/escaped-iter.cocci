// SPDX-License-Identifier: GPL-2.0-only
/// name the iterators that leave the code that can be seen
///
/// An iterator whose address is stored, returned, or handed to a function
/// whose body is not here may be stepped and read anywhere. It has one type
/// for all of that, and only a person can say who the others are.
///
//# Arrays, iterators outside of functions and those on the heap belong here
//# too: which element a use means is not always to be seen.
//
// Shape: S11, S12, S20
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: manual
// Reason: escapes: the iterator is stored, or handed to code that is not
//   seen here; find everyone who steps or reads it and convert them together
// Tokens: sg_page_iter_dma_address .sg_pgoffset __sg_page_iter_next
//   __sg_page_iter_start

virtual patch
virtual context
virtual org
virtual report

// fits, steps, sizes: a use that stays here.
// Declared, a loop is read even where its body has no braces.
@fits@
iterator name for_each_sg_page, for_each_sgtable_page;
local idexpression struct sg_page_iter it;
expression sgl, nents, off;
statement S;
position use;
@@
(
for_each_sg_page(sgl, &it@use, nents, off) S
|
for_each_sgtable_page(sgl, &it@use, off) S
)

@steps@
local idexpression struct sg_page_iter it;
position use;
@@
(
__sg_page_iter_start(&it@use, ...)
|
__sg_page_iter_next(&it@use)
|
memset(&it@use, ...)
)

@sizes@
local idexpression struct sg_page_iter it;
position use;
@@
sizeof(it@use)

@reads@
local idexpression struct sg_page_iter it;
position use;
@@
\(sg_page_iter_dma_address\|sg_page_iter_page\)(&it@use)

@fields@
local idexpression struct sg_page_iter it;
position use;
@@
\(it@use.sg\|it@use.sg_pgoffset\)

// seen: a function of this file that takes an iterator.
@seen@
identifier fn, ptr;
parameter list[n] before;
@@
fn(before, struct sg_page_iter *ptr, ...) { ... }

@handed@
identifier seen.fn;
local idexpression struct sg_page_iter it;
expression list[seen.n] others;
position use;
@@
fn(others, &it@use, ...)

// leaves: a variable with any other use.
@leaves exists@
identifier it;
initializer I;
position use != {fits.use, steps.use, sizes.use, reads.use, fields.use,
		 handed.use};
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

// many: an array that is read.
@many exists@
identifier it;
position t;
@@
struct sg_page_iter@t it[...];
... when any
sg_page_iter_dma_address(\(&it[...]\|it\|it + ...\))

// wide: a variable outside of functions that is read.
@reads_wide@
global idexpression struct sg_page_iter it;
position use;
@@
sg_page_iter_dma_address(&it@use)

@name_of@
identifier it;
position reads_wide.use;
@@
sg_page_iter_dma_address(&it@use)

@inner exists@
identifier fn, it;
position t;
@@
fn(...)
{
... when any
struct sg_page_iter@t it;
... when any
}

@wide@
identifier name_of.it;
position t != inner.t;
@@
struct sg_page_iter@t it;

// held: a pointer that is not a parameter.
@held exists@
identifier ptr;
expression E;
position t;
@@
(
struct sg_page_iter@t *ptr;
|
struct sg_page_iter@t *ptr = E;
)
... when any
ptr

// called, valued, stored, out: a helper of this file whose address is taken,
// or that is exported: its name stands where it is not called.
@called@
identifier seen.fn;
position use;
@@
fn@use(...)

@valued@
identifier seen.fn;
position use != called.use;
@@
fn@use

@stored@
identifier fn;
position valued.use;
@@
fn@use

@out@
identifier stored.fn, ptr;
parameter list before;
position t;
@@
fn(before, struct sg_page_iter@t *ptr, ...) { ... }

// neither, either: each declaration once.
@neither@
position t != {leaves.t, many.t, wide.t, held.t, out.t};
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
    t[0], "escaped-iter: is used by code that is not seen here")

@script:python depends on org@
t << either.t;
@@
coccilib.org.print_todo(
    t[0], "escaped-iter: is used by code that is not seen here")
