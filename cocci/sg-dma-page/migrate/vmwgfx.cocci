// SPDX-License-Identifier: GPL-2.0-only
/// use the DMA page iterator for DMA addresses
///
/// The driver's own iterator keeps a struct sg_page_iter and reads both
/// pages and DMA addresses from it. The walk steps by pages in memory. Once
/// dma_map_sg() has merged entries, the two no longer go together, and the
/// addresses can be wrong.
///
/// Make the member a struct sg_dma_page_iter, which gives the addresses, and
/// take the page from the array that the list was built from. The array is
/// there in every mapping mode. The index of the array now moves in every
/// mode, and the walk ends with the array.
///
/// The list is built from the array with offset 0 and whole pages, so DMA
/// page n is entry n of the array, however the entries were merged.
///
//# Why it is right in each of the four mapping modes of vmwgfx:
//#
//# vmw_dma_phys and vmw_dma_alloc_coherent never start the member. They are
//# not touched: pages and addresses come from arrays, stepped by the index.
//#
//# vmw_dma_map_populate and vmw_dma_map_bind walk the list. The list is made
//# of the page array by sg_alloc_table_from_pages() at offset 0, so page i of
//# the list is entry i of the array (`built`). Start sets the index to one
//# before the offset and the number of pages before it looks at the mode
//# (`started`), so the index function takes the index through the same values
//# as the list walk: after n steps both stand on page off + n - 1. Each entry
//# is a whole number of pages and starts at a page, and merging keeps their
//# sum, so the DMA list has as many pages as the array; what ends first ends
//# both. A walk over the mapped entries needs the mapped count, and it is in
//# the table where the mapping stored it (`mapped`).
//#
//# The iterator is copied by value and saved in between (multi-level page
//# tables do so). Both positions are members, so they are copied together,
//# and code that only uses the driver's own functions stays as it is. The
//# index function is asked first: once it says no, the list is left alone.
//#
//# Tried and dropped: both iterators in a union with a second start function,
//# as posted in 2019. It needs two iterators side by side in each function
//# that reads both, in each release another one.
//
// Shape: S14, S15
// Confidence: High
// Options: --local-includes --include-headers
// Requires: 1.0.8
// Verdict: converted
// Tokens: sg_page_iter_dma_address
// Edits: statements
// Proves: bound, offset, count

virtual patch
virtual context
virtual org
virtual report

// member: a structure that keeps a page iterator.
@member@
identifier tag, iter;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

// step: a function that takes the next page of the list.
@step@
identifier member.tag, member.iter, next, v;
position use;
@@
next(struct tag *v)
{
	return __sg_page_iter_next(&v->iter@use);
}

// both: the functions that give the page and the address it stands on.
@paged@
identifier member.tag, member.iter, page, v;
position use;
@@
page(struct tag *v)
{
	return sg_page_iter_page(&v->iter@use);
}

@addressed@
identifier member.tag, member.iter, address, v;
position use;
@@
address(struct tag *v)
{
	return sg_page_iter_dma_address(&v->iter@use);
}

// array: a function that gives the page from an array, and one that moves
// the index of that array.
@array@
identifier member.tag, entry, v, pages, index;
@@
entry(struct tag *v)
{
	return v->pages[v->index];
}

@moved@
identifier member.tag, array.index, move, v, size;
@@
move(struct tag *v)
{
	return ++(v->index) < v->size;
}

// started: the function that starts the list, after it has set the index and
// the size whatever the mode. It alone hands these functions out.
@started@
identifier member.tag, member.iter, step.next, paged.page, addressed.address;
identifier array.index, moved.size;
identifier start, v, table, t, off, sgt, npages;
identifier do_next, do_page, do_address;
expression count;
position use;
@@
start(struct tag *v, const struct table *t, unsigned long off)
{
	... when any
	v->index = off - 1;
	v->size = t->npages;
	<+...
	v->do_next = &next;
	v->do_address = &address;
	v->do_page = &page;
	__sg_page_iter_start(&v->iter@use, t->sgt->sgl, count, off);
	...+>
}

// filled: the same function, in a mode without a list, takes the page from
// the array.
@filled@
identifier member.tag, started.start, started.table, started.do_page;
identifier array.pages, array.entry, v, t, off, from;
@@
start(struct tag *v, const struct table *t, unsigned long off)
{
	<+...
	v->do_page = &entry;
	... when != v
	v->pages = t->from;
	...+>
}

// built: the list is made of the pages of that array, the first page first,
// and of whole ones. The helpers with a limit for a segment are the same here.
@built exists@
identifier started.table, started.npages, started.sgt, filled.from;
identifier own;
identifier build =~ "^(__)?sg_alloc_table_from_pages(_segment)?$";
struct table *t;
expression owner;
type T;
@@
	t->sgt = &owner->own
	... when any
(
	build(&owner->own, t->from, t->npages, 0,
	      t->npages << PAGE_SHIFT, ...)
|
	build(&owner->own, t->from, t->npages, 0,
	      (T)t->npages << PAGE_SHIFT, ...)
|
	build(&owner->own, t->from, t->npages, 0,
	      t->npages * PAGE_SIZE, ...)
|
	build(&owner->own, t->from, t->npages, 0,
	      (T)t->npages * PAGE_SIZE, ...)
)

// mapped: the number of mapped entries is stored where the walk can read it.
@mapped exists@
identifier built.own, ret;
expression owner;
@@
	ret = dma_map_sg(..., owner->own.sgl, owner->own.orig_nents, ...)
	... when any
	owner->own.nents = ret

// stray: any other use of the member, which has one type for all of them.
@stray@
identifier member.tag, member.iter;
struct tag *ptr;
struct tag val;
position other != {step.use, paged.use, addressed.use, started.use};
@@
(
ptr->iter@other
|
val.iter@other
)

// named: the page function is named in one place only, where it is given out.
@given@
identifier paged.page;
expression E;
position use;
@@
E = &page@use

@named@
identifier paged.page;
position use != given.use;
@@
page@use

// whole: all of the argument holds.
@whole depends on filled && built && !stray && !named@
identifier member.tag, member.iter;
position member.t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

@depends on whole && context@
position member.t;
@@
* struct sg_page_iter@t

@script:python depends on whole && report@
t << member.t;
@@
coccilib.report.print_report(
    t[0], "vmwgfx: step with the DMA page iterator, take pages from the array")

@script:python depends on whole && org@
t << member.t;
@@
coccilib.org.print_todo(
    t[0], "vmwgfx: step with the DMA page iterator, take pages from the array")

// The rewrite. The member first; the functions follow by their names, which
// are those of one file.
@retyped depends on whole && patch@
position member.t;
@@
- struct sg_page_iter@t
+ struct sg_dma_page_iter

@depends on retyped@
identifier member.tag, member.iter, step.next, moved.move, v;
@@
next(struct tag *v)
{
+	if (!move(v))
+		return false;
-	return __sg_page_iter_next(&v->iter);
+	return __sg_page_iter_dma_next(&v->iter);
}

@depends on retyped@
identifier member.tag, member.iter, paged.page, v;
type T;
@@
- T page(struct tag *v)
- {
-	return sg_page_iter_page(&v->iter);
- }

@depends on retyped@
identifier member.tag, member.iter, started.start, started.table, paged.page;
identifier started.do_page, array.entry, filled.from, array.pages, v, t, off;
@@
start(struct tag *v, const struct table *t, unsigned long off)
{
	<...
-	v->do_page = &page;
+	v->do_page = &entry;
+	v->pages = t->from;
	__sg_page_iter_start(
-		&v->iter
+		&v->iter.base
		, ...);
	...>
}

@depends on retyped && mapped@
identifier member.tag, member.iter, started.start, started.table, started.sgt;
identifier v, t, off;
@@
start(struct tag *v, const struct table *t, unsigned long off)
{
	<...
	__sg_page_iter_start(&v->iter.base, t->sgt->sgl,
-		t->sgt->orig_nents
+		t->sgt->nents
		, off);
	...>
}

// plain: the helper of vmwgfx itself, which was for the modes without a list.
// It serves all modes now, and "non_sg" in its name would be wrong.
@plain depends on retyped && patch@
identifier v, tag;
type T;
@@
T
- __vmw_piter_non_sg_page
+ __vmw_piter_page
	(struct tag *v)
{ ... }

@depends on plain@
symbol __vmw_piter_non_sg_page, __vmw_piter_page;
@@
- __vmw_piter_non_sg_page
+ __vmw_piter_page
