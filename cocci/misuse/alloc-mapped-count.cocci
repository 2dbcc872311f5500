// SPDX-License-Identifier: GPL-2.0-only
/// size a copy of a table by orig_nents
///
/// After dma_map_sg() or dma_map_sgtable() nents counts the DMA list. A copy
/// of the table holds the CPU list: sized by nents it is too short where
/// entries were merged, and filling it runs past its end or leaves pages out.
///
/// Size it by orig_nents, and fill it with for_each_sgtable_sg().
///
//# Left alone: a table that is not mapped before the copy is made, or copied
//# by its DMA side.
//
// Shape: N7
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: alloc-mapped-count: nents counts the DMA list here; a copy of the
//   table is sized by orig_nents
// Tokens: sg_alloc_table

virtual patch
virtual context
virtual org
virtual report

// any_map: a file that maps lists. What follows is costly, and few files do.
@any_map@
@@
\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(...)

// any_table: a file that has a table mapped.
@any_table@
expression T;
@@
(
dma_map_sgtable(...)
|
T->nents = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(...)
|
T.nents = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(...)
|
\(dma_buf_map_attachment\|dma_buf_map_attachment_unlocked\|
	vb2_dma_sg_plane_desc\|drm_gem_shmem_get_pages_sgt\)(...)
)

// table: a copy of a table that is mapped.
@table depends on any_table exists@
expression D, T, A, E;
position p;
@@
(
dma_map_sgtable(D, T, ...)
|
T->nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D,
		T->sgl, ...)
|
T = \(dma_buf_map_attachment\|dma_buf_map_attachment_unlocked\|
      vb2_dma_sg_plane_desc\|drm_gem_shmem_get_pages_sgt\)(...)
)
... when != dma_unmap_sgtable(D, T, ...)
    when != T = E
sg_alloc_table@p(A, T->nents, ...)

// inner: the same, where the table is not behind a pointer.
@inner depends on any_table exists@
expression D, T, A;
position p;
@@
(
dma_map_sgtable(D, &T, ...)
|
T.nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D,
		T.sgl, ...)
)
... when != dma_unmap_sgtable(D, &T, ...)
sg_alloc_table@p(A, T.nents, ...)

// count: the same with the mapped count in a variable.
@count depends on any_map exists@
idexpression n;
expression D, L, N, A, E;
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, L, N, ...)
... when != n = E
    when != \(n != N\|n < N\|n == N\|N != n\)
sg_alloc_table@p(A, n, ...)

// context: mark the line.
@depends on context@
identifier f;
position table.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position inner.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position count.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << table.p;
@@
coccilib.report.print_report(p[0],
    "alloc-mapped-count: nents counts the DMA list here; a copy of the "
    "table is sized by orig_nents")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "alloc-mapped-count: nents counts the DMA list here; a copy of the "
    "table is sized by orig_nents")

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "alloc-mapped-count: nents counts the DMA list here; a copy of the "
    "table is sized by orig_nents")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "alloc-mapped-count: nents counts the DMA list here; a copy of the "
    "table is sized by orig_nents")

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "alloc-mapped-count: nents counts the DMA list here; a copy of the "
    "table is sized by orig_nents")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "alloc-mapped-count: nents counts the DMA list here; a copy of the "
    "table is sized by orig_nents")
