// SPDX-License-Identifier: Apache-2.0
/*
 * Counts of connections, for each address.
 */
#include <config.h>

#include <string.h>

#include "sdk/src/net/cause.h"

static struct weir_counts *all_counts;

static const char *const names[] = {
    [WEIR_CAUSE_CLIENT] = "client",
    [WEIR_CAUSE_SERVER] = "server",
    [WEIR_CAUSE_RESET] = "reset",
    [WEIR_CAUSE_TLS] = "tls",
    [WEIR_CAUSE_NO_MEMORY] = "no_memory",
    [WEIR_CAUSE_DESCRIPTORS] = "no_descriptors",
    [WEIR_CAUSE_PROTOCOL] = "protocol_error",
    [WEIR_CAUSE_HANDSHAKE] = "handshake_timeout",
    [WEIR_CAUSE_HEADER] = "header_timeout",
    [WEIR_CAUSE_BODY] = "body_timeout",
    [WEIR_CAUSE_WRITE_TIMEOUT] = "write_timeout",
    [WEIR_CAUSE_SLOW_READER] = "slow_reader",
    [WEIR_CAUSE_STARVED] = "window_starvation",
    [WEIR_CAUSE_IDLE] = "idle",
    [WEIR_CAUSE_AGE] = "max_connection_age",
    [WEIR_CAUSE_KEEPALIVE] = "keepalive_timeout",
    [WEIR_CAUSE_RAPID_RESET] = "rapid_reset",
    [WEIR_CAUSE_HEADER_LIST] = "header_list",
    [WEIR_CAUSE_CONTINUATION] = "continuation_flood",
    [WEIR_CAUSE_SETTINGS] = "settings_flood",
    [WEIR_CAUSE_PING] = "ping_flood",
    [WEIR_CAUSE_EMPTY_DATA] = "empty_data_flood",
    [WEIR_CAUSE_WINDOW_UPDATE] = "window_update_flood",
    [WEIR_CAUSE_FRAMES] = "frame_flood",
};

const char *weir_close_reason(size_t index)
{
    return index < WEIR_ARRAY_LENGTH(names) ? names[index] : NULL;
}

struct weir_counts *weir_counts_of(const char *address)
{
    struct weir_counts **at = &all_counts;
    while (*at && strcmp((*at)->address, address) != 0)
        at = &(*at)->next;
    if (!*at) {
        *at = weir_xcalloc(1, sizeof(**at));
        (*at)->address = weir_xstrdup(address);
    }
    return *at;
}

void weir_listener_visit(void (*visit)(const struct weir_listener_view *view, void *argument), void *argument)
{
    for (const struct weir_counts *counts = all_counts; counts; counts = counts->next) {
        struct weir_listener_view view = {
            .address = counts->address,
            .open = atomic_load(&counts->open),
            .accepted = atomic_load(&counts->accepted),
            .pauses_full = atomic_load(&counts->pauses_full),
            .pauses_descriptors = atomic_load(&counts->pauses_descriptors),
        };
        for (size_t i = 0; i < WEIR_CAUSES; i++)
            view.closed[i] = atomic_load(&counts->closed[i]);
        visit(&view, argument);
    }
}
