// SPDX-License-Identifier: GPL-2.0-only
/// step the iterator before it is read
///
/// __sg_page_iter_start() puts an iterator before the first page. Until the
/// first next it stands on no entry or on the first one with an offset not yet
/// advanced, and next has not yet said that there is a page at all.
///
/// Call the iterator's next, test what it returns, then read.
///
//# Left alone: a do loop behind a first next, and an iterator that a helper of
//# the driver may have stepped.
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

// tested: a read in the expression that has stepped the iterator before it.
@tested@
expression A, X;
identifier fn;
position q;
@@
(
fn(..., A, ...) ? <+...
	\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)
	...+> : X
|
fn(..., A, ...) && <+...
	\(sg_page_iter_dma_address@q(A)\|sg_page_iter_page@q(A)\)
	...+>
)

// dma: a DMA address read between start and the first next.
@dma exists@
expression E;
identifier fn != {sg_page_iter_dma_address, sg_page_iter_page,
	__sg_page_iter_start};
position p != tested.q;
@@
__sg_page_iter_start(&E.base, ...)
... when != __sg_page_iter_dma_next(&E)
    when != __sg_page_iter_next(&E.base)
    when != fn(..., &E, ...)
    when != fn(..., &E.base, ...)
sg_page_iter_dma_address@p(&E)

// pointer: the same through a pointer.
@pointer exists@
expression E;
identifier fn != {sg_page_iter_dma_address, sg_page_iter_page,
	__sg_page_iter_start};
position p != tested.q;
@@
__sg_page_iter_start(&E->base, ...)
... when != __sg_page_iter_dma_next(E)
    when != __sg_page_iter_next(&E->base)
    when != fn(..., E, ...)
    when != fn(..., &E->base, ...)
sg_page_iter_dma_address@p(E)

// page: the same with a page iterator.
@page exists@
expression E;
identifier fn != {sg_page_iter_page, __sg_page_iter_start,
	__sg_page_iter_next};
position p != tested.q;
@@
__sg_page_iter_start(E, ...)
... when != __sg_page_iter_next(E)
    when != fn(..., E, ...)
sg_page_iter_page@p(E)

// context: mark the line.
@depends on context@
identifier f;
position dma.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position pointer.p;
@@
* f@p(...)

// context: mark the line.
@depends on context@
identifier f;
position page.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << dma.p;
@@
coccilib.report.print_report(p[0],
    "accessor-before-next: the iterator is read before its first next; call"
    " next, test it, then read")

// org: say it.
@script:python depends on org@
p << dma.p;
@@
coccilib.org.print_todo(p[0],
    "accessor-before-next: the iterator is read before its first next; call"
    " next, test it, then read")

// report: say it.
@script:python depends on report@
p << pointer.p;
@@
coccilib.report.print_report(p[0],
    "accessor-before-next: the iterator is read before its first next; call"
    " next, test it, then read")

// org: say it.
@script:python depends on org@
p << pointer.p;
@@
coccilib.org.print_todo(p[0],
    "accessor-before-next: the iterator is read before its first next; call"
    " next, test it, then read")

// report: say it.
@script:python depends on report@
p << page.p;
@@
coccilib.report.print_report(p[0],
    "accessor-before-next: the iterator is read before its first next; call"
    " next, test it, then read")

// org: say it.
@script:python depends on org@
p << page.p;
@@
coccilib.org.print_todo(p[0],
    "accessor-before-next: the iterator is read before its first next; call"
    " next, test it, then read")
