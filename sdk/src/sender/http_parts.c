// SPDX-License-Identifier: Apache-2.0
/* A batch as several HTTP requests, and what their answers come to. */
#include <config.h>

#include <stdlib.h>

#include <weir/http_exporter.h>

/* Of an answer's body, what is told of it. */
#define ANSWER_SHOWN 1024

static struct weir_http_part *part_at(const struct weir_http_parts *parts, size_t index)
{
    return (struct weir_http_part *)(void *)(parts->slots + index * parts->type->part_size);
}

void weir_http_parts_init(struct weir_http_parts *parts, const struct weir_http_parts_type *type,
                          struct weir_shard *shard, struct weir_attempt *attempt, size_t parallel)
{
    *parts = (struct weir_http_parts){
        .type = type,
        .attempt = attempt,
        .client = weir_shard_data(shard),
        .parallel = parallel,
        .slots = weir_xcalloc(parallel, type->part_size),
    };
}

static void free_parts(struct weir_http_parts *parts)
{
    for (size_t i = 0; i < parts->parallel; i++)
        weir_slices_free(&part_at(parts, i)->request.body);
    free(parts->slots);
    weir_text_free(&parts->rejection);
    weir_text_free(&parts->failure_text);
    parts->type->free(parts);
}

/* Every request has been answered, or need not be sent any more. */
static void finish(struct weir_http_parts *parts)
{
    struct weir_attempt *attempt = parts->attempt;
    const char *rejection = weir_text_string(&parts->rejection);
    if (parts->failure.outcome == WEIR_RETRYABLE) {
        parts->failure.reason = weir_text_string(&parts->failure_text);
        weir_attempt_done(attempt, &parts->failure);
    } else if (parts->too_large) {
        weir_attempt_too_large(attempt, &WEIR_RESULT_PERMANENT(rejection));
    } else if (parts->rejection.length && !parts->delivered) {
        weir_attempt_done(attempt, &WEIR_RESULT_PERMANENT(rejection));
    } else {
        struct weir_partial_success partial = { .rejected = (int64_t)parts->rejected,
                                                .message = weir_text_view(&parts->rejection) };
        weir_attempt_rejected(attempt, &partial);
        weir_attempt_done(attempt, &WEIR_RESULT_OK);
    }
    free_parts(parts);
}

/* --- what there is to tell --- */

static void fail(struct weir_http_parts *parts, int status, int64_t retry_after, const char *reason)
{
    if (parts->failure.outcome == WEIR_RETRYABLE)
        return;
    parts->failure = (struct weir_result){ .outcome = WEIR_RETRYABLE,
                                           .retry_after = retry_after,
                                           .grpc_code = status ? weir_status_code_of_http(status) : 0 };
    weir_text_adds(&parts->failure_text, reason);
}

void weir_http_parts_fail(struct weir_http_parts *parts, const char *reason)
{
    fail(parts, 0, 0, reason);
}

void weir_http_parts_reject(struct weir_http_parts *parts, uint64_t items, const char *reason)
{
    parts->rejected += items;
    if (parts->rejection.length == 0)
        weir_text_adds(&parts->rejection, reason);
}

void weir_http_parts_too_large(struct weir_http_parts *parts, const char *reason)
{
    parts->too_large = true;
    weir_http_parts_reject(parts, 0, reason);
}

static struct weir_str first_line(struct weir_str body)
{
    body = weir_str_trim(body);
    if (body.length > ANSWER_SHOWN)
        body.length = ANSWER_SHOWN;
    const char *end = body.length ? memchr(body.data, '\n', body.length) : NULL;
    return weir_str_make(body.data, end ? (size_t)(end - body.data) : body.length);
}

static void refused(struct weir_http_part *part, const struct weir_http_response *response)
{
    struct weir_http_parts *parts = part->parts;
    struct weir_text reason = { 0 };
    weir_text_addf(&reason, "%s %d: %.*s", parts->type->refusal, response->status,
                   WEIR_STR_ARG(first_line(response->body)));
    if (response->status >= 500 || response->status == 429) {
        fail(parts, response->status, weir_http_retry_after(response), weir_text_string(&reason));
    } else {
        parts->too_large = parts->too_large || (parts->type->splits && response->status == 413);
        weir_http_parts_reject(parts, part->items, weir_text_string(&reason));
    }
    weir_text_free(&reason);
}

/* --- requests --- */

static void on_done(struct weir_http_request *request, const struct weir_http_response *response)
{
    struct weir_http_part *part = WEIR_CONTAINER_OF(request, struct weir_http_part, request);
    struct weir_http_parts *parts = part->parts;
    weir_slices_clear(&request->body);
    part->busy = false;
    parts->busy--;
    if (response->status == 0 && response->unauthenticated)
        weir_http_parts_reject(parts, part->items, response->error);
    else if (response->status == 0)
        fail(parts, 0, 0, response->error);
    else if (response->status >= 200 && response->status <= 299)
        parts->delivered = true;
    else
        refused(part, response);
    weir_http_parts_send(parts);
}

static struct weir_http_part *idle_part(const struct weir_http_parts *parts)
{
    for (size_t i = 0; i < parts->parallel; i++) {
        if (!part_at(parts, i)->busy)
            return part_at(parts, i);
    }
    return NULL;
}

/* false: there is nothing more to send. */
static bool send_next(struct weir_http_parts *parts, struct weir_http_part *part)
{
    struct weir_error error = WEIR_ERROR_INIT;
    part->parts = parts;
    part->request.method = "POST";
    part->request.context = weir_batch_context(parts->attempt->batch);
    part->request.done = on_done;
    int made = parts->type->make(parts, part, &error);
    if (made > 0) {
        part->busy = true;
        parts->busy++;
        weir_http_client_send(parts->client, &part->request);
    } else if (made < 0) {
        fail(parts, 0, 0, weir_error_text(&error));
    }
    weir_error_free(&error);
    return made > 0;
}

void weir_http_parts_send(struct weir_http_parts *parts)
{
    struct weir_http_part *part;
    while (!parts->ended && parts->failure.outcome != WEIR_RETRYABLE && !parts->too_large && (part = idle_part(parts)))
        parts->ended = !send_next(parts, part);
    if (parts->busy == 0)
        finish(parts);
}
