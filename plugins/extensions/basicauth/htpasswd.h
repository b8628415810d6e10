// SPDX-License-Identifier: Apache-2.0
/* Lists of users and hashes of their passwords, in the format of Apache's htpasswd. */
#ifndef WEIR_BASICAUTH_HTPASSWD_H
#define WEIR_BASICAUTH_HTPASSWD_H

#include <weir/error.h>
#include <weir/str.h>

struct htpasswd;

/* Parses lines of user:hash; blank lines and those that begin with # do not count, and of two lines for a user the last
 * one does. NULL with `error` set, which names a line and holds nothing of it, when one is no entry or its hash is of no
 * known kind or not whole. Any thread. */
struct htpasswd *htpasswd_parse(struct weir_str text, struct weir_error *error);
/* Accepts NULL. */
void htpasswd_free(struct htpasswd *list);

size_t htpasswd_count(const struct htpasswd *list);
/* The user's hash as in the list; NULL: not in it. */
const char *htpasswd_find(const struct htpasswd *list, struct weir_str user);

/* True for a hash that is meant to take long. */
bool htpasswd_is_slow(const char *hash);
/* Whether the hash is of this password. Takes as long as the hash is meant to. Any thread. */
bool htpasswd_matches(const char *hash, const char *password);

/* Writes Apache's variant of MD5-crypt ("$apr1$salt$" and 22 characters), NUL and all. false: no MD5 here. */
#define APR1_ROOM 40
bool apr1_crypt(const char *password, struct weir_str salt, char out[APR1_ROOM]);

#endif
