// SPDX-License-Identifier: GPL-2.0-only
/// test what dma_map_sg() returned for 0
///
/// dma_map_sg() and its relatives return the number of DMA segments, and 0
/// when the mapping failed. They never return a negative number, and the
/// result is no DMA address that dma_mapping_error() could judge. A test for
/// a negative result passes over every failure, and the code goes on with a
/// list that is not mapped.
///
/// Test the result for 0, and return an error number of your own: the result
/// holds none.
///
//# Left alone: a result that is tested for 0 first, one that was replaced
//# before the test, and `n <= 0` whose branch does not return n, which
//# catches the failure (map-result-never-negative.cocci reports it).
//
//# Rewritten in patch mode, where the branch does not return the result and
//# nothing else is tested: to !n.
//
// Shape: N9
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: map-result-below-zero: dma_map_sg() returns 0 when it fails and
//   is never negative: test for 0
// Changes: a mapping that fails takes the path of the error now, where it was
//   taken for one that worked
// Tokens: dma_map_sg dma_map_sg_attrs pci_map_sg ib_dma_map_sg

virtual patch
virtual context
virtual org
virtual report

// below: the first test, on some path from the mapping, that a negative number
// alone passes; n may be a variable or a member. A test for 0 on the way, or
// another value, ends the search.
@below exists@
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
    when != \(n == 0\|n <= 0\|n > 0\)
(
n@p < 0
|
dma_mapping_error(D, n@p)
|
IS_ERR_VALUE(n@p)
)

// direct: the call stands in the test itself.
@direct@
expression D;
position p;
@@
(
dma_map_sg@p(...) < 0
|
dma_map_sg_attrs@p(...) < 0
|
pci_map_sg@p(...) < 0
|
ib_dma_map_sg@p(...) < 0
|
dma_mapping_error(D, dma_map_sg@p(...))
)

// passed: a failure is returned as 0, which callers take for success.
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

// found: one of them, under one name.
@found@
expression e;
position p = {below.p, direct.p, passed.p};
@@
e@p

// What follows rewrites a test, where nothing but the mapping's result is tested
// on every path.

// mapped: where results are stored.
@mapped depends on patch && found@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression D, n;
position a;
@@
n@a = map(D, ...)

// other: what is tested can come from somewhere else.
@other depends on mapped exists@
expression n, E, F;
assignment operator set, again;
position found.p;
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
position found.p;
position q;
@@
fn(...)
{
... when != n = map(...)
n@p@q
... when any
}

// inside: a branch that hands the result on as an error number.
@inside depends on mapped exists@
expression n, X;
position found.p;
position q;
@@
if (<+... n@p@q ...+>) {
<+...
\(return <+... n ...+>;\|X = <+... n ...+>;\)
...+>
}

// back: a result that is returned behind the test, on some path.
@back depends on mapped exists@
expression n, E;
assignment operator set;
position found.p;
position r, q;
@@
n@p@q
... when != n set E
return@r <+... n ...+>;

// apart: a branch that returns something else on each of its paths.
@apart depends on back forall@
expression n, R;
position found.p;
position r != back.r;
position k;
@@
(
if (<+... n@p@k ...+>)
	return@r R;
|
if (<+... n@p@k ...+>) {
	...
	return@r R;
}
)

// lost: the tests whose branch may return a 0 that stands for a failure.
@lost depends on back@
expression n;
position q = {back.q};
position k != apart.k;
@@
n@q@k

// patch: test for 0. A branch that returns the result needs an error number
// of its own, and so a person.
@depends on patch@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
expression n, D;
expression list ES;
position found.p;
position q != {other.q, unset.q, inside.q, lost.q};
@@
(
- map@p(ES) < 0
+ !map(ES)
|
- dma_mapping_error(D, map@p(ES))
+ !map(ES)
|
- n@p@q < 0
+ !n
|
- dma_mapping_error(D, n@p@q)
+ !n
|
- IS_ERR_VALUE(n@p@q)
+ !n
)

// context: mark the line.
@depends on context@
expression e;
position found.p;
@@
* e@p

// report: print the finding.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "map-result-below-zero: dma_map_sg() returns 0 when it fails and is "
    "never negative: test for 0")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "map-result-below-zero: dma_map_sg() returns 0 when it fails and is "
    "never negative: test for 0")
