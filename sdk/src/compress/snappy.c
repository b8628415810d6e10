// SPDX-License-Identifier: Apache-2.0
/* snappy: blocks (format_description.txt) and framed streams (framing_format.txt), both of google/snappy. */
#include <config.h>

#include <isa-l/crc.h>
#include <pthread.h>
#include <string.h>

#include <weir/wire.h>

#include "sdk/src/net/side_library.h"
#include "sdk/src/compress/codec.h"
#include "sdk/src/compress/snappy_ops.h"

#define STREAM_MAGIC "\xff\x06\x00\x00sNaPpY"
#define STREAM_MAGIC_LENGTH 10
#define FRAME_BYTES ((size_t)65536) /* uncompressed bytes of one chunk */

enum chunk_type {
    CHUNK_COMPRESSED = 0x00,
    CHUNK_PLAIN = 0x01,
    CHUNK_FIRST_SKIPPABLE = 0x80,
    CHUNK_STREAM = 0xff,
};

static pthread_once_t loading = PTHREAD_ONCE_INIT;
static const struct weir_snappy_ops *loaded;
static struct weir_error load_error;

static void load(void)
{
    const struct weir_snappy_ops *ops = weir_side_library("weir-snappy.so", "weir_snappy_ops", &load_error);
    if (ops && ops->version != WEIR_SNAPPY_OPS_VERSION)
        weir_error_set(&load_error, "weir-snappy.so is of another version than libweir: install both anew");
    else
        loaded = ops;
}

static const struct weir_snappy_ops *get_ops(struct weir_error *error)
{
    pthread_once(&loading, load);
    if (!loaded)
        weir_error_set(error, "%s", weir_error_text(&load_error));
    return loaded;
}

int snappy_prepare(struct weir_error *error)
{
    return get_ops(error) ? 0 : -1;
}

static enum weir_inflate_status bad(struct weir_error *error, const char *problem)
{
    weir_error_set(error, "snappy: %s", problem);
    return WEIR_INFLATE_BAD;
}

static enum weir_inflate_status inflate_block(const struct weir_snappy_ops *ops, struct weir_str in, size_t most,
                                              struct output *output, struct weir_error *error)
{
    size_t length = 0;
    uint8_t *place = NULL;
    if (!ops->uncompressed_length(in.data, in.length, &length) || length > most)
        return bad(error, "corrupt input");
    /* Nothing compresses better than 64 bytes to 3: what claims to is a bomb without data. */
    if (length / 32 > in.length)
        return bad(error, "corrupt input");
    if (length == 0)
        return in.length == 1 ? WEIR_INFLATE_OK : bad(error, "corrupt input");
    enum weir_inflate_status status = output_need(output, length, &place);
    if (status != WEIR_INFLATE_OK)
        return status;
    if (!ops->uncompress(in.data, in.length, (char *)place, length))
        return bad(error, "corrupt input");
    output->buffer->length += length;
    return WEIR_INFLATE_OK;
}

/* CRC-32C, rotated and offset so that a checksum of data with checksums inside stays a good one. */
static uint32_t masked_checksum(const uint8_t *data, size_t length)
{
    uint32_t crc = ~crc32_iscsi((unsigned char *)data, (int)length, 0xffffffffu);
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static enum weir_inflate_status inflate_chunk(const struct weir_snappy_ops *ops, uint8_t type, struct weir_str chunk,
                                              struct output *output, struct weir_error *error)
{
    struct weir_cursor cursor = weir_cursor_make(chunk.data, chunk.length);
    uint32_t checksum = 0;
    if (!weir_cursor_fixed32(&cursor, &checksum))
        return bad(error, "chunk without a checksum");
    struct weir_str data = weir_str_make((const char *)cursor.at, weir_cursor_left(&cursor));
    size_t start = output->buffer->length;
    enum weir_inflate_status status = WEIR_INFLATE_OK;
    if (type == CHUNK_COMPRESSED) {
        status = inflate_block(ops, data, FRAME_BYTES, output, error);
    } else if (data.length > FRAME_BYTES) {
        status = bad(error, "chunk too large");
    } else if (data.length > 0) {
        uint8_t *place = NULL;
        status = output_need(output, data.length, &place);
        if (status == WEIR_INFLATE_OK) {
            memcpy(place, data.data, data.length);
            output->buffer->length += data.length;
        }
    }
    if (status != WEIR_INFLATE_OK)
        return status;
    if (masked_checksum(output->buffer->data + start, output->buffer->length - start) != checksum)
        return bad(error, "incorrect checksum");
    return WEIR_INFLATE_OK;
}

static bool next_chunk(struct weir_cursor *cursor, uint8_t *type, struct weir_str *chunk)
{
    uint32_t head = 0;
    if (!weir_cursor_fixed32(cursor, &head))
        return false;
    *type = (uint8_t)head;
    return weir_cursor_take(cursor, head >> 8, chunk);
}

enum weir_inflate_status inflate_snappy_framed(struct weir_str in, struct output *output, struct weir_error *error)
{
    const struct weir_snappy_ops *ops = get_ops(error);
    struct weir_cursor cursor = weir_cursor_make(in.data, in.length);
    if (!ops)
        return WEIR_INFLATE_FAILED;
    if (in.length < STREAM_MAGIC_LENGTH || memcmp(in.data, STREAM_MAGIC, STREAM_MAGIC_LENGTH) != 0)
        return bad(error, "no stream identifier");
    while (weir_cursor_left(&cursor) > 0) {
        uint8_t type = 0;
        struct weir_str chunk;
        if (!next_chunk(&cursor, &type, &chunk))
            return bad(error, "unexpected EOF");
        if (type == CHUNK_STREAM) {
            if (!weir_str_equal(chunk, WEIR_STR("sNaPpY")))
                return bad(error, "no stream identifier");
        } else if (type == CHUNK_COMPRESSED || type == CHUNK_PLAIN) {
            enum weir_inflate_status status = inflate_chunk(ops, type, chunk, output, error);
            if (status != WEIR_INFLATE_OK)
                return status;
        } else if (type < CHUNK_FIRST_SKIPPABLE) {
            return bad(error, "unknown chunk");
        }
    }
    return WEIR_INFLATE_OK;
}

enum weir_inflate_status inflate_snappy(struct weir_str in, struct output *output, struct weir_error *error)
{
    if (in.length >= STREAM_MAGIC_LENGTH && memcmp(in.data, STREAM_MAGIC, STREAM_MAGIC_LENGTH) == 0)
        return inflate_snappy_framed(in, output, error);
    const struct weir_snappy_ops *ops = get_ops(error);
    return ops ? inflate_block(ops, in, SIZE_MAX, output, error) : WEIR_INFLATE_FAILED;
}

static bool reserve_compressed(const struct weir_snappy_ops *ops, size_t length, struct weir_buffer *out)
{
    return weir_buffer_reserve(out, ops->max_compressed(length));
}

int deflate_snappy(int level, const struct weir_slices *in, struct weir_buffer *out, struct weir_error *error)
{
    (void)level;
    const struct weir_snappy_ops *ops = get_ops(error);
    if (!ops)
        return -1;
    struct weir_buffer *joined = weir_slices_join(in);
    if (!joined || !reserve_compressed(ops, in->bytes, out)) {
        weir_buffer_unref(joined);
        return deflate_out_of_memory(error);
    }
    out->length += ops->compress((const char *)joined->data, joined->length, (char *)out->data + out->length);
    weir_buffer_unref(joined);
    return 0;
}

static void put_le(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A chunk of at most FRAME_BYTES, compressed if that makes it smaller. */
static bool add_chunk(const struct weir_snappy_ops *ops, const uint8_t *data, size_t length, struct weir_buffer *out)
{
    if (!weir_buffer_reserve(out, 8 + ops->max_compressed(length)))
        return false;
    uint8_t *chunk = out->data + out->length;
    size_t packed = ops->compress((const char *)data, length, (char *)chunk + 8);
    chunk[0] = CHUNK_COMPRESSED;
    if (packed >= length - length / 8) {
        chunk[0] = CHUNK_PLAIN;
        memcpy(chunk + 8, data, length);
        packed = length;
    }
    put_le(chunk + 1, (uint32_t)packed + 4, 3);
    put_le(chunk + 4, masked_checksum(data, length), 4);
    out->length += 8 + packed;
    return true;
}

int deflate_snappy_framed(int level, const struct weir_slices *in, struct weir_buffer *out, struct weir_error *error)
{
    (void)level;
    const struct weir_snappy_ops *ops = get_ops(error);
    if (!ops)
        return -1;
    struct weir_buffer *joined = weir_slices_join(in);
    bool good = joined && weir_buffer_append(out, STREAM_MAGIC, STREAM_MAGIC_LENGTH);
    for (size_t at = 0; good && at < joined->length; at += FRAME_BYTES) {
        size_t left = joined->length - at;
        good = add_chunk(ops, joined->data + at, left < FRAME_BYTES ? left : FRAME_BYTES, out);
    }
    weir_buffer_unref(joined);
    return good ? 0 : deflate_out_of_memory(error);
}
