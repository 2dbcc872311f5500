// SPDX-License-Identifier: GPL-2.0-only
/* The macros that a text defines, and what their names speak of. */

#include <stdlib.h>
#include "conditionals.h"
#include "names.h"

size_t hash_of(struct span name)
{
	size_t hash = 5381;

	for (size_t i = 0; i < name.len; i++)
		hash = hash * 33 + name.at[i];
	return hash ^ hash >> 16;
}

struct macro *find_macro(const struct conditionals *all, struct span name)
{
	size_t i;

	if (!all->bucket_count)
		return NULL;
	for (i = all->buckets[hash_of(name) & (all->bucket_count - 1)]; i;
	     i = all->macros[i].next)
		if (same(all->macros[i].name, name))
			return &all->macros[i];
	return NULL;
}

static void hash_macros(struct conditionals *all)
{
	all->bucket_count = all->bucket_count ? 2 * all->bucket_count : 64;
	all->buckets = resize(all->buckets, all->bucket_count,
			      sizeof(*all->buckets));
	memset(all->buckets, 0, all->bucket_count * sizeof(*all->buckets));
	for (size_t i = 1; i < all->macro_count; i++) {
		size_t *head = &all->buckets[hash_of(all->macros[i].name) &
					     (all->bucket_count - 1)];

		all->macros[i].next = *head;
		*head = i;
	}
}

struct macro *get_macro(struct conditionals *all, struct span name)
{
	struct macro *macro = find_macro(all, name);
	size_t *head;

	if (macro)
		return macro;
	if (!all->macro_count)
		all->macro_count = 1;
	if (all->macro_count >= all->macro_room) {
		all->macro_room = 2 * all->macro_room + 16;
		all->macros = resize(all->macros, all->macro_room,
				     sizeof(*all->macros));
	}
	if (all->macro_count >= all->bucket_count)
		hash_macros(all);
	macro = &all->macros[all->macro_count];
	*macro = (struct macro) { .name = name };
	head = &all->buckets[hash_of(name) & (all->bucket_count - 1)];
	macro->next = *head;
	*head = all->macro_count++;
	return macro;
}

/* Is word a part of the name? Case does not count, word has lower case. */
static bool has_word(struct span name, struct span word)
{
	for (size_t i = 0; i + word.len <= name.len; i++) {
		size_t j = 0;

		while (j < word.len && (name.at[i + j] |
				   (name.at[i + j] == '_' ? 0 : 0x20)) ==
		       word.at[j])
			j++;
		if (j == word.len)
			return true;
	}
	return false;
}

/* Is one of these words a part of it? */
static bool has_one_of(struct span name, const char *const *words,
		       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_word(name, text_span(words[i])))
			return true;
	return false;
}

/* FOO_H, FOO_H_, FOO_H__: a header has read itself. */
static bool guards_header(struct span name)
{
	while (name.len && name.at[name.len - 1] == '_')
		name.len--;
	return name.len > 2 && name.at[name.len - 1] == 'H' &&
	       name.at[name.len - 2] == '_';
}

/* The first row for names of guards that are like this, or NULL. */
static const struct name *which_guard(struct span word)
{
	for (size_t i = 0; i < names.count; i++)
		if (names.rows[i].kind == GUARD_NAME &&
		    has_word(word, names.rows[i].word))
			return &names.rows[i];
	return NULL;
}

unsigned int name_about(struct span name)
{
	static const char *const versions[] = {
		"version_code", "kernel_version",
	};
	static const char *const distributions[] = {
		"RHEL_", "SLE_", "SLES_", "SUSE_", "CONFIG_SUSE_", "UBUNTU_",
		"UTS_UBUNTU_", "CENTOS_", "OPENEULER_", "ORACLE_", "UEK_",
	};

	if (name.len < 4 || name.len > 128)
		return 0;
	if (has_one_of(name, versions, ARRAY_SIZE(versions)) ||
	    begins(name, "LINUX_VERSION_"))
		return OF_KERNEL;
	for (size_t i = 0; i < ARRAY_SIZE(distributions); i++)
		if (begins(name, distributions[i]))
			return OF_KERNEL;
	return which_guard(name) && !guards_header(name) ? OF_API : 0;
}

/* Is a name of the API, or one that a test for the API gives, defined? */
enum truth api_defined(const struct facts *facts, struct span name)
{
	static const char *const opposite[] = {
		"no_", "need", "lack", "missing", "without",
	};
	static const char *const either[] = { "old", "compat", "legacy" };
	const struct name *guard = which_guard(name);
	enum truth truth = guard->is_new ? facts->api : YES;

	if (has_one_of(name, either, ARRAY_SIZE(either)))
		return UNKNOWN;
	if (truth == YES && guard->since >= 0 && facts->version < 0)
		truth = guard->is_new ? UNKNOWN : YES;
	else if (truth == YES && facts->version < guard->since)
		truth = NO;
	if (truth == UNKNOWN ||
	    !has_one_of(name, opposite, ARRAY_SIZE(opposite)))
		return truth;
	return truth == YES ? NO : YES;
}

void free_conditionals(struct conditionals *all)
{
	free(all->decisions);
	free(all->macros);
	free(all->buckets);
	free(all->choices);
	free(all->changes);
	free(all->changed);
	free(all->open_names);
	pool_free(&all->pool);
}
