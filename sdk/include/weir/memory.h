// SPDX-License-Identifier: Apache-2.0
/*
 * The process's account of memory that telemetry holds, kept before the bytes are allocated.
 */
#ifndef WEIR_MEMORY_H
#define WEIR_MEMORY_H

#include <weir/base.h>

WEIR_BEGIN

/* Counts `bytes` as held. Never refuses: whether there is room is asked along the pipeline with weir_shard_admit.
 * Any thread, without a lock. */
WEIR_EXPORT void weir_memory_reserve(size_t bytes);

/* Gives back what was reserved; the thread need not be the same. */
WEIR_EXPORT void weir_memory_release(size_t bytes);

/* Bytes reserved and not released. Any thread; sums over threads. */
WEIR_EXPORT size_t weir_memory_reserved(void);

/* Bytes that the allocator has handed out (mallinfo2: in use, mapped ones included), at least what is reserved. Any
 * thread; costs microseconds. */
WEIR_EXPORT size_t weir_memory_allocated(void);

/* The memory this process may use: the cgroup's limit (v2 memory.max, v1 memory.limit_in_bytes) or the machine's.
 * Main thread. */
WEIR_EXPORT uint64_t weir_memory_total(void);

WEIR_END

#endif
