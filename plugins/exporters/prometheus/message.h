// SPDX-License-Identifier: Apache-2.0
/*
 * The page in Prometheus' protobuf form: families as messages, the length of each in front of it as a varint. The only one
 * that has native histograms.
 */
#ifndef PROMETHEUS_MESSAGE_H
#define PROMETHEUS_MESSAGE_H

#include <weir/arena.h>
#include <weir/buffer.h>
#include <weir/prometheus.h>

#include "plugins/exporters/prometheus/text.h"
#include "plugins/exporters/prometheus/value.h"

/* A family that is being made. Zero-initialise. */
struct message {
    struct weir_arena arena;
    struct message_family *family;
    bool failed; /* memory is out */
};

/* Begins a family; the texts are copied. */
void message_begin(struct message *message, struct weir_str name, enum weir_prometheus_type type, struct weir_str help);

/* Adds a series with these labels, as text_add_label has made them. NULL, or why it cannot be told so. */
const char *message_add(struct message *message, struct weir_str labels, const struct value *value, bool timestamp);

/* Adds the family, if one was begun, to `out`, and forgets it. False when memory is, or was, out. */
bool message_end(struct message *message, struct weir_buffer *out);

#endif
