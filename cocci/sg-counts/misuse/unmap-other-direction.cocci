// SPDX-License-Identifier: GPL-2.0-only
/// unmap in the direction of the mapping
///
/// dma_unmap_sg() has to be told the direction that dma_map_sg() was told.
/// With another one the caches are not written back or not invalidated where
/// the architecture needs it, and DMA_API_DEBUG complains.
///
/// Name the same direction on both sides.
///
//# Left alone: a direction that is a variable or a call, and an unmapping
//# that also follows a mapping in its own direction, since two branches may
//# share it. Not seen: a call in between that maps the list again the other
//# way, as iaa_crypto does; both findings of 6.12 were that.
//
// Shape: N19
// Confidence: Low
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: unmap-other-direction: the list was mapped in another direction:
//   unmap it in the same one
// Tokens: dma_unmap_sg dma_unmap_sg_attrs pci_unmap_sg ib_dma_unmap_sg

virtual patch
virtual context
virtual org
virtual report

// same_to: unmapped as some mapping of the list before it was made.
@same_to exists@
expression D, L, N, M, V;
position p;
@@
(
dma_map_sg(D, L, N, DMA_TO_DEVICE, ...)
|
dma_map_sg_attrs(D, L, N, DMA_TO_DEVICE, ...)
|
pci_map_sg(D, L, N, DMA_TO_DEVICE, ...)
|
ib_dma_map_sg(D, L, N, DMA_TO_DEVICE, ...)
)
... when any
(
dma_unmap_sg@p(V, L, M, DMA_TO_DEVICE, ...)
|
dma_unmap_sg_attrs@p(V, L, M, DMA_TO_DEVICE, ...)
|
pci_unmap_sg@p(V, L, M, DMA_TO_DEVICE, ...)
|
ib_dma_unmap_sg@p(V, L, M, DMA_TO_DEVICE, ...)
)

// same_from: unmapped as some mapping of the list before it was made.
@same_from exists@
expression D, L, N, M, V;
position p;
@@
(
dma_map_sg(D, L, N, DMA_FROM_DEVICE, ...)
|
dma_map_sg_attrs(D, L, N, DMA_FROM_DEVICE, ...)
|
pci_map_sg(D, L, N, DMA_FROM_DEVICE, ...)
|
ib_dma_map_sg(D, L, N, DMA_FROM_DEVICE, ...)
)
... when any
(
dma_unmap_sg@p(V, L, M, DMA_FROM_DEVICE, ...)
|
dma_unmap_sg_attrs@p(V, L, M, DMA_FROM_DEVICE, ...)
|
pci_unmap_sg@p(V, L, M, DMA_FROM_DEVICE, ...)
|
ib_dma_unmap_sg@p(V, L, M, DMA_FROM_DEVICE, ...)
)

// same_both: unmapped as some mapping of the list before it was made.
@same_both exists@
expression D, L, N, M, V;
position p;
@@
(
dma_map_sg(D, L, N, DMA_BIDIRECTIONAL, ...)
|
dma_map_sg_attrs(D, L, N, DMA_BIDIRECTIONAL, ...)
|
pci_map_sg(D, L, N, DMA_BIDIRECTIONAL, ...)
|
ib_dma_map_sg(D, L, N, DMA_BIDIRECTIONAL, ...)
)
... when any
(
dma_unmap_sg@p(V, L, M, DMA_BIDIRECTIONAL, ...)
|
dma_unmap_sg_attrs@p(V, L, M, DMA_BIDIRECTIONAL, ...)
|
pci_unmap_sg@p(V, L, M, DMA_BIDIRECTIONAL, ...)
|
ib_dma_unmap_sg@p(V, L, M, DMA_BIDIRECTIONAL, ...)
)

// to: mapped DMA_TO_DEVICE, unmapped in another direction.
@to exists@
expression D, L, F, N, M, V;
assignment operator set;
position p != {same_to.p, same_from.p, same_both.p};
@@
(
dma_map_sg(D, L, N, DMA_TO_DEVICE, ...)
|
dma_map_sg_attrs(D, L, N, DMA_TO_DEVICE, ...)
|
pci_map_sg(D, L, N, DMA_TO_DEVICE, ...)
|
ib_dma_map_sg(D, L, N, DMA_TO_DEVICE, ...)
)
... when != L set F
(
dma_unmap_sg@p(V, L, M, \(DMA_FROM_DEVICE\|DMA_BIDIRECTIONAL\), ...)
|
dma_unmap_sg_attrs@p(V, L, M, \(DMA_FROM_DEVICE\|DMA_BIDIRECTIONAL\), ...)
|
pci_unmap_sg@p(V, L, M, \(DMA_FROM_DEVICE\|DMA_BIDIRECTIONAL\), ...)
|
ib_dma_unmap_sg@p(V, L, M, \(DMA_FROM_DEVICE\|DMA_BIDIRECTIONAL\), ...)
)

// from: mapped DMA_FROM_DEVICE, unmapped in another direction.
@from exists@
expression D, L, F, N, M, V;
assignment operator set;
position p != {same_to.p, same_from.p, same_both.p};
@@
(
dma_map_sg(D, L, N, DMA_FROM_DEVICE, ...)
|
dma_map_sg_attrs(D, L, N, DMA_FROM_DEVICE, ...)
|
pci_map_sg(D, L, N, DMA_FROM_DEVICE, ...)
|
ib_dma_map_sg(D, L, N, DMA_FROM_DEVICE, ...)
)
... when != L set F
(
dma_unmap_sg@p(V, L, M, \(DMA_TO_DEVICE\|DMA_BIDIRECTIONAL\), ...)
|
dma_unmap_sg_attrs@p(V, L, M, \(DMA_TO_DEVICE\|DMA_BIDIRECTIONAL\), ...)
|
pci_unmap_sg@p(V, L, M, \(DMA_TO_DEVICE\|DMA_BIDIRECTIONAL\), ...)
|
ib_dma_unmap_sg@p(V, L, M, \(DMA_TO_DEVICE\|DMA_BIDIRECTIONAL\), ...)
)

// both: mapped DMA_BIDIRECTIONAL, unmapped in another direction.
@both exists@
expression D, L, F, N, M, V;
assignment operator set;
position p != {same_to.p, same_from.p, same_both.p};
@@
(
dma_map_sg(D, L, N, DMA_BIDIRECTIONAL, ...)
|
dma_map_sg_attrs(D, L, N, DMA_BIDIRECTIONAL, ...)
|
pci_map_sg(D, L, N, DMA_BIDIRECTIONAL, ...)
|
ib_dma_map_sg(D, L, N, DMA_BIDIRECTIONAL, ...)
)
... when != L set F
(
dma_unmap_sg@p(V, L, M, \(DMA_TO_DEVICE\|DMA_FROM_DEVICE\), ...)
|
dma_unmap_sg_attrs@p(V, L, M, \(DMA_TO_DEVICE\|DMA_FROM_DEVICE\), ...)
|
pci_unmap_sg@p(V, L, M, \(DMA_TO_DEVICE\|DMA_FROM_DEVICE\), ...)
|
ib_dma_unmap_sg@p(V, L, M, \(DMA_TO_DEVICE\|DMA_FROM_DEVICE\), ...)
)

// found: one of them, under one name.
@found@
identifier f;
position p = {to.p, from.p, both.p};
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
    "unmap-other-direction: the list was mapped in another direction: "
    "unmap it in the same one")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "unmap-other-direction: the list was mapped in another direction: "
    "unmap it in the same one")
