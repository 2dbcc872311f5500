// SPDX-License-Identifier: GPL-2.0-only
/// walk DMA entries with the mapped count
///
/// orig_nents counts the CPU list. A loop that reads sg_dma_address() and
/// sg_dma_len() steps through the DMA list, which is shorter where entries
/// were merged: with orig_nents it runs into entries that were not mapped.
///
/// Hand over what dma_map_sg() returned; a struct sg_table keeps it as nents,
/// and where the tree has for_each_sgtable_dma_sg(), that takes it from
/// there.
///
//# Left alone: a loop that sets the DMA side, as a mapping does, that reads
//# the CPU side too, or that may leave earlier, as at an entry with no DMA
//# length or by the length that is left; a list of one entry; a variable that
//# the mapping's result overwrites; and code that compares the two counts.
//
// Shape: N5
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: entry-walk-orig-nents: this is the count of the CPU list; DMA
//   addresses take the one that dma_map_sg() returned (in a struct sg_table:
//   nents)
// Tokens: orig_nents for_each_sgtable_sg dma_map_sg dma_map_sg_attrs
//   pci_map_sg ib_dma_map_sg

virtual patch
virtual context
virtual org
virtual report

// braces: loops with a block, and simple: with an expression. Of any other body
// a path through the loop's step says what it reads.
@braces disable braces0 exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, N, T, i, sg;
position w;
@@
(
for_each_sg@w(L, sg, N, i) { ... }
|
for_each_sgtable_sg@w(T, sg, i) { ... }
)

// simple: see above.
@simple@
iterator name for_each_sg, for_each_sgtable_sg;
expression E, L, N, T, i, sg;
position w;
@@
(
for_each_sg@w(L, sg, N, i) E;
|
for_each_sgtable_sg@w(T, sg, i) E;
)

// other: a loop that sets the DMA side, reads the CPU side, or stops where the
// DMA list ends.
@other exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, N, T, V, i;
idexpression sg;
position w;
@@
(
for_each_sg@w(L, sg, N, i) {
... when any
\(sg_dma_address(sg) = V\|sg_dma_len(sg) = V\|
  sg->dma_address = V\|sg->dma_length = V\|
  sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\|
  sg_dma_len(sg) == 0\|sg->dma_length == 0\)
... when any
}
|
for_each_sgtable_sg@w(T, sg, i) {
... when any
\(sg_dma_address(sg) = V\|sg_dma_len(sg) = V\|
  sg->dma_address = V\|sg->dma_length = V\|
  sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\|
  sg_dma_len(sg) == 0\|sg->dma_length == 0\)
... when any
}
)

// other_one: the same with a do loop, a switch or an if for its body.
@other_one exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression K, L, M, N, T, V, i, j;
idexpression sg;
statement S, S1;
position w != {braces.w, simple.w};
@@
\(sg_dma_address(sg) = V\|sg_dma_len(sg) = V\|
  sg->dma_address = V\|sg->dma_length = V\|
  sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\|
  sg_dma_len(sg) == 0\|sg->dma_length == 0\)
... when != for_each_sg(M, sg, K, j) S1
    when != for_each_sgtable_sg(M, sg, j) S1
(
for_each_sg@w(L, sg, N, i) S
|
for_each_sgtable_sg@w(T, sg, i) S
)

// bounded: a loop that may leave before its count is reached, by the length
// that is left.
@bounded exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression C, L, N, T, i, sg;
position w;
@@
(
for_each_sg@w(L, sg, N, i) {
... when any
if (C) { ... break; }
... when any
}
|
for_each_sgtable_sg@w(T, sg, i) {
... when any
if (C) { ... break; }
... when any
}
)

// dma: a loop that reads the DMA side, and no more.
@dma exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, N, T, i;
idexpression sg;
position w != {other.w, other_one.w, bounded.w};
@@
(
for_each_sg@w(L, sg, N, i) {
... when any
\(sg_dma_address(sg)\|sg_dma_len(sg)\|sg->dma_address\|sg->dma_length\|
  ib_sg_dma_address(..., sg)\|ib_sg_dma_len(..., sg)\)
... when any
}
|
for_each_sgtable_sg@w(T, sg, i) {
... when any
\(sg_dma_address(sg)\|sg_dma_len(sg)\|sg->dma_address\|sg->dma_length\|
  ib_sg_dma_address(..., sg)\|ib_sg_dma_len(..., sg)\)
... when any
}
)

// dma_one: the same with a do loop, a switch or an if for its body.
@dma_one exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression K, L, M, N, T, i, j;
idexpression sg;
statement S, S1;
position w != {braces.w, simple.w, other.w, other_one.w, bounded.w};
@@
\(sg_dma_address(sg)\|sg_dma_len(sg)\|sg->dma_address\|sg->dma_length\|
  ib_sg_dma_address(..., sg)\|ib_sg_dma_len(..., sg)\)
... when != for_each_sg(M, sg, K, j) S1
    when != for_each_sgtable_sg(M, sg, j) S1
(
for_each_sg@w(L, sg, N, i) S
|
for_each_sgtable_sg@w(T, sg, i) S
)

// table: such a loop, counted by the CPU list.
@table@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, T, i, sg;
statement S;
position p = {dma.w, dma_one.w};
@@
(
for_each_sg@p(L, sg, T->orig_nents, i) S
|
for_each_sg@p(L, sg, T.orig_nents, i) S
|
for_each_sgtable_sg@p(T, sg, i) S
)

// again: a mapping whose result takes the place of its count, or of one entry.
@again@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, L, N;
position m;
@@
(
N = map(D@m, L, N, ...)
|
map(D@m, L, 1, ...)
)

// round: the test of a loop whose counter begins anew, which compares nothing.
@round@
binary operator op;
expression A, B, C, N;
statement S;
position q;
@@
for (<+... N = A ...+>; N@q op C; B) S

// whole: a mapping that is given up where it merged anything.
@whole exists@
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

// count: the same over a list that was mapped with that very count.
@count exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
iterator name for_each_sg;
assignment operator aop;
expression C, D, E, F, L, N, i, sg;
statement S;
position m != {again.m, whole.m};
position p = {dma.w, dma_one.w};
@@
C = map(D@m, L, N, ...)
... when != N aop E
    when != \(N++\|N--\|&N\)
    when != L = F
for_each_sg@p(L, sg, N, i) S


// found: all of these.
@found@
iterator I;
statement S;
position p = {table.p, count.p};
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
    "entry-walk-orig-nents: this is the count of the CPU list; DMA "
    "addresses take the one that dma_map_sg() returned (in a struct "
    "sg_table: nents)")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "entry-walk-orig-nents: this is the count of the CPU list; DMA "
    "addresses take the one that dma_map_sg() returned (in a struct "
    "sg_table: nents)")
