// SPDX-License-Identifier: Apache-2.0
/*
 * Splitting: whole chunks move over, at most one is cut.
 */
#include <config.h>

#include "sdk/src/otlp/field.h"

/* The head's share of the memory permit, by encoded size. */
static void share_permit(struct weir_batch *batch, struct weir_batch *head)
{
    if (batch->permit == 0)
        return;
    double part = (double)weir_batch_bytes(head);
    double whole = part + (double)weir_batch_bytes(batch);
    size_t permit = whole > 0 ? (size_t)((double)batch->permit * (part / whole)) : 0;
    head->permit = permit < batch->permit ? permit : batch->permit;
    batch->permit -= head->permit;
}

struct weir_batch *weir_batch_split(struct weir_batch *batch, size_t items)
{
    if (batch->uncounted)
        weir_batch_commit(batch);
    if (batch->signal == WEIR_PROFILES || items == 0 || items >= batch->items)
        return NULL;
    struct weir_batch *head = weir_batch_new(batch->signal);
    if (!head)
        return NULL;
    size_t left = items, whole = 0;
    struct otlp_chunk *chunk = batch->first;
    for (; left > 0 && chunk->items <= left; chunk = chunk->next) {
        left -= chunk->items;
        whole++;
    }
    struct otlp_chunk *piece = NULL;
    if (left > 0) {
        size_t before = chunk->size;
        piece = otlp_chunk_cut(chunk, left, head);
        if (!piece) {
            weir_batch_unref(head);
            return NULL;
        }
        batch->items -= left;
        batch->size = batch->size - before + chunk->size;
    }
    otlp_chunks_move(batch, head, whole);
    if (piece)
        otlp_chunk_link(head, piece);
    otlp_batch_leave_pool(batch);
    weir_batch_set_context(head, batch->context);
    share_permit(batch, head);
    return head;
}
