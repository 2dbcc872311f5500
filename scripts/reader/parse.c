// SPDX-License-Identifier: GPL-2.0-only
/* Just enough of C to know what each name is part of. */

#include "parse.h"

enum word_class { ORDINARY, KEYWORD, CONTROL, TYPE, ATTRIBUTE, AGGREGATE };

static enum word_class classify(struct span word)
{
	static const char *const words[][24] = {
		[KEYWORD] = {
			"return", "sizeof", "case", "default", "else", "do",
			"goto", "break", "continue", "typeof", "__typeof__",
			"__typeof", "_Alignof", "__alignof__", "_Generic",
			"_Static_assert", "static_assert",
		},
		[CONTROL] = { "if", "for", "while", "switch" },
		[TYPE] = {
			"void", "char", "short", "int", "long", "float",
			"double", "signed", "unsigned", "bool", "_Bool",
			"const", "volatile", "restrict", "static", "extern",
			"inline", "register", "auto", "typedef",
		},
		/* Those that have parentheses, or often stand before some. */
		[ATTRIBUTE] = {
			"__attribute__", "__attribute", "__declspec",
			"_Alignas", "asm", "__asm__", "__asm", "__acquires",
			"__releases", "__must_hold", "__cond_acquires",
			"__printf", "__scanf", "__aligned", "__section",
			"__alloc_size", "__alias", "__malloc", "__nonnull",
			"__packed", "__must_check", "__maybe_unused",
		},
		[AGGREGATE] = { "struct", "union", "enum" },
	};

	for (size_t class = KEYWORD; class < ARRAY_SIZE(words); class++)
		for (const char *const *known = words[class]; *known; known++)
			if (**known == *word.at && is(word, *known))
				return class;
	return ORDINARY;
}

static struct row *add_site(struct reader *reader, const struct state *state,
			    const struct name *name, const unsigned char *at)
{
	struct row *row = add_row(reader, name, at, reader->place);

	row->unclaimed = is_main(reader, state) && !state->function.at;
	return row;
}

static void name_object(struct state *state, struct object object)
{
	state->object = object;
	state->in.last = object;
}

/* A word behind . or -> */
static void parse_field(struct reader *reader, struct state *state,
			const struct token *token)
{
	const struct name *field = which_field(token->text);
	struct object owner = state->object;
	bool base = field && field->kind == BASE_NAME;

	if (field && !base && !field->declared) {
		add_site(reader, state, field, token->at);
	} else if (field && !base) {
		bool known = owner.typed ||
			     (owner.name.at && !owner.member &&
			      bound_to_type(reader, owner.name));

		if (known || owner.member || owner.base.at) {
			struct row *row = add_site(reader, state, field,
						   token->at);

			if (!known && owner.member)
				row->members[0] = owner.name;
			if (!known)
				row->members[1] = owner.base;
		}
	}
	if (base && is_set(owner)) {
		owner.base = token->text;
		owner.parenthesised = false;
		name_object(state, owner);
	} else {
		name_object(state, (struct object) {
			.name = token->text, .member = true
		});
	}
	state->type = nothing;
	state->sign = PAST_WORD;
	state->word = token->text;
}

static void parse_tag(struct reader *reader, struct state *state,
		      const struct token *token, const struct name *name)
{
	struct frame *in = &state->in;

	in->declaration = AFTER_TAG;
	in->declares_type = false;
	if (name && same(name->keyword, in->aggregate)) {
		in->declares_type = true;
		in->names_type = true;
		/* Each branch of an #if may have a name for the same "struct". */
		if (has_row(reader, in->keyword))
			add_site(reader, state, name, token->at);
		else
			add_site(reader, state, name, in->keyword)->tagged =
				true;
	} else if (name) {
		add_site(reader, state, name, token->at);
	}
	state->sign = PAST_TYPE;
}

static void parse_word(struct reader *reader, struct state *state,
		       const struct token *token)
{
	enum word_class class = classify(token->text);
	const struct name *name = which_name(token->text);
	struct frame *in = &state->in;

	if (state->sign == '.' || state->sign == ARROW) {
		if (name)
			add_site(reader, state, name, token->at);
		parse_field(reader, state, token);
		return;
	}
	if (class != ATTRIBUTE)
		state->header.words += at_file_scope(state);
	if (in->declaration == AT_TAG && class != ATTRIBUTE) {
		parse_tag(reader, state, token, name);
		return;
	}
	if (name)
		add_site(reader, state, name, token->at);
	if (class != ATTRIBUTE)
		state->object = no_object;

	switch (class) {
	case AGGREGATE:
		in->declaration = AT_TAG;
		in->aggregate = token->text;
		in->keyword = token->at;
		state->type = nothing;
		state->sign = PAST_AGGREGATE;
		break;
	case ATTRIBUTE:
		state->sign = PAST_ATTRIBUTE;
		break;
	case KEYWORD:
	case CONTROL:
		state->type = nothing;
		state->sign = PAST_KEYWORD;
		break;
	case TYPE:
		if (!state->type.at)
			state->type = token->text;
		state->sign = PAST_TYPE;
		break;
	case ORDINARY:
		name_object(state, (struct object) { .name = token->text });
		if (in->declaration == AFTER_TAG ||
		    in->declaration == AT_NAMES) {
			in->declaration = AT_NAMES;
			declare(reader, state, token->text,
				in->declares_type);
		} else if (state->type.at &&
			   in->declaration == NO_DECLARATION) {
			state->declared = token->text;
			state->declared_type = state->type;
		}
		if (state->header.inside && state->depth == 1 &&
		    !state->header.name.at)
			state->header.name = token->text;
		state->type = token->text;
		state->sign = PAST_WORD;
	}
	state->word = token->text;
}

/* An opening parenthesis or square bracket. */
static void open_bracket(struct reader *reader, struct state *state,
			 const struct token *token)
{
	struct frame inner = {
		.kind = token->sign == '(' ? PARENTHESES : SUBSCRIPT,
		.before = state->object,
	};

	if (token->sign == '(') {
		inner.control = state->sign == PAST_KEYWORD &&
				classify(state->word) == CONTROL;
		if (state->in.declaration == AFTER_TAG ||
		    (state->in.declaration == AT_NAMES && state->sign == '*')) {
			inner.declaration = AT_NAMES;
			inner.declares_type = state->in.declares_type;
		}
		if (at_file_scope(state))
			open_header_list(state);
	}
	push(reader, state, inner, token->at);
	state->object = no_object;
}

/* A closing one: what is the value of all that? */
static void close_bracket(struct reader *reader, struct state *state, int sign)
{
	struct frame inner;
	int kind = sign == ')' ? PARENTHESES : SUBSCRIPT;

	state->object = no_object;
	if (state->beyond) {
		state->beyond--;
		return;
	}
	if (state->in.kind == SUBSCRIPT && kind == PARENTHESES &&
	    state->up->frame.kind == PARENTHESES)
		pop(reader, state);
	inner = state->in;
	if ((int)inner.kind != kind)
		return;
	pop(reader, state);

	if (kind == SUBSCRIPT) {
		state->object = inner.before;
	} else {
		bool call = is_set(inner.before) && !inner.before.parenthesised;

		state->object = call ? inner.before : inner.last;
		state->object.parenthesised = !call;
		state->object.typed |= inner.names_type;
		state->in.names_type |= inner.names_type;
	}
	if (is_set(state->object))
		state->in.last = state->object;
}

/* Is the brace that comes now the body of what was declared? */
static bool opens_structure(const struct state *state)
{
	enum declaration declaration = state->in.declaration;

	/* The last is "struct ATTRIBUTE tag {". */
	return declaration == AT_TAG || declaration == AFTER_TAG ||
	       (declaration == AT_NAMES && state->sign == PAST_WORD &&
		!state->header.name.at);
}

static bool opens_function(const struct reader *reader,
			   const struct state *state)
{
	const struct header *header = &state->header;

	return at_file_scope(state) && !header->value &&
	       !reader->lexer.assembly &&
	       (header->name.at || (header->old_style.at && !header->words));
}

/* What a .field = in the braces to come is part of. */
static struct object initialised(const struct state *state)
{
	if (state->sign == '=' && is_set(state->assigned))
		return state->assigned;
	if (state->sign == '=' || state->sign == ',' || state->sign == '{')
		return state->in.target;
	return state->object.typed ? state->object : no_object;
}

static void open_brace(struct reader *reader, struct state *state,
		       const struct token *token)
{
	struct frame inner = { .kind = BRACES };

	/* Within parentheses at file scope, in column 1: a ) is missing. */
	if (is_main(reader, state) && !state->scope &&
	    in_column_one(reader, token))
		while (state->up && !at_file_scope(state))
			pop(reader, state);

	if (opens_structure(state)) {
		inner.kind = STRUCTURE;
		inner.own = state->in.declares_type;
		state->in.declaration = AT_NAMES;
	} else if (opens_function(reader, state)) {
		inner.kind = BODY;
		open_function(reader, state);
	} else if (at_file_scope(state) && state->sign == PAST_STRING) {
		inner.kind = LINKAGE;
		new_header(reader, state);
	} else {
		inner.target = initialised(state);
	}
	push(reader, state, inner, token->at);
	state->object = no_object;
}

static void close_brace(struct reader *reader, struct state *state,
			const struct token *token)
{
	struct frame inner;

	state->object = no_object;
	if (is_main(reader, state) && state->function.at &&
	    in_column_one(reader, token)) {
		state->beyond = 0;
		while (state->in.kind != BODY && state->depth > 1)
			pop(reader, state);
	}
	if (state->beyond) {
		state->beyond--;
		return;
	}
	while (state->in.kind == PARENTHESES || state->in.kind == SUBSCRIPT)
		pop(reader, state);
	inner = state->in;
	if (!state->up)
		return;
	pop(reader, state);
	leave_scope(reader, state->scope);
	if (inner.kind == BODY || inner.kind == LINKAGE ||
	    (at_file_scope(state) && inner.kind == BRACES &&
	     !state->header.value)) {
		state->function = nothing;
		new_header(reader, state);
	}
}

static void parse_sign(struct reader *reader, struct state *state,
		       const struct token *token)
{
	struct frame *in = &state->in;

	switch (token->sign) {
	case '(':
	case '[':
		open_bracket(reader, state, token);
		break;
	case ')':
	case ']':
		close_bracket(reader, state, token->sign);
		break;
	case '{':
		open_brace(reader, state, token);
		break;
	case '}':
		close_brace(reader, state, token);
		break;
	case '.':
	case ARROW:
		if (!is_set(state->object))
			state->object = in->target;
		break;
	case INCREMENT:
	case DECREMENT:
		break;
	case ';':
		in->declaration = NO_DECLARATION;
		if (at_file_scope(state))
			end_declaration(reader, state);
		state->object = no_object;
		break;
	case ',':
		if (in->declaration == AT_VALUE)
			in->declaration = AT_NAMES;
		if (in->kind == PARENTHESES && !in->control)
			in->declaration = NO_DECLARATION;
		state->object = no_object;
		break;
	case '=':
		if (in->declaration != NO_DECLARATION)
			in->declaration = AT_VALUE;
		if (at_file_scope(state)) {
			forget_old_style(reader, &state->header,
					 reader->binding_count);
			state->header.value = true;
		}
		state->assigned = state->object;
		state->object = no_object;
		break;
	default:
		state->object = no_object;
	}
	if (token->sign != '*')
		state->type = nothing;
	state->sign = token->sign;
}

/* "type word" is a declaration if this follows, "type * word" may be one. */
static void settle_declared(struct reader *reader, struct state *state,
			    const struct token *token)
{
	struct span type = state->declared_type;
	const struct name *name = which_name(type);

	if (token->kind == PUNCTUATION && token->sign < ARROW &&
	    strchr(";=,)[:", token->sign))
		declare(reader, state, state->declared,
			(name && name->kind == TYPE_NAME) ||
			bound_to_type(reader, type));
	state->declared = nothing;
}

void parse(struct reader *reader, struct state *state,
	   const struct token *token)
{
	if (state->declared.at)
		settle_declared(reader, state, token);
	if (state->header.pending.at)
		settle_header_list(state, token);
	if (state->header.list_depth)
		follow_header_list(state, token, token->kind == WORD &&
				   classify(token->text) == ORDINARY);

	if (token->kind == WORD) {
		parse_word(reader, state, token);
	} else if (token->kind == PUNCTUATION) {
		parse_sign(reader, state, token);
	} else {
		state->object = no_object;
		state->type = nothing;
		state->sign = token->kind == STRING ? PAST_STRING : PAST_VALUE;
	}
}
