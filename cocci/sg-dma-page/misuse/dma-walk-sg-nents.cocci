// SPDX-License-Identifier: GPL-2.0-only
/// walk DMA pages with the mapped count
///
/// sg_nents() counts the CPU list up to its end mark. It does not know what
/// dma_map_sg() returned, so a DMA walk with it runs past the mapped entries
/// once any have been merged.
///
/// Keep what dma_map_sg() returned and hand that over.
///
//# Left alone: sg_nents() as the count of a page walk or as the argument of
//# dma_map_sg().
//
// Shape: M4
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes
//   what dma_map_sg() returned
// Tokens: sg_dma_page_iter for_each_sg_dma_page __sg_page_iter_dma_next

virtual patch
virtual context
virtual org
virtual report

// loop: a DMA page loop counted by the CPU list.
@loop@
iterator name for_each_sg_dma_page;
expression L, I, O;
statement S;
position p;
@@
for_each_sg_dma_page@p(L, I, \(sg_nents(...)\|sg_nents_for_len(...)\), O) S

// start: the same, started by hand.
@start@
expression E, L, O;
position p;
@@
(
__sg_page_iter_start@p(&E.base, L, \(sg_nents(...)\|sg_nents_for_len(...)\), O)
|
__sg_page_iter_start@p(&E->base, L, \(sg_nents(...)\|sg_nents_for_len(...)\), O)
)

// held: the count taken to a variable first.
@held exists@
iterator name for_each_sg_dma_page;
idexpression n;
expression L, I, O, E;
statement S;
position p;
@@
n = \(sg_nents(...)\|sg_nents_for_len(...)\)
... when != n = E
for_each_sg_dma_page@p(L, I, n, O) S

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
iterator I;
statement S;
position held.p;
@@
* I@p(...)
S

// report: say it.
@script:python depends on report@
p << loop.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes "
    "what dma_map_sg() returned")

// org: say it.
@script:python depends on org@
p << loop.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes "
    "what dma_map_sg() returned")

// report: say it.
@script:python depends on report@
p << start.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes "
    "what dma_map_sg() returned")

// org: say it.
@script:python depends on org@
p << start.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes "
    "what dma_map_sg() returned")

// report: say it.
@script:python depends on report@
p << held.p;
@@
coccilib.report.print_report(p[0],
    "dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes "
    "what dma_map_sg() returned")

// org: say it.
@script:python depends on org@
p << held.p;
@@
coccilib.org.print_todo(p[0],
    "dma-walk-sg-nents: sg_nents() counts the CPU list; a DMA walk takes "
    "what dma_map_sg() returned")
