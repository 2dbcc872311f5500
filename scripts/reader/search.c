// SPDX-License-Identifier: GPL-2.0-only
/* Search the bytes of a file for what may be a site. */

#include "lex.h"
#include "search.h"

/* Does "sg", or a backslash and white space, start in these STRIDE bytes? */
static bool is_suspicious(const unsigned char *p)
{
	unsigned char found = 0;

	/* Without a branch, so that the compiler makes vectors of it. */
	for (int i = 0; i < STRIDE; i++)
		found |= ((p[i] == 's') & (p[i + 1] == 'g')) |
			 ((p[i] == '\\') & (p[i + 1] <= ' '));
	return found;
}

/* p is at "sg_". */
static bool is_name(const unsigned char *p)
{
	p += 3;
	if (starts_with(p, "page_iter") || starts_with(p, "dma_page_iter") ||
	    starts_with(p, "pgoffset"))
		return true;
	return starts_with(p - 12, "for_each_") &&
	       (starts_with(p, "page") || starts_with(p, "dma_page"));
}

/*
 * p is at the word sg. Can there be a . or -> before it, seen through white
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

enum verdict search(const unsigned char *start, size_t len)
{
	enum verdict verdict = NO_SITE;

	for (size_t i = 0; i < len; i += STRIDE) {
		if (!is_suspicious(start + i))
			continue;
		for (const unsigned char *p = start + i;
		     p < start + i + STRIDE; p++) {
			if (p[0] == '\\') {
				const unsigned char *q = unsplice(p);

				if (q > p && is_word(p[-1]) && is_word(*q))
					verdict = PERHAPS;
			} else if (p[0] == 's' && p[1] == 'g') {
				if (p[2] == '_' && is_name(p))
					return HOLDS_NAME;
				if (!is_word(p[2]) && !is_word(p[-1]) &&
				    may_be_field(start, p))
					verdict = PERHAPS;
			}
		}
	}
	return verdict;
}
