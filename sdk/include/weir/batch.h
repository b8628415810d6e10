// SPDX-License-Identifier: Apache-2.0
/*
 * A batch: telemetry of one signal on its way through a pipeline, a lazy tree over OTLP bytes.
 *
 *     batch
 *       resource group   (ResourceSpans, ResourceMetrics, ResourceLogs)
 *         scope group    (ScopeSpans, ...)
 *           entry        (Span, LogRecord, Metric)
 *
 * A node is either the raw bytes that arrived or a decoded struct. Reading decodes a node the first time somebody
 * asks, into the batch's arena, with strings that point into the received bytes; encoding emits raw nodes untouched
 * and encodes only what was changed or made. Items are spans, log records and data points (not metrics).
 *
 * Bytes are validated once, by weir_batch_from_bytes; after that nothing here can fail on content, only on memory.
 *
 * Threads and ownership. References are counted atomically. A batch with one reference is exclusive: its owner may
 * change it, and may hand it to another worker. A shared one is read-only, and its readers must be on one worker, for
 * reading fills the lazy tree; weir_batch_exclusive gives a handle of one's own. A profiles batch is opaque: it can be
 * counted, merged, and sent, not walked or split.
 */
#ifndef WEIR_BATCH_H
#define WEIR_BATCH_H

#include <weir/buffer.h>
#include <weir/error.h>
#include <weir/telemetry.h>

WEIR_BEGIN

struct weir_batch;
struct weir_group;
struct weir_scope_group;
struct weir_entry;
struct weir_context;

/*
 * A batch over `length` bytes at `data`, one Export*ServiceRequest (the same on the wire as TracesData, MetricsData,
 * LogsData, ProfilesData); the batch takes a reference of its own on `buffer`, which holds them. Checks framing,
 * lengths, depth (at most WEIR_BATCH_MAX_DEPTH nested values), wire types, ids of 0, 16 or 8 bytes, and UTF-8 of
 * strings (protobuf proto3 rules). NULL with `error` set when the bytes are refused or memory is out. Any thread.
 */
WEIR_EXPORT struct weir_batch *weir_batch_from_bytes(enum weir_signal signal, struct weir_buffer *buffer,
                                                     const void *data, size_t length, struct weir_error *error)
    WEIR_MUST_USE;
#define WEIR_BATCH_MAX_DEPTH 64

/*
 * The same over bytes that were checked before: whole nodes (resource groups, scope groups, entries) as weir_batch_encode
 * gave them, which may be left out, reordered and framed anew. `items` is how many there are in them. NULL when memory is
 * out. Any thread.
 */
WEIR_EXPORT struct weir_batch *weir_batch_from_checked(enum weir_signal signal, struct weir_buffer *buffer,
                                                       const void *data, size_t length, size_t items) WEIR_MUST_USE;

/* An empty batch to be filled; NULL when memory is out. Any thread. */
WEIR_EXPORT struct weir_batch *weir_batch_new(enum weir_signal signal) WEIR_MUST_USE;

/* One more reference, the caller's; returns its argument, which is shared from now on. Any thread. */
WEIR_EXPORT struct weir_batch *weir_batch_ref(struct weir_batch *batch);
/* Drops a reference; the last frees the tree, its bytes, its context and its memory permit. Accepts NULL. Any
 * thread. */
WEIR_EXPORT void weir_batch_unref(struct weir_batch *batch);

/* Trades the caller's reference for an exclusive handle on the same telemetry: the batch itself when it is not
 * shared, else a copy that shares the received bytes (copy on write; O(changed nodes), not O(bytes)). NULL, with the
 * caller's reference kept, when memory is out. Owner's worker. */
WEIR_EXPORT struct weir_batch *weir_batch_exclusive(struct weir_batch *batch) WEIR_MUST_USE;

/* The signal it was made for. Any thread. */
WEIR_EXPORT enum weir_signal weir_batch_signal(const struct weir_batch *batch);
/* Spans, data points, log records or samples; known without decoding. Owner's worker. */
WEIR_EXPORT size_t weir_batch_items(const struct weir_batch *batch);
/* Size of the encoded request in bytes; exact; O(1) unless nodes were changed since the last call. Owner's
 * worker. */
WEIR_EXPORT size_t weir_batch_bytes(struct weir_batch *batch);

/* Moves everything in `from` behind what is in `to`, without looking at items, and drops the caller's reference on
 * `from` (copying the tree when it is shared). Both exclusive-or-shared as noted: `to` must be exclusive. Resource
 * groups are appended, never merged. false, with both unchanged, when memory is out, and for profiles unless one of
 * the two is empty (each request has a dictionary of its own). Owner's worker. */
WEIR_EXPORT bool weir_batch_append(struct weir_batch *to, struct weir_batch *from) WEIR_MUST_USE;

/* Takes exactly the first `items` items off `batch` (exclusive; 0 < items < its count) into a new batch, cutting
 * inside scope groups, and metrics between data points; resource, scope, schema URL and a metric's identity go with
 * both halves. The new batch shares the context and takes its part of the permit. NULL, with `batch` unchanged, when
 * memory is out, when `items` is out of range, and for profiles. Owner's worker. */
WEIR_EXPORT struct weir_batch *weir_batch_split(struct weir_batch *batch, size_t items) WEIR_MUST_USE;

/* As weir_batch_split, by encoded size: the most whole items whose encoding is at most `bytes`, at least one. Returns
 * NULL with `batch` unchanged when all of it fits, too. */
WEIR_EXPORT struct weir_batch *weir_batch_split_bytes(struct weir_batch *batch, size_t bytes) WEIR_MUST_USE;

/* Adds the encoded request to `out` as ranges for writev: slices of the received bytes for what was not changed
 * (kept alive by references), fresh bytes for the rest. false, with `out` unchanged, when memory is out. Owner's
 * worker; the ranges stay valid when the batch is gone. */
WEIR_EXPORT bool weir_batch_encode(struct weir_batch *batch, struct weir_slices *out) WEIR_MUST_USE;

/* What is known of the request the batch came with; NULL after merging requests that differ, or when made here.
 * Borrowed from the batch. Owner's worker. */
WEIR_EXPORT struct weir_context *weir_batch_context(const struct weir_batch *batch);
/* Replaces the context by another (NULL: none), to which it takes a reference of its own. Owner's worker. */
WEIR_EXPORT void weir_batch_set_context(struct weir_batch *batch, struct weir_context *context);

/* Hands `bytes` of reserved memory (weir/memory.h) to the batch, to be given back when the last reference goes. Owner's
 * worker. */
WEIR_EXPORT void weir_batch_add_permit(struct weir_batch *batch, size_t bytes);

/*
 * Walking. Nodes come in order; NULL ends. Structs live as long as the batch, or until the node is edited or removed.
 * Returned pointers are NULL only where stated or when memory is out. Owner's worker.
 */
WEIR_EXPORT struct weir_group *weir_batch_first_group(struct weir_batch *batch);
WEIR_EXPORT struct weir_group *weir_group_next(const struct weir_group *group);
WEIR_EXPORT const struct weir_resource *weir_group_resource(struct weir_group *group);
WEIR_EXPORT struct weir_str weir_group_schema_url(struct weir_group *group);

/* The same one level further down. */
WEIR_EXPORT struct weir_scope_group *weir_group_first_scope(struct weir_group *group);
WEIR_EXPORT struct weir_scope_group *weir_scope_group_next(const struct weir_scope_group *scope);
WEIR_EXPORT const struct weir_scope *weir_scope_group_scope(struct weir_scope_group *scope);
WEIR_EXPORT struct weir_str weir_scope_group_schema_url(struct weir_scope_group *scope);

/* Spans, metrics or log records. */
WEIR_EXPORT struct weir_entry *weir_scope_group_first(struct weir_scope_group *scope);
WEIR_EXPORT struct weir_entry *weir_entry_next(const struct weir_entry *entry);
/* Items in the entry: 1, or the data points of a metric. */
WEIR_EXPORT size_t weir_entry_items(const struct weir_entry *entry);

/* The decoded entry; each is for its own signal only. */
WEIR_EXPORT const struct weir_span *weir_entry_span(struct weir_entry *entry);
WEIR_EXPORT const struct weir_metric *weir_entry_metric(struct weir_entry *entry);
WEIR_EXPORT const struct weir_log_record *weir_entry_log_record(struct weir_entry *entry);

/* What samplers and filters ask of a span, read in one pass over its bytes without decoding it. */
struct weir_span_index {
    weir_id_bytes trace_id;
    weir_id_bytes span_id;
    weir_id_bytes parent_span_id;
    struct weir_str trace_state;
    struct weir_str name;
    uint64_t start_time_unix_nano;
    uint64_t end_time_unix_nano;
    int32_t kind;
    int32_t status_code;
    uint32_t flags;
    size_t attribute_count;
};
/* Fills `out`; its strings live as long as the batch. Spans only. Owner's worker. */
WEIR_EXPORT void weir_entry_span_index(struct weir_entry *entry, struct weir_span_index *out);
/* The value of one attribute of a span or log record (not decoded otherwise); false when there is none. */
WEIR_EXPORT bool weir_entry_attribute(struct weir_entry *entry, struct weir_str key, struct weir_value *out);

/*
 * Changing: exclusive batches only. The struct returned is the node's own, to be changed in place until
 * weir_batch_commit; asking for sizes, encoding, splitting or appending ends its use, too. New strings and arrays come
 * from weir_batch_arena (asked for anew after a split) or must outlive the batch. NULL when memory is out. Owner's
 * worker.
 */
WEIR_EXPORT struct weir_arena *weir_batch_arena(struct weir_batch *batch);
WEIR_EXPORT struct weir_resource *weir_group_edit_resource(struct weir_group *group);
WEIR_EXPORT struct weir_scope *weir_scope_group_edit_scope(struct weir_scope_group *scope);
WEIR_EXPORT struct weir_span *weir_entry_edit_span(struct weir_entry *entry);
WEIR_EXPORT struct weir_log_record *weir_entry_edit_log_record(struct weir_entry *entry);
/* Points may be changed, reordered or dropped (lower point_count); item counts follow at weir_batch_commit. */
WEIR_EXPORT struct weir_metric *weir_entry_edit_metric(struct weir_entry *entry);

/* Take a node out of the batch, with all that is below it; its structs must not be used afterwards. */
WEIR_EXPORT void weir_group_remove(struct weir_group *group);
WEIR_EXPORT void weir_scope_group_remove(struct weir_scope_group *scope);
WEIR_EXPORT void weir_entry_remove(struct weir_entry *entry);

/* New nodes, behind those that are there; false and NULL when memory is out. The schema URL is copied. */
WEIR_EXPORT struct weir_group *weir_batch_add_group(struct weir_batch *batch, struct weir_str schema_url);
WEIR_EXPORT struct weir_scope_group *weir_group_add_scope(struct weir_group *group, struct weir_str schema_url);
WEIR_EXPORT struct weir_span *weir_scope_group_add_span(struct weir_scope_group *scope);
WEIR_EXPORT struct weir_metric *weir_scope_group_add_metric(struct weir_scope_group *scope);
WEIR_EXPORT struct weir_log_record *weir_scope_group_add_log_record(struct weir_scope_group *scope);

/* To be called once after changes and before the batch is passed on: counts items anew. O(changed nodes). */
WEIR_EXPORT void weir_batch_commit(struct weir_batch *batch);

WEIR_END

#endif
