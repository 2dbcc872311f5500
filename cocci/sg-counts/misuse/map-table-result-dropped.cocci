// SPDX-License-Identifier: GPL-2.0-only
/// leave when dma_map_sgtable() returned an error number
///
/// dma_map_sgtable() returns 0 or a negative error number. Code that drops it
/// goes on with a table that is not mapped, and whoever reads its addresses
/// gets what an earlier mapping left there, or 0.
///
/// Test the result, and hand the error number on.
///
//# Left alone: a result that is stored, returned, tested or handed on. A
//# driver that maps a table to clean the caches, and takes no address from it,
//# is told too: that another file takes none cannot be seen.
//
// Shape: N3
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: map-table-result-dropped: dma_map_sgtable() returned an error
//   number or 0: test it
// Tokens: dma_map_sgtable

virtual patch
virtual context
virtual org
virtual report

// found: a mapping that is a statement of its own.
@found@
position p;
@@
dma_map_sgtable@p(...);

// context: mark the line.
@depends on context@
position found.p;
@@
* dma_map_sgtable@p(...)

// report: say it.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "map-table-result-dropped: dma_map_sgtable() returned an error number "
    "or 0: test it")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "map-table-result-dropped: dma_map_sgtable() returned an error number "
    "or 0: test it")
