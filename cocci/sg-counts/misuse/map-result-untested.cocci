// SPDX-License-Identifier: GPL-2.0-only
/// leave when dma_map_sg() returned 0
///
/// dma_map_sg() returns 0 when the mapping failed. Code that keeps the result
/// and never looks whether it is 0 hands a list that is not mapped to the
/// hardware, or tells it to do nothing and waits for the end of it.
///
/// Leave with an error when the result is 0.
///
//# Left alone: a result that any path tests or returns before it is replaced;
//# one that is handed to a function, unless this file has the function, which
//# walks with it and nothing else; one that is kept in a field that the file
//# tests; and one that is copied to another variable.
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

// walker: a function of this file that walks with a count it is given.
@walker@
identifier g, c;
iterator name for_each_sg;
parameter list[k] before;
type T;
expression L, sg, i;
statement S;
position w;
@@
g@w(before, T c, ...)
{
<+...
for_each_sg(L, sg, c, i) S
...+>
}

// looks: one that can notice the 0, or hands the count on.
@looks exists@
identifier g, c, h;
parameter list[walker.k] before;
type T;
statement S, S2;
expression A, B;
position walker.w;
@@
g@w(before, T c, ...)
{
... when any
(
if (<+... c ...+>) S else S2
|
if (<+... c ...+>) S
|
while (<+... c ...+>) S
|
return <+... c ...+>;
|
h(..., c, ...)
|
c ? A : B
)
... when any
}

// told: a call of such a one.
@told@
identifier looks.g;
expression list[walker.k] before;
expression n;
position h;
@@
g@h(before, n, ...)

// lent: a count that one is given that cannot.
@lent@
identifier walker.g;
expression list[walker.k] before;
expression n;
position h != told.h;
@@
g@h(before, n, ...)

// tested: a path on which somebody can notice the 0.
@tested exists@
local idexpression n;
expression E, A, B;
identifier f;
assignment operator set;
statement S, S2;
position h != lent.h;
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
f@h(..., n, ...)
|
n ? A : B
)

// kept: a field that the result goes to.
@kept exists@
local idexpression n;
identifier fld;
expression E, X;
assignment operator set;
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
\(X->fld\|X.fld\) = n

// asked: that field, where something depends on it.
@asked@
identifier kept.fld;
expression A, B, X;
statement S, S2;
position y;
@@
(
if (<+... \(X->fld@y\|X.fld@y\) ...+>) S else S2
|
if (<+... \(X->fld@y\|X.fld@y\) ...+>) S
|
while (<+... \(X->fld@y\|X.fld@y\) ...+>) S
|
return <+... \(X->fld@y\|X.fld@y\) ...+>;
|
\(X->fld@y\|X.fld@y\) ? A : B
)

// asked_fld: its name.
@asked_fld@
identifier fld;
expression X;
position y = {asked.y};
@@
\(X->fld@y\|X.fld@y\)

// known: every place that sets it.
@known depends on asked_fld@
identifier asked_fld.fld;
expression X, n;
position s;
@@
\(X->fld@s\|X.fld@s\) = n

// used: the result is the bound of a loop, or is given to the hardware.
@used exists@
local idexpression n;
iterator name for_each_sg;
identifier fld, g;
expression E, L, sg, i, A, B, X;
assignment operator set;
statement S;
position p != tested.p;
position s != known.s;
position h = {lent.h};
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
\(X->fld@s\|X.fld@s\|A[B]\|*X\) = n
|
g@h(..., n, ...)
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
