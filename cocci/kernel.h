/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macro hints for spatch (--macro-file): what its parser cannot guess of the
 * kernel's macros. Each hint has its symptom and its measure.
 */

/*
 * The page loops. Without a hint, a call in front of a statement that begins
 * with "*" is taken for a product: `for_each_sg_page(..) *out++ = x;` loses
 * its whole function.
 */
#define for_each_sg_page(sglist, piter, nents, pgoffset) YACFE_ITERATOR
#define for_each_sg_dma_page(sglist, dma_iter, nents, pgoffset) YACFE_ITERATOR
#define for_each_sgtable_page(sgt, piter, pgoffset) YACFE_ITERATOR
#define for_each_sgtable_dma_page(sgt, dma_iter, pgoffset) YACFE_ITERATOR
