// SPDX-License-Identifier: Apache-2.0
/*
 * The push API's JSON (Loki's documentation, "Ingest logs"):
 *
 *     {"streams": [{"stream": {"label": "value"}, "values": [["<nanoseconds>", "line"]]}]}
 */
#include <config.h>

#include "plugins/exporters/loki/push.h"

#include <inttypes.h>
#include <stdio.h>

#include <weir/json.h>

/* Reads one character of a quoted label from `*at`, as loki_labels_finish has written it. */
static char unescape(const char **at)
{
    static const char values[] = { ['a'] = '\a', ['b'] = '\b', ['t'] = '\t', ['n'] = '\n',
                                   ['v'] = '\v', ['f'] = '\f', ['r'] = '\r' };
    const char *in = *at;
    if (in[0] != '\\') {
        *at = in + 1;
        return in[0];
    }
    if (in[1] == 'x') {
        *at = in + 4;
        return (char)((in[2] - '0') << 4 | (in[3] <= '9' ? in[3] - '0' : in[3] - 'a' + 10));
    }
    *at = in + 2;
    unsigned char name = (unsigned char)in[1];
    return name < sizeof(values) && values[name] ? values[name] : in[1];
}

/* The stream's name, `{a="b", c="d"}`, as an object. */
static void write_labels(struct loki_push *push, struct weir_str labels, struct weir_json_writer *writer)
{
    const char *at = labels.data + 1, *end = labels.data + labels.length - 1;
    char *value = weir_arena_alloc(&push->arena, labels.length);
    writer->failed = writer->failed || !value;
    weir_json_open_object(writer);
    while (!writer->failed && at < end) {
        const char *name = at;
        size_t length = 0;
        while (*at != '=')
            at++;
        weir_json_key(writer, weir_str_make(name, (size_t)(at - name)));
        for (at += 2; *at != '"';)
            value[length++] = unescape(&at);
        weir_json_put_string(writer, weir_str_make(value, length));
        at += at + 1 < end ? sizeof("\", ") - 1 : 1;
    }
    weir_json_close_object(writer);
}

static void write_entries(struct loki_push *push, const struct loki_stream *stream, struct weir_json_writer *writer)
{
    const struct loki_entry **order = loki_push_order(push, stream);
    writer->failed = writer->failed || !order;
    weir_json_open_array(writer);
    for (size_t i = 0; !writer->failed && i < stream->count; i++) {
        char time[24];
        int length = snprintf(time, sizeof(time), "%" PRIu64, order[i]->time);
        weir_json_open_array(writer);
        weir_json_put_string(writer, weir_str_make(time, (size_t)length));
        weir_json_put_string(writer, order[i]->line);
        weir_json_close_array(writer);
    }
    weir_json_close_array(writer);
}

struct weir_buffer *loki_push_pack_json(struct loki_push *push, const struct loki_tenant *tenant)
{
    struct weir_json_writer writer = { .out = weir_buffer_new(4096) };
    if (!writer.out)
        return NULL;
    weir_json_open_object(&writer);
    weir_json_key(&writer, WEIR_STR("streams"));
    weir_json_open_array(&writer);
    for (const struct loki_stream *stream = tenant->first; stream; stream = stream->next) {
        weir_json_open_object(&writer);
        weir_json_key(&writer, WEIR_STR("stream"));
        write_labels(push, stream->labels, &writer);
        weir_json_key(&writer, WEIR_STR("values"));
        write_entries(push, stream, &writer);
        weir_json_close_object(&writer);
    }
    weir_json_close_array(&writer);
    weir_json_close_object(&writer);
    if (!writer.failed)
        return writer.out;
    weir_buffer_unref(writer.out);
    return NULL;
}
