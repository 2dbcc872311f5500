// SPDX-License-Identifier: GPL-2.0-only
/* Names and their scopes, brackets, and the functions around them. */

#include "parse.h"

struct row *add_row(struct reader *reader, const struct name *name,
		    const unsigned char *at, struct place place)
{
	struct row *row;

	ROOM(reader->rows, reader->row_count, reader->row_room);
	row = &reader->rows[reader->row_count++];
	*row = (struct row) {
		.offset = at - reader->start, .name = name, .place = place,
		.function = reader->state.function
	};
	return row;
}

bool has_row(const struct reader *reader, const unsigned char *at)
{
	size_t offset = at - reader->start;

	for (size_t i = reader->row_count; i--;)
		if (reader->rows[i].offset <= offset)
			return reader->rows[i].offset == offset;
	return false;
}

void add_problem(struct reader *reader, const unsigned char *at,
		 const char *why)
{
	add_row(reader, NULL, at, (struct place) { UNLEXED, why });
}

void say_too_deep(struct reader *reader, const unsigned char *at)
{
	if (!reader->too_deep)
		add_problem(reader, at, "nesting too deep");
	reader->too_deep = true;
}

static void add_member(struct reader *reader, struct span name)
{
	struct members *members = reader->members;

	ROOM(members->names, members->count, members->room);
	members->names[members->count++] = pool_copy(&members->pool, name);
}

static size_t *bucket(struct reader *reader, size_t hash)
{
	return &reader->buckets[hash & (reader->bucket_count - 1)];
}

/* Put all names into more buckets; the newest stays the first in its own. */
static void grow_buckets(struct reader *reader)
{
	reader->bucket_count *= 4;
	reader->buckets = resize(reader->buckets, reader->bucket_count,
				 sizeof(*reader->buckets));
	memset(reader->buckets, 0,
	       reader->bucket_count * sizeof(*reader->buckets));
	for (size_t i = 1; i < reader->binding_count; i++) {
		struct binding *binding = &reader->bindings[i];
		size_t *head = bucket(reader, binding->hash);

		binding->next = *head;
		*head = i;
	}
}

/* Has the name a counted type, where we are? The innermost scope decides. */
bool bound_to_type(struct reader *reader, struct span name)
{
	const struct binding *inner = NULL;

	for (size_t i = *bucket(reader, hash_of(name)); i;) {
		const struct binding *binding = &reader->bindings[i];

		i = binding->next;
		if (!same(binding->name, name))
			continue;
		if (inner && binding->scope != inner->scope)
			break;
		if (binding->typed)
			return true;
		inner = binding;
	}
	return false;
}

static void bind(struct reader *reader, unsigned int scope, struct span name,
		 bool typed)
{
	size_t hash = hash_of(name), *head = bucket(reader, hash);
	struct binding *binding;

	for (size_t i = *head; i; i = binding->next) {
		binding = &reader->bindings[i];
		if (binding->scope != scope)
			break;
		if (binding->typed == typed && same(binding->name, name))
			return;
	}
	if (!reader->binding_count)
		reader->binding_count = 1;
	if (reader->binding_count >= reader->binding_room) {
		reader->binding_room = 2 * reader->binding_room + 16;
		reader->bindings = resize(reader->bindings,
					  reader->binding_room,
					  sizeof(*reader->bindings));
	}
	reader->bindings[reader->binding_count] = (struct binding) {
		name, scope, typed, hash, *head
	};
	*head = reader->binding_count++;
	if (reader->binding_count > 2 * reader->bucket_count)
		grow_buckets(reader);
}

void unbind(struct reader *reader, size_t count)
{
	while (reader->binding_count > count && reader->binding_count > 1) {
		struct binding *last =
			&reader->bindings[--reader->binding_count];

		*bucket(reader, last->hash) = last->next;
	}
}

/* Forget the names of scopes further in than this one. */
void leave_scope(struct reader *reader, unsigned int scope)
{
	size_t count = reader->binding_count;

	while (count > 1 && reader->bindings[count - 1].scope > scope)
		count--;
	unbind(reader, count);
}

/*
 * Let the names before this one that are further in be of this scope, since it
 * is not known where theirs ends. Those of other types hide none then.
 */
void widen_scope(struct reader *reader, unsigned int scope, size_t before)
{
	if (before > reader->binding_count)
		before = reader->binding_count;
	while (before > 1 && reader->bindings[before - 1].scope > scope) {
		struct binding *binding = &reader->bindings[--before];

		binding->scope = scope;
		if (!binding->typed)
			binding->name = nothing;
	}
}

/* Declare a name where the parser stands. */
void declare(struct reader *reader, struct state *state, struct span name,
	     bool typed)
{
	const struct header *header = &state->header;
	unsigned int scope = state->scope;

	if (typed && !state->in.own &&
	    (state->in.kind == STRUCTURE || state->in.kind == MACRO_SCOPE))
		add_member(reader, name);
	if (state->in.kind == STRUCTURE)
		return;
	/* Parameters are those of the function whose body may follow. */
	if (!scope && (state->in.kind == PARENTHESES || header->old_style.at ||
		       (header->name.at && header->only_names)))
		scope = 1;
	/* A name of another type matters only where it hides one of a counted one. */
	if (typed || scope)
		bind(reader, scope, name, typed);
}

/* Does the bracket open a scope? */
static bool is_brace(int kind)
{
	return kind == BODY || kind == STRUCTURE || kind == BRACES;
}

void push(struct reader *reader, struct state *state, struct frame frame,
	  const unsigned char *at)
{
	struct level *level = reader->spare;

	if (state->depth == MAX_NESTING) {
		say_too_deep(reader, at);
		state->beyond++;
		return;
	}
	if (level)
		reader->spare = level->up;
	else
		level = pool_get(&reader->pool, sizeof(*level));
	level->up = state->up;
	level->frame = state->in;
	level->serial = ++reader->serial;
	state->up = level;
	state->in = frame;
	state->depth++;
	state->scope += is_brace(frame.kind);
}

/*
 * A level that stood at an open #if is in the state that #else puts back, and
 * stays until the end of the file. Others are used again: the levels of one
 * branch are not met in the next.
 */
static void release(struct reader *reader, struct level *level)
{
	size_t count = reader->conditional_count;

	if (count && level->serial <= reader->conditionals[count - 1].pinned)
		return;
	level->up = reader->spare;
	reader->spare = level;
}

void pop(struct reader *reader, struct state *state)
{
	struct level *level = state->up;

	state->scope -= is_brace(state->in.kind);
	state->in = level->frame;
	state->up = level->up;
	state->depth--;
	release(reader, level);
}

void pop_all(struct reader *reader, struct state *state)
{
	while (state->up)
		pop(reader, state);
	state->beyond = 0;
}

bool in_column_one(const struct reader *reader, const struct token *token)
{
	return token->at == reader->start || token->at[-1] == '\n';
}

bool is_main(const struct reader *reader, const struct state *state)
{
	return state == &reader->state;
}

/* The rows from the first one on are in this function, or in none. */
static void claim_rows(struct reader *reader, size_t first,
		       struct span function)
{
	for (size_t i = first; i < reader->row_count; i++) {
		struct row *row = &reader->rows[i];

		if (row->unclaimed)
			row->function = function;
		row->unclaimed = false;
	}
}

/* What looked like K&R parameters was at file scope. */
void forget_old_style(struct reader *reader, struct header *header,
		      size_t before)
{
	if (header->old_style.at || header->only_names)
		widen_scope(reader, 0, before);
	header->old_style = nothing;
}

void new_header(struct reader *reader, struct state *state)
{
	forget_old_style(reader, &state->header, state->header.first_binding);
	claim_rows(reader, state->header.first_row, nothing);
	leave_scope(reader, 0);
	state->header = (struct header) {
		.first_row = reader->row_count,
		.first_binding = reader->binding_count,
	};
	state->in.declaration = NO_DECLARATION;
}

/*
 * At file scope, an opening parenthesis. The word before it names a function
 * unless it is an attribute, or a name is known and nothing but this word
 * stands between: "int f(a) SOMETHING(b) {" is f, "SOMETHING(b) int f(a) {" too.
 */
void open_header_list(struct state *state)
{
	struct header *header = &state->header;

	if (header->value)
		return;
	if (state->sign == PAST_WORD) {
		header->pending = state->word;
		header->words -= header->words > 0;
	} else if (state->sign != PAST_KEYWORD &&
		   state->sign != PAST_ATTRIBUTE && !header->name.at) {
		header->inside = true;
	}
}

/* The first token behind that parenthesis tells f(a) from (*f)(a). */
void settle_header_list(struct state *state, const struct token *token)
{
	struct header *header = &state->header;

	if (token->kind == PUNCTUATION && token->sign == '*') {
		header->inside = !header->name.at;
	} else if (!header->name.at || header->words) {
		header->name = header->pending;
		header->argument = nothing;
		header->words = 0;
		header->only_names = true;
		header->list_depth = state->depth;
	}
	header->pending = nothing;
}

/* A token in the parameter list: is it K&R, and has it a first word? */
void follow_header_list(struct state *state, const struct token *token,
			bool ordinary)
{
	struct header *header = &state->header;
	bool stop = token->kind == PUNCTUATION &&
		    (token->sign == ',' || token->sign == ')');

	if (state->depth != header->list_depth || state->beyond)
		return;
	if (ordinary && state->sign == '(')
		header->argument = token->text;
	else if (!stop && state->sign == PAST_WORD &&
		 state->word.at == header->argument.at)
		header->argument = nothing;
	if (!stop && (!ordinary || state->sign == PAST_WORD))
		header->only_names = false;
	if (stop && token->sign == ')')
		header->list_depth = 0;
}

/* SYSCALL_DEFINE2(name, ...) and its like define what they name first. */
static struct span function_name(const struct header *header)
{
	struct span name = header->name;

	if (!name.at)
		return header->old_style;
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] >= 'a' && name.at[i] <= 'z')
			return name;
	return header->argument.at ? header->argument : name;
}

void open_function(struct reader *reader, struct state *state)
{
	struct header *header = &state->header;
	size_t first = header->old_first_row;

	if (header->name.at) {
		forget_old_style(reader, header, header->first_binding);
		first = header->first_row;
	}
	state->function = function_name(header);
	claim_rows(reader, first, state->function);
}

/*
 * At file scope, the end of a declaration. It may be that of a K&R parameter;
 * the opening brace which follows it at once will tell.
 */
void end_declaration(struct reader *reader, struct state *state)
{
	struct header old = state->header, new = {
		.first_row = reader->row_count,
		.first_binding = reader->binding_count,
	};

	if (old.name.at && old.only_names && old.words) {
		forget_old_style(reader, &old, old.first_binding);
		new.old_style = old.name;
		new.old_first_row = old.first_row;
	} else if (old.old_style.at && !old.name.at && !old.value) {
		new.old_style = old.old_style;
		new.old_first_row = old.old_first_row;
	} else {
		new_header(reader, state);
		return;
	}
	state->header = new;
}
