// SPDX-License-Identifier: GPL-2.0-only
/// read the length of an entry before it is mapped
///
/// sg_dma_len() and sg_dma_address() have a meaning after dma_map_sg() only.
/// Before it they hold what an earlier mapping left behind, or nothing: where
/// CONFIG_NEED_SG_DMA_LENGTH is set, dma_length is a field of its own. A
/// check that runs before the mapping judges by chance.
///
/// Read sg->length there.
///
//# Left alone: a function that is also called behind a mapping, and a list
//# that the function does not map after the read, since its caller may have
//# mapped it.
//
//# Rewritten in patch mode, where no path leads from a mapping to the read.
//
// Shape: N18
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-length-before-map: the DMA side is read before the list is
//   mapped: take ->length here
// Changes: the length is that of the CPU side, where it was what the last mapping
//   had left there
// Tokens: sg_dma_len

virtual patch
virtual context
virtual org
virtual report

// read: the entry itself, and then its mapping.
@read exists@
identifier fn;
expression D, L;
position p;
@@
fn(...)
{
...
    when != dma_map_sg(...)
    when != dma_map_sg_attrs(...)
    when != pci_map_sg(...)
    when != ib_dma_map_sg(...)
    when != dma_map_sgtable(...)
sg_dma_len@p(L)
... when any
\(dma_map_sg(D, L, ...)\|dma_map_sg_attrs(D, L, ...)\|
  pci_map_sg(D, L, ...)\|ib_dma_map_sg(D, L, ...)\)
... when any
}

// walked: the entries of the list, and then its mapping.
@walked exists@
identifier fn;
iterator name for_each_sg;
expression D, L, N, sg, i;
position p;
@@
fn(...)
{
...
    when != dma_map_sg(...)
    when != dma_map_sg_attrs(...)
    when != pci_map_sg(...)
    when != ib_dma_map_sg(...)
    when != dma_map_sgtable(...)
for_each_sg(L, sg, N, i) {
	... when any
	sg_dma_len@p(sg)
	... when any
}
... when any
\(dma_map_sg(D, L, ...)\|dma_map_sg_attrs(D, L, ...)\|
  pci_map_sg(D, L, ...)\|ib_dma_map_sg(D, L, ...)\)
... when any
}

// helper: a function that reads and does not map.
@helper exists@
identifier h;
expression sg;
position p;
@@
h(...)
{
...
    when != dma_map_sg(...)
    when != dma_map_sg_attrs(...)
    when != pci_map_sg(...)
    when != ib_dma_map_sg(...)
    when != dma_map_sgtable(...)
sg_dma_len@p(sg)
... when any
}

// late: such a function called behind a mapping.
@late exists@
identifier helper.h;
@@
(
dma_map_sg(...)
|
dma_map_sg_attrs(...)
|
dma_map_sgtable(...)
)
... when any
h(...)

// early: one that is called before its caller maps what it was given.
@early depends on helper && !late exists@
identifier helper.h, f, g;
idexpression X;
expression D;
@@
h(..., X, ...)
... when any
(
dma_map_sg(D, \(X\|X->f\|X->f.g\), ...)
|
dma_map_sg_attrs(D, \(X\|X->f\|X->f.g\), ...)
)

// called: the read in it.
@called depends on early@
identifier f;
position p = {helper.p};
@@
f@p

// before: one of them, under one name.
@before@
identifier f;
position p = {read.p, walked.p, called.p};
@@
f@p

// mapped: a read that another path reaches behind a mapping.
@mapped depends on patch && before exists@
identifier f;
position before.p;
position q;
@@
\(dma_map_sg(...)\|dma_map_sg_attrs(...)\|pci_map_sg(...)\|
  ib_dma_map_sg(...)\|dma_map_sgtable(...)\)
... when any
f@p@q(...)

// patch: read the CPU side, which is all that there is.
@depends on patch@
expression sg;
position before.p;
position q != mapped.q;
@@
- sg_dma_len@p@q(sg)
+ sg->length

// context: mark the line.
@depends on context@
identifier f;
position before.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << before.p;
@@
coccilib.report.print_report(p[0],
    "dma-length-before-map: the DMA side is read before the list is "
    "mapped: take ->length here")

// org: print the same.
@script:python depends on org@
p << before.p;
@@
coccilib.org.print_todo(p[0],
    "dma-length-before-map: the DMA side is read before the list is "
    "mapped: take ->length here")
