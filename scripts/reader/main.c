// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader: read the C of a tree, for all that Python decides about it.
 *
 *	reader [-j THREADS] TREE		print every site of TREE
 *	reader [-j THREADS] --files TREE	... of the files that stdin names
 *	reader [-j THREADS] --any TREE		the same, whatever they end in
 *	reader --conditionals [--kernel ..]	print the #if of the text on stdin
 *	reader --texts				print what texts are made of;
 *						serve.c has the format
 *
 * The names come from the table of a campaign, --names FILE, in which --new is
 * the word for the side that comes. Without a table there are no sites.
 *
 * A site is one occurrence, outside comments, strings and character constants,
 * of a name that the table counts. It is found by lexing the bytes of the
 * file, in every branch of every #if, so that what a parser of C skips is
 * counted all the same. A file passes through three stages:
 *
 *	search	a byte search that may say yes too often but never no to a
 *		file with a site;
 *	lex	translation phases 2 and 3 of C: splices, comments, tokens;
 *	parse	just enough of C to name the enclosing function and to know
 *		whether the "it" of "it->sg" has a type that is counted.
 *
 * A field of the table counts behind any . or ->, or, if it is "declared" there,
 * where its object has a counted type: the object is the last name before it (a
 * base of the table, [..] and parentheses are looked through), and its
 * declaration is in the function or the file, or it is a member that any file
 * of the tree declares with such a type.
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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "print.h"
#include "text.h"
#include "walk.h"

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
	const char *table = NULL, *new_side = NULL;
	bool conditionals = false, texts = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (!strcmp(argv[i], "--files"))
			census.listed_only = true;
		else if (!strcmp(argv[i], "--names") && i + 1 < argc)
			table = argv[++i];
		else if (!strcmp(argv[i], "--new") && i + 1 < argc)
			new_side = argv[++i];
		else if (!strcmp(argv[i], "--texts"))
			texts = true;
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
			census.listed_only = census.any = true;
		else if (!strncmp(argv[i], "-j", 2) && argv[i][2])
			threads = parse_threads(argv[i] + 2);
		else if (!strcmp(argv[i], "-j") && i + 1 < argc)
			threads = parse_threads(argv[++i]);
		else
			die("%s: unknown; usage: reader [-j THREADS] [--files|--any] TREE",
			    argv[i]);
	}
	if (table)
		load_names(table, new_side);
	if (conditionals || texts) {
		if (i != argc)
			die("--conditionals and --texts read stdin");
		if (texts)
			serve();
		else
			answer(&question);
		return 0;
	}
	if (i + 1 != argc)
		die("one tree is needed; usage: reader [-j THREADS] [--files|--any] TREE");
	run(&census, argv[i], threads);
	return 0;
}
