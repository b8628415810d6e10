// SPDX-License-Identifier: Apache-2.0
/* What the codecs of this folder share: bounded output, and state that each thread keeps. */
#ifndef WEIR_COMPRESS_CODEC_H
#define WEIR_COMPRESS_CODEC_H

#include <weir/compress.h>

/* The output of one inflation. Room is taken step by step and never beyond one byte over the cap, which is enough to
 * see that there is more. */
struct output {
    struct weir_buffer *buffer;
    const struct weir_inflate_limits *limits;
    size_t cap; /* bytes that may come out */
};

/* Makes the output for `in_length` bytes of input; `guess` is how much will probably come out. */
enum weir_inflate_status output_start(struct output *output, const struct weir_inflate_limits *limits,
                                      size_t in_length, size_t guess);
/* At least one more byte of room behind what is there. */
enum weir_inflate_status output_room(struct output *output, uint8_t **place, size_t *room);
/* At least `need` bytes of room, or WEIR_INFLATE_TOO_LARGE. */
enum weir_inflate_status output_need(struct output *output, size_t need, uint8_t **place);

/* Memory of `size` bytes that this thread keeps for this purpose, the same each time; NULL when memory is out.
 * Freed with the thread. */
enum scratch {
    SCRATCH_INFLATE,
    SCRATCH_DEFLATE,
    SCRATCH_DEFLATE_LEVEL,
    SCRATCH_ZSTD_IN,
    SCRATCH_ZSTD_OUT,
    SCRATCH_LZ4_IN,
    SCRATCH_LZ4_OUT,
    SCRATCH_COUNT,
};
void *scratch_memory(enum scratch which, size_t size);
/* The same for an object with a function that frees it. */
void *scratch_object(enum scratch which, void *(*make)(void), void (*release)(void *object));

/* The codecs. Inflating appends to the output and consumes all of `in`. */
typedef enum weir_inflate_status inflate_function(struct weir_str in, struct output *output,
                                                  struct weir_error *error);
inflate_function inflate_gzip, inflate_zlib, inflate_zstd, inflate_lz4, inflate_snappy, inflate_snappy_framed;

typedef int deflate_function(int level, const struct weir_slices *in, struct weir_buffer *out,
                             struct weir_error *error);
deflate_function deflate_gzip, deflate_zlib, deflate_zstd, deflate_lz4, deflate_snappy, deflate_snappy_framed;

/* What gzip's trailer says will come out, 0 when there is none (RFC 1952, 2.3.1: ISIZE). */
size_t gzip_size_hint(struct weir_str in);

/* Loads snappy's side library. */
int snappy_prepare(struct weir_error *error);

int deflate_out_of_memory(struct weir_error *error);

#endif
