/* SPDX-License-Identifier: GPL-2.0-only */
/* Files and folders, on all processors. */
#ifndef READER_WALK_H
#define READER_WALK_H

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include "sites.h"

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
	bool listed_only;		/* --files: the names are on stdin */
	char *list;			/* ... each with its NUL */
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

void run(struct census *census, const char *tree, size_t threads);

#endif
