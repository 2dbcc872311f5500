// SPDX-License-Identifier: GPL-2.0-only
/// walk pages with the count of the CPU list
///
/// After dma_map_sg() or dma_map_sgtable() nents counts the DMA list, which
/// is shorter where entries were merged. Unmapping does not put it back. A
/// page walk steps through the CPU list, so with nents the tail is never
/// seen.
///
/// Hand over the count that the mapping was given; a struct sg_table keeps it
/// as orig_nents, and where the tree has for_each_sgtable_page(), that takes
/// it from there.
///
//# Left alone: a walk that reads DMA addresses, or that hands its iterator to
//# another function; a table that is not mapped before the walk, or only
//# behind a mapping that failed; one whose nents is set again; a list of one
//# entry; code that compares the mapped count with the one it gave, which
//# gives a mapping up unless it is as long as the list; a field that the file
//# sets to anything else than 0, 1 or a mapping's result, or hands to another
//# mapping; and the nents of a table that another function maps, which may be
//# read before.
//
// Shape: M2
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: page-walk-mapped-count: a page walk steps through the CPU list; the
//   count given is the one dma_map_sg() returned, not the one it was given
//   (in a struct sg_table: orig_nents)
// Tokens: for_each_sg_page __sg_page_iter_start

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

// dma: a walk that reads DMA addresses, or hands its iterator to a function
// that may. That walk is wrong in another way.
@dma exists@
iterator name for_each_sg_page;
identifier fn != {sg_page_iter_page, sg_page_iter_dma_address};
expression E, I, L, N, O;
position w;
@@
for_each_sg_page@w(L, I, N, O) {
... when any
\(sg_page_iter_dma_address(...)\|sg_dma_address(...)\|sg_dma_len(...)\|
  E->dma_address\|fn(..., I, ...)\)
... when any
}

// dma_one: the same with a body that is no block: what it reads comes before
// the loop's next step.
@dma_one exists@
iterator name for_each_sg_page;
expression I, L, M, N, K, O, V;
statement S, S1;
position w;
@@
\(sg_page_iter_dma_address(I)\|sg_dma_address(...)\)
... when != for_each_sg_page(M, I, K, V) S1
for_each_sg_page@w(L, I, N, O) S

// started: the same, started by hand.
@started exists@
expression E, I, L, N, O;
position w;
@@
__sg_page_iter_start@w(I, L, N, O)
... when any
\(sg_page_iter_dma_address(...)\|sg_dma_address(...)\|E->dma_address\)

// paged: a walk started by hand that reads pages.
@paged exists@
expression I, L, N, O;
position w != started.w;
@@
__sg_page_iter_start@w(I, L, N, O)
... when any
sg_page_iter_page(I)

// count: a page walk with what holds the mapped count.
@count depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
iterator name for_each_sg_page;
statement S;
assignment operator aop;
expression C, D, E, I, L, M, N, O;
position m != {whole.m, one.m};
position p != {dma.w, dma_one.w};
@@
C = map(D@m, L, N, ...)
... when != C aop E
    when != L = M
    when != \(C++\|C--\|&C\)
    when != true C == 0
for_each_sg_page@p(L, I, C, O) S

// via: the same by way of a variable.
@via depends on stored || later exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
iterator name for_each_sg_page;
statement S;
assignment operator aop;
expression C, D, E, I, L, N, O;
idexpression n;
position m != {whole.m, one.m};
position p != {dma.w, dma_one.w};
@@
n = map(D@m, L, N, ...)
... when any
    when != n aop E
    when != \(n++\|n--\|&n\)
C = n
... when != C aop E
    when != \(C++\|C--\|&C\)
for_each_sg_page@p(L, I, C, O) S

// table: a table whose nents the mapping overwrites. Where the mapping failed
// nents is as it was.
@table depends on any exists@
iterator name for_each_sg_page;
statement S;
assignment operator aop;
expression D, E, I, O, R, T;
position p != {dma.w, dma_one.w};
@@
R = dma_map_sgtable(D, T, ...)
... when != T = E
    when != T->nents aop E
    when != true R
    when != true R < 0
    when != false R == 0
for_each_sg_page@p(T->sgl, I, T->nents, O) S

// inner: the same, where the table is not behind a pointer.
@inner depends on any exists@
iterator name for_each_sg_page;
statement S;
assignment operator aop;
expression D, E, I, O, R, T;
position p != {dma.w, dma_one.w};
@@
R = dma_map_sgtable(D, &T, ...)
... when != T.nents aop E
    when != true R
    when != true R < 0
    when != false R == 0
for_each_sg_page@p(T.sgl, I, T.nents, O) S

// table_if: the same, where the call is the condition.
@table_if depends on any exists@
iterator name for_each_sg_page;
statement S;
assignment operator aop;
statement FAIL;
expression D, E, I, O, T;
position p != {dma.w, dma_one.w};
@@
if (\(dma_map_sgtable(D, T, ...)\|dma_map_sgtable(D, T, ...) < 0\)) FAIL
... when != T = E
    when != T->nents aop E
for_each_sg_page@p(T->sgl, I, T->nents, O) S

// inner_if: the same, where the table is not behind a pointer.
@inner_if depends on any exists@
iterator name for_each_sg_page;
statement S;
assignment operator aop;
statement FAIL;
expression D, E, I, O, T;
position p != {dma.w, dma_one.w};
@@
if (\(dma_map_sgtable(D, &T, ...)\|dma_map_sgtable(D, &T, ...) < 0\)) FAIL
... when != T.nents aop E
for_each_sg_page@p(T.sgl, I, T.nents, O) S

// import: a table that is handed over mapped.
@import depends on any exists@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
iterator name for_each_sg_page;
statement S;
assignment operator aop;
expression E, I, O, T;
position p != {dma.w, dma_one.w};
@@
T = maker(...)
... when != T = E
    when != T->nents aop E
for_each_sg_page@p(T->sgl, I, T->nents, O) S

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

// member: a page walk in another function.
@member depends on tables@
iterator name for_each_sg_page;
statement S;
identifier tables.tab;
expression I, O, X;
position r != vague.r;
position p != {dma.w, dma_one.w};
@@
(
for_each_sg_page@p(X->tab->sgl, I, X->tab@r->nents, O) S
|
for_each_sg_page@p(X.tab->sgl, I, X.tab@r->nents, O) S
)

// own: a page walk over a table of its own, whose nents is the count of the CPU
// list until it is mapped.
@own depends on held@
iterator name for_each_sg_page;
statement S;
expression I, O, X;
position p;
@@
(
for_each_sg_page@p(X->sgl, I, X->nents, O) S
|
for_each_sg_page@p(X.sgl, I, X.nents, O) S
)

// listed: a field whose list is mapped.
@listed depends on held@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier lst;
expression D, Y;
@@
map(D, \(Y->lst\|Y.lst\), ...)

// far: a page walk in another function, with a field that holds a count, and
// never the one that the mapping is given.
@far depends on held@
iterator name for_each_sg_page;
statement S;
identifier held.cnt;
identifier listed.lst;
expression I, O, X, Y;
position r != {unclear.r, twofold.r};
position p != {own.p, dma.w, dma_one.w};
@@
for_each_sg_page@p(\(Y->lst\|Y.lst\), I, \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|
  X.cnt@r[I]\), O) S

// taken: the same by way of a variable.
@taken depends on held exists@
iterator name for_each_sg_page;
statement S;
identifier held.cnt;
identifier listed.lst;
assignment operator aop;
idexpression n;
expression E, I, O, X, Y;
position r != {unclear.r, twofold.r};
position p != {dma.w, dma_one.w};
@@
n = \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\)
... when != n aop E
for_each_sg_page@p(\(Y->lst\|Y.lst\), I, n, O) S

// hand: the same, started by hand.
@hand depends on paged exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
assignment operator aop;
expression C, D, E, L, N, O, P;
position m != {whole.m, one.m};
position p = {paged.w};
@@
C = map(D@m, L, N, ...)
... when != C aop E
__sg_page_iter_start@p(P, L, C, O)

// hand_table: the same with a table.
@hand_table depends on paged exists@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
assignment operator aop;
expression D, E, O, P, T;
position p = {paged.w};
@@
\(dma_map_sgtable(D, T, ...)\|T = maker(...)\)
... when != T = E
    when != T->nents aop E
__sg_page_iter_start@p(P, T->sgl, T->nents, O)

// hand_inner: the same, where the table is not behind a pointer.
@hand_inner depends on paged exists@
assignment operator aop;
expression D, E, O, P, T;
position p = {paged.w};
@@
dma_map_sgtable(D, &T, ...)
... when != T.nents aop E
__sg_page_iter_start@p(P, T.sgl, T.nents, O)


// found: all of these that are loops.
@found@
iterator I;
statement S;
position p = {count.p, via.p, table.p, inner.p, table_if.p, inner_if.p,
	import.p, member.p, far.p, taken.p};
@@
I@p(...)
S

// start: all of these that are calls.
@start@
identifier f;
position p = {hand.p, hand_table.p, hand_inner.p};
@@
f@p(...)

// context: mark the line.
@depends on context@
iterator I;
statement S;
position found.p;
@@
* I@p(...)
S

// context: mark the line.
@depends on context@
identifier f;
position start.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "page-walk-mapped-count: a page walk steps through the CPU list; "
    "the count given is the one dma_map_sg() returned, not the one it "
    "was given (in a struct sg_table: orig_nents)")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "page-walk-mapped-count: a page walk steps through the CPU list; "
    "the count given is the one dma_map_sg() returned, not the one it "
    "was given (in a struct sg_table: orig_nents)")

// report: say it.
@script:python depends on report@
p << start.p;
@@
coccilib.report.print_report(p[0],
    "page-walk-mapped-count: a page walk steps through the CPU list; "
    "the count given is the one dma_map_sg() returned, not the one it "
    "was given (in a struct sg_table: orig_nents)")

// org: say it.
@script:python depends on org@
p << start.p;
@@
coccilib.org.print_todo(p[0],
    "page-walk-mapped-count: a page walk steps through the CPU list; "
    "the count given is the one dma_map_sg() returned, not the one it "
    "was given (in a struct sg_table: orig_nents)")
