// SPDX-License-Identifier: Apache-2.0
/*
 * Calls of the gRPC client from send to done: which connection they get, timeouts, waiting or failing without
 * one.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/grpc/client.h"

/* --- queues --- */

static void push(struct weir_grpc_queue *queue, struct weir_grpc_stream *stream)
{
    stream->next_queued = NULL;
    if (queue->last)
        queue->last->next_queued = stream;
    else
        queue->first = stream;
    queue->last = stream;
    queue->count++;
}

static struct weir_grpc_stream *pop(struct weir_grpc_queue *queue)
{
    struct weir_grpc_stream *stream = queue->first;
    if (!stream)
        return NULL;
    queue->first = stream->next_queued;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    return stream;
}

static void drop(struct weir_grpc_queue *queue, struct weir_grpc_stream *stream)
{
    struct weir_grpc_queue rest = { 0 };
    struct weir_grpc_stream *other;
    while ((other = pop(queue)))
        if (other != stream)
            push(&rest, other);
    *queue = rest;
}

/* --- the end of calls --- */

/* Tells the caller and frees the stream. */
static void answer(struct weir_grpc_stream *stream)
{
    struct weir_grpc_client *client = stream->client;
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        client->streams = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    client->pending--;
    weir_timer_stop(&stream->timeout);
    stream->request->stream = NULL;

    struct weir_grpc_response response = {
        .code = stream->code,
        .answered = stream->answered,
        .message = weir_str_of(stream->message),
        .has_retry_info = stream->has_retry_info,
        .retry_delay = stream->retry_delay,
    };
    if (stream->details)
        response.details = weir_str_make((char *)stream->details->data, stream->details->length);
    if (stream->code == WEIR_GRPC_OK && stream->body)
        response.body = weir_str_make((char *)stream->body->data, stream->body->length);
    else if (stream->code == WEIR_GRPC_OK && stream->received)
        response.body = weir_str_make((char *)stream->received->data + 5, stream->received->length - 5);
    stream->request->done(stream->request, &response);

    weir_buffer_unref(stream->received);
    weir_buffer_unref(stream->details);
    weir_buffer_unref(stream->body);
    auth_headers_free(&stream->headers);
    free(stream->message);
    free(stream);
}

static void set_result(struct weir_grpc_stream *stream, int code, const char *message)
{
    free(stream->message);
    stream->code = code;
    stream->message = weir_xstrdup(message);
}

void weir_grpc_stream_finish(struct weir_grpc_stream *stream, int code, const char *format, ...)
{
    struct weir_text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    set_result(stream, code, weir_text_string(&text));
    weir_text_free(&text);
    stream->state = WEIR_GRPC_STREAM_FINISHED;
    push(&stream->client->finished, stream);
    if (!weir_timer_active(&stream->client->settle))
        weir_timer_start(&stream->client->settle, 0);
}

void weir_grpc_client_settle(struct weir_grpc_client *client)
{
    if (client->settling)
        return; /* the outer loop goes on */
    client->settling = true;
    struct weir_grpc_stream *stream;
    while ((stream = pop(&client->finished)))
        answer(stream);
    client->settling = false;
    if (client->freed)
        free(client);
}

static void settle_now(struct weir_timer *timer)
{
    weir_grpc_client_settle(WEIR_CONTAINER_OF(timer, struct weir_grpc_client, settle));
}

/* Ends the stream now, wherever it is. */
static void end_now(struct weir_grpc_stream *stream, int code, const char *message)
{
    if (stream->state == WEIR_GRPC_STREAM_WAITS)
        drop(&stream->client->waiting, stream);
    else if (stream->state == WEIR_GRPC_STREAM_FINISHED)
        drop(&stream->client->finished, stream);
    else if (stream->link)
        weir_grpc_link_abort(stream->link, stream);
    set_result(stream, code, message);
    answer(stream);
}

static void timed_out(struct weir_timer *timer)
{
    struct weir_grpc_stream *stream = WEIR_CONTAINER_OF(timer, struct weir_grpc_stream, timeout);
    if (stream->state == WEIR_GRPC_STREAM_FINISHED)
        return;
    if (stream->state == WEIR_GRPC_STREAM_WAITS) {
        const struct weir_grpc_channel *channel = stream->client->channels;
        const char *last = stream->client->lookup_error;
        if (channel && channel->error)
            last = channel->error;
        char *message =
            weir_xasprintf("context deadline exceeded while waiting for connections to become ready%s%s",
                           last ? ": last connection error: " : "", last ? last : "");
        end_now(stream, WEIR_GRPC_DEADLINE_EXCEEDED, message);
        free(message);
        return;
    }
    end_now(stream, WEIR_GRPC_DEADLINE_EXCEEDED, "context deadline exceeded");
}

/* --- finding a connection --- */

/* The next connection that takes a call, in turn. */
static struct weir_grpc_link *pick(struct weir_grpc_client *client)
{
    struct weir_grpc_channel *start = client->turn ? client->turn : client->channels, *at = start;
    while (at) {
        struct weir_grpc_channel *next = at->next ? at->next : client->channels;
        if (at->state == WEIR_GRPC_READY && weir_grpc_link_has_room(at->link)) {
            client->turn = next;
            return at->link;
        }
        if (next == start)
            break;
        at = next;
    }
    return NULL;
}

/* Why there will be no connection soon; NULL: there may be. */
static const char *failure_of(const struct weir_grpc_client *client)
{
    if (!client->channels)
        return client->lookup_error;
    const char *error = NULL;
    for (const struct weir_grpc_channel *channel = client->channels; channel; channel = channel->next) {
        if (!channel->failed)
            return NULL;
        error = channel->error;
    }
    return error;
}

void weir_grpc_client_dispatch(struct weir_grpc_client *client)
{
    struct weir_grpc_link *link;
    while (client->waiting.count > 0 && (link = pick(client)))
        weir_grpc_link_start(link, pop(&client->waiting));
    const char *error = client->target->options->wait_for_ready ? NULL : failure_of(client);
    while (error && client->waiting.count > 0)
        weir_grpc_stream_finish(pop(&client->waiting), WEIR_GRPC_UNAVAILABLE,
                                "connection error: desc = \"transport: Error while dialing: %s\"", error);
}

static void wait(struct weir_grpc_stream *stream)
{
    stream->state = WEIR_GRPC_STREAM_WAITS;
    push(&stream->client->waiting, stream);
}

void weir_grpc_stream_resend(struct weir_grpc_stream *stream, const char *why)
{
    if (stream->resent) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_UNAVAILABLE, "%s", why);
        return;
    }
    stream->resent = true;
    weir_buffer_unref(stream->received);
    stream->received = NULL;
    wait(stream); /* dispatched once the event is over */
}

void weir_grpc_client_send(struct weir_grpc_client *client, struct weir_grpc_request *request)
{
    struct weir_grpc_stream *stream = weir_xcalloc(1, sizeof *stream);
    stream->client = client;
    stream->request = request;
    request->stream = stream;
    stream->next = client->streams;
    if (stream->next)
        stream->next->previous = stream;
    client->streams = stream;
    client->pending++;
    weir_timer_init(&stream->timeout, client->worker, timed_out);
    if (request->timeout > 0)
        weir_timer_start(&stream->timeout, request->timeout);
    struct weir_error error = WEIR_ERROR_INIT;
    if (weir_grpc_call_authenticate(stream, &error) != 0) {
        weir_grpc_stream_finish(stream, WEIR_GRPC_UNAUTHENTICATED,
                                "transport: per-RPC creds failed due to error: %s", weir_error_text(&error));
    } else {
        wait(stream);
        weir_grpc_client_dispatch(client);
    }
    weir_error_free(&error);
}

void weir_grpc_request_cancel(struct weir_grpc_request *request, const char *reason)
{
    if (request->stream)
        end_now(request->stream, WEIR_GRPC_CANCELLED, reason);
}

size_t weir_grpc_client_pending(const struct weir_grpc_client *client)
{
    return client->pending;
}

/* --- the client --- */

struct weir_grpc_client *weir_grpc_client_new(struct weir_worker *worker,
                                              const struct weir_grpc_target *target)
{
    struct weir_grpc_client *client = weir_xcalloc(1, sizeof *client);
    client->worker = worker;
    client->target = target;
    client->random = (uint64_t)weir_wall_clock() ^ (uint64_t)(uintptr_t)client;
    weir_timer_init(&client->settle, worker, settle_now);
    weir_grpc_resolve_start(client);
    return client;
}

void weir_grpc_client_free(struct weir_grpc_client *client)
{
    if (!client)
        return;
    while (client->streams)
        end_now(client->streams, WEIR_GRPC_CANCELLED, "the client was closed");
    weir_grpc_resolve_stop(client);
    weir_timer_stop(&client->settle);
    for (struct weir_grpc_channel *next, *channel = client->channels; channel; channel = next) {
        next = channel->next;
        weir_grpc_channel_free(channel);
    }
    for (struct weir_grpc_link *link = client->links; link; link = link->next) {
        weir_grpc_link_close(link);
        link->client = NULL;
    }
    free(client->lookup_error);
    client->freed = true;
    if (!client->settling)
        free(client);
}
