// SPDX-License-Identifier: GPL-2.0-only
/// walk entries on the CPU side with orig_nents
///
/// After dma_map_sg() or dma_map_sgtable() nents counts the DMA list. A loop
/// that reads sg_page(), sg_virt() or length steps through the CPU list, which
/// is longer where entries were merged: with nents its tail is never seen.
///
/// Write for_each_sgtable_sg(), or hand over orig_nents.
///
//# Left alone: a loop that reads the DMA side as well, a table that is not
//# mapped before the loop, and one that is filled by it.
//
// Shape: N4
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: cpu-walk-mapped-count: nents counts the DMA list here; the CPU side
//   takes orig_nents: write for_each_sgtable_sg()
// Tokens: for_each_sg

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

// dma: a loop that reads the DMA side.
@dma depends on any_map || any_table@
iterator name for_each_sg;
expression L, N, i;
idexpression sg;
position w;
@@
for_each_sg@w(L, sg, N, i)
{
	<+...
	\(sg_dma_address(sg)\|sg_dma_len(sg)\)
	...+>
}

// cpu: a loop that reads the CPU side, and no more.
@cpu depends on any_map || any_table@
iterator name for_each_sg;
expression L, N, i;
idexpression sg;
position w != dma.w;
@@
for_each_sg@w(L, sg, N, i)
{
	<+...
	\(sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\)
	...+>
}

// table: such a loop over a table that is mapped.
@table depends on any_table exists@
iterator name for_each_sg;
expression D, T, i, sg, E;
statement S;
position cpu.w;
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
for_each_sg@w@p(T->sgl, sg, T->nents, i) S

// inner: the same, where the table is not behind a pointer.
@inner depends on any_table exists@
iterator name for_each_sg;
expression D, T, i, sg;
statement S;
position cpu.w;
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
for_each_sg@w@p(T.sgl, sg, T.nents, i) S

// count: the same with the mapped count in a variable.
@count depends on any_map exists@
iterator name for_each_sg;
idexpression n;
expression D, L, N, i, sg, E;
statement S;
position cpu.w;
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, L, N, ...)
... when != n = E
    when != \(n != N\|n < N\|n == N\|N != n\)
for_each_sg@w@p(L, sg, n, i) S

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
    "cpu-walk-mapped-count: nents counts the DMA list here; the CPU side "
    "takes orig_nents: write for_each_sgtable_sg()")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-walk-mapped-count: nents counts the DMA list here; the CPU side "
    "takes orig_nents: write for_each_sgtable_sg()")

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "cpu-walk-mapped-count: nents counts the DMA list here; the CPU side "
    "takes orig_nents: write for_each_sgtable_sg()")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-walk-mapped-count: nents counts the DMA list here; the CPU side "
    "takes orig_nents: write for_each_sgtable_sg()")

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "cpu-walk-mapped-count: nents counts the DMA list here; the CPU side "
    "takes orig_nents: write for_each_sgtable_sg()")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-walk-mapped-count: nents counts the DMA list here; the CPU side "
    "takes orig_nents: write for_each_sgtable_sg()")
