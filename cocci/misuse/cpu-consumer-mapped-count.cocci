// SPDX-License-Identifier: GPL-2.0-only
/// give CPU consumers the count of the CPU list
///
/// sg_copy_to_buffer() and its like, sg_miter_start() and usb_sg_init() step
/// through the CPU list. After dma_map_sg() or dma_map_sgtable() nents counts
/// the DMA list, which is shorter where entries were merged: the copy ends
/// early.
///
/// Hand over orig_nents.
///
//# Left alone: a table that is not mapped before the call, and a mapping that
//# is given up unless it is as long as the list.
//
// Shape: N6
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: cpu-consumer-mapped-count: nents counts the DMA list here; this
//   function steps through the CPU list: hand over orig_nents
// Tokens: sg_copy_to_buffer sg_copy_from_buffer sg_pcopy_to_buffer
//   sg_pcopy_from_buffer sg_copy_buffer sg_zero_buffer sg_miter_start
//   usb_sg_init

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

// table: a CPU consumer of a table that is mapped.
@table depends on any_table exists@
expression D, T, A, B, C, P, E;
position p;
@@
(
dma_map_sgtable(D, T, ...)
|
T->nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D,
		T->sgl, ...)
|
T = \(dma_buf_map_attachment\|dma_buf_map_attachment_unlocked\|
      vb2_dma_sg_plane_desc\|drm_gem_shmem_get_pages_sgt\)(...)
)
... when != dma_unmap_sgtable(D, T, ...)
    when != T = E
(
sg_copy_to_buffer@p(T->sgl, T->nents, ...)
|
sg_copy_from_buffer@p(T->sgl, T->nents, ...)
|
sg_pcopy_to_buffer@p(T->sgl, T->nents, ...)
|
sg_pcopy_from_buffer@p(T->sgl, T->nents, ...)
|
sg_copy_buffer@p(T->sgl, T->nents, ...)
|
sg_zero_buffer@p(T->sgl, T->nents, ...)
|
sg_miter_start@p(A, T->sgl, T->nents, ...)
|
usb_sg_init@p(A, B, C, P, T->sgl, T->nents, ...)
)

// inner: the same, where the table is not behind a pointer.
@inner depends on any_table exists@
expression D, T, A, B, C, P;
position p;
@@
(
dma_map_sgtable(D, &T, ...)
|
T.nents =
	\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D,
		T.sgl, ...)
)
... when != dma_unmap_sgtable(D, &T, ...)
(
sg_copy_to_buffer@p(T.sgl, T.nents, ...)
|
sg_copy_from_buffer@p(T.sgl, T.nents, ...)
|
sg_pcopy_to_buffer@p(T.sgl, T.nents, ...)
|
sg_pcopy_from_buffer@p(T.sgl, T.nents, ...)
|
sg_copy_buffer@p(T.sgl, T.nents, ...)
|
sg_zero_buffer@p(T.sgl, T.nents, ...)
|
sg_miter_start@p(A, T.sgl, T.nents, ...)
|
usb_sg_init@p(A, B, C, P, T.sgl, T.nents, ...)
)

// declared: the same, where the table comes mapped with its declaration.
@declared depends on any_table exists@
identifier T;
type t;
expression A, B, C, P, E;
position p;
@@
t T = \(dma_buf_map_attachment\|dma_buf_map_attachment_unlocked\|
      vb2_dma_sg_plane_desc\|drm_gem_shmem_get_pages_sgt\)(...);
... when != T = E
(
sg_copy_to_buffer@p(T->sgl, T->nents, ...)
|
sg_copy_from_buffer@p(T->sgl, T->nents, ...)
|
sg_pcopy_to_buffer@p(T->sgl, T->nents, ...)
|
sg_pcopy_from_buffer@p(T->sgl, T->nents, ...)
|
sg_copy_buffer@p(T->sgl, T->nents, ...)
|
sg_zero_buffer@p(T->sgl, T->nents, ...)
|
sg_miter_start@p(A, T->sgl, T->nents, ...)
|
usb_sg_init@p(A, B, C, P, T->sgl, T->nents, ...)
)

// count: the same with the mapped count in a variable.
@count depends on any_map exists@
idexpression n;
expression D, L, N, A, B, C, P, E;
position p;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(D, L, N, ...)
... when != n = E
    when != \(n != N\|n < N\|n == N\|N != n\)
(
sg_copy_to_buffer@p(L, n, ...)
|
sg_copy_from_buffer@p(L, n, ...)
|
sg_pcopy_to_buffer@p(L, n, ...)
|
sg_pcopy_from_buffer@p(L, n, ...)
|
sg_copy_buffer@p(L, n, ...)
|
sg_zero_buffer@p(L, n, ...)
|
sg_miter_start@p(A, L, n, ...)
|
usb_sg_init@p(A, B, C, P, L, n, ...)
)

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
position declared.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position count.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << table.p;
@@
coccilib.report.print_report(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// org: say it.
@script:python depends on org@
p << table.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// report: say it.
@script:python depends on report@
p << inner.p;
@@
coccilib.report.print_report(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// org: say it.
@script:python depends on org@
p << inner.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// report: say it.
@script:python depends on report@
p << declared.p;
@@
coccilib.report.print_report(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// org: say it.
@script:python depends on org@
p << declared.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// report: say it.
@script:python depends on report@
p << count.p;
@@
coccilib.report.print_report(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")

// org: say it.
@script:python depends on org@
p << count.p;
@@
coccilib.org.print_todo(p[0],
    "cpu-consumer-mapped-count: nents counts the DMA list here; this "
    "function steps through the CPU list: hand over orig_nents")
