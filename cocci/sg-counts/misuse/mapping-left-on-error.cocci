// SPDX-License-Identifier: GPL-2.0-only
/// unmap the list on the way out
///
/// A list that stays mapped when a function gives up leaks its IOMMU space or
/// its bounce buffers, one more with every failure.
///
/// Unmap it before the return.
///
//# Left alone: a path on which anything with unmap, free, clean, release,
//# finish, complete, abort or error in its name is called; half of the rest
//# is right, since a caller unmaps.
//
// Shape: N21
// Confidence: Low
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: mapping-left-on-error: this return leaves the list mapped: unmap
//   it first
// Tokens: dmaengine_prep_slave_sg device_prep_slave_sg

virtual patch
virtual context
virtual org
virtual report

// left: no descriptor, and out with the list mapped.
@left exists@
expression D, L, C, M;
expression desc;
identifier u0 =~ "unmap";
identifier u1 =~ "free";
identifier u2 =~ "clean";
identifier u3 =~ "release";
identifier u4 =~ "finish";
identifier u5 =~ "complete";
identifier u6 =~ "abort";
identifier u7 =~ "err";
identifier u8 =~ "stop";
identifier u9 =~ "done";
identifier u10 =~ "unprep";
constant e;
position p;
@@
(
dma_map_sg(D, L, ...)
|
dma_map_sg_attrs(D, L, ...)
)
...
    when != u0(...)
    when != u1(...)
    when != u2(...)
    when != u3(...)
    when != u4(...)
    when != u5(...)
    when != u6(...)
    when != u7(...)
    when != u8(...)
    when != u9(...)
    when != u10(...)
(
desc = dmaengine_prep_slave_sg(C, L, ...)
|
desc = C->device_prep_slave_sg(M, L, ...)
|
desc = C->device->device_prep_slave_sg(M, L, ...)
)
...
    when != u0(...)
    when != u1(...)
    when != u2(...)
    when != u3(...)
    when != u4(...)
    when != u5(...)
    when != u6(...)
    when != u7(...)
    when != u8(...)
    when != u9(...)
    when != u10(...)
(
if (desc == NULL)
	return@p \(-e\|NULL\|false\);
|
if (desc == NULL) {
	...
	    when != u0(...)
	    when != u1(...)
	    when != u2(...)
	    when != u3(...)
	    when != u4(...)
	    when != u5(...)
	    when != u6(...)
	    when != u7(...)
	    when != u8(...)
	    when != u9(...)
	    when != u10(...)
	return@p \(-e\|NULL\|false\);
}
)

// context: mark the line.
@depends on context@
position left.p;
@@
* return@p ...;

// report: print the finding.
@script:python depends on report@
p << left.p;
@@
coccilib.report.print_report(p[0],
    "mapping-left-on-error: this return leaves the list mapped: unmap "
    "it first")

// org: print the same.
@script:python depends on org@
p << left.p;
@@
coccilib.org.print_todo(p[0],
    "mapping-left-on-error: this return leaves the list mapped: unmap "
    "it first")
