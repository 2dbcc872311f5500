// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite for the DMA page iterator: one test for each row of
 * walk_cases.h.
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/string.h>

#include "walk_check.h"

static void walk_name(const struct walk_case *c, char *desc)
{
	strscpy(desc, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(walk, walk_cases, walk_name);

static void walk_finds_the_pages(struct kunit *test)
{
	struct walk_slip slip = { };
	bool right = walk_case_holds(test->param_value, ZERO_PAGE(0), &slip);

	KUNIT_EXPECT_TRUE_MSG(test, right,
			      "loop left after %u: page %u is %#llx, not %#llx",
			      slip.left, slip.at, slip.got, slip.want);
}

static struct kunit_case sg_dma_walk_cases[] = {
	KUNIT_CASE_PARAM(walk_finds_the_pages, walk_gen_params),
	{ }
};

static struct kunit_suite sg_dma_walk_suite = {
	.name = "sg_dma_walk",
	.test_cases = sg_dma_walk_cases,
};

kunit_test_suite(sg_dma_walk_suite);

MODULE_DESCRIPTION("KUnit suite for the DMA page iterator");
MODULE_LICENSE("GPL");
