/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows for Python. */
#ifndef READER_PRINT_H
#define READER_PRINT_H

#include <stdio.h>
#include "conditionals.h"
#include "walk.h"

/* What --conditionals is asked for. */
struct question {
	struct facts kernels[MAX_KERNELS];
	size_t count;
	struct span undefined[MAX_KERNELS];
	size_t undefined_count;
};

void print_bytes(FILE *out, const void *bytes, size_t len);
void print_census(struct worker *workers, size_t count);

/* One line for each directive that is tracked; the facts are the question's. */
void print_conditionals(FILE *out, struct conditionals *all,
			const unsigned char *start,
			const struct question *question);
void answer(const struct question *question);
struct facts parse_kernel(const char *text);

#endif
