// SPDX-License-Identifier: GPL-2.0-only
/// test the count of a mapping for 0 alone
///
/// dma_map_sg() returns 0 when it fails and is never negative. `n <= 0`
/// catches the failure, and tells the next reader that there are error
/// numbers to pass on.
///
/// Write !n, and let the count be unsigned.
///
//# Left alone: every test that map-result-below-zero.cocci reports.
//
//# Rewritten in patch mode, where nothing else is tested: to !n.
//
// Shape: N9
// Confidence: Low
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: map-result-never-negative: dma_map_sg() is never negative: 0
//   alone is the failure
// Changes: nothing changes, as the result is never negative
// Tokens: dma_map_sg dma_map_sg_attrs pci_map_sg ib_dma_map_sg

virtual patch
virtual context
virtual org
virtual report

// passed: a branch that returns the 0 is a mistake of its own.
@passed exists@
expression n, D, E;
assignment operator set;
position p;
@@
(
n = dma_map_sg(D, ...)
|
n = dma_map_sg_attrs(D, ...)
|
n = pci_map_sg(D, ...)
|
n = ib_dma_map_sg(D, ...)
)
... when != n set E
(
if (n@p <= 0)
	return n;
|
if (n@p <= 0) {
	... when != n set E
	return n;
}
)

// below: the result of a mapping in the test.
@below exists@
expression n, D, E;
assignment operator set;
position p != passed.p;
@@
(
n = dma_map_sg(D, ...)
|
n = dma_map_sg_attrs(D, ...)
|
n = pci_map_sg(D, ...)
|
n = ib_dma_map_sg(D, ...)
)
... when != n set E
n@p <= 0

// What follows rewrites a test, where nothing but the mapping's result is tested
// on every path.

// mapped: where results are stored.
@mapped depends on patch && below@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, n;
position a;
@@
n@a = map(D, ...)

// other: what is tested can come from somewhere else.
@other depends on mapped exists@
expression n, E, F;
assignment operator set, again;
position below.p;
position a != mapped.a;
position q;
@@
n@a set E
... when != n again F
n@p@q

// unset: what is tested can be older than the mapping.
@unset depends on mapped exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier fn;
expression n;
position below.p;
position q;
@@
fn(...)
{
... when != n = map(...)
n@p@q
... when any
}

// patch: write what is tested.
@depends on patch@
expression n;
position below.p;
position q != {other.q, unset.q};
@@
- n@p@q <= 0
+ !n

// context: mark the line.
@depends on context@
expression e;
position below.p;
@@
* e@p

// report: print the finding.
@script:python depends on report@
p << below.p;
@@
coccilib.report.print_report(p[0],
    "map-result-never-negative: dma_map_sg() is never negative: 0 alone "
    "is the failure")

// org: print the same.
@script:python depends on org@
p << below.p;
@@
coccilib.org.print_todo(p[0],
    "map-result-never-negative: dma_map_sg() is never negative: 0 alone "
    "is the failure")
