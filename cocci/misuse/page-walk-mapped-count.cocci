// SPDX-License-Identifier: GPL-2.0-only
/// walk pages with the count of the CPU list
///
/// After dma_map_sg() or dma_map_sgtable() nents counts the DMA list. A page
/// walk steps through the CPU list, which is longer where entries were merged,
/// so with nents the tail is never seen.
///
/// Write for_each_sgtable_page(), or hand over orig_nents.
///
//# Left alone: a table that is not mapped, or not before the walk, and a
//# mapping that is given up unless it is as long as the list.
//
// Shape: M2
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: page-walk-mapped-count: nents counts the DMA list here; a page walk
//   takes orig_nents: write for_each_sgtable_page()
// Tokens: for_each_sg_page __sg_page_iter_start

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

// table: a page walk over a table that is mapped.
@table depends on any_table exists@
iterator name for_each_sg_page;
expression D, T, I, O, E;
statement S;
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
    when != T->nents != T->orig_nents
for_each_sg_page@p(T->sgl, I, T->nents, O) S

// inner: the same, where the table is not behind a pointer.
@inner depends on any_table exists@
iterator name for_each_sg_page;
expression D, T, I, O;
statement S;
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
    when != T.nents != T.orig_nents
for_each_sg_page@p(T.sgl, I, T.nents, O) S

// count: the same with the mapped count in a variable.
@count depends on any_map exists@
iterator name for_each_sg_page;
idexpression n;
expression D, L, N, I, O, E;
statement S;
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, L, N, ...)
... when != n = E
    when != \(n != N\|n < N\|n == N\|N != n\)
for_each_sg_page@p(L, I, n, O) S

// context: mark the line.
@depends on context@
iterator I;
statement S;
position table.p;
@@
* I@p(...)
S

// context: mark the line.
@depends on context@
iterator I;
statement S;
position inner.p;
@@
* I@p(...)
S

// context: mark the line.
@depends on context@
iterator I;
statement S;
position count.p;
@@
* I@p(...)
S

// report: say it.
@script:python depends on report@
p << table.p;
@@
coccilib.report.print_report(p[0],
    "page-walk-mapped-count: nents counts the DMA list here; a page walk "
    "takes orig_nents: write for_each_sgtable_page()")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "page-walk-mapped-count: nents counts the DMA list here; a page walk "
    "takes orig_nents: write for_each_sgtable_page()")

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "page-walk-mapped-count: nents counts the DMA list here; a page walk "
    "takes orig_nents: write for_each_sgtable_page()")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "page-walk-mapped-count: nents counts the DMA list here; a page walk "
    "takes orig_nents: write for_each_sgtable_page()")

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "page-walk-mapped-count: nents counts the DMA list here; a page walk "
    "takes orig_nents: write for_each_sgtable_page()")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "page-walk-mapped-count: nents counts the DMA list here; a page walk "
    "takes orig_nents: write for_each_sgtable_page()")
