// SPDX-License-Identifier: Apache-2.0
/* What the side library weir-snappy.so offers: the block format. */
#ifndef WEIR_COMPRESS_SNAPPY_OPS_H
#define WEIR_COMPRESS_SNAPPY_OPS_H

#include <weir/base.h>

#define WEIR_SNAPPY_OPS_VERSION 1

struct weir_snappy_ops {
    unsigned version;
    size_t (*max_compressed)(size_t length);
    /* `out` has room for max_compressed(length); returns the length written. */
    size_t (*compress)(const char *in, size_t length, char *out);
    /* What the block says will come out; false when it says nothing sensible. */
    bool (*uncompressed_length)(const char *in, size_t length, size_t *out);
    /* `out` has room for that; false for a damaged block. */
    bool (*uncompress)(const char *in, size_t length, char *out, size_t room);
};

#endif
