// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read the names of the API from the table of the campaign.
 *
 * The table is names.tsv of the campaign's folder, which describes itself.
 * Python refuses a table that is not consistent; here it only has to be read,
 * and a row that cannot be ends the run.
 */

#define _DEFAULT_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "names.h"

struct names names;

static const char *const kinds[NAME_KINDS] = {
	[TYPE_NAME] = "type", [LOOP_NAME] = "loop", [START_NAME] = "start",
	[NEXT_NAME] = "next", [ADDRESS_NAME] = "address", [PAGE_NAME] = "page",
	[CALL_NAME] = "call", [FIELD_NAME] = "field", [BASE_NAME] = "base",
	[MEMBER_NAME] = "member", [HOLDER_NAME] = "holder",
	[WRAPPER_NAME] = "wrapper", [GUARD_NAME] = "guard",
};

static bool is_counted(const struct name *name)
{
	return name->kind <= FIELD_NAME;
}

static bool is_a_member(const struct name *name)
{
	return name->kind == FIELD_NAME || name->kind == BASE_NAME ||
	       name->kind == MEMBER_NAME;
}

/* ---- The rows --------------------------------------------------------- */

enum { COLUMNS = 5 };

/* Is the cell a word of C, and not too long? */
static bool is_identifier(struct span word)
{
	if (!word.len || word.len > MAX_NAME || is_digit(*word.at))
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (!is_word(word.at[i]))
			return false;
	return true;
}

/* Split "struct TAG", ".FIELD" and plain names. */
static bool split_name(struct name *name)
{
	struct span word = name->spelling;
	const unsigned char *blank = memchr(word.at, ' ', word.len);

	if (name->kind == TYPE_NAME || name->kind == HOLDER_NAME) {
		if (!blank)
			return false;
		name->keyword = (struct span) { word.at, blank - word.at };
		word.len -= name->keyword.len + 1;
		word.at = blank + 1;
		if (!is(name->keyword, "struct") && !is(name->keyword, "union"))
			return false;
	} else if (is_a_member(name)) {
		if (*word.at != '.')
			return false;
		word.at++;
		word.len--;
	}
	name->word = word;
	return is_identifier(word);
}

/* 5.8, as LINUX_VERSION_CODE has it; -1 for -, -2 for what is no release. */
static long parse_release(const char *text)
{
	char *end;
	long major, minor;

	if (!strcmp(text, "-"))
		return -1;
	if (!is_digit(*text))
		return -2;
	major = strtol(text, &end, 10);
	if (*end != '.' || !is_digit(end[1]))
		return -2;
	minor = strtol(end + 1, &end, 10);
	if (*end || major > 255 || minor > 255)
		return -2;
	return major << 16 | minor << 8;
}

static bool parse_object(struct name *name, const char *text)
{
	name->since = -1;
	if (name->kind == GUARD_NAME) {
		name->since = parse_release(text);
		return name->since != -2;
	}
	name->declared = !strcmp(text, "declared");
	if (is_digit(*text) && strlen(text) < 3)
		name->argument = strtoul(text, NULL, 10);
	else if (!name->declared && strcmp(text, "any") && strcmp(text, "-"))
		return false;
	return true;
}

static void add_name(const char *path, size_t line, char *const *cells,
		     const char *new_side)
{
	struct name *name;
	enum name_kind kind = 0;

	while (kind < NAME_KINDS && strcmp(cells[1], kinds[kind]))
		kind++;
	if (kind == NAME_KINDS)
		die("%s:%zu: unknown kind: %s", path, line, cells[1]);
	ROOM(names.rows, names.count, names.room);
	name = &names.rows[names.count++];
	*name = (struct name) {
		.kind = kind, .spelling = text_span(cells[0]),
		.is_new = new_side && !strcmp(cells[3], new_side),
	};
	if (!split_name(name))
		die("%s:%zu: not a name of a %s: %s", path, line, cells[1],
		    cells[0]);
	if (!parse_object(name, cells[2]))
		die("%s:%zu: object %s does not fit a %s", path, line, cells[2],
		    cells[1]);
}

static char *read_table(const char *path)
{
	FILE *file = fopen(path, "r");
	size_t len = 0, room = 1 << 16;
	char *text;

	if (!file)
		die("%s: %s", path, strerror(errno));
	text = resize(NULL, room, 1);
	while (!feof(file)) {
		if (room - len < 2) {
			room *= 2;
			text = resize(text, room, 1);
		}
		len += fread(text + len, 1, room - len - 1, file);
		if (ferror(file))
			die("%s: %s", path, strerror(errno));
	}
	fclose(file);
	text[len] = '\0';
	if (strlen(text) != len)
		die("%s: a NUL byte", path);
	return text;
}

/* ---- Looking a word up ------------------------------------------------ */

static size_t bucket_of(struct span word)
{
	size_t hash = word.len;

	for (size_t i = 0; i < word.len; i++)
		hash = hash * 33 + word.at[i];
	return (hash ^ hash >> 16) % NAME_BUCKETS;
}

static void hash_names(void)
{
	names.next = resize(NULL, names.count, sizeof(*names.next));
	for (size_t i = 0; i < names.count; i++) {
		size_t *head = &names.buckets[bucket_of(names.rows[i].word)];

		if (!is_counted(&names.rows[i]) ||
		    names.rows[i].kind == FIELD_NAME)
			continue;
		names.next[i] = *head;
		*head = i + 1;
	}
}

const struct name *which_name(struct span word)
{
	if (word.len > MAX_NAME)
		return NULL;
	for (size_t i = names.buckets[bucket_of(word)]; i;
	     i = names.next[i - 1])
		if (same(names.rows[i - 1].word, word))
			return &names.rows[i - 1];
	return NULL;
}

const struct name *which_field(struct span word)
{
	for (size_t i = 0; i < names.count; i++) {
		const struct name *name = &names.rows[i];

		if ((name->kind == FIELD_NAME || name->kind == BASE_NAME) &&
		    same(name->word, word))
			return name;
	}
	return NULL;
}

/* ---- Searching: the pairs of bytes to look for -------------------------- */

static bool contains(struct span word, struct span part)
{
	for (size_t i = 0; i + part.len <= word.len; i++)
		if (!memcmp(word.at + i, part.at, part.len))
			return true;
	return false;
}

/* What is found by another needle needs none of its own. */
static bool is_covered(const struct name *name)
{
	for (const struct name *other = names.rows;
	     other < names.rows + names.count; other++)
		if (other != name && is_counted(other) && !other->declared &&
		    contains(name->word, other->word) &&
		    (other->word.len < name->word.len || other < name))
			return true;
	return false;
}

/* How many needles that have no pair yet have this one? */
static size_t served(const unsigned char *pair)
{
	size_t count = 0;

	for (size_t i = 0; i < names.needle_count; i++)
		count += names.needles[i].pair == MAX_PAIRS &&
			 contains(names.needles[i].word,
				  (struct span) { pair, 2 });
	return count;
}

/* Take the pair that serves most needles; false if none has one left. */
static bool take_pair(void)
{
	const unsigned char *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < names.needle_count; i++) {
		struct span word = names.needles[i].word;

		if (names.needles[i].pair < MAX_PAIRS)
			continue;
		for (size_t j = 0; j + 1 < word.len; j++) {
			size_t count = served(word.at + j);

			if (count > most) {
				best = word.at + j;
				most = count;
			}
		}
	}
	if (!best || names.pair_count == MAX_PAIRS)
		return false;
	memcpy(names.pairs[names.pair_count], best, 2);
	for (size_t i = 0; i < names.needle_count; i++) {
		struct needle *needle = &names.needles[i];

		for (size_t j = 0; j + 1 < needle->word.len &&
		     needle->pair == MAX_PAIRS; j++) {
			if (memcmp(needle->word.at + j, best, 2))
				continue;
			needle->pair = names.pair_count;
			needle->offset = j;
		}
	}
	names.pair_count++;
	return true;
}

static void make_needles(void)
{
	names.needles = resize(NULL, names.count, sizeof(*names.needles));
	for (size_t i = 0; i < names.count; i++) {
		const struct name *name = &names.rows[i];

		if (!is_counted(name) || (!name->declared && is_covered(name)))
			continue;
		names.needles[names.needle_count++] = (struct needle) {
			.word = name->word, .pair = MAX_PAIRS,
			.field = name->declared,
		};
	}
	while (take_pair())
		;
	for (size_t i = 0; i < names.needle_count; i++)
		names.everything |= names.needles[i].pair == MAX_PAIRS;
}

void load_names(const char *path, const char *new_side)
{
	char *line, *rest;
	size_t number = 0;

	names.table = read_table(path);
	for (rest = names.table; (line = strsep(&rest, "\n"));) {
		char *cells[COLUMNS], *cell;
		size_t count = 0;

		number++;
		if (!*line || *line == '#')
			continue;
		for (; (cell = strsep(&line, "\t")); count++)
			if (count < COLUMNS)
				cells[count] = cell;
		if (count != COLUMNS)
			die("%s:%zu: %zu cells; a row has %d", path, number,
			    count, COLUMNS);
		add_name(path, number, cells, new_side);
	}
	hash_names();
	make_needles();
}
