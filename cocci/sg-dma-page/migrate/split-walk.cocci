// SPDX-License-Identifier: GPL-2.0-only
/// walk pages and DMA addresses in loops of their own
///
/// One loop stores the page and the DMA address of each step. Once
/// dma_map_sg() has merged entries, the DMA segments are fewer and longer
/// than the entries, so one walk cannot give both. The two are independent
/// here: each is stored through a cursor of its own. Make it a page walk
/// with the number of entries, and a DMA walk with the count that is there.
///
//# Only a body of two statements is split, each of which stores one value at
//# a cursor that the other does not name. Whoever reads the two arrays may
//# still take entry i of one for entry i of the other, and that is why this
//# rule is only moderately sure: read the reader.
//
// Shape: S16
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: converted
// Tokens: sg_page_iter_dma_address
// Edits: statements

virtual patch
virtual context
virtual org
virtual report

// same: a loop that stores both at one cursor.
@same@
iterator name for_each_sg_page;
local idexpression struct sg_page_iter it;
identifier p, a, i;
expression list, count, off;
position loop;
@@
(
for_each_sg_page@loop(list, &it, count, off) {
	p[i++] = sg_page_iter_page(&it);
	a[i++] = sg_page_iter_dma_address(&it);
}
|
for_each_sg_page@loop(list, &it, count, off) {
	*p++ = sg_page_iter_page(&it);
	*p++ = sg_page_iter_dma_address(&it);
}
)

// pair: a loop of two stores that know nothing of each other.
@pair@
iterator name for_each_sg_page;
local idexpression struct sg_page_iter it;
identifier table, p, a, i, j;
expression off;
position loop != same.loop;
position use1, use2, use3;
@@
(
for_each_sg_page@loop(table->sgl, &it@use1,
		      \(table->nents\|table->orig_nents\), off) {
	p[i++] = sg_page_iter_page(&it@use2);
	a[j++] = sg_page_iter_dma_address(&it@use3);
}
|
for_each_sg_page@loop(table->sgl, &it@use1,
		      \(table->nents\|table->orig_nents\), off) {
	*p++ = sg_page_iter_page(&it@use2);
	*a++ = sg_page_iter_dma_address(&it@use3);
}
)

// stray: a variable with any other use.
@stray exists@
identifier it;
position t;
position use != {pair.use1, pair.use2, pair.use3};
@@
struct sg_page_iter@t it;
... when any
    when != struct sg_page_iter it;
it@use

// shared: a declaration of several variables.
@first@
identifier it;
position t;
@@
struct sg_page_iter@t it;

@shared@
identifier other != first.it;
position first.t;
position here;
@@
struct sg_page_iter@t@here other;

// taken: a function in which dma_ and the old name may have a meaning.
@common@
identifier word =~ "^dma_(addrs?|address|handle|len|size|dev|chan|nents)$";
position p;
@@
word@p

@called@
identifier fn =~ "^dma_";
position p;
@@
fn@p(...)

@taken exists@
identifier it, word =~ "^dma_";
position t;
position p != {common.p, called.p};
@@
struct sg_page_iter@t it;
... when any
word@p

// walk: a variable whose one use is such a loop.
@walk exists@
iterator name for_each_sg_page;
identifier it;
expression list, count, off;
statement S;
position t != {stray.t, shared.here, taken.t};
position pair.loop;
@@
struct sg_page_iter@t it;
... when any
    when != struct sg_page_iter it;
for_each_sg_page@loop(list, &it, count, off) S

@depends on context@
position walk.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << walk.t;
@@
coccilib.report.print_report(
    t[0], "split-walk: walk pages and DMA addresses in two loops")

@script:python depends on org@
t << walk.t;
@@
coccilib.org.print_todo(
    t[0], "split-walk: walk pages and DMA addresses in two loops")

// The rewrite. The loop first, since a position does not survive a change;
// the new name then says which loop and which declaration go with it. A loop
// written as plus code gets a blank before its parenthesis, and one that is
// renamed does not: both are written under the other's name.
@split depends on patch exists@
iterator name for_each_sg_page, for_each_sg_dma_page;
identifier it, table, p, a, i, j;
fresh identifier new = "dma_" ## it;
expression count, off;
position walk.t, pair.loop;
@@
struct sg_page_iter@t it;
... when any
(
- for_each_sg_page@loop(table->sgl, &it, count, off) {
- 	p[i++] = sg_page_iter_page(&it);
- 	a[j++] = sg_page_iter_dma_address(&it);
- }
+ for_each_sg_dma_page(table->sgl, &it, table->orig_nents, off)
+ 	p[i++] = sg_page_iter_page(&it);
+ for_each_sg_page(table->sgl, &new, count, off)
+ 	a[j++] = sg_page_iter_dma_address(&new);
|
- for_each_sg_page@loop(table->sgl, &it, count, off) {
- 	*p++ = sg_page_iter_page(&it);
- 	*a++ = sg_page_iter_dma_address(&it);
- }
+ for_each_sg_dma_page(table->sgl, &it, table->orig_nents, off)
+ 	*p++ = sg_page_iter_page(&it);
+ for_each_sg_page(table->sgl, &new, count, off)
+ 	*a++ = sg_page_iter_dma_address(&new);
)

// The names put right, and the declaration.
@depends on split exists@
iterator name for_each_sg_page, for_each_sg_dma_page;
expression list, count, count2, off;
identifier split.it, split.new;
statement S1, S2;
@@
struct sg_page_iter it;
+ struct sg_dma_page_iter new;
... when any
    when != struct sg_page_iter it;
- for_each_sg_dma_page(list, &it, count, off)
+ for_each_sg_page(list, &it, count, off)
  S1
- for_each_sg_page(list, &new, count2, off)
+ for_each_sg_dma_page(list, &new, count2, off)
  S2
