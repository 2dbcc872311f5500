// SPDX-License-Identifier: GPL-2.0-only
/// give the DMA walk an iterator of its own
///
/// One variable steps through the pages of a list and later through its DMA
/// addresses. for_each_sg_page() steps by the length of each entry in
/// memory, which is right for the first loop and wrong for the second: once
/// dma_map_sg() has merged entries, the DMA segments are fewer and longer,
/// and the walk can read wrong addresses or end early. Declare a struct
/// sg_dma_page_iter for the loops that read addresses, and leave the page
/// loops as they are.
///
//# The new name is dma_ and the old one. A function that has variables with
//# dma_ in front is left alone, unless they have one of a few names that no
//# iterator gets.
//# Left as they are: a variable with a use outside of such loops, one whose
//# loop reads both (mixed-walk.cocci), and all of a file that counts pages in
//# a loop of its own (counting-walk.cocci).
//
// Shape: S19
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: converted
// Tokens: sg_page_iter_dma_address .sg_pgoffset

virtual patch
virtual context
virtual org
virtual report

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
  sg_dma_address(it@one.sg) + ((T)it@two.sg_pgoffset * PAGE_SIZE)
|
  sg_dma_address(it@one.sg) + PFN_PHYS(it@two.sg_pgoffset)
|
  it@one.sg->dma_address + ((T)it@two.sg_pgoffset << PAGE_SHIFT)
|
  it@one.sg->dma_address + ((T)it@two.sg_pgoffset * PAGE_SIZE)
|
  it@one.sg->dma_address + PFN_PHYS(it@two.sg_pgoffset)
)

// dma: a loop that reads an address.
@dma exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
position head, loop;
position address.one;
@@
for_each_sg_page@loop(sgl, &it@head, nents, off) {
... when any
it@one
... when any
}

// paged: a loop that has any other use of the iterator.
@paged exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
position head, loop;
position use != {address.one, address.two};
@@
for_each_sg_page@loop(sgl, &it@head, nents, off) {
... when any
it@use
... when any
}

// counting: a loop that has none.
@counting@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
statement S;
position loop != {dma.loop, paged.loop};
@@
for_each_sg_page@loop(sgl, &it, nents, off) S

// mixed: a variable with a loop that has both.
@mixed exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
position dma.loop, t;
position use != {address.one, address.two};
@@
struct sg_page_iter@t it;
... when any
for_each_sg_page@loop(sgl, &it, nents, off) {
... when any
it@use
... when any
}

// stray: a variable with a use outside of loops.
@stray exists@
identifier it;
position t;
position use != {dma.head, paged.head, address.one, address.two, paged.use};
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

// outside: an address that is read outside of such a loop.
@inside exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
position dma.loop;
position address.one;
position at;
@@
for_each_sg_page@loop(sgl, &it, nents, off) {
... when any
it@one@at
... when any
}

@outside exists@
identifier it;
position t;
position address.one;
position at != inside.at;
@@
struct sg_page_iter@t it;
... when any
    when != struct sg_page_iter it;
it@one@at

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

// paging: a variable with a page loop.
@paging exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
statement S;
position paged.loop;
position t;
@@
struct sg_page_iter@t it;
... when any
    when != struct sg_page_iter it;
for_each_sg_page@loop(sgl, &it, nents, off) S

// clean: a variable that nothing speaks against. A rule of its own: what is
// inherited beside it would narrow down the sets it has to be outside of.
@clean@
identifier it;
position ok != {mixed.t, stray.t, shared.here, outside.t, taken.t};
@@
struct sg_page_iter@ok it;

// walk: one of those that has a page loop and a DMA loop.
@walk depends on !counting exists@
iterator name for_each_sg_page;
expression sgl, nents, off;
identifier it;
statement S;
position dma.loop, clean.ok, paging.t;
position there;
@@
struct sg_page_iter@t@ok@there it;
... when any
for_each_sg_page@loop(sgl, &it, nents, off) S

@depends on context@
position walk.there;
@@
* struct sg_page_iter@there

@script:python depends on report@
t << walk.there;
@@
coccilib.report.print_report(
    t[0], "second-walk: step the DMA loop with an iterator of its own")

@script:python depends on org@
t << walk.there;
@@
coccilib.org.print_todo(
    t[0], "second-walk: step the DMA loop with an iterator of its own")

// The rewrite. The loops first, since a position does not survive a change;
// the new name then says which declaration is to be followed by another.
@renamed depends on patch exists@
iterator name for_each_sg_page, for_each_sg_dma_page;
expression sgl, nents, off;
identifier it;
fresh identifier new = "dma_" ## it;
type T;
position dma.loop, walk.there;
@@
struct sg_page_iter@there it;
... when any
- for_each_sg_page@loop
+ for_each_sg_dma_page
  (sgl,
- &it
+ &new
  , nents, off)
{
<...
(
  sg_page_iter_dma_address(
- &it
+ &new
  )
|
- sg_dma_address(it.sg) + ((T)it.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&new)
|
- sg_dma_address(it.sg) + ((T)it.sg_pgoffset * PAGE_SIZE)
+ sg_page_iter_dma_address(&new)
|
- sg_dma_address(it.sg) + PFN_PHYS(it.sg_pgoffset)
+ sg_page_iter_dma_address(&new)
|
- it.sg->dma_address + ((T)it.sg_pgoffset << PAGE_SHIFT)
+ sg_page_iter_dma_address(&new)
|
- it.sg->dma_address + ((T)it.sg_pgoffset * PAGE_SIZE)
+ sg_page_iter_dma_address(&new)
|
- it.sg->dma_address + PFN_PHYS(it.sg_pgoffset)
+ sg_page_iter_dma_address(&new)
)
...>
}

@depends on renamed exists@
iterator name for_each_sg_dma_page;
expression sgl, nents, off;
identifier renamed.it, renamed.new;
statement S;
@@
struct sg_page_iter it;
+ struct sg_dma_page_iter new;
... when any
    when != struct sg_page_iter it;
for_each_sg_dma_page(sgl, &new, nents, off) S
