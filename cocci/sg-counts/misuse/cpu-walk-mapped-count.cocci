// SPDX-License-Identifier: GPL-2.0-only
/// walk entries on the CPU side with the CPU count
///
/// After dma_map_sg() or dma_map_sgtable() nents counts the DMA list, which
/// is shorter where entries were merged. Unmapping does not put it back. A
/// loop that reads sg_page(), sg_virt() or length steps through the CPU list,
/// so with nents its tail is never seen.
///
/// Hand over the count that the mapping was given; a struct sg_table keeps it
/// as orig_nents, and where the tree has for_each_sgtable_sg(), that takes it
/// from there.
///
//# Left alone: a loop that reads the DMA side as well, in any spelling, or
//# that fills the CPU side; a table that is not mapped before the loop, or
//# only behind a mapping that failed; one whose nents is set again; a list of
//# one entry; code that compares the mapped count with the one it gave, which
//# gives a mapping up unless it is as long as the list; a field that the file
//# sets to anything else than 0, 1 or a mapping's result, or hands to another
//# mapping; and the nents of a table that another function maps, which may be
//# read before.
//
// Shape: N4
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: cpu-walk-mapped-count: a loop over the CPU side steps through the
//   CPU list; the count given is the one dma_map_sg() returned, not the one
//   it was given (in a struct sg_table: orig_nents)
// Tokens: for_each_sg

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

// braces: loops with a block, and simple: with an expression. Of any other body
// a path through the loop's step says what it reads.
@braces disable braces0 exists@
iterator name for_each_sg;
expression L, N, i, sg;
position w;
@@
for_each_sg@w(L, sg, N, i) { ... }

// simple: see above.
@simple@
iterator name for_each_sg;
expression E, L, N, i, sg;
position w;
@@
for_each_sg@w(L, sg, N, i) E;

// dma: a loop that reads the DMA side, or fills the CPU side.
@dma depends on any exists@
iterator name for_each_sg;
expression E, L, N, i;
idexpression sg;
position w;
@@
for_each_sg@w(L, sg, N, i) {
... when any
\(sg_dma_address(sg)\|sg_dma_len(sg)\|sg->dma_address\|sg->dma_length\|
  ib_sg_dma_address(..., sg)\|ib_sg_dma_len(..., sg)\|
  sg_set_page(sg, ...)\|sg_assign_page(sg, ...)\|sg_set_buf(sg, ...)\|
  sg->length = E\)
... when any
}

// dma_one: the same with a do loop, a switch or an if for its body.
@dma_one depends on any exists@
iterator name for_each_sg;
expression E, K, L, M, N, i, j;
idexpression sg;
statement S, S1;
position w != {braces.w, simple.w};
@@
\(sg_dma_address(sg)\|sg_dma_len(sg)\|sg->dma_address\|sg->dma_length\|
  ib_sg_dma_address(..., sg)\|ib_sg_dma_len(..., sg)\|
  sg_set_page(sg, ...)\|sg_assign_page(sg, ...)\|sg_set_buf(sg, ...)\|
  sg->length = E\)
... when != for_each_sg(M, sg, K, j) S1
for_each_sg@w(L, sg, N, i) S

// cpu: a loop that reads the CPU side, and no more.
@cpu depends on any exists@
iterator name for_each_sg;
expression L, N, i;
idexpression sg;
position w != {dma.w, dma_one.w};
@@
for_each_sg@w(L, sg, N, i) {
... when any
\(sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\)
... when any
}

// cpu_one: the same with a do loop, a switch or an if for its body.
@cpu_one depends on any exists@
iterator name for_each_sg;
expression K, L, M, N, i, j;
idexpression sg;
statement S, S1;
position w != {braces.w, simple.w, dma.w, dma_one.w};
@@
\(sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\)
... when != for_each_sg(M, sg, K, j) S1
for_each_sg@w(L, sg, N, i) S

// count: a loop with what holds the mapped count.
@count depends on any exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
iterator name for_each_sg;
statement S;
assignment operator aop;
expression C, D, E, L, M, N, i, sg;
position m != {whole.m, one.m};
position p = {cpu.w, cpu_one.w};
@@
C = map(D@m, L, N, ...)
... when != C aop E
    when != L = M
    when != \(C++\|C--\|&C\)
    when != true C == 0
for_each_sg@p(L, sg, C, i) S

// via: the same by way of a variable.
@via depends on stored || later exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
iterator name for_each_sg;
statement S;
assignment operator aop;
expression C, D, E, L, N, i, sg;
idexpression n;
position m != {whole.m, one.m};
position p = {cpu.w, cpu_one.w};
@@
n = map(D@m, L, N, ...)
... when any
    when != n aop E
    when != \(n++\|n--\|&n\)
C = n
... when != C aop E
    when != \(C++\|C--\|&C\)
for_each_sg@p(L, sg, C, i) S

// table: a table whose nents the mapping overwrites. Where the mapping failed
// nents is as it was.
@table depends on any exists@
iterator name for_each_sg;
statement S;
assignment operator aop;
expression D, E, R, T, i, sg;
position p = {cpu.w, cpu_one.w};
@@
R = dma_map_sgtable(D, T, ...)
... when != T = E
    when != T->nents aop E
    when != true R
    when != true R < 0
    when != false R == 0
for_each_sg@p(T->sgl, sg, T->nents, i) S

// inner: the same, where the table is not behind a pointer.
@inner depends on any exists@
iterator name for_each_sg;
statement S;
assignment operator aop;
expression D, E, R, T, i, sg;
position p = {cpu.w, cpu_one.w};
@@
R = dma_map_sgtable(D, &T, ...)
... when != T.nents aop E
    when != true R
    when != true R < 0
    when != false R == 0
for_each_sg@p(T.sgl, sg, T.nents, i) S

// table_if: the same, where the call is the condition.
@table_if depends on any exists@
iterator name for_each_sg;
statement S;
assignment operator aop;
statement FAIL;
expression D, E, T, i, sg;
position p = {cpu.w, cpu_one.w};
@@
if (\(dma_map_sgtable(D, T, ...)\|dma_map_sgtable(D, T, ...) < 0\)) FAIL
... when != T = E
    when != T->nents aop E
for_each_sg@p(T->sgl, sg, T->nents, i) S

// inner_if: the same, where the table is not behind a pointer.
@inner_if depends on any exists@
iterator name for_each_sg;
statement S;
assignment operator aop;
statement FAIL;
expression D, E, T, i, sg;
position p = {cpu.w, cpu_one.w};
@@
if (\(dma_map_sgtable(D, &T, ...)\|dma_map_sgtable(D, &T, ...) < 0\)) FAIL
... when != T.nents aop E
for_each_sg@p(T.sgl, sg, T.nents, i) S

// import: a table that is handed over mapped.
@import depends on any exists@
identifier maker = {dma_buf_map_attachment, dma_buf_map_attachment_unlocked,
	vb2_dma_sg_plane_desc, drm_gem_shmem_get_pages_sgt};
iterator name for_each_sg;
statement S;
assignment operator aop;
expression E, T, i, sg;
position p = {cpu.w, cpu_one.w};
@@
T = maker(...)
... when != T = E
    when != T->nents aop E
for_each_sg@p(T->sgl, sg, T->nents, i) S

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

// member: a loop in another function.
@member depends on tables@
iterator name for_each_sg;
statement S;
identifier tables.tab;
expression X, i, sg;
position r != vague.r;
position p = {cpu.w, cpu_one.w};
@@
(
for_each_sg@p(X->tab->sgl, sg, X->tab@r->nents, i) S
|
for_each_sg@p(X.tab->sgl, sg, X.tab@r->nents, i) S
)

// own: a loop over a table of its own, whose nents is the count of the CPU
// list until it is mapped.
@own depends on held@
iterator name for_each_sg;
statement S;
expression X, i, sg;
position p;
@@
(
for_each_sg@p(X->sgl, sg, X->nents, i) S
|
for_each_sg@p(X.sgl, sg, X.nents, i) S
)

// listed: a field whose list is mapped.
@listed depends on held@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier lst;
expression D, Y;
@@
map(D, \(Y->lst\|Y.lst\), ...)

// far: a loop in another function, with a field that holds a count, and never
// the one that the mapping is given.
@far depends on held@
iterator name for_each_sg;
statement S;
identifier held.cnt;
identifier listed.lst;
expression I, X, Y, i, sg;
position r != {unclear.r, twofold.r};
position q != own.p;
position p = {cpu.w, cpu_one.w};
@@
for_each_sg@p@q(\(Y->lst\|Y.lst\), sg, \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|
  X.cnt@r[I]\), i) S

// taken: the same by way of a variable.
@taken depends on held exists@
iterator name for_each_sg;
statement S;
identifier held.cnt;
identifier listed.lst;
assignment operator aop;
idexpression n;
expression E, I, X, Y, i, sg;
position r != {unclear.r, twofold.r};
position p = {cpu.w, cpu_one.w};
@@
n = \(X->cnt@r\|X.cnt@r\|X->cnt@r[I]\|X.cnt@r[I]\)
... when != n aop E
for_each_sg@p(\(Y->lst\|Y.lst\), sg, n, i) S


// found: all of these.
@found@
iterator I;
statement S;
position p = {count.p, via.p, table.p, inner.p, table_if.p, inner_if.p,
	import.p, member.p, far.p, taken.p};
@@
I@p(...)
S

// context: mark the line.
@depends on context@
iterator I;
statement S;
position found.p;
@@
* I@p(...)
S

// report: say it.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "cpu-walk-mapped-count: a loop over the CPU side steps through the "
    "CPU list; the count given is the one dma_map_sg() returned, not "
    "the one it was given (in a struct sg_table: orig_nents)")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-walk-mapped-count: a loop over the CPU side steps through the "
    "CPU list; the count given is the one dma_map_sg() returned, not "
    "the one it was given (in a struct sg_table: orig_nents)")
