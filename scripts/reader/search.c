// SPDX-License-Identifier: GPL-2.0-only
/* Search the bytes of a file for what may be a site. */

#include "lex.h"
#include "names.h"
#include "search.h"

/* Does one of the pairs, or a backslash and white space, start in here? */
static bool is_suspicious(const unsigned char *p)
{
	unsigned char found = 0;

	/* Without a branch, so that the compiler makes vectors of it. */
	for (int i = 0; i < STRIDE; i++)
		found |= (p[i] == '\\') & (p[i + 1] <= ' ');
	for (size_t pair = 0; pair < names.pair_count; pair++) {
		const unsigned char first = names.pairs[pair][0];
		const unsigned char second = names.pairs[pair][1];

		for (int i = 0; i < STRIDE; i++)
			found |= (p[i] == first) & (p[i + 1] == second);
	}
	return found;
}

/*
 * p is at the word of a field. Can there be a . or -> before it, seen through white
 * space, comments, splices and preprocessor lines?
 */
static bool may_be_field(const unsigned char *start, const unsigned char *p)
{
	for (;;) {
		const unsigned char *line;

		while (p > start && (is_blank(p[-1]) || !p[-1]))
			p--;
		if (p == start)
			return false;
		if (p[-1] != '\n')
			return strchr(".>/\\", p[-1]);

		/* The line above: a comment, a directive, a part of one? */
		for (line = --p; line > start && line[-1] != '\n'; line--)
			if (strchr("/#%\"'", line[-1]) && line[-1])
				return true;
		for (line--; line > start && is_blank(line[-1]); line--)
			;
		if (line > start && line[-1] == '\\')
			return true;
	}
}

/* What do the needles with this pair, which is at p, find? */
static enum verdict look(const unsigned char *start, const unsigned char *p,
			 size_t pair)
{
	enum verdict verdict = NO_SITE;

	for (size_t i = 0; i < names.needle_count; i++) {
		const struct needle *needle = &names.needles[i];
		const unsigned char *word = p - needle->offset;
		size_t len = needle->word.len;

		/* Before the start of the file there is a margin. */
		if (needle->pair != pair || memcmp(word, needle->word.at, len))
			continue;
		if (!needle->field)
			return HOLDS_NAME;
		if (!is_word(word[len]) && !is_word(word[-1]) &&
		    may_be_field(start, word))
			verdict = PERHAPS;
	}
	return verdict;
}

enum verdict search(const unsigned char *start, size_t len)
{
	enum verdict verdict = names.everything ? PERHAPS : NO_SITE;

	for (size_t i = 0; i < len; i += STRIDE) {
		if (!is_suspicious(start + i))
			continue;
		for (const unsigned char *p = start + i;
		     p < start + i + STRIDE; p++) {
			if (p[0] == '\\') {
				const unsigned char *q = unsplice(p);

				if (q > p && is_word(p[-1]) && is_word(*q))
					verdict = PERHAPS;
				continue;
			}
			for (size_t pair = 0; pair < names.pair_count; pair++) {
				enum verdict found = NO_SITE;

				if (p[0] == names.pairs[pair][0] &&
				    p[1] == names.pairs[pair][1])
					found = look(start, p, pair);
				if (found == HOLDS_NAME)
					return HOLDS_NAME;
				if (found == PERHAPS)
					verdict = PERHAPS;
			}
		}
	}
	return verdict;
}
