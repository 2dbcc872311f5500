// SPDX-License-Identifier: GPL-2.0-only
/* Print the conditionals of a text. */

#define _DEFAULT_SOURCE

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "print.h"
#include "search.h"

static char letter(enum truth truth)
{
	return truth == NO ? 'n' : truth == YES ? 'y' : '?';
}

/*
 * Names of Kconfig and of the compiler are defined where no file shows it, but
 * for those that only a file of the assembler has.
 */
static bool may_be_looked_up(struct span name)
{
	if (is(name, "__ASSEMBLY__") || is(name, "__ASSEMBLER__"))
		return true;
	return !begins(name, "CONFIG_") && !begins(name, "__");
}

static void print_names(FILE *out, const struct span *names, size_t first,
			size_t last)
{
	const char *comma = "";

	for (size_t i = first; i < last; i++) {
		if (!may_be_looked_up(names[i]))
			continue;
		fputs(comma, out);
		print_bytes(out, names[i].at, names[i].len);
		comma = ",";
	}
}

void print_conditionals(FILE *out, struct conditionals *all,
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
		fprintf(out, "%zu\tdeep\t?\t\t\t\n",
			(size_t)(all->too_deep - start));
	for (size_t i = 0; i < all->count; i++) {
		const struct decision *decision = &all->decisions[i];
		enum directive directive = decision->directive;
		const char *told = &letters[i * (kernels + 1)];

		if (directive > ENDIF || !decision->tracked)
			continue;
		fprintf(out, "%zu\t%s\t%c\t%s%s\t",
			(size_t)(decision->at - start),
			directive == IF || directive == IFDEF ? "if" :
			directive == ENDIF ? "endif" : "else", told[0],
			decision->about & OF_KERNEL ? "k" : "",
			decision->about & OF_API ? "a" : "");
		print_names(out, all->open_names, names[i], names[i + 1]);
		fprintf(out, "\t%.*s\n", told_kernels ? (int)kernels : 0, told + 1);
	}
	free(letters);
	free(names);
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

void answer(const struct question *question)
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
	print_conditionals(stdout, &all, start, question);
	if (fflush(stdout) || ferror(stdout))
		die("stdout: %s", strerror(errno));
	free_conditionals(&all);
	free(text);
}

/* VERSION:API:RHEL, where VERSION and RHEL are numbers, - or ?, API y, n or ? */
struct facts parse_kernel(const char *text)
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
