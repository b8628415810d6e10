// SPDX-License-Identifier: Apache-2.0
/* gzip (RFC 1952) and zlib (RFC 1950) with ISA-L. */
#include <config.h>

#include <isa-l/igzip_lib.h>

#include "sdk/src/compress/codec.h"

#define GZIP_TRAILER 8

size_t gzip_size_hint(struct weir_str in)
{
    const uint8_t *end = (const uint8_t *)in.data + in.length;
    if (in.length < GZIP_TRAILER)
        return 0;
    return (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 | (size_t)end[-1] << 24;
}

static const char *problem_of(int result)
{
    switch (result) {
    case ISAL_INVALID_BLOCK:
        return "invalid deflate block";
    case ISAL_INVALID_SYMBOL:
        return "invalid deflate symbol";
    case ISAL_INVALID_LOOKBACK:
        return "invalid deflate distance";
    case ISAL_INVALID_WRAPPER:
        return "invalid header";
    case ISAL_UNSUPPORTED_METHOD:
        return "unsupported compression method";
    case ISAL_INCORRECT_CHECKSUM:
        return "incorrect checksum";
    default:
        return "damaged data";
    }
}

static enum weir_inflate_status bad(struct weir_error *error, const char *format, const char *problem)
{
    weir_error_set(error, "%s: %s", format, problem);
    return WEIR_INFLATE_BAD;
}

/* One member. `state` has its input set. */
static enum weir_inflate_status inflate_member(struct inflate_state *state, struct output *output,
                                               const char *format, struct weir_error *error)
{
    while (state->block_state != ISAL_BLOCK_FINISH) {
        size_t room = 0;
        enum weir_inflate_status status = output_room(output, &state->next_out, &room);
        if (status != WEIR_INFLATE_OK)
            return status;
        state->avail_out = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
        uint32_t before = state->avail_out;
        int result = isal_inflate(state);
        output->buffer->length += before - state->avail_out;
        if (result < 0)
            return bad(error, format, problem_of(result));
        if (state->block_state != ISAL_BLOCK_FINISH && state->avail_in == 0 && state->avail_out > 0)
            return bad(error, format, "unexpected EOF");
    }
    return WEIR_INFLATE_OK;
}

static enum weir_inflate_status inflate_isal(struct weir_str in, struct output *output, uint32_t flag,
                                             const char *format, struct weir_error *error)
{
    struct inflate_state *state = scratch_memory(SCRATCH_INFLATE, sizeof *state);
    if (!state)
        return WEIR_INFLATE_FAILED;
    if (in.length > UINT32_MAX)
        return WEIR_INFLATE_TOO_LARGE;
    isal_inflate_init(state);
    state->next_in = (uint8_t *)in.data;
    state->avail_in = (uint32_t)in.length;
    for (;;) {
        state->crc_flag = flag;
        enum weir_inflate_status status = inflate_member(state, output, format, error);
        // Whole bytes behind the trailer that ISA-L has taken in already.
        state->next_in -= state->read_in_length / 8;
        state->avail_in += (uint32_t)state->read_in_length / 8;
        if (status != WEIR_INFLATE_OK || state->avail_in == 0)
            return status;
        if (flag != ISAL_GZIP)
            return bad(error, format, "data behind the end");
        isal_inflate_reset(state);
    }
}

/* A single member whose size the trailer tells goes straight to its place, where ISA-L's streams would first inflate
 * into memory of their own. False: it is something else, of which nothing has been done. */
static bool inflate_at_once(struct weir_str in, struct output *output)
{
    struct inflate_state *state = scratch_memory(SCRATCH_INFLATE, sizeof *state);
    struct weir_buffer *buffer = output->buffer;
    if (!state || in.length > UINT32_MAX || buffer->capacity > UINT32_MAX || buffer->capacity <= gzip_size_hint(in))
        return false;
    isal_inflate_init(state);
    state->crc_flag = ISAL_GZIP;
    state->next_in = (uint8_t *)in.data;
    state->avail_in = (uint32_t)in.length;
    state->next_out = buffer->data;
    state->avail_out = (uint32_t)buffer->capacity;
    if (isal_inflate_stateless(state) != ISAL_DECOMP_OK || state->avail_in > 0)
        return false;
    buffer->length = state->total_out;
    return true;
}

enum weir_inflate_status inflate_gzip(struct weir_str in, struct output *output, struct weir_error *error)
{
    if (inflate_at_once(in, output))
        return WEIR_INFLATE_OK;
    return inflate_isal(in, output, ISAL_GZIP, "gzip", error);
}

enum weir_inflate_status inflate_zlib(struct weir_str in, struct output *output, struct weir_error *error)
{
    return inflate_isal(in, output, ISAL_ZLIB, "zlib", error);
}

/* ISA-L has four levels. zlib's 1 to 3 are fast, the rest are thorough; -2 is Huffman coding alone. */
static uint32_t isal_level(int level)
{
    if (level == -2)
        return 0;
    if (level <= 3)
        return level == 2 || level == 3 ? 2 : 1;
    return 3;
}

static uint32_t level_buffer_size(uint32_t level)
{
    static const uint32_t sizes[] = { ISAL_DEF_LVL0_DEFAULT, ISAL_DEF_LVL1_DEFAULT, ISAL_DEF_LVL2_DEFAULT,
                                      ISAL_DEF_LVL3_DEFAULT };
    return sizes[level];
}

static int write_out(struct isal_zstream *stream, struct weir_buffer *out, struct weir_error *error)
{
    do {
        if (out->capacity - out->length < 1024 && !weir_buffer_reserve(out, 16384))
            return deflate_out_of_memory(error);
        size_t room = out->capacity - out->length;
        stream->next_out = out->data + out->length;
        stream->avail_out = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
        uint32_t before = stream->avail_out;
        if (isal_deflate(stream) != COMP_OK)
            return weir_error_set(error, "gzip: compression failed");
        out->length += before - stream->avail_out;
    } while (stream->avail_out == 0 || stream->avail_in > 0);
    return 0;
}

static int deflate_isal(int level, const struct weir_slices *in, struct weir_buffer *out, uint16_t flag,
                        struct weir_error *error)
{
    struct isal_zstream *stream = scratch_memory(SCRATCH_DEFLATE, sizeof *stream);
    uint8_t *level_buffer = scratch_memory(SCRATCH_DEFLATE_LEVEL, ISAL_DEF_LVL3_DEFAULT);
    if (!stream || !level_buffer)
        return deflate_out_of_memory(error);
    isal_deflate_init(stream);
    stream->gzip_flag = flag;
    stream->level = isal_level(level);
    stream->level_buf = level_buffer;
    stream->level_buf_size = level_buffer_size(stream->level);
    stream->flush = NO_FLUSH;
    for (size_t i = 0; i < in->count; i++) {
        uint8_t *at = in->ranges[i].iov_base;
        for (size_t left = in->ranges[i].iov_len; left > 0;) {
            stream->next_in = at;
            stream->avail_in = left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
            at += stream->avail_in;
            left -= stream->avail_in;
            if (write_out(stream, out, error) != 0)
                return -1;
        }
    }
    stream->avail_in = 0;
    stream->end_of_stream = 1;
    return write_out(stream, out, error);
}

int deflate_gzip(int level, const struct weir_slices *in, struct weir_buffer *out, struct weir_error *error)
{
    return deflate_isal(level, in, out, IGZIP_GZIP, error);
}

int deflate_zlib(int level, const struct weir_slices *in, struct weir_buffer *out, struct weir_error *error)
{
    return deflate_isal(level, in, out, IGZIP_ZLIB, error);
}
