// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tokens of a text are grouped into: brackets, functions, structures.
 *
 * Braces are matched branch by branch: each branch of an #if starts with those
 * that are open before it, and what follows the #endif goes on from the first
 * branch that is not dead.
 */

#include <stdlib.h>
#include "text.h"

/* More tokens than the header of a function has. */
enum { LONGEST_HEADER = 2000, LONGEST_ITEM = 1 << 15 };

/* The braces that are open, innermost first; shared between branches. */
struct open {
	struct open *outer;
	uint32_t token;
};

/* An #if that is open: its braces. */
struct saved {
	struct open *before, *after;
	bool dead;			/* the branch we are in */
	bool ended;			/* a branch that is not dead */
};

struct nest {
	struct text *text;
	struct open *braces;
	LIST(saved) saved;
	uint32_t pending;		/* where the outermost item begins */
	bool has_code;			/* more than lines, from there on */
};

static const struct piece *piece_at(const struct text *text, uint32_t at)
{
	static const struct piece none = { .kind = A_DIRECTIVE };

	return at < text->tokens.count ? &text->tokens.list[at] : &none;
}

static bool is_id(const struct piece *piece, const char *word)
{
	return piece->kind == AN_ID && is(piece->text, word);
}

/* ---- Brackets ------------------------------------------------------- */

static int other_bracket(int sign)
{
	return sign == '(' ? ')' : sign == '[' ? ']' : sign == '{' ? '}' : 0;
}

/* A closing bracket that is not the one that is waited for is passed over. */
static void close_brackets(struct text *text)
{
	uint32_t *stack = resize(NULL, text->tokens.count, sizeof(*stack));
	size_t depth = 0;

	for (size_t i = 0; i < text->tokens.count; i++) {
		const struct piece *piece = &text->tokens.list[i];

		text->closing[i] = 0;
		if (piece->kind != A_SIGN)
			continue;
		if (other_bracket(piece->sign)) {
			stack[depth++] = i;
		} else if (depth && piece->sign == other_bracket(
				text->tokens.list[stack[depth - 1]].sign)) {
			text->closing[stack[--depth]] = i;
		}
	}
	free(stack);
}

/* For each token, the } of the innermost block around it, or the last token. */
static void find_block_ends(struct text *text)
{
	size_t count = text->tokens.count, depth = 0;
	uint32_t *stack = resize(NULL, count, sizeof(*stack));
	bool *matched = resize(NULL, count, sizeof(*matched));

	memset(matched, 0, count * sizeof(*matched));
	for (size_t i = 0; i < text->braces.count; i++) {
		matched[text->braces.list[i].open] = true;
		matched[text->braces.list[i].close] = true;
	}
	for (size_t i = count; i--;) {
		if (matched[i] && text->tokens.list[i].sign == '}')
			stack[depth++] = i;
		else if (matched[i] && depth)
			depth--;
		text->block_end[i] = depth ? stack[depth - 1] : count - 1;
	}
	free(matched);
	free(stack);
}

/* ---- Functions ------------------------------------------------------ */

/* Words that look like a function's name in front of its parameters. */
static bool is_no_name(struct span word)
{
	static const char *const words[] = {
		"__attribute__", "__attribute", "__acquires", "__releases",
		"__must_hold", "__printf", "__scanf", "__section", "__aligned",
		"__alloc_size", "__cond_lock", "__declspec", "__no_sanitize",
		"asm", "__asm__", "typeof", "__typeof__", "_Alignas",
		"__counted_by", "if", "while", "for", "switch", "return",
		"sizeof",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (is(word, words[i]))
			return true;
	return false;
}

/* Is the name that of a macro like SYSCALL_DEFINE2, or has it capitals only? */
static bool defines(struct span name)
{
	bool upper = false, lower = false;

	for (size_t i = 0; i < name.len; i++) {
		upper |= name.at[i] >= 'A' && name.at[i] <= 'Z';
		lower |= name.at[i] >= 'a' && name.at[i] <= 'z';
	}
	if (upper && !lower)
		return true;
	for (size_t i = 0; i + 6 <= name.len; i++) {
		if (i && !memcmp(name.at + i, "DEFINE", 6))
			return true;
		if (name.at[i] != '_' &&
		    !(name.at[i] >= 'A' && name.at[i] <= 'Z'))
			return false;
	}
	return false;
}

/* Add the function whose body a brace opens, if it does. */
static void add_function(struct nest *nest, uint32_t brace)
{
	struct text *text = nest->text;
	struct function found = { .open = brace };

	if (brace - nest->pending > LONGEST_ITEM)
		return;
	for (uint32_t at = nest->pending; at < brace; at++) {
		const struct piece *piece = piece_at(text, at);
		const struct piece *before = at > nest->pending ? piece - 1 :
					     NULL;

		if (is_sign(piece, '='))
			return;
		if (!is_sign(piece, '('))
			continue;
		if (!text->closing[at] || text->closing[at] >= brace)
			return;
		if (before && before->kind == AN_ID && !found.name.at &&
		    !is_no_name(before->text)) {
			found.name = before->text;
			found.head = at;
		}
		at = text->closing[at];
	}
	if (!found.name.at)
		return;
	if (defines(found.name) &&
	    piece_at(text, found.head + 1)->kind == AN_ID)
		found.name = piece_at(text, found.head + 1)->text;
	ADD(text->functions, found);
}

/* Does a ; end the declaration of a K&R parameter? */
static bool is_old_style(const struct nest *nest, uint32_t end)
{
	const struct text *text = nest->text;
	uint32_t at = nest->pending, close;

	if (end - nest->pending > LONGEST_HEADER)
		return false;
	while (at < end && !is_sign(piece_at(text, at), '('))
		at++;
	close = at < end ? text->closing[at] : 0;
	if (!close || close + 1 >= end ||
	    piece_at(text, close + 1)->kind != AN_ID)
		return false;
	for (at = close + 1; at < end; at++) {
		const struct piece *piece = piece_at(text, at);

		if (is_sign(piece, '(') ||
		    (piece->kind == AN_ID && is_no_name(piece->text)))
			return false;
	}
	return true;
}

static bool is_aggregate(const struct piece *piece)
{
	return is_id(piece, "struct") || is_id(piece, "union");
}

static void add_structure(struct text *text, uint32_t open, uint32_t close)
{
	struct structure found = { .open = open, .close = close };

	if (open && is_aggregate(piece_at(text, open - 1))) {
		ADD(text->structures, found);
	} else if (open > 1 && is_aggregate(piece_at(text, open - 2))) {
		found.tag = piece_at(text, open - 1)->text;
		ADD(text->structures, found);
	}
}

/* ---- Going through the tokens --------------------------------------- */

static void start_item(struct nest *nest, uint32_t at)
{
	nest->pending = at;
	nest->has_code = false;
}

static void change_saved(struct nest *nest, const struct line *line)
{
	struct saved *inner;

	if (line->directive == IF || line->directive == IFDEF) {
		ADD(nest->saved, (struct saved) {
			.before = nest->braces, .dead = line->branch == NO,
		});
		return;
	}
	if (!nest->saved.count)
		return;
	inner = &nest->saved.list[nest->saved.count - 1];
	if (!inner->dead && !inner->ended) {
		inner->ended = true;
		inner->after = nest->braces;
	}
	if (line->directive == ENDIF) {
		nest->braces = inner->ended ? inner->after : inner->before;
		nest->saved.count--;
	} else {
		inner->dead = line->branch == NO;
		nest->braces = inner->before;
	}
}

static void open_brace(struct nest *nest, uint32_t at)
{
	struct open *brace = pool_get(&nest->text->pool, sizeof(*brace));

	if (!nest->braces)
		add_function(nest, at);
	*brace = (struct open) { nest->braces, at };
	nest->braces = brace;
}

static void close_brace(struct nest *nest, uint32_t at)
{
	uint32_t open = nest->braces->token;

	nest->braces = nest->braces->outer;
	ADD(nest->text->braces, (struct pair) { open, at });
	add_structure(nest->text, open, at);
	if (!nest->braces)
		start_item(nest, at + 1);
}

void nest_text(struct text *text)
{
	struct nest nest = { .text = text };
	size_t next_line = 0;

	text->closing = resize(NULL, text->tokens.count,
			       sizeof(*text->closing));
	text->block_end = resize(NULL, text->tokens.count,
				 sizeof(*text->block_end));
	close_brackets(text);
	for (uint32_t at = 0; at < text->tokens.count; at++) {
		const struct piece *piece = piece_at(text, at);

		if (piece->kind == A_DIRECTIVE) {
			const struct line *line = &text->lines.list[next_line];

			next_line++;
			if (line->row)
				change_saved(&nest, line);
			if (!nest.braces && !nest.saved.count && !nest.has_code)
				nest.pending = at + 1;
			continue;
		}
		if (is_sign(piece, '{'))
			open_brace(&nest, at);
		else if (is_sign(piece, '}') && nest.braces)
			close_brace(&nest, at);
		else if (is_sign(piece, ';') && !nest.braces &&
			 !is_old_style(&nest, at))
			start_item(&nest, at + 1);
		nest.has_code |= at >= nest.pending;
	}
	find_block_ends(text);
	free(nest.saved.list);
}
