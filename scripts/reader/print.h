/* SPDX-License-Identifier: GPL-2.0-only */
/* Rows for Python. */
#ifndef READER_PRINT_H
#define READER_PRINT_H

#include "conditionals.h"
#include "walk.h"

/* What --conditionals is asked for. */
struct question {
	struct facts kernels[MAX_KERNELS];
	size_t count;
	struct span undefined[MAX_KERNELS];
	size_t undefined_count;
};

void print_bytes(const void *bytes, size_t len);
void print_census(struct worker *workers, size_t count);

void answer(const struct question *question);
struct facts parse_kernel(const char *text);

#endif
