// SPDX-License-Identifier: GPL-2.0-only
/* Decide which branch of which #if is dead. */

#include "conditionals.h"

static enum truth here(const struct conditionals *all)
{
	return all->choice_count ?
	       all->choices[all->choice_count - 1].branch : YES;
}

/* Remember what a macro was, if it is not known that the line is live. */
static void log_change(struct conditionals *all, struct macro *macro)
{
	if (!all->uncertain)
		return;
	ROOM(all->changes, all->change_count, all->change_room);
	all->changes[all->change_count++] = (struct change) {
		macro - all->macros, *macro
	};
}

void define(struct conditionals *all, const struct decision *decision)
{
	struct lexer lexer = line_lexer(all, decision->line);
	struct token token = lex(&lexer);
	struct macro *macro;

	if (token.kind != WORD)
		return;
	macro = get_macro(all, token.text);
	if (all->choice_count)
		macro->about |= all->choices[all->choice_count - 1].about;
	if (here(all) == NO) {
		/* What a file defines for other kernels is its own name. */
		if (all->facts.kernel && macro->status == UNSEEN)
			macro->status = UNDEFINED;
		return;
	}
	log_change(all, macro);
	macro->included = all->included;
	macro->body = NULL;
	macro->status = UNDEFINED;
	if (decision->directive == DEFINE) {
		macro->status = DEFINED;
		/* A parenthesis that touches the name opens parameters. */
		if (*unsplice(lexer.p) != '(')
			macro->body = lexer.p;
	}
	/* How deep an undo may reach is bounded; beyond it, nothing is known. */
	if (all->uncertain > MAX_UNCERTAIN) {
		all->change_count -= all->change_count > 0;
		macro->status = UNSURE;
	}
}

/* The branch ends: its macros are what they were, as the next one sees it. */
static void end_choice_branch(struct conditionals *all, struct choice *choice)
{
	if (!choice->uncertain)
		return;
	while (all->change_count > choice->changes) {
		struct change *change = &all->changes[--all->change_count];
		struct macro *macro = &all->macros[change->macro];
		struct macro before = change->before;

		before.next = macro->next;
		before.about |= macro->about;
		*macro = before;
		ROOM(all->changed, all->changed_count, all->changed_room);
		all->changed[all->changed_count++] = change->macro;
	}
	all->uncertain--;
	choice->uncertain = false;
}

static void start_choice_branch(struct conditionals *all,
				struct choice *choice, enum truth condition)
{
	enum truth own = and(condition, not(choice->taken));

	choice->branch = and(choice->outer, own);
	choice->taken = or(choice->taken, condition);
	choice->uncertain = choice->outer != NO && own == UNKNOWN;
	all->uncertain += choice->uncertain;
	choice->changes = all->change_count;
}

static void end_choice(struct conditionals *all, struct choice *choice)
{
	end_choice_branch(all, choice);
	while (all->changed_count > choice->changed) {
		size_t i = all->changed[--all->changed_count];
		struct macro *macro = &all->macros[i];

		if (macro->status == UNSURE)
			continue;
		all->choice_count--;
		log_change(all, macro);
		all->choice_count++;
		macro->status = UNSURE;
	}
	all->choice_count--;
}

static void decide_one(struct conditionals *all, struct decision *decision)
{
	enum directive directive = decision->directive;
	struct choice *choice = NULL;
	bool opens = directive == IF || directive == IFDEF;

	decision->condition = directive == ELSE ? YES : UNKNOWN;
	if (directive == DEFINE || directive == UNDEF) {
		define(all, decision);
		return;
	}
	if (directive == INCLUDE) {
		all->included += here(all) != NO;
		return;
	}
	if (opens && all->choice_count == MAX_NESTING) {
		if (!all->too_deep)
			all->too_deep = decision->at;
		all->beyond++;
	} else if (opens) {
		enum truth outer = here(all);

		ROOM(all->choices, all->choice_count, all->choice_room);
		choice = &all->choices[all->choice_count];
		*choice = (struct choice) {
			.outer = outer, .branch = NO,
			.changed = all->changed_count,
			.about = all->choice_count ? choice[-1].about : 0,
		};
		if (outer != NO)
			decision->condition = evaluate(all, decision);
		choice->own |= decision->about;
		choice->about |= choice->own;
		all->choice_count++;
		start_choice_branch(all, choice, decision->condition);
	} else if (all->beyond) {
		all->beyond -= directive == ENDIF;
	} else if (all->choice_count) {
		choice = &all->choices[all->choice_count - 1];
		end_choice_branch(all, choice);
		/* What comes behind a branch that is taken is not looked at. */
		if (directive == ENDIF) {
			end_choice(all, choice);
		} else {
			if (directive != ELSE && choice->outer != NO &&
			    choice->taken != YES)
				decision->condition = evaluate(all, decision);
			choice->own |= decision->about;
			choice->about |= choice->own;
			start_choice_branch(all, choice, decision->condition);
		}
	}
	if (choice && directive != ENDIF)
		decision->about |= choice->own;
	if (!all->facts.kernel)
		decision->tracked = choice && choice->outer != NO;
	decision->branch = here(all);
}

/*
 * Decide about all lines, with what all->facts holds. The open names of line i
 * are those from names[i] to names[i + 1].
 */
void decide_all(struct conditionals *all, size_t *names)
{
	for (size_t i = 1; i < all->macro_count; i++) {
		all->macros[i].status = UNSEEN;
		all->macros[i].body = NULL;
	}
	all->choice_count = 0;
	all->beyond = 0;
	all->uncertain = 0;
	all->change_count = 0;
	all->changed_count = 0;
	all->included = 0;
	all->budget = MAX_BUDGET;
	for (size_t i = 0; i < all->count; i++) {
		decide_one(all, &all->decisions[i]);
		if (names)
			names[i + 1] = all->open_count;
	}
}

/* Find the lines that decide, in the text that the lexer stands before. */
void scan_directives(struct conditionals *all, struct lexer lexer)
{
	all->end = lexer.end;
	all->assembly = lexer.assembly;
	lexer.pool = &all->pool;
	for (;;) {
		struct token hash = lex(&lexer), token;
		enum directive directive;

		if (hash.kind == END)
			return;
		if (hash.kind != PUNCTUATION || hash.sign != '#' ||
		    !hash.first)
			continue;
		lexer.in_directive = true;
		token = lex(&lexer);
		directive = which_directive(&lexer, &token);
		if (directive == NO_DIRECTIVE) {
			lexer.in_directive = false;
			continue;
		}
		if (directive < MESSAGE) {
			ROOM(all->decisions, all->count, all->room);
			all->decisions[all->count++] = (struct decision) {
				.at = hash.at, .line = lexer.p,
				.directive = directive,
				.negated = token.kind == WORD &&
					   (is(token.text, "ifndef") ||
					    is(token.text, "elifndef")),
			};
		}
		if (directive == INCLUDE)
			skip_header_name(&lexer);
		while (!ends_line(&token))
			token = lex(&lexer);
		lexer.in_directive = false;
	}
}
