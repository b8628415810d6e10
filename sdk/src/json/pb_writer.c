// SPDX-License-Identifier: Apache-2.0
/*
 * Length prefixes that turn out longer or shorter than expected.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/json/pb_writer.h"

/* Up to this size a message is moved at once. */
#define MOVE_MAX 2048

static bool note_gap(struct pb_writer *writer, struct pb_gap gap)
{
    if (writer->gap_count == writer->gap_capacity) {
        size_t capacity = writer->gap_capacity ? writer->gap_capacity * 2 : 16;
        struct pb_gap *gaps = realloc(writer->gaps, capacity * sizeof(*gaps));
        if (!gaps)
            return false;
        writer->gaps = gaps;
        writer->gap_capacity = capacity;
    }
    writer->gaps[writer->gap_count++] = gap;
    return true;
}

uint8_t pb_close(struct pb_writer *writer, struct pb_mark mark)
{
    // Its own length, and the bytes that gaps inside it still need.
    size_t content = writer->out->length - mark.at - mark.room;
    size_t length = (size_t)((ptrdiff_t)content + writer->growth - mark.growth);
    uint8_t need = (uint8_t)pb_varint_length(length);
    if (writer->failed)
        return mark.room;
    if (need != mark.room && content > MOVE_MAX) {
        writer->failed = !note_gap(writer, (struct pb_gap){ mark.at, length, mark.room });
        writer->growth += (ptrdiff_t)need - mark.room;
        return need;
    }
    if (need != mark.room) {
        // No gap is inside: a message with one is longer than MOVE_MAX.
        if (need > mark.room && !pb_room(writer, (size_t)(need - mark.room)))
            return need;
        uint8_t *start = writer->out->data + mark.at;
        memmove(start + need, start + mark.room, content);
        writer->out->length = mark.at + need + content;
    }
    weir_wire_put_varint(writer->out->data + mark.at, length);
    return need;
}

static int compare_gaps(const void *a, const void *b)
{
    size_t left = ((const struct pb_gap *)a)->at, right = ((const struct pb_gap *)b)->at;
    return left < right ? -1 : left > right;
}

/* Copies everything to a buffer with room for exactly what it takes. */
static bool close_gaps(struct pb_writer *writer)
{
    struct weir_buffer *from = writer->out;
    struct weir_buffer *to = weir_buffer_new((size_t)((ptrdiff_t)from->length + writer->growth));
    if (!to)
        return false;
    qsort(writer->gaps, writer->gap_count, sizeof(*writer->gaps), compare_gaps);
    uint8_t *at = to->data;
    size_t done = 0;
    for (size_t i = 0; i < writer->gap_count; i++) {
        const struct pb_gap *gap = &writer->gaps[i];
        memcpy(at, from->data + done, gap->at - done);
        at = weir_wire_put_varint(at + (gap->at - done), gap->length);
        done = gap->at + gap->room;
    }
    memcpy(at, from->data + done, from->length - done);
    to->length = (size_t)(at - to->data) + (from->length - done);
    weir_buffer_unref(from);
    writer->out = to;
    return true;
}

bool pb_finish(struct pb_writer *writer)
{
    bool good = !writer->failed && (writer->gap_count == 0 || close_gaps(writer));
    free(writer->gaps);
    writer->gaps = NULL;
    writer->gap_count = writer->gap_capacity = 0;
    return good;
}
