// SPDX-License-Identifier: GPL-2.0-only
/// sync with the count that was mapped
///
/// dma_sync_sg_for_cpu() and dma_sync_sg_for_device() take the count that
/// dma_map_sg() was given, not the one it returned. With the smaller one the
/// tail of the list is not synced, and the CPU or the device reads stale data.
///
/// Keep the count that the mapping was given, and hand that over. A struct
/// sg_table keeps it as orig_nents, and where the tree has
/// dma_sync_sgtable_for_cpu() and its twin, they take it from there.
///
//# Left alone: a table whose nents nothing overwrites, where it still is the
//# count that was mapped, or whose nents is put back before; a list of one
//# entry; a list that was mapped with the very count; a field that the file
//# sets to anything else than 0, 1 or a mapping's result, or hands to another
//# mapping; and code that compares the two counts, which gives a mapping up
//# unless it is as long as the list.
//
//# Rewritten in patch mode, where the count that the mapping was given is
//# proven to have the same value there: in the same function, the expression
//# itself, of variables and fields that nothing changes behind the mapping; in
//# another one, the field beside the list (data->sg and data->sg_len), the
//# number of all its entries, or a table's orig_nents. The rest needs a person,
//# as a new variable or field has to keep the count.
//# A function between the two that gets the struct is taken not to change its
//# count or list: read it before the repair is sent.
//
// Shape: N2
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: sync-mapped-count: a sync takes the count that dma_map_sg() was
//   given, not the one it returned (in a struct sg_table: orig_nents)
// Changes: where entries were merged, all of the list is synced now; where none
//   were, nothing changes
// Tokens: dma_sync_sg_for_cpu dma_sync_sg_for_device pci_dma_sync_sg_for_cpu
//   pci_dma_sync_sg_for_device ib_dma_sync_sg_for_cpu
//   ib_dma_sync_sg_for_device

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

// round: the test of a loop whose counter begins anew, which compares nothing.
@round depends on any@
binary operator op;
expression A, B, C, N;
statement S;
position q;
@@
for (<+... N = A ...+>; N@q op C; B) S

// whole: a mapping that is given up where it merged anything.
@whole depends on any exists@
assignment operator aop;
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
binary operator op = {==, !=, <, >, <=, >=};
expression C, D, E, L, N;
position m;
position q != round.q;
@@
C = map(D@m, L, N, ...)
... when any
    when != C aop E
    when != N aop E
\(C op N\|N@q op C\)

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
... when any
    when != n aop E
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
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
expression A, B, C, D;
position m != {again.m, later.m};
position p;
@@
map(D@m, B, C, ...)
... when any
sync@p(A, B, C, ...)

// count: synced with what holds the mapped count.
@count depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
assignment operator aop;
expression A, B, C, D, E, L, N;
position m != {whole.m, one.m};
position p != both.p;
@@
C = map(D@m, L, N, ...)
... when != C aop E
    when != \(C++\|C--\|&C\)
sync@p(A, B, C, ...)

// via: the same by way of a variable.
@via depends on stored || later exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
assignment operator aop;
expression A, B, C, D, E, L, N;
idexpression n;
position m != {whole.m, one.m};
position p != both.p;
@@
n = map(D@m, L, N, ...)
... when any
    when != n aop E
    when != \(n++\|n--\|&n\)
C = n
... when != C aop E
    when != \(C++\|C--\|&C\)
sync@p(A, B, C, ...)

// table: a table whose nents the mapping overwrites.
@table depends on any exists@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
assignment operator aop;
expression A, D, E, T;
position p;
@@
dma_map_sgtable(D, T, ...)
... when != T = E
    when != T->nents aop E
sync@p(A, T->sgl, T->nents, ...)

// inner: the same, where the table is not behind a pointer.
@inner depends on any exists@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
assignment operator aop;
expression A, D, E, T;
position p;
@@
dma_map_sgtable(D, &T, ...)
... when != T.nents aop E
sync@p(A, T.sgl, T.nents, ...)

// import: a table that is handed over mapped.
@import depends on any exists@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
assignment operator aop;
expression A, E, T;
position p;
@@
T = maker(...)
... when != T = E
    when != T->nents aop E
sync@p(A, T->sgl, T->nents, ...)

// restored: synced behind a place that puts nents back.
@restored depends on any exists@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
expression A, B, T, X;
position p;
@@
(
X->nents = \(T->orig_nents\|T.orig_nents\)
|
X.nents = \(T->orig_nents\|T.orig_nents\)
)
... when any
sync@p(A, B, \(X->nents\|X.nents\), ...)

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

// imported: a table in a structure that is handed over mapped.
@imported depends on any@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
identifier tab;
expression X;
position w;
@@
\(X->tab@w\|X.tab@w\) = maker(...)

// parked: the same by way of a variable.
@parked depends on any exists@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
assignment operator aop;
identifier tab;
idexpression t;
expression E, X;
position w;
@@
t = maker(...)
... when != t aop E
\(X->tab@w\|X.tab@w\) = t

// tables: all of these members.
@tables@
identifier tab;
expression X;
position w = {tabled.w, imported.w, parked.w};
@@
\(X->tab@w\|X.tab@w\)


// plain: the same member mapped with its nents left alone, so the name says
// nothing in this file.
@plain depends on tables@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier tables.tab;
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

// member: synced in another function.
@member depends on tables@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier tables.tab;
expression A, B, X;
position r != vague.r;
position p != restored.p;
@@
sync@p(A, B, \(X->tab@r->nents\|X->tab@r.nents\|X.tab@r.nents\), ...)

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

// exporter: the other end, synced with what was overwritten.
@exporter depends on mapped exists@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier ops.unmapper, T;
expression D;
position p != restored.p;
@@
unmapper(..., struct sg_table *T, ...)
{
... when any
sync@p(D, T->sgl, T->nents, ...)
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

// far: synced with a field that holds a count, in another function.
@far depends on held@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier held.cnt;
expression A, B, I, X;
position r != unclear.r;
position p != {both.p, restored.p};
@@
sync@p(A, B, \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\), ...)

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
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier copied.to;
expression A, B, Y;
position p != both.p;
@@
sync@p(A, B, \(Y->to\|Y.to\), ...)

// taken: the same, by way of a variable.
@taken depends on held exists@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier held.cnt;
assignment operator aop;
idexpression n;
expression A, B, E, I, X;
position r != unclear.r;
position p != both.p;
@@
n = \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\)
... when != n aop E
sync@p(A, B, n, ...)


// found: all of these.
@found@
identifier f;
position p = {count.p, via.p, table.p, inner.p, import.p, member.p,
	exporter.p, far.p, second.p, taken.p};
@@
f@p(...)

// What follows repairs a finding, where the count that the mapping was given is
// proven to be at hand. A finding without such a proof stays a finding.

// called: a count with a call in it that can return another number later.
@called depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier g != {sg_nents, sg_nents_for_len, scsi_sg_count};
expression D, L;
position m;
@@
map(D@m, L, <+... g(...) ...+>, ...)

// acting: a count that changes something when it is read.
@acting depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
expression D, E, F, L;
position m;
@@
map(D@m, L, <+... \(E aop F\|E++\|E--\|++E\|--E\) ...+>, ...)

// kept: a field that a mapping is given as its count, or in it.
@kept depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier num;
expression D, L, X;
@@
map(D, L, <+... \(X->num\|X.num\) ...+>, ...)

// fed: that field set ahead of the mapping that is given it.
@fed depends on kept exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier kept.num;
expression D, E, L, X, Y;
position w;
@@
\(X->num@w\|X.num@w\) = E
... when any
map(D, L, <+... \(Y->num\|Y.num\) ...+>, ...)

// unfed: that field changed in another place.
@unfed depends on kept@
identifier kept.num;
assignment operator aop;
expression E, I, X;
position w != fed.w;
@@
(
\(X->num@w\|X.num@w\|X->num@w[I]\|X.num@w[I]\) aop E
|
\(X->num@w\|X.num@w\)++
|
\(X->num@w\|X.num@w\)--
|
 ++\(X->num@w\|X.num@w\)
|
 --\(X->num@w\|X.num@w\)
|
\(&X->num@w\|&X.num@w\)
)

// unkept: its name.
@unkept@
identifier num;
expression X;
position w = {unfed.w};
@@
\(X->num@w\|X.num@w\)

// moving: the mappings that are given such a field.
@moving depends on unkept@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier unkept.num;
expression D, L, X;
position m;
@@
map(D@m, L, <+... \(X->num\|X.num\) ...+>, ...)

// near: the mapping whose result is handed over, in the same function and for
// the same list.
@near depends on patch && found exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier f;
expression A, C, D, E, L, N;
position m != {again.m, later.m, called.m, acting.m, moving.m};
position found.p;
position l;
@@
C = map(D@m, L, N, ...)
... when != C aop E
    when != \(C++\|C--\|&C\)
f@p@l(A, L, C, ...)

// mixed: the count can come from another mapping, too.
@mixed depends on near exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier f;
expression A, B, C, D, E, L, M;
expression near.N;
position m != near.m;
position found.p;
position q;
@@
C = map(D@m, L, \(N\|M\), ...)
... when != C aop E
    when != \(C++\|C--\|&C\)
f@p@q(A, B, C, ...)

// named: a variable that the mapping's count or list is made of.
@named depends on near@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
idexpression V;
expression D;
position near.m;
@@
map(D@m, ..., <+... V ...+>, ...)

// changed: such a variable changed behind the mapping.
@changed depends on named exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier f;
idexpression named.V;
expression D, E;
position near.m;
position found.p;
position q;
@@
map(D@m, ...)
... when any
    when != map(D@m, ...)
\(V aop E\|V++\|V--\|++V\|--V\|&V\)
... when any
    when != map(D@m, ...)
f@p@q(...)

// rewritten: a field that the mapping was given changed behind it.
@rewritten depends on near exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier kept.num;
identifier f;
expression D, E, L, X, Y;
position near.m;
position found.p;
position q;
@@
map(D@m, L, <+... \(Y->num\|Y.num\) ...+>, ...)
... when any
    when != map(D@m, ...)
\(X->num\|X.num\) aop E
... when any
    when != map(D@m, ...)
f@p@q(...)

// replaced: the list that was mapped became another one behind the mapping, by
// a name that is no variable, such as a field.
@replaced depends on near exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier f;
expression near.L;
expression A, D, E;
position near.m;
position found.p;
position q;
@@
map(D@m, L, ...)
... when any
    when != map(D@m, ...)
\(L aop E\|L++\|L--\|++L\|--L\|&L\)
... when any
    when != map(D@m, ...)
f@p@q(A, L, ...)

// guarded: handed over only where it is not 0.
@guarded depends on patch && found@
identifier f;
expression A, B, C, E;
statement S;
position found.p;
position q;
@@
(
if (\(C\|C > 0\|C != 0\)) { <+... f@p@q(A, B, C, ...) ...+> } else S
|
if (\(C\|C > 0\|C != 0\)) { <+... f@p@q(A, B, C, ...) ...+> }
|
if (\(C && E\|E && C\)) { <+... f@p@q(A, B, C, ...) ...+> }
)

// gate: mapped on every path through a branch.
@gate depends on near forall@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, G;
statement S;
position near.m;
position b;
@@
(
if@b (G) { ... when any
map(D@m, ...)
... when any
} else S
|
if@b (G) { ... when any
map(D@m, ...)
... when any
}
)

// gated: handed over on the same condition.
@gated depends on gate exists@
identifier f;
expression E, G;
statement S, S2;
position gate.b;
position found.p;
position q;
@@
(
if@b (G) S
|
if@b (G) S else S2
)
... when != G = E
    when any
if (G) { <+... f@p@q(...) ...+> }

// bypass: a path on which nothing was mapped, and the count is not looked at.
@bypass depends on near exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier f, fn;
expression D;
position near.m;
position found.p;
position q != {guarded.q, gated.q};
@@
fn(...)
{
... when != map(D@m, ...)
f@p@q(...)
... when any
}

// beside: a count that goes to a field, of a list and a count that lie side by
// side: data->sg and data->sg_len.
@beside depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier cnt, lst, num;
expression D, I, X, Y;
position m != {whole.m, one.m, called.m, acting.m, moving.m};
position w;
@@
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) =
	map(D@m, \(Y->lst\|Y.lst\), \(Y->num\|Y.num\), ...)

// aside: the same by way of a variable.
@aside depends on patch && found exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier cnt, lst, num;
idexpression n;
expression D, E, I, X, Y;
position m != {whole.m, one.m, called.m, acting.m, moving.m};
position w;
@@
n = map(D@m, \(Y->lst\|Y.lst\), \(Y->num\|Y.num\), ...)
... when != n aop E
    when != \(n++\|n--\|&n\)
    when any
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = n

// entire: a count that goes to a field, of all entries of a list.
@entire depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier cnt;
expression D, I, L, X;
position m != {whole.m, one.m};
position w;
@@
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) =
	map(D@m, L, sg_nents(L), ...)

// through: the same by way of a variable.
@through depends on patch && found exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
identifier cnt;
idexpression n;
expression D, E, I, L, X;
position m != {whole.m, one.m};
position w;
@@
n = map(D@m, L, sg_nents(L), ...)
... when != n aop E
    when != \(n++\|n--\|&n\)
    when any
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = n

// pair: such a list and the count beside it.
@pair@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier lst, num;
expression D, Y;
position m = {beside.m, aside.m};
@@
map(D@m, \(Y->lst\|Y.lst\), \(Y->num\|Y.num\), ...)

// single: a list of that name that is mapped with another count.
@single depends on pair@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier pair.lst, pair.num;
expression D, N, Y;
position m != pair.m;
position w;
@@
map(D@m, \(Y->lst@w\|Y.lst@w\), \(Y->num\|Y.num\|N\), ...)

// odd, alone: its name, and every place that has it.
@odd@
identifier lst;
expression Y;
position w = {single.w};
@@
\(Y->lst@w\|Y.lst@w\)

@alone depends on odd@
identifier odd.lst;
expression Y;
position r;
@@
\(Y->lst@r\|Y.lst@r\)

// source: a field that one of these mappings sets.
@source@
identifier cnt;
expression X;
position w = {beside.w, aside.w, entire.w, through.w};
@@
\(X->cnt@w\|X.cnt@w\)

// nil: that field set to 0.
@nil depends on source@
identifier source.cnt;
expression I, X;
position w;
@@
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = 0

// spent: the same behind an unmapping, where nothing is mapped any more.
@spent depends on nil exists@
identifier undo = {dma_unmap_sg, dma_unmap_sg_attrs, pci_unmap_sg,
	ib_dma_unmap_sg};
identifier source.cnt;
expression I, X;
position w;
@@
undo(...)
... when any
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = 0

// early: the same in another place.
@early depends on nil@
identifier source.cnt;
expression I, X;
position w != spent.w;
@@
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) = 0

// unset: set from a variable that is 0 where nothing was mapped.
@unset depends on source exists@
identifier source.cnt;
assignment operator aop;
type T;
identifier n;
expression E, X;
position w;
@@
(
T n = 0;
|
n = 0;
)
... when != n aop E
    when any
\(X->cnt@w\|X.cnt@w\) = n

// hollow: its name.
@hollow@
identifier cnt;
expression X;
position w = {early.w, unset.w};
@@
\(X->cnt@w\|X.cnt@w\)

// blind: such a field handed over without a look at it.
@blind depends on hollow@
identifier hollow.cnt;
identifier f;
expression A, B, I, X;
position found.p;
position q != guarded.q;
position w;
@@
f@p@q(A, B, \(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\), ...)

// foreign: a field that is set in another way, too.
@foreign depends on source@
identifier source.cnt;
assignment operator aop;
expression E, I, X;
position w != {beside.w, aside.w, entire.w, through.w, nil.w};
@@
(
\(X->cnt@w\|X.cnt@w\|X->cnt@w[I]\|X.cnt@w[I]\) aop E
|
\(&X->cnt@w\|&X.cnt@w\)
)

// sided: a field that is set from a pair.
@sided@
identifier cnt;
expression X;
position w = {beside.w, aside.w};
@@
\(X->cnt@w\|X.cnt@w\)

// clash: and from all entries of a list elsewhere.
@clash depends on sided@
identifier sided.cnt;
expression X;
position w = {entire.w, through.w};
@@
\(X->cnt@w\|X.cnt@w\)

// unsure, doubt: the name of each such field, and every place that has it.
@unsure@
identifier cnt;
expression X;
position w = {blind.w, foreign.w, clash.w};
@@
\(X->cnt@w\|X.cnt@w\)

@doubt depends on unsure@
identifier unsure.cnt;
expression X;
position r;
@@
\(X->cnt@r\|X.cnt@r\)

// sure, safe: the fields that stay.
@sure@
identifier cnt;
expression X;
position w = {beside.w, aside.w};
position r != doubt.r;
@@
\(X->cnt@w@r\|X.cnt@w@r\)

@safe@
identifier cnt;
expression X;
position w = {entire.w, through.w};
position r != doubt.r;
@@
\(X->cnt@w@r\|X.cnt@w@r\)

// firm: the pairs that stay.
@firm@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier lst, num;
expression D, Y;
position m = {beside.m, aside.m};
position r != alone.r;
@@
map(D@m, \(Y->lst@r\|Y.lst@r\), \(Y->num\|Y.num\), ...)

// sized: a table that is mapped with orig_nents, as dma_map_sgtable() does.
@sized depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, L, X;
position m;
@@
map(D@m, L, \(X->orig_nents\|X.orig_nents\), ...)

// filled: a table that is mapped with another count, which need not be all.
@filled depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, X;
position m != sized.m;
@@
(
\(X->nents\|X.nents\) = map(D@m, ...)
|
map(D@m, \(X->sgl\|X.sgl\), ...)
)

// poured: the same by way of a variable.
@poured depends on patch && found exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
idexpression n;
expression D, E, X;
position m != sized.m;
@@
n = map(D@m, ...)
... when != n aop E
\(X->nents\|X.nents\) = n

// entries: a function that hands over the nents of a table.
@entries depends on patch && found && !filled && !poured@
identifier f, fn;
expression A, T;
position found.p;
position t;
@@
fn(...)
{
<+...
\(f@p@t(A, T->sgl, T->nents, ...)\|f@p@t(A, T.sgl, T.nents, ...)\)
...+>
}

// stray: and does the same in a place that is no finding.
@stray depends on entries@
identifier entries.f, entries.fn;
expression A, entries.T;
position o != entries.t;
position b;
@@
fn@b(...)
{
<+...
\(f@o(A, T->sgl, T->nents, ...)\|f@o(A, T.sgl, T.nents, ...)\)
...+>
}

// table: a function that stays.
@table_fn depends on entries@
identifier entries.f, entries.fn;
expression A, entries.T;
position b != stray.b;
@@
fn@b(...)
{
<+...
\(f(A, T->sgl, T->nents, ...)\|f(A, T.sgl, T.nents, ...)\)
...+>
}

// handed: hand over what the mapping was given.
@depends on patch@
identifier f;
expression A, B, C;
expression near.N;
position found.p;
position z != {mixed.q, changed.q, rewritten.q, replaced.q, bypass.q};
@@
f@p@z(A, B,
- C
+ N
  , ...)
// counted: hand over the count beside the list.
@depends on patch && firm && sure@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier sure.cnt, firm.lst, firm.num;
expression A, I, X, Y;
@@
(
sync(A, Y->lst,
- \(X->cnt\|X.cnt\|X->cnt[I]\|X.cnt[I]\)
+ Y->num
  , ...)
|
sync(A, Y.lst,
- \(X->cnt\|X.cnt\|X->cnt[I]\|X.cnt[I]\)
+ Y.num
  , ...)
)

// all: hand over the number of entries.
@depends on patch && safe@
identifier sync = {dma_sync_sg_for_cpu, dma_sync_sg_for_device,
	pci_dma_sync_sg_for_cpu, pci_dma_sync_sg_for_device,
	ib_dma_sync_sg_for_cpu, ib_dma_sync_sg_for_device};
identifier safe.cnt;
expression A, B, I, X;
@@
sync(A, B,
- \(X->cnt\|X.cnt\|X->cnt[I]\|X.cnt[I]\)
+ sg_nents(B)
  , ...)

// whole_table: hand over the count that the table keeps for the CPU.
@depends on patch && table_fn@
identifier entries.f, entries.fn;
expression A, entries.T;
@@
fn(...)
{
<+...
(
f(A, T->sgl,
- T->nents
+ T->orig_nents
  , ...)
|
f(A, T.sgl,
- T.nents
+ T.orig_nents
  , ...)
)
...+>
}

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
    "sync-mapped-count: a sync takes the count that dma_map_sg() was "
    "given, not the one it returned (in a struct sg_table: orig_nents)")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "sync-mapped-count: a sync takes the count that dma_map_sg() was "
    "given, not the one it returned (in a struct sg_table: orig_nents)")
