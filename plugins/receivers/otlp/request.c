// SPDX-License-Identifier: Apache-2.0
/*
 * What requests of both protocols have in common: memory, context, the way down.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/memory.h>

#include "plugins/receivers/otlp/receiver.h"

bool otlp_request_admit(struct otlp_request *request, size_t bytes, struct weir_result *refusal)
{
    if (!weir_shard_admit(request->shard, request->signal, bytes, refusal))
        return false;
    request->admitted += bytes;
    return true;
}

void otlp_request_free(struct otlp_request *request)
{
    if (!request)
        return;
    weir_memory_release(request->admitted);
    free(request);
}

void otlp_request_send(struct otlp_request *request, struct weir_batch *batch, size_t body_length,
                       struct weir_context *context)
{
    // The batch keeps the memory of what it was made from; that of the compressed body is free again.
    size_t kept = body_length < request->admitted ? body_length : request->admitted;
    weir_memory_release(request->admitted - kept);
    request->admitted = 0;
    weir_batch_add_permit(batch, kept);
    weir_batch_set_context(batch, context);
    weir_context_unref(context);
    weir_shard_send(request->shard, batch, &request->ack);
}

struct weir_context *otlp_context(const char *transport, struct weir_str peer,
                                  const struct weir_http_header *headers, size_t count,
                                  const struct weir_metadata *attributes, size_t attribute_count)
{
    struct weir_metadata *metadata = count > 0 ? weir_xcalloc(count, sizeof(*metadata)) : NULL;
    for (size_t i = 0; i < count; i++)
        metadata[i] = (struct weir_metadata){ headers[i].name, headers[i].value };
    struct weir_context *context =
        weir_context_new_authenticated(transport, peer, metadata, count, attributes, attribute_count);
    free(metadata);
    return context;
}
