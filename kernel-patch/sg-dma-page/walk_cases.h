/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists, and the pages that a DMA walk has to find in them.
 *
 * A case is a mapped list as a driver gets it: what the entries were built
 * with (offset, length), and the DMA segments that the mapping stored in the
 * first of them (dma, dma_len). An entry without a segment has dma_len 0 and
 * WALK_NOWHERE, as iommu-dma leaves it.
 *
 * P is the size of a page and AT(n) the DMA address of page n, so that the
 * table holds for every page size.
 */
#ifndef WALK_CASES_H
#define WALK_CASES_H

#define WALK_ENTRIES	8	/* in a list */
#define WALK_PAGES	8	/* that a walk finds */
#define WALK_NOWHERE	(~0ULL)

#define P		((unsigned int)PAGE_SIZE)
#define AT(n)		((u64)(n) << PAGE_SHIFT)
#define PAGES_OF_4GIB	(1UL << (32 - PAGE_SHIFT))

struct walk_entry {
	unsigned int offset;		/* bytes, from the start of a page */
	unsigned int length;		/* bytes */
	u64 dma;
	unsigned int dma_len;		/* bytes */
};

struct walk_case {
	const char *name;
	unsigned int nents;		/* entries that the list has */
	unsigned int count;		/* entries that the walk is told of */
	unsigned long skip;		/* pages to start behind */
	unsigned int chain;		/* entries before the chain link, or 0 */
	unsigned int npages;
	struct walk_entry entries[WALK_ENTRIES];
	u64 pages[WALK_PAGES];
};

static const struct walk_case walk_cases[] = {
	{
		.name = "direct_mapping_is_walked_page_by_page",
		.nents = 2, .count = 2, .npages = 4,
		.entries = {
			{ 0, 2 * P, AT(0x100), 2 * P },
			{ P / 2, P, AT(0x200) + P / 2, P },
		},
		.pages = {
			AT(0x100), AT(0x101),
			AT(0x200) + P / 2, AT(0x201) + P / 2,
		},
	}, {
		.name = "merged_entries_are_one_segment",
		.nents = 3, .count = 1, .npages = 3,
		.entries = {
			{ 0, P, AT(0x100), 3 * P },
			{ 0, P, WALK_NOWHERE, 0 },
			{ 0, P, WALK_NOWHERE, 0 },
		},
		.pages = { AT(0x100), AT(0x101), AT(0x102) },
	}, {
		.name = "segment_starts_where_its_first_entry_did",
		.nents = 2, .count = 1, .npages = 2,
		.entries = {
			{ P / 2, P / 2, AT(0x100) + P / 2, P + P / 2 },
			{ 0, P, WALK_NOWHERE, 0 },
		},
		.pages = { AT(0x100) + P / 2, AT(0x101) + P / 2 },
	}, {
		/* sg->offset of entry 1 counts one page, the segment has two */
		.name = "offset_of_another_entry_loses_no_page",
		.nents = 3, .count = 2, .npages = 4,
		.entries = {
			{ P / 2, P / 2, AT(0x10) + P / 2, P + P / 2 },
			{ 0, P, AT(0x20) + P / 2, P },
			{ P / 2, P, WALK_NOWHERE, 0 },
		},
		.pages = {
			AT(0x10) + P / 2, AT(0x11) + P / 2,
			AT(0x20) + P / 2, AT(0x21) + P / 2,
		},
	}, {
		.name = "offset_of_another_entry_adds_no_page",
		.nents = 4, .count = 3, .npages = 4,
		.entries = {
			{ 0, P, AT(0x10), 2 * P },
			{ 0, P, AT(0x12) + P / 2, P / 4 },
			{ P / 2, P / 4, AT(0x13), P },
			{ 0, P, WALK_NOWHERE, 0 },
		},
		.pages = {
			AT(0x10), AT(0x11), AT(0x12) + P / 2, AT(0x13),
		},
	}, {
		.name = "offset_of_a_page_or_more_adds_no_page",
		.nents = 2, .count = 2, .npages = 3,
		.entries = {
			{ P + P / 4, P, AT(0x101) + P / 4, P },
			{ 3 * P, P, AT(0x203), P },
		},
		.pages = {
			AT(0x101) + P / 4, AT(0x102) + P / 4, AT(0x203),
		},
	}, {
		/*
		 * One entry for each page of a folio, which has the first page
		 * of the folio and a growing offset, as udmabuf makes them. A
		 * count from sg->offset gives ten pages. This caused a memory
		 * corruption on v6.19.5, reported in March 2026.
		 */
		.name = "each_page_of_a_folio_is_walked_once",
		.nents = 4, .count = 4, .npages = 4,
		.entries = {
			{ 0, P, AT(0x200), P },
			{ P, P, AT(0x201), P },
			{ 2 * P, P, AT(0x202), P },
			{ 3 * P, P, AT(0x203), P },
		},
		.pages = { AT(0x200), AT(0x201), AT(0x202), AT(0x203) },
	}, {
		/* The same where an IOMMU merged them in pairs. */
		.name = "pages_of_a_folio_merged_in_pairs_are_walked_once",
		.nents = 4, .count = 2, .npages = 4,
		.entries = {
			{ 0, P, AT(0x10), 2 * P },
			{ P, P, AT(0x20), 2 * P },
			{ 2 * P, P, WALK_NOWHERE, 0 },
			{ 3 * P, P, WALK_NOWHERE, 0 },
		},
		.pages = { AT(0x10), AT(0x11), AT(0x20), AT(0x21) },
	}, {
		.name = "entries_left_over_by_merging_have_no_page",
		.nents = 4, .count = 4, .npages = 4,
		.entries = {
			{ P / 2, P / 2, AT(0x100) + P / 2, P + P / 2 },
			{ 0, P, AT(0x102) + P / 2, P },
			{ P / 2, P, WALK_NOWHERE, 0 },
			{ P - 1, 1, WALK_NOWHERE, 0 },
		},
		.pages = {
			AT(0x100) + P / 2, AT(0x101) + P / 2,
			AT(0x102) + P / 2, AT(0x103) + P / 2,
		},
	}, {
		.name = "entries_without_a_segment_are_stepped_over",
		.nents = 6, .count = 6, .npages = 3,
		.entries = {
			{ P / 2, 0, AT(0xff) + P / 2, 0 },
			{ 0, P, AT(0x100), P },
			{ P / 2, 0, AT(0x101) + P / 2, 0 },
			{ 0, 0, AT(0x102), 0 },
			{ P - 1, 0, AT(0x102) + P - 1, 0 },
			{ 1, 2 * P - 1, AT(0x103) + 1, 2 * P - 1 },
		},
		.pages = { AT(0x100), AT(0x103) + 1, AT(0x104) + 1 },
	}, {
		.name = "list_without_segments_has_no_page",
		.nents = 3, .count = 3, .npages = 0,
		.entries = {
			{ P / 2, P, WALK_NOWHERE, 0 },
			{ P / 2, P, WALK_NOWHERE, 0 },
			{ 0, 0, 0, 0 },
		},
	}, {
		.name = "count_of_none_gives_no_page",
		.nents = 1, .count = 0, .npages = 0,
		.entries = { { 0, P, AT(0x100), P } },
	}, {
		.name = "count_below_the_list_ends_the_walk",
		.nents = 3, .count = 2, .npages = 2,
		.entries = {
			{ 0, P, AT(0x100), P },
			{ 0, P, AT(0x200), P },
			{ 0, P, AT(0x300), P },
		},
		.pages = { AT(0x100), AT(0x200) },
	}, {
		.name = "end_of_the_list_comes_before_the_count",
		.nents = 2, .count = 5, .npages = 2,
		.entries = {
			{ 0, P, AT(0x100), P },
			{ 0, P, AT(0x200), P },
		},
		.pages = { AT(0x100), AT(0x200) },
	}, {
		.name = "walk_starts_inside_a_segment",
		.nents = 2, .count = 1, .skip = 2, .npages = 2,
		.entries = {
			{ P / 2, P / 2, AT(0x100) + P / 2, 3 * P + P / 2 },
			{ 0, 3 * P, WALK_NOWHERE, 0 },
		},
		.pages = { AT(0x102) + P / 2, AT(0x103) + P / 2 },
	}, {
		.name = "walk_starts_in_a_later_segment",
		.nents = 3, .count = 3, .skip = 3, .npages = 2,
		.entries = {
			{ 0, 2 * P, AT(0x100), 2 * P },
			{ P / 2, 0, AT(0x150) + P / 2, 0 },
			{ 0, 3 * P, AT(0x200), 3 * P },
		},
		.pages = { AT(0x201), AT(0x202) },
	}, {
		.name = "walk_that_starts_past_the_end_finds_no_page",
		.nents = 2, .count = 2, .skip = 3, .npages = 0,
		.entries = {
			{ 0, 2 * P, AT(0x100), 2 * P },
			{ 0, P, AT(0x200), P },
		},
	}, {
		.name = "chained_list_is_walked_across_the_link",
		.nents = 4, .count = 3, .chain = 2, .npages = 5,
		.entries = {
			{ 0, P, AT(0x100), 2 * P },
			{ 0, P, AT(0x102) + P / 2, P },
			{ P / 2, P, AT(0x104), P },
			{ 0, P, WALK_NOWHERE, 0 },
		},
		.pages = {
			AT(0x100), AT(0x101), AT(0x102) + P / 2,
			AT(0x103) + P / 2, AT(0x104),
		},
	}, {
		.name = "segment_within_a_page_of_4_gib_is_not_skipped",
		.nents = 2, .count = 2, .skip = PAGES_OF_4GIB - 2, .npages = 3,
		.entries = {
			{ P - 1, -P, AT(0x100) + P - 1, -P },
			{ 0, P, AT(0x80), P },
		},
		.pages = {
			AT(0x100 + PAGES_OF_4GIB - 2) + P - 1,
			AT(0x100 + PAGES_OF_4GIB - 1) + P - 1,
			AT(0x80),
		},
	}, {
		/* index << PAGE_SHIFT does not fit in 32 bits */
		.name = "page_4_gib_into_a_segment_has_its_own_address",
		.nents = 2, .count = 2, .skip = PAGES_OF_4GIB, .npages = 2,
		.entries = {
			{ P / 2, -1, AT(0x100) + P / 2, -1 },
			{ 0, P, AT(0x80), P },
		},
		.pages = {
			AT(0x100 + PAGES_OF_4GIB) + P / 2,
			AT(0x80),
		},
	},
};

#define WALK_CASES	ARRAY_SIZE(walk_cases)

#endif
