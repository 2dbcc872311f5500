// SPDX-License-Identifier: GPL-2.0-only
/* Fail, allocate, and compare spans of bytes. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base.h"

/* Say one sentence and give up; the tree has not been touched. */
_Noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("reader: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	_exit(2);
}

void *resize(void *old, size_t count, size_t size)
{
	void *new;

	if (count > SIZE_MAX / size)
		die("memory: %s", strerror(ENOMEM));
	new = realloc(old, count ? count * size : 1);
	if (!new)
		die("memory: %s", strerror(ENOMEM));
	return new;
}

int order(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int difference = memcmp(a.at, b.at, len);

	return difference ? difference : (a.len > b.len) - (a.len < b.len);
}

void *pool_get(struct pool *pool, size_t len)
{
	struct block *block = pool->newest;

	len = (len + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	if (!block || block->room - block->used < len) {
		size_t room = len > 4096 ? len : 4096;

		block = resize(NULL, 1, sizeof(*block) + room);
		block->older = pool->newest;
		block->used = 0;
		block->room = room;
		pool->newest = block;
	}
	block->used += len;
	return block->bytes + block->used - len;
}

struct span pool_copy(struct pool *pool, struct span span)
{
	if (!span.at)
		return span;
	return (struct span) {
		memcpy(pool_get(pool, span.len), span.at, span.len), span.len
	};
}

void pool_free(struct pool *pool)
{
	while (pool->newest) {
		struct block *older = pool->newest->older;

		free(pool->newest);
		pool->newest = older;
	}
}
