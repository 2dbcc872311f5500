/* SPDX-License-Identifier: GPL-2.0-only */
/* One text with its tokens, for Python. */
#ifndef READER_TEXT_H
#define READER_TEXT_H

#include <stdio.h>
#include "conditionals.h"

/* The numbers are in read/ctext.py, too. */
enum piece_kind {
	AN_ID, A_NUMBER, A_STRING, A_CHARACTER, A_SIGN, A_DIRECTIVE, A_HEADER
};

/* A token of the text. Offsets are bytes from its start. */
struct piece {
	enum piece_kind kind;
	int sign;			/* of A_SIGN */
	uint32_t start, end;
	uint32_t branch;		/* the innermost one, from 1; 0: none */
	struct span text;		/* without splices and digraphs */
};

struct pieces {
	struct piece *list;
	size_t count, room;
};

/* A preprocessor line. Its tokens are those of inner[first] to [last - 1]. */
struct line {
	uint32_t token;			/* the one that is the whole line */
	uint32_t first, last;
	uint32_t row;			/* of the conditionals, from 1; 0: none */
	enum truth branch;		/* of what follows, if there is a row */
	enum directive directive;
};

/* A branch of an #if; each number is from 1, and 0 is none. */
struct branch {
	uint32_t outer, before, group, nth, row;
	struct span condition;		/* the directive, without its # */
};

struct function {
	struct span name;
	uint32_t head, open;		/* tokens */
};

struct structure {
	struct span tag;
	uint32_t open, close;
};

struct pair {
	uint32_t open, close;
};

/* A list of any of these. */
#define LIST(type) struct { struct type *list; size_t count, room; }

#define ADD(array, ...) do {						\
	ROOM((array).list, (array).count, (array).room);		\
	(array).list[(array).count++] = __VA_ARGS__;			\
} while (0)

struct text {
	const unsigned char *start, *end;	/* *end is NUL */
	bool lines_only;		/* dead ones, too, and no tokens */
	struct pool pool;
	struct conditionals decided;
	size_t next_decision;

	struct pieces tokens, inner;
	LIST(line) lines;
	LIST(branch) branches;
	uint32_t rows, groups;		/* how many */
	uint32_t branch;		/* the one we are in */
	struct ranges comments, dead;
	size_t stray_quote;		/* offset + 1 of one in dead text */

	uint32_t *closing;		/* of each ( [ { its other, or 0 */
	uint32_t *block_end;		/* of each token */
	LIST(pair) braces;
	LIST(function) functions;
	LIST(structure) structures;
};

/* tokens.c: fill what comes before closing. */
void read_text(struct text *text);

/* nest.c: fill closing and what comes behind it. */
void nest_text(struct text *text);

/* serve.c: what is printed about a text. */
struct word {
	uint32_t value;
};

struct byte {
	unsigned char value;
};

struct answer {
	LIST(word) words;
	LIST(byte) bytes;
};

void free_text(struct text *text);
void answer_text(struct answer *answer, const unsigned char *start, size_t len,
		 bool lines_only);

/* Read texts from stdin, and print what they are made of. */
void serve(void);

/* Is the token this sign? */
static inline bool is_sign(const struct piece *piece, int sign)
{
	return piece->kind == A_SIGN && piece->sign == sign;
}

#endif
