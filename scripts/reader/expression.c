// SPDX-License-Identifier: GPL-2.0-only
/* Evaluate the condition of an #if. */

#include "conditionals.h"

/* What is known of the value of an operand. */
struct value {
	enum { ANY, NOT_ZERO, EXACT } known;
	bool is_unsigned;
	uint64_t bits;
};

static const struct value any_value;

/* An expression of #if, one token ahead. */
struct expression {
	struct conditionals *all;
	struct lexer frames[MAX_EXPANDING];	/* macros being expanded */
	size_t expanding[MAX_EXPANDING];	/* which */
	size_t depth;
	unsigned int tokens;
	struct token token;
	unsigned int about;
	bool plain;		/* the next name is not to be expanded */
	bool wrong;		/* it is no expression */
};

static struct value exact(int64_t number)
{
	return (struct value) { .known = EXACT, .bits = (uint64_t)number };
}

static enum truth truth_of(struct value value)
{
	if (value.known == EXACT)
		return value.bits ? YES : NO;
	return value.known == NOT_ZERO ? YES : UNKNOWN;
}

static struct value from_truth(enum truth truth)
{
	return truth == UNKNOWN ? any_value : exact(truth == YES);
}

enum truth not(enum truth truth)
{
	return truth == UNKNOWN ? UNKNOWN : truth == YES ? NO : YES;
}

enum truth and(enum truth left, enum truth right)
{
	if (left == NO || right == NO)
		return NO;
	return left == YES && right == YES ? YES : UNKNOWN;
}

enum truth or(enum truth left, enum truth right)
{
	return not(and(not(left), not(right)));
}

static bool is_undefined(const struct conditionals *all, struct span name)
{
	for (size_t i = 0; i < all->undefined_count; i++)
		if (same(all->undefined[i], name))
			return true;
	return false;
}

static const struct macro *known_macro(const struct conditionals *all,
				       struct span name)
{
	const struct macro *macro = find_macro(all, name);

	if (!macro || macro->status == UNSEEN)
		return NULL;
	return macro;
}

/*
 * Is the name defined? An #undef is good until the next #include, which may
 * define the name again; a #define stays, since to define a name anew a header
 * would have to undefine it first.
 */
static enum truth is_defined(struct expression *expression, struct span name)
{
	struct conditionals *all = expression->all;
	const struct macro *macro = known_macro(all, name);
	unsigned int about = name_about(name);

	expression->about |= about | (macro ? macro->about : 0);
	if (all->facts.kernel && about == OF_API &&
	    !(macro && macro->status == DEFINED))
		return api_defined(&all->facts, name);
	if (all->facts.kernel && about == OF_KERNEL) {
		if (begins(name, "RHEL_"))
			return all->facts.rhel == -1 ? UNKNOWN :
			       all->facts.rhel == -2 ? NO : YES;
		if (begins(name, "LINUX_VERSION_") ||
		    begins(name, "KERNEL_VERSION"))
			return YES;
	}
	if (macro && macro->status == DEFINED)
		return YES;
	if (macro && macro->status == UNDEFINED &&
	    (all->facts.kernel || macro->included == all->included))
		return NO;
	if (macro && macro->status == UNSURE)
		return UNKNOWN;
	if (is_undefined(all, name))
		return NO;
	if (all->keep_names) {
		ROOM(all->open_names, all->open_count, all->open_room);
		all->open_names[all->open_count++] = name;
	}
	return UNKNOWN;
}

static void leave_macro(struct expression *expression)
{
	size_t macro = expression->expanding[--expression->depth];

	if (macro)
		expression->all->macros[macro].busy = false;
}

/* Put the body of the macro in the place of its name, if that may be done. */
static bool expand(struct expression *expression, struct span name)
{
	struct conditionals *all = expression->all;
	struct macro *macro = find_macro(all, name);
	size_t depth = expression->depth;

	if (!macro || macro->status != DEFINED || !macro->body || macro->busy ||
	    depth == MAX_EXPANDING ||
	    (all->facts.kernel && name_about(name) == OF_KERNEL))
		return false;
	expression->about |= macro->about;
	macro->busy = true;
	expression->expanding[depth] = macro - all->macros;
	expression->frames[depth] = expression->frames[0];
	expression->frames[depth].p = macro->body;
	expression->depth++;
	return true;
}

static void advance(struct expression *expression)
{
	struct token *token = &expression->token;

	for (;;) {
		*token = lex(&expression->frames[expression->depth - 1]);
		if (expression->depth > 1) {
			struct conditionals *all = expression->all;

			all->budget -= all->budget > 0;
			if (++expression->tokens > MAX_TOKENS ||
			    !all->budget) {
				/* Too much of it: the rest is not known. */
				expression->wrong = true;
				while (expression->depth > 1)
					leave_macro(expression);
				continue;
			}
		}
		if (ends_line(token) && expression->depth > 1) {
			leave_macro(expression);
			continue;
		}
		if (token->kind == BROKEN) {
			expression->wrong = true;
			continue;
		}
		if (token->kind != WORD || expression->plain ||
		    expression->wrong || !expand(expression, token->text))
			return;
	}
}

static bool next_is(const struct expression *expression, int sign)
{
	return expression->token.kind == PUNCTUATION &&
	       expression->token.sign == sign;
}

/* An integer constant; other numbers are not for #if. */
static struct value number_value(struct expression *expression,
				 struct span number)
{
	struct value value = { .known = EXACT };
	size_t from = 0, len = number.len;
	unsigned int base = 10;

	while (len && ((number.at[len - 1] | 0x20) == 'u' ||
		       (number.at[len - 1] | 0x20) == 'l'))
		value.is_unsigned |= (number.at[--len] | 0x20) == 'u';
	if (len > 1 && number.at[0] == '0') {
		base = (number.at[1] | 0x20) == 'x' ? 16 :
		       (number.at[1] | 0x20) == 'b' ? 2 : 8;
		from = base == 8 ? 1 : 2;
	}
	if (len <= from)
		goto wrong;
	for (size_t i = from; i < len; i++) {
		unsigned char c = number.at[i];
		unsigned int digit = is_digit(c) ? c - (unsigned int)'0' :
				     c >= 0x80 ? base :
				     (unsigned int)(c | 0x20) - 'a' + 10;

		if (digit >= base || value.bits > (UINT64_MAX - digit) / base)
			goto wrong;
		value.bits = value.bits * base + digit;
	}
	if (value.bits > INT64_MAX) {
		if (base == 10 && !value.is_unsigned)
			goto wrong;
		value.is_unsigned = true;
	}
	return value;
wrong:
	expression->wrong = true;
	return any_value;
}

/* One escape sequence or byte of a character constant; -1 if it is odd. */
static int one_character(const unsigned char **at, const unsigned char *end)
{
	static const char names[] = "abfnrtv\\'\"?e";
	static const char values[] = "\a\b\f\n\r\t\v\\'\"?\033";
	const unsigned char *p = *at, *q;
	const char *name;
	int value = 0;

	if (*p != '\\') {
		*at = unsplice(p + 1);
		return *p;
	}
	p = unsplice(p + 1);
	name = *p ? strchr(names, *p) : NULL;
	if (name) {
		*at = unsplice(p + 1);
		return values[name - names];
	}
	q = p;
	if (*p == 'x') {
		for (p = unsplice(p + 1); p < end; p = unsplice(p + 1)) {
			int c = *p | 0x20;

			if (!is_digit(*p) && !(c >= 'a' && c <= 'f'))
				break;
			value = value * 16 + (is_digit(*p) ? *p - '0' :
					      c - 'a' + 10);
			if (value > 0xff)
				return -1;
		}
		*at = p;
		return unsplice(q + 1) == p ? -1 : value;
	}
	for (int i = 0; i < 3 && *p >= '0' && *p <= '7'; i++) {
		value = value * 8 + *p - '0';
		p = unsplice(p + 1);
	}
	*at = p;
	return p == q || value > 0xff ? -1 : value;
}

/* p is behind the quote. Beyond ASCII, the sign is the compiler's choice. */
static struct value character_value(const unsigned char *p,
				    const unsigned char *end)
{
	const unsigned char *last = end - 1;
	int value;

	p = unsplice(p);
	if (p >= last)
		return any_value;
	value = one_character(&p, last);
	if (value < 0)
		return any_value;
	if (p < last || value > 0x7f)
		return (struct value) { .known = value ? NOT_ZERO : ANY };
	return exact(value);
}

static struct value ternary(struct expression *expression, int depth);

/* The arguments of a macro; up to three of them have their values kept. */
static unsigned int arguments(struct expression *expression, int depth,
			      struct value *values)
{
	unsigned int count = 0;

	advance(expression);
	do {
		struct value value;

		if (count)
			advance(expression);
		value = ternary(expression, depth + 1);
		if (count < 3)
			values[count] = value;
		count++;
	} while (next_is(expression, ',') && count < 4);
	if (!next_is(expression, ')'))
		count = 0;
	return count;
}

/* A macro that is called, with what is not known of it: a value, too. */
static void skip_call(struct expression *expression)
{
	int open = 0;

	do {
		open += next_is(expression, '(');
		open -= next_is(expression, ')');
		advance(expression);
	} while (open && !ends_line(&expression->token));
}

static struct value version_call(struct expression *expression, int depth,
				 struct span name)
{
	struct value values[3];
	unsigned int count = arguments(expression, depth, values);
	uint64_t last;

	if (!next_is(expression, ')'))
		expression->wrong = true;
	else
		advance(expression);
	if (count < 2 || count > 3)
		return any_value;
	for (unsigned int i = 0; i < count; i++)
		if (values[i].known != EXACT || values[i].bits > 0xffff)
			return any_value;
	if (begins(name, "RHEL_"))
		return count == 2 ? exact((int64_t)(values[0].bits << 8 |
						    values[1].bits)) :
		       any_value;
	if (count != 3)
		return any_value;
	last = values[2].bits > 255 ? 255 : values[2].bits;
	return exact((int64_t)((values[0].bits << 16) +
			       (values[1].bits << 8) + last));
}

/* The value of a name that the facts give; false if they do not. */
static bool fact(const struct facts *facts, struct span name,
		 struct value *value)
{
	long version = facts->version;

	if (!facts->kernel)
		return false;
	*value = any_value;
	if (is(name, "LINUX_VERSION_CODE")) {
		if (version >= 0)
			*value = exact(version);
	} else if (is(name, "LINUX_VERSION_MAJOR")) {
		if (version >= 0)
			*value = exact(version >> 16);
	} else if (is(name, "LINUX_VERSION_PATCHLEVEL")) {
		if (version >= 0)
			*value = exact(version >> 8 & 255);
	} else if (is(name, "RHEL_RELEASE_CODE") || is(name, "RHEL_MAJOR") ||
		   is(name, "RHEL_MINOR")) {
		long rhel = facts->rhel;

		if (rhel == -2)
			*value = exact(0);
		else if (rhel >= 0)
			*value = exact(is(name, "RHEL_MAJOR") ? rhel >> 8 :
				       is(name, "RHEL_MINOR") ? rhel & 255 :
				       rhel);
	} else {
		return false;
	}
	return true;
}

static struct value word_value(struct expression *expression, int depth)
{
	struct span name = expression->token.text;
	const unsigned char *after = expression->token.at + name.len;
	const struct facts *facts = &expression->all->facts;
	struct value value;
	enum truth defined;

	if (is(name, "defined")) {
		bool open;

		expression->plain = true;
		advance(expression);
		open = next_is(expression, '(');
		if (open)
			advance(expression);
		expression->plain = false;
		if (expression->token.kind != WORD) {
			expression->wrong = true;
			return any_value;
		}
		defined = is_defined(expression, expression->token.text);
		advance(expression);
		if (open && next_is(expression, ')'))
			advance(expression);
		else if (open)
			expression->wrong = true;
		return from_truth(defined);
	}
	advance(expression);
	/* L'a', u8'a' */
	if (expression->token.kind == CHARACTER &&
	    expression->token.at == after && name.len <= 2)
		return any_value;
	if (next_is(expression, '(')) {
		expression->about |= name_about(name);
		if (facts->kernel && (is(name, "KERNEL_VERSION") ||
				      is(name, "RHEL_RELEASE_VERSION")))
			return version_call(expression, depth, name);
		skip_call(expression);
		return any_value;
	}
	defined = is_defined(expression, name);
	if (fact(facts, name, &value))
		return value;
	/* A name of C23; before, one that is not defined. Both are 0. */
	if (defined == NO || (defined != YES && is(name, "false")))
		return exact(0);
	if (facts->kernel && name_about(name) == OF_API && defined == YES)
		return (struct value) { .known = NOT_ZERO };
	return any_value;
}

static struct value unary(struct expression *expression, int depth)
{
	struct value value = any_value;
	int sign = 0;

	if (depth > MAX_EXPRESSION) {
		expression->wrong = true;
		return any_value;
	}
	if (expression->token.kind == PUNCTUATION)
		sign = expression->token.sign;
	switch (expression->token.kind) {
	case NUMBER:
		value = number_value(expression, expression->token.text);
		advance(expression);
		return value;
	case CHARACTER:
		value = character_value(
			expression->token.at + 1,
			expression->frames[expression->depth - 1].p);
		advance(expression);
		return value;
	case WORD:
		return word_value(expression, depth);
	default:
		break;
	}
	switch (sign) {
	case '(':
		advance(expression);
		value = ternary(expression, depth + 1);
		if (next_is(expression, ')'))
			advance(expression);
		return value;
	case '!':
		advance(expression);
		return from_truth(not(truth_of(unary(expression, depth + 1))));
	case '+':
	case '-':
	case '~':
		advance(expression);
		value = unary(expression, depth + 1);
		if (value.known == EXACT)
			value.bits = sign == '-' ? -value.bits :
				     sign == '~' ? ~value.bits : value.bits;
		else if (sign == '~')
			value.known = ANY;
		return value;
	}
	expression->wrong = true;
	return any_value;
}

/* How tightly an operator binds; 0 if it is none of two operands. */
static int binding_of(const struct expression *expression)
{
	if (expression->token.kind != PUNCTUATION)
		return 0;
	switch (expression->token.sign) {
	case OR_OR:
		return 1;
	case AND_AND:
		return 2;
	case '|':
		return 3;
	case '^':
		return 4;
	case '&':
		return 5;
	case EQUAL:
	case UNEQUAL:
		return 6;
	case '<':
	case '>':
	case AT_MOST:
	case AT_LEAST:
		return 7;
	case SHIFT_LEFT:
	case SHIFT_RIGHT:
		return 8;
	case '+':
	case '-':
		return 9;
	case '*':
	case '/':
	case '%':
		return 10;
	}
	return 0;
}

static struct value compare(int sign, struct value a, struct value b)
{
	bool less, equal = a.bits == b.bits;

	if (a.is_unsigned || b.is_unsigned)
		less = a.bits < b.bits;
	else
		less = (int64_t)a.bits < (int64_t)b.bits;
	switch (sign) {
	case EQUAL:
		return exact(equal);
	case UNEQUAL:
		return exact(!equal);
	case '<':
		return exact(less);
	case '>':
		return exact(!less && !equal);
	case AT_MOST:
		return exact(less || equal);
	}
	return exact(!less);
}

static struct value divide(int sign, struct value a, struct value b)
{
	bool is_unsigned = a.is_unsigned || b.is_unsigned;
	struct value value = { .known = EXACT, .is_unsigned = is_unsigned };

	if (!b.bits)
		return any_value;
	if (is_unsigned)
		value.bits = sign == '/' ? a.bits / b.bits : a.bits % b.bits;
	else if (b.bits == UINT64_MAX)		/* -1: it may overflow */
		value.bits = sign == '/' ? -a.bits : 0;
	else
		value.bits = (uint64_t)(sign == '/' ?
			     (int64_t)a.bits / (int64_t)b.bits :
			     (int64_t)a.bits % (int64_t)b.bits);
	return value;
}

static struct value shift(int sign, struct value a, struct value b)
{
	struct value value = { .known = EXACT, .is_unsigned = a.is_unsigned };

	if (b.bits > 63)
		return any_value;
	if (sign == SHIFT_LEFT)
		value.bits = a.bits << b.bits;
	else if (a.is_unsigned || !(a.bits >> 63))
		value.bits = a.bits >> b.bits;
	else
		value.bits = ~(~a.bits >> b.bits);
	return value;
}

static struct value calculate(int sign, struct value a, struct value b)
{
	struct value value = {
		.known = EXACT, .is_unsigned = a.is_unsigned || b.is_unsigned
	};

	if (a.known != EXACT || b.known != EXACT) {
		bool zero = truth_of(a) == NO || truth_of(b) == NO;

		if (zero && (sign == '&' || sign == '*'))
			return exact(0);
		if (sign == '|' && (truth_of(a) == YES || truth_of(b) == YES))
			value.known = NOT_ZERO;
		else if (zero && (sign == EQUAL || sign == UNEQUAL) &&
			 (truth_of(a) == YES || truth_of(b) == YES))
			return exact(sign == UNEQUAL);
		else
			value.known = ANY;
		return value;
	}
	switch (sign) {
	case '|':
		value.bits = a.bits | b.bits;
		return value;
	case '^':
		value.bits = a.bits ^ b.bits;
		return value;
	case '&':
		value.bits = a.bits & b.bits;
		return value;
	case '+':
		value.bits = a.bits + b.bits;
		return value;
	case '-':
		value.bits = a.bits - b.bits;
		return value;
	case '*':
		value.bits = a.bits * b.bits;
		return value;
	case '/':
	case '%':
		return divide(sign, a, b);
	case SHIFT_LEFT:
	case SHIFT_RIGHT:
		return shift(sign, a, b);
	}
	return compare(sign, a, b);
}

/* Operators that bind at least as tightly as this. */
static struct value binary(struct expression *expression, int least, int depth)
{
	struct value left = unary(expression, depth);
	int binding;

	while ((binding = binding_of(expression)) >= least && binding) {
		int sign = expression->token.sign;
		struct value right;

		advance(expression);
		right = binary(expression, binding + 1, depth);
		if (sign == AND_AND)
			left = from_truth(and(truth_of(left),
					      truth_of(right)));
		else if (sign == OR_OR)
			left = from_truth(or(truth_of(left),
					     truth_of(right)));
		else
			left = calculate(sign, left, right);
	}
	return left;
}

static struct value ternary(struct expression *expression, int depth)
{
	struct value value = binary(expression, 1, depth), yes, no;
	enum truth truth;

	if (!next_is(expression, '?'))
		return value;
	truth = truth_of(value);
	advance(expression);
	if (next_is(expression, ':'))		/* GNU: a ?: b */
		yes = value;
	else
		yes = ternary(expression, depth + 1);
	if (!next_is(expression, ':')) {
		expression->wrong = true;
		return any_value;
	}
	advance(expression);
	no = ternary(expression, depth + 1);
	if (truth != UNKNOWN)
		value = truth == YES ? yes : no;
	else if (yes.known == EXACT && no.known == EXACT && yes.bits == no.bits)
		value = yes;
	else if (truth_of(yes) == YES && truth_of(no) == YES)
		value = (struct value) { .known = NOT_ZERO };
	else
		value = any_value;
	value.is_unsigned = yes.is_unsigned || no.is_unsigned;
	return value;
}

struct lexer line_lexer(struct conditionals *all, const unsigned char *at)
{
	return (struct lexer) {
		.p = at, .end = all->end, .assembly = all->assembly,
		.in_directive = true, .pool = &all->pool,
	};
}

/* The condition of an #if, #ifdef, #elif or #elifdef. */
enum truth evaluate(struct conditionals *all, struct decision *decision)
{
	static _Thread_local struct expression expression;
	enum truth truth;

	expression.all = all;
	expression.frames[0] = line_lexer(all, decision->line);
	/* In assembly, too, a condition is the preprocessor's. */
	expression.frames[0].assembly = false;
	expression.expanding[0] = 0;
	expression.depth = 1;
	expression.tokens = 0;
	expression.about = 0;
	expression.wrong = false;
	expression.plain = decision->directive == IFDEF ||
			   decision->directive == ELIFDEF;
	advance(&expression);
	if (expression.plain) {
		truth = expression.token.kind == WORD ?
			is_defined(&expression, expression.token.text) :
			UNKNOWN;
		if (decision->negated)
			truth = not(truth);
	} else {
		truth = truth_of(ternary(&expression, 0));
		if (!ends_line(&expression.token))
			expression.wrong = true;
		if (expression.wrong)
			truth = UNKNOWN;
	}
	while (expression.depth > 1)
		leave_macro(&expression);
	decision->about |= expression.about;
	return truth;
}
