// SPDX-License-Identifier: GPL-2.0-only
/* Read one file: its tokens, its preprocessor lines, its rows. */

#include <stdlib.h>
#include "parse.h"

static int order_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	/* Rows of the table are in one array. */
	return (a->name > b->name) - (a->name < b->name);
}

static struct state aside(const struct reader *reader)
{
	return (struct state) {
		.in.kind = MACRO_SCOPE, .scope = reader->state.scope + 1
	};
}

/* Leave a state made by aside(). */
static void rejoin(struct reader *reader, struct state *state, size_t bindings)
{
	pop_all(reader, state);
	unbind(reader, bindings);
}

/*
 * The rest of a broken line, or of a file whose comment does not end, holds no
 * comments and no strings, just names.
 */
static void read_names(struct reader *reader, const struct token *token,
		       struct place place)
{
	struct lexer lexer = reader->lexer;
	struct place outer = reader->place;
	struct state state = aside(reader);
	size_t bindings = reader->binding_count;
	struct token inner;

	reader->place = place;
	reader->lexer.p = token->rest;
	reader->lexer.names_only = true;
	reader->lexer.in_directive = token->end != lexer.end;
	for (inner = lex(&reader->lexer); !ends_line(&inner);
	     inner = lex(&reader->lexer))
		if (inner.kind != BROKEN)
			parse(reader, &state, &inner);
	reader->lexer = lexer;
	reader->place = outer;
	rejoin(reader, &state, bindings);
}

/* In dead text and in #error, a quote is as good as an apostrophe. */
static void read_broken(struct reader *reader, struct state *state,
			const struct token *token)
{
	bool comment = token->rest[-1] == '*';
	bool prose = reader->prose || reader->place.kind == IF0;
	struct place place = { UNLEXED, token->why };

	if (comment || !prose)
		add_problem(reader, token->at, token->why);
	else
		place = reader->place;
	if (!*token->at)		/* NUL is white space */
		return;
	state->object = no_object;
	state->sign = PAST_VALUE;
	read_names(reader, token, place);
}

static void read_token(struct reader *reader, struct state *state,
		       const struct token *token)
{
	if (token->kind == BROKEN)
		read_broken(reader, state, token);
	else
		parse(reader, state, token);
}

/* What the line is known to decide; NULL for one that decides nothing. */
static const struct decision *decision_at(struct reader *reader,
					  const unsigned char *at)
{
	const struct conditionals *all = &reader->decided;

	while (reader->next_decision < all->count &&
	       all->decisions[reader->next_decision].at < at)
		reader->next_decision++;
	if (reader->next_decision < all->count &&
	    all->decisions[reader->next_decision].at == at)
		return &all->decisions[reader->next_decision];
	return NULL;
}

static void open_conditional(struct reader *reader, bool dead, bool in_dead,
			     const unsigned char *at)
{
	struct conditional *conditional;

	if (reader->conditional_count == MAX_NESTING) {
		say_too_deep(reader, at);
		reader->conditionals_beyond++;
		return;
	}
	ROOM(reader->conditionals, reader->conditional_count,
	     reader->conditional_room);
	conditional = &reader->conditionals[reader->conditional_count++];
	*conditional = (struct conditional) {
		.before = reader->state, .in_dead = in_dead,
		.dead = in_dead || dead, .pinned = reader->serial, .at = at,
	};
}

/* A branch ends; the parser goes back to where it stood at #if. */
static void end_branch(struct reader *reader, struct conditional *conditional)
{
	if (!conditional->has_kept && !conditional->dead) {
		conditional->kept = reader->state;
		conditional->has_kept = true;
	}
	reader->state = conditional->before;
	/* The names of one branch are seen in the others, and after them. */
	widen_scope(reader, reader->state.scope, reader->binding_count);
}

static void next_branch(struct reader *reader, struct conditional *conditional,
			bool dead)
{
	end_branch(reader, conditional);
	conditional->dead = conditional->in_dead || dead;
}

static void close_conditional(struct reader *reader,
			      struct conditional *conditional)
{
	end_branch(reader, conditional);
	if (conditional->has_kept)
		reader->state = conditional->kept;
	reader->conditional_count--;
}

static bool in_dead_branch(const struct reader *reader)
{
	size_t count = reader->conditional_count;

	return count && reader->conditionals[count - 1].dead;
}

/* The innermost #if, for an #elif, #else or #endif; NULL if there is none. */
static struct conditional *innermost(struct reader *reader,
				     enum directive directive,
				     const unsigned char *at)
{
	if (directive < ELIF || directive > ENDIF)
		return NULL;
	if (reader->conditionals_beyond) {
		reader->conditionals_beyond -= directive == ENDIF;
		return NULL;
	}
	if (!reader->conditional_count) {
		add_problem(reader, at, "conditional without #if");
		return NULL;
	}
	return &reader->conditionals[reader->conditional_count - 1];
}

/* All of a line behind its first word. */
static void read_line(struct reader *reader, enum directive directive,
			    struct token token)
{
	struct state state = aside(reader);
	size_t bindings = reader->binding_count;

	if (directive == INCLUDE)
		skip_header_name(&reader->lexer);
	if (directive != OTHER_DIRECTIVE)
		token = lex(&reader->lexer);
	for (; !ends_line(&token); token = lex(&reader->lexer))
		read_token(reader, &state, &token);
	rejoin(reader, &state, bindings);
}

static void read_directive(struct reader *reader, const struct token *hash)
{
	bool dead = reader->place.kind == IF0;
	struct conditional *conditional;
	const struct decision *decision;
	enum directive directive;
	struct token token;
	bool rules_out;

	reader->lexer.in_directive = true;
	token = lex(&reader->lexer);
	directive = which_directive(&reader->lexer, &token);
	if (directive == NO_DIRECTIVE) {
		reader->lexer.in_directive = false;
		parse(reader, &reader->state, hash);
		if (!ends_line(&token))
			read_token(reader, &reader->state, &token);
		return;
	}
	conditional = innermost(reader, directive, hash->at);
	if (conditional)
		dead = conditional->in_dead;
	reader->place.kind = dead ? IF0 :
			     directive == DEFINE ? MACRO : DIRECTIVE;
	reader->prose = directive == MESSAGE;
	read_line(reader, directive, token);
	reader->prose = false;
	reader->lexer.in_directive = false;

	decision = decision_at(reader, hash->at);
	rules_out = decision && decision->branch == NO;
	if (directive == IF || directive == IFDEF)
		open_conditional(reader, rules_out, dead, hash->at);
	else if (conditional && directive == ENDIF)
		close_conditional(reader, conditional);
	else if (conditional)
		next_branch(reader, conditional, rules_out);
	reader->place.kind = in_dead_branch(reader) ? IF0 : CODE;
}

static void read_tokens(struct reader *reader)
{
	struct token token = lex(&reader->lexer);

	for (; token.kind != END; token = lex(&reader->lexer)) {
		if (token.kind == PUNCTUATION && token.sign == '#' &&
		    token.first)
			read_directive(reader, &token);
		else
			read_token(reader, &reader->state, &token);
	}
	for (size_t i = 0; i < reader->conditional_count; i++)
		add_problem(reader, reader->conditionals[i].at,
			    "unterminated conditional");
}

/* Turn the offsets of sorted rows into lines and columns. */
static void number_rows(struct row *rows, size_t count,
			const unsigned char *start)
{
	const unsigned char *line_start = start, *newline;
	size_t line = 1;

	for (size_t i = 0; i < count; i++) {
		const unsigned char *at = start + rows[i].offset;

		while ((newline = memchr(line_start, '\n', at - line_start))) {
			line_start = newline + 1;
			line++;
		}
		rows[i].line = line;
		rows[i].column = at - line_start + 1;
	}
}

/* All rows of a file whose bytes end in a NUL that does not count. */
void read_bytes(struct finding *finding, struct members *members,
		struct pool *keep, const unsigned char *start, size_t len)
{
	struct reader *reader = resize(NULL, 1, sizeof(*reader));
	const char *suffix = strrchr(finding->path, '.');

	memset(reader, 0, sizeof(*reader));
	reader->start = start;
	reader->members = members;
	reader->bucket_count = BUCKETS;
	reader->buckets = resize(NULL, BUCKETS, sizeof(*reader->buckets));
	memset(reader->buckets, 0, BUCKETS * sizeof(*reader->buckets));
	reader->lexer = (struct lexer) {
		.p = start, .end = start + len, .line_start = true,
		.pool = &reader->pool,
		.assembly = suffix && !strcmp(suffix, ".S"),
	};
	if (len >= 3 && !memcmp(start, "\xef\xbb\xbf", 3))
		reader->lexer.p += 3;
	scan_directives(&reader->decided, reader->lexer);
	decide_all(&reader->decided, NULL);
	read_tokens(reader);

	finding->count = reader->row_count;
	finding->rows = resize(reader->rows, reader->row_count,
			       sizeof(*reader->rows));
	qsort(finding->rows, finding->count, sizeof(*finding->rows),
	      order_rows);
	number_rows(finding->rows, finding->count, start);
	for (size_t i = 0; i < finding->count; i++) {
		struct row *row = &finding->rows[i];

		row->function = pool_copy(keep, row->function);
		for (size_t j = 0; j < ARRAY_SIZE(row->members); j++)
			row->members[j] = pool_copy(keep, row->members[j]);
	}
	free(reader->bindings);
	free(reader->buckets);
	free(reader->conditionals);
	free_conditionals(&reader->decided);
	pool_free(&reader->pool);
	free(reader);
}
