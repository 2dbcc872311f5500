// SPDX-License-Identifier: GPL-2.0-only
/// unmap with the count that was mapped
///
/// dma_unmap_sg() takes the count that dma_map_sg() was given, not the one it
/// returned. Where entries were merged the returned count is smaller, and what
/// is left out stays mapped: the IOMMU's space leaks and bounce buffers are
/// not copied back.
///
/// Keep the count that the mapping was given, and hand that over. A struct
/// sg_table keeps it as orig_nents, and where the tree has
/// dma_unmap_sgtable(), that takes it from there.
///
//# Left alone: a table whose nents nothing overwrites, where it still is the
//# count that was mapped, or whose nents is put back before; a list of one
//# entry; a list that was mapped with the very count; a field that the file
//# sets to anything else than 0, 1 or a mapping's result, or hands to another
//# mapping; and code that compares the two counts, which gives a mapping up
//# unless it is as long as the list.
//
// Shape: N1
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: unmap-mapped-count: an unmap takes the count that dma_map_sg() was
//   given, not the one it returned (in a struct sg_table: orig_nents)
// Tokens: dma_unmap_sg dma_unmap_sg_attrs pci_unmap_sg ib_dma_unmap_sg

virtual patch
virtual context
virtual org
virtual report

// any: a file that maps lists, or is handed tables that are mapped. What
// follows is costly, and few files do.
@any@
@@
\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\|dma_map_sgtable\|
  dma_buf_map_attachment\|dma_buf_map_attachment_unlocked\|
  vb2_dma_sg_plane_desc\|drm_gem_shmem_get_pages_sgt\)(...)

// whole: a mapping that is given up where it merged anything.
@whole depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
binary operator op = {==, !=, <, >, <=, >=};
expression C, D, L, N;
position m;
@@
C = map(D@m, L, N, ...)
... when any
\(C op N\|N op C\)

// one: a mapping of one entry, which has nothing to merge.
@one depends on any@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, L;
position m;
@@
map(D@m, L, 1, ...)

// holder: a field that is set from a mapping.
@holder depends on any@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier cnt;
expression D, I, L, N, X;
position m != {whole.m, one.m};
position w;
@@
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = map(D@m, L, N, ...)

// stored: the same by way of a variable.
@stored depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier cnt;
idexpression n;
expression D, E, I, L, N, X;
position m != {whole.m, one.m};
position w;
@@
n = map(D@m, L, N, ...)
... when != n aop E
    when != \(n++\|n--\|&n\)
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = n

// again: the list is mapped with the field that the result goes to.
@again depends on any@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression C, D, L;
position m;
@@
C = map(D@m, L, C, ...)

// later: the same by way of a variable.
@later depends on stored exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
idexpression n;
expression C, D, E, L;
position m;
@@
n = map(D@m, L, C, ...)
... when != n aop E
C = n

// held: every field that holds a mapped count, for the other functions.
@held@
identifier cnt;
expression X;
position w = {holder.w, stored.w};
@@
\(X->cnt@w\|X.cnt@w\)

// small: that field set to 0 or 1, which is no count of a longer list.
@small depends on held@
identifier held.cnt;
expression I, X;
position w;
@@
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = \(0\|1\)

// back: a table whose nents is put back.
@back depends on held@
expression T, X;
position w;
@@
\(X->nents@w\|X.nents@w\) = \(T->orig_nents\|T.orig_nents\)

// other: that field set in another way.
@other depends on held@
identifier held.cnt;
assignment operator aop;
expression E, I, X;
position w != {holder.w, stored.w, small.w, back.w};
@@
(
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) aop E
|
\(X->cnt@w\|X.cnt@w\)++
|
\(X->cnt@w\|X.cnt@w\)--
|
\(&X->cnt@w\|&X.cnt@w\)
)

// given: that field handed to a mapping whose result goes elsewhere.
@given depends on held@
identifier held.cnt;
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, I, L, X;
position m != {again.m, later.m};
position w;
@@
map(D@m, L, \(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\), ...)

// muddy: what such a field holds cannot be told by its name in this file.
@muddy@
identifier cnt;
expression X;
position w = {other.w, given.w};
@@
\(X->cnt@w\|X.cnt@w\)

// unclear: every place that names it.
@unclear depends on muddy@
identifier muddy.cnt;
expression X;
position r;
@@
\(X->cnt@r\|X.cnt@r\)

// doubled: a field that the mapping is given, too: before it, it holds the
// count of the CPU list.
@doubled depends on held@
identifier held.cnt;
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, I, L, X;
position w;
@@
map(D, L, \(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\), ...)

// double_cnt: its name.
@double_cnt@
identifier cnt;
expression X;
position w = {doubled.w};
@@
\(X->cnt@w\|X.cnt@w\)

// twofold: every place that names it.
@twofold depends on double_cnt@
identifier double_cnt.cnt;
expression X;
position r;
@@
\(X->cnt@r\|X.cnt@r\)

// both: a list that was itself mapped with that count.
@both depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
expression A, B, C, D;
position m != {again.m, later.m};
position p;
@@
map(D@m, B, C, ...)
... when any
unmap@p(A, B, C, ...)

// count: unmapped with what holds the mapped count.
@count depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
assignment operator aop;
expression A, B, C, D, E, L, N;
position m != {whole.m, one.m};
position p != both.p;
@@
C = map(D@m, L, N, ...)
... when != C aop E
    when != \(C++\|C--\|&C\)
unmap@p(A, B, C, ...)

// via: the same by way of a variable.
@via depends on stored || later exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
assignment operator aop;
expression A, B, C, D, E, L, N;
idexpression n;
position m != {whole.m, one.m};
position p != both.p;
@@
n = map(D@m, L, N, ...)
... when != n aop E
    when != \(n++\|n--\|&n\)
C = n
... when != C aop E
    when != \(C++\|C--\|&C\)
unmap@p(A, B, C, ...)

// table: a table whose nents the mapping overwrites.
@table depends on any exists@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
assignment operator aop;
expression A, D, E, T;
position p;
@@
dma_map_sgtable(D, T, ...)
... when != T = E
    when != T->nents aop E
unmap@p(A, T->sgl, T->nents, ...)

// inner: the same, where the table is not behind a pointer.
@inner depends on any exists@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
assignment operator aop;
expression A, D, E, T;
position p;
@@
dma_map_sgtable(D, &T, ...)
... when != T.nents aop E
unmap@p(A, T.sgl, T.nents, ...)

// restored: unmapped behind a place that puts nents back.
@restored depends on any exists@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
expression A, B, T, X;
position p;
@@
(
X->nents = \(T->orig_nents\|T.orig_nents\)
|
X.nents = \(T->orig_nents\|T.orig_nents\)
)
... when any
unmap@p(A, B, \(X->nents\|X.nents\), ...)

// tabled: a table in a structure whose nents the mapping overwrites.
@tabled depends on any@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier tab;
expression D, X;
position m != {whole.m, one.m};
position w;
@@
(
dma_map_sgtable(D, \(X->tab@w\|&X->tab@w\|&X.tab@w\), ...)
|
\(X->tab@w->nents\|X->tab@w.nents\|X.tab@w.nents\) = map(D@m, ...)
)

// plain: the same member mapped with its nents left alone, so the name says
// nothing in this file.
@plain depends on tabled@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier tabled.tab;
expression D, L, X;
position m != {again.m, later.m};
position w;
@@
map(D@m, L, \(X->tab@w->nents\|X->tab@w.nents\|X.tab@w.nents\), ...)

// plain_tab: its name.
@plain_tab@
identifier tab;
expression X;
position w = {plain.w};
@@
\(X->tab@w\|X.tab@w\)

// vague: every place that names it.
@vague depends on plain_tab@
identifier plain_tab.tab;
expression X;
position r;
@@
\(X->tab@r\|X.tab@r\)

// member: unmapped in another function.
@member depends on tabled@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
identifier tabled.tab;
expression A, B, X;
position r != vague.r;
position p != restored.p;
@@
unmap@p(A, B, \(X->tab@r->nents\|X->tab@r.nents\|X.tab@r.nents\), ...)

// ops: the two ends of a dma-buf exporter.
@ops@
identifier o, mapper, unmapper;
@@
struct dma_buf_ops o = {
	.map_dma_buf = mapper,
	.unmap_dma_buf = unmapper,
};

// mapped: the mapping end overwrites nents.
@mapped exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier ops.mapper;
expression D, T;
@@
mapper(...)
{
... when any
(
dma_map_sgtable(D, T, ...)
|
T->nents = map(D, ...)
)
... when any
}

// exporter: the other end, unmapped with what was overwritten.
@exporter depends on mapped exists@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
identifier ops.unmapper, T;
expression D;
position p != restored.p;
@@
unmapper(..., struct sg_table *T, ...)
{
... when any
unmap@p(D, T->sgl, T->nents, ...)
... when any
}

// copied: a held count copied to a field of another structure. A field that is
// handed to the mapping, too, holds the other count before it.
@copied depends on held@
identifier held.cnt;
identifier to;
expression X, Y;
position r != {unclear.r, twofold.r};
position w;
@@
\(Y->to@w\|Y.to@w\) = \(X->cnt@r\|X.cnt@r\)

// far: unmapped with a field that holds a count, in another function.
@far depends on held@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
identifier held.cnt;
expression A, B, I, X;
position r != unclear.r;
position p != {both.p, restored.p};
@@
unmap@p(A, B, \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\), ...)

// blurred: the copy set in another way, or handed to a mapping.
@blurred depends on copied@
identifier copied.to;
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
expression D, E, L, Y;
position w != {copied.w, small.w};
@@
(
\(Y->to@w\|Y.to@w\) aop E
|
\(&Y->to@w\|&Y.to@w\)
|
map(D, L, \(Y->to@w\|Y.to@w\), ...)
)

// second: the same with the copy.
@second depends on copied && !blurred@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
identifier copied.to;
expression A, B, Y;
position p != both.p;
@@
unmap@p(A, B, \(Y->to\|Y.to\), ...)

// taken: the same, by way of a variable.
@taken depends on held exists@
identifier unmap = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
identifier held.cnt;
assignment operator aop;
idexpression n;
expression A, B, E, I, X;
position r != unclear.r;
position p != both.p;
@@
n = \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\)
... when != n aop E
unmap@p(A, B, n, ...)


// found: all of these.
@found@
identifier f;
position p = {count.p, via.p, table.p, inner.p, member.p, exporter.p, far.p,
	second.p, taken.p};
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
    "unmap-mapped-count: an unmap takes the count that dma_map_sg() "
    "was given, not the one it returned (in a struct sg_table: "
    "orig_nents)")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-mapped-count: an unmap takes the count that dma_map_sg() "
    "was given, not the one it returned (in a struct sg_table: "
    "orig_nents)")
