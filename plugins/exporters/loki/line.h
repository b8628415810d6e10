// SPDX-License-Identifier: Apache-2.0
/*
 * The line of an entry: how a record is written (contrib-receivers-exporters 6.1 and 6.2).
 */
#ifndef LOKI_LINE_H
#define LOKI_LINE_H

#include <weir/arena.h>
#include <weir/buffer.h>
#include <weir/telemetry.h>

/* The longest line: the keys of nested values can make a line much longer than its record. */
#define LOKI_LINE_MAX ((size_t)16 << 20)

/* Attributes that go into a line; none of them twice. */
struct loki_attributes {
    const struct weir_attribute **items;
    size_t count;
};

/* A record as its line shows it. */
struct loki_record {
    const struct weir_log_record *log;
    const struct weir_scope *scope;
    struct loki_attributes attributes;
    struct loki_attributes resource;
};

/* Where a line is written. Zero-initialise, set `out`. */
struct loki_line {
    struct weir_buffer *out;
    size_t start;        /* of the line in `out` */
    const char *problem; /* why the record cannot be written; nothing is written from then on */
};

/* Makes room for so many more bytes; false, with the problem noted, when there is none to be had. */
bool loki_line_grow(struct loki_line *line, size_t more);

static inline bool loki_line_room(struct loki_line *line, size_t more)
{
    const struct weir_buffer *out = line->out;
    return (!line->problem && more <= out->capacity - out->length && more <= LOKI_LINE_MAX - (out->length - line->start))
           || loki_line_grow(line, more);
}

static inline void loki_line_add(struct loki_line *line, struct weir_str text)
{
    if (text.length == 0 || !loki_line_room(line, text.length))
        return;
    memcpy(line->out->data + line->out->length, text.data, text.length);
    line->out->length += text.length;
}

static inline void loki_line_addc(struct loki_line *line, char c)
{
    if (loki_line_room(line, 1))
        line->out->data[line->out->length++] = (uint8_t)c;
}

/* The text as a string of JSON with its quotes; `html` as Go's encoder has it: <, > and & escaped, too. */
void loki_line_add_quoted(struct loki_line *line, struct weir_str text, bool html);
/* False for an id of zeros, too. */
bool loki_id_is_set(weir_id_bytes id);
/* The bytes of an id in lower-case hexadecimal digits. */
void loki_line_add_hex(struct loki_line *line, weir_id_bytes id);
/* The value as text (weir_value_print). */
void loki_line_add_value(struct loki_line *line, const struct weir_value *value);
void loki_line_add_number(struct loki_line *line, int64_t number);

/* How the last line in JSON has told of its resource and scope: mostly the next record has the same. Zero-initialise,
 * loki_told_free at the end; what those records point to must stay until then. */
struct loki_told {
    struct weir_buffer *text;      /* without a comma before it; NULL: nothing */
    struct weir_buffer *resource;  /* the pointers to its attributes */
    const struct weir_scope *scope;
};
void loki_told_free(struct loki_told *told);

/* The formats. `arena` is for what the writing needs. */
void loki_line_json(struct loki_line *line, const struct loki_record *record, struct loki_told *told,
                    struct weir_arena *arena);
void loki_line_logfmt(struct loki_line *line, const struct loki_record *record, struct weir_arena *arena);
void loki_line_raw(struct loki_line *line, const struct loki_record *record);

#endif
