// SPDX-License-Identifier: GPL-2.0-only
/// step the iterator before it is read
///
/// __sg_page_iter_start() puts an iterator before the first page. Until the
/// first next it stands on no entry or on the first one with an offset not
/// yet advanced, and next has not yet said that there is a page at all.
///
/// Call the iterator's next, test what it returns, then read.
///
//# Left alone: a do loop behind a first next, and an iterator that a helper
//# of the driver may have stepped: one that is handed the iterator, by a
//# pointer to a function too, or the structure it lies in, or an iterator
//# whose address is stored.
//
// Shape: M6
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: accessor-before-next: the iterator is read before its first next;
//   call next, test it, then read
// Tokens: __sg_page_iter_start

virtual patch
virtual context
virtual org
virtual report

// tested: a read in an expression that has called a function before it.
@tested@
expression A, FN, X;
position q;
@@
(
FN(...) ? <+...
	\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)
	...+> : X
|
!FN(...) ? X : <+...
	\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)
	...+>
|
FN(...) && <+...
	\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)
	...+>
|
!FN(...) || <+...
	\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)
	...+>
)

// whole: an iterator in a structure that is handed to a function in between.
@whole exists@
expression A, FN, X;
identifier mem != base;
position q;
@@
__sg_page_iter_start(\(&X->mem\|&X.mem\|&X->mem.base\|&X.mem.base\), ...)
... when any
FN(..., \(X\|&X\), ...)
... when any
\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)

// alias: an iterator whose address has another name.
@alias exists@
expression E, V;
position q;
@@
V = \(&E\|&E.base\|&E->base\)
... when any
\(sg_page_iter_dma_address@q(\(&E\|E\))\|sg_page_iter_page@q(\(&E\|E\))\)

// dma: a DMA address read between start and the first next. Anything that is
// handed the iterator may step it.
@dma exists@
expression E;
position p != {tested.q, whole.q, alias.q};
@@
__sg_page_iter_start(&E.base, ...)
... when != &E
    when != &E.base
sg_page_iter_dma_address@p(&E)

// pointer: the same through a pointer.
@pointer exists@
expression E, F, FN;
position p != {tested.q, whole.q, alias.q};
@@
__sg_page_iter_start(&E->base, ...)
... when != FN(..., E, ...)
    when != &E->base
    when != E = F
sg_page_iter_dma_address@p(E)

// page: the same with a page iterator.
@page exists@
expression E, F, FN;
position p != {tested.q, whole.q, alias.q};
@@
__sg_page_iter_start(E, ...)
... when != FN(..., E, ...)
    when != E = F
sg_page_iter_page@p(E)


// found: all of these.
@found@
identifier f;
position p = {dma.p, pointer.p, page.p};
@@
f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position found.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0],
    "accessor-before-next: the iterator is read before its first next; "
    "call next, test it, then read")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "accessor-before-next: the iterator is read before its first next; "
    "call next, test it, then read")
