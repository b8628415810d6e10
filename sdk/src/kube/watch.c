// SPDX-License-Identifier: Apache-2.0
/*
 * A collection followed: one request after the other, first the pages of a list, then watches, each from where the one before
 * it ended.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "sdk/src/base/encoding.h"
#include "sdk/src/base/random.h"
#include "sdk/src/kube/kube.h"

#define SECOND INT64_C(1000000000)
#define PAGE_MAX ((size_t)64 << 20)
#define LINE_MAX_BYTES ((size_t)8 << 20)
#define PAGE_OBJECTS 500
#define DEFAULT_TIMEOUT (300 * SECOND)
/* What an answer may take longer than the server was told. */
#define GRACE (30 * SECOND)
#define WAIT_MAX (30 * SECOND)
/* A watch that ends so soon is not begun again at once. */
#define SHORT SECOND
/* A server that has answered for so long was not down just now. */
#define LONG (10 * SECOND)
#define GONE 410

struct weir_kube_watch {
    struct weir_kube *kube;
    struct weir_worker *worker;
    struct weir_kube_watch_options options; /* its texts are copies */
    struct weir_http_client *client;
    struct weir_http_request request;
    struct weir_http_header headers[2];
    struct weir_url url;
    char *authorization;
    struct weir_timer timer; /* for the next request */
    struct weir_buffer *bytes; /* the page, or the line, as far as it has come; may be NULL */
    struct weir_arena arena;
    char *version; /* of what was told; NULL: there is to be a list */
    char *more;    /* the rest of the list */
    bool listing, failing, freed;
    bool begun, expired;       /* what came of the request */
    struct weir_error problem; /* why the answer was not read to its end */
    int64_t began; /* the request */
    int64_t wait;  /* after the last failure */
    uint64_t random;
};

/* --- how it goes --- */

static void set_text(char **text, char *value)
{
    free(*text);
    *text = value;
}

static void again_in(struct weir_kube_watch *watch, int64_t delay)
{
    weir_timer_start(&watch->timer, delay);
}

/* The server answers as it should. */
static void recover(struct weir_kube_watch *watch)
{
    if (!watch->failing)
        return;
    watch->failing = false;
    weir_instance_fault(watch->kube->instance, watch, NULL);
    weir_log(weir_instance_logger(watch->kube->instance), WEIR_INFO, "The Kubernetes API answers again",
             WEIR_F_TEXT("path", watch->options.path));
}

/* The next try comes after a while, which doubles each time and is drawn from its second half. */
static void try_later(struct weir_kube_watch *watch)
{
    if (watch->begun && weir_worker_now(watch->worker) - watch->began >= LONG)
        watch->wait = 0;
    watch->wait = watch->wait == 0 ? SECOND : watch->wait * 2 < WAIT_MAX ? watch->wait * 2 : WAIT_MAX;
    again_in(watch, watch->wait / 2 + random_time(&watch->random, watch->wait / 2));
}

static void fail(struct weir_kube_watch *watch, const char *why)
{
    struct weir_instance *instance = watch->kube->instance;
    char *reason = weir_xasprintf("Kubernetes API: %s", why);
    watch->failing = true;
    weir_instance_fault(instance, watch, reason);
    weir_log(weir_instance_logger(instance), WEIR_WARN, "Cannot follow the Kubernetes API",
             WEIR_F_TEXT("path", watch->options.path), WEIR_F_TEXT("error", why));
    free(reason);
    try_later(watch);
}

/* What was told may be out of date: all of it is asked for anew. */
static void forget(struct weir_kube_watch *watch)
{
    set_text(&watch->version, NULL);
    set_text(&watch->more, NULL);
    watch->listing = false;
}

/* The server knows the version, or the rest of the list, no longer, which is nobody's fault. */
static void expire(struct weir_kube_watch *watch)
{
    weir_log(weir_instance_logger(watch->kube->instance), WEIR_INFO, "What the Kubernetes API told is too old: it is listed anew",
             WEIR_F_TEXT("path", watch->options.path));
    forget(watch);
    try_later(watch);
}

/* --- what comes --- */

static bool take_event(struct weir_kube_watch *watch, struct weir_str line)
{
    struct kube_event event;
    if (kube_read_event(line, &watch->arena, &event, &watch->problem) < 0) {
        forget(watch);
        return false;
    }
    if (event.change == KUBE_ERROR && event.code == GONE) {
        watch->expired = true;
        return false;
    }
    if (event.change == KUBE_ERROR) {
        weir_error_set(&watch->problem, "the watch ends: %.*s (%lld)", WEIR_STR_ARG(event.message), (long long)event.code);
        forget(watch);
        return false;
    }
    set_text(&watch->version, weir_str_dup(event.version));
    if (event.change == KUBE_PUT)
        watch->options.object(watch->options.user, &event.object);
    else if (event.change == KUBE_GONE)
        watch->options.gone(watch->options.user, &event.object);
    return true;
}

static bool keep(struct weir_kube_watch *watch, struct weir_str bytes, size_t limit)
{
    if (!watch->bytes && !(watch->bytes = weir_buffer_new(bytes.length))) {
        weir_error_set(&watch->problem, "out of memory");
        return false;
    }
    if (bytes.length > limit - watch->bytes->length) {
        weir_error_set(&watch->problem, "the answer is larger than %zu MiB", limit >> 20);
        forget(watch);
        return false;
    }
    if (weir_buffer_append(watch->bytes, bytes.data, bytes.length))
        return true;
    weir_error_set(&watch->problem, "out of memory");
    return false;
}

static void drop_bytes(struct weir_kube_watch *watch)
{
    weir_buffer_unref(watch->bytes);
    watch->bytes = NULL;
    weir_arena_free(&watch->arena);
}

/* Each event is a line. */
static bool take_lines(struct weir_kube_watch *watch, struct weir_str bytes)
{
    const char *end;
    while (bytes.length > 0 && (end = memchr(bytes.data, '\n', bytes.length))) {
        struct weir_str line = weir_str_make(bytes.data, (size_t)(end - bytes.data));
        bytes = weir_str_make(end + 1, bytes.length - line.length - 1);
        if (watch->bytes) {
            if (!keep(watch, line, LINE_MAX_BYTES))
                return false;
            line = weir_str_make((const char *)watch->bytes->data, watch->bytes->length);
        }
        bool taken = weir_str_trim(line).length == 0 || take_event(watch, line);
        drop_bytes(watch);
        if (!taken)
            return false;
    }
    return bytes.length == 0 || keep(watch, bytes, LINE_MAX_BYTES);
}

static bool on_piece(struct weir_http_request *request, struct weir_str bytes)
{
    struct weir_kube_watch *watch = WEIR_CONTAINER_OF(request, struct weir_kube_watch, request);
    return watch->version ? take_lines(watch, bytes) : keep(watch, bytes, PAGE_MAX);
}

/* A watch may be silent for long: that it began is what there is to know. */
static void on_begun(struct weir_http_request *request)
{
    struct weir_kube_watch *watch = WEIR_CONTAINER_OF(request, struct weir_kube_watch, request);
    watch->begun = true;
    if (watch->version)
        recover(watch);
}

static void tell(void *user, const struct weir_kube_object *object)
{
    struct weir_kube_watch *watch = user;
    watch->options.object(watch->options.user, object);
}

static void take_page(struct weir_kube_watch *watch)
{
    struct kube_page page;
    struct weir_str json = watch->bytes ? weir_str_make((const char *)watch->bytes->data, watch->bytes->length)
                                        : WEIR_STR_NONE;
    if (!watch->listing)
        watch->options.listing(watch->options.user);
    watch->listing = true;
    if (kube_read_page(json, &watch->arena, &page, tell, watch, &watch->problem) < 0) {
        forget(watch);
        fail(watch, weir_error_text(&watch->problem));
        return;
    }
    set_text(&watch->more, page.more.length > 0 ? weir_str_dup(page.more) : NULL);
    if (!watch->more) {
        set_text(&watch->version, weir_str_dup(page.version));
        watch->listing = false;
        watch->options.listed(watch->options.user);
        recover(watch);
    }
    again_in(watch, 0);
}

/* --- how requests end --- */

static void end_refused(struct weir_kube_watch *watch, const struct weir_http_response *response)
{
    if (response->status == GONE) {
        expire(watch);
        return;
    }
    struct weir_str message = kube_read_message(response->body, &watch->arena);
    char *why = weir_xasprintf("%s: HTTP status %d: %.*s", watch->options.path, response->status, WEIR_STR_ARG(message));
    // What the server only has no time for is still so.
    if (response->status != 429 && response->status < 500)
        forget(watch);
    fail(watch, why);
    free(why);
}

static void end_watch(struct weir_kube_watch *watch)
{
    if (weir_worker_now(watch->worker) - watch->began < SHORT) {
        fail(watch, "the watch ended at once");
        return;
    }
    watch->wait = 0;
    again_in(watch, 0);
}

static void on_done(struct weir_http_request *request, const struct weir_http_response *response)
{
    struct weir_kube_watch *watch = WEIR_CONTAINER_OF(request, struct weir_kube_watch, request);
    if (watch->freed)
        return;
    if (watch->expired)
        expire(watch);
    else if (weir_error_is_set(&watch->problem))
        fail(watch, weir_error_text(&watch->problem));
    else if (response->error)
        fail(watch, response->error);
    else if (response->status < 200 || response->status > 299)
        end_refused(watch, response);
    else if (watch->version)
        end_watch(watch);
    else
        take_page(watch);
    weir_error_free(&watch->problem);
    drop_bytes(watch);
}

/* --- requests --- */

static void add_parameter(struct weir_text *url, const char *name, const char *value)
{
    if (!value)
        return;
    weir_text_addf(url, "%c%s=", memchr(url->data, '?', url->length) ? '&' : '?', name);
    percent_add(url, weir_str_of(value));
}

static void print_url(const struct weir_kube_watch *watch, struct weir_text *url)
{
    char number[24];
    weir_text_addf(url, "%s%s", watch->kube->base, watch->options.path);
    add_parameter(url, "labelSelector", watch->options.labels);
    add_parameter(url, "fieldSelector", watch->options.fields);
    if (watch->version) {
        add_parameter(url, "watch", "true");
        add_parameter(url, "allowWatchBookmarks", "true");
        add_parameter(url, "resourceVersion", watch->version);
    } else {
        snprintf(number, sizeof(number), "%d", PAGE_OBJECTS);
        add_parameter(url, "limit", number);
        add_parameter(url, "continue", watch->more);
    }
    snprintf(number, sizeof(number), "%lld", (long long)((watch->options.timeout + SECOND - 1) / SECOND));
    add_parameter(url, "timeoutSeconds", number);
}

static void set_headers(struct weir_kube_watch *watch)
{
    size_t count = 0;
    watch->headers[count++] = (struct weir_http_header){ WEIR_STR("accept"), WEIR_STR("application/json") };
    if (watch->kube->token) {
        set_text(&watch->authorization, weir_xstrdup(weir_followed_value(watch->kube->token)));
        watch->headers[count++] = (struct weir_http_header){ WEIR_STR("authorization"), weir_str_of(watch->authorization) };
    }
    watch->request.headers = watch->headers;
    watch->request.header_count = count;
}

static void ask(struct weir_timer *timer)
{
    struct weir_kube_watch *watch = WEIR_CONTAINER_OF(timer, struct weir_kube_watch, timer);
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_text text = { .data = NULL };
    weir_url_free(&watch->url);
    print_url(watch, &text);
    if (weir_url_parse(weir_text_string(&text), &watch->url, &error) < 0) {
        fail(watch, weir_error_text(&error));
    } else {
        watch->began = weir_worker_now(watch->worker);
        watch->begun = watch->expired = false;
        watch->request = (struct weir_http_request){
            .method = "GET",
            .url = &watch->url,
            .timeout = watch->options.timeout + GRACE,
            .piece = on_piece,
            .begun = on_begun,
            .done = on_done,
        };
        set_headers(watch);
        weir_http_client_send(watch->client, &watch->request);
    }
    weir_text_free(&text);
    weir_error_free(&error);
}

/* --- life --- */

static char *copy(const char *text)
{
    return text ? weir_xstrdup(text) : NULL;
}

struct weir_kube_watch *weir_kube_watch_new(struct weir_kube *kube, struct weir_worker *worker,
                                            const struct weir_kube_watch_options *options)
{
    struct weir_kube_watch *watch = weir_xcalloc(1, sizeof(*watch));
    watch->kube = kube;
    watch->worker = worker;
    watch->options = *options;
    watch->options.path = weir_xstrdup(options->path);
    watch->options.labels = copy(options->labels);
    watch->options.fields = copy(options->fields);
    if (watch->options.timeout <= 0)
        watch->options.timeout = DEFAULT_TIMEOUT;
    watch->random = (uint64_t)weir_wall_clock() ^ (uint64_t)(uintptr_t)watch;
    watch->client = weir_http_client_new(worker, kube->transport);
    weir_timer_init(&watch->timer, worker, ask);
    again_in(watch, 0);
    return watch;
}

void weir_kube_watch_free(struct weir_kube_watch *watch)
{
    if (!watch)
        return;
    watch->freed = true;
    weir_timer_stop(&watch->timer);
    weir_http_client_free(watch->client);
    if (watch->failing)
        weir_instance_fault(watch->kube->instance, watch, NULL);
    forget(watch);
    drop_bytes(watch);
    weir_error_free(&watch->problem);
    weir_url_free(&watch->url);
    free(watch->authorization);
    free((char *)(uintptr_t)watch->options.path);
    free((char *)(uintptr_t)watch->options.labels);
    free((char *)(uintptr_t)watch->options.fields);
    free(watch);
}
