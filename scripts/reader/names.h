/* SPDX-License-Identifier: GPL-2.0-only */
/* The names that the table of the campaign lists. */
#ifndef READER_NAMES_H
#define READER_NAMES_H

#include "base.h"

/* The words of the column "kind"; those up to FIELD are counted. */
enum name_kind {
	TYPE_NAME, LOOP_NAME, START_NAME, NEXT_NAME, ADDRESS_NAME, PAGE_NAME,
	CALL_NAME, FIELD_NAME, BASE_NAME, MEMBER_NAME, HOLDER_NAME,
	WRAPPER_NAME, GUARD_NAME, NAME_KINDS
};

/* One row of the table. */
struct name {
	enum name_kind kind;
	struct span spelling;	/* as the table has it */
	struct span word;	/* the identifier in that */
	struct span keyword;	/* of a type: struct or union */
	unsigned int argument;	/* which is the object, from 1; or 0 */
	bool declared;		/* a field that counts behind a type only */
	bool is_new;		/* of the API that comes */
	long since;		/* of a guard: a release, or -1 */
};

/* What the search looks for: a word, and two bytes of it that are rare. */
struct needle {
	struct span word;
	size_t pair;		/* which */
	size_t offset;		/* of the pair in the word */
	bool field;		/* a word of its own, behind . or -> */
};

enum {
	MAX_NAME = 64,		/* bytes */
	MAX_PAIRS = 8,
	NAME_BUCKETS = 256,
};

struct names {
	char *table;		/* the bytes that the spans are in */
	struct name *rows;
	size_t count, room;
	size_t buckets[NAME_BUCKETS];	/* of what is counted; row + 1, or 0 */
	size_t *next;			/* of each row in its bucket */

	struct needle *needles;
	size_t needle_count;
	unsigned char pairs[MAX_PAIRS][2];
	size_t pair_count;
	bool everything;		/* too short or too many to search */
};

/* Set once, before any file is read. */
extern struct names names;

/* Read the table; new_side is the word of the side that comes, or NULL. */
void load_names(const char *path, const char *new_side);

/* Return the type, macro or function that the word is, or NULL. */
const struct name *which_name(struct span word);

/* Return the field or base that a word behind . or -> is, or NULL. */
const struct name *which_field(struct span word);

#endif
