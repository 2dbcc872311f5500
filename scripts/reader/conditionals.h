/* SPDX-License-Identifier: GPL-2.0-only */
/* The one evaluator of #if. */
#ifndef READER_CONDITIONALS_H
#define READER_CONDITIONALS_H

#include "lex.h"

/*
 * The one evaluator of #if. It knows constants, the macros that the file
 * itself defines, and the facts of a kernel if some are given; every other
 * name can be anything. So a condition is false, true or open, and a branch
 * is dead where it is false whatever its names are.
 *
 * scan_directives() finds the preprocessor lines; decide() goes through them
 * once for each set of facts. Neither looks at what stands between them.
 */
enum truth { NO, YES, UNKNOWN };

/* What a name speaks of. */
enum {
	OF_KERNEL = 1,		/* a version, or a distribution */
	OF_API = 2,		/* the API of the campaign */
};

/* A name that the file defines or undefines. */
struct macro {
	struct span name;
	enum { UNSEEN, DEFINED, UNDEFINED, UNSURE } status;
	const unsigned char *body;	/* if it takes no arguments, else NULL */
	size_t included;		/* #includes before its #undef */
	unsigned int about;		/* what its #if speaks of */
	bool busy;			/* it is being expanded */
	size_t next;			/* in its bucket; 0 ends it */
};

/* A preprocessor line that can decide about text. */
struct decision {
	const unsigned char *at;	/* its # */
	const unsigned char *line;	/* behind its first word */
	enum directive directive;
	bool negated;			/* ifndef, elifndef */
	enum truth condition;		/* of #if and #elif */
	enum truth branch;		/* of what follows it */
	bool tracked;			/* it does not stand in dead text */
	unsigned int about;		/* what its conditions speak of */
};

/* What is known of the kernel that the text is built for. */
struct facts {
	bool kernel;			/* anything at all */
	long version;			/* -1: not known */
	enum truth api;			/* it has the new API */
	long rhel;			/* -1: not known, -2: it is none */
};

/* An #if that is open in decide(). */
struct choice {
	enum truth outer;		/* of the text it stands in */
	enum truth taken;		/* has an earlier branch been? */
	enum truth branch;
	unsigned int own;		/* what its conditions speak of */
	unsigned int about;		/* with those around it */
	bool uncertain;			/* branch may be dead, and outer not */
	size_t changes;			/* where those of the branch start */
	size_t changed;			/* and those of the branches before */
};

struct change {
	size_t macro;
	struct macro before;
};

struct conditionals {
	const unsigned char *end;
	bool assembly;
	struct pool pool;
	struct facts facts;
	const struct span *undefined;	/* by the caller */
	size_t undefined_count;

	struct decision *decisions;
	size_t count, room;

	struct macro *macros;		/* the first one is not used */
	size_t macro_count, macro_room;
	size_t *buckets, bucket_count;

	struct choice *choices;
	size_t choice_count, choice_room;
	size_t beyond;			/* open #if that are too many */
	const unsigned char *too_deep;
	size_t uncertain;		/* choices that are */
	struct change *changes;		/* to be taken back */
	size_t change_count, change_room;
	size_t *changed;		/* macros that then are unsure */
	size_t changed_count, changed_room;
	size_t included;
	unsigned long budget;		/* tokens that macros may yet give */

	/* Names that a condition hangs on and that nothing here defines. */
	struct span *open_names;
	size_t open_count, open_room;
	bool keep_names;
};

enum {
	MAX_EXPANDING = 64,
	MAX_UNCERTAIN = 64,
	MAX_TOKENS = 1 << 14,		/* of one condition */
	MAX_BUDGET = 1 << 24,		/* of all of a file, for one kernel */
	MAX_KERNELS = 1024,
};

size_t hash_of(struct span name);
struct macro *find_macro(const struct conditionals *all, struct span name);
struct macro *get_macro(struct conditionals *all, struct span name);
unsigned int name_about(struct span name);
enum truth api_defined(const struct facts *facts, struct span name);
void free_conditionals(struct conditionals *all);

enum truth not(enum truth truth);
enum truth and(enum truth left, enum truth right);
enum truth or(enum truth left, enum truth right);
struct lexer line_lexer(struct conditionals *all, const unsigned char *at);
enum truth evaluate(struct conditionals *all, struct decision *decision);

void decide_all(struct conditionals *all, size_t *names);
void scan_directives(struct conditionals *all, struct lexer lexer);

#endif
