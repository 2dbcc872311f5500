// SPDX-License-Identifier: GPL-2.0-only
/// leave when dma_map_sg() returned 0
///
/// dma_map_sg() returns 0 when the mapping failed. Code that keeps the result
/// and never looks whether it is 0 hands a list that is not mapped to the
/// hardware, or tells it to do nothing and waits for the end of it.
///
/// Leave with an error when the result is 0.
///
//# Left alone: a result that any path tests, returns or hands to a function
//# before it is replaced, and one that is kept in a structure, where another
//# function may test it.
//
// Shape: N10
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: map-result-untested: the result is used as a count and never
//   tested for 0, which is the failure
// Tokens: dma_map_sg dma_map_sg_attrs pci_map_sg ib_dma_map_sg

virtual patch
virtual context
virtual org
virtual report

// tested: a path on which somebody can notice the 0.
@tested exists@
local idexpression n;
expression E, A, B;
identifier f;
assignment operator set;
statement S, S2;
position p;
@@
(
n = dma_map_sg@p(...)
|
n = dma_map_sg_attrs@p(...)
|
n = pci_map_sg@p(...)
|
n = ib_dma_map_sg@p(...)
)
... when != n set E
(
if (<+... n ...+>) S else S2
|
if (<+... n ...+>) S
|
while (<+... n ...+>) S
|
return <+... n ...+>;
|
f(..., n, ...)
|
n ? A : B
)

// used: the result is the bound of a loop, or told to the hardware.
@used exists@
local idexpression n;
iterator name for_each_sg;
expression E, L, sg, i, A, B, X;
assignment operator set;
statement S;
position p != tested.p;
@@
(
n = dma_map_sg@p(...)
|
n = dma_map_sg_attrs@p(...)
|
n = pci_map_sg@p(...)
|
n = ib_dma_map_sg@p(...)
)
... when != n set E
(
for_each_sg(L, sg, n, i) S
|
for (A; <+... n ...+>; B) S
|
X = n
)

// context: mark the line.
@depends on context@
identifier f;
position used.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << used.p;
@@
coccilib.report.print_report(p[0],
    "map-result-untested: the result is used as a count and never "
    "tested for 0, which is the failure")

// org: print the same.
@script:python depends on org@
p << used.p;
@@
coccilib.org.print_todo(p[0],
    "map-result-untested: the result is used as a count and never "
    "tested for 0, which is the failure")
