/* SPDX-License-Identifier: GPL-2.0-only */
/* One file as it is being read. */
#ifndef READER_PARSE_H
#define READER_PARSE_H

#include "conditionals.h"
#include "sites.h"

/*
 * What an expression has named last: the "it" of "it", "it[0]", "(*it)", and
 * the "piter" of "miter->piter". None if neither name nor typed is set.
 */
struct object {
	struct span name;
	bool member;		/* reached through . or -> */
	struct span base;	/* ... and then through this member */
	bool typed;		/* cast to a counted type, or made as one */
	bool parenthesised;
};

static const struct object no_object;

static inline bool is_set(struct object object)
{
	return object.name.at || object.typed;
}

/* How far a declaration has come. */
enum declaration {
	NO_DECLARATION,
	AT_TAG,			/* struct */
	AFTER_TAG,		/* struct tag */
	AT_NAMES,		/* struct tag *a, */
	AT_VALUE,		/* struct tag a = */
};

/* What is known of the innermost open bracket, or of the file outside any. */
struct frame {
	enum {
		FILE_SCOPE, MACRO_SCOPE, LINKAGE, BODY, STRUCTURE, BRACES,
		PARENTHESES, SUBSCRIPT
	} kind;
	bool control;		/* the parentheses of if, for, while, switch */
	bool own;		/* the structure is a counted type itself */
	bool names_type;	/* a counted type lies within */
	struct object before;	/* what the bracket was put behind */
	struct object last;	/* the last one within */
	struct object target;	/* what a .field = in these braces is part of */

	enum declaration declaration;
	bool declares_type;
	struct span aggregate;	/* struct, union or enum */
	const unsigned char *keyword;	/* where its struct stands */
};

/* Brackets that enclose the innermost one. Never changed once made. */
struct level {
	struct level *up;
	struct frame frame;
	unsigned long serial;	/* counts levels made; see release() */
};

/* What has been seen of a declaration at file scope. */
struct header {
	struct span name;	/* of the declarator that has a parameter list */
	struct span pending;	/* a word followed by an opening parenthesis */
	struct span argument;	/* the first one, if a single word */
	unsigned int words;	/* since the parameter list */
	unsigned int list_depth;	/* brackets open in that list, or 0 */
	bool only_names;	/* they hold what K&R had there */
	bool value;		/* after = */
	bool inside;		/* the name is in parentheses */
	size_t first_row;	/* where its rows start */
	size_t first_binding;	/* and where its names do */
	struct span old_style;	/* the function whose K&R parameters these are */
	size_t old_first_row;
};

/* Where the parser stands. Copied at #if and put back at #else. */
struct state {
	struct level *up;
	struct frame in;
	struct header header;
	struct span function;	/* the one we are in */
	unsigned int scope;	/* braces open, but for extern "C" */
	unsigned int depth;	/* brackets open */
	unsigned int beyond;	/* ... and how many more than MAX_NESTING */

	/* What precedes the next token. */
	int sign;		/* punctuation, or one of the below */
	struct span word;	/* if sign is PAST_WORD */
	struct object object;
	struct object assigned;	/* the object before the last = */
	struct span type;	/* a word that can be a type, and stars */
	struct span declared;	/* a word behind that, and ... */
	struct span declared_type;	/* ... that */
};

enum {
	PAST_NOTHING = 0, PAST_WORD = 512, PAST_KEYWORD, PAST_TYPE,
	PAST_ATTRIBUTE, PAST_AGGREGATE, PAST_STRING, PAST_VALUE
};

struct binding {
	struct span name;
	unsigned int scope;
	bool typed;
	size_t hash, next;		/* the next one in its bucket, or 0 */
};

/* An #if that is open. */
struct conditional {
	struct state before;		/* at #if */
	struct state kept;		/* at the end of its first live branch */
	bool has_kept;
	bool in_dead;			/* it stands in dead text */
	bool dead;			/* so is the branch */
	unsigned long pinned;		/* levels up to this one are in before */
	const unsigned char *at;
};

enum { BUCKETS = 1024 };

/* One file as it is being read. */
struct reader {
	const unsigned char *start;
	struct lexer lexer;
	struct pool pool;
	struct state state;
	struct place place;
	bool prose;			/* quotes need not end */

	struct row *rows;
	size_t row_count, row_room;

	struct binding *bindings;	/* the first one is not used */
	size_t binding_count, binding_room;
	size_t *buckets, bucket_count;	/* a power of two */

	struct conditional *conditionals;
	size_t conditional_count, conditional_room;
	size_t conditionals_beyond;
	bool too_deep;

	struct level *spare;
	unsigned long serial;
	struct members *members;

	struct conditionals decided;
	size_t next_decision;
};

static inline bool at_file_scope(const struct state *state)
{
	return state->in.kind == FILE_SCOPE || state->in.kind == LINKAGE;
}

/* read.c */
void read_bytes(struct finding *finding, struct members *members,
		struct pool *keep, const unsigned char *start, size_t len);

/* parse.c */
void parse(struct reader *reader, struct state *state,
	   const struct token *token);

/* scopes.c */
struct row *add_row(struct reader *reader, const struct name *name,
		    const unsigned char *at, struct place place);
bool has_row(const struct reader *reader, const unsigned char *at);
void add_problem(struct reader *reader, const unsigned char *at,
		 const char *why);
void say_too_deep(struct reader *reader, const unsigned char *at);
bool bound_to_type(struct reader *reader, struct span name);
void unbind(struct reader *reader, size_t count);
void leave_scope(struct reader *reader, unsigned int scope);
void widen_scope(struct reader *reader, unsigned int scope, size_t before);
void declare(struct reader *reader, struct state *state, struct span name,
	     bool typed);
void push(struct reader *reader, struct state *state, struct frame frame,
	  const unsigned char *at);
void pop(struct reader *reader, struct state *state);
void pop_all(struct reader *reader, struct state *state);
bool in_column_one(const struct reader *reader, const struct token *token);
bool is_main(const struct reader *reader, const struct state *state);
void forget_old_style(struct reader *reader, struct header *header,
		      size_t before);
void new_header(struct reader *reader, struct state *state);
void open_header_list(struct state *state);
void settle_header_list(struct state *state, const struct token *token);
void follow_header_list(struct state *state, const struct token *token,
			bool ordinary);
void open_function(struct reader *reader, struct state *state);
void end_declaration(struct reader *reader, struct state *state);

#endif
