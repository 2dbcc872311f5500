// SPDX-License-Identifier: GPL-2.0-only
/*
 * census: print every site of the scatterlist page iterators in a tree.
 *
 *	census [-j THREADS] TREE		walk TREE
 *	census [-j THREADS] --files TREE	take the names from stdin
 *	census [-j THREADS] --any TREE		the same, whatever they end in
 *
 * A site is one occurrence, outside comments, strings and character constants,
 * of a name in spelling[] below. It is found by lexing the bytes of the file,
 * in every branch of every #if, so that what a parser of C skips is counted
 * all the same. A file passes through three stages:
 *
 *	search	a byte search that may say yes too often but never no to a
 *		file with a site;
 *	lex	translation phases 2 and 3 of C: splices, comments, tokens;
 *	parse	just enough of C to name the enclosing function and to know
 *		whether the "it" of "it->sg" is an iterator.
 *
 * .sg_pgoffset counts behind any . or ->. .sg counts where its object, which is
 * the last name before it (.base, [..] and parentheses are looked through), is
 * declared as an iterator in the function or the file, or is a member that any
 * file of the tree declares as one.
 *
 * A function owns its header, from the first token of the declaration on, and
 * its body; SYSCALL_DEFINE2(name, ..) and other definitions whose name has no
 * lower case letter go by their first argument. A macro is in the function
 * that its #define stands in. Assembly has no functions. #if and #else start
 * from the same braces; what follows #endif goes on from the first live branch.
 * A } in column 1 ends a function.
 *
 * Data:   stdout, one row a site, sorted by file (bytes), line, column:
 *	   file, line, column, function, token, place; TAB separated, no header.
 *	   TAB, newline, return and backslash are written \t \n \r \\ in file
 *	   and function. place is code, macro (in a #define), directive (in any
 *	   other preprocessor line) or if0 (dead by a literal). Token ? is what
 *	   was not understood: place "unlexed: WHY" in a file that holds one of
 *	   the names, with the names in the unlexed bytes as rows of their own,
 *	   and "unread: WHY", at 1:1, for a file or folder that was not read.
 * Units:  line and column count from 1; columns are bytes; a line ends at \n.
 * Errors: exit status 2 and one sentence on stderr when the tree cannot be
 *	   opened, memory runs out or stdout cannot be written.
 * Source: ISO C11 5.1.1.2 and 6.4, and what gcc and clang add: blanks between
 *	   a backslash and its newline, NUL as white space. No trigraphs.
 *
 * --files reads names from stdin, relative to TREE, each ended by a NUL byte.
 * It prints the rows that a walk prints for these files: names that do not end
 * in .c .h .S .inc, and what is not a regular file, have none. --any reads the
 * first kind, too: any file can be included.
 */

#define _DEFAULT_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The names; the order serves nothing but the reader. */
enum what {
	FOR_EACH_PAGE, FOR_EACH_DMA_PAGE, DMA_ADDRESS, PAGE,
	START, NEXT, DMA_NEXT, PAGE_ITER, DMA_PAGE_ITER,
	STRUCT_PAGE_ITER, STRUCT_DMA_PAGE_ITER, FIELD_SG, FIELD_PGOFFSET,
	NOT_UNDERSTOOD
};

static const char *const spelling[] = {
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

/* The suffixes of the files that can have a site. */
static const char *const suffixes[] = { ".c", ".h", ".S", ".inc" };

/* Beyond these the census says "nesting too deep" or "unread". */
enum {
	MAX_NESTING = 4096,
	MAX_EXPRESSION = 200,
	MAX_FILE_BYTES = 1 << 30,
	MAX_THREADS = 1024,
};

/* ---- Failing ---------------------------------------------------------- */

/* Say one sentence and give up; the tree has not been touched. */
_Noreturn static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("census: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	_exit(2);
}

static void *resize(void *old, size_t count, size_t size)
{
	void *new;

	if (count > SIZE_MAX / size)
		die("memory: %s", strerror(ENOMEM));
	new = realloc(old, count ? count * size : 1);
	if (!new)
		die("memory: %s", strerror(ENOMEM));
	return new;
}

/* Make room for one more element; arrays double, so that this is cheap. */
#define ROOM(array, used, room) do {					\
	if ((used) == (room)) {						\
		(room) = (room) ? 2 * (room) : 16;			\
		(array) = resize(array, room, sizeof(*(array)));	\
	}								\
} while (0)

/* ---- Spans of bytes --------------------------------------------------- */

struct span {
	const unsigned char *at;
	size_t len;
};

static const struct span nothing;

static bool same(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

static bool is(struct span span, const char *word)
{
	return span.len == strlen(word) && !memcmp(span.at, word, span.len);
}

static int order(struct span a, struct span b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int difference = memcmp(a.at, b.at, len);

	return difference ? difference : (a.len > b.len) - (a.len < b.len);
}

static bool is_word(unsigned char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26 || c == '_' ||
	       (unsigned char)(c - '0') < 10;
}

static bool is_digit(unsigned char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* White space that does not end a line. */
static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Memory that is given back all at once. */
struct pool {
	struct block {
		struct block *older;
		size_t used, room;
		unsigned char bytes[];
	} *newest;
};

static void *pool_get(struct pool *pool, size_t len)
{
	struct block *block = pool->newest;

	len = (len + sizeof(void *) - 1) / sizeof(void *) * sizeof(void *);
	if (!block || block->room - block->used < len) {
		size_t room = len > 4096 ? len : 4096;

		block = resize(NULL, 1, sizeof(*block) + room);
		block->older = pool->newest;
		block->used = 0;
		block->room = room;
		pool->newest = block;
	}
	block->used += len;
	return block->bytes + block->used - len;
}

static struct span pool_copy(struct pool *pool, struct span span)
{
	if (!span.at)
		return span;
	return (struct span) {
		memcpy(pool_get(pool, span.len), span.at, span.len), span.len
	};
}

static void pool_free(struct pool *pool)
{
	while (pool->newest) {
		struct block *older = pool->newest->older;

		free(pool->newest);
		pool->newest = older;
	}
}

/* ---- Rows ------------------------------------------------------------- */

struct place {
	enum { CODE, MACRO, DIRECTIVE, IF0, UNLEXED, UNREAD } kind;
	const char *why;		/* of UNLEXED and UNREAD */
};

struct row {
	size_t offset;			/* bytes from the start of the file */
	size_t line, column;
	struct span function;
	enum what what;
	struct place place;
	bool unclaimed;			/* a function that follows may take it */
	/* A .sg that counts only if a structure has one of these iterators. */
	struct span members[2];
};

/* What one file has to say. */
struct finding {
	char *path;			/* relative to the tree */
	bool holds_name;		/* be it in a comment */
	struct row *rows;
	size_t count;
};

static int order_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return (a->what > b->what) - (a->what < b->what);
}

/* ---- Lexing ----------------------------------------------------------- */

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
	AT_LEAST, SHIFT_LEFT, SHIFT_RIGHT, SHIFT_ASSIGN
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

static bool ends_line(const struct token *token)
{
	return token->kind == END || token->kind == LINE_END;
}

struct lexer {
	const unsigned char *p;
	const unsigned char *end;	/* *end is NUL */
	bool assembly;			/* quotes are not character constants */
	bool line_start;
	bool in_directive;		/* a newline is a token */
	bool names_only;		/* comments and strings do not open */
	struct pool *pool;		/* for words that had splices */
};

/* Go past backslash-newline; blanks between the two are allowed. */
static const unsigned char *unsplice(const unsigned char *p)
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

/* p is inside a block comment: return what follows it, or NULL. */
static const unsigned char *after_block(const unsigned char *p,
					const unsigned char *end)
{
	while ((p = memchr(p, '*', end - p))) {
		const unsigned char *q = unsplice(++p);

		if (*q == '/')
			return q + 1;
	}
	return NULL;
}

/* p is inside a line comment: return the newline that ends it. */
static const unsigned char *after_line(const unsigned char *p,
				       const unsigned char *end)
{
	const unsigned char *newline, *q;

	while ((newline = memchr(p, '\n', end - p))) {
		for (q = newline; q > p && is_blank(q[-1]); q--)
			;
		if (q == p || q[-1] != '\\')
			return newline;
		p = newline + 1;
	}
	return end;
}

/*
 * p is at a slash: return what follows the comment, p itself if it opens none,
 * or NULL if the comment does not end.
 */
static const unsigned char *after_comment(const unsigned char *p,
					  const unsigned char *end)
{
	const unsigned char *second = unsplice(p + 1);

	if (*second == '*')
		return after_block(second + 1, end);
	return *second == '/' ? after_line(second + 1, end) : p;
}

/*
 * p is inside a string or character constant: return what follows it, or, with
 * *closed false, the end of its line.
 */
static const unsigned char *after_quote(const unsigned char *p,
					const unsigned char *end,
					unsigned char quote, bool *closed)
{
	*closed = false;
	for (;;) {
		p = unsplice(p);
		if (p == end || *p == '\n')
			return p;
		if (*p == quote) {
			*closed = true;
			return p + 1;
		}
		if (*p == '\\') {
			p = unsplice(p + 1);
			if (p == end || *p == '\n')
				return p;
		}
		p++;
	}
}

/* The bytes of a token, as they are without its splices. */
static struct span spelt(struct lexer *lexer, const unsigned char *at,
			 const unsigned char *end)
{
	unsigned char *copy;
	size_t len = 0;

	if (!memchr(at, '\\', end - at))
		return (struct span) { at, end - at };
	copy = pool_get(lexer->pool, end - at);
	for (; at < end; at = unsplice(at + 1))
		copy[len++] = *at;
	return (struct span) { copy, len };
}

static const unsigned char *after_word(const unsigned char *p)
{
	for (;;) {
		const unsigned char *next;

		while (is_word(*p))
			p++;
		next = unsplice(p);
		if (next == p || !is_word(*next))
			return p;
		p = next;
	}
}

/* A preprocessing number; in assembly only digits and letters. */
static const unsigned char *after_number(const struct lexer *lexer,
					 const unsigned char *p)
{
	const unsigned char *next;
	unsigned char last;

	do {
		last = *p | 0x20;
		next = unsplice(++p);
		if (!is_word(*next) && lexer->assembly)
			break;
		if (!is_word(*next) && *next != '.' &&
		    !((*next == '+' || *next == '-') &&
		      (last == 'e' || last == 'p')))
			break;
		p = next;
	} while (true);
	return p;
}

static int lex_sign(const struct lexer *lexer, const unsigned char *p,
		    const unsigned char **after)
{
	static const struct {
		char first, second;
		int sign;
	} pairs[] = {
		{ '-', '>', ARROW }, { '&', '&', AND_AND }, { '|', '|', OR_OR },
		{ '+', '+', INCREMENT }, { '-', '-', INCREMENT },
		{ '=', '=', EQUAL }, { '!', '=', UNEQUAL },
		{ '<', '=', AT_MOST }, { '>', '=', AT_LEAST },
		{ '<', '<', SHIFT_LEFT }, { '>', '>', SHIFT_RIGHT },
		/* The digraphs, which an assembler does not have. */
		{ '<', ':', '[' }, { ':', '>', ']' }, { '<', '%', '{' },
		{ '%', '>', '}' }, { '%', ':', '#' },
	};
	const unsigned char *second = unsplice(p + 1);
	const size_t digraphs = 11;
	size_t count = lexer->assembly ? digraphs : ARRAY_SIZE(pairs);

	if (*p == '.' && *second == '.') {
		const unsigned char *third = unsplice(second + 1);

		if (*third == '.') {
			*after = third + 1;
			return DOTS;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (*p == pairs[i].first && *second == pairs[i].second) {
			const unsigned char *third = unsplice(second + 1);
			bool shifts = pairs[i].sign == SHIFT_LEFT ||
				      pairs[i].sign == SHIFT_RIGHT;

			*after = second + 1;
			if (!shifts || *third != '=')
				return pairs[i].sign;
			*after = third + 1;
			return SHIFT_ASSIGN;
		}
	}
	*after = p + 1;
	return *p;
}

/* The bytes up to end are no token. */
static struct token broken(struct lexer *lexer, const unsigned char *at,
			   const unsigned char *rest, const unsigned char *end,
			   const char *why)
{
	lexer->p = end;
	return (struct token) {
		.kind = BROKEN, .at = at, .rest = rest, .end = end, .why = why
	};
}

static bool is_quote(const struct lexer *lexer, unsigned char c)
{
	return !lexer->names_only &&
	       (c == '"' || (c == '\'' && !lexer->assembly));
}

static struct token lex_quote(struct lexer *lexer, struct token token)
{
	bool closed;

	token.kind = *token.at == '"' ? STRING : CHARACTER;
	lexer->p = after_quote(token.at + 1, lexer->end, *token.at, &closed);
	if (closed)
		return token;
	return broken(lexer, token.at, token.at + 1, lexer->p,
		      token.kind == STRING ? "unterminated string" :
		      "unterminated character constant");
}

static struct token lex(struct lexer *lexer)
{
	const unsigned char *p = lexer->p, *end = lexer->end, *q;
	struct token token = { .kind = END };

	for (;; p = q) {
		p = unsplice(p);
		q = p + 1;
		if (*p == '\n' && !lexer->in_directive) {
			lexer->line_start = true;
		} else if (*p == '/' && !lexer->names_only) {
			q = after_comment(p, end);
			if (!q)
				return broken(lexer, p, unsplice(p + 1) + 1,
					      end, "unterminated comment");
			if (q == p)
				break;
		} else if (!*p && p < end) {
			while (q < end && !*q)
				q++;
			return broken(lexer, p, q, q, "nul byte");
		} else if (!is_blank(*p)) {
			break;
		}
	}
	token.at = p;
	token.first = lexer->line_start;
	lexer->p = p;
	if (p == end)
		return token;
	if (*p == '\n') {
		token.kind = LINE_END;
		return token;
	}
	lexer->line_start = false;

	if (is_quote(lexer, *p))
		return lex_quote(lexer, token);
	if (is_digit(*p) ||
	    (*p == '.' && !lexer->assembly && is_digit(*unsplice(p + 1)))) {
		token.kind = NUMBER;
		lexer->p = after_number(lexer, p);
		token.text = spelt(lexer, p, lexer->p);
	} else if (is_word(*p)) {
		token.kind = WORD;
		lexer->p = after_word(p);
		token.text = spelt(lexer, p, lexer->p);
	} else {
		token.kind = PUNCTUATION;
		token.sign = lex_sign(lexer, p, &lexer->p);
	}
	return token;
}

/* ---- Conditionals: which text is dead ---------------------------------- */

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

enum directive {
	NO_DIRECTIVE, IF, IFDEF, ELIF, ELIFDEF, ELSE, ENDIF, DEFINE, UNDEF,
	INCLUDE, MESSAGE, OTHER_DIRECTIVE
};

static enum directive which_directive(const struct lexer *lexer,
				      const struct token *token)
{
	static const struct {
		const char *word;
		enum directive directive;
	} words[] = {
		{ "if", IF }, { "ifdef", IFDEF }, { "ifndef", IFDEF },
		{ "elif", ELIF }, { "elifdef", ELIFDEF },
		{ "elifndef", ELIFDEF }, { "else", ELSE }, { "endif", ENDIF },
		{ "define", DEFINE }, { "undef", UNDEF },
		{ "include", INCLUDE }, { "include_next", INCLUDE },
		{ "import", INCLUDE },
		{ "error", MESSAGE }, { "warning", MESSAGE },
		{ "pragma", OTHER_DIRECTIVE }, { "line", OTHER_DIRECTIVE },
	};

	if (token->kind == WORD)
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (is(token->text, words[i].word))
				return words[i].directive;
	/* # starts a comment of some assemblers. */
	return lexer->assembly ? NO_DIRECTIVE : OTHER_DIRECTIVE;
}

/* Go past the <name> of an #include: a name of a file is not a site. */
static void skip_header_name(struct lexer *lexer)
{
	const unsigned char *p = lexer->p;

	for (;;) {
		p = unsplice(p);
		if (!is_blank(*p))
			break;
		p++;
	}
	if (*p != '<')
		return;
	while (p < lexer->end && *p != '\n' && *p != '>')
		p = unsplice(p + 1);
	lexer->p = p;
}

/* What a name speaks of. */
enum {
	OF_KERNEL = 1,		/* a version, or a distribution */
	OF_API = 2,		/* the page iterators */
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
	enum truth api;			/* it has the DMA page iterator */
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

static size_t hash_of(struct span name)
{
	size_t hash = 5381;

	for (size_t i = 0; i < name.len; i++)
		hash = hash * 33 + name.at[i];
	return hash ^ hash >> 16;
}

static struct macro *find_macro(const struct conditionals *all,
				struct span name)
{
	size_t i;

	if (!all->bucket_count)
		return NULL;
	for (i = all->buckets[hash_of(name) & (all->bucket_count - 1)]; i;
	     i = all->macros[i].next)
		if (same(all->macros[i].name, name))
			return &all->macros[i];
	return NULL;
}

static void hash_macros(struct conditionals *all)
{
	all->bucket_count = all->bucket_count ? 2 * all->bucket_count : 64;
	all->buckets = resize(all->buckets, all->bucket_count,
			      sizeof(*all->buckets));
	memset(all->buckets, 0, all->bucket_count * sizeof(*all->buckets));
	for (size_t i = 1; i < all->macro_count; i++) {
		size_t *head = &all->buckets[hash_of(all->macros[i].name) &
					     (all->bucket_count - 1)];

		all->macros[i].next = *head;
		*head = i;
	}
}

static struct macro *get_macro(struct conditionals *all, struct span name)
{
	struct macro *macro = find_macro(all, name);
	size_t *head;

	if (macro)
		return macro;
	if (!all->macro_count)
		all->macro_count = 1;
	if (all->macro_count >= all->macro_room) {
		all->macro_room = 2 * all->macro_room + 16;
		all->macros = resize(all->macros, all->macro_room,
				     sizeof(*all->macros));
	}
	if (all->macro_count >= all->bucket_count)
		hash_macros(all);
	macro = &all->macros[all->macro_count];
	*macro = (struct macro) { .name = name };
	head = &all->buckets[hash_of(name) & (all->bucket_count - 1)];
	macro->next = *head;
	*head = all->macro_count++;
	return macro;
}

/* ---- Conditionals: what a name speaks of ------------------------------- */

/* Is word a part of the name? Case does not count, word has lower case. */
static bool has_word(struct span name, const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= name.len; i++) {
		size_t j = 0;

		while (j < len && (name.at[i + j] |
				   (name.at[i + j] == '_' ? 0 : 0x20)) ==
		       (unsigned char)word[j])
			j++;
		if (j == len)
			return true;
	}
	return false;
}

static bool begins(struct span name, const char *word)
{
	return name.len >= strlen(word) &&
	       !memcmp(name.at, word, strlen(word));
}

/* FOO_H, FOO_H_, FOO_H__: a header has read itself. */
static bool guards_header(struct span name)
{
	while (name.len && name.at[name.len - 1] == '_')
		name.len--;
	return name.len > 2 && name.at[name.len - 1] == 'H' &&
	       name.at[name.len - 2] == '_';
}

static unsigned int name_about(struct span name)
{
	static const char *const distributions[] = {
		"RHEL_", "SLE_", "SLES_", "SUSE_", "CONFIG_SUSE_", "UBUNTU_",
		"UTS_UBUNTU_", "CENTOS_", "OPENEULER_", "ORACLE_", "UEK_",
	};

	if (name.len < 4 || name.len > 128)
		return 0;
	if (has_word(name, "version_code") || has_word(name, "kernel_version") ||
	    begins(name, "LINUX_VERSION_"))
		return OF_KERNEL;
	for (size_t i = 0; i < ARRAY_SIZE(distributions); i++)
		if (begins(name, distributions[i]))
			return OF_KERNEL;
	if ((has_word(name, "sg_page_iter") || has_word(name, "sg_dma_page") ||
	     has_word(name, "sgtable_dma_page") ||
	     has_word(name, "for_each_sg_page")) && !guards_header(name))
		return OF_API;
	return 0;
}

static bool is_one_of(struct span name, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_word(name, words[i]))
			return true;
	return false;
}

/* Is a name of the API, or one that a test for the API gives, defined? */
static enum truth api_defined(const struct facts *facts, struct span name)
{
	static const char *const opposite[] = {
		"no_", "need", "lack", "missing", "without",
	};
	static const char *const either[] = { "old", "compat", "legacy" };
	const long old = 3 << 16 | 9 << 8, tables = 5 << 16 | 8 << 8;
	enum truth truth = facts->api;

	if (is_one_of(name, either, ARRAY_SIZE(either)))
		return UNKNOWN;
	if (has_word(name, "sgtable_dma_page") && truth == YES)
		truth = facts->version < 0 ? UNKNOWN :
			facts->version < tables ? NO : YES;
	else if (!has_word(name, "dma_page") && !has_word(name, "dma_next"))
		truth = facts->version < 0 || facts->version >= old ? YES : NO;
	if (truth == UNKNOWN ||
	    !is_one_of(name, opposite, ARRAY_SIZE(opposite)))
		return truth;
	return truth == YES ? NO : YES;
}

/* ---- Conditionals: expressions ----------------------------------------- */

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

static enum truth not(enum truth truth)
{
	return truth == UNKNOWN ? UNKNOWN : truth == YES ? NO : YES;
}

static enum truth and(enum truth left, enum truth right)
{
	if (left == NO || right == NO)
		return NO;
	return left == YES && right == YES ? YES : UNKNOWN;
}

static enum truth or(enum truth left, enum truth right)
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
	if (defined == NO)
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

static struct lexer line_lexer(struct conditionals *all,
			       const unsigned char *at)
{
	return (struct lexer) {
		.p = at, .end = all->end, .assembly = all->assembly,
		.in_directive = true, .pool = &all->pool,
	};
}

/* The condition of an #if, #ifdef, #elif or #elifdef. */
static enum truth evaluate(struct conditionals *all,
			   struct decision *decision)
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

/* ---- Conditionals: going through the lines ----------------------------- */

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

static void define(struct conditionals *all, const struct decision *decision)
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
static void decide_all(struct conditionals *all, size_t *names)
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
static void scan_directives(struct conditionals *all, struct lexer lexer)
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
					   has_word(token.text, "ndef"),
			};
		}
		if (directive == INCLUDE)
			skip_header_name(&lexer);
		while (!ends_line(&token))
			token = lex(&lexer);
		lexer.in_directive = false;
	}
}

static void free_conditionals(struct conditionals *all)
{
	free(all->decisions);
	free(all->macros);
	free(all->buckets);
	free(all->choices);
	free(all->changes);
	free(all->changed);
	free(all->open_names);
	pool_free(&all->pool);
}

/* ---- Parsing: what a file is made of ---------------------------------- */

/*
 * What an expression has named last: the "it" of "it", "it[0]", "(*it)", and
 * the "piter" of "miter->piter". None if neither name nor iterator is set.
 */
struct object {
	struct span name;
	bool member;		/* reached through . or -> */
	bool base;		/* ... and then through .base */
	bool iterator;		/* cast to one or made as one */
	bool parenthesised;
};

static const struct object no_object;

static bool is_set(struct object object)
{
	return object.name.at || object.iterator;
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
	bool own;		/* the structure is an iterator itself */
	bool names_iterator;	/* "struct sg_page_iter" lies within */
	struct object before;	/* what the bracket was put behind */
	struct object last;	/* the last one within */
	struct object target;	/* what a .field = in these braces is part of */

	enum declaration declaration;
	bool declares_iterator;
	bool aggregate_is_struct;
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
	bool iterator;
	size_t *bucket, next;		/* the next one in there; 0 ends it */
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

/* The members of structures that are iterators. */
struct members {
	struct span *names;
	size_t count, room;
	struct pool pool;
};

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
	size_t buckets[BUCKETS];

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

static struct row *add_row(struct reader *reader, enum what what,
			   const unsigned char *at, struct place place)
{
	struct row *row;

	ROOM(reader->rows, reader->row_count, reader->row_room);
	row = &reader->rows[reader->row_count++];
	*row = (struct row) {
		.offset = at - reader->start, .what = what, .place = place,
		.function = reader->state.function
	};
	return row;
}

static bool has_row(const struct reader *reader, const unsigned char *at)
{
	size_t offset = at - reader->start;

	for (size_t i = reader->row_count; i--;)
		if (reader->rows[i].offset <= offset)
			return reader->rows[i].offset == offset;
	return false;
}

static void add_problem(struct reader *reader, const unsigned char *at,
			const char *why)
{
	add_row(reader, NOT_UNDERSTOOD, at, (struct place) { UNLEXED, why });
}

static void say_too_deep(struct reader *reader, const unsigned char *at)
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

/* ---- Parsing: names and their scopes ---------------------------------- */

static size_t *bucket(struct reader *reader, struct span name)
{
	unsigned int hash = 5381;

	for (size_t i = 0; i < name.len; i++)
		hash = hash * 33 + name.at[i];
	return &reader->buckets[(hash ^ hash >> 16) % BUCKETS];
}

/* Is the name that of an iterator, where we are? The innermost scope says. */
static bool bound_to_iterator(struct reader *reader, struct span name)
{
	const struct binding *inner = NULL;

	for (size_t i = *bucket(reader, name); i;) {
		const struct binding *binding = &reader->bindings[i];

		i = binding->next;
		if (!same(binding->name, name))
			continue;
		if (inner && binding->scope != inner->scope)
			break;
		if (binding->iterator)
			return true;
		inner = binding;
	}
	return false;
}

static void bind(struct reader *reader, unsigned int scope, struct span name,
		 bool iterator)
{
	size_t *head = bucket(reader, name);
	struct binding *binding;

	for (size_t i = *head; i; i = binding->next) {
		binding = &reader->bindings[i];
		if (binding->scope != scope)
			break;
		if (binding->iterator == iterator && same(binding->name, name))
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
		name, scope, iterator, head, *head
	};
	*head = reader->binding_count++;
}

static void unbind(struct reader *reader, size_t count)
{
	while (reader->binding_count > count && reader->binding_count > 1) {
		struct binding *last =
			&reader->bindings[--reader->binding_count];

		*last->bucket = last->next;
	}
}

/* Forget the names of scopes further in than this one. */
static void leave_scope(struct reader *reader, unsigned int scope)
{
	size_t count = reader->binding_count;

	while (count > 1 && reader->bindings[count - 1].scope > scope)
		count--;
	unbind(reader, count);
}

/*
 * Let the names before this one that are further in be of this scope, since it
 * is not known where theirs ends. Those that are no iterators hide none then.
 */
static void widen_scope(struct reader *reader, unsigned int scope,
			size_t before)
{
	if (before > reader->binding_count)
		before = reader->binding_count;
	while (before > 1 && reader->bindings[before - 1].scope > scope) {
		struct binding *binding = &reader->bindings[--before];

		binding->scope = scope;
		if (!binding->iterator)
			binding->name = nothing;
	}
}

static bool at_file_scope(const struct state *state)
{
	return state->in.kind == FILE_SCOPE || state->in.kind == LINKAGE;
}

/* Declare a name where the parser stands. */
static void declare(struct reader *reader, struct state *state,
		    struct span name, bool iterator)
{
	const struct header *header = &state->header;
	unsigned int scope = state->scope;

	if (iterator && !state->in.own &&
	    (state->in.kind == STRUCTURE || state->in.kind == MACRO_SCOPE))
		add_member(reader, name);
	if (state->in.kind == STRUCTURE)
		return;
	/* Parameters are those of the function whose body may follow. */
	if (!scope && (state->in.kind == PARENTHESES || header->old_style.at ||
		       (header->name.at && header->only_names)))
		scope = 1;
	/* A name that is no iterator matters only where it hides one. */
	if (iterator || scope)
		bind(reader, scope, name, iterator);
}

/* ---- Parsing: brackets ------------------------------------------------ */

/* Does the bracket open a scope? */
static bool is_brace(int kind)
{
	return kind == BODY || kind == STRUCTURE || kind == BRACES;
}

static void push(struct reader *reader, struct state *state,
		 struct frame frame, const unsigned char *at)
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

static void pop(struct reader *reader, struct state *state)
{
	struct level *level = state->up;

	state->scope -= is_brace(state->in.kind);
	state->in = level->frame;
	state->up = level->up;
	state->depth--;
	release(reader, level);
}

static void pop_all(struct reader *reader, struct state *state)
{
	while (state->up)
		pop(reader, state);
	state->beyond = 0;
}

static bool in_column_one(const struct reader *reader,
			  const struct token *token)
{
	return token->at == reader->start || token->at[-1] == '\n';
}

static bool is_main(const struct reader *reader, const struct state *state)
{
	return state == &reader->state;
}

/* ---- Parsing: functions ----------------------------------------------- */

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
static void forget_old_style(struct reader *reader, struct header *header,
			     size_t before)
{
	if (header->old_style.at || header->only_names)
		widen_scope(reader, 0, before);
	header->old_style = nothing;
}

static void new_header(struct reader *reader, struct state *state)
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
static void open_header_list(struct state *state)
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
static void settle_header_list(struct state *state, const struct token *token)
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
static void follow_header_list(struct state *state, const struct token *token,
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

static void open_function(struct reader *reader, struct state *state)
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
static void end_declaration(struct reader *reader, struct state *state)
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

/* ---- Parsing: tokens -------------------------------------------------- */

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

static void parse(struct reader *reader, struct state *state,
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

/* ---- Reading: what could not be lexed --------------------------------- */

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

/* ---- Reading: preprocessor lines -------------------------------------- */

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

/* ---- Reading: one file ------------------------------------------------ */

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
static void read_bytes(struct finding *finding, struct members *members,
		       struct pool *keep, const unsigned char *start,
		       size_t len)
{
	struct reader *reader = resize(NULL, 1, sizeof(*reader));
	const char *suffix = strrchr(finding->path, '.');

	memset(reader, 0, sizeof(*reader));
	reader->start = start;
	reader->members = members;
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
	free(reader->conditionals);
	free_conditionals(&reader->decided);
	pool_free(&reader->pool);
	free(reader);
}

/* ---- Searching: which files to lex ------------------------------------ */

/*
 * Bytes that a search may look at beyond the ends of a file: newlines in
 * front, NUL behind.
 */
enum { STRIDE = 64, MARGIN = STRIDE + 32 };

enum verdict {
	NO_SITE,		/* certainly */
	PERHAPS,		/* a field .sg, or a word with a splice in it */
	HOLDS_NAME,
};

/* Does "sg", or a backslash and white space, start in these STRIDE bytes? */
static bool is_suspicious(const unsigned char *p)
{
	unsigned char found = 0;

	/* Without a branch, so that the compiler makes vectors of it. */
	for (int i = 0; i < STRIDE; i++)
		found |= ((p[i] == 's') & (p[i + 1] == 'g')) |
			 ((p[i] == '\\') & (p[i + 1] <= ' '));
	return found;
}

static bool starts_with(const unsigned char *p, const char *text)
{
	return !memcmp(p, text, strlen(text));
}

/* p is at "sg_". */
static bool is_name(const unsigned char *p)
{
	p += 3;
	if (starts_with(p, "page_iter") || starts_with(p, "dma_page_iter") ||
	    starts_with(p, "pgoffset"))
		return true;
	return starts_with(p - 12, "for_each_") &&
	       (starts_with(p, "page") || starts_with(p, "dma_page"));
}

/*
 * p is at the word sg. Can there be a . or -> before it, seen through white
 * space, comments, splices and preprocessor lines?
 */
static bool may_be_field(const unsigned char *start, const unsigned char *p)
{
	for (;;) {
		const unsigned char *line;

		while (p > start && (is_blank(p[-1]) || !p[-1]))
			p--;
		if (p == start)
			return false;
		if (p[-1] != '\n')
			return strchr(".>/\\", p[-1]);

		/* The line above: a comment, a directive, a part of one? */
		for (line = --p; line > start && line[-1] != '\n'; line--)
			if (strchr("/#%\"'", line[-1]) && line[-1])
				return true;
		for (line--; line > start && is_blank(line[-1]); line--)
			;
		if (line > start && line[-1] == '\\')
			return true;
	}
}

static enum verdict search(const unsigned char *start, size_t len)
{
	enum verdict verdict = NO_SITE;

	for (size_t i = 0; i < len; i += STRIDE) {
		if (!is_suspicious(start + i))
			continue;
		for (const unsigned char *p = start + i;
		     p < start + i + STRIDE; p++) {
			if (p[0] == '\\') {
				const unsigned char *q = unsplice(p);

				if (q > p && is_word(p[-1]) && is_word(*q))
					verdict = PERHAPS;
			} else if (p[0] == 's' && p[1] == 'g') {
				if (p[2] == '_' && is_name(p))
					return HOLDS_NAME;
				if (!is_word(p[2]) && !is_word(p[-1]) &&
				    may_be_field(start, p))
					verdict = PERHAPS;
			}
		}
	}
	return verdict;
}

/* ---- Searching: files and folders, on all processors ------------------ */

/* A folder that is being read, or will be. It is open while it is in use. */
struct folder {
	struct folder *next;		/* to be read after this one */
	struct folder *parent;
	DIR *dir;			/* NULL until it is its turn */
	atomic_uint users;
	size_t name;			/* where its own name starts in path */
	char path[];			/* relative to the tree; "" is the tree */
};

/* What the threads share. */
struct census {
	int tree;
	char *list;			/* of --files: names, each with its NUL */
	size_t list_len;
	bool any;			/* ... that may end in anything */

	pthread_mutex_t lock;
	pthread_cond_t change;
	struct folder *waiting;		/* the last one found is the first read */
	unsigned int busy;		/* threads that may yet find more */
	size_t listed;			/* bytes of the list that are taken */
};

struct worker {
	pthread_t thread;
	struct census *census;
	unsigned char *buffer;
	size_t room;
	struct finding *findings;
	size_t count, findings_room;
	struct members members;
	struct pool pool;
};

static bool is_searched(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t suffix = strlen(suffixes[i]);

		if (len >= suffix && !strcmp(name + len - suffix, suffixes[i]))
			return true;
	}
	return false;
}

static struct finding *add_finding(struct worker *worker, const char *folder,
				   const char *name)
{
	struct finding *finding;
	size_t len = strlen(folder) + strlen(name) + 2;

	ROOM(worker->findings, worker->count, worker->findings_room);
	finding = &worker->findings[worker->count++];
	*finding = (struct finding) { .path = pool_get(&worker->pool, len) };
	snprintf(finding->path, len, "%s%s%s", folder,
		 *folder && *name ? "/" : "", name);
	return finding;
}

static void add_unread(struct worker *worker, const char *folder,
		       const char *name, int error)
{
	struct finding *finding = add_finding(worker, folder, name);
	char *why = pool_get(&worker->pool, 256);

	if (strerror_r(error, why, 256))
		snprintf(why, 256, "error %d", error);
	finding->holds_name = true;
	finding->rows = resize(NULL, 1, sizeof(*finding->rows));
	finding->count = 1;
	finding->rows[0] = (struct row) {
		.line = 1, .column = 1, .what = NOT_UNDERSTOOD,
		.place = { UNREAD, why },
	};
}

/* Make the buffer hold what is in it and the rest of the file. */
static int grow_buffer(struct worker *worker, int fd, size_t len)
{
	struct stat status;
	size_t wanted;

	if (fstat(fd, &status))
		return errno;
	if (status.st_size > MAX_FILE_BYTES || len > MAX_FILE_BYTES)
		return EFBIG;
	worker->room *= 2;
	/* One byte more, for the read that finds the end. */
	wanted = (size_t)status.st_size + 2 * MARGIN + 1;
	if (worker->room < wanted)
		worker->room = wanted;
	worker->buffer = resize(worker->buffer, worker->room, 1);
	return 0;
}

/* Read the whole file behind the margin of the buffer; return 0 or an errno. */
static int fill_buffer(struct worker *worker, int fd, size_t *len)
{
	const size_t usual = 1 << 20;
	int error;

	/* One huge file should not cost its size until the end. */
	if (!worker->room || worker->room > 16 * usual) {
		worker->room = usual;
		free(worker->buffer);
		worker->buffer = resize(NULL, worker->room, 1);
		memset(worker->buffer, '\n', MARGIN);
	}
	for (*len = 0;;) {
		size_t free_bytes = worker->room - 2 * MARGIN - *len;
		ssize_t got;

		if (!free_bytes) {
			error = grow_buffer(worker, fd, *len);
			if (error)
				return error;
			continue;
		}
		got = read(fd, worker->buffer + MARGIN + *len, free_bytes);
		if (got < 0 && errno != EINTR)
			return errno;
		if (!got)
			break;
		if (got > 0)
			*len += got;
	}
	memset(worker->buffer + MARGIN + *len, 0, MARGIN);
	return 0;
}

/* Search the file base in dir, and lex it; folder and name are for the rows. */
static void examine(struct worker *worker, int dir, const char *base,
		    const char *folder, const char *name)
{
	/* Should the file have become a pipe, do not wait for its writer. */
	int fd = openat(dir, base,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct finding *finding;
	enum verdict verdict;
	size_t len;
	int error;

	if (fd < 0) {
		add_unread(worker, folder, name, errno);
		return;
	}
	error = fill_buffer(worker, fd, &len);
	close(fd);
	if (error) {
		add_unread(worker, folder, name, error);
		return;
	}
	verdict = search(worker->buffer + MARGIN, len);
	if (verdict == NO_SITE)
		return;
	finding = add_finding(worker, folder, name);
	finding->holds_name = verdict == HOLDS_NAME;
	read_bytes(finding, &worker->members, &worker->pool,
		   worker->buffer + MARGIN, len);
	if (!finding->count) {
		free(finding->rows);
		worker->count--;
	}
}

/* The tree itself has no parent and no name. */
static struct folder *new_folder(struct folder *parent, const char *name)
{
	size_t above = parent ? strlen(parent->path) : 0, len = strlen(name);
	struct folder *folder;

	folder = resize(NULL, 1, sizeof(*folder) + above + len + 2);
	folder->parent = parent;
	folder->dir = NULL;
	folder->name = above ? above + 1 : 0;
	atomic_init(&folder->users, 1);
	if (parent)
		atomic_fetch_add(&parent->users, 1);
	if (above)
		memcpy(folder->path, parent->path, above);
	folder->path[above] = '/';
	memcpy(folder->path + folder->name, name, len + 1);
	return folder;
}

static void put_folder(struct folder *folder)
{
	if (atomic_fetch_sub(&folder->users, 1) != 1)
		return;
	if (folder->dir)
		closedir(folder->dir);
	free(folder);
}

static void queue_folder(struct census *census, struct folder *folder)
{
	pthread_mutex_lock(&census->lock);
	folder->next = census->waiting;
	census->waiting = folder;
	pthread_cond_signal(&census->change);
	pthread_mutex_unlock(&census->lock);
}

/* The next folder to read; NULL when there will be none. */
static struct folder *next_folder(struct census *census, bool was_busy)
{
	struct folder *folder;

	pthread_mutex_lock(&census->lock);
	census->busy -= was_busy;
	while (!census->waiting && census->busy)
		pthread_cond_wait(&census->change, &census->lock);
	folder = census->waiting;
	if (folder) {
		census->waiting = folder->next;
		census->busy++;
	} else {
		pthread_cond_broadcast(&census->change);
	}
	pthread_mutex_unlock(&census->lock);
	return folder;
}

/* What an entry of a folder is; links are not followed. */
enum entry { A_FILE, A_FOLDER, SOMETHING_ELSE };

static enum entry stat_entry(int dir, const char *name, int *error)
{
	struct stat status;

	*error = 0;
	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW))
		*error = errno;
	else if (S_ISREG(status.st_mode))
		return A_FILE;
	else if (S_ISDIR(status.st_mode))
		return A_FOLDER;
	return SOMETHING_ELSE;
}

static enum entry which_entry(int dir, const struct dirent *entry, int *error)
{
	*error = 0;
#ifdef DT_REG
	if (entry->d_type == DT_REG)
		return A_FILE;
	if (entry->d_type == DT_DIR)
		return A_FOLDER;
	if (entry->d_type != DT_UNKNOWN)
		return SOMETHING_ELSE;
#endif
	return stat_entry(dir, entry->d_name, error);
}

static void read_entry(struct worker *worker, struct folder *folder,
		       const struct dirent *entry)
{
	const char *name = entry->d_name;
	int error;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return;
	switch (which_entry(dirfd(folder->dir), entry, &error)) {
	case A_FILE:
		if (is_searched(name))
			examine(worker, dirfd(folder->dir), name,
				folder->path, name);
		break;
	case A_FOLDER:
		if (strcmp(name, ".git"))
			queue_folder(worker->census, new_folder(folder, name));
		break;
	case SOMETHING_ELSE:
		if (error)
			add_unread(worker, folder->path, name, error);
	}
}

/* Open a folder relative to its parent, which is not needed after that. */
static int open_folder(struct folder *folder)
{
	int fd, error = 0;

	if (folder->dir)
		return 0;
	fd = openat(dirfd(folder->parent->dir), folder->path + folder->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		folder->dir = fdopendir(fd);
	if (!folder->dir) {
		error = errno;
		if (fd >= 0)
			close(fd);
	}
	put_folder(folder->parent);
	return error;
}

static void walk(struct worker *worker)
{
	struct folder *folder = next_folder(worker->census, false);

	for (; folder; folder = next_folder(worker->census, true)) {
		int error = open_folder(folder);
		struct dirent *entry;

		while (!error) {
			errno = 0;
			entry = readdir(folder->dir);
			if (entry)
				read_entry(worker, folder, entry);
			else if (errno)
				error = errno;
			else
				break;
		}
		if (error)
			add_unread(worker, *folder->path ? folder->path : ".",
				   "", error);
		put_folder(folder);
	}
}

/* ---- Searching: a list of files --------------------------------------- */

/*
 * Open the folder that a name of the list is in, going through no link and not
 * up. *base is what is left of the name.
 */
static int open_way(int tree, char *name, char **base)
{
	int fd = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *slash;

	*base = name;
	while (fd >= 0 && (slash = strchr(*base, '/'))) {
		int up = fd, error = EINVAL;

		fd = -1;
		*slash = '\0';
		if (**base && strcmp(*base, "..")) {
			fd = openat(up, *base, O_RDONLY | O_DIRECTORY |
				    O_NOFOLLOW | O_CLOEXEC);
			error = errno;
		}
		*slash = '/';
		*base = slash + 1;
		close(up);
		errno = error;
	}
	return fd;
}

static void examine_listed(struct worker *worker, char *name)
{
	char *base;
	int error, fd;

	if (!worker->census->any && !is_searched(name))
		return;
	fd = open_way(worker->census->tree, name, &base);
	if (fd < 0) {
		add_unread(worker, "", name, errno);
		return;
	}
	if (stat_entry(fd, base, &error) == A_FILE)
		examine(worker, fd, base, "", name);
	else if (error)
		add_unread(worker, "", name, error);
	close(fd);
}

static char *next_listed(struct census *census)
{
	char *name = NULL;

	pthread_mutex_lock(&census->lock);
	if (census->listed < census->list_len) {
		name = census->list + census->listed;
		census->listed += strlen(name) + 1;
	}
	pthread_mutex_unlock(&census->lock);
	return name;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	char *name;

	if (worker->census->list)
		while ((name = next_listed(worker->census)))
			examine_listed(worker, name);
	else
		walk(worker);
	free(worker->buffer);
	worker->buffer = NULL;
	return NULL;
}

static void read_list(struct census *census)
{
	size_t room = 0;
	ssize_t got;

	do {
		if (census->list_len + 2 > room) {
			room = 2 * room + (1 << 16);
			census->list = resize(census->list, room, 1);
		}
		got = read(STDIN_FILENO, census->list + census->list_len,
			   room - census->list_len - 1);
		if (got > 0)
			census->list_len += got;
		else if (got < 0 && errno != EINTR)
			die("stdin: %s", strerror(errno));
	} while (got);
	census->list[census->list_len] = '\0';
}

/* ---- Printing --------------------------------------------------------- */

static int order_names(const void *left, const void *right)
{
	return order(*(const struct span *)left, *(const struct span *)right);
}

static int order_findings(const void *left, const void *right)
{
	return strcmp(((const struct finding *)left)->path,
		      ((const struct finding *)right)->path);
}

static bool is_site(const struct row *row, const struct members *members)
{
	if (row->what == NOT_UNDERSTOOD)
		return false;
	if (!row->members[0].at && !row->members[1].at)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(row->members); i++)
		if (row->members[i].at && members->count &&
		    bsearch(&row->members[i], members->names, members->count,
			    sizeof(*members->names), order_names))
			return true;
	return false;
}

static void print_bytes(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (; len--; p++) {
		switch (*p) {
		case '\t':
			fputs("\\t", stdout);
			break;
		case '\n':
			fputs("\\n", stdout);
			break;
		case '\r':
			fputs("\\r", stdout);
			break;
		case '\\':
			fputs("\\\\", stdout);
			break;
		default:
			putchar(*p);
		}
	}
}

static void print_row(const struct finding *finding, const struct row *row)
{
	static const char *const places[] = {
		[CODE] = "code", [MACRO] = "macro", [DIRECTIVE] = "directive",
		[IF0] = "if0", [UNLEXED] = "unlexed: ", [UNREAD] = "unread: ",
	};

	print_bytes(finding->path, strlen(finding->path));
	printf("\t%zu\t%zu\t", row->line, row->column);
	print_bytes(row->function.at, row->function.len);
	printf("\t%s\t%s%s\n", spelling[row->what], places[row->place.kind],
	       row->place.why ? row->place.why : "");
}

static void print_finding(const struct finding *finding,
			  const struct members *members)
{
	bool holds_name = finding->holds_name;

	for (size_t i = 0; i < finding->count && !holds_name; i++)
		holds_name = is_site(&finding->rows[i], members);
	if (!holds_name)
		return;
	for (size_t i = 0; i < finding->count; i++)
		if (finding->rows[i].what == NOT_UNDERSTOOD ||
		    is_site(&finding->rows[i], members))
			print_row(finding, &finding->rows[i]);
}

/* Put together what the threads have found, in the order of the files. */
static void print_census(struct worker *workers, size_t count)
{
	struct worker *all = &workers[0];

	for (size_t i = 1; i < count; i++) {
		struct worker *other = &workers[i];

		for (size_t j = 0; j < other->count; j++) {
			ROOM(all->findings, all->count, all->findings_room);
			all->findings[all->count++] = other->findings[j];
		}
		for (size_t j = 0; j < other->members.count; j++) {
			struct members *members = &all->members;

			ROOM(members->names, members->count, members->room);
			members->names[members->count++] =
				other->members.names[j];
		}
	}
	if (all->members.count)
		qsort(all->members.names, all->members.count,
		      sizeof(*all->members.names), order_names);
	if (all->count)
		qsort(all->findings, all->count, sizeof(*all->findings),
		      order_findings);
	for (size_t i = 0; i < all->count; i++)
		/* A list may name a file twice. */
		if (!i || order_findings(&all->findings[i - 1],
					 &all->findings[i]))
			print_finding(&all->findings[i], &all->members);
	if (fflush(stdout) || ferror(stdout))
		die("stdout: %s", strerror(errno));
}

/* ---- Printing the conditionals of a text ------------------------------- */

/* What --conditionals is asked for. */
struct question {
	struct facts kernels[MAX_KERNELS];
	size_t count;
	struct span undefined[MAX_KERNELS];
	size_t undefined_count;
};

static char letter(enum truth truth)
{
	return truth == NO ? 'n' : truth == YES ? 'y' : '?';
}

/* Names of Kconfig and of the compiler are defined where no file shows it. */
static bool may_be_looked_up(struct span name)
{
	return !begins(name, "CONFIG_") && !begins(name, "__");
}

static void print_names(const struct span *names, size_t count)
{
	const char *comma = "";

	for (size_t i = 0; i < count; i++) {
		if (!may_be_looked_up(names[i]))
			continue;
		fputs(comma, stdout);
		print_bytes(names[i].at, names[i].len);
		comma = ",";
	}
}

static void print_conditionals(struct conditionals *all,
			       const unsigned char *start,
			       const struct question *question)
{
	size_t kernels = question->count, *names;
	bool told_kernels = false;
	char *letters;

	names = resize(NULL, all->count + 1, sizeof(*names));
	all->keep_names = true;
	names[0] = 0;
	decide_all(all, names);
	all->keep_names = false;

	letters = resize(NULL, all->count ? all->count : 1, kernels + 1);
	for (size_t i = 0; i < all->count; i++)
		letters[i * (kernels + 1)] = letter(all->decisions[i].branch);
	for (size_t i = 0; i < all->count && !told_kernels; i++)
		told_kernels = all->decisions[i].about;
	for (size_t k = 0; k < kernels && told_kernels; k++) {
		all->facts = question->kernels[k];
		decide_all(all, NULL);
		for (size_t i = 0; i < all->count; i++)
			letters[i * (kernels + 1) + k + 1] =
				letter(all->decisions[i].branch);
	}
	if (all->too_deep)
		printf("%zu\tdeep\t?\t\t\t\n", (size_t)(all->too_deep - start));
	for (size_t i = 0; i < all->count; i++) {
		const struct decision *decision = &all->decisions[i];
		enum directive directive = decision->directive;
		const char *told = &letters[i * (kernels + 1)];

		if (directive > ENDIF || !decision->tracked)
			continue;
		printf("%zu\t%s\t%c\t%s%s\t", (size_t)(decision->at - start),
		       directive == IF || directive == IFDEF ? "if" :
		       directive == ENDIF ? "endif" : "else", told[0],
		       decision->about & OF_KERNEL ? "k" : "",
		       decision->about & OF_API ? "a" : "");
		print_names(all->open_names + names[i],
			    names[i + 1] - names[i]);
		printf("\t%.*s\n", told_kernels ? (int)kernels : 0, told + 1);
	}
	free(letters);
	free(names);
	if (fflush(stdout) || ferror(stdout))
		die("stdout: %s", strerror(errno));
}

static unsigned char *read_stdin(size_t *len)
{
	unsigned char *text = NULL;
	size_t room = 0;
	ssize_t got;

	*len = 0;
	do {
		if (*len + 2 * MARGIN >= room) {
			room = 2 * room + (1 << 16);
			text = resize(text, room, 1);
		}
		got = read(STDIN_FILENO, text + MARGIN + *len,
			   room - *len - 2 * MARGIN);
		if (got > 0)
			*len += got;
		else if (got < 0 && errno != EINTR)
			die("stdin: %s", strerror(errno));
		if (*len > MAX_FILE_BYTES)
			die("stdin: %s", strerror(EFBIG));
	} while (got);
	memset(text, '\n', MARGIN);
	memset(text + MARGIN + *len, 0, MARGIN);
	return text;
}

static void answer(const struct question *question)
{
	static struct conditionals all;
	size_t len;
	unsigned char *text = read_stdin(&len);
	const unsigned char *start = text + MARGIN;
	struct lexer lexer = {
		.p = start, .end = start + len, .line_start = true,
	};

	if (len >= 3 && !memcmp(start, "\xef\xbb\xbf", 3))
		lexer.p += 3;
	all.undefined = question->undefined;
	all.undefined_count = question->undefined_count;
	scan_directives(&all, lexer);
	print_conditionals(&all, start, question);
	free_conditionals(&all);
	free(text);
}

/* VERSION:API:RHEL, where VERSION and RHEL are numbers, - or ?, API y, n or ? */
static struct facts parse_kernel(const char *text)
{
	struct facts facts = { .kernel = true, .version = -1, .rhel = -1 };
	const char *p = text;
	char *end;

	if (is_digit(*p))
		facts.version = strtol(p, &end, 10);
	else
		end = (char *)p + (*p == '?');
	if (end == p || *end != ':' || !strchr("yn?", end[1]) || !end[1] ||
	    end[2] != ':')
		goto wrong;
	facts.api = end[1] == 'y' ? YES : end[1] == 'n' ? NO : UNKNOWN;
	p = end + 3;
	if (is_digit(*p)) {
		facts.rhel = strtol(p, &end, 10);
	} else {
		facts.rhel = *p == '-' ? -2 : -1;
		end = (char *)p + (*p == '-' || *p == '?');
	}
	if (end != p && !*end && facts.version <= INT_MAX &&
	    facts.rhel <= INT_MAX)
		return facts;
wrong:
	die("--kernel %s: is not VERSION:API:RHEL", text);
}

/* ---- The command line ------------------------------------------------- */

static void run(struct census *census, const char *tree, size_t threads)
{
	static struct worker *workers;
	struct folder *top;
	size_t started = 1;
	int error;

	census->tree = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (census->tree < 0)
		die("%s: %s", tree, strerror(errno));
	top = new_folder(NULL, "");
	top->dir = fdopendir(census->tree);
	if (!top->dir)
		die("%s: %s", tree, strerror(errno));
	queue_folder(census, top);

	workers = resize(NULL, threads, sizeof(*workers));
	memset(workers, 0, threads * sizeof(*workers));
	for (size_t i = 0; i < threads; i++)
		workers[i].census = census;
	for (; started < threads; started++)
		if (pthread_create(&workers[started].thread, NULL, work,
				   &workers[started]))
			break;
	work(&workers[0]);
	for (size_t i = 1; i < started; i++) {
		error = pthread_join(workers[i].thread, NULL);
		if (error)
			die("thread: %s", strerror(error));
	}
	print_census(workers, started);
}

static size_t parse_threads(const char *text)
{
	unsigned long threads;
	char *end;

	errno = 0;
	threads = strtoul(text, &end, 10);
	if (!is_digit(*text) || *end || errno || !threads ||
	    threads > MAX_THREADS)
		die("-j %s: not a number from 1 to %d", text, MAX_THREADS);
	return threads;
}

int main(int argc, char **argv)
{
	/* Kept to the end, where the memory goes back in one piece. */
	static struct census census = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.change = PTHREAD_COND_INITIALIZER,
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t threads = processors < 1 ? 1 :
			 processors > MAX_THREADS ? MAX_THREADS : processors;
	static struct question question;
	bool files = false, conditionals = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!strcmp(argv[i], "--files"))
			files = true;
		else if (!strcmp(argv[i], "--conditionals"))
			conditionals = true;
		else if (!strcmp(argv[i], "--kernel") && i + 1 < argc &&
			 question.count < MAX_KERNELS)
			question.kernels[question.count++] =
				parse_kernel(argv[++i]);
		else if (!strcmp(argv[i], "--undefined") && i + 1 < argc &&
			 question.undefined_count < MAX_KERNELS)
			question.undefined[question.undefined_count++] =
				(struct span) {
					(unsigned char *)argv[i + 1],
					strlen(argv[i + 1]),
				}, i++;
		else if (!strcmp(argv[i], "--any"))
			files = census.any = true;
		else if (!strncmp(argv[i], "-j", 2) && argv[i][2])
			threads = parse_threads(argv[i] + 2);
		else if (!strcmp(argv[i], "-j") && i + 1 < argc)
			threads = parse_threads(argv[++i]);
		else
			die("%s: unknown; usage: census [-j THREADS] [--files|--any] TREE",
			    argv[i]);
	}
	if (conditionals) {
		if (i != argc)
			die("--conditionals takes its text from stdin");
		answer(&question);
		return 0;
	}
	if (i + 1 != argc)
		die("one tree is needed; usage: census [-j THREADS] [--files|--any] TREE");
	if (files)
		read_list(&census);
	run(&census, argv[i], threads);
	return 0;
}
