// SPDX-License-Identifier: Apache-2.0
/*
 * One address of a target: keeps a connection to it, and waits longer after each failure (gRPC connection
 * back-off: doc/connection-backoff.md).
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/grpc/client.h"

#define SECOND ((int64_t)1000000000)

int64_t weir_grpc_backoff(struct weir_grpc_client *client, unsigned failures)
{
    double delay = 1;
    for (unsigned i = 1; i < failures && delay < 120; i++)
        delay *= 1.6;
    if (delay > 120)
        delay = 120;
    client->random = client->random * 6364136223846793005u + 1442695040888963407u;
    double jitter = (double)(client->random >> 40) / (double)(1 << 24) * 0.4 - 0.2;
    return (int64_t)(delay * (1 + jitter) * (double)SECOND);
}

static void connect_now(struct weir_grpc_channel *channel)
{
    channel->state = WEIR_GRPC_CONNECTING;
    channel->started = weir_worker_now(channel->client->worker);
    channel->link = weir_grpc_link_open(channel);
}

static void try_again(struct weir_timer *timer)
{
    connect_now(WEIR_CONTAINER_OF(timer, struct weir_grpc_channel, retry));
}

struct weir_grpc_channel *weir_grpc_channel_new(struct weir_grpc_client *client,
                                                const struct weir_endpoint *endpoint)
{
    struct weir_grpc_channel *channel = weir_xcalloc(1, sizeof *channel);
    channel->client = client;
    weir_endpoint_copy(&channel->endpoint, endpoint);
    weir_timer_init(&channel->retry, client->worker, try_again);
    connect_now(channel);
    return channel;
}

void weir_grpc_channel_free(struct weir_grpc_channel *channel)
{
    weir_timer_stop(&channel->retry);
    if (channel->link)
        weir_grpc_link_retire(channel->link);
    weir_endpoint_free(&channel->endpoint);
    free(channel->error);
    free(channel);
}

void weir_grpc_channel_ready(struct weir_grpc_channel *channel)
{
    channel->state = WEIR_GRPC_READY;
    channel->failed = false;
    weir_grpc_client_dispatch(channel->client);
}

void weir_grpc_channel_lost(struct weir_grpc_channel *channel, const char *why)
{
    struct weir_grpc_client *client = channel->client;
    bool worked = channel->state == WEIR_GRPC_READY && channel->link->answered;
    channel->link = NULL;
    free(channel->error);
    channel->error = weir_xstrdup(why);
    if (worked)
        channel->failures = 0;
    /* A peer that takes connections only to drop them is not asked more than once a second. */
    int64_t since = weir_worker_now(client->worker) - channel->started;
    if (worked && since >= SECOND) {
        channel->state = WEIR_GRPC_CONNECTING;
        weir_timer_start(&channel->retry, 0);
    } else {
        channel->failures++;
        channel->failed = channel->failed || !worked;
        channel->state = worked ? WEIR_GRPC_CONNECTING : WEIR_GRPC_BACKING_OFF;
        int64_t wait = (worked ? SECOND : weir_grpc_backoff(client, channel->failures)) - since;
        weir_timer_start(&channel->retry, wait > 0 ? wait : 0);
        weir_grpc_resolve_again(client);
    }
    weir_grpc_client_dispatch(client);
}
