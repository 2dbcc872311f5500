/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * As much of a kernel as lib/scatterlist.c and include/linux/scatterlist.h of
 * any tree from v3.10 to v6.12 need to be compiled as they are, in user space.
 *
 * harness.py makes each header that the two include, save for the one itself,
 * a file that includes this one. What a walk calls is here and works. What
 * the rest of the library calls is only declared, or unused(): calling it
 * ends the program. Left out: everything else.
 */
#ifndef HARNESS_SHIM_H
#define HARNESS_SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;
typedef u64 dma_addr_t;
typedef u64 phys_addr_t;
typedef unsigned int gfp_t;
typedef unsigned long pgoff_t;

#ifndef PAGE_SHIFT
#define PAGE_SHIFT	12
#endif
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define ALIGN(x, to)	(((x) + ((typeof(x))(to) - 1)) & ~((typeof(x))(to) - 1))
#define PAGE_ALIGN(x)	ALIGN(x, PAGE_SIZE)
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)
#define PFN_UP(x)	(((x) + PAGE_SIZE - 1) >> PAGE_SHIFT)

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#define min(a, b)	((a) < (b) ? (a) : (b))
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	((type)(a) > (type)(b) ? (type)(a) : (type)(b))
#define umin(a, b)	min((size_t)(a), (size_t)(b))
#define ALIGN_DOWN(x, to)	((x) & ~((typeof(x))(to) - 1))
#define rounddown(x, to)	((x) - (x) % (to))
#define DIV_ROUND_UP(x, by)	(((x) + (by) - 1) / (by))
#define BIT(n)		(1UL << (n))
#define array_size(n, size)	((size_t)(n) * (size))
#define IS_ENABLED(option)	0
#define __user
#define __maybe_unused	__attribute__((__unused__))

#define BUG_ON(wrong) \
	do { \
		if (wrong) { \
			fprintf(stderr, "%s:%d: BUG: %s\n", __FILE__, \
				__LINE__, #wrong); \
			abort(); \
		} \
	} while (0)
#define WARN_ON(wrong)	({ bool hit = !!(wrong); BUG_ON(hit); hit; })
#define WARN_ON_ONCE(wrong)	WARN_ON(wrong)
#define unused()	({ BUG_ON("no walk calls this"); 0; })

/* An export that is missing or doubled is an error of the linker. */
#define EXPORT_SYMBOL(name) \
	extern const void *const exported_##name; \
	const void *const exported_##name = (const void *)name
#define EXPORT_SYMBOL_GPL(name)	EXPORT_SYMBOL(name)

struct page {
	unsigned long flags;
};

struct folio {
	struct page page;
};

/* Pages follow each other in memory as they do by number. */
static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)page / sizeof(*page);
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return (struct page *)(pfn * sizeof(struct page));
}

static inline struct page *nth_page(struct page *page, unsigned long n)
{
	return pfn_to_page(page_to_pfn(page) + n);
}

static inline phys_addr_t page_to_phys(const struct page *page)
{
	return (phys_addr_t)page_to_pfn(page) << PAGE_SHIFT;
}

static inline void *page_address(const struct page *page)
{
	return (void *)(unsigned long)page_to_phys(page);
}

static inline struct page *virt_to_page(const void *p)
{
	return pfn_to_page((unsigned long)p >> PAGE_SHIFT);
}

#define virt_addr_valid(p)	((p) != NULL)

/* The rest of lib/scatterlist.c, which no walk gets to. */
#define GFP_KERNEL	0
#define GFP_ATOMIC	1
#define __GFP_COMP	0
#define GFP_DMA		0
#define MAX_ORDER	11
#define kmalloc(size, gfp)	malloc(size)
#define kzalloc(size, gfp)	calloc(1, size)
#define kmalloc_array(n, size, gfp)	calloc(n, size)
#define kcalloc(n, size, gfp)	calloc(n, size)
#define kfree(p)	free((void *)(p))
#define __get_free_page(gfp)	((unsigned long)malloc(PAGE_SIZE))
#define free_page(p)	free((void *)(p))
#define kmemleak_alloc(p, size, count, gfp)	((void)(p))
#define kmemleak_free(p)	((void)(p))
#define alloc_pages(gfp, order)	((struct page *)NULL)
#define __free_pages(page, order)	((void)unused())
#define get_order(size)	((int)((size) >> PAGE_SHIFT))
#define kmap(page)	page_address(page)
#define kmap_atomic(page)	page_address(page)
#define kmap_local_page(page)	page_address(page)
#define kunmap(page)	((void)(page))
#define kunmap_atomic(p)	((void)(p))
#define kunmap_local(p)	((void)(p))
#define flush_kernel_dcache_page(page)	((void)(page))
#define flush_dcache_page(page)	((void)(page))
#define PageSlab(page)	((void)(page), false)
#define PageHighMem(page)	((void)(page), false)
#define is_vmalloc_or_module_addr(p)	((void)(p), false)
#define vmalloc_to_page(p)	virt_to_page(p)
#define zone_device_pages_have_same_pgmap(a, b)	((void)(a), (void)(b), true)
#define preemptible()	true
#define pagefault_disabled()	false
#define in_interrupt()	false
#define in_atomic()	false
#define might_sleep()	((void)0)
#define local_irq_save(flags)	((void)(flags))
#define local_irq_restore(flags)	((void)(flags))
#define irqs_disabled()	false
#define ERR_PTR(error)	((void *)(long)(error))
#define PTR_ERR(p)	((long)(p))
#define IS_ERR(p)	((unsigned long)(p) > (unsigned long)-4096)
#define IS_ERR_OR_NULL(p)	(!(p) || IS_ERR(p))
#define PTR_ERR_OR_ZERO(p)	(IS_ERR(p) ? PTR_ERR(p) : 0)
#define pr_err(...)	fprintf(stderr, __VA_ARGS__)

/* v6.3 and later make lists of iov_iters. */
typedef unsigned int iov_iter_extraction_t;

enum iter_type {
	ITER_UBUF, ITER_IOVEC, ITER_BVEC, ITER_KVEC, ITER_FOLIOQ, ITER_XARRAY,
};

struct bio_vec {
	struct page *bv_page;
	size_t bv_len, bv_offset;
};

struct kvec {
	void *iov_base;
	size_t iov_len;
};

struct xarray {
	int nothing;
};

struct folio_queue {
	struct folio_queue *next;
};

struct iov_iter {
	const struct folio_queue *folioq;
	const struct bio_vec *bvec;
	const struct kvec *kvec;
	struct xarray *xarray;
	unsigned long nr_segs, xarray_start;
	unsigned int folioq_slot;
	size_t iov_offset, count;
};

#define iov_iter_type(iter)	((enum iter_type)((void)(iter), unused()))
#define iov_iter_advance(iter, n)	((void)unused())
#define iov_iter_revert(iter, n)	((void)unused())
#define iov_iter_extract_pages(...)	((ssize_t)unused())
#define unpin_user_pages(...)	((void)unused())
#define unpin_user_page(page)	((void)unused())
#define put_page(page)	((void)unused())
#define folioq_nr_slots(q)	((unsigned int)unused())
#define folioq_folio(q, slot)	((struct folio *)(long)unused())
#define folioq_folio_size(q, slot)	((size_t)unused())
#define folio_page(folio, n)	(&(folio)->page)
#define folio_size(folio)	((size_t)unused())
#define folio_test_hugetlb(folio)	((bool)unused())
#define offset_in_folio(folio, p)	((size_t)unused())
#define XA_STATE(name, xa, index)	int name = ((void)(xa), (void)(index), 0)
#define xas_for_each(xas, entry, last) \
	for ((void)(xas), (entry) = NULL; (entry); )
#define xas_retry(xas, entry)	((bool)unused())
#define xa_is_value(entry)	((bool)unused())
#define rcu_read_lock()	((void)unused())
#define rcu_read_unlock()	((void)unused())

#endif
