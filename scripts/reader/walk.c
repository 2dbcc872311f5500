// SPDX-License-Identifier: GPL-2.0-only
/* Go through files and folders, on all processors. */

#define _DEFAULT_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "parse.h"
#include "print.h"
#include "search.h"
#include "walk.h"

/* The suffixes of the files that can have a site. */
static const char *const suffixes[] = { ".c", ".h", ".S", ".inc" };

static bool is_searched(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t suffix = strlen(suffixes[i]);

		if (len >= suffix && !strcmp(name + len - suffix, suffixes[i]))
			return true;
	}
	return false;
}

static struct finding *add_finding(struct worker *worker, const char *folder,
				   const char *name)
{
	struct finding *finding;
	size_t len = strlen(folder) + strlen(name) + 2;

	ROOM(worker->findings, worker->count, worker->findings_room);
	finding = &worker->findings[worker->count++];
	*finding = (struct finding) { .path = pool_get(&worker->pool, len) };
	snprintf(finding->path, len, "%s%s%s", folder,
		 *folder && *name ? "/" : "", name);
	return finding;
}

static void add_unread(struct worker *worker, const char *folder,
		       const char *name, int error)
{
	struct finding *finding = add_finding(worker, folder, name);
	char *why = pool_get(&worker->pool, 256);

	if (strerror_r(error, why, 256))
		snprintf(why, 256, "error %d", error);
	finding->holds_name = true;
	finding->rows = resize(NULL, 1, sizeof(*finding->rows));
	finding->count = 1;
	finding->rows[0] = (struct row) {
		.line = 1, .column = 1, .name = NULL,
		.place = { UNREAD, why },
	};
}

/* Make the buffer hold what is in it and the rest of the file. */
static int grow_buffer(struct worker *worker, int fd, size_t len)
{
	struct stat status;
	size_t wanted;

	if (fstat(fd, &status))
		return errno;
	if (status.st_size > MAX_FILE_BYTES || len > MAX_FILE_BYTES)
		return EFBIG;
	worker->room *= 2;
	/* One byte more, for the read that finds the end. */
	wanted = (size_t)status.st_size + 2 * MARGIN + 1;
	if (worker->room < wanted)
		worker->room = wanted;
	worker->buffer = resize(worker->buffer, worker->room, 1);
	return 0;
}

/* Read the whole file behind the margin of the buffer; return 0 or an errno. */
static int fill_buffer(struct worker *worker, int fd, size_t *len)
{
	const size_t usual = 1 << 20;
	int error;

	/* One huge file should not cost its size until the end. */
	if (!worker->room || worker->room > 16 * usual) {
		worker->room = usual;
		free(worker->buffer);
		worker->buffer = resize(NULL, worker->room, 1);
		memset(worker->buffer, '\n', MARGIN);
	}
	for (*len = 0;;) {
		size_t free_bytes = worker->room - 2 * MARGIN - *len;
		ssize_t got;

		if (!free_bytes) {
			error = grow_buffer(worker, fd, *len);
			if (error)
				return error;
			continue;
		}
		got = read(fd, worker->buffer + MARGIN + *len, free_bytes);
		if (got < 0 && errno != EINTR)
			return errno;
		if (!got)
			break;
		if (got > 0)
			*len += got;
	}
	memset(worker->buffer + MARGIN + *len, 0, MARGIN);
	return 0;
}

/* Search the file base in dir, and lex it; folder and name are for the rows. */
static void examine(struct worker *worker, int dir, const char *base,
		    const char *folder, const char *name)
{
	/* Should the file have become a pipe, do not wait for its writer. */
	int fd = openat(dir, base,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct finding *finding;
	enum verdict verdict;
	size_t len;
	int error;

	if (fd < 0) {
		add_unread(worker, folder, name, errno);
		return;
	}
	error = fill_buffer(worker, fd, &len);
	close(fd);
	if (error) {
		add_unread(worker, folder, name, error);
		return;
	}
	verdict = search(worker->buffer + MARGIN, len);
	if (verdict == NO_SITE)
		return;
	finding = add_finding(worker, folder, name);
	finding->holds_name = verdict == HOLDS_NAME;
	read_bytes(finding, &worker->members, &worker->pool,
		   worker->buffer + MARGIN, len);
	if (!finding->count) {
		free(finding->rows);
		worker->count--;
	}
}

/* The tree itself has no parent and no name. */
static struct folder *new_folder(struct folder *parent, const char *name)
{
	size_t above = parent ? strlen(parent->path) : 0, len = strlen(name);
	struct folder *folder;

	folder = resize(NULL, 1, sizeof(*folder) + above + len + 2);
	folder->parent = parent;
	folder->dir = NULL;
	folder->name = above ? above + 1 : 0;
	atomic_init(&folder->users, 1);
	if (parent)
		atomic_fetch_add(&parent->users, 1);
	if (above)
		memcpy(folder->path, parent->path, above);
	folder->path[above] = '/';
	memcpy(folder->path + folder->name, name, len + 1);
	return folder;
}

static void put_folder(struct folder *folder)
{
	if (atomic_fetch_sub(&folder->users, 1) != 1)
		return;
	if (folder->dir)
		closedir(folder->dir);
	free(folder);
}

static void queue_folder(struct census *census, struct folder *folder)
{
	pthread_mutex_lock(&census->lock);
	folder->next = census->waiting;
	census->waiting = folder;
	pthread_cond_signal(&census->change);
	pthread_mutex_unlock(&census->lock);
}

/* The next folder to read; NULL when there will be none. */
static struct folder *next_folder(struct census *census, bool was_busy)
{
	struct folder *folder;

	pthread_mutex_lock(&census->lock);
	census->busy -= was_busy;
	while (!census->waiting && census->busy)
		pthread_cond_wait(&census->change, &census->lock);
	folder = census->waiting;
	if (folder) {
		census->waiting = folder->next;
		census->busy++;
	} else {
		pthread_cond_broadcast(&census->change);
	}
	pthread_mutex_unlock(&census->lock);
	return folder;
}

/* What an entry of a folder is; links are not followed. */
enum entry { A_FILE, A_FOLDER, SOMETHING_ELSE };

static enum entry stat_entry(int dir, const char *name, int *error)
{
	struct stat status;

	*error = 0;
	if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW))
		*error = errno;
	else if (S_ISREG(status.st_mode))
		return A_FILE;
	else if (S_ISDIR(status.st_mode))
		return A_FOLDER;
	return SOMETHING_ELSE;
}

static enum entry which_entry(int dir, const struct dirent *entry, int *error)
{
	*error = 0;
#ifdef DT_REG
	if (entry->d_type == DT_REG)
		return A_FILE;
	if (entry->d_type == DT_DIR)
		return A_FOLDER;
	if (entry->d_type != DT_UNKNOWN)
		return SOMETHING_ELSE;
#endif
	return stat_entry(dir, entry->d_name, error);
}

static void read_entry(struct worker *worker, struct folder *folder,
		       const struct dirent *entry)
{
	const char *name = entry->d_name;
	int error;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return;
	switch (which_entry(dirfd(folder->dir), entry, &error)) {
	case A_FILE:
		if (is_searched(name))
			examine(worker, dirfd(folder->dir), name,
				folder->path, name);
		break;
	case A_FOLDER:
		if (strcmp(name, ".git"))
			queue_folder(worker->census, new_folder(folder, name));
		break;
	case SOMETHING_ELSE:
		if (error)
			add_unread(worker, folder->path, name, error);
	}
}

/* Open a folder relative to its parent, which is not needed after that. */
static int open_folder(struct folder *folder)
{
	int fd, error = 0;

	if (folder->dir)
		return 0;
	fd = openat(dirfd(folder->parent->dir), folder->path + folder->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		folder->dir = fdopendir(fd);
	if (!folder->dir) {
		error = errno;
		if (fd >= 0)
			close(fd);
	}
	put_folder(folder->parent);
	return error;
}

static void walk(struct worker *worker)
{
	struct folder *folder = next_folder(worker->census, false);

	for (; folder; folder = next_folder(worker->census, true)) {
		int error = open_folder(folder);
		struct dirent *entry;

		while (!error) {
			errno = 0;
			entry = readdir(folder->dir);
			if (entry)
				read_entry(worker, folder, entry);
			else if (errno)
				error = errno;
			else
				break;
		}
		if (error)
			add_unread(worker, *folder->path ? folder->path : ".",
				   "", error);
		put_folder(folder);
	}
}

/*
 * Open the folder that a name of the list is in, going through no link and not
 * up. *base is what is left of the name.
 */
static int open_way(int tree, char *name, char **base)
{
	int fd = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *slash;

	*base = name;
	while (fd >= 0 && (slash = strchr(*base, '/'))) {
		int up = fd, error = EINVAL;

		fd = -1;
		*slash = '\0';
		if (**base && strcmp(*base, "..")) {
			fd = openat(up, *base, O_RDONLY | O_DIRECTORY |
				    O_NOFOLLOW | O_CLOEXEC);
			error = errno;
		}
		*slash = '/';
		*base = slash + 1;
		close(up);
		errno = error;
	}
	return fd;
}

static void examine_listed(struct worker *worker, char *name)
{
	char *base;
	int error, fd;

	if (!worker->census->any && !is_searched(name))
		return;
	fd = open_way(worker->census->tree, name, &base);
	if (fd < 0) {
		add_unread(worker, "", name, errno);
		return;
	}
	if (stat_entry(fd, base, &error) == A_FILE)
		examine(worker, fd, base, "", name);
	else if (error)
		add_unread(worker, "", name, error);
	close(fd);
}

static char *next_listed(struct census *census)
{
	char *name = NULL;

	pthread_mutex_lock(&census->lock);
	if (census->listed < census->list_len) {
		name = census->list + census->listed;
		census->listed += strlen(name) + 1;
	}
	pthread_mutex_unlock(&census->lock);
	return name;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	char *name;

	if (worker->census->list)
		while ((name = next_listed(worker->census)))
			examine_listed(worker, name);
	else
		walk(worker);
	free(worker->buffer);
	worker->buffer = NULL;
	return NULL;
}

static void read_list(struct census *census)
{
	size_t room = 0;
	ssize_t got;

	do {
		if (census->list_len + 2 > room) {
			room = 2 * room + (1 << 16);
			census->list = resize(census->list, room, 1);
		}
		got = read(STDIN_FILENO, census->list + census->list_len,
			   room - census->list_len - 1);
		if (got > 0)
			census->list_len += got;
		else if (got < 0 && errno != EINTR)
			die("stdin: %s", strerror(errno));
	} while (got);
	census->list[census->list_len] = '\0';
}

/* Read the tree, or what the list names, and print it. */
void run(struct census *census, const char *tree, size_t threads)
{
	static struct worker *workers;
	struct folder *top;
	size_t started = 1;
	int error;

	if (census->listed_only)
		read_list(census);
	census->tree = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (census->tree < 0)
		die("%s: %s", tree, strerror(errno));
	top = new_folder(NULL, "");
	top->dir = fdopendir(census->tree);
	if (!top->dir)
		die("%s: %s", tree, strerror(errno));
	queue_folder(census, top);

	workers = resize(NULL, threads, sizeof(*workers));
	memset(workers, 0, threads * sizeof(*workers));
	for (size_t i = 0; i < threads; i++)
		workers[i].census = census;
	for (; started < threads; started++)
		if (pthread_create(&workers[started].thread, NULL, work,
				   &workers[started]))
			break;
	work(&workers[0]);
	for (size_t i = 1; i < started; i++) {
		error = pthread_join(workers[i].thread, NULL);
		if (error)
			die("thread: %s", strerror(error));
	}
	print_census(workers, started);
}
