// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read texts from stdin, one after the other, and print what each is made of.
 *
 * A request is a line, "text LENGTH" or "lines LENGTH", and that many bytes.
 * Its answer is flushed before the next request is read, so one process can
 * read many texts, and whoever asks can ask about what he got. "lines" has the
 * preprocessor lines only, with those in dead text.
 *
 * An answer is two 64-bit numbers, how many words and how many bytes follow,
 * then 32-bit words and then bytes. All are in the order of this machine. A
 * list is its length and its rows; a string is its offset in the bytes and its
 * length. The words are, in this order:
 *
 *	problem		0, or 1: more #if stand in one another than are
 *			followed, or 2: the text is too long and has no tokens
 *	tokens		as columns: kind, start, end, branch, closing bracket,
 *			end of the block
 *	spelt		of tokens that differ from their bytes: number, string
 *	lines		token, first and last of its tokens, directive
 *	inner		the tokens of lines, as columns: kind, start, end
 *	spelt		of those
 *	branches	outer, before, group, nth, row, string
 *	comments	start, end
 *	dead		start, end: what nobody reads
 *	stray quote	offset, from 1; 0: there is none
 *	braces		open, close, in the order in which they close
 *	functions	string, opening parenthesis, opening brace
 *	structures	string, open, close
 *	rows		a string: the lines that --conditionals prints
 *
 * Branch, outer, before, group, row, and the closing bracket use 0 for none;
 * all but the bracket count from 1.
 */

#define _DEFAULT_SOURCE

#include <errno.h>
#include <stdlib.h>
#include "print.h"
#include "text.h"

/* A token of Python is some hundred bytes; its files are far shorter. */
enum { MAX_TEXT_BYTES = 64 << 20 };

enum { NO_PROBLEM, TOO_DEEP, TOO_LONG };

/* ---- What an answer is made of -------------------------------------- */

static void put(struct answer *answer, uint32_t value)
{
	ADD(answer->words, (struct word) { value });
}

static void put_string(struct answer *answer, struct span string)
{
	put(answer, answer->bytes.count);
	put(answer, string.len);
	while (answer->bytes.room - answer->bytes.count < string.len) {
		answer->bytes.room = 2 * answer->bytes.room + string.len;
		answer->bytes.list = resize(answer->bytes.list,
					    answer->bytes.room, 1);
	}
	if (string.len)
		memcpy(answer->bytes.list + answer->bytes.count, string.at,
		       string.len);
	answer->bytes.count += string.len;
}

static void put_ranges(struct answer *answer, const struct text *text,
		       const struct ranges *ranges)
{
	put(answer, ranges->count);
	for (size_t i = 0; i < ranges->count; i++) {
		put(answer, ranges->list[i].start - text->start);
		put(answer, ranges->list[i].end - text->start);
	}
}

static void put_columns(struct answer *answer, const struct pieces *pieces)
{
	put(answer, pieces->count);
	for (size_t i = 0; i < pieces->count; i++)
		put(answer, pieces->list[i].kind);
	for (size_t i = 0; i < pieces->count; i++)
		put(answer, pieces->list[i].start);
	for (size_t i = 0; i < pieces->count; i++)
		put(answer, pieces->list[i].end);
}

static bool is_spelt_as_it_is(const struct text *text,
			      const struct piece *piece)
{
	size_t len = piece->end - piece->start;

	return piece->text.len == len &&
	       !memcmp(piece->text.at, text->start + piece->start, len);
}

static void put_spelt(struct answer *answer, const struct text *text,
		      const struct pieces *pieces)
{
	size_t at = answer->words.count, count = 0;

	put(answer, 0);
	for (size_t i = 0; i < pieces->count; i++) {
		if (is_spelt_as_it_is(text, &pieces->list[i]))
			continue;
		put(answer, i);
		put_string(answer, pieces->list[i].text);
		count++;
	}
	answer->words.list[at].value = count;
}

/* ---- The parts of an answer ----------------------------------------- */

static void put_tokens(struct answer *answer, const struct text *text)
{
	const struct pieces *tokens = &text->tokens;

	put_columns(answer, tokens);
	for (size_t i = 0; i < tokens->count; i++)
		put(answer, tokens->list[i].branch);
	for (size_t i = 0; i < tokens->count; i++)
		put(answer, text->closing ? text->closing[i] : 0);
	for (size_t i = 0; i < tokens->count; i++)
		put(answer, text->block_end ? text->block_end[i] : 0);
	put_spelt(answer, text, tokens);
}

static void put_lines(struct answer *answer, const struct text *text)
{
	put(answer, text->lines.count);
	for (size_t i = 0; i < text->lines.count; i++) {
		const struct line *line = &text->lines.list[i];

		put(answer, line->token);
		put(answer, line->first);
		put(answer, line->last);
		put(answer, line->directive);
	}
	put_columns(answer, &text->inner);
	put_spelt(answer, text, &text->inner);
}

static void put_branches(struct answer *answer, const struct text *text)
{
	put(answer, text->branches.count);
	for (size_t i = 0; i < text->branches.count; i++) {
		const struct branch *branch = &text->branches.list[i];

		put(answer, branch->outer);
		put(answer, branch->before);
		put(answer, branch->group);
		put(answer, branch->nth);
		put(answer, branch->row);
		put_string(answer, branch->condition);
	}
}

static void put_groups(struct answer *answer, const struct text *text)
{
	put(answer, text->braces.count);
	for (size_t i = 0; i < text->braces.count; i++) {
		put(answer, text->braces.list[i].open);
		put(answer, text->braces.list[i].close);
	}
	put(answer, text->functions.count);
	for (size_t i = 0; i < text->functions.count; i++) {
		const struct function *function = &text->functions.list[i];

		put_string(answer, function->name);
		put(answer, function->head);
		put(answer, function->open);
	}
	put(answer, text->structures.count);
	for (size_t i = 0; i < text->structures.count; i++) {
		const struct structure *structure = &text->structures.list[i];

		put_string(answer, structure->tag);
		put(answer, structure->open);
		put(answer, structure->close);
	}
}

/* ---- One text ------------------------------------------------------- */

void free_text(struct text *text)
{
	free(text->tokens.list);
	free(text->inner.list);
	free(text->lines.list);
	free(text->branches.list);
	free(text->comments.list);
	free(text->dead.list);
	free(text->closing);
	free(text->block_end);
	free(text->braces.list);
	free(text->functions.list);
	free(text->structures.list);
	free_conditionals(&text->decided);
	pool_free(&text->pool);
}

/* Decide about the #if, and return the lines about them. */
static struct span decide(struct text *text, char **rows)
{
	static const struct question plain;
	size_t len = 0;
	FILE *out = open_memstream(rows, &len);
	struct lexer lexer = {
		.p = text->start, .end = text->end, .line_start = true,
	};

	if (!out)
		die("memory: %s", strerror(errno));
	if (text->end - text->start >= 3 &&
	    !memcmp(text->start, "\xef\xbb\xbf", 3))
		lexer.p += 3;
	if (!text->lines_only)
		scan_directives(&text->decided, lexer);
	print_conditionals(out, &text->decided, text->start, &plain);
	if (fclose(out))
		die("memory: %s", strerror(errno));
	return (struct span) { (unsigned char *)*rows, len };
}

void answer_text(struct answer *answer, const unsigned char *start, size_t len,
		 bool lines_only)
{
	struct text text = {
		.start = start, .end = start + len, .lines_only = lines_only,
	};
	struct span rows = nothing;
	char *memory = NULL;

	answer->words.count = answer->bytes.count = 0;
	if (len <= MAX_TEXT_BYTES) {
		rows = decide(&text, &memory);
		read_text(&text);
		if (!lines_only)
			nest_text(&text);
	}
	put(answer, len > MAX_TEXT_BYTES ? TOO_LONG :
		    text.decided.too_deep ? TOO_DEEP : NO_PROBLEM);
	put_tokens(answer, &text);
	put_lines(answer, &text);
	put_branches(answer, &text);
	put_ranges(answer, &text, &text.comments);
	put_ranges(answer, &text, &text.dead);
	put(answer, text.stray_quote);
	put_groups(answer, &text);
	put_string(answer, rows);
	free(memory);
	free_text(&text);
}

/* ---- Requests ------------------------------------------------------- */

/* Read "text LENGTH" or "lines LENGTH"; false at the end of stdin. */
static bool read_request(size_t *len, bool *lines_only)
{
	char line[64], word[8];

	if (!fgets(line, sizeof(line), stdin)) {
		if (ferror(stdin))
			die("stdin: %s", strerror(errno));
		return false;
	}
	if (sscanf(line, "%7s %zu\n", word, len) != 2 ||
	    (strcmp(word, "text") && strcmp(word, "lines")))
		die("stdin: not a request: %s", line);
	*lines_only = !strcmp(word, "lines");
	if (*len > MAX_FILE_BYTES)
		die("stdin: %s", strerror(EFBIG));
	return true;
}

static void print_answer(const struct answer *answer)
{
	const uint64_t counts[] = {
		answer->words.count, answer->bytes.count
	};

	fwrite(counts, sizeof(counts), 1, stdout);
	fwrite(answer->words.list, sizeof(*answer->words.list),
	       answer->words.count, stdout);
	if (answer->bytes.count)
		fwrite(answer->bytes.list, 1, answer->bytes.count, stdout);
	if (fflush(stdout) || ferror(stdout))
		die("stdout: %s", strerror(errno));
}

void serve(void)
{
	static struct answer answer;
	unsigned char *text = NULL;
	size_t len, room = 0;
	bool lines_only;

	while (read_request(&len, &lines_only)) {
		if (len + 1 > room) {
			room = len + 1;
			text = resize(text, room, 1);
		}
		if (fread(text, 1, len, stdin) != len)
			die("stdin: ends before its text");
		text[len] = '\0';
		answer_text(&answer, text, len, lines_only);
		print_answer(&answer);
		/* One huge text should not cost its size until the end. */
		if (room > 1 << 24) {
			free(text);
			text = NULL;
			room = 0;
		}
	}
	free(text);
	free(answer.words.list);
	free(answer.bytes.list);
}
