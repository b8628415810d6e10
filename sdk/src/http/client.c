// SPDX-License-Identifier: Apache-2.0
/*
 * Calls of the HTTP client from send to done: timeouts, redirects, errors.
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>

#include "sdk/src/http/client.h"

/* Frees the call, after taking it out of every list. */
static void forget(struct weir_http_call *call)
{
    struct weir_http_client *client = call->client;
    if (call->previous)
        call->previous->next = call->next;
    else
        client->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
    client->pending--;
    weir_timer_stop(&call->timeout);
    call->request->call = NULL;
}

static void free_call(struct weir_http_call *call)
{
    weir_http_reply_free(&call->reply);
    weir_url_free(&call->redirected);
    auth_headers_free(&call->headers);
    free(call->failure);
    free(call);
}

static void answer(struct weir_http_call *call)
{
    forget(call);
    struct weir_http_response response = {
        .status = call->reply.status,
        .headers = call->reply.headers.items,
        .header_count = call->reply.headers.count,
        .body = call->reply.body ? weir_str_make((char *)call->reply.body->data, call->reply.body->length)
                                 : WEIR_STR_NONE,
        .truncated = call->reply.truncated,
    };
    call->request->done(call->request, &response);
    free_call(call);
}

/* "failed to make an HTTP request: Post "http://h/": why" */
static void answer_failure(struct weir_http_call *call, const char *why)
{
    forget(call);
    struct weir_text text = { 0 };
    const char *method = call->request->method;
    weir_text_addf(&text, "failed to make an HTTP request: %c", method[0]);
    for (const char *at = method + 1; *method && *at; at++)
        weir_text_addc(&text, (char)tolower((unsigned char)*at));
    weir_text_addf(&text, " \"%s\": %s", weir_http_call_url(call)->text, why);
    struct weir_http_response response = { .error = text.data, .unauthenticated = call->refused };
    call->request->done(call->request, &response);
    weir_text_free(&text);
    free_call(call);
}

/* Takes the call, which is not answered, off whatever it is on. */
static void detach(struct weir_http_call *call)
{
    if (call->state == WEIR_HTTP_CALL_WAITS)
        weir_http_pool_leave(call);
    else if (call->state == WEIR_HTTP_CALL_FINISHED)
        weir_http_queue_remove(&call->client->finished, call);
    else if (call->link)
        weir_http_link_abort(call->link, call);
}

static void finish_soon(struct weir_http_call *call)
{
    call->state = WEIR_HTTP_CALL_FINISHED;
    weir_http_queue_push(&call->client->finished, call);
    if (!weir_timer_active(&call->client->settle))
        weir_timer_start(&call->client->settle, 0);
}

void weir_http_call_complete_soon(struct weir_http_call *call)
{
    finish_soon(call);
}

void weir_http_call_fail(struct weir_http_call *call, const char *format, ...)
{
    struct weir_text text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    call->failure = weir_text_steal(&text);
    finish_soon(call);
}

/* Points the call at `url`, which it takes over, and starts it anew. */
static void follow(struct weir_http_call *call, struct weir_url url)
{
    const struct weir_url *from = weir_http_call_url(call);
    if (strcasecmp(from->host, url.host) != 0 || from->port != url.port)
        call->foreign = true;
    weir_url_free(&call->redirected);
    call->redirected = url;
    call->redirects++;
    call->resent = false;
    weir_http_reply_free(&call->reply);
    weir_http_pool_start(call);
}

/* A redirect that repeats the request as it is; true: it is followed, or the call has failed. */
static bool redirect(struct weir_http_call *call)
{
    int status = call->reply.status;
    bool simple = strcmp(call->request->method, "GET") == 0 || strcmp(call->request->method, "HEAD") == 0;
    /* 301 to 303 would turn another method into a GET, whose success says nothing about what was to be sent.
     */
    if (status != 307 && status != 308 && !(simple && (status == 301 || status == 302 || status == 303)))
        return false;
    struct weir_str location = headers_get(&call->reply.headers, "location");
    if (location.length == 0)
        return false;
    struct weir_url url;
    struct weir_error error = WEIR_ERROR_INIT;
    if (weir_url_resolve(weir_http_call_url(call), location, &url, &error) < 0) {
        char *why = weir_xasprintf("failed to parse Location header: %s", weir_error_text(&error));
        weir_error_free(&error);
        answer_failure(call, why);
        free(why);
        return true;
    }
    bool downgrade = weir_http_call_url(call)->https && !url.https;
    bool no_tls = url.https && !call->client->transport->tls;
    if (downgrade || no_tls || call->redirects >= WEIR_HTTP_REDIRECTS_MAX) {
        weir_url_free(&url);
        if (!no_tls && !downgrade)
            answer_failure(call, "stopped after 10 redirects");
        return !no_tls && !downgrade;
    }
    follow(call, url);
    return true;
}

void weir_http_call_complete(struct weir_http_call *call)
{
    if (!redirect(call))
        answer(call);
}

void weir_http_client_settle(struct weir_http_client *client)
{
    if (client->settling)
        return; /* the outer loop goes on */
    client->settling = true;
    struct weir_http_call *call;
    while ((call = weir_http_queue_pop(&client->finished))) {
        call->state = WEIR_HTTP_CALL_RUNS;
        if (call->failure)
            answer_failure(call, call->failure);
        else
            weir_http_call_complete(call);
    }
    client->settling = false;
    if (client->freed)
        free(client);
}

static void settle_now(struct weir_timer *timer)
{
    weir_http_client_settle(WEIR_CONTAINER_OF(timer, struct weir_http_client, settle));
}

static void timed_out(struct weir_timer *timer)
{
    struct weir_http_call *call = WEIR_CONTAINER_OF(timer, struct weir_http_call, timeout);
    if (call->state == WEIR_HTTP_CALL_FINISHED)
        return;
    bool headers = call->reply.status > 0;
    detach(call);
    answer_failure(
        call, headers
                  ? "context deadline exceeded (Client.Timeout or context cancellation while reading body)"
                  : "context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
}

void weir_http_client_send(struct weir_http_client *client, struct weir_http_request *request)
{
    struct weir_http_call *call = weir_xcalloc(1, sizeof *call);
    call->client = client;
    call->request = request;
    request->call = call;
    call->next = client->calls;
    if (call->next)
        call->next->previous = call;
    client->calls = call;
    client->pending++;
    weir_timer_init(&call->timeout, client->worker, timed_out);
    if (request->timeout > 0)
        weir_timer_start(&call->timeout, request->timeout);
    struct weir_error error = WEIR_ERROR_INIT;
    if (request->url->https && !client->transport->tls) {
        weir_http_call_fail(call, "TLS was not set up for this client");
    } else if (weir_http_head_authenticate(call, &error) != 0) {
        call->refused = true;
        weir_http_call_fail(call, "%s", weir_error_text(&error));
    } else {
        weir_http_pool_start(call);
    }
    weir_error_free(&error);
}

void weir_http_request_cancel(struct weir_http_request *request, const char *reason)
{
    struct weir_http_call *call = request->call;
    if (!call)
        return;
    detach(call);
    answer_failure(call, reason);
}

size_t weir_http_client_pending(const struct weir_http_client *client)
{
    return client->pending;
}

struct weir_http_client *weir_http_client_new(struct weir_worker *worker,
                                              const struct weir_http_transport *transport)
{
    struct weir_http_client *client = weir_xcalloc(1, sizeof *client);
    client->worker = worker;
    client->transport = transport;
    client->random = (uint64_t)weir_wall_clock() ^ (uint64_t)(uintptr_t)client;
    weir_timer_init(&client->settle, worker, settle_now);
    return client;
}

void weir_http_client_free(struct weir_http_client *client)
{
    if (!client)
        return;
    while (client->calls)
        weir_http_request_cancel(client->calls->request, "the client was closed");
    weir_timer_stop(&client->settle);
    weir_http_pool_free(client);
    client->freed = true;
    if (!client->settling)
        free(client);
}
