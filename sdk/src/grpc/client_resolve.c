// SPDX-License-Identifier: Apache-2.0
/*
 * From the name of a target to its channels: one for the whole, or, with round_robin, one for each address.
 */
#include <config.h>

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sdk/src/grpc/client.h"

/* The least time between two lookups (grpc: dns resolver). */
#define LOOKUP_INTERVAL ((int64_t)30000000000)

struct weir_grpc_lookup {
    struct weir_job job;
    struct weir_grpc_client *client; /* NULL: it has gone */
    char *host;
    int failure;
    struct addrinfo *list;
};

static bool is_numeric(const char *host)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return false;
    freeaddrinfo(list);
    return true;
}

static void look_up(struct weir_job *job)
{
    struct weir_grpc_lookup *lookup = WEIR_CONTAINER_OF(job, struct weir_grpc_lookup, job);
    struct addrinfo hints = { .ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM };
    lookup->failure = getaddrinfo(lookup->host, NULL, &hints, &lookup->list);
}

static struct weir_grpc_channel *take_channel(struct weir_grpc_channel **list, const char *host)
{
    for (struct weir_grpc_channel **at = list; *at; at = &(*at)->next) {
        struct weir_grpc_channel *channel = *at;
        if (strcmp(channel->endpoint.host, host) == 0) {
            *at = channel->next;
            channel->next = NULL;
            return channel;
        }
    }
    return NULL;
}

static bool has_channel(const struct weir_grpc_channel *list, const char *host)
{
    for (; list; list = list->next)
        if (strcmp(list->endpoint.host, host) == 0)
            return true;
    return false;
}

/* Channels of addresses that are still there live on, the others let their calls end. */
static void replace_channels(struct weir_grpc_client *client, const struct addrinfo *list)
{
    struct weir_grpc_channel *old = client->channels, **end = &client->channels;
    client->channels = NULL;
    client->turn = NULL;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        char host[NI_MAXHOST];
        if (getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0 ||
            has_channel(client->channels, host))
            continue;
        struct weir_grpc_channel *channel = take_channel(&old, host);
        if (!channel) {
            struct weir_endpoint endpoint;
            weir_endpoint_set(&endpoint, weir_str_of(host), client->target->endpoint.port);
            channel = weir_grpc_channel_new(client, &endpoint);
            weir_endpoint_free(&endpoint);
        }
        *end = channel;
        end = &channel->next;
    }
    while (old) {
        struct weir_grpc_channel *next = old->next;
        weir_grpc_channel_free(old);
        old = next;
    }
}

static void looked_up(struct weir_job *job)
{
    struct weir_grpc_lookup *lookup = WEIR_CONTAINER_OF(job, struct weir_grpc_lookup, job);
    struct weir_grpc_client *client = lookup->client;
    if (client) {
        client->lookup = NULL;
        free(client->lookup_error);
        client->lookup_error = NULL;
        if (lookup->failure == 0) {
            replace_channels(client, lookup->list);
        } else {
            client->lookup_error = weir_xasprintf("produced zero addresses: lookup %s: %s", lookup->host,
                                                  gai_strerror(lookup->failure));
            weir_timer_start(&client->lookup_again, weir_grpc_backoff(client, 1));
        }
        weir_grpc_client_dispatch(client);
    }
    if (lookup->list)
        freeaddrinfo(lookup->list);
    free(lookup->host);
    free(lookup);
}

static void start(struct weir_grpc_client *client)
{
    struct weir_grpc_lookup *lookup = weir_xcalloc(1, sizeof *lookup);
    lookup->job.work = look_up;
    lookup->job.done = looked_up;
    lookup->client = client;
    lookup->host = weir_xstrdup(client->target->endpoint.host);
    client->lookup = lookup;
    client->looked_up = weir_worker_now(client->worker);
    weir_worker_offload(client->worker, &lookup->job);
}

static void start_again(struct weir_timer *timer)
{
    struct weir_grpc_client *client = WEIR_CONTAINER_OF(timer, struct weir_grpc_client, lookup_again);
    if (!client->lookup)
        start(client);
}

static bool is_spread(const struct weir_grpc_target *target)
{
    return target->options->balancer == WEIR_GRPC_ROUND_ROBIN && !target->proxy &&
           target->endpoint.transport != WEIR_UNIX && !is_numeric(target->endpoint.host);
}

void weir_grpc_resolve_start(struct weir_grpc_client *client)
{
    weir_timer_init(&client->lookup_again, client->worker, start_again);
    if (is_spread(client->target))
        start(client);
    else
        client->channels = weir_grpc_channel_new(client, &client->target->endpoint);
}

void weir_grpc_resolve_again(struct weir_grpc_client *client)
{
    if (!is_spread(client->target) || client->lookup || weir_timer_active(&client->lookup_again))
        return;
    int64_t wait = client->looked_up + LOOKUP_INTERVAL - weir_worker_now(client->worker);
    weir_timer_start(&client->lookup_again, wait > 0 ? wait : 0);
}

void weir_grpc_resolve_stop(struct weir_grpc_client *client)
{
    weir_timer_stop(&client->lookup_again);
    if (client->lookup)
        client->lookup->client = NULL;
    client->lookup = NULL;
}
