/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files to lex. */
#ifndef READER_SEARCH_H
#define READER_SEARCH_H

#include "names.h"

/*
 * Bytes that a search may look at beyond the ends of a file: newlines in
 * front, NUL behind.
 */
enum { STRIDE = 64, MARGIN = STRIDE + MAX_NAME };

enum verdict {
	NO_SITE,		/* certainly */
	PERHAPS,		/* a field, or a word with a splice in it */
	HOLDS_NAME,
};

enum verdict search(const unsigned char *start, size_t len);

#endif
