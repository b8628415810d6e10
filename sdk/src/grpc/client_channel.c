// SPDX-License-Identifier: Apache-2.0
/*
 * One address of a target: keeps a connection to it, and waits longer after each failure (gRPC connection
 * back-off: doc/connection-backoff.md).
 */
#include <config.h>

#include <stdlib.h>

#include "sdk/src/base/random.h"
#include "sdk/src/grpc/client.h"

#define SECOND ((int64_t)1000000000)
/* A peer that is back is found within seconds; gRPC's own limit of 120 s would keep data waiting for minutes. */
#define BACKOFF_MAX 5.0
/* So old a connection gets a successor, which may lead to another server behind the same address. */
#define AGE (600 * SECOND)
#define AGE_AGAIN (60 * SECOND)

/* From -0.5 to 0.5. */
static double chance(struct weir_grpc_client *client)
{
    return random_unit(&client->random) - 0.5;
}

int64_t weir_grpc_backoff(struct weir_grpc_client *client, unsigned failures)
{
    double delay = 1;
    for (unsigned i = 1; i < failures && delay < BACKOFF_MAX; i++)
        delay *= 1.6;
    if (delay > BACKOFF_MAX)
        delay = BACKOFF_MAX;
    return (int64_t)(delay * (1 + chance(client) * 0.4) * (double)SECOND);
}

static void connect_now(struct weir_grpc_channel *channel)
{
    channel->state = WEIR_GRPC_CONNECTING;
    channel->started = weir_worker_now(channel->client->worker);
    channel->link = weir_grpc_link_open(channel);
}

static void try_again(struct weir_timer *timer)
{
    struct weir_grpc_channel *channel = WEIR_CONTAINER_OF(timer, struct weir_grpc_channel, retry);
    int64_t wait = 0;
    if (channel->failed && !channel->paced)
        wait = weir_pace_take(channel->client->target->pace, weir_worker_now(channel->client->worker));
    channel->paced = wait > 0;
    if (wait > 0)
        weir_timer_start(&channel->retry, wait);
    else
        connect_now(channel);
}

static void grow_old(struct weir_timer *timer)
{
    struct weir_grpc_channel *channel = WEIR_CONTAINER_OF(timer, struct weir_grpc_channel, age);
    if (channel->state == WEIR_GRPC_READY && !channel->fresh)
        channel->fresh = weir_grpc_link_open(channel);
}

struct weir_grpc_channel *weir_grpc_channel_new(struct weir_grpc_client *client,
                                                const struct weir_endpoint *endpoint)
{
    struct weir_grpc_channel *channel = weir_xcalloc(1, sizeof *channel);
    channel->client = client;
    weir_endpoint_copy(&channel->endpoint, endpoint);
    weir_timer_init(&channel->retry, client->worker, try_again);
    weir_timer_init(&channel->age, client->worker, grow_old);
    connect_now(channel);
    return channel;
}

void weir_grpc_channel_free(struct weir_grpc_channel *channel)
{
    weir_timer_stop(&channel->retry);
    weir_timer_stop(&channel->age);
    if (channel->link)
        weir_grpc_link_retire(channel->link);
    if (channel->fresh)
        weir_grpc_link_retire(channel->fresh);
    weir_endpoint_free(&channel->endpoint);
    free(channel->error);
    free(channel);
}

void weir_grpc_channel_ready(struct weir_grpc_channel *channel, struct weir_grpc_link *link)
{
    if (link == channel->fresh) {
        weir_grpc_link_retire(channel->link);
        channel->link = link;
        channel->fresh = NULL;
    }
    channel->state = WEIR_GRPC_READY;
    channel->failed = false;
    weir_timer_start(&channel->age, (int64_t)((double)AGE * (1 + chance(channel->client) * 0.2)));
    weir_grpc_client_dispatch(channel->client);
}

void weir_grpc_channel_lost(struct weir_grpc_channel *channel, struct weir_grpc_link *link, const char *why)
{
    struct weir_grpc_client *client = channel->client;
    bool worked = channel->state == WEIR_GRPC_READY && link->answered;
    if (link == channel->fresh) {
        channel->fresh = NULL; // the old one goes on
        weir_timer_start(&channel->age, AGE_AGAIN);
        return;
    }
    weir_timer_stop(&channel->age);
    channel->link = channel->fresh;
    channel->fresh = NULL;
    free(channel->error);
    channel->error = weir_xstrdup(why);
    if (worked)
        channel->failures = 0;
    if (channel->link) {
        channel->state = WEIR_GRPC_CONNECTING;
        channel->started = weir_worker_now(client->worker);
        weir_grpc_client_dispatch(client);
        return;
    }
    /* A peer that takes connections only to drop them is not asked more than once a second. */
    int64_t now = weir_worker_now(client->worker), since = now - channel->started;
    if (worked && since >= SECOND) {
        channel->state = WEIR_GRPC_CONNECTING;
        weir_timer_start(&channel->retry, 0);
    } else {
        channel->failures++;
        channel->failed = channel->failed || !worked;
        channel->state = worked ? WEIR_GRPC_CONNECTING : WEIR_GRPC_BACKING_OFF;
        if (!worked)
            weir_pace_failed(client->target->pace, channel->started);
        int64_t wait = (worked ? SECOND : weir_grpc_backoff(client, channel->failures)) - since;
        weir_timer_start(&channel->retry, wait > 0 ? wait : 0);
        weir_grpc_resolve_again(client);
    }
    weir_grpc_client_dispatch(client);
}
