// SPDX-License-Identifier: Apache-2.0
/* zstd (RFC 8878). */
#include <config.h>

#include <zstd.h>

#include "sdk/src/compress/codec.h"

/* RFC 8878, 3.1.1.1.2 recommends that decoders support 8 MiB; larger windows would cost a peer nothing and us memory. */
#define WINDOW_LOG_MAX 23

static void *make_inflater(void)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context)
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return context;
}

static void free_inflater(void *object)
{
    ZSTD_freeDCtx(object);
}

static void *make_deflater(void)
{
    return ZSTD_createCCtx();
}

static void free_deflater(void *object)
{
    ZSTD_freeCCtx(object);
}

enum weir_inflate_status inflate_zstd(struct weir_str in, struct output *output, struct weir_error *error)
{
    ZSTD_DCtx *context = scratch_object(SCRATCH_ZSTD_IN, make_inflater, free_inflater);
    if (!context)
        return WEIR_INFLATE_FAILED;
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_inBuffer input = { in.data, in.length, 0 };
    size_t result = 1;
    bool flushed = false;
    while (input.pos < input.size || (result != 0 && !flushed)) {
        ZSTD_outBuffer piece = { 0 };
        uint8_t *place = NULL;
        enum weir_inflate_status status = output_room(output, &place, &piece.size);
        if (status != WEIR_INFLATE_OK)
            return status;
        piece.dst = place;
        result = ZSTD_decompressStream(context, &piece, &input);
        if (ZSTD_isError(result)) {
            weir_error_set(error, "zstd: %s", ZSTD_getErrorName(result));
            return WEIR_INFLATE_BAD;
        }
        output->buffer->length += piece.pos;
        flushed = piece.pos < piece.size;
    }
    if (result == 0)
        return WEIR_INFLATE_OK;
    weir_error_set(error, "zstd: unexpected EOF");
    return WEIR_INFLATE_BAD;
}

static int compress_piece(ZSTD_CCtx *context, ZSTD_inBuffer *input, ZSTD_EndDirective end, struct weir_buffer *out,
                          struct weir_error *error)
{
    size_t left;
    do {
        if (out->capacity - out->length < 1024 && !weir_buffer_reserve(out, 16384))
            return deflate_out_of_memory(error);
        ZSTD_outBuffer piece = { out->data + out->length, out->capacity - out->length, 0 };
        left = ZSTD_compressStream2(context, &piece, input, end);
        if (ZSTD_isError(left))
            return weir_error_set(error, "zstd: %s", ZSTD_getErrorName(left));
        out->length += piece.pos;
    } while (end == ZSTD_e_end ? left > 0 : input->pos < input->size);
    return 0;
}

int deflate_zstd(int level, const struct weir_slices *in, struct weir_buffer *out, struct weir_error *error)
{
    ZSTD_CCtx *context = scratch_object(SCRATCH_ZSTD_OUT, make_deflater, free_deflater);
    if (!context)
        return deflate_out_of_memory(error);
    ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level == 0 ? 1 : level);
    ZSTD_CCtx_setPledgedSrcSize(context, in->bytes);
    for (size_t i = 0; i < in->count; i++) {
        ZSTD_inBuffer input = { in->ranges[i].iov_base, in->ranges[i].iov_len, 0 };
        if (compress_piece(context, &input, ZSTD_e_continue, out, error) != 0)
            return -1;
    }
    ZSTD_inBuffer nothing = { NULL, 0, 0 };
    return compress_piece(context, &nothing, ZSTD_e_end, out, error);
}
