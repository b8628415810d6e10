// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: a body that is read as logfmt, written, and read again says the same (but for single quotes, which go-logfmt
 * writes where it does not read them). */
#include <config.h>

#include <stdlib.h>

#include "plugins/exporters/loki/line.h"
#include "plugins/exporters/loki/logfmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_str write_line(struct weir_str body, struct weir_buffer *out, struct weir_arena *arena)
{
    struct weir_log_record log = { .body = weir_value_string(body) };
    struct loki_record record = { .log = &log };
    struct loki_line line = { .out = out };
    out->length = 0;
    loki_line_logfmt(&line, &record, arena);
    return line.problem ? WEIR_STR_NONE : weir_str_make((const char *)out->data, out->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena arena = { 0 };
    struct weir_str body = weir_str_make((const char *)data, size);
    struct weir_buffer *first = weir_buffer_new(64), *second = weir_buffer_new(64);
    // Bodies are UTF-8 by then.
    if (!first || !second || !weir_utf8_valid(body.data, body.length))
        goto done;
    struct weir_str line = write_line(body, first, &arena);
    if (line.length && !memchr(line.data, '\'', line.length)
        && !weir_str_equal(write_line(line, second, &arena), line))
        abort();
done:
    weir_buffer_unref(first);
    weir_buffer_unref(second);
    weir_arena_free(&arena);
    return 0;
}
