// SPDX-License-Identifier: Apache-2.0
/*
 * Series as messages of protobuf. All they point to is in the arena or in the series.
 */
#ifndef PROMETHEUSREMOTEWRITE_MESSAGE_H
#define PROMETHEUSREMOTEWRITE_MESSAGE_H

#include <weir/buffer.h>

#include "plugins/exporters/prometheusremotewrite/series.h"

struct prw_format {
    /* The message of a series, and the bytes it will take in the body; NULL when memory is out. */
    void *(*series)(const struct series *series, struct weir_arena *arena, size_t *bytes);
    /* A body of these messages; NULL when memory is out. */
    struct weir_buffer *(*pack)(void **messages, size_t count, struct weir_arena *arena);
};
extern const struct prw_format prw_format_v1;
extern const struct prw_format prw_format_v2;
/* `series` is NULL: its messages are those of prw_metadata_message. */
extern const struct prw_format prw_format_metadata;

void *prw_metadata_message(const struct family *family, struct weir_arena *arena, size_t *bytes);

#endif
