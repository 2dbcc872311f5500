// SPDX-License-Identifier: GPL-2.0-only
/// round a DMA page address before setting flags
///
/// The address of a page carries the offset of its segment in its low bits.
/// Flags that are ORed or added into the same bits mix with it, unless every
/// segment is known to start at a page.
///
/// Round the address down first, or say where the alignment comes from.
///
//# Left alone: an address that was shifted, masked or rounded before the
//# flags come in, one that goes on as it is, and one that a variable,
//# PAGE_SIZE or PAGE_SIZE - 1 is added to, which is another address.
//
// Shape: M11
// Confidence: Low
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: finding
// Reason: dma-address-flags: the low bits hold the segment's offset; round
//   the address down before flags are set in them
// Tokens: sg_page_iter_dma_address

virtual patch
virtual context
virtual org
virtual report

// size: an address further on, which is no flag.
@size@
expression A, V;
position q;
@@
(
sg_page_iter_dma_address@q(A) + PAGE_SIZE
|
V@q + PAGE_SIZE
|
V@q += PAGE_SIZE
)

// direct: flags on the accessor's result.
@direct@
expression A, F;
constant C;
position p != size.q;
@@
(
sg_page_iter_dma_address@p(A) | F
|
sg_page_iter_dma_address@p(A) + C
)

// held: flags on a variable that holds it.
@held exists@
idexpression a;
expression A, E, F;
constant C;
position p;
position r != size.q;
@@
a = sg_page_iter_dma_address@p(A)
... when != a = E
    when != a &= E
(
a | F
|
a |= F
|
a@r + C
|
a@r += C
)


// found: all of these.
@found@
identifier f;
position p = {direct.p, held.p};
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
    "dma-address-flags: the low bits hold the segment's offset; round "
    "the address down before flags are set in them")

// org: say it.
@script:python depends on org@
p << found.p;
@@
coccilib.org.print_todo(p[0],
    "dma-address-flags: the low bits hold the segment's offset; round "
    "the address down before flags are set in them")
