// SPDX-License-Identifier: Apache-2.0
/* What became of the connections to each address that is listened on. */
#include <config.h>

#include <weir/sys/net.h>

#include "core/service/metrics.h"

static const struct weir_instrument open_connections = {
    "weir_server_connections", WEIR_GAUGE, WEIR_LEVEL_BASIC, "{connection}", "Connections now open", NULL, 0,
};
static const struct weir_instrument accepted = {
    "weir_server_accepted_connections", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{connection}",
    "Connections accepted", NULL, 0,
};
static const struct weir_instrument closed = {
    "weir_server_closed_connections", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{connection}",
    "Connections that ended, by reason", NULL, 0,
};
static const struct weir_instrument pauses = {
    "weir_server_accept_pauses", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{pause}",
    "Times that new connections had to wait, by reason", NULL, 0,
};

static void add(struct exposition *exposition, const struct weir_instrument *instrument, const char *listener,
                const char *reason, uint64_t value)
{
    struct weir_text labels = { 0 };
    exposition_label(&labels, "listener", listener);
    if (reason)
        exposition_label(&labels, "reason", reason);
    exposition_add(exposition, instrument, weir_text_string(&labels), (double)value);
    weir_text_free(&labels);
}

static void collect_listener(const struct weir_listener_view *view, void *argument)
{
    struct exposition *exposition = argument;
    add(exposition, &open_connections, view->address, NULL, view->open);
    add(exposition, &accepted, view->address, NULL, view->accepted);
    for (size_t i = 0; weir_close_reason(i); i++)
        add(exposition, &closed, view->address, weir_close_reason(i), view->closed[i]);
    add(exposition, &pauses, view->address, "max_connections", view->pauses_full);
    add(exposition, &pauses, view->address, "descriptors", view->pauses_descriptors);
}

void metrics_collect_listeners(struct exposition *exposition)
{
    weir_listener_visit(collect_listener, exposition);
}
