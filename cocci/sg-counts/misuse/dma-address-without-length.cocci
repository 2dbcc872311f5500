// SPDX-License-Identifier: GPL-2.0-only
/// set the DMA length with the DMA address
///
/// With CONFIG_NEED_SG_DMA_LENGTH an entry's DMA length is a field of its own.
/// Code that sets sg_dma_address() and leaves sg_dma_len() as it was leaves 0
/// there, and a DMA page walk over the table sees no page at all.
///
/// Set sg_dma_len() in the same place.
///
//# Left alone: a function that sets or clears both, in either spelling, and an
//# address that is set to an error mark or to a constant, which is none.
//
// Shape: M12
// Confidence: Moderate
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-address-without-length: the DMA length is not set with the DMA
//   address; a DMA page walk over this table sees no page
// Tokens: sg_dma_address dma_address

virtual patch
virtual context
virtual org
virtual report

// set: an address that is set, in either spelling.
@set@
struct scatterlist *ptr;
struct scatterlist one;
constant C;
expression E, V;
position p;
@@
(
sg_dma_address(E) = C
|
sg_dma_address(E) = DMA_MAPPING_ERROR
|
sg_dma_address@p(E) = V
|
\(ptr->dma_address\|one.dma_address\) = C
|
\(ptr->dma_address\|one.dma_address\) = DMA_MAPPING_ERROR
|
\(ptr->dma_address@p\|one.dma_address@p\) = V
)

// at: the function it is set in.
@at exists@
expression E, V;
identifier fn;
position p = {set.p};
position h;
@@
fn@h(...)
{
... when any
\(sg_dma_address@p(E)\|E->dma_address@p\|E.dma_address@p\) = V
... when any
}

// length: that function, when it names the length as well.
@length exists@
expression E;
identifier at.fn;
position at.h;
position k;
@@
fn@h@k(...)
{
... when any
\(sg_dma_len(E)\|E->dma_length\|E.dma_length\)
... when any
}

// alone: an address that is set where the length is not.
@alone exists@
expression E, V;
identifier at.fn;
position p = {set.p};
position k != length.k;
position q;
@@
fn@k(...)
{
... when any
\(sg_dma_address@p@q(E)\|E->dma_address@p@q\|E.dma_address@p@q\) = V
... when any
}

// context: mark the line.
@depends on context@
expression E, V;
position alone.q;
@@
* \(sg_dma_address@q(E)\|E->dma_address@q\|E.dma_address@q\) = V

// report: say it.
@script:python depends on report@
q << alone.q;
@@
coccilib.report.print_report(q[0],
    "dma-address-without-length: the DMA length is not set with the DMA "
    "address; a DMA page walk over this table sees no page")

// org: say it.
@script:python depends on org@
q << alone.q;
@@
coccilib.org.print_todo(q[0],
    "dma-address-without-length: the DMA length is not set with the DMA "
    "address; a DMA page walk over this table sees no page")
