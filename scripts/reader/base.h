/* SPDX-License-Identifier: GPL-2.0-only */
/* What every part uses: failing, memory, spans of bytes. */
#ifndef READER_BASE_H
#define READER_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Beyond these the reader prints "nesting too deep" or "unread". */
enum {
	MAX_NESTING = 4096,
	MAX_EXPRESSION = 200,
	MAX_FILE_BYTES = 1 << 30,
	MAX_THREADS = 1024,
};

struct span {
	const unsigned char *at;
	size_t len;
};

static const struct span nothing;

/* Memory that is given back all at once. */
struct pool {
	struct block {
		struct block *older;
		size_t used, room;
		unsigned char bytes[];
	} *newest;
};

_Noreturn void die(const char *format, ...);
void *resize(void *old, size_t count, size_t size);
int order(struct span a, struct span b);
void *pool_get(struct pool *pool, size_t len);
struct span pool_copy(struct pool *pool, struct span span);
void pool_free(struct pool *pool);

/* Make room for one more element; arrays double, so that this is cheap. */
#define ROOM(array, used, room) do {					\
	if ((used) == (room)) {						\
		(room) = (room) ? 2 * (room) : 16;			\
		(array) = resize(array, room, sizeof(*(array)));	\
	}								\
} while (0)

static inline bool same(struct span a, struct span b)
{
	return a.len == b.len && (!a.len || !memcmp(a.at, b.at, a.len));
}

static inline bool is(struct span span, const char *word)
{
	return span.len == strlen(word) && !memcmp(span.at, word, span.len);
}

static inline struct span text_span(const char *text)
{
	return (struct span) { (const unsigned char *)text, strlen(text) };
}

static inline bool begins(struct span name, const char *word)
{
	return name.len >= strlen(word) &&
	       !memcmp(name.at, word, strlen(word));
}

static inline bool starts_with(const unsigned char *p, const char *text)
{
	return !memcmp(p, text, strlen(text));
}

static inline bool is_word(unsigned char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26 || c == '_' ||
	       (unsigned char)(c - '0') < 10;
}

static inline bool is_digit(unsigned char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* White space that does not end a line. */
static inline bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

#endif
