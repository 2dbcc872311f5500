// SPDX-License-Identifier: GPL-2.0-only
/*
 * A target for libFuzzer: everything that the reader does with bytes.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -DFUZZ ...
 *
 * scripts/test/fuzz.py builds it with the other files, all but main.c, and runs
 * it. An input is read as a C file, as one of assembly, as a text, and as its
 * lines alone. What is checked beside the sanitizers: rows and tokens are in
 * order and inside of the bytes, and brackets point forward.
 */

#include <stdlib.h>
#include "parse.h"
#include "search.h"
#include "text.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The table is given by the environment, as the fuzzer owns the options. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *table = getenv("READER_NAMES");

	(void)argc;
	(void)argv;
	if (!table)
		die("READER_NAMES: is not set");
	load_names(table, getenv("READER_NEW"));
	return 0;
}

static void read_as(const char *name, const unsigned char *start, size_t len)
{
	struct members members = { 0 };
	struct pool pool = { 0 };
	struct finding finding = { .path = (char *)name };
	bool may_have = search(start, len) != NO_SITE;

	read_bytes(&finding, &members, &pool, start, len);
	for (size_t i = 0; i < finding.count; i++) {
		const struct row *row = &finding.rows[i];

		require(row->offset < len);
		require(!i || row[-1].offset <= row->offset);
		/* A search never says no to a file with a site. */
		require(may_have || !row->name);
	}
	free(finding.rows);
	free(members.names);
	pool_free(&members.pool);
	pool_free(&pool);
}

static void read_as_text(const unsigned char *start, size_t len)
{
	struct text text = { .start = start, .end = start + len };
	static struct answer answer;
	struct lexer lexer = {
		.p = start, .end = text.end, .line_start = true,
	};

	answer_text(&answer, start, len, false);
	answer_text(&answer, start, len, true);
	if (len >= 3 && !memcmp(start, "\xef\xbb\xbf", 3))
		lexer.p += 3;
	scan_directives(&text.decided, lexer);
	decide_all(&text.decided, NULL);
	read_text(&text);
	nest_text(&text);
	for (size_t i = 0; i < text.tokens.count; i++) {
		const struct piece *piece = &text.tokens.list[i];

		require(piece->start < piece->end && piece->end <= len);
		require(!i || piece[-1].end <= piece->start);
		require(piece->branch <= text.branches.count);
		require(!text.closing[i] || text.closing[i] > i);
		require(text.closing[i] < text.tokens.count);
		require(text.block_end[i] < text.tokens.count);
	}
	free_text(&text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	unsigned char *copy = malloc(size + 2 * MARGIN);

	require(copy != NULL);
	memset(copy, '\n', MARGIN);
	memcpy(copy + MARGIN, data, size);
	memset(copy + MARGIN + size, 0, MARGIN);
	read_as("x.c", copy + MARGIN, size);
	read_as("x.S", copy + MARGIN, size);
	read_as_text(copy + MARGIN, size);
	free(copy);
	return 0;
}
