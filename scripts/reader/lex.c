// SPDX-License-Identifier: GPL-2.0-only
/* Translation phases 2 and 3 of C: splices, comments, tokens. */

#include "lex.h"

/* p is inside a block comment: return what follows it, or NULL. */
static const unsigned char *after_block(const unsigned char *p,
					const unsigned char *end)
{
	while ((p = memchr(p, '*', end - p))) {
		const unsigned char *q = unsplice(++p);

		if (*q == '/')
			return q + 1;
	}
	return NULL;
}

/* p is inside a line comment: return the newline that ends it. */
static const unsigned char *after_line(const unsigned char *p,
				       const unsigned char *end)
{
	const unsigned char *newline, *q;

	while ((newline = memchr(p, '\n', end - p))) {
		for (q = newline; q > p && is_blank(q[-1]); q--)
			;
		if (q == p || q[-1] != '\\')
			return newline;
		p = newline + 1;
	}
	return end;
}

/*
 * p is at a slash: return what follows the comment, p itself if it opens none,
 * or NULL if the comment does not end.
 */
static const unsigned char *after_comment(const unsigned char *p,
					  const unsigned char *end)
{
	const unsigned char *second = unsplice(p + 1);

	if (*second == '*')
		return after_block(second + 1, end);
	return *second == '/' ? after_line(second + 1, end) : p;
}

/*
 * p is inside a string or character constant: return what follows it, or, with
 * *closed false, the end of its line.
 */
static const unsigned char *after_quote(const unsigned char *p,
					const unsigned char *end,
					unsigned char quote, bool *closed)
{
	*closed = false;
	for (;;) {
		p = unsplice(p);
		if (p == end || *p == '\n')
			return p;
		if (*p == quote) {
			*closed = true;
			return p + 1;
		}
		if (*p == '\\') {
			p = unsplice(p + 1);
			if (p == end || *p == '\n')
				return p;
		}
		p++;
	}
}

/* The bytes of a token, as they are without its splices. */
static struct span spelt(struct lexer *lexer, const unsigned char *at,
			 const unsigned char *end)
{
	unsigned char *copy;
	size_t len = 0;

	if (!memchr(at, '\\', end - at))
		return (struct span) { at, end - at };
	copy = pool_get(lexer->pool, end - at);
	for (; at < end; at = unsplice(at + 1))
		copy[len++] = *at;
	return (struct span) { copy, len };
}

static const unsigned char *after_word(const unsigned char *p)
{
	for (;;) {
		const unsigned char *next;

		while (is_word(*p))
			p++;
		next = unsplice(p);
		if (next == p || !is_word(*next))
			return p;
		p = next;
	}
}

/* A preprocessing number; in assembly only digits and letters. */
static const unsigned char *after_number(const struct lexer *lexer,
					 const unsigned char *p)
{
	const unsigned char *next;
	unsigned char last;

	do {
		last = *p | 0x20;
		next = unsplice(++p);
		if (!is_word(*next) && lexer->assembly)
			break;
		if (!is_word(*next) && *next != '.' &&
		    !((*next == '+' || *next == '-') &&
		      (last == 'e' || last == 'p')))
			break;
		p = next;
	} while (true);
	return p;
}

static int lex_sign(const struct lexer *lexer, const unsigned char *p,
		    const unsigned char **after)
{
	static const struct {
		char first, second;
		int sign;
	} pairs[] = {
		{ '-', '>', ARROW }, { '&', '&', AND_AND }, { '|', '|', OR_OR },
		{ '+', '+', INCREMENT }, { '-', '-', INCREMENT },
		{ '=', '=', EQUAL }, { '!', '=', UNEQUAL },
		{ '<', '=', AT_MOST }, { '>', '=', AT_LEAST },
		{ '<', '<', SHIFT_LEFT }, { '>', '>', SHIFT_RIGHT },
		/* The digraphs, which an assembler does not have. */
		{ '<', ':', '[' }, { ':', '>', ']' }, { '<', '%', '{' },
		{ '%', '>', '}' }, { '%', ':', '#' },
	};
	const unsigned char *second = unsplice(p + 1);
	const size_t digraphs = 11;
	size_t count = lexer->assembly ? digraphs : ARRAY_SIZE(pairs);

	if (*p == '.' && *second == '.') {
		const unsigned char *third = unsplice(second + 1);

		if (*third == '.') {
			*after = third + 1;
			return DOTS;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (*p == pairs[i].first && *second == pairs[i].second) {
			const unsigned char *third = unsplice(second + 1);
			bool shifts = pairs[i].sign == SHIFT_LEFT ||
				      pairs[i].sign == SHIFT_RIGHT;

			*after = second + 1;
			if (!shifts || *third != '=')
				return pairs[i].sign;
			*after = third + 1;
			return SHIFT_ASSIGN;
		}
	}
	*after = p + 1;
	return *p;
}

/* The bytes up to end are no token. */
static struct token broken(struct lexer *lexer, const unsigned char *at,
			   const unsigned char *rest, const unsigned char *end,
			   const char *why)
{
	lexer->p = end;
	return (struct token) {
		.kind = BROKEN, .at = at, .rest = rest, .end = end, .why = why
	};
}

static bool is_quote(const struct lexer *lexer, unsigned char c)
{
	return !lexer->names_only &&
	       (c == '"' || (c == '\'' && !lexer->assembly));
}

static struct token lex_quote(struct lexer *lexer, struct token token)
{
	bool closed;

	token.kind = *token.at == '"' ? STRING : CHARACTER;
	lexer->p = after_quote(token.at + 1, lexer->end, *token.at, &closed);
	if (closed)
		return token;
	return broken(lexer, token.at, token.at + 1, lexer->p,
		      token.kind == STRING ? "unterminated string" :
		      "unterminated character constant");
}

struct token lex(struct lexer *lexer)
{
	const unsigned char *p = lexer->p, *end = lexer->end, *q;
	struct token token = { .kind = END };

	for (;; p = q) {
		p = unsplice(p);
		q = p + 1;
		if (*p == '\n' && !lexer->in_directive) {
			lexer->line_start = true;
		} else if (*p == '/' && !lexer->names_only) {
			q = after_comment(p, end);
			if (!q)
				return broken(lexer, p, unsplice(p + 1) + 1,
					      end, "unterminated comment");
			if (q == p)
				break;
		} else if (!*p && p < end) {
			while (q < end && !*q)
				q++;
			return broken(lexer, p, q, q, "nul byte");
		} else if (!is_blank(*p)) {
			break;
		}
	}
	token.at = p;
	token.first = lexer->line_start;
	lexer->p = p;
	if (p == end)
		return token;
	if (*p == '\n') {
		token.kind = LINE_END;
		return token;
	}
	lexer->line_start = false;

	if (is_quote(lexer, *p))
		return lex_quote(lexer, token);
	if (is_digit(*p) ||
	    (*p == '.' && !lexer->assembly && is_digit(*unsplice(p + 1)))) {
		token.kind = NUMBER;
		lexer->p = after_number(lexer, p);
		token.text = spelt(lexer, p, lexer->p);
	} else if (is_word(*p)) {
		token.kind = WORD;
		lexer->p = after_word(p);
		token.text = spelt(lexer, p, lexer->p);
	} else {
		token.kind = PUNCTUATION;
		token.sign = lex_sign(lexer, p, &lexer->p);
	}
	return token;
}

enum directive which_directive(const struct lexer *lexer,
			       const struct token *token)
{
	static const struct {
		const char *word;
		enum directive directive;
	} words[] = {
		{ "if", IF }, { "ifdef", IFDEF }, { "ifndef", IFDEF },
		{ "elif", ELIF }, { "elifdef", ELIFDEF },
		{ "elifndef", ELIFDEF }, { "else", ELSE }, { "endif", ENDIF },
		{ "define", DEFINE }, { "undef", UNDEF },
		{ "include", INCLUDE }, { "include_next", INCLUDE },
		{ "import", INCLUDE },
		{ "error", MESSAGE }, { "warning", MESSAGE },
		{ "pragma", OTHER_DIRECTIVE }, { "line", OTHER_DIRECTIVE },
	};

	if (token->kind == WORD)
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (is(token->text, words[i].word))
				return words[i].directive;
	/* # starts a comment of some assemblers. */
	return lexer->assembly ? NO_DIRECTIVE : OTHER_DIRECTIVE;
}

/* Go past the <name> of an #include: a name of a file is not a site. */
void skip_header_name(struct lexer *lexer)
{
	const unsigned char *p = lexer->p;

	for (;;) {
		p = unsplice(p);
		if (!is_blank(*p))
			break;
		p++;
	}
	if (*p != '<')
		return;
	while (p < lexer->end && *p != '\n' && *p != '>')
		p = unsplice(p + 1);
	lexer->p = p;
}
