// SPDX-License-Identifier: Apache-2.0
/*
 * A list of header fields with its own memory: of a request or answer, in the order the fields came.
 */
#ifndef WEIR_HTTP_HEADERS_H
#define WEIR_HTTP_HEADERS_H

#include <weir/arena.h>
#include <weir/http.h>

/* Zero-initialise to start; headers_free to end. One thread at a time. */
struct headers {
    struct weir_http_header *items;
    size_t count;
    size_t capacity;
    size_t bytes; /* names, values and 32 for each field (RFC 9113, 6.5.2) */
    struct weir_arena arena;
};

/* What one more field would make of `bytes`. */
#define HEADER_OVERHEAD 32

/* Appends a field with copies of both; the name is put in lower case. false, with the list unchanged, when
 * memory is out. */
bool headers_add(struct headers *headers, struct weir_str name, struct weir_str value) WEIR_MUST_USE;

/* The same without copies, for a list that ends before its texts do. */
bool headers_lend(struct headers *headers, struct weir_str name, struct weir_str value) WEIR_MUST_USE;
/* Memory that is enough for the headers of most requests. */
struct headers_room {
    struct weir_http_header items[16];
    _Alignas(16) char texts[1024];
};
/* Has the list, which is zero-initialised, begin in `room`, which lives longer and need not be initialised. */
void headers_use(struct headers *headers, struct headers_room *room);
/* The first value under `name` (lower case); data is NULL when there is none. */
struct weir_str headers_get(const struct headers *headers, const char *name);

/* Whether a field can have this name (RFC 9110, 5.6.2) or value (5.5). */
bool header_name_valid(struct weir_str name);
bool header_value_valid(struct weir_str value);

/* Empties the list and frees its memory. */
void headers_free(struct headers *headers);

#endif
