/* SPDX-License-Identifier: GPL-2.0-only */
/* Sites, and the names that make them. */
#ifndef READER_SITES_H
#define READER_SITES_H

#include "base.h"

/* The names; the order serves nothing but the reader. */
enum what {
	FOR_EACH_PAGE, FOR_EACH_DMA_PAGE, DMA_ADDRESS, PAGE,
	START, NEXT, DMA_NEXT, PAGE_ITER, DMA_PAGE_ITER,
	STRUCT_PAGE_ITER, STRUCT_DMA_PAGE_ITER, FIELD_SG, FIELD_PGOFFSET,
	NOT_UNDERSTOOD
};

extern const char *const spelling[];

struct place {
	enum { CODE, MACRO, DIRECTIVE, IF0, UNLEXED, UNREAD } kind;
	const char *why;		/* of UNLEXED and UNREAD */
};

struct row {
	size_t offset;			/* bytes from the start of the file */
	size_t line, column;
	struct span function;
	enum what what;
	struct place place;
	bool unclaimed;			/* a function that follows may take it */
	/* A .sg that counts only if a structure has one of these iterators. */
	struct span members[2];
};

/* What one file has to say. */
struct finding {
	char *path;			/* relative to the tree */
	bool holds_name;		/* be it in a comment */
	struct row *rows;
	size_t count;
};

/* The members of structures that are iterators. */
struct members {
	struct span *names;
	size_t count, room;
	struct pool pool;
};

#endif
