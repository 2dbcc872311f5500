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
const unsigned char *after_comment(const unsigned char *p,
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
const unsigned char *after_quote(const unsigned char *p,
				 const unsigned char *end,
				 unsigned char quote, bool *closed)
{
	const unsigned char *start = p;

	*closed = false;
	for (;;) {
		p = unsplice(p);
		/* A return before the newline is a part of the line's end. */
		if (p < end && *p == '\n' && p > start && p[-1] == '\r')
			return p - 1;
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

struct span spelt(struct lexer *lexer, const unsigned char *at,
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

static bool is_hex(unsigned char c)
{
	return is_digit(c) || (unsigned char)((c | 0x20) - 'a') < 6;
}

/*
 * Go past a part of a word: what every C has in one, the $ of gcc and clang,
 * bytes beyond ASCII, and \u with four digits. Return p if there is none.
 */
static const unsigned char *after_part(const struct lexer *lexer,
				       const unsigned char *p)
{
	for (;;) {
		if (is_word(*p))
			p++;
		else if (lexer->assembly)
			return p;
		else if (*p == '$' || *p >= 0x80)
			p++;
		else if (*p == '\\' && (p[1] | 0x20) == 'u' && is_hex(p[2]) &&
			 is_hex(p[3]) && is_hex(p[4]) && is_hex(p[5]))
			p += 6;
		else
			return p;
	}
}

static const unsigned char *after_word(const struct lexer *lexer,
				       const unsigned char *p)
{
	for (;;) {
		const unsigned char *next;

		p = after_part(lexer, p);
		next = unsplice(p);
		if (next == p || after_part(lexer, next) == next)
			return p;
		p = next;
	}
}

/* A preprocessing number; in assembly only digits and letters. */
static const unsigned char *after_number(const struct lexer *lexer,
					 const unsigned char *p)
{
	unsigned char last = *p++;

	for (;;) {
		const unsigned char *next = unsplice(p);
		bool sign = (*next == '+' || *next == '-') &&
			    ((last | 0x20) == 'e' || (last | 0x20) == 'p');

		if (is_word(*next) ||
		    (!lexer->assembly && (*next == '.' || sign)))
			p = next + 1;
		else if (*next != '$' && after_part(lexer, next) > next)
			p = after_part(lexer, next);
		else
			return p;
		last = p[-1];
	}
}

static const struct {
	char first, second;
	short sign;
} pairs[] = {
	{ '-', '>', ARROW }, { '&', '&', AND_AND }, { '|', '|', OR_OR },
	{ '+', '+', INCREMENT }, { '-', '-', DECREMENT },
	{ '=', '=', EQUAL }, { '!', '=', UNEQUAL },
	{ '<', '=', AT_MOST }, { '>', '=', AT_LEAST },
	{ '<', '<', SHIFT_LEFT }, { '>', '>', SHIFT_RIGHT },
	{ '#', '#', PASTE },
	{ '+', '=', ADD_ASSIGN }, { '-', '=', SUBTRACT_ASSIGN },
	{ '*', '=', MULTIPLY_ASSIGN }, { '/', '=', DIVIDE_ASSIGN },
	{ '%', '=', REMAINDER_ASSIGN }, { '&', '=', AND_ASSIGN },
	{ '|', '=', OR_ASSIGN }, { '^', '=', XOR_ASSIGN },
	/* The digraphs, which an assembler does not have. */
	{ '<', ':', '[' }, { ':', '>', ']' }, { '<', '%', '{' },
	{ '%', '>', '}' }, { '%', ':', '#' },
};

enum { DIGRAPHS = 5 };

/* %: is #, so %:%: is ##. */
static bool pastes(const unsigned char *p)
{
	return *p == '%' && *unsplice(p + 1) == ':';
}

static int lex_sign(const struct lexer *lexer, const unsigned char *p,
		    const unsigned char **after)
{
	const unsigned char *second = unsplice(p + 1);
	const unsigned char *third;
	size_t count = ARRAY_SIZE(pairs) - (lexer->assembly ? DIGRAPHS : 0);

	*after = p + 1;
	if (*p == '.' && *second == '.') {
		third = unsplice(second + 1);
		if (*third == '.') {
			*after = third + 1;
			return DOTS;
		}
	}
	for (size_t i = 0; i < count; i++) {
		int sign = pairs[i].sign;

		if (*p != pairs[i].first || *second != pairs[i].second)
			continue;
		*after = second + 1;
		third = unsplice(second + 1);
		if (*third == '=' && (sign == SHIFT_LEFT ||
				      sign == SHIFT_RIGHT)) {
			*after = third + 1;
			return sign == SHIFT_LEFT ? SHIFT_LEFT_ASSIGN :
			       SHIFT_RIGHT_ASSIGN;
		}
		if (sign == '#' && pastes(third)) {
			*after = unsplice(third + 1) + 1;
			return PASTE;
		}
		return sign;
	}
	return *p;
}

struct span spell_sign(const struct token *token)
{
	static const char *const signs[SIGNS - ARROW] = {
		"->", "&&", "||", "++", "...", "==", "!=", "<=", ">=", "<<",
		">>", "--", "##", "+=", "-=", "*=", "/=", "%=", "&=", "|=",
		"^=", "<<=", ">>=",
	};
	static const char ones[] = "[]{}#";

	if (token->sign >= ARROW)
		return text_span(signs[token->sign - ARROW]);
	for (const char *one = ones; *one; one++)
		if (*one == token->sign)
			return (struct span) { (const unsigned char *)one, 1 };
	return (struct span) { token->at, 1 };
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

static void add_range(struct ranges *ranges, const unsigned char *start,
		      const unsigned char *end)
{
	ROOM(ranges->list, ranges->count, ranges->room);
	ranges->list[ranges->count++] = (struct range) { start, end };
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
			if (q == p)
				break;
			if (lexer->comments)
				add_range(lexer->comments, p, q ? q : end);
			if (!q)
				return broken(lexer, p, unsplice(p + 1) + 1,
					      end, "unterminated comment");
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
	} else if (after_part(lexer, p) > p) {
		token.kind = WORD;
		lexer->p = after_word(lexer, p);
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

/*
 * Go past the <name> of an #include, and what is before it; return the name
 * with its brackets, or nothing. A name of a file is not a site.
 */
struct span skip_header_name(struct lexer *lexer)
{
	const unsigned char *p = lexer->p, *q;

	for (;; p = q) {
		p = unsplice(p);
		q = p + 1;
		if (*p == '/')
			q = after_comment(p, lexer->end);
		if (!q || q == p || (*p != '/' && !is_blank(*p)))
			break;
	}
	if (*p != '<')
		return nothing;
	for (q = p; q < lexer->end && *q != '\n' && *q != '>';)
		q = unsplice(q + 1);
	if (q == lexer->end || *q != '>')
		return nothing;
	lexer->p = q + 1;
	lexer->line_start = false;
	return (struct span) { p, q + 1 - p };
}
