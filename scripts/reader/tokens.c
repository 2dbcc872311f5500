// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tokens of a text, as Python wants them.
 *
 * A preprocessor line is one token, and has its own tokens beside the others.
 * What stands in a branch that no kernel can see has none: it may be prose.
 * What C does not allow is a token all the same: a quote that does not end
 * goes to the end of its line, and each NUL byte is a sign.
 */

#include "print.h"
#include "text.h"

static uint32_t offset_of(const struct text *text, const unsigned char *at)
{
	return at - text->start;
}

static void add_piece(struct text *text, struct pieces *pieces,
		      struct piece piece, const unsigned char *at,
		      const unsigned char *end)
{
	piece.start = offset_of(text, at);
	piece.end = offset_of(text, end);
	piece.branch = text->branch;
	ADD(*pieces, piece);
}

static void add_broken(struct text *text, struct pieces *pieces,
		       const struct token *token)
{
	const unsigned char *at = token->at;
	struct piece piece = { .kind = A_SIGN };

	if (*at == '"' || *at == '\'') {
		piece.kind = *at == '"' ? A_STRING : A_CHARACTER;
		piece.text = (struct span) { at, token->end - at };
		add_piece(text, pieces, piece, at, token->end);
		return;
	}
	/* A comment that does not end is no token. */
	for (; at < token->end && !*at; at++) {
		piece.text = (struct span) { at, 1 };
		add_piece(text, pieces, piece, at, at + 1);
	}
}

/* Add the token that the lexer has just returned. */
static void add_token(struct text *text, struct pieces *pieces,
		      struct lexer *lexer, const struct token *token)
{
	static const enum piece_kind kinds[] = {
		[WORD] = AN_ID, [NUMBER] = A_NUMBER, [STRING] = A_STRING,
		[CHARACTER] = A_CHARACTER, [PUNCTUATION] = A_SIGN,
	};
	struct piece piece = { .sign = token->sign };

	if (token->kind == BROKEN) {
		add_broken(text, pieces, token);
		return;
	}
	piece.kind = kinds[token->kind];
	if (token->kind == STRING)
		piece.text = (struct span) { token->at, lexer->p - token->at };
	else if (token->kind == CHARACTER)
		piece.text = spelt(lexer, token->at, lexer->p);
	else if (token->kind == PUNCTUATION)
		piece.text = spell_sign(token);
	else
		piece.text = token->text;
	add_piece(text, pieces, piece, token->at, lexer->p);
}

/* ---- Branches ------------------------------------------------------- */

/*
 * A directive without splices and comments: its first word, a blank, and the
 * rest without the blanks around it.
 */
static struct span condition_of(struct text *text, struct lexer lexer,
				const unsigned char *at,
				const unsigned char *end)
{
	unsigned char *copy = pool_get(&text->pool, end - at + 8);
	const unsigned char *p = at, *q;
	size_t len = 0, word = 0, from;

	/* Its # and what is behind that. */
	p = unsplice(*p == '%' ? unsplice(p + 1) + 1 : p + 1);
	for (; p < end; p = unsplice(q)) {
		bool closed;

		q = p + 1;
		if (*p == '/')
			q = after_comment(p, lexer.end);
		if (!q)
			q = end;
		if (*p == '/' && q > p) {
			copy[len++] = ' ';
			continue;
		}
		q = p + 1;
		if (*p == '"' || *p == '\'')
			q = after_quote(q, lexer.end, *p, &closed);
		for (; p < q; p = unsplice(p + 1))
			copy[len++] = *p;
	}
	for (from = 0; from < len && (is_blank(copy[from]) ||
				      copy[from] == '\n'); from++)
		;
	while (from + word < len && ((copy[from + word] >= 'a' &&
				      copy[from + word] <= 'z') ||
				     copy[from + word] == '_'))
		word++;
	memmove(copy, copy + from, len -= from);
	while (len > word && (is_blank(copy[len - 1]) || copy[len - 1] == '\n'))
		len--;
	for (from = word; from < len && (is_blank(copy[from]) ||
					 copy[from] == '\n'); from++)
		;
	memmove(copy + word + 1, copy + from, len - from);
	copy[word] = ' ';
	return (struct span) { copy, word + 1 + len - from };
}

/* Enter the branch that a line opens, or leave the one that it ends. */
static void change_branch(struct text *text, const struct line *line,
			  struct span condition)
{
	struct branch new = { .row = line->row, .condition = condition };
	const struct branch *now = text->branch ?
				   &text->branches.list[text->branch - 1] :
				   NULL;

	if (line->directive == IF || line->directive == IFDEF) {
		new.outer = text->branch;
		new.group = ++text->groups;
	} else if (!now) {
		return;
	} else if (line->directive == ENDIF) {
		text->branch = now->outer;
		return;
	} else {
		new.outer = now->outer;
		new.before = text->branch;
		new.group = now->group;
		new.nth = now->nth + 1;
	}
	ADD(text->branches, new);
	text->branch = text->branches.count;
}

/* The next line that decides about text, from here on; NULL: there is none. */
static const struct decision *next_row(struct text *text)
{
	const struct conditionals *all = &text->decided;

	for (; text->next_decision < all->count; text->next_decision++) {
		const struct decision *decision =
			&all->decisions[text->next_decision];

		if (decision->tracked && decision->directive <= ENDIF)
			return decision;
	}
	return NULL;
}

/* A quote that stays open in dead text: spatch reads on until the next one. */
static void find_stray_quote(struct text *text, struct lexer lexer,
			     const unsigned char *end)
{
	struct token token;

	if (text->stray_quote)
		return;
	lexer.comments = NULL;
	for (token = lex(&lexer); token.kind != END && token.at < end;
	     token = lex(&lexer))
		if (token.kind == BROKEN && *token.at == '"') {
			text->stray_quote = offset_of(text, token.at) + 1;
			return;
		}
}

/* ---- Lines ---------------------------------------------------------- */

/* The tokens of a line whose # has been read; return where it ends. */
static const unsigned char *read_inner(struct text *text, struct lexer *lexer,
				       struct line *line)
{
	struct piece header = { .kind = A_HEADER };
	struct token token;

	lexer->in_directive = true;
	token = lex(lexer);
	line->directive = which_directive(lexer, &token);
	line->first = text->inner.count;
	if (!ends_line(&token))
		add_token(text, &text->inner, lexer, &token);
	if (line->directive == INCLUDE) {
		header.text = skip_header_name(lexer);
		if (header.text.at)
			add_piece(text, &text->inner, header, header.text.at,
				  header.text.at + header.text.len);
	}
	while (!ends_line(&token)) {
		token = lex(lexer);
		if (!ends_line(&token))
			add_token(text, &text->inner, lexer, &token);
	}
	line->last = text->inner.count;
	lexer->in_directive = false;
	return token.at;
}

static void read_line(struct text *text, struct lexer *lexer,
		      const struct token *hash)
{
	const struct decision *row = text->lines_only ? NULL : next_row(text);
	struct line line = { .token = text->tokens.count };
	struct piece piece = { .kind = A_DIRECTIVE };
	struct span condition = nothing;
	const unsigned char *end = read_inner(text, lexer, &line);

	if (row && row->at == hash->at) {
		line.row = ++text->rows;
		line.branch = row->branch;
		text->next_decision++;
		if (row->directive != ENDIF)
			condition = condition_of(text, *lexer, hash->at, end);
		change_branch(text, &line, condition);
	}
	piece.text = spelt(lexer, hash->at, end);
	add_piece(text, &text->tokens, piece, hash->at, end);
	ADD(text->lines, line);

	if (line.row && line.branch == NO && text->branch) {
		row = next_row(text);
		lexer->line_start = true;
		lexer->p = row ? row->at : text->end;
		ADD(text->dead, (struct range) { end, lexer->p });
		find_stray_quote(text, (struct lexer) {
			.p = end, .end = text->end, .pool = &text->pool,
		}, lexer->p);
	}
}

void read_text(struct text *text)
{
	struct lexer lexer = {
		.p = text->start, .end = text->end, .line_start = true,
		.pool = &text->pool, .comments = &text->comments,
	};
	struct token token;

	if (text->end - text->start >= 3 &&
	    !memcmp(text->start, "\xef\xbb\xbf", 3))
		lexer.p += 3;
	for (token = lex(&lexer); token.kind != END; token = lex(&lexer)) {
		if (token.kind == PUNCTUATION && token.sign == '#' &&
		    token.first)
			read_line(text, &lexer, &token);
		else if (!text->lines_only)
			add_token(text, &text->tokens, &lexer, &token);
	}
}
