// SPDX-License-Identifier: GPL-2.0-only
/// name the page walks that read a DMA address for nothing
///
/// A walk that gives pages also reads the DMA address of each, and nobody
/// looks at it. The page iterator is the right one for this walk; only the
/// dead accessor is in the way.
///
//# Not judged here: an address that is only printed is used.
//
// Shape: S17
// Confidence: High
// Options: --no-includes --include-headers
// Requires: 1.0.8
// Verdict: manual
// Reason: dead-address: the DMA address is read and never used; drop the
//   accessor and keep the page walk
// Tokens: sg_page_iter_dma_address

virtual patch
virtual context
virtual org
virtual report

// kept: a variable that gets an address.
// Declared, a loop is read even where its body has no braces.
@kept@
iterator name for_each_sg_page;
local idexpression struct sg_page_iter it;
idexpression addr;
position left;
@@
addr@left = sg_page_iter_dma_address(&it)

// used: a declaration of one that is read anywhere.
@used exists@
identifier addr;
type T;
expression E;
position d;
position use != kept.left;
@@
(
T addr@d;
|
T addr@d = E;
)
... when any
addr@use

// dead: an address that goes nowhere.
@dropped@
local idexpression struct sg_page_iter it;
position use;
@@
(
sg_page_iter_dma_address(&it@use);
|
  (void)sg_page_iter_dma_address(&it@use);
)

@unread exists@
identifier addr, it;
type T;
expression E;
position d != used.d;
position use;
@@
(
T addr@d;
... when any
addr = sg_page_iter_dma_address(&it@use)
|
T addr@d = E;
... when any
addr = sg_page_iter_dma_address(&it@use)
|
T addr@d = sg_page_iter_dma_address(&it@use);
)

// alive: an iterator that gives an address somebody looks at.
@alive exists@
identifier it;
initializer I;
position t;
position use != {dropped.use, unread.use};
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
(
sg_page_iter_dma_address(&it@use)
|
sg_dma_address(it.sg@use)
)

// paged: any other iterator that gives a page, and an address nobody reads.
@paged exists@
identifier it;
initializer I;
position t != alive.t;
@@
(
struct sg_page_iter@t it;
|
struct sg_page_iter@t it = I;
)
... when any
    when != struct sg_page_iter it;
\(sg_page_iter_page(&it)\|it.sg\)

@dead exists@
identifier paged.it;
initializer I;
position paged.t;
position here;
@@
(
struct sg_page_iter@t@here it;
|
struct sg_page_iter@t@here it = I;
)
... when any
    when != struct sg_page_iter it;
sg_page_iter_dma_address(&it)

@depends on context@
position dead.here;
@@
* struct sg_page_iter@here

@script:python depends on report@
t << dead.here;
@@
coccilib.report.print_report(
    t[0], "dead-address: nobody reads the DMA address, drop it")

@script:python depends on org@
t << dead.here;
@@
coccilib.org.print_todo(
    t[0], "dead-address: nobody reads the DMA address, drop it")
