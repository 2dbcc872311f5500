// SPDX-License-Identifier: GPL-2.0-only
/// take the count from nents, not from the result
///
/// dma_map_sgtable() returns 0 or a negative errno; the mapped count is in
/// nents of the table. Code that keeps its result as a number of entries sees
/// none on success, and code that takes 0 for a failure fails when it worked.
///
/// Test the result for being non-zero and read nents.
///
//# Left alone: a result that is returned, tested for being non-zero or
//# negative, or kept as an error.
//
// Shape: N8
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: errno-as-count: dma_map_sgtable() returns 0 or an errno, not a
//   count: test it, and read nents of the table
// Tokens: dma_map_sgtable

virtual patch
virtual context
virtual org
virtual report

// stored: the result in nents.
@stored@
expression D, T, X;
position p;
@@
(
X->nents = dma_map_sgtable@p(D, T, ...)
|
X.nents = dma_map_sgtable@p(D, T, ...)
)

// inverted: 0 taken for a failure.
@inverted@
constant e;
expression D, T;
position p;
@@
(
if (dma_map_sgtable@p(D, T, ...) == 0) {
	...
	return \(-e\|ERR_PTR(-e)\);
}
|
if (dma_map_sgtable@p(D, T, ...) == 0)
	return \(-e\|ERR_PTR(-e)\);
)

// counted: the result as the count of a loop or of a limit.
@counted exists@
iterator name for_each_sg, for_each_sg_dma_page;
constant e;
expression D, T, L, sg, i, A, E;
idexpression n;
statement S, S1;
position p;
@@
n = dma_map_sgtable@p(D, T, ...)
... when != n = E
    when != return n;
(
for_each_sg(L, sg, n, i) S
|
for_each_sg_dma_page(L, A, n, i) S
|
if (n != T->nents) S1
|
if (n != T.nents) S1
|
if (n == 0)
	return \(-e\|ERR_PTR(-e)\);
|
if (n == 0) {
	...
	return \(-e\|ERR_PTR(-e)\);
}
)

// context: mark the line.
@depends on context@
identifier f;
position stored.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position inverted.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position counted.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << stored.p;
@@
coccilib.report.print_report(p[0],
    "errno-as-count: dma_map_sgtable() returns 0 or an errno, not a count: "
    "test it, and read nents of the table")

// org: say it.
@script:python depends on org@
p << stored.p;
@@
coccilib.org.print_todo(p[0],
    "errno-as-count: dma_map_sgtable() returns 0 or an errno, not a count: "
    "test it, and read nents of the table")

// report: say it.
@script:python depends on report@
p << inverted.p;
@@
coccilib.report.print_report(p[0],
    "errno-as-count: dma_map_sgtable() returns 0 or an errno, not a count: "
    "test it, and read nents of the table")

// org: say it.
@script:python depends on org@
p << inverted.p;
@@
coccilib.org.print_todo(p[0],
    "errno-as-count: dma_map_sgtable() returns 0 or an errno, not a count: "
    "test it, and read nents of the table")

// report: say it.
@script:python depends on report@
p << counted.p;
@@
coccilib.report.print_report(p[0],
    "errno-as-count: dma_map_sgtable() returns 0 or an errno, not a count: "
    "test it, and read nents of the table")

// org: say it.
@script:python depends on org@
p << counted.p;
@@
coccilib.org.print_todo(p[0],
    "errno-as-count: dma_map_sgtable() returns 0 or an errno, not a count: "
    "test it, and read nents of the table")
