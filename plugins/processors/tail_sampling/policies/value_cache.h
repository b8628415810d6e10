// SPDX-License-Identifier: Apache-2.0
/* The last values that were matched with expressions, and what came of it, for one worker. */
#ifndef TAIL_SAMPLING_VALUE_CACHE_H
#define TAIL_SAMPLING_VALUE_CACHE_H

#include <weir/str.h>

struct value_cache;

/* Room for `size` values, the least recently used of which goes first. Never NULL. */
struct value_cache *value_cache_new(size_t size);
void value_cache_free(struct value_cache *cache);
/* False if the value is not known. */
bool value_cache_get(struct value_cache *cache, struct weir_str value, bool *matched);
/* A value that is not known yet; long ones are not kept. */
void value_cache_put(struct value_cache *cache, struct weir_str value, bool matched);

#endif
