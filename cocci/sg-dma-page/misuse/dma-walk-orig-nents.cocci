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
//# Left alone: a page walk with orig_nents, which is right; a DMA walk over a
//# count the driver keeps itself; and an iterator that is started by hand,
//# which dma-start-orig-nents.cocci has: its steps often end by themselves.
//
// Shape: M3
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk
//   takes nents, which is what dma_map_sg() returned
// Tokens: for_each_sg_dma_page

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

// patch: count with nents.
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

// context: mark the line.
@depends on context@
iterator I;
statement S;
position loop.p;
@@
* I@p(...)
S

// report: print the finding.
@script:python depends on report@
p << loop.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")

// org: print the same.
@script:python depends on org@
p << loop.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-orig-nents: orig_nents counts the CPU list; a DMA walk takes "
    "nents, which is what dma_map_sg() returned")
