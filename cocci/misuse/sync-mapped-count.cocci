// SPDX-License-Identifier: GPL-2.0-only
/// sync with the count that was mapped
///
/// dma_sync_sg_for_cpu() and dma_sync_sg_for_device() take the count that
/// dma_map_sg() was given, not the one it returned. With the smaller one the
/// tail of the list is not synced, and the CPU or the device reads stale data.
///
/// Write dma_sync_sgtable_for_cpu() or dma_sync_sgtable_for_device(), or hand
/// over orig_nents.
///
//# Left alone: a table whose nents nothing overwrites, where it still is the
//# count that was mapped, and a list of one entry.
//
// Shape: N2
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: sync-mapped-count: a sync takes the count that dma_map_sg() was
//   given: write orig_nents, or the sgtable form
// Tokens: dma_sync_sg_for_cpu dma_sync_sg_for_device

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

// checked: a mapping that is given up where it merged anything.
@checked depends on any_map@
expression D, L, N, C;
position m;
@@
C = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...)
... when any
(
C != N
|
C < N
|
C == N
|
N != C
|
N > C
|
N == C
)

// one: a mapping of one entry, which has nothing to merge.
@one depends on any_map@
expression D, L;
position m;
@@
\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, 1, ...)

// count: synced with the variable that holds the mapped count.
@count depends on any_map exists@
idexpression n;
expression D, L, N, E, A, B;
position m != {checked.m, one.m};
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...)
... when != n = E
(
dma_sync_sg_for_cpu@p(A, B, n, ...)
|
dma_sync_sg_for_device@p(A, B, n, ...)
)

// own: the same, where the count goes through a field of its own. The result
// overwrites what the list had.
@own depends on any_map exists@
expression D, L, X, N, E, A, B;
identifier cnt;
position m != {checked.m, one.m};
position p;
@@
X->cnt =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m,
		L, N, ...)
... when != X->cnt = E
(
dma_sync_sg_for_cpu@p(A, B, X->cnt, ...)
|
dma_sync_sg_for_device@p(A, B, X->cnt, ...)
)

// table: a table whose nents the mapping overwrites.
@table depends on any_table exists@
expression D, T, E;
position m != checked.m;
position p;
@@
(
dma_map_sgtable(D, T, ...)
|
T->nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m,
		T->sgl, ...)
)
... when != T = E
    when != T->nents = T->orig_nents
(
dma_sync_sg_for_cpu@p(D, T->sgl, T->nents, ...)
|
dma_sync_sg_for_device@p(D, T->sgl, T->nents, ...)
)

// inner: the same, where the table is not behind a pointer.
@inner depends on any_table exists@
expression D, T;
position m != checked.m;
position p;
@@
(
dma_map_sgtable(D, &T, ...)
|
T.nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m,
		T.sgl, ...)
)
... when != T.nents = T.orig_nents
(
dma_sync_sg_for_cpu@p(D, T.sgl, T.nents, ...)
|
dma_sync_sg_for_device@p(D, T.sgl, T.nents, ...)
)

// kept: a table in a structure whose nents the mapping overwrites.
@kept depends on any_table@
expression D, X;
identifier tab;
position m != checked.m;
@@
(
dma_map_sgtable(D, X->tab, ...)
|
dma_map_sgtable(D, &X->tab, ...)
|
dma_map_sgtable(D, &X.tab, ...)
|
X->tab->nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, ...)
|
X->tab.nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, ...)
|
X.tab.nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, ...)
)

// plain: the same member mapped with its nents left alone, so the name says
// nothing in this file.
@plain@
expression D, X;
identifier kept.tab;
@@
\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D,
		\(X->tab->sgl\|X->tab.sgl\|X.tab.sgl\),
		\(X->tab->nents\|X->tab.nents\|X.tab.nents\), ...)

// member: synced in another function.
@member depends on kept && !plain@
expression D, X;
identifier kept.tab;
position p;
@@
(
dma_sync_sg_for_cpu@p(D, X->tab->sgl, X->tab->nents, ...)
|
dma_sync_sg_for_device@p(D, X->tab->sgl, X->tab->nents, ...)
|
dma_sync_sg_for_cpu@p(D, X->tab.sgl, X->tab.nents, ...)
|
dma_sync_sg_for_device@p(D, X->tab.sgl, X->tab.nents, ...)
|
dma_sync_sg_for_cpu@p(D, X.tab.sgl, X.tab.nents, ...)
|
dma_sync_sg_for_device@p(D, X.tab.sgl, X.tab.nents, ...)
)

// ops: the two ends of a dma-buf exporter.
@ops@
identifier o, mapper, unmapper;
@@
struct dma_buf_ops o = {
	.map_dma_buf = mapper,
	.unmap_dma_buf = unmapper,
};

// mapped: the mapping end overwrites nents.
@mapped@
identifier ops.mapper;
expression D, T;
@@
mapper(...)
{
<+...
(
dma_map_sgtable(D, T, ...)
|
T->nents = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, ...)
)
...+>
}

// exporter: the other end, synced with what was overwritten.
@exporter depends on mapped@
identifier ops.unmapper, T;
expression D;
position p;
@@
unmapper(..., struct sg_table *T, ...)
{
<+...
(
dma_sync_sg_for_cpu@p(D, T->sgl, T->nents, ...)
|
dma_sync_sg_for_device@p(D, T->sgl, T->nents, ...)
)
...+>
}

// context: mark the line.
@depends on context@
identifier f;
position count.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position own.p;
@@
* f@p(...)

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
position member.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position exporter.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// report: say it.
@script:python depends on report@
p << own.p;
@@
coccilib.report.print_report(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// org: say it.
@script:python depends on org@
p << own.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// report: say it.
@script:python depends on report@
p << table.p;
@@
coccilib.report.print_report(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// report: say it.
@script:python depends on report@
p << member.p;
@@
coccilib.report.print_report(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// org: say it.
@script:python depends on org@
p << member.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// report: say it.
@script:python depends on report@
p << exporter.p;
@@
coccilib.report.print_report(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")

// org: say it.
@script:python depends on org@
p << exporter.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was given:"
    " write orig_nents, or the sgtable form")
