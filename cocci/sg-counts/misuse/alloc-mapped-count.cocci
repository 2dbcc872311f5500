// SPDX-License-Identifier: GPL-2.0-only
/// size a copy of a table by the CPU list
///
/// After dma_map_sg() or dma_map_sgtable() nents counts the DMA list, which
/// is shorter where entries were merged. Unmapping does not put it back. A
/// copy of the table holds the CPU list: sized by nents it is too short, and
/// filling it runs past its end or leaves pages out.
///
/// Size it by the count that the mapping was given; a struct sg_table keeps
/// it as orig_nents.
///
//# Left alone: a copy that is filled with DMA addresses and with no page; a
//# table that is not mapped before the copy is made, or only behind a mapping
//# that failed; one whose nents is set again; a list of one entry; code that
//# compares the mapped count with the one it gave, which gives a mapping up
//# unless it is as long as the list; a field that the file sets to anything
//# else than 0, 1 or a mapping's result, or hands to another mapping; and the
//# nents of a table that another function maps, which may be read before.
//
// Shape: N7
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: alloc-mapped-count: a copy of a table is sized by its CPU list; the
//   count given is the one dma_map_sg() returned, not the one it was given
//   (in a struct sg_table: orig_nents)
// Tokens: sg_alloc_table

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

// paged: a table that is filled with pages.
@paged exists@
position q;
@@
sg_alloc_table@q(...)
... when any
\(sg_set_page(...)\|sg_assign_page(...)\)

// sided: a table that is filled with DMA addresses, and with no page.
@sided exists@
expression E, V;
position q != paged.q;
@@
sg_alloc_table@q(...)
... when any
\(sg_dma_address(E) = V\|E->dma_address = V\)

// count: a copy with what holds the mapped count.
@count depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
expression A, C, D, E, L, N;
position m != {whole.m, one.m};
position p != sided.q;
@@
C = map(D@m, L, N, ...)
... when != C aop E
    when != \(C++\|C--\|&C\)
    when != true C == 0
sg_alloc_table@p(A, C, ...)

// via: the same by way of a variable.
@via depends on stored || later exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
expression A, C, D, E, L, N;
idexpression n;
position m != {whole.m, one.m};
position p != sided.q;
@@
n = map(D@m, L, N, ...)
... when any
    when != n aop E
    when != \(n++\|n--\|&n\)
C = n
... when != C aop E
    when != \(C++\|C--\|&C\)
sg_alloc_table@p(A, C, ...)

// table: a table whose nents the mapping overwrites. Where the mapping failed
// nents is as it was.
@table depends on any exists@
assignment operator aop;
expression A, D, E, R, T;
position p != sided.q;
@@
R = dma_map_sgtable(D, T, ...)
... when != T = E
    when != T->nents aop E
    when != true R
    when != true R < 0
    when != false R == 0
sg_alloc_table@p(A, T->nents, ...)

// inner: the same, where the table is not behind a pointer.
@inner depends on any exists@
assignment operator aop;
expression A, D, E, R, T;
position p != sided.q;
@@
R = dma_map_sgtable(D, &T, ...)
... when != T.nents aop E
    when != true R
    when != true R < 0
    when != false R == 0
sg_alloc_table@p(A, T.nents, ...)

// table_if: the same, where the call is the condition.
@table_if depends on any exists@
assignment operator aop;
statement FAIL;
expression A, D, E, T;
position p != sided.q;
@@
if (\(dma_map_sgtable(D, T, ...)\|dma_map_sgtable(D, T, ...) < 0\)) FAIL
... when != T = E
    when != T->nents aop E
sg_alloc_table@p(A, T->nents, ...)

// inner_if: the same, where the table is not behind a pointer.
@inner_if depends on any exists@
assignment operator aop;
statement FAIL;
expression A, D, E, T;
position p != sided.q;
@@
if (\(dma_map_sgtable(D, &T, ...)\|dma_map_sgtable(D, &T, ...) < 0\)) FAIL
... when != T.nents aop E
sg_alloc_table@p(A, T.nents, ...)

// import: a table that is handed over mapped.
@import depends on any exists@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
assignment operator aop;
expression A, E, T;
position p != sided.q;
@@
T = maker(...)
... when != T = E
    when != T->nents aop E
sg_alloc_table@p(A, T->nents, ...)

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
position w = {imported.w, parked.w};
@@
\(X->tab@w\|X.tab@w\)

// foreign: such a member that is set in another way, so its name says nothing
// in this file.
@foreign depends on tables@
identifier tables.tab;
expression E, X;
position w != {imported.w, parked.w};
@@
\(X->tab@w\|X.tab@w\) = E

// null: that is no other table.
@null depends on foreign@
identifier tables.tab;
expression X;
position foreign.w;
@@
\(X->tab@w\|X.tab@w\) = NULL

// vague: every place that names it.
@vague depends on foreign && !null@
identifier tables.tab;
expression X;
position r;
@@
\(X->tab@r\|X.tab@r\)

// member: a copy in another function.
@member depends on tables@
identifier tables.tab;
expression A, X;
position r != vague.r;
position p != sided.q;
@@
(
sg_alloc_table@p(A, X->tab@r->nents, ...)
|
sg_alloc_table@p(A, X.tab@r->nents, ...)
)

// far: a copy in another function, with a field that holds a count, and never
// the one that the mapping is given.
@far depends on held@
identifier held.cnt;
expression A, I, X;
position r != {unclear.r, twofold.r};
position p != sided.q;
@@
sg_alloc_table@p(A, \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\), ...)

// taken: the same by way of a variable.
@taken depends on held exists@
identifier held.cnt;
assignment operator aop;
idexpression n;
expression A, E, I, X;
position r != {unclear.r, twofold.r};
position p != sided.q;
@@
n = \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\)
... when != n aop E
sg_alloc_table@p(A, n, ...)


// found: all of these.
@found@
identifier f;
position p = {count.p, via.p, table.p, inner.p, table_if.p, inner_if.p,
	import.p, member.p, far.p, taken.p};
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
    "alloc-mapped-count: a copy of a table is sized by its CPU list; "
    "the count given is the one dma_map_sg() returned, not the one it "
    "was given (in a struct sg_table: orig_nents)")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "alloc-mapped-count: a copy of a table is sized by its CPU list; "
    "the count given is the one dma_map_sg() returned, not the one it "
    "was given (in a struct sg_table: orig_nents)")
