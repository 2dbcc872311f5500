/* SPDX-License-Identifier: GPL-2.0-only */
/* Sites, and the names that make them. */
#ifndef READER_SITES_H
#define READER_SITES_H

#include "names.h"

struct place {
	enum { CODE, MACRO, DIRECTIVE, IF0, UNLEXED, UNREAD } kind;
	const char *why;		/* of UNLEXED and UNREAD */
};

struct row {
	size_t offset;			/* bytes from the start of the file */
	size_t line, column;
	struct span function;
	const struct name *name;	/* NULL: it was not understood */
	bool tagged;			/* struct stands before the tag */
	struct place place;
	bool unclaimed;			/* a function that follows may take it */
	/* A field that counts only if a structure has one of these members. */
	struct span members[2];
};

/* What one file has to say. */
struct finding {
	char *path;			/* relative to the tree */
	bool holds_name;		/* be it in a comment */
	struct row *rows;
	size_t count;
};

/* The members of structures that have a counted type. */
struct members {
	struct span *names;
	size_t count, room;
	struct pool pool;
};

#endif
