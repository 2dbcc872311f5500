// SPDX-License-Identifier: GPL-2.0-only
/// name the members that give pages and DMA addresses
///
/// A structure keeps one iterator and reads it both ways, in functions that
/// may be far apart. Once dma_map_sg() has merged entries, a page and a DMA
/// address of one position no longer belong together, and no change of the
/// member's type mends that.
///
// Shape: S14, S15, S16
// Confidence: High
// Options: --local-includes --include-headers
// Requires: 1.0.8
// Verdict: manual
// Reason: member-both: the structure reads pages and DMA addresses from one
//   iterator; keep two, step both, or make the member a DMA page iterator and
//   take the pages from the array that the list was built from
// Tokens: sg_page_iter_dma_address .sg_pgoffset

virtual patch
virtual context
virtual org
virtual report

// member: a structure that keeps an iterator.
// Declared, a loop is read even where its body has no braces.
@member@
iterator name for_each_sg_page;
identifier tag, iter;
@@
struct tag {
	...
	struct sg_page_iter iter;
	...
};

// address: its DMA side is read.
@address@
identifier tag, member.iter;
struct tag *ptr;
struct tag val;
position use;
@@
(
  sg_page_iter_dma_address(\(&ptr->iter@use\|&val.iter@use\))
|
  sg_dma_address(\(ptr->iter@use.sg\|val.iter@use.sg\))
)

// page: its CPU side is read, as a page or through the entry it stands on.
@page@
identifier address.tag, member.iter;
struct tag *ptr;
struct tag val;
position use != address.use;
@@
(
  sg_page_iter_page(\(&ptr->iter@use\|&val.iter@use\))
|
  ptr->iter@use.sg
|
  val.iter@use.sg
)

// paged, both: whose it is. The page rule asks for the same structure as
// the address rule, so that what it found is read both ways.
@paged@
identifier tag, member.iter;
struct tag *ptr;
struct tag val;
position page.use;
@@
\(ptr->iter@use\|val.iter@use\)

@both@
identifier paged.tag, member.iter;
position t;
@@
struct tag {
	...
	struct sg_page_iter@t iter;
	...
};

@depends on context@
position both.t;
@@
* struct sg_page_iter@t

@script:python depends on report@
t << both.t;
@@
coccilib.report.print_report(
    t[0], "member-both: gives pages and DMA addresses")

@script:python depends on org@
t << both.t;
@@
coccilib.org.print_todo(
    t[0], "member-both: gives pages and DMA addresses")
