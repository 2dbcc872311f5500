// SPDX-License-Identifier: GPL-2.0-only
/// end a walk over DMA segments at the mapped count
///
/// The chain of a scatterlist ends after its last CPU entry. After a merge
/// the DMA side ends earlier, and the entries behind it hold stale or empty
/// addresses. A walk that goes on until sg_next() returns NULL hands them to
/// the hardware.
///
/// Bound the walk by what dma_map_sg() returned: for_each_sg(sgl, sg, mapped,
/// i).
///
//# Left alone: a walk that ends at the first segment of length 0, or by a
//# count or a number of bytes of its own; a file that maps no list itself.
//
// Shape: N15
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: chain-walk-past-end: the DMA side ends after the mapped count,
//   before the chain does: bound the walk
// Tokens: sg_next

virtual patch
virtual context
virtual org
virtual report

// maps: the file maps lists.
@maps@
@@
(
dma_map_sg(...)
|
dma_map_sg_attrs(...)
|
pci_map_sg(...)
|
ib_dma_map_sg(...)
|
dma_map_sgtable(...)
)

// ended, broken: a loop whose body looks for the empty segment, or leaves.
@ended depends on maps exists@
idexpression struct scatterlist *sg;
expression L;
position w;
@@
(
while@w (sg) {
	... when any
	sg_dma_len(sg) == 0
	... when any
}
|
for@w (sg = L; sg; sg = sg_next(sg)) {
	... when any
	sg_dma_len(sg) == 0
	... when any
}
|
for@w (; sg; sg = sg_next(sg)) {
	... when any
	sg_dma_len(sg) == 0
	... when any
}
)

@broken depends on maps exists@
idexpression struct scatterlist *sg;
expression L;
position w;
@@
(
while@w (sg) {
	... when any
	break;
	... when any
}
|
for@w (sg = L; sg; sg = sg_next(sg)) {
	... when any
	break;
	... when any
}
|
for@w (; sg; sg = sg_next(sg)) {
	... when any
	break;
	... when any
}
)

// walked: a loop that the end of the chain ends, and reads the DMA side.
@walked depends on maps exists@
idexpression struct scatterlist *sg;
expression L;
position w != {ended.w, broken.w};
position p;
@@
(
while@w (sg) {
	... when any
	sg_dma_address@p(sg)
	... when any
	sg = sg_next(sg)
	... when any
}
|
for@w (sg = L; sg; sg = sg_next(sg)) {
	... when any
	sg_dma_address@p(sg)
	... when any
}
|
for@w (; sg; sg = sg_next(sg)) {
	... when any
	sg_dma_address@p(sg)
	... when any
}
)

// context: mark the line.
@depends on context@
identifier f;
position walked.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << walked.p;
@@
coccilib.report.print_report(p[0],
    "chain-walk-past-end: the DMA side ends after the mapped count, "
    "before the chain does: bound the walk")

// org: print the same.
@script:python depends on org@
p << walked.p;
@@
coccilib.org.print_todo(p[0],
    "chain-walk-past-end: the DMA side ends after the mapped count, "
    "before the chain does: bound the walk")
