// SPDX-License-Identifier: Apache-2.0
/*
 * From the name of a target to its channels: one for the whole, or, with round_robin, one for each address.
 */
#include <config.h>

#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "sdk/src/grpc/client.h"

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
static void replace_channels(struct weir_grpc_client *client, const struct weir_sockaddr *addresses, size_t count)
{
    struct weir_grpc_channel *old = client->channels, **end = &client->channels;
    client->channels = NULL;
    client->turn = NULL;
    for (size_t i = 0; i < count; i++) {
        char host[NI_MAXHOST];
        if (getnameinfo(&addresses[i].address.any, addresses[i].length, host, sizeof host, NULL, 0,
                        NI_NUMERICHOST) != 0 ||
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

static void on_addresses(struct weir_resolve *resolve, const struct weir_sockaddr *addresses, size_t count,
                         const char *error)
{
    struct weir_grpc_client *client = WEIR_CONTAINER_OF(resolve, struct weir_grpc_client, resolve);
    free(client->lookup_error);
    client->lookup_error = NULL;
    if (count > 0)
        replace_channels(client, addresses, count);
    else
        client->lookup_error = weir_xasprintf("produced zero addresses: lookup %s: %s",
                                              client->target->endpoint.host, error);
    weir_grpc_client_dispatch(client);
}

static bool is_spread(const struct weir_grpc_target *target)
{
    struct weir_sockaddr *addresses = NULL;
    if (target->options->balancer != WEIR_GRPC_ROUND_ROBIN || target->proxy ||
        target->endpoint.transport == WEIR_UNIX)
        return false;
    size_t count = weir_resolve_number(target->endpoint.host, target->endpoint.transport, 0, &addresses);
    free(addresses);
    return count == 0;
}

void weir_grpc_resolve_start(struct weir_grpc_client *client)
{
    client->resolve = (struct weir_resolve){ .answer = on_addresses };
    if (is_spread(client->target))
        weir_resolve_start(client->worker, client->target->endpoint.host, client->target->endpoint.transport,
                           client->target->endpoint.port, &client->resolve);
    else
        client->channels = weir_grpc_channel_new(client, &client->target->endpoint);
}

void weir_grpc_resolve_again(struct weir_grpc_client *client)
{
    if (client->resolve.name)
        weir_resolve_suspect(client->worker, client->target->endpoint.host, client->target->endpoint.transport);
}

void weir_grpc_resolve_stop(struct weir_grpc_client *client)
{
    weir_resolve_stop(&client->resolve);
}
