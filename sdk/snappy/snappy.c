// SPDX-License-Identifier: Apache-2.0
/* The side library weir-snappy.so: libsnappy, which drags in the C++ runtime, kept out of processes that do not need it. */
#include <config.h>

#include <snappy-c.h>

#include "sdk/src/compress/snappy_ops.h"

static size_t compress(const char *in, size_t length, char *out)
{
    size_t written = snappy_max_compressed_length(length);
    return snappy_compress(in, length, out, &written) == SNAPPY_OK ? written : 0;
}

static bool uncompressed_length(const char *in, size_t length, size_t *out)
{
    return snappy_uncompressed_length(in, length, out) == SNAPPY_OK;
}

static bool uncompress(const char *in, size_t length, char *out, size_t room)
{
    return snappy_uncompress(in, length, out, &room) == SNAPPY_OK;
}

extern const struct weir_snappy_ops weir_snappy_ops;

WEIR_EXPORT const struct weir_snappy_ops weir_snappy_ops = {
    .version = WEIR_SNAPPY_OPS_VERSION,
    .max_compressed = snappy_max_compressed_length,
    .compress = compress,
    .uncompressed_length = uncompressed_length,
    .uncompress = uncompress,
};
