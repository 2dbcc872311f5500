// SPDX-License-Identifier: GPL-2.0-only
/// walk DMA entries with the mapped count
///
/// orig_nents counts the CPU list. A loop that reads sg_dma_address() and
/// sg_dma_len() steps through the DMA list, which is shorter where entries
/// were merged: with orig_nents it runs into entries that were not mapped.
///
/// Write for_each_sgtable_dma_sg(), or hand over nents.
///
//# Left alone: a loop that sets the DMA side, as a mapping does, and one that
//# reads the CPU side too.
//
// Shape: N5
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: entry-walk-orig-nents: orig_nents counts the CPU list; DMA addresses
//   take nents: write for_each_sgtable_dma_sg()
// Tokens: orig_nents for_each_sgtable_sg dma_map_sg dma_map_sg_attrs

virtual patch
virtual context
virtual org
virtual report

// other: a loop that sets the DMA side, or reads the CPU side.
@other exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, N, T, i, V;
idexpression sg;
position w;
@@
(
for_each_sg@w(L, sg, N, i) {
... when any
(
  sg_dma_address(sg) = V
|
  sg_dma_len(sg) = V
|
  \(sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\)
)
... when any
}
|
for_each_sgtable_sg@w(T, sg, i) {
... when any
(
  sg_dma_address(sg) = V
|
  sg_dma_len(sg) = V
|
  \(sg_page(sg)\|sg_virt(sg)\|sg_phys(sg)\|sg->length\)
)
... when any
}
)

// dma: a loop that reads the DMA side, and no more.
@dma exists@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, N, T, i;
idexpression sg;
position w != other.w;
@@
(
for_each_sg@w(L, sg, N, i) {
... when any
\(sg_dma_address(sg)\|sg_dma_len(sg)\)
... when any
}
|
for_each_sgtable_sg@w(T, sg, i) {
... when any
\(sg_dma_address(sg)\|sg_dma_len(sg)\)
... when any
}
)

// table: such a loop, counted by the CPU list.
@table@
iterator name for_each_sg, for_each_sgtable_sg;
expression L, T, i, sg;
statement S;
position dma.w;
position p;
@@
(
for_each_sg@w@p(L, sg, T->orig_nents, i) S
|
for_each_sg@w@p(L, sg, T.orig_nents, i) S
|
for_each_sgtable_sg@w@p(T, sg, i) S
)

// count: the same over a list that was mapped with that very count.
@count exists@
iterator name for_each_sg;
idexpression n;
expression D, L, N, i, sg, E, F;
statement S;
position dma.w;
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, L, N, ...)
... when != N = E
    when != L = F
    when != \(n != N\|n < N\|n == N\|N != n\|n > N\)
for_each_sg@w@p(L, sg, N, i) S

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
position count.p;
@@
* I@p(...)
S

// report: say it.
@script:python depends on report@
p << table.p;
@@
coccilib.report.print_report(p[0],
    "entry-walk-orig-nents: orig_nents counts the CPU list; DMA addresses "
    "take nents: write for_each_sgtable_dma_sg()")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "entry-walk-orig-nents: orig_nents counts the CPU list; DMA addresses "
    "take nents: write for_each_sgtable_dma_sg()")

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "entry-walk-orig-nents: orig_nents counts the CPU list; DMA addresses "
    "take nents: write for_each_sgtable_dma_sg()")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "entry-walk-orig-nents: orig_nents counts the CPU list; DMA addresses "
    "take nents: write for_each_sgtable_dma_sg()")
