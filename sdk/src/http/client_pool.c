// SPDX-License-Identifier: Apache-2.0
/*
 * Which connection a call gets: a kept one, room on an HTTP/2 one, or a new one within the limits of the
 * options.
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/base/random.h"
#include "sdk/src/http/client.h"

#define DEFAULT_IDLE_PER_HOST 2
#define SPARE_TIMEOUT 1000000000LL /* nanoseconds that one more stays: bursts shall not connect anew each time */
#define RETRY_FIRST 1000000000LL /* nanoseconds */
#define RETRY_MAX 5000000000LL

static const struct weir_http_client_options *options_of(const struct weir_http_origin *origin)
{
    return origin->client->transport->options;
}

/* A connection stands that nothing has come from yet. */
static bool waits_for_a_word(const struct weir_http_origin *origin)
{
    for (const struct weir_http_link *link = origin->links; link; link = link->next)
        if (link->state != WEIR_HTTP_LINK_OPENING && !link->answered)
            return true;
    return false;
}

static size_t connections_wanted(const struct weir_http_origin *origin)
{
    if (origin->failures > 0 && waits_for_a_word(origin))
        return 0;
    /* While it may turn out that one HTTP/2 connection is enough, or that there is none to be had, open one and look. */
    bool probe = origin->failures > 0 || (origin->https && options_of(origin)->force_attempt_http2 &&
                                          origin->protocol != WEIR_HTTP_PROTOCOL_1);
    return probe && origin->waiting.count > 0 ? 1 : origin->waiting.count;
}

/* Opens connections for the calls that wait. */
static void open_links(struct weir_http_origin *origin)
{
    int64_t limit = options_of(origin)->max_conns_per_host;
    while (origin->opening_count < connections_wanted(origin) && !weir_timer_active(&origin->retry) &&
           (limit <= 0 || origin->link_count < (size_t)limit)) {
        struct weir_http_link *link = weir_http_link_open(origin);
        link->next = origin->links;
        if (link->next)
            link->next->previous = link;
        origin->links = link;
        origin->link_count++;
        origin->opening_count++;
    }
}

static void try_again(struct weir_timer *timer)
{
    struct weir_http_origin *origin = WEIR_CONTAINER_OF(timer, struct weir_http_origin, retry);
    struct weir_http_client *client = origin->client;
    int64_t wait = 0;
    if (!origin->paced && origin->waiting.count > 0)
        wait = weir_pace_take(client->transport->pace, weir_worker_now(client->worker));
    origin->paced = wait > 0;
    if (wait > 0)
        weir_timer_start(&origin->retry, wait);
    else
        open_links(origin);
}

/* The name has other addresses now: connections to those that are gone end behind their calls. */
static void addresses_changed(struct weir_resolve *resolve, const struct weir_sockaddr *addresses, size_t count,
                              const char *error)
{
    struct weir_http_origin *origin = WEIR_CONTAINER_OF(resolve, struct weir_http_origin, resolve);
    (void)error;
    for (struct weir_http_link *next, *link = count > 0 ? origin->links : NULL; link; link = next) {
        bool there = link->state == WEIR_HTTP_LINK_OPENING;
        next = link->next;
        for (size_t i = 0; i < count && !there; i++) {
            char *text = weir_sockaddr_text(&addresses[i]);
            there = strcmp(text, weir_conn_peer(link->conn)) == 0;
            free(text);
        }
        if (!there)
            weir_http_link_retire(link);
    }
}

static void follow_addresses(struct weir_http_origin *origin)
{
    struct weir_sockaddr *numbers = NULL;
    if (origin->resolve.answer || origin->proxy)
        return;
    origin->resolve.answer = addresses_changed;
    if (weir_resolve_number(origin->host, WEIR_TCP, origin->port, &numbers) == 0)
        weir_resolve_start(origin->client->worker, origin->host, WEIR_TCP, origin->port, &origin->resolve);
    free(numbers);
}

static struct weir_http_origin *find_origin(struct weir_http_client *client, const struct weir_url *url)
{
    for (struct weir_http_origin *origin = client->origins; origin; origin = origin->next)
        if (origin->https == url->https && origin->port == url->port && strcmp(origin->host, url->host) == 0)
            return origin;
    struct weir_http_origin *origin = weir_xcalloc(1, sizeof *origin);
    origin->client = client;
    origin->https = url->https;
    origin->host = weir_xstrdup(url->host);
    origin->port = url->port;
    origin->proxy = weir_proxies_pick(&client->transport->proxies, url->https, url->host, url->port);
    weir_timer_init(&origin->retry, client->worker, try_again);
    origin->next = client->origins;
    client->origins = origin;
    return origin;
}

static void take_from_idle(struct weir_http_link *link)
{
    link->origin->idle_count--;
    link->client->idle_links--;
    link->state = WEIR_HTTP_LINK_BUSY;
}

static void run(struct weir_http_link *link, struct weir_http_call *call)
{
    call->state = WEIR_HTTP_CALL_RUNS;
    weir_http_link_start(link, call);
}

void weir_http_pool_start(struct weir_http_call *call)
{
    struct weir_http_origin *origin = find_origin(call->client, weir_http_call_url(call));
    call->origin = origin;
    for (struct weir_http_link *next, *link = origin->links; link; link = next) {
        next = link->next;
        if (weir_http_link_is_old(link))
            continue;
        if (link->state == WEIR_HTTP_LINK_IDLE && !call->resent) {
            take_from_idle(link);
            run(link, call);
            return;
        }
        if (weir_http_link_has_room(link)) {
            run(link, call);
            return;
        }
    }
    call->state = WEIR_HTTP_CALL_WAITS;
    weir_http_queue_push(&origin->waiting, call);
    open_links(origin);
}

void weir_http_pool_leave(struct weir_http_call *call)
{
    weir_http_queue_remove(&call->origin->waiting, call);
}

/* More idle connections to the host than the options want. */
static bool has_spares(const struct weir_http_origin *origin)
{
    int64_t per_host = options_of(origin)->max_idle_conns_per_host;
    return origin->idle_count > (per_host <= 0 ? DEFAULT_IDLE_PER_HOST : (size_t)per_host);
}

/* More idle connections than the options want, to all hosts: the oldest of this one goes. */
static void trim_idle(struct weir_http_origin *origin)
{
    const struct weir_http_client_options *options = options_of(origin);
    if (options->max_idle_conns <= 0 || origin->client->idle_links <= (size_t)options->max_idle_conns)
        return;
    struct weir_http_link *oldest = NULL;
    for (struct weir_http_link *link = origin->links; link; link = link->next)
        if (link->state == WEIR_HTTP_LINK_IDLE)
            oldest = link;
    if (oldest)
        weir_http_link_close(oldest, NULL);
}

static void start_idle_timer(struct weir_http_link *link)
{
    int64_t timeout = options_of(link->origin)->idle_conn_timeout.ns;
    if (timeout > 0 && !weir_timer_active(&link->idle))
        weir_timer_start(&link->idle, timeout);
}

static void keep_idle(struct weir_http_link *link)
{
    link->state = WEIR_HTTP_LINK_IDLE;
    link->origin->idle_count++;
    link->client->idle_links++;
    int64_t timeout = options_of(link->origin)->idle_conn_timeout.ns;
    link->spare = has_spares(link->origin) && (timeout <= 0 || timeout > SPARE_TIMEOUT);
    if (link->spare)
        weir_timer_start(&link->idle, SPARE_TIMEOUT);
    else
        start_idle_timer(link);
    trim_idle(link->origin);
}

bool weir_http_pool_keeps(struct weir_http_link *link)
{
    if (!link->spare || has_spares(link->origin))
        return false;
    link->spare = false;
    start_idle_timer(link);
    return true;
}

void weir_http_pool_ready(struct weir_http_link *link)
{
    struct weir_http_origin *origin = link->origin;
    if (link->state == WEIR_HTTP_LINK_OPENING) {
        origin->opening_count--;
        link->state = link->h2 ? WEIR_HTTP_LINK_MULTIPLEX : WEIR_HTTP_LINK_BUSY;
        follow_addresses(origin);
    }
    if (link->h2) {
        while (origin->waiting.count > 0 && weir_http_link_has_room(link))
            run(link, weir_http_queue_pop(&origin->waiting));
        if (!weir_http_h2_busy(link->h2))
            start_idle_timer(link);
    } else if (link->retiring || weir_http_link_is_old(link)) {
        weir_http_link_close(link, NULL);
    } else {
        struct weir_http_call *call = weir_http_queue_pop(&origin->waiting);
        if (call)
            run(link, call);
        else
            keep_idle(link);
    }
    open_links(origin);
}

void weir_http_pool_gone(struct weir_http_link *link)
{
    struct weir_http_origin *origin = link->origin;
    if (link->state == WEIR_HTTP_LINK_OPENING)
        origin->opening_count--;
    if (link->state == WEIR_HTTP_LINK_IDLE)
        take_from_idle(link);
    origin->link_count--;
    if (link->previous)
        link->previous->next = link->next;
    else
        origin->links = link->next;
    if (link->next)
        link->next->previous = link->previous;
    link->next = link->previous = NULL;
    link->state = WEIR_HTTP_LINK_GONE;
    open_links(origin);
}

/* A pause that grows with every failure, from the whole of it to a quarter more. */
static int64_t retry_delay(struct weir_http_origin *origin)
{
    int64_t delay = RETRY_FIRST;
    for (unsigned i = 1; i < origin->failures && delay < RETRY_MAX; i++)
        delay *= 2;
    if (delay > RETRY_MAX)
        delay = RETRY_MAX;
    return delay + random_time(&origin->client->random, delay / 4);
}

void weir_http_pool_refused(struct weir_http_origin *origin, const char *reason)
{
    weir_pace_failed(origin->client->transport->pace, weir_worker_now(origin->client->worker));
    if (!weir_timer_active(&origin->retry)) { // of several at a time the first one counts
        origin->failures++;
        weir_timer_start(&origin->retry, retry_delay(origin));
    }
    struct weir_http_call *call;
    while ((call = weir_http_queue_pop(&origin->waiting)))
        weir_http_call_fail(call, "%s", reason);
}

void weir_http_pool_free(struct weir_http_client *client)
{
    struct weir_http_origin *next;
    for (struct weir_http_origin *origin = client->origins; origin; origin = next) {
        next = origin->next;
        weir_timer_stop(&origin->retry);
        weir_resolve_stop(&origin->resolve);
        while (origin->links)
            weir_http_link_close(origin->links, NULL);
        free(origin->host);
        free(origin);
    }
    client->origins = NULL;
}
