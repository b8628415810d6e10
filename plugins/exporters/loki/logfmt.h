// SPDX-License-Identifier: Apache-2.0
/*
 * Reading logfmt: pairs of key and value in a text, as github.com/go-logfmt/logfmt reads them.
 */
#ifndef LOKI_LOGFMT_H
#define LOKI_LOGFMT_H

#include <weir/arena.h>

/* Zero-initialise, set `text` and `arena`. */
struct logfmt {
    struct weir_str text;
    struct weir_arena *arena; /* for what escapes in quoted values mean */
    size_t at;
    bool failed; /* the text is no logfmt from here on */
};

/* Reads the next pair; the value is empty when there is none. false at the end, and when it has failed. Line breaks part
 * pairs as blanks do. */
bool logfmt_next(struct logfmt *logfmt, struct weir_str *key, struct weir_str *value);

/* True if all of the text can be read. */
bool logfmt_valid(struct weir_str text, struct weir_arena *arena);

#endif
