// SPDX-License-Identifier: GPL-2.0-only
/// walk DMA pages with the mapped count
///
/// dma_map_sg() returns how many entries the DMA list has, and struct sg_table
/// keeps that as nents. orig_nents counts the CPU list. Once entries have been
/// merged a DMA walk with orig_nents runs on into entries that were not
/// mapped: where such an entry has an offset it gives a bogus address.
///
/// Hand over nents; where the tree has for_each_sgtable_dma_page(), that takes
/// it from the table.
///
//# Left alone: a page walk with orig_nents, which is right, and a DMA walk
//# over a count the driver keeps itself.
//
// Shape: M3
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk
//   takes nents, which is what dma_map_sg() returned
// Tokens: sg_dma_page_iter for_each_sg_dma_page __sg_page_iter_dma_next

virtual patch
virtual context
virtual org
virtual report

// loop: a DMA page loop counted by the CPU list.
@loop@
iterator name for_each_sg_dma_page;
expression L, I, T, O;
statement S;
position p;
@@
(
for_each_sg_dma_page@p(L, I, T->orig_nents, O) S
|
for_each_sg_dma_page@p(L, I, T.orig_nents, O) S
)

// start: the same, started by hand.
@start@
expression E, L, T, O;
position p;
@@
(
__sg_page_iter_start@p(&E.base, L, T->orig_nents, O)
|
__sg_page_iter_start@p(&E->base, L, T->orig_nents, O)
|
__sg_page_iter_start@p(&E.base, L, T.orig_nents, O)
|
__sg_page_iter_start@p(&E->base, L, T.orig_nents, O)
)

// helper: a function that starts the iterator it is handed with orig_nents.
@helper@
identifier fn, ptr;
parameter list[n] before;
expression L, T, O;
@@
fn(before, struct sg_page_iter *ptr, ...)
{
<+...
(
__sg_page_iter_start(ptr, L, T->orig_nents, O)
|
__sg_page_iter_start(ptr, L, T.orig_nents, O)
)
...+>
}

// handed: that function, handed the inside of a DMA iterator.
@handed@
identifier helper.fn;
expression list[helper.n] before;
expression E;
position p;
@@
(
fn@p(before, &E.base, ...)
|
fn@p(before, &E->base, ...)
)

// patch: count with nents. A helper that serves both lists is left to a
// person.
@depends on patch@
iterator name for_each_sg_dma_page;
expression L, I, T, O;
statement S;
@@
(
for_each_sg_dma_page(L, I,
- T->orig_nents
+ T->nents
 , O) S
|
for_each_sg_dma_page(L, I,
- T.orig_nents
+ T.nents
 , O) S
)

// patch: the same, started by hand.
@depends on patch@
expression E, L, T, O;
@@
(
__sg_page_iter_start(\(&E.base\|&E->base\), L,
- T->orig_nents
+ T->nents
 , O)
|
__sg_page_iter_start(\(&E.base\|&E->base\), L,
- T.orig_nents
+ T.nents
 , O)
)

// context: mark the line.
@depends on context@
iterator I;
statement S;
position loop.p;
@@
* I@p(...)
S

// context: mark the line.
@depends on context@
identifier f;
position start.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position handed.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << loop.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")

// org: say it.
@script:python depends on org@
p << loop.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")

// report: say it.
@script:python depends on report@
p << start.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")

// org: say it.
@script:python depends on org@
p << start.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")

// report: say it.
@script:python depends on report@
p << handed.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")

// org: say it.
@script:python depends on org@
p << handed.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")
