// SPDX-License-Identifier: GPL-2.0-only
/// unmap with the count that was mapped
///
/// dma_unmap_sg() takes the count that dma_map_sg() was given, not the one it
/// returned. Where entries were merged the returned count is smaller, and what
/// is left out stays mapped: the IOMMU's space leaks and bounce buffers are
/// not copied back.
///
/// dma_map_sgtable() overwrites nents with the mapped count. Write
/// dma_unmap_sgtable(), or hand over orig_nents.
///
//# Left alone: a table whose nents nothing overwrites, where it still is the
//# count that was mapped, a list of one entry, a field that is set to anything
//# else in the file, and code that gives a mapping up unless it is as long as
//# the list.
//
// Shape: N1
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg()
//   was given: write orig_nents, or dma_unmap_sgtable()
// Tokens: dma_unmap_sg dma_unmap_sg_attrs pci_unmap_sg ib_dma_unmap_sg

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

// count: unmapped with the variable that holds the mapped count.
@count depends on any_map exists@
idexpression n;
expression D, L, N, E, A, B;
position m != {checked.m, one.m};
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...)
... when != n = E
(
dma_unmap_sg@p(A, B, n, ...)
|
dma_unmap_sg_attrs@p(A, B, n, ...)
|
pci_unmap_sg@p(A, B, n, ...)
|
ib_dma_unmap_sg@p(A, B, n, ...)
)

// own: the same, where the count goes through a field of its own. The result
// overwrites what the list had.
@own depends on any_map exists@
expression D, L, X, N, E, A, B;
identifier cnt;
position m != {checked.m, one.m};
position p;
@@
(
X->cnt = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...)
|
X.cnt = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...)
)
... when != X->cnt = E
    when != X.cnt = E
(
dma_unmap_sg@p(A, B, \(X->cnt\|X.cnt\), ...)
|
dma_unmap_sg_attrs@p(A, B, \(X->cnt\|X.cnt\), ...)
|
pci_unmap_sg@p(A, B, \(X->cnt\|X.cnt\), ...)
|
ib_dma_unmap_sg@p(A, B, \(X->cnt\|X.cnt\), ...)
)

// holder: a field that holds the mapped count, for another function. It is
// set from the mapping, in a condition too, or by way of a variable.
@holder depends on any_map exists@
expression D, L, X, N, E;
idexpression n;
identifier cnt;
statement S;
position m != {checked.m, one.m};
position w;
@@
(
X->cnt@w = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...);
|
X.cnt@w = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...);
|
if (<+... X->cnt@w = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...) ...+>) S
|
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D@m, L, N, ...);
... when != n = E
X->cnt@w = n;
)

// zero: that field cleared.
@zero depends on holder@
expression X;
identifier holder.cnt;
position w;
@@
\(X->cnt@w = 0\|X.cnt@w = 0\)

// other: that field set to anything but 0, or mapped by its own value.
@other depends on holder@
expression D, L, X, E;
identifier holder.cnt;
position w != {holder.w, zero.w};
@@
(
X->cnt@w = E
|
X.cnt@w = E
|
X->cnt@w++
|
X.cnt@w++
|
\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, L, \(X->cnt@w\|X.cnt@w\), ...)
)

// mixed: what the field holds cannot be told by its name in this file.
@mixed@
expression X;
identifier holder.cnt;
position other.w;
@@
\(X->cnt@w\|X.cnt@w\)

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
dma_unmap_sg@p(D, T->sgl, T->nents, ...)
|
dma_unmap_sg_attrs@p(D, T->sgl, T->nents, ...)
|
pci_unmap_sg@p(D, T->sgl, T->nents, ...)
|
ib_dma_unmap_sg@p(D, T->sgl, T->nents, ...)
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
dma_unmap_sg@p(D, T.sgl, T.nents, ...)
|
dma_unmap_sg_attrs@p(D, T.sgl, T.nents, ...)
|
pci_unmap_sg@p(D, T.sgl, T.nents, ...)
|
ib_dma_unmap_sg@p(D, T.sgl, T.nents, ...)
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

// member: unmapped in another function.
@member depends on kept && !plain@
expression D, X;
identifier kept.tab;
position p;
@@
(
dma_unmap_sg@p(D, X->tab->sgl, X->tab->nents, ...)
|
dma_unmap_sg_attrs@p(D, X->tab->sgl, X->tab->nents, ...)
|
pci_unmap_sg@p(D, X->tab->sgl, X->tab->nents, ...)
|
ib_dma_unmap_sg@p(D, X->tab->sgl, X->tab->nents, ...)
|
dma_unmap_sg@p(D, X->tab.sgl, X->tab.nents, ...)
|
dma_unmap_sg_attrs@p(D, X->tab.sgl, X->tab.nents, ...)
|
pci_unmap_sg@p(D, X->tab.sgl, X->tab.nents, ...)
|
ib_dma_unmap_sg@p(D, X->tab.sgl, X->tab.nents, ...)
|
dma_unmap_sg@p(D, X.tab.sgl, X.tab.nents, ...)
|
dma_unmap_sg_attrs@p(D, X.tab.sgl, X.tab.nents, ...)
|
pci_unmap_sg@p(D, X.tab.sgl, X.tab.nents, ...)
|
ib_dma_unmap_sg@p(D, X.tab.sgl, X.tab.nents, ...)
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

// exporter: the other end, unmapped with what was overwritten.
@exporter depends on mapped@
identifier ops.unmapper, T;
expression D;
position p;
@@
unmapper(..., struct sg_table *T, ...)
{
<+...
(
dma_unmap_sg@p(D, T->sgl, T->nents, ...)
|
dma_unmap_sg_attrs@p(D, T->sgl, T->nents, ...)
|
pci_unmap_sg@p(D, T->sgl, T->nents, ...)
|
ib_dma_unmap_sg@p(D, T->sgl, T->nents, ...)
)
...+>
}

// far: unmapped with that field in another function.
@far depends on holder && !mixed@
expression D, L, X;
identifier holder.cnt;
position p != {count.p, own.p, table.p, inner.p, member.p, exporter.p};
@@
(
dma_unmap_sg@p(D, L, \(X->cnt\|X.cnt\), ...)
|
dma_unmap_sg_attrs@p(D, L, \(X->cnt\|X.cnt\), ...)
|
pci_unmap_sg@p(D, L, \(X->cnt\|X.cnt\), ...)
|
ib_dma_unmap_sg@p(D, L, \(X->cnt\|X.cnt\), ...)
)

// taken: the same, by way of a variable.
@taken depends on holder && !mixed exists@
expression D, L, X, E;
idexpression n;
identifier holder.cnt;
position p != {count.p, own.p, table.p, inner.p, member.p, exporter.p};
@@
n = \(X->cnt\|X.cnt\)
... when != n = E
(
dma_unmap_sg@p(D, L, n, ...)
|
dma_unmap_sg_attrs@p(D, L, n, ...)
|
pci_unmap_sg@p(D, L, n, ...)
|
ib_dma_unmap_sg@p(D, L, n, ...)
)

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

// context: mark the line.
@depends on context@
identifier f;
position far.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position taken.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << own.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << own.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << table.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << member.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << member.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << exporter.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << exporter.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << far.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << far.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// report: say it.
@script:python depends on report@
p << taken.p;
@@
coccilib.report.print_report(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")

// org: say it.
@script:python depends on org@
p << taken.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: dma_unmap_sg() takes the count that dma_map_sg() "
    "was given: write orig_nents, or dma_unmap_sgtable()")
