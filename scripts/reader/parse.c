// SPDX-License-Identifier: GPL-2.0-only
/* Just enough of C to know what each name is part of. */

#include "parse.h"

const char *const spelling[] = {
	[FOR_EACH_PAGE] = "for_each_sg_page",
	[FOR_EACH_DMA_PAGE] = "for_each_sg_dma_page",
	[DMA_ADDRESS] = "sg_page_iter_dma_address",
	[PAGE] = "sg_page_iter_page",
	[START] = "__sg_page_iter_start",
	[NEXT] = "__sg_page_iter_next",
	[DMA_NEXT] = "__sg_page_iter_dma_next",
	[PAGE_ITER] = "sg_page_iter",
	[DMA_PAGE_ITER] = "sg_dma_page_iter",
	[STRUCT_PAGE_ITER] = "struct sg_page_iter",
	[STRUCT_DMA_PAGE_ITER] = "struct sg_dma_page_iter",
	[FIELD_SG] = ".sg",
	[FIELD_PGOFFSET] = ".sg_pgoffset",
	[NOT_UNDERSTOOD] = "?",
};

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

static enum what which_name(struct span word)
{
	if (word.len >= 12 && word.len <= 24)
		for (enum what what = 0; what <= DMA_PAGE_ITER; what++)
			if (is(word, spelling[what]))
				return what;
	return NOT_UNDERSTOOD;
}

static struct row *add_site(struct reader *reader, const struct state *state,
			    enum what what, const unsigned char *at)
{
	struct row *row = add_row(reader, what, at, reader->place);

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
	static const struct span base = { (const unsigned char *)"base", 4 };
	struct object owner = state->object;

	if (is(token->text, "sg_pgoffset")) {
		add_site(reader, state, FIELD_PGOFFSET, token->at);
	} else if (is(token->text, "sg")) {
		bool known = owner.iterator ||
			     (owner.name.at && !owner.member &&
			      bound_to_iterator(reader, owner.name));

		if (known || owner.member || owner.base) {
			struct row *row = add_site(reader, state, FIELD_SG,
						   token->at);

			if (!known && owner.member)
				row->members[0] = owner.name;
			if (!known && owner.base)
				row->members[1] = base;
		}
	}
	if (same(token->text, base) && is_set(owner)) {
		owner.base = true;
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
		      const struct token *token, enum what what)
{
	struct frame *in = &state->in;

	in->declaration = AFTER_TAG;
	in->declares_iterator = false;
	if (in->aggregate_is_struct &&
	    (what == PAGE_ITER || what == DMA_PAGE_ITER)) {
		in->declares_iterator = true;
		in->names_iterator = true;
		/* Each branch of an #if may have a name for the same "struct". */
		if (has_row(reader, in->keyword))
			add_site(reader, state, what, token->at);
		else
			add_site(reader, state, what == PAGE_ITER ?
				 STRUCT_PAGE_ITER : STRUCT_DMA_PAGE_ITER,
				 in->keyword);
	} else if (what != NOT_UNDERSTOOD) {
		add_site(reader, state, what, token->at);
	}
	state->sign = PAST_TYPE;
}

static void parse_word(struct reader *reader, struct state *state,
		       const struct token *token)
{
	enum word_class class = classify(token->text);
	enum what what = which_name(token->text);
	struct frame *in = &state->in;

	if (state->sign == '.' || state->sign == ARROW) {
		if (what != NOT_UNDERSTOOD)
			add_site(reader, state, what, token->at);
		parse_field(reader, state, token);
		return;
	}
	if (class != ATTRIBUTE)
		state->header.words += at_file_scope(state);
	if (in->declaration == AT_TAG && class != ATTRIBUTE) {
		parse_tag(reader, state, token, what);
		return;
	}
	if (what != NOT_UNDERSTOOD)
		add_site(reader, state, what, token->at);
	if (class != ATTRIBUTE)
		state->object = no_object;

	switch (class) {
	case AGGREGATE:
		in->declaration = AT_TAG;
		in->aggregate_is_struct = is(token->text, "struct");
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
				in->declares_iterator);
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
			inner.declares_iterator = state->in.declares_iterator;
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
		state->object.iterator |= inner.names_iterator;
		state->in.names_iterator |= inner.names_iterator;
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
	return state->object.iterator ? state->object : no_object;
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
		inner.own = state->in.declares_iterator;
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
	enum what what = which_name(type);

	if (token->kind == PUNCTUATION && token->sign < ARROW &&
	    strchr(";=,)[:", token->sign))
		declare(reader, state, state->declared,
			what == PAGE_ITER || what == DMA_PAGE_ITER ||
			bound_to_iterator(reader, type));
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
