// SPDX-License-Identifier: GPL-2.0-only
/// test what sg_nents_for_len() returned
///
/// sg_nents_for_len() returns a negative error number when the list is
/// shorter than the length asked for. Taken for a count it is a huge number
/// of entries, or a negative one, for which a mapping before v5.15 stops the
/// kernel.
///
/// Leave with the error number when it is negative.
///
//# Left alone: a result that some path compares with 0 before it is replaced,
//# and one that is returned; one that sg_copy_to_buffer() or a relative of it
//# is given, which ends where the list does; and one that an unmapping is
//# given, since the same number was mapped before. Half of the rest is right,
//# since a framework has checked the length before.
//
// Shape: N20
// Confidence: Low
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: nents-for-len-unchecked: a negative result is an error number,
//   not a count: test it
// Tokens: sg_nents_for_len

virtual patch
virtual context
virtual org
virtual report

// tested: a path on which the sign is looked at.
@tested exists@
expression n, E;
assignment operator set;
position p;
@@
n = sg_nents_for_len@p(...)
... when != n set E
(
n < 0
|
n <= 0
|
n > 0
|
n >= 0
|
n < 1
|
IS_ERR_VALUE(n)
)

// returned: the caller is told.
@returned@
expression n;
position p;
@@
(
return sg_nents_for_len@p(...);
|
n = sg_nents_for_len@p(...);
return n;
)

// unsigned_: the sign is lost, so that a test for it is always false.
@unsigned_ exists@
{unsigned int, unsigned long, unsigned short, size_t} n;
position p;
@@
n = sg_nents_for_len@p(...)

// kept: the result as a count.
@kept@
expression n;
position p != {tested.p, returned.p};
@@
n = sg_nents_for_len@p(...)

// ends: handed on at once to a call that ends with the list, or that repeats
// what a mapping was given.
@ends@
position p;
@@
(
\(sg_copy_to_buffer\|sg_copy_from_buffer\|sg_pcopy_to_buffer\|
   sg_pcopy_from_buffer\|sg_copy_buffer\|
   sg_zero_buffer\)(..., sg_nents_for_len@p(...), ...)
|
\(dma_unmap_sg\|dma_unmap_sg_attrs\|pci_unmap_sg\|
   ib_dma_unmap_sg\)(..., sg_nents_for_len@p(...), ...)
)

// nested: handed on at once to any other.
@nested@
identifier g;
position p != ends.p;
@@
g(..., sg_nents_for_len@p(...), ...)

// found: one of them, under one name.
@found@
identifier f;
position p = {kept.p, unsigned_.p, nested.p};
@@
f@p

// context: mark the line.
@depends on context@
identifier f;
position found.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "nents-for-len-unchecked: a negative result is an error number, not "
    "a count: test it")

// org: print the same.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "nents-for-len-unchecked: a negative result is an error number, not "
    "a count: test it")
