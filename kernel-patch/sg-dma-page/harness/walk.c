// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks lists with the tree's own lib/scatterlist.c, in user space, and
 * compares with a model that enumerates every page of every segment.
 *
 *   walk [LISTS [SEED [CLASS]]]
 *
 * First come the named cases of walk_cases.h, then classes of random lists,
 * LISTS of each. The tree's DMA page iterator has to be right on all of them.
 * The count that the first posting and v5.1 have, and what drivers did before
 * there was an iterator, are walked beside it and counted, since what they
 * get wrong is the reason for this project. A list that the tree gets wrong is
 * made as small as it can be and printed as a row for walk_cases.h.
 */
#include <linux/scatterlist.h>

#include "../walk_check.h"

#define MOST_PAGES	64	/* compared in one walk; no list here has more */
#define MEMORY		0x4000	/* number of the first page of memory */

/* The loader finds no export that is missing, and no second one. */
extern const void *const exported___sg_page_iter_dma_next;

/* Random lists. */

static u64 random_state;

static u64 random_u64(void)
{
	u64 x = random_state += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static unsigned int below(unsigned int limit)
{
	return (random_u64() >> 32) * limit >> 32;
}

static bool one_in(unsigned int n)
{
	return !below(n);
}

/* How a list is mapped. */
enum mapping {
	DIRECT,			/* each entry where it lies in memory */
	MERGED,			/* by an IOMMU, one range of addresses */
};

/* What the walk is told of the number of entries. */
enum count {
	SEGMENTS,		/* what dma_map_sg() returned: right */
	WHOLE_LIST,		/* orig_nents */
	FEWER,
	MORE,
};

/* A list before it is mapped, and how to map and walk it. */
struct trial {
	enum mapping mapping;
	enum count count;
	unsigned int nents;
	struct {
		unsigned int offset, length;
	} entries[WALK_ENTRIES];
	unsigned int max_segment;	/* bytes */
	unsigned int boundary;		/* pages that no segment runs across */
	unsigned int few;		/* entries for FEWER and MORE */
	unsigned long skip;
	unsigned int leave;		/* pages after which to begin anew */
	unsigned int chain;
};

/* Memory of entries that do not touch each other. */
static u64 memory_of(unsigned int entry)
{
	return AT(MEMORY) + ((u64)entry << 33);
}

static void map_direct(const struct trial *t, struct walk_case *c)
{
	unsigned int i;

	for (i = 0; i < t->nents; i++) {
		c->entries[i].dma = memory_of(i) + c->entries[i].offset;
		c->entries[i].dma_len = c->entries[i].length;
	}
	c->count = t->nents;
}

/*
 * An IOMMU hands out whole pages, one entry after the other. An entry joins
 * the segment before it if that one ended, and this one starts, at the edge
 * of a page, and the device can take the sum.
 */
static void map_merged(const struct trial *t, struct walk_case *c)
{
	struct walk_entry *segment = NULL, *next = c->entries;
	bool open = false;
	u64 iova = AT(0x100);
	unsigned int i;

	for (i = 0; i < t->nents; i++) {
		unsigned int start = c->entries[i].offset & ~PAGE_MASK;
		unsigned int length = c->entries[i].length;
		u64 end = start + (u64)length;
		u64 edge = t->boundary ? AT(t->boundary) : 0;

		if (open && !start && !(edge && iova % edge == 0) &&
		    length <= t->max_segment - segment->dma_len) {
			segment->dma_len += length;
		} else {
			segment = next++;
			segment->dma = iova + start;
			segment->dma_len = length;
		}
		open = segment->dma_len && end % PAGE_SIZE == 0;
		iova += ALIGN(end, (u64)PAGE_SIZE);
	}
	c->count = next - c->entries;

	for (; next < c->entries + t->nents; next++) {
		next->dma = WALK_NOWHERE;
		next->dma_len = 0;
	}
}

static void map(const struct trial *t, struct walk_case *c)
{
	unsigned int i;

	memset(c, 0, sizeof(*c));
	c->nents = t->nents;
	c->skip = t->skip;
	c->chain = t->chain < t->nents ? t->chain : 0;
	for (i = 0; i < t->nents; i++) {
		c->entries[i].offset = t->entries[i].offset;
		c->entries[i].length = t->entries[i].length;
	}

	if (t->mapping == DIRECT)
		map_direct(t, c);
	else
		map_merged(t, c);

	if (t->count == WHOLE_LIST)
		c->count = t->nents;
	else if (t->count == FEWER)
		c->count -= min(t->few, c->count);
	else if (t->count == MORE)
		c->count = t->nents + t->few;
}

/*
 * The truth: a page belongs to the walk if a byte of the segment lies in it.
 * Whole pages that are to be skipped are not counted one by one.
 */
static unsigned int model(const struct walk_case *c, u64 *pages)
{
	unsigned int i, n = 0;
	u64 skip = c->skip;

	for (i = 0; i < c->count && i < c->nents; i++) {
		u64 dma = c->entries[i].dma;
		u64 end = dma + c->entries[i].dma_len;
		u64 leap = min(skip, c->entries[i].dma_len / PAGE_SIZE);

		if (!c->entries[i].dma_len)
			continue;

		skip -= leap;
		for (dma += leap * PAGE_SIZE; dma - offset_in_page(dma) < end;
		     dma += PAGE_SIZE) {
			if (skip)
				skip--;
			else if (n < MOST_PAGES)
				pages[n++] = dma;
			else
				return n;
		}
	}

	return n;
}

/* The walks. */

struct walker {
	const char *name;
	bool (*next)(struct sg_dma_page_iter *it);
	u64 (*address)(struct sg_dma_page_iter *it);
};

static u64 tree_address(struct sg_dma_page_iter *it)
{
	return sg_page_iter_dma_address(it);
}

/* What mainline counts since v5.1, and the first posting did. */
static unsigned int posted_count(struct scatterlist *sg)
{
	return PAGE_ALIGN(sg->offset + sg_dma_len(sg)) >> PAGE_SHIFT;
}

static bool posted_next(struct sg_dma_page_iter *it)
{
	struct sg_page_iter *at = &it->base;

	for (at->sg_pgoffset += at->__pg_advance; at->sg && at->__nents;
	     at->sg = sg_next(at->sg), at->__nents--) {
		at->__pg_advance = 1;
		if (at->sg_pgoffset < posted_count(at->sg))
			return true;
		at->sg_pgoffset -= posted_count(at->sg);
	}

	return false;
}

/* What drivers did: step through memory, and read a DMA address. */
static bool old_next(struct sg_dma_page_iter *it)
{
	return __sg_page_iter_next(&it->base);
}

static u64 old_address(struct sg_dma_page_iter *it)
{
	return sg_dma_address(it->base.sg) +
	       (it->base.sg_pgoffset << PAGE_SHIFT);
}

static const struct walker walkers[] = {
	{ "tree", __sg_page_iter_dma_next, tree_address },
	{ "posted", posted_next, old_address },
	{ "old", old_next, old_address },
};

#define TREE	(&walkers[0])

/*
 * Lists lie at the end of their memory, so that ASan sees a read behind the
 * last entry.
 */
static struct scatterlist *room_for(const struct walk_case *c)
{
	static struct scatterlist *room;

	if (!room)
		room = malloc(WALK_ROOM * sizeof(*room));
	if (!room)
		abort();
	return room + WALK_ROOM - c->nents - !!c->chain;
}

/* The walk is left early first, and begun again with the same iterator. */
static bool is_right(const struct walker *walker, const struct walk_case *c,
		     struct scatterlist *sgl, const u64 *pages, unsigned int n,
		     unsigned int leave)
{
	struct sg_dma_page_iter it;
	unsigned int i;

	__sg_page_iter_start(&it.base, sgl, c->count, c->skip);
	for (i = 0; i < leave; i++)
		walker->next(&it);

	__sg_page_iter_start(&it.base, sgl, c->count, c->skip);
	for (i = 0; i < n; i++)
		if (!walker->next(&it) || walker->address(&it) != pages[i])
			return false;

	return n == MOST_PAGES || (!walker->next(&it) && !walker->next(&it));
}

static bool trial_fails(const struct walker *walker, const struct trial *t)
{
	struct scatterlist *sgl;
	u64 pages[MOST_PAGES];
	struct walk_case c;
	unsigned int n;

	map(t, &c);
	n = model(&c, pages);
	sgl = room_for(&c);
	walk_build(&c, sgl, pfn_to_page(MEMORY));
	return !is_right(walker, &c, sgl, pages, n, t->leave);
}

/* The classes of lists. */

static void any_list(struct trial *t)
{
	unsigned int i;

	memset(t, 0, sizeof(*t));
	t->nents = 1 + below(WALK_ENTRIES);
	for (i = 0; i < t->nents; i++)
		t->entries[i].length = 1 + below(4 * PAGE_SIZE);
	t->max_segment = one_in(2) ? UINT_MAX : (4 + below(12)) * PAGE_SIZE;
	t->boundary = one_in(2) ? 0 : 4 << below(4);
	t->few = 1 + below(3);
	if (one_in(4))
		t->skip = below(12);
	if (one_in(4))
		t->chain = 1 + below(WALK_ENTRIES);
}

/* Lengths that an IOMMU can merge: up to the end of a page. */
static void fill_pages(struct trial *t)
{
	unsigned int i;

	for (i = 0; i < t->nents; i++)
		t->entries[i].length = (1 + below(4)) * PAGE_SIZE -
			(t->entries[i].offset & ~PAGE_MASK);
}

static void offsets_below(struct trial *t, unsigned int limit)
{
	unsigned int i;

	for (i = 0; i < t->nents; i++)
		t->entries[i].offset = below(limit);
}

static void direct(struct trial *t)
{
	offsets_below(t, PAGE_SIZE);
}

static void merged_aligned(struct trial *t)
{
	t->mapping = MERGED;
	fill_pages(t);
}

static void merged_first_offset(struct trial *t)
{
	t->mapping = MERGED;
	t->entries[0].offset = 1 + below(PAGE_SIZE - 1);
	fill_pages(t);
}

/* Some entries that join, some that start or end inside a page. */
static void merged_odd(struct trial *t)
{
	unsigned int i;

	t->mapping = MERGED;
	for (i = 0; i < t->nents; i++)
		t->entries[i].offset = one_in(2) ? below(PAGE_SIZE) : 0;
	fill_pages(t);
	for (i = 0; i < t->nents; i++)
		if (one_in(4))
			t->entries[i].length = 1 + below(4 * PAGE_SIZE);
}

static void far_offsets(struct trial *t)
{
	offsets_below(t, 8 * PAGE_SIZE);
}

static void far_offsets_merged(struct trial *t)
{
	unsigned int i;

	merged_odd(t);
	for (i = 0; i < t->nents; i++)
		t->entries[i].offset += below(8) * PAGE_SIZE;
}

static void told_of_all(struct trial *t)
{
	merged_odd(t);
	t->count = WHOLE_LIST;
}

static void told_of_fewer(struct trial *t)
{
	merged_odd(t);
	t->count = FEWER;
}

static void told_of_more(struct trial *t)
{
	merged_odd(t);
	t->count = MORE;
}

static void empty_entries(struct trial *t)
{
	unsigned int i;

	merged_odd(t);
	t->mapping = one_in(2) ? MERGED : DIRECT;
	for (i = 0; i < t->nents; i++)
		if (one_in(2))
			t->entries[i].length = 0;
}

/* One entry of nearly 4 GiB; start early in it, or shortly before its end. */
static void nearly_4_gib(struct trial *t)
{
	unsigned int huge = below(t->nents);
	unsigned int i;

	for (i = 0; i < t->nents; i++)
		t->entries[i].offset = below(PAGE_SIZE);
	t->entries[huge].length = -(1 + below(2 * PAGE_SIZE));
	t->skip = below(8);
	if (one_in(8))
		return;
	for (i = 0; i <= huge; i++)
		t->skip += t->entries[i].length / PAGE_SIZE;
}

struct class {
	const char *name;
	void (*shape)(struct trial *t);
};

static const struct class classes[] = {
	{ "direct, offsets below a page", direct },
	{ "merged, all offsets 0", merged_aligned },
	{ "merged, only the first entry has an offset", merged_first_offset },
	{ "merged, odd offsets", merged_odd },
	{ "direct, offsets of a page or more", far_offsets },
	{ "merged, offsets of a page or more", far_offsets_merged },
	{ "count is orig_nents", told_of_all },
	{ "count is too small", told_of_fewer },
	{ "count is beyond the list", told_of_more },
	{ "entries of length 0", empty_entries },
	{ "a segment of nearly 4 GiB", nearly_4_gib },
};

static void make_trial(struct trial *t, const struct class *class, u64 seed,
		       u64 number)
{
	random_state = seed ^ number << 8 ^ (u64)(class - classes);
	random_u64();
	any_list(t);
	class->shape(t);
	t->leave = below(6);
}

/* Making a failing list small. */

static void drop_entry(struct trial *t, unsigned int at)
{
	t->nents--;
	memmove(&t->entries[at], &t->entries[at + 1],
		(t->nents - at) * sizeof(t->entries[0]));
}

/* Whether a row of walk_cases.h has room for the pages of the walk. */
static bool fits_a_row(const struct trial *t)
{
	u64 pages[MOST_PAGES];
	struct walk_case c;

	map(t, &c);
	return model(&c, pages) <= WALK_PAGES;
}

/* What there is to see in a list: each step of shrinking makes this less. */
static u64 size_of(const struct trial *t)
{
	u64 size = ((u64)!fits_a_row(t) << 48) + ((u64)t->nents << 36) +
		   t->skip + t->leave + !!t->chain + !!t->boundary +
		   (t->max_segment != UINT_MAX);
	unsigned int i;

	for (i = 0; i < t->nents; i++)
		size += (u64)t->entries[i].offset + t->entries[i].length;

	return size;
}

/* Start so late that a row has room for what is left. */
static void skip_most(struct trial *t)
{
	unsigned long pages = 0;
	unsigned int i;

	for (i = 0; i < t->nents; i++)
		pages += t->entries[i].length / PAGE_SIZE;
	if (pages > WALK_PAGES)
		t->skip = pages - WALK_PAGES / 2;
}

#define CHANGES_OF_A_LIST	8
#define CHANGES_OF_AN_ENTRY	8

/*
 * The change of this number to a list, or false when there are no more. None
 * makes an entry empty: that is a class of its own, which fails otherwise.
 */
static bool simplify(struct trial *t, unsigned int change)
{
	unsigned int at;

	switch (change) {
	case 0:
		t->chain = 0;
		return true;
	case 1:
		t->skip = 0;
		return true;
	case 2:
		t->skip /= 2;
		return true;
	case 3:
		t->skip -= !!t->skip;
		return true;
	case 4:
		t->boundary = 0;
		return true;
	case 5:
		t->max_segment = UINT_MAX;
		return true;
	case 6:
		t->leave = 0;
		return true;
	case 7:
		skip_most(t);
		return true;
	}

	at = (change - CHANGES_OF_A_LIST) / CHANGES_OF_AN_ENTRY;
	if (at >= t->nents)
		return false;

	switch ((change - CHANGES_OF_A_LIST) % CHANGES_OF_AN_ENTRY) {
	case 0:
		if (t->nents > 1)
			drop_entry(t, at);
		break;
	case 1:
		t->entries[at].offset = 0;
		break;
	case 2:
		t->entries[at].offset &= PAGE_MASK;
		break;
	case 3:
		t->entries[at].offset &= ~PAGE_MASK;
		break;
	case 4:
		t->entries[at].offset -= t->entries[at].offset % 0x100;
		break;
	case 5:
		t->entries[at].length = !!t->entries[at].length;
		break;
	case 6:
		t->entries[at].length -= t->entries[at].length / 2;
		break;
	case 7:
		if (t->entries[at].length > 0x100)
			t->entries[at].length -= t->entries[at].length % 0x100;
		break;
	}

	return true;
}

static void shrink(struct trial *t)
{
	struct trial smaller;
	unsigned int change;
	bool found;

	do {
		found = false;
		for (change = 0; ; change++) {
			smaller = *t;
			if (!simplify(&smaller, change))
				break;
			if (size_of(&smaller) < size_of(t) &&
			    trial_fails(TREE, &smaller)) {
				*t = smaller;
				found = true;
			}
		}
	} while (found);
}

static void print_row(const struct trial *t)
{
	u64 pages[MOST_PAGES];
	struct walk_case c;
	unsigned int i, n;

	map(t, &c);
	n = model(&c, pages);
	printf("# \t.nents = %u, .count = %u, .skip = %lu, .chain = %u, .npages = %u,\n",
	       c.nents, c.count, c.skip, c.chain, n);
	printf("# \t.entries = {\n");
	for (i = 0; i < c.nents; i++)
		printf("# \t\t{ %#x, %#x, %#llx, %#x },\n",
		       c.entries[i].offset, c.entries[i].length,
		       (unsigned long long)c.entries[i].dma,
		       c.entries[i].dma_len);
	printf("# \t},\n# \t.pages = {");
	for (i = 0; i < n && i < WALK_PAGES; i++)
		printf(" %#llx,", (unsigned long long)pages[i]);
	printf(" },\n");
	if (i < n)
		printf("# a row has no room for the other pages\n");
}

/* The tests. */

static unsigned int number;

static void tell(bool right, const char *name)
{
	printf("%sok %u %s\n", right ? "" : "not ", ++number, name);
	fflush(stdout);
}

static bool test_cases(void)
{
	struct walk_slip slip;
	bool right, all = true;
	unsigned int i;

	for (i = 0; i < WALK_CASES; i++) {
		right = walk_case_holds(&walk_cases[i], pfn_to_page(MEMORY),
					&slip);
		if (!right)
			printf("# loop left after %u: page %u is %#llx, not %#llx\n",
			       slip.left, slip.at,
			       (unsigned long long)slip.got,
			       (unsigned long long)slip.want);
		tell(right, walk_cases[i].name);
		all &= right;
	}

	return all;
}

static bool test_class(const struct class *class, u64 lists, u64 seed)
{
	u64 wrong[ARRAY_SIZE(walkers)] = { 0 };
	struct trial t, first;
	unsigned int i;
	u64 n;

	for (n = 0; n < lists; n++) {
		make_trial(&t, class, seed, n);
		for (i = 0; i < ARRAY_SIZE(walkers); i++) {
			if (!trial_fails(&walkers[i], &t))
				continue;
			if (!wrong[i]++ && i == 0)
				first = t;
		}
	}

	printf("# lists: %llu", (unsigned long long)lists);
	for (i = 0; i < ARRAY_SIZE(walkers); i++)
		printf(", %s wrong: %llu", walkers[i].name,
		       (unsigned long long)wrong[i]);
	printf("\n");
	if (wrong[0]) {
		shrink(&first);
		print_row(&first);
	}
	tell(!wrong[0], class->name);
	return !wrong[0];
}

int main(int argc, char **argv)
{
	u64 lists = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000;
	u64 seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	const char *only = argc > 3 ? argv[3] : NULL;
	unsigned int i, planned = WALK_CASES;
	bool all;

	for (i = 0; i < ARRAY_SIZE(classes); i++)
		planned += !only || !strcmp(only, classes[i].name);
	if (only && planned == WALK_CASES) {
		fprintf(stderr, "walk: no class '%s'\n", only);
		return 2;
	}

	printf("KTAP version 1\n1..%u\n# seed %llu\n", planned,
	       (unsigned long long)seed);
	if (exported___sg_page_iter_dma_next != __sg_page_iter_dma_next) {
		printf("Bail out! the export is of something else\n");
		return 1;
	}

	all = test_cases();
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (!only || !strcmp(only, classes[i].name))
			all &= test_class(&classes[i], lists, seed);

	return !all;
}
