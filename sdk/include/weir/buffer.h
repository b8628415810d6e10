// SPDX-License-Identifier: Apache-2.0
/*
 * Reference-counted bytes: a request body, an inflated body, an encoded message.
 */
#ifndef WEIR_BUFFER_H
#define WEIR_BUFFER_H

#include <sys/uio.h>

#include <weir/base.h>

WEIR_BEGIN

/*
 * One writer fills it while it has a single reference; from then on the bytes up to `length` do not change, and any
 * thread may read them and take or drop references.
 */
struct weir_buffer {
    uint8_t *data;
    size_t length;
    size_t capacity;
    uint32_t references; /* atomic; through weir_buffer_ref and weir_buffer_unref only */
};

/* An empty buffer with one reference and room for `capacity` bytes; NULL when memory is out. Any thread. */
WEIR_EXPORT struct weir_buffer *weir_buffer_new(size_t capacity) WEIR_MUST_USE;

/* A buffer that holds a copy of the bytes; NULL when memory is out. Any thread. */
WEIR_EXPORT struct weir_buffer *weir_buffer_copy(const void *data, size_t length) WEIR_MUST_USE;

/* Takes one more reference and returns the buffer. Any thread. */
WEIR_EXPORT struct weir_buffer *weir_buffer_ref(struct weir_buffer *buffer);

/* Drops a reference, frees with the last; accepts NULL. Any thread. */
WEIR_EXPORT void weir_buffer_unref(struct weir_buffer *buffer);

/* Makes room for `more` bytes behind `length` (at least doubling, so appends are linear overall); false, with the
 * buffer unchanged, when memory is out or the size overflows. Writer only. */
WEIR_EXPORT bool weir_buffer_reserve(struct weir_buffer *buffer, size_t more) WEIR_MUST_USE;

/* Appends a copy of the bytes; false, with the buffer unchanged, when memory is out. Writer only. */
WEIR_EXPORT bool weir_buffer_append(struct weir_buffer *buffer, const void *data, size_t length) WEIR_MUST_USE;

/* A list of byte ranges for writev: `buffers[i]`, where not NULL, is a reference that keeps range i alive.
 * Zero-initialise to start; weir_slices_free to end. One thread at a time. */
struct weir_slices {
    struct iovec *ranges;
    struct weir_buffer **buffers;
    size_t count;
    size_t capacity;
    size_t bytes; /* sum of all lengths */
};

/* Appends a range (which may be empty: then nothing is added) and takes a reference of its own on `buffer` (may be
 * NULL: then the bytes must outlive the list). false when memory is out. */
WEIR_EXPORT bool weir_slices_add(struct weir_slices *slices, struct weir_buffer *buffer, const void *data,
                                 size_t length) WEIR_MUST_USE;

/* Copies every range, in order, to `out`, which has room for slices->bytes. */
WEIR_EXPORT void weir_slices_copy(const struct weir_slices *slices, void *out);

/* One buffer with all bytes; NULL when memory is out. */
WEIR_EXPORT struct weir_buffer *weir_slices_join(const struct weir_slices *slices) WEIR_MUST_USE;

/* Empties the list, dropping its references, and keeps its memory. */
WEIR_EXPORT void weir_slices_clear(struct weir_slices *slices);
WEIR_EXPORT void weir_slices_free(struct weir_slices *slices);

WEIR_END

#endif
