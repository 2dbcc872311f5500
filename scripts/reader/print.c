// SPDX-License-Identifier: GPL-2.0-only
/* Print the rows of all files. */

#define _DEFAULT_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "print.h"

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
	if (!row->name)
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

void print_bytes(FILE *out, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (; len--; p++) {
		switch (*p) {
		case '\t':
			fputs("\\t", out);
			break;
		case '\n':
			fputs("\\n", out);
			break;
		case '\r':
			fputs("\\r", out);
			break;
		case '\\':
			fputs("\\\\", out);
			break;
		default:
			putc(*p, out);
		}
	}
}

static bool is_field(const struct name *name)
{
	return name->kind == FIELD_NAME;
}

static void print_row(const struct finding *finding, const struct row *row)
{
	static const char *const places[] = {
		[CODE] = "code", [MACRO] = "macro", [DIRECTIVE] = "directive",
		[IF0] = "if0", [UNLEXED] = "unlexed: ", [UNREAD] = "unread: ",
	};

	print_bytes(stdout, finding->path, strlen(finding->path));
	printf("\t%zu\t%zu\t", row->line, row->column);
	print_bytes(stdout, row->function.at, row->function.len);
	putchar('\t');
	if (!row->name) {
		putchar('?');
	} else {
		struct span token = row->tagged || is_field(row->name) ?
				    row->name->spelling : row->name->word;

		fwrite(token.at, 1, token.len, stdout);
	}
	printf("\t%s%s\n", places[row->place.kind],
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
		if (!finding->rows[i].name ||
		    is_site(&finding->rows[i], members))
			print_row(finding, &finding->rows[i]);
}

/* Put together what the threads have found, in the order of the files. */
void print_census(struct worker *workers, size_t count)
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
