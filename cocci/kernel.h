/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Macro hints for spatch (--macro-file): what its parser cannot guess of the
 * kernel's macros. Each hint has its symptom and its measure, in unread lines
 * without and with it; a test holds a snippet to each.
 *
 * A hint is for a use of a macro. Its own definition is often unread with and
 * without one: in include/linux/scatterlist.h the loop macros of v4.10 and
 * v4.20 are 15 lines, those of v6.1 and v6.12 are 34.
 */

/*
 * The page loops. A call in front of a statement that begins with `*` is
 * taken for a product, and `for_each_sg_page(..) *out++ = x;` loses its whole
 * function. v6.12: r535.c of nouveau 92 lines to 0, saa7146_video.c 94 to 0,
 * panfrost_dump.c 139 to 0, mlx5/cmd.c of vfio 51 to 0; v6.1: mlx5/cmd.c 52
 * to 0.
 */
#define for_each_sg_page(sglist, piter, nents, pgoffset) YACFE_ITERATOR
#define for_each_sg_dma_page(sglist, dma_iter, nents, pgoffset) YACFE_ITERATOR
#define for_each_sgtable_page(sgt, piter, pgoffset) YACFE_ITERATOR
#define for_each_sgtable_dma_page(sgt, dma_iter, pgoffset) YACFE_ITERATOR

/*
 * The entry loops that such functions have beside them, for the same reason.
 * A function of 15 lines with `for_each_sg(..) *out++ = sg_dma_address(sg);`:
 * 13 lines to 0.
 */
#define for_each_sg(sglist, sg, nr, i) YACFE_ITERATOR
#define for_each_sgtable_sg(sgt, sg, i) YACFE_ITERATOR
#define for_each_sgtable_dma_sg(sgt, sg, i) YACFE_ITERATOR

/*
 * The list loops that stand around such loops without braces. A rule that
 * declares an iterator name takes every other loop in front of a statement
 * that is no block for a call. A function of 12 lines with
 * `list_for_each_entry(..) for_each_sg_page(..) x = y;`: 12 lines to 0. Their
 * arguments changed over time, so any number will do.
 */
#define list_for_each(...) YACFE_ITERATOR
#define list_for_each_safe(...) YACFE_ITERATOR
#define list_for_each_entry(...) YACFE_ITERATOR
#define list_for_each_entry_safe(...) YACFE_ITERATOR
#define list_for_each_entry_reverse(...) YACFE_ITERATOR
#define list_for_each_entry_continue(...) YACFE_ITERATOR
#define list_for_each_entry_from(...) YACFE_ITERATOR
#define list_for_each_entry_rcu(...) YACFE_ITERATOR
#define hlist_for_each_entry(...) YACFE_ITERATOR
#define hlist_for_each_entry_safe(...) YACFE_ITERATOR
#define hlist_for_each_entry_rcu(...) YACFE_ITERATOR

/*
 * The same of what else drivers keep tables in. A function of 11 lines with
 * `xa_for_each(..) for_each_sg_page(..) *out++ = x;`: 11 lines to 0.
 */
#define xa_for_each(...) YACFE_ITERATOR
#define xa_for_each_range(...) YACFE_ITERATOR
#define xa_for_each_marked(...) YACFE_ITERATOR
#define idr_for_each_entry(...) YACFE_ITERATOR
#define llist_for_each_entry(...) YACFE_ITERATOR
#define plist_for_each_entry(...) YACFE_ITERATOR
#define for_each_set_bit(...) YACFE_ITERATOR
#define for_each_possible_cpu(...) YACFE_ITERATOR
#define for_each_online_cpu(...) YACFE_ITERATOR
#define for_each_child_of_node(...) YACFE_ITERATOR

/*
 * Locks that end with their block, v6.4 and later. The block after the call
 * is no C that the parser knows. v6.12, drivers/gpio: 1697 lines to 394.
 */
#define scoped_guard(...) YACFE_ITERATOR
#define scoped_cond_guard(...) YACFE_ITERATOR

/*
 * Between a declared name and its initial value, v6.5 and later. It is read
 * as an attribute after `struct x *p`, and is not after `u8 *p`. v6.12,
 * drivers/gpio: 394 lines to 369.
 */
#define __free(how) __attribute__((how))

/*
 * An initial value in struct dev_pm_ops with no comma of its own, next to
 * another one: the structure is unread, and the last line of the function
 * above with it. Without this hint v4.20 has 4 lines more in ipu3-cio2.c and
 * 5 in drivers/gpio, v6.12 19 in both; one of the two macros is enough.
 */
#define SET_RUNTIME_PM_OPS(suspend_fn, resume_fn, idle_fn) \
	.runtime_suspend = suspend_fn, .runtime_resume = resume_fn,
