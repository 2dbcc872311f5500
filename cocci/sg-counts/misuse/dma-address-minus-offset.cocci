// SPDX-License-Identifier: GPL-2.0-only
/// take no entry's offset off a DMA page address
///
/// The address of a page carries the offset of the segment it lies in, not the
/// one of the list's first entry. Taking the first entry's offset off every
/// address is right for the first segment only; every other page comes out
/// that much too low.
///
/// Round the address down to its page: addr & PAGE_MASK.
///
//# Left alone: addr & PAGE_MASK, a shift by PAGE_SHIFT, and an entry's own
//# offset taken off its own address.
//
// Shape: M11
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-address-minus-offset: the address carries its own segment's
//   offset, not this entry's; round it down with & PAGE_MASK
// Changes: where an entry has an offset, the device is given the address
//   that it was mapped at
// Tokens: sg_page_iter_dma_address

virtual patch
virtual context
virtual org
virtual report

// less: an offset of an entry taken off the address of a page.
@less@
expression A, E;
position p;
@@
(
sg_page_iter_dma_address@p(A) - E->offset
|
sg_page_iter_dma_address@p(A) - E.offset
)

// patch: round down.
@depends on patch@
expression A, E;
position less.p;
@@
(
- sg_page_iter_dma_address@p(A) - E->offset
+ (sg_page_iter_dma_address(A) & PAGE_MASK)
|
- sg_page_iter_dma_address@p(A) - E.offset
+ (sg_page_iter_dma_address(A) & PAGE_MASK)
)

// context: mark the line.
@depends on context@
identifier f;
position less.p;
@@
* f@p(...)

// report: say it.
@script:python depends on report@
p << less.p;
@@
coccilib.report.print_report(p[0],
    "dma-address-minus-offset: the address carries its own segment's "
    "offset, not this entry's; round it down with & PAGE_MASK")

// org: say it.
@script:python depends on org@
p << less.p;
@@
coccilib.org.print_todo(p[0],
    "dma-address-minus-offset: the address carries its own segment's "
    "offset, not this entry's; round it down with & PAGE_MASK")
