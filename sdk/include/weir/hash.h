// SPDX-License-Identifier: Apache-2.0
/*
 * The hash of tables and of shares: what peers send decides the keys, so nobody outside may know which of them collide.
 */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include <weir/str.h>

WEIR_BEGIN

/* 64 bits of the bytes, all of them good, following on `before`: 0, or the hash of what stands before them. Another value
 * in each process: for what lives no longer than it does. Any thread. */
WEIR_EXPORT uint64_t weir_hash(uint64_t before, struct weir_str bytes) WEIR_MUST_USE;

WEIR_END

#endif
