// SPDX-License-Identifier: Apache-2.0
/*
 * What tools need to know of sending queues on disk: a queue is a journal (weir/journal.h) in the directory
 * <storage>/exporter_<type>_<name>_<signal>, and a record holds one request. For the collector's own program, not for
 * components.
 */
#ifndef WEIR_SYS_QUEUE_H
#define WEIR_SYS_QUEUE_H

#include <weir/str.h>

WEIR_BEGIN

/* Finds the OTLP request (an Export*ServiceRequest in protobuf) in the bytes of a record; false when there is none. Any
 * thread. */
WEIR_EXPORT bool weir_queue_request(const void *record, size_t length, struct weir_str *out);

WEIR_END

#endif
