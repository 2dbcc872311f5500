// SPDX-License-Identifier: GPL-2.0-only
/// keep what dma_map_sg() returned
///
/// dma_map_sg() returns how many segments the DMA list has, and 0 when it
/// failed. Code that drops the result does not notice a failure, which a list
/// of one entry has as well. A longer list it walks with the count of the CPU
/// side. A dma-buf exporter that drops the result lets its importers do so.
///
/// Keep the result, leave on 0, and walk with it.
///
//# Left alone: a result that is stored, returned, handed on or compared with
//# the count that was given; a result that is tested where no DMA walk with
//# the old count follows, or one that may leave earlier, as by the length that
//# is left; a tested mapping of one entry, which cannot be merged; and a list
//# that is unmapped again before anything names it, in a file that reads no DMA
//# side, which cleans the caches. map-table-result-dropped.cocci has tables.
//
// Shape: N3
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: map-result-dropped: the result is dropped: a failure, or how many
//   segments there are, goes unnoticed
// Tokens: dma_map_sg dma_map_sg_attrs pci_map_sg ib_dma_map_sg

virtual patch
virtual context
virtual org
virtual report

// reader: a file that reads a DMA side, or hands it to a DMA engine.
@reader@
expression E;
@@
\(sg_dma_address(...)\|sg_dma_len(...)\|dmaengine_prep_slave_sg(...)\|
  E->device_prep_slave_sg(...)\|set_dma_sg(...)\|E->dma_address\|E->dma_length\)

// flush: elsewhere, a list that is unmapped before anything names it again.
@flush depends on !reader@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
expression D, L, N;
position p;
@@
map@p(D, L, N, ...);
... when != L
unmap(D, L, N, ...);

// alone: a mapping that is a statement of its own.
@alone@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
position p != flush.p;
@@
map@p(...);

// kept: a result that is stored, handed on or compared with a count, and a
// mapping of one entry.
@kept@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier fn != {likely, unlikely, WARN_ON, WARN_ON_ONCE};
binary operator op = {==, !=, <, >, <=, >=};
expression C, D, L, N;
position p;
@@
(
C = map@p(D, L, N, ...)
|
map@p(D, L, N, ...) op N
|
N op map@p(D, L, N, ...)
|
map@p(D, L, 1, ...)
|
fn(..., map@p(D, L, N, ...), ...)
)

// bounded: a walk that may leave before its count is reached, by the length
// that is left.
@bounded exists@
iterator name for_each_sg;
expression C, L, N, i, sg;
position w;
@@
for_each_sg@w(L, sg, N, i) {
... when any
if (C) { ... break; }
... when any
}

// tested: a mapping that is tested for failure and walked with the old count.
@tested exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
iterator name for_each_sg, for_each_sg_dma_page;
assignment operator aop;
expression A, B, D, L, N, O, i;
idexpression sg;
statement S;
position w != bounded.w;
position p != {alone.p, flush.p, kept.p};
@@
map@p(D, L, N, ...)
... when != N aop A
    when != L = B
(
for_each_sg_dma_page(L, O, N, i) S
|
for_each_sg@w(L, sg, N, i) {
... when any
\(sg_dma_address(sg)\|sg_dma_len(sg)\|sg->dma_address\|sg->dma_length\|
  ib_sg_dma_address(..., sg)\|ib_sg_dma_len(..., sg)\)
... when any
}
)

// ops: how a dma-buf exporter maps.
@ops@
identifier mapper, o;
@@
struct dma_buf_ops o = {
	.map_dma_buf = mapper,
};

// single: an exporter whose tables have one entry.
@single depends on ops@
expression T;
@@
\(sg_alloc_table(T, 1, ...)\|dma_get_sgtable(...)\|
  dma_get_sgtable_attrs(...)\)

// exporter: there, a table that goes out with the count it came with.
@exporter depends on !single exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier ops.mapper;
assignment operator aop;
expression D, E, T;
position p != {alone.p, flush.p, kept.p};
@@
mapper(...)
{
... when any
map@p(D, T->sgl, ...)
... when != T->nents aop E
return T;
}


// found: all of these.
@found@
identifier f;
position p = {alone.p, tested.p, exporter.p};
@@
f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position found.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "map-result-dropped: the result is dropped: a failure, or how many "
    "segments there are, goes unnoticed")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "map-result-dropped: the result is dropped: a failure, or how many "
    "segments there are, goes unnoticed")
