// SPDX-License-Identifier: Apache-2.0
/*
 * What one worker remembers of passwords that it has checked, so that a slow hash is worked out once and not for every
 * request, and so that wrong passwords cannot take all its time.
 */
#ifndef WEIR_BASICAUTH_VERIFIED_H
#define WEIR_BASICAUTH_VERIFIED_H

#include <weir/str.h>

struct verified;

enum verified_answer { VERIFIED_WRONG, VERIFIED_RIGHT, VERIFIED_LATER };

struct verified *verified_new(void);
/* Accepts NULL. */
void verified_free(struct verified *verified);

/* Whether `hash` is of this password of this user. VERIFIED_LATER: wrong passwords have taken their share of the
 * worker's time. `now` is in nanoseconds on any steady clock. */
enum verified_answer verified_check(struct verified *verified, struct weir_str user, const char *hash,
                                    const char *password, int64_t now);

#endif
