// SPDX-License-Identifier: Apache-2.0
/* The encodings by name and number, and the one way in to all of them. */
#include <config.h>

#include <string.h>

#include "sdk/src/compress/codec.h"

static const struct {
    const char *name;
    inflate_function *inflate; /* NULL: identity */
    deflate_function *deflate;
} encodings[WEIR_ENCODINGS] = {
    [WEIR_ENCODING_IDENTITY] = { "", NULL, NULL },
    [WEIR_ENCODING_GZIP] = { "gzip", inflate_gzip, deflate_gzip },
    [WEIR_ENCODING_ZLIB] = { "zlib", inflate_zlib, deflate_zlib },
    [WEIR_ENCODING_DEFLATE] = { "deflate", inflate_zlib, deflate_zlib },
    [WEIR_ENCODING_ZSTD] = { "zstd", inflate_zstd, deflate_zstd },
    [WEIR_ENCODING_SNAPPY] = { "snappy", inflate_snappy, deflate_snappy },
    [WEIR_ENCODING_SNAPPY_FRAMED] = { "x-snappy-framed", inflate_snappy_framed, deflate_snappy_framed },
    [WEIR_ENCODING_LZ4] = { "lz4", inflate_lz4, deflate_lz4 },
};

const char *weir_encoding_name(enum weir_encoding encoding)
{
    return encodings[encoding].name;
}

bool weir_encoding_find(struct weir_str name, enum weir_encoding *out)
{
    for (int i = 0; i < WEIR_ENCODINGS; i++)
        if (weir_str_is(name, encodings[i].name)) {
            *out = (enum weir_encoding)i;
            return true;
        }
    return false;
}

int weir_encoding_level(enum weir_encoding encoding, int64_t level, struct weir_error *error)
{
    bool good = level == 0;
    if (encoding == WEIR_ENCODING_GZIP || encoding == WEIR_ENCODING_ZLIB || encoding == WEIR_ENCODING_DEFLATE)
        good = level >= -2 && level <= 9;
    else if (encoding == WEIR_ENCODING_ZSTD)
        good = level >= INT32_MIN && level <= INT32_MAX;
    return good ? 0
                : weir_error_set(error, "unsupported parameters {Level:%lld} for compression type \"%s\"",
                                 (long long)level, encodings[encoding].name);
}

int weir_encoding_prepare(enum weir_encoding encoding, struct weir_error *error)
{
    if (encoding == WEIR_ENCODING_SNAPPY || encoding == WEIR_ENCODING_SNAPPY_FRAMED)
        return snappy_prepare(error);
    return 0;
}

static enum weir_inflate_status inflate_identity(struct weir_str in, struct output *output)
{
    uint8_t *place = NULL;
    if (in.length == 0)
        return WEIR_INFLATE_OK;
    enum weir_inflate_status status = output_need(output, in.length, &place);
    if (status != WEIR_INFLATE_OK)
        return status;
    memcpy(place, in.data, in.length);
    output->buffer->length += in.length;
    return WEIR_INFLATE_OK;
}

static void explain(enum weir_inflate_status status, enum weir_encoding encoding, struct weir_error *error)
{
    if (status == WEIR_INFLATE_TOO_LARGE)
        weir_error_set(error, "%s: too large when inflated", encodings[encoding].name);
    else if (status == WEIR_INFLATE_REFUSED)
        weir_error_set(error, "%s: not enough memory to inflate now", encodings[encoding].name);
    else if (status == WEIR_INFLATE_FAILED && !weir_error_is_set(error))
        weir_error_set(error, "%s: out of memory", encodings[encoding].name);
}

enum weir_inflate_status weir_inflate(enum weir_encoding encoding, struct weir_str in,
                                      const struct weir_inflate_limits *limits, struct weir_buffer **out,
                                      struct weir_error *error)
{
    struct output output = { 0 };
    if (!in.data)
        in.data = ""; // so that there is a place to point to
    size_t guess = encoding == WEIR_ENCODING_GZIP ? gzip_size_hint(in) : 0;
    /* A trailer that claims more than deflate can do (1032:1) is no hint. */
    if (guess / 1032 > in.length)
        guess = 0;
    enum weir_inflate_status status = output_start(&output, limits, in.length, guess);
    if (status == WEIR_INFLATE_OK)
        status = encodings[encoding].inflate ? encodings[encoding].inflate(in, &output, error)
                                             : inflate_identity(in, &output);
    if (status == WEIR_INFLATE_OK && output.buffer->length > output.cap)
        status = WEIR_INFLATE_TOO_LARGE;
    if (status == WEIR_INFLATE_OK) {
        *out = output.buffer;
        return status;
    }
    explain(status, encoding, error);
    weir_buffer_unref(output.buffer);
    return status;
}

int deflate_out_of_memory(struct weir_error *error)
{
    return weir_error_set(error, "out of memory");
}

/* Room that most bodies fit into, so that the output is allocated once. */
static size_t first_room(size_t bytes)
{
    return bytes / 3 + 1024;
}

int weir_deflate(enum weir_encoding encoding, int level, const struct weir_slices *in, struct weir_buffer **out,
                 struct weir_error *error)
{
    if (!encodings[encoding].deflate) {
        *out = weir_slices_join(in);
        return *out ? 0 : deflate_out_of_memory(error);
    }
    struct weir_buffer *buffer = weir_buffer_new(first_room(in->bytes));
    if (!buffer)
        return deflate_out_of_memory(error);
    if (encodings[encoding].deflate(level, in, buffer, error) != 0) {
        weir_buffer_unref(buffer);
        return -1;
    }
    *out = buffer;
    return 0;
}

int weir_slices_deflate(struct weir_slices *slices, enum weir_encoding encoding, int level, struct weir_error *error)
{
    struct weir_buffer *small = NULL;
    if (encoding == WEIR_ENCODING_IDENTITY)
        return 0;
    if (weir_deflate(encoding, level, slices, &small, error) != 0)
        return -1;
    weir_slices_clear(slices);
    bool added = weir_slices_add(slices, small, small->data, small->length);
    weir_buffer_unref(small);
    return added ? 0 : deflate_out_of_memory(error);
}
