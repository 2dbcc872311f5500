// SPDX-License-Identifier: GPL-2.0-only
/*
 * Boot test of the DMA page iterator: walks the cases of walk_cases.h, and
 * where there is an IOMMU also lists that dma_map_sg() has merged. Prints
 * KTAP, then turns the machine off.
 *
 * What is true of a merged list is asked of the IOMMU's page tables, not of
 * the list: page n of the walk has to translate to page n of the memory.
 */
#include <linux/dma-mapping.h>
#include <linux/init.h>
#include <linux/iommu.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/reboot.h>
#include <linux/scatterlist.h>

#include "walk_check.h"

#define REAL_ENTRIES	6
#define REAL_ORDER	2	/* pages behind each entry, as a power of two */
#define BOOT_NIC	0x100e	/* the e1000 of qemu, which no driver claims */

/* A list to map; each entry has memory of its own. */
struct real_list {
	const char *name;
	unsigned int segments;		/* that the mapping must leave */
	bool whole;			/* walk with nents, not the segments */
	struct {
		unsigned int offset, length;
	} entries[REAL_ENTRIES];
};

static const struct real_list real_lists[] = {
	{
		.name = "six_aligned_entries_are_merged_to_one",
		.segments = 1,
		.entries = {
			{ 0, P }, { 0, P }, { 0, 2 * P },
			{ 0, P }, { 0, P }, { 0, P },
		},
	}, {
		.name = "six_entries_are_merged_to_one_that_starts_a_page_on",
		.segments = 1,
		.entries = {
			{ P, P }, { 0, P }, { P, 2 * P },
			{ 0, P }, { 0, P }, { 2 * P, P },
		},
	}, {
		.name = "six_entries_with_odd_offsets_are_merged_to_four",
		.segments = 4,
		.entries = {
			{ P / 2, P / 2 }, { 0, P }, { P / 2, P },
			{ P / 4, P / 4 }, { P / 2, P + P / 2 }, { 0, P },
		},
	}, {
		.name = "entries_that_merging_left_over_have_no_page",
		.segments = 4, .whole = true,
		.entries = {
			{ P / 2, P / 2 }, { 0, P }, { P / 2, P },
			{ P / 4, P / 4 }, { P / 2, P + P / 2 }, { 0, P },
		},
	},
};

static unsigned int number;	/* of the test, in KTAP */

static void tell(bool right, const char *name)
{
	pr_info("%sok %u %s\n", right ? "" : "not ", ++number, name);
}

static void walk_the_cases(void)
{
	struct walk_slip slip;
	unsigned int i;
	bool right;

	for (i = 0; i < WALK_CASES; i++) {
		right = walk_case_holds(&walk_cases[i], ZERO_PAGE(0), &slip);
		if (!right)
			pr_info("# loop left after %u: page %u is %#llx, not %#llx\n",
				slip.left, slip.at, slip.got, slip.want);
		tell(right, walk_cases[i].name);
	}
}

#ifdef CONFIG_PCI

/* Page n of the memory behind a list, by frame number; 0 behind the last. */
static unsigned long real_frame(const struct real_list *list,
				struct scatterlist *sgl, unsigned int n)
{
	unsigned int i, first, pages;

	for (i = 0; i < REAL_ENTRIES; i++) {
		first = PHYS_PFN(list->entries[i].offset);
		pages = PFN_UP(list->entries[i].offset +
			       list->entries[i].length) - first;
		if (n < pages)
			return page_to_pfn(sg_page(&sgl[i])) + first + n;

		n -= pages;
	}

	return 0;
}

static bool leads_to(struct device *dev, dma_addr_t dma, unsigned long frame)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return frame && domain &&
	       PHYS_PFN(iommu_iova_to_phys(domain, dma)) == frame;
}

/* How many pages of the memory the walk misses, and how many it adds. */
static unsigned int real_walk(struct device *dev, const struct real_list *list,
			      struct scatterlist *sgl, unsigned int count)
{
	struct sg_dma_page_iter it;
	unsigned int n = 0, wrong = 0;

	for_each_sg_dma_page(sgl, &it, count, 0)
		wrong += !leads_to(dev, sg_page_iter_dma_address(&it),
				   real_frame(list, sgl, n++));

	while (real_frame(list, sgl, n++))
		wrong++;

	return wrong;
}

/* The same for what drivers did before there was a DMA page iterator. */
static unsigned int old_walk(struct device *dev, const struct real_list *list,
			     struct scatterlist *sgl, unsigned int count)
{
	struct sg_page_iter it;
	unsigned int n = 0, wrong = 0;
	dma_addr_t dma;

	for_each_sg_page(sgl, &it, count, 0) {
		dma = sg_dma_address(it.sg) + (it.sg_pgoffset << PAGE_SHIFT);
		wrong += !leads_to(dev, dma, real_frame(list, sgl, n++));
	}

	while (real_frame(list, sgl, n++))
		wrong++;

	return wrong;
}

static bool real_list_holds(struct device *dev, const struct real_list *list)
{
	struct scatterlist sgl[REAL_ENTRIES];
	unsigned int i, segments, count, wrong, pages = 0;
	struct page *page;

	sg_init_table(sgl, REAL_ENTRIES);
	for (i = 0; i < REAL_ENTRIES; i++) {
		page = alloc_pages(GFP_KERNEL, REAL_ORDER);
		if (!page)
			panic("no memory for the boot test");
		sg_set_page(&sgl[i], page, list->entries[i].length,
			    list->entries[i].offset);
	}
	while (real_frame(list, sgl, pages))
		pages++;

	segments = dma_map_sg(dev, sgl, REAL_ENTRIES, DMA_BIDIRECTIONAL);
	count = list->whole ? REAL_ENTRIES : segments;
	wrong = real_walk(dev, list, sgl, count);
	pr_info("# list: %u entries, %u segments, %u pages, %u wrong, %u wrong with the old combination\n",
		REAL_ENTRIES, segments, pages, wrong,
		old_walk(dev, list, sgl, count));
	if (segments)
		dma_unmap_sg(dev, sgl, REAL_ENTRIES, DMA_BIDIRECTIONAL);

	for (i = 0; i < REAL_ENTRIES; i++)
		__free_pages(sg_page(&sgl[i]), REAL_ORDER);

	return segments == list->segments && !wrong;
}

static void walk_real_lists(void)
{
	struct pci_dev *nic = pci_get_device(PCI_VENDOR_ID_INTEL, BOOT_NIC,
					     NULL);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(real_lists); i++)
		tell(nic && real_list_holds(&nic->dev, &real_lists[i]),
		     real_lists[i].name);

	pci_dev_put(nic);
}

#define REAL_LISTS	ARRAY_SIZE(real_lists)

#else

#define REAL_LISTS	0

static void walk_real_lists(void)
{
}

#endif

static int __init sg_walk_boot(void)
{
	pr_info("KTAP version 1\n");
	pr_info("1..%u\n", (unsigned int)(WALK_CASES + REAL_LISTS));
	walk_the_cases();
	walk_real_lists();
	kernel_power_off();
	return 0;
}
late_initcall(sg_walk_boot);
