// SPDX-License-Identifier: GPL-2.0-only
/// hand the mapped count to the DMA consumer
///
/// dmaengine_prep_slave_sg() and ib_map_mr_sg() step through the DMA side of
/// the list. It has as many segments as dma_map_sg() returned; the count from
/// before the mapping may be larger, and what lies past the last segment is
/// stale or empty.
///
/// Keep the result of the mapping and pass it on.
///
//# Left alone: a list of one entry, which has one segment; code that refuses
//# a mapping that merged (`n != N`, `n < N`); a count that was assigned anew;
//# and, where another function than this one maps the list, all but a list and
//# a count that are the same two fields of a structure in both.
//
//# Rewritten in patch mode, where the result is in a variable at the call.
//
// Shape: N11
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-consumer-orig-nents: the DMA side has as many segments as
//   the mapping returned, not the count it was given
// Changes: where entries were merged, the device is given the segments that
//   there are, and no more
// Tokens: dmaengine_prep_slave_sg device_prep_slave_sg ib_map_mr_sg

virtual patch
virtual context
virtual org
virtual report

// merging: a mapping whose result is compared with the count that it was given.
@merging exists@
expression n, D, E, L, N;
assignment operator set;
position m;
@@
(
n = dma_map_sg@m(D, L, N, ...)
|
n = dma_map_sg_attrs@m(D, L, N, ...)
|
n = pci_map_sg@m(D, L, N, ...)
|
n = ib_dma_map_sg@m(D, L, N, ...)
)
... when != n set E
\(n != N\|n < N\|n == N\|N > n\|N != n\)

// kept: the result takes the place of the count.
@kept@
expression D, L, N;
position m;
@@
(
N = dma_map_sg@m(D, L, N, ...)
|
N = dma_map_sg_attrs@m(D, L, N, ...)
|
N = pci_map_sg@m(D, L, N, ...)
|
N = ib_dma_map_sg@m(D, L, N, ...)
)

// given: the list is handed on with the count from before the mapping.
@given exists@
expression D, L, C, E, F, M;
expression N;
assignment operator set;
position m != {merging.m, kept.m};
position p;
@@
(
dma_map_sg@m(D, L, N, ...)
|
dma_map_sg_attrs@m(D, L, N, ...)
|
pci_map_sg@m(D, L, N, ...)
|
ib_dma_map_sg@m(D, L, N, ...)
)
... when != N set E
    when != L set F
    when != \(N++\|N--\|++N\|--N\|&N\)
    when != \(dma_unmap_sg\|dma_unmap_sg_attrs\|pci_unmap_sg\|ib_dma_unmap_sg\)(D, L, ...)
(
dmaengine_prep_slave_sg@p(C, L, N, ...)
|
C->device_prep_slave_sg(M@p, L, N, ...)
|
C->device->device_prep_slave_sg(M@p, L, N, ...)
|
ib_map_mr_sg@p(C, L, N, ...)
)

// fields: a list and its count that are two fields of one structure.
@fields@
identifier l, c;
expression D, X;
position m != {merging.m, kept.m};
@@
(
dma_map_sg@m(D, X->l, X->c, ...)
|
dma_map_sg_attrs@m(D, X->l, X->c, ...)
|
pci_map_sg@m(D, X->l, X->c, ...)
|
ib_dma_map_sg@m(D, X->l, X->c, ...)
)

// refilled: a result that goes to such a count.
@refilled depends on fields@
identifier fields.c;
expression X;
@@
X->c = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(...)

// filled: the same by way of a variable.
@filled depends on fields exists@
identifier fields.c;
idexpression n;
expression E, X;
assignment operator set;
@@
n = \(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(...)
... when != n set E
X->c = n

// own: a function that maps, which the paths above have judged.
@own depends on fields@
identifier fn;
position h;
@@
fn@h(...)
{
<+...
\(dma_map_sg\|dma_map_sg_attrs\|pci_map_sg\|ib_dma_map_sg\)(...)
...+>
}

// far: another one, which hands on the two.
@far depends on fields && !refilled && !filled@
identifier fields.l, fields.c;
identifier fn;
expression C, M, Y;
position h != own.h;
position p;
@@
fn@h(...)
{
<+...
(
dmaengine_prep_slave_sg@p(C, Y->l, Y->c, ...)
|
C->device_prep_slave_sg(M@p, Y->l, Y->c, ...)
|
C->device->device_prep_slave_sg(M@p, Y->l, Y->c, ...)
|
ib_map_mr_sg@p(C, Y->l, Y->c, ...)
)
...+>
}

// table: the same for a table that was mapped as one.
@table exists@
expression D, T, C, M;
position p;
@@
dma_map_sgtable(D, T, ...)
... when != dma_unmap_sgtable(D, T, ...)
(
dmaengine_prep_slave_sg@p(C, \(T->sgl\|T.sgl\), \(T->orig_nents\|T.orig_nents\), ...)
|
C->device_prep_slave_sg(M@p, \(T->sgl\|T.sgl\), \(T->orig_nents\|T.orig_nents\), ...)
|
C->device->device_prep_slave_sg(M@p, \(T->sgl\|T.sgl\), \(T->orig_nents\|T.orig_nents\), ...)
|
ib_map_mr_sg@p(C, \(T->sgl\|T.sgl\), \(T->orig_nents\|T.orig_nents\), ...)
)

// one: a list of one entry has one segment.
@one@
expression L, C, M;
position p;
@@
(
dmaengine_prep_slave_sg@p(C, L, 1, ...)
|
C->device_prep_slave_sg(M@p, L, 1, ...)
|
C->device->device_prep_slave_sg(M@p, L, 1, ...)
|
ib_map_mr_sg@p(C, L, 1, ...)
)

// wrong: what is left; the place is the name of the function, or the channel
// where the function is a field.
@wrong@
expression f;
position q != one.p;
position p = {given.p, far.p, table.p};
@@
f@p@q

// counted: the result of the mapping is in a variable up to the call.
@counted depends on patch && wrong exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier f;
idexpression n;
expression C, D, E, L, N;
assignment operator set;
position m;
position wrong.p;
@@
n = map@m(D, L, N, ...)
... when != n set E
    when != \(n++\|n--\|++n\|--n\|&n\)
f@p(C, L, N, ...)

// other: a path on which that mapping was not made.
@other depends on counted exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier f, fn;
idexpression counted.n;
position counted.m;
position wrong.p;
position q;
@@
fn(...)
{
... when != n = map@m(...)
f@p@q(...)
... when any
}

// anew: a path on which the variable has changed since.
@anew depends on counted exists@
identifier map = {dma_map_sg, dma_map_sg_attrs, pci_map_sg, ib_dma_map_sg};
identifier f;
idexpression counted.n;
expression E;
assignment operator set;
position counted.m;
position wrong.p;
position q;
@@
n = map@m(...)
... when any
    when != map@m(...)
\(n set E\|n++\|n--\|++n\|--n\|&n\)
... when any
    when != map@m(...)
f@p@q(...)

// half: the result of the consumer is compared with that count, which would
// have to change with it.
@half depends on counted exists@
identifier f;
expression r, C, L, N;
position wrong.p;
position q;
@@
r = f@p@q(C, L, N, ...)
... when any
\(r != N\|r == N\|r < N\|N > r\)

// patch: hand over what the mapping returned.
@depends on patch@
idexpression counted.n;
expression C, L, N;
identifier f;
position wrong.p;
position q != {other.q, anew.q, half.q};
@@
f@p@q(C, L,
- N
+ n
  , ...)

// context: mark the line.
@depends on context@
expression f;
position wrong.p;
@@
* f@p

// report: print the finding.
@script:python depends on report@
p << wrong.p;
@@
coccilib.report.print_report(p[0],
    "dma-consumer-orig-nents: the DMA side has as many segments as the "
    "mapping returned, not the count it was given")

// org: print the same.
@script:python depends on org@
p << wrong.p;
@@
coccilib.org.print_todo(p[0],
    "dma-consumer-orig-nents: the DMA side has as many segments as the "
    "mapping returned, not the count it was given")
