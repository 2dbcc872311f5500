// SPDX-License-Identifier: GPL-2.0-only
/// keep the number of segments, not the error number
///
/// dma_map_sgtable() returns 0 or a negative error number; how many segments
/// the list has stands in nents of the table. A structure that keeps the
/// result as its number of chunks or segments has 0 of them after every
/// mapping that worked.
///
/// Keep the table's nents.
///
//# Left alone: a field with the name of a status, and a result that was
//# replaced before. A result that counts a loop is errno-as-count.cocci's.
//
// Shape: N13
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: errno-kept-as-count: dma_map_sgtable() returns 0 or an error
//   number: the number of segments is nents of the table
// Tokens: dma_map_sgtable

virtual patch
virtual context
virtual org
virtual report

// kept: the result in a field that is no status.
@kept exists@
idexpression n;
expression D, T, X, E;
identifier f != {err, error, errno, ret, retval, rc, rv, res, result, status,
		 state};
position p;
@@
n = dma_map_sgtable(D, T, ...)
... when != n = E
(
X@p->f = n
|
X@p.f = n
)

// direct: the call itself is the value.
@direct@
expression D, T, X;
identifier f != {err, error, errno, ret, retval, rc, rv, res, result, status,
		 state, nents};
position p;
@@
(
X@p->f = dma_map_sgtable(D, T, ...)
|
X@p.f = dma_map_sgtable(D, T, ...)
)

// handed: the result as the count of somebody who steps through the list.
@handed exists@
idexpression n;
expression D, T, E, C, L;
position p;
@@
n = dma_map_sgtable(D, T, ...)
... when != n = E
(
dmaengine_prep_slave_sg@p(C, L, n, ...)
|
ib_map_mr_sg@p(C, L, n, ...)
|
sg_copy_to_buffer@p(L, n, ...)
|
sg_copy_from_buffer@p(L, n, ...)
)

// found: one of them, under one name.
@found@
expression e;
position p = {kept.p, direct.p, handed.p};
@@
e@p

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
    "errno-kept-as-count: dma_map_sgtable() returns 0 or an error "
    "number: the number of segments is nents of the table")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "errno-kept-as-count: dma_map_sgtable() returns 0 or an error "
    "number: the number of segments is nents of the table")
