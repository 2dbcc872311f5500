// SPDX-License-Identifier: GPL-2.0-only
/// map all entries of the list for the IOMMU
///
/// iommu_map_sg() steps through the pages of the list, which are its CPU
/// side: orig_nents entries. Given the number of DMA segments it maps less
/// than the list once dma_map_sg() has merged entries.
///
/// Give it orig_nents, or the table itself to iommu_map_sgtable() (v5.8).
///
//# Left alone: a count that was never a mapping's, such as a plain number of
//# entries.
//
// Shape: N14
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: iommu-map-mapped-count: iommu_map_sg() steps through the CPU
//   side, which has orig_nents entries
// Tokens: iommu_map_sg iommu_map_sg_atomic

virtual patch
virtual context
virtual org
virtual report

// table: nents of the very table.
@table@
expression T;
position p;
@@
(
iommu_map_sg@p(..., T->sgl, T->nents, ...)
|
iommu_map_sg@p(..., T.sgl, T.nents, ...)
|
iommu_map_sg_atomic@p(..., T->sgl, T->nents, ...)
)

// result: what the mapping of the list returned.
@result exists@
expression n, D, L, M, E;
assignment operator set;
position p;
@@
(
n = dma_map_sg(D, L, M, ...)
|
n = dma_map_sg_attrs(D, L, M, ...)
|
n = pci_map_sg(D, L, M, ...)
|
n = ib_dma_map_sg(D, L, M, ...)
)
... when != n set E
iommu_map_sg@p(..., L, n, ...)

// found: one of them, under one name.
@found@
identifier f;
position p = {table.p, result.p};
@@
f@p

// context: mark the line.
@depends on context@
identifier f;
position found.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "iommu-map-mapped-count: iommu_map_sg() steps through the CPU side, "
    "which has orig_nents entries")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "iommu-map-mapped-count: iommu_map_sg() steps through the CPU side, "
    "which has orig_nents entries")
