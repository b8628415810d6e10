// SPDX-License-Identifier: Apache-2.0
/* LZ4 frames (lz4_Frame_format.md). */
#include <config.h>

#include <lz4frame.h>

#include "sdk/src/compress/codec.h"

static void *make_inflater(void)
{
    LZ4F_dctx *context = NULL;
    return LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) ? NULL : context;
}

static void free_inflater(void *object)
{
    LZ4F_freeDecompressionContext(object);
}

static void *make_deflater(void)
{
    LZ4F_cctx *context = NULL;
    return LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION)) ? NULL : context;
}

static void free_deflater(void *object)
{
    LZ4F_freeCompressionContext(object);
}

enum weir_inflate_status inflate_lz4(struct weir_str in, struct output *output, struct weir_error *error)
{
    LZ4F_dctx *context = scratch_object(SCRATCH_LZ4_IN, make_inflater, free_inflater);
    if (!context)
        return WEIR_INFLATE_FAILED;
    LZ4F_resetDecompressionContext(context);
    size_t at = 0, hint = 1;
    bool flushed = false;
    while (at < in.length || (hint != 0 && !flushed)) {
        uint8_t *place = NULL;
        size_t produced = 0, consumed = in.length - at;
        enum weir_inflate_status status = output_room(output, &place, &produced);
        if (status != WEIR_INFLATE_OK)
            return status;
        size_t room = produced;
        hint = LZ4F_decompress(context, place, &produced, in.data + at, &consumed, NULL);
        if (LZ4F_isError(hint)) {
            weir_error_set(error, "lz4: %s", LZ4F_getErrorName(hint));
            return WEIR_INFLATE_BAD;
        }
        at += consumed;
        output->buffer->length += produced;
        flushed = produced < room;
    }
    if (hint == 0)
        return WEIR_INFLATE_OK;
    weir_error_set(error, "lz4: unexpected EOF");
    return WEIR_INFLATE_BAD;
}

static int lz4_failed(size_t result, struct weir_error *error)
{
    return weir_error_set(error, "lz4: %s", LZ4F_getErrorName(result));
}

int deflate_lz4(int level, const struct weir_slices *in, struct weir_buffer *out, struct weir_error *error)
{
    (void)level;
    LZ4F_cctx *context = scratch_object(SCRATCH_LZ4_OUT, make_deflater, free_deflater);
    if (!context || !weir_buffer_reserve(out, LZ4F_HEADER_SIZE_MAX))
        return deflate_out_of_memory(error);
    size_t result = LZ4F_compressBegin(context, out->data + out->length, out->capacity - out->length, NULL);
    if (LZ4F_isError(result))
        return lz4_failed(result, error);
    out->length += result;
    for (size_t i = 0; i < in->count; i++) {
        if (!weir_buffer_reserve(out, LZ4F_compressBound(in->ranges[i].iov_len, NULL)))
            return deflate_out_of_memory(error);
        result = LZ4F_compressUpdate(context, out->data + out->length, out->capacity - out->length,
                                     in->ranges[i].iov_base, in->ranges[i].iov_len, NULL);
        if (LZ4F_isError(result))
            return lz4_failed(result, error);
        out->length += result;
    }
    if (!weir_buffer_reserve(out, LZ4F_compressBound(0, NULL)))
        return deflate_out_of_memory(error);
    result = LZ4F_compressEnd(context, out->data + out->length, out->capacity - out->length, NULL);
    if (LZ4F_isError(result))
        return lz4_failed(result, error);
    out->length += result;
    return 0;
}
