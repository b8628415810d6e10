// SPDX-License-Identifier: Apache-2.0
/*
 * Ground rules of the SDK: export markers, checked arithmetic, and memory for small control structures.
 */
#ifndef WEIR_BASE_H
#define WEIR_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define WEIR_BEGIN extern "C" {
#define WEIR_END }
/* Before { ... }: a value of that structure. */
#define WEIR_LITERAL(type) type
#else
#define WEIR_BEGIN
#define WEIR_END
#define WEIR_LITERAL(type) (struct type)
#endif

/* Marks what a shared object shows to the outside; everything else is built hidden. */
#define WEIR_EXPORT __attribute__((visibility("default")))
#define WEIR_PRINTF(at, first) __attribute__((__format__(__printf__, at, first)))
#define WEIR_MUST_USE __attribute__((warn_unused_result))
#define WEIR_MALLOC __attribute__((malloc, warn_unused_result))

#define WEIR_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
/* The structure that holds `member`, from a pointer to the member. */
#define WEIR_CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

WEIR_BEGIN

/* The four signals of OTLP; also the index into arrays that have a place for each. */
enum weir_signal {
    WEIR_TRACES,
    WEIR_METRICS,
    WEIR_LOGS,
    WEIR_PROFILES,
};
#define WEIR_SIGNALS 4

/* The lower-case name used in configs and labels: "traces", "metrics", "logs", "profiles". Any thread. */
WEIR_EXPORT const char *weir_signal_name(enum weir_signal signal);

/* What one item of the signal is called in metric names: "spans", "metric_points", "log_records",
 * "profile_samples" (collector-core: receiver_accepted_<items>). Any thread. */
WEIR_EXPORT const char *weir_signal_items(enum weir_signal signal);

/* Sets *out to a + b; false, with *out untouched, if that does not fit. Any thread. */
static inline bool weir_size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

/* Sets *out to a * b; false, with *out untouched, if that does not fit. Any thread. */
static inline bool weir_size_mul(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/*
 * Memory for control structures whose size no input decides: never return NULL, end the process with a
 * message on stderr when the system has none left. The caller frees with free(). Any thread.
 */
WEIR_EXPORT void *weir_xmalloc(size_t size) WEIR_MALLOC;
WEIR_EXPORT void *weir_xcalloc(size_t count, size_t size) WEIR_MALLOC;
WEIR_EXPORT void *weir_xrealloc(void *pointer, size_t size) WEIR_MUST_USE;
WEIR_EXPORT char *weir_xstrdup(const char *text) WEIR_MALLOC;
WEIR_EXPORT char *weir_xstrndup(const char *text, size_t length) WEIR_MALLOC;
WEIR_EXPORT char *weir_xasprintf(const char *format, ...) WEIR_PRINTF(1, 2) WEIR_MUST_USE;

WEIR_END

#endif
