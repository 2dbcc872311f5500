/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Build the list of a case, walk it, and compare. Include linux/scatterlist.h
 * before this file.
 */
#ifndef WALK_CHECK_H
#define WALK_CHECK_H

#include "walk_cases.h"

/* Room for the entries of a case and for the link of a chained list. */
#define WALK_ROOM	(WALK_ENTRIES + 1)

/* Where a walk first went wrong. */
struct walk_slip {
	unsigned int left;	/* pages after which the loop was left */
	unsigned int at;	/* number of the page, from 0 */
	u64 want, got;		/* WALK_NOWHERE where the walk has ended */
};

/**
 * walk_build() - make the list of a case
 * @c: the case
 * @sgl: WALK_ROOM entries, in which the list is made
 * @page: the page that every entry claims to be made of
 */
static void walk_build(const struct walk_case *c, struct scatterlist *sgl,
		       struct page *page)
{
	unsigned int first = c->chain ? c->chain : c->nents;
	struct scatterlist *sg = sgl;
	unsigned int i;

	sg_init_table(sgl, c->chain ? first + 1 : first);
	if (c->chain) {
		sg_init_table(sgl + first + 1, c->nents - first);
		sg_chain(sgl, first + 1, sgl + first + 1);
	}

	for (i = 0; i < c->nents; i++, sg = sg_next(sg)) {
		const struct walk_entry *entry = &c->entries[i];

		sg_set_page(sg, page, entry->length, entry->offset);
		sg_dma_address(sg) = entry->dma;
		sg_dma_len(sg) = entry->dma_len;
	}
}

/*
 * The page of the case at this number, or WALK_NOWHERE behind the last. The
 * table has addresses beyond 4 GiB, which wrap where dma_addr_t has 32 bits.
 */
static u64 walk_want(const struct walk_case *c, unsigned int at)
{
	return at < c->npages ? (dma_addr_t)c->pages[at] : WALK_NOWHERE;
}

/**
 * walk_holds() - compare a walk with what the case wants
 * @c: the case
 * @sgl: its list
 * @left: pages after which to leave the loop, to go on by hand
 * @slip: says what is wrong, if something is
 *
 * Behind the end the walk is asked once more: it must stay there.
 *
 * Return: true if all pages are as wanted.
 */
static bool walk_holds(const struct walk_case *c, struct scatterlist *sgl,
		       unsigned int left, struct walk_slip *slip)
{
	struct sg_dma_page_iter it;
	bool more = false;

	slip->left = left;
	slip->at = 0;

	for_each_sg_dma_page(sgl, &it, c->count, c->skip) {
		slip->want = walk_want(c, slip->at);
		slip->got = sg_page_iter_dma_address(&it);
		if (slip->at >= c->npages || slip->got != slip->want)
			return false;

		slip->at++;
		if (slip->at == left) {
			more = true;
			break;
		}
	}

	while (more && __sg_page_iter_dma_next(&it)) {
		slip->want = walk_want(c, slip->at);
		slip->got = sg_page_iter_dma_address(&it);
		if (slip->at >= c->npages || slip->got != slip->want)
			return false;

		slip->at++;
	}

	slip->want = walk_want(c, slip->at);
	slip->got = WALK_NOWHERE;
	if (slip->at != c->npages)
		return false;

	return !__sg_page_iter_dma_next(&it);
}

/**
 * walk_case_holds() - walk the list of a case once for each place to pause
 * @c: the case
 * @page: the page that every entry claims to be made of
 * @slip: says what is wrong, if something is
 *
 * Return: true if the case holds.
 */
static bool walk_case_holds(const struct walk_case *c, struct page *page,
			    struct walk_slip *slip)
{
	struct scatterlist sgl[WALK_ROOM];
	unsigned int left;

	walk_build(c, sgl, page);
	for (left = 0; left <= c->npages; left++)
		if (!walk_holds(c, sgl, left, slip))
			return false;

	return true;
}

#endif
