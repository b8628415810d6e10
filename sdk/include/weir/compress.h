// SPDX-License-Identifier: Apache-2.0
/*
 * The one place where bodies are compressed and inflated, with caps.
 */
#ifndef WEIR_COMPRESS_H
#define WEIR_COMPRESS_H

#include <weir/buffer.h>
#include <weir/error.h>

WEIR_BEGIN

enum weir_encoding {
    WEIR_ENCODING_IDENTITY,
    WEIR_ENCODING_GZIP,          /* RFC 1952; several members are one body */
    WEIR_ENCODING_ZLIB,          /* RFC 1950 */
    WEIR_ENCODING_DEFLATE,       /* in HTTP the same format as zlib (RFC 9110, 8.4.1.2) */
    WEIR_ENCODING_ZSTD,          /* RFC 8878; several frames are one body */
    WEIR_ENCODING_SNAPPY,        /* block format; inflating also takes the framed one (its magic tells) */
    WEIR_ENCODING_SNAPPY_FRAMED, /* framing_format.txt of snappy; what gRPC calls "snappy" */
    WEIR_ENCODING_LZ4,           /* frame format */
};
#define WEIR_ENCODINGS 8

/* The name in Content-Encoding: "", "gzip", "zlib", "deflate", "zstd", "snappy", "x-snappy-framed", "lz4".
 * Any thread. */
WEIR_EXPORT const char *weir_encoding_name(enum weir_encoding encoding);

/* The encoding of that exact name ("" is identity); false on any other. Any thread. */
WEIR_EXPORT bool weir_encoding_find(struct weir_str name, enum weir_encoding *out);

/* Caps on what inflating may produce. */
struct weir_inflate_limits {
    size_t max_output;  /* bytes; exactly so many still pass */
    uint64_t max_ratio; /* output bytes for each input byte; 0: no cap; the first 64 KiB of output are free */
    /* Asked before memory for `more` bytes of output is taken; false ends inflating with
     * WEIR_INFLATE_REFUSED. NULL: never asked. What was granted is the caller's to give back, whatever the
     * outcome. */
    bool (*grow)(void *user, size_t more);
    void *user;
};

enum weir_inflate_status {
    WEIR_INFLATE_OK = 0,
    WEIR_INFLATE_BAD = -1,       /* damaged, truncated, or followed by garbage */
    WEIR_INFLATE_TOO_LARGE = -2, /* over max_output or max_ratio */
    WEIR_INFLATE_REFUSED = -3,   /* by grow */
    WEIR_INFLATE_FAILED = -4,    /* our fault: out of memory, side library missing */
};

/*
 * Inflates the whole of `in` into a new buffer, which the caller owns. Identity makes a copy. Any thread;
 * keeps some 100 KiB of scratch memory for each thread that calls it.
 */
WEIR_EXPORT enum weir_inflate_status weir_inflate(enum weir_encoding encoding, struct weir_str in,
                                                  const struct weir_inflate_limits *limits,
                                                  struct weir_buffer **out, struct weir_error *error);

/*
 * Compresses all ranges, in order, as one body into a new buffer, which the caller owns. `level` is what
 * weir_encoding_level accepts, 0 for the default. 0, or -1 with `error` set (out of memory, side library
 * missing). Any thread.
 */
WEIR_EXPORT int weir_deflate(enum weir_encoding encoding, int level, const struct weir_slices *in,
                             struct weir_buffer **out, struct weir_error *error);

/* Puts the compressed form of all ranges in their place; what they were of is let go. Nothing happens with
 * WEIR_ENCODING_IDENTITY. Otherwise as weir_deflate, but that the ranges may be gone after -1. */
WEIR_EXPORT int weir_slices_deflate(struct weir_slices *slices, enum weir_encoding encoding, int level,
                                    struct weir_error *error) WEIR_MUST_USE;

/* Checks `compression_params.level` (collector-core 6.2): 0, or -1 with upstream's text. Any thread. */
WEIR_EXPORT int weir_encoding_level(enum weir_encoding encoding, int64_t level, struct weir_error *error);

/* Loads what the encoding needs (snappy's side library), so that a missing one fails at start and not at the
 * first request. 0, or -1 with `error` set. Any thread. */
WEIR_EXPORT int weir_encoding_prepare(enum weir_encoding encoding, struct weir_error *error);

WEIR_END

#endif
