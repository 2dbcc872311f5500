/* SPDX-License-Identifier: GPL-2.0-only */
/* Tokens of C. */
#ifndef READER_LEX_H
#define READER_LEX_H

#include "base.h"

enum kind {
	END,			/* of the file */
	LINE_END,		/* of a directive */
	WORD,			/* an identifier or a keyword */
	NUMBER,
	STRING,
	CHARACTER,
	PUNCTUATION,
	BROKEN,			/* what C does not allow */
};

/* Punctuation of more than one byte; the rest is its own byte. */
enum {
	ARROW = 256, AND_AND, OR_OR, INCREMENT, DOTS, EQUAL, UNEQUAL, AT_MOST,
	AT_LEAST, SHIFT_LEFT, SHIFT_RIGHT, DECREMENT, PASTE,
	/* What assigns, in the order of the signs in spell_sign(). */
	ADD_ASSIGN, SUBTRACT_ASSIGN, MULTIPLY_ASSIGN, DIVIDE_ASSIGN,
	REMAINDER_ASSIGN, AND_ASSIGN, OR_ASSIGN, XOR_ASSIGN,
	SHIFT_LEFT_ASSIGN, SHIFT_RIGHT_ASSIGN, SIGNS
};

struct token {
	enum kind kind;
	int sign;		/* of PUNCTUATION; digraphs are spelt out */
	bool first;		/* nothing but comments precedes it in its line */
	struct span text;	/* of WORD and NUMBER, without splices */
	const unsigned char *at;

	/* Of BROKEN: where it ends, and where the part that has names starts. */
	const char *why;
	const unsigned char *rest, *end;
};

/* Half-open ranges of bytes. */
struct range {
	const unsigned char *start, *end;
};

struct ranges {
	struct range *list;
	size_t count, room;
};

struct lexer {
	const unsigned char *p;
	const unsigned char *end;	/* *end is NUL */
	bool assembly;			/* quotes are not character constants */
	bool line_start;
	bool in_directive;		/* a newline is a token */
	bool names_only;		/* comments and strings do not open */
	struct pool *pool;		/* for words that had splices */
	struct ranges *comments;	/* where they are; NULL: not wanted */
};

enum directive {
	NO_DIRECTIVE, IF, IFDEF, ELIF, ELIFDEF, ELSE, ENDIF, DEFINE, UNDEF,
	INCLUDE, MESSAGE, OTHER_DIRECTIVE
};

struct token lex(struct lexer *lexer);

const unsigned char *after_comment(const unsigned char *p,
				   const unsigned char *end);
const unsigned char *after_quote(const unsigned char *p,
				 const unsigned char *end,
				 unsigned char quote, bool *closed);

/* The sign as it is written, digraphs as the signs that they stand for. */
struct span spell_sign(const struct token *token);

/* The bytes of a token, as they are without its splices. */
struct span spelt(struct lexer *lexer, const unsigned char *at,
		  const unsigned char *end);

enum directive which_directive(const struct lexer *lexer,
			       const struct token *token);
struct span skip_header_name(struct lexer *lexer);

static inline bool ends_line(const struct token *token)
{
	return token->kind == END || token->kind == LINE_END;
}

/* Go past backslash-newline; blanks between the two are allowed. */
static inline const unsigned char *unsplice(const unsigned char *p)
{
	while (*p == '\\') {
		const unsigned char *q = p + 1;

		while (is_blank(*q))
			q++;
		if (*q != '\n')
			break;
		p = q + 1;
	}
	return p;
}

#endif
