// SPDX-License-Identifier: Apache-2.0
/* GET /metrics. */
#include <config.h>

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <weir/http_server.h>
#include <weir/sys/worker.h>

#include "core/service/endpoint.h"
#include "core/service/metrics.h"

struct endpoint {
    struct endpoints *owner;
    const struct weir_telemetry_reader *reader;
    struct weir_http_server_options options;
    struct weir_http_site *site;
    struct weir_http_server *server;
    char *constant_labels;
};

struct endpoints {
    struct endpoint_view view;
    enum weir_meter_level level;
    struct endpoint **items; /* one for each reader; NULL: still to be taken over */
    size_t count;
};

static const struct weir_instrument target_info = {
    "target_info", WEIR_GAUGE, WEIR_LEVEL_BASIC, "", "Target metadata", NULL, 0,
};
static const struct weir_instrument handler_errors = {
    "promhttp_metric_handler_errors_total", WEIR_COUNTER, WEIR_LEVEL_BASIC, "",
    "Total number of internal errors encountered by the promhttp metric handler.", NULL, 0,
};

static void add_target_info(struct exposition *exposition, const struct weir_pairs *resource)
{
    struct weir_text labels = { 0 };
    for (size_t i = 0; i < resource->count; i++)
        exposition_label(&labels, resource->items[i].name, resource->items[i].value);
    exposition_add(exposition, &target_info, weir_text_string(&labels), 1);
    weir_text_free(&labels);
    exposition_add(exposition, &handler_errors, "cause=\"encoding\"", 0);
    exposition_add(exposition, &handler_errors, "cause=\"gathering\"", 0);
}

static void answer_metrics(struct endpoint *endpoint, struct weir_http_exchange *exchange)
{
    const struct weir_telemetry_reader *reader = endpoint->reader;
    struct exposition_style style = {
        .suffixes = !reader->without_units || !reader->without_type_suffix,
        .constant_labels = endpoint->constant_labels,
    };
    struct exposition *exposition = exposition_new(&style);
    struct weir_text text = { 0 };
    metrics_collect(exposition, endpoint->owner->view.graph, endpoint->owner->level);
    metrics_collect_reloads(exposition, endpoint->owner->view.reloads);
    add_target_info(exposition, endpoint->owner->view.resource);
    exposition_print(exposition, &text);
    weir_http_respond_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", weir_text_view(&text));
    weir_text_free(&text);
    exposition_free(exposition);
}

static void answer(struct weir_http_exchange *exchange)
{
    struct endpoint *endpoint = weir_http_exchange_user(exchange);
    struct weir_str method = weir_http_exchange_method(exchange);
    if (!weir_str_is(weir_http_exchange_path(exchange), "/metrics"))
        weir_http_respond_text(exchange, 404, "text/plain; charset=utf-8", WEIR_STR("404 page not found\n"));
    else if (!weir_str_is(method, "GET") && !weir_str_is(method, "HEAD"))
        weir_http_respond_text(exchange, 405, "text/plain; charset=utf-8", WEIR_STR("405 method not allowed\n"));
    else
        answer_metrics(endpoint, exchange);
}

static const struct weir_http_handler handler = { .first_worker_only = true, .request = answer };

static bool matches(const struct weir_strings *patterns, const char *name)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (fnmatch(patterns->items[i], name, 0) == 0)
            return true;
    return false;
}

/* with_resource_constant_labels, and the scope's name and version unless without_scope_info. */
static char *make_constant_labels(const struct weir_telemetry_reader *reader, const struct weir_pairs *resource)
{
    struct weir_text labels = { 0 };
    for (size_t i = 0; i < resource->count; i++)
        if (matches(&reader->constant_included, resource->items[i].name) &&
            !matches(&reader->constant_excluded, resource->items[i].name))
            exposition_label(&labels, resource->items[i].name, resource->items[i].value);
    if (!reader->without_scope_info) {
        exposition_label(&labels, "otel_scope_name", PACKAGE_NAME);
        exposition_label(&labels, "otel_scope_version", PACKAGE_VERSION);
    }
    return weir_text_steal(&labels);
}

static int open_endpoint(struct endpoint *endpoint, struct weir_logger *logger, struct weir_error *error)
{
    const struct weir_telemetry_reader *reader = endpoint->reader;
    bool v6 = strchr(reader->host, ':') != NULL;
    struct weir_text address = { 0 };
    weir_text_addf(&address, "%s%s%s:%lld", v6 ? "[" : "", reader->host, v6 ? "]" : "", (long long)reader->port);
    endpoint->options = (struct weir_http_server_options){
        .endpoint = weir_text_steal(&address),
        .read_header_timeout = { 10 * INT64_C(1000000000) },
        .idle_timeout = { 60 * INT64_C(1000000000) },
        .keep_alives_enabled = true,
    };
    endpoint->constant_labels = make_constant_labels(reader, endpoint->owner->view.resource);
    endpoint->site = weir_http_site_open(&endpoint->options, &handler, NULL, logger, error);
    if (!endpoint->site)
        return weir_error_prefix(error, "binding address %s for the Prometheus exporter", endpoint->options.endpoint);
    endpoint->server = weir_http_server_start(endpoint->site, weir_worker_at(0), endpoint, error);
    if (!endpoint->server)
        return -1;
    weir_log(logger, WEIR_INFO, "Serving metrics", WEIR_F_TEXT("address", weir_http_site_address(endpoint->site)));
    return 0;
}

static void close_endpoint(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    weir_http_server_stop(endpoint->server);
    weir_http_site_close(endpoint->site);
    free(endpoint->options.endpoint);
    free(endpoint->constant_labels);
    free(endpoint);
}

/* The one that is open at the reader's address; NULL: none is. */
static struct endpoint **find_open(const struct endpoints *endpoints, const struct weir_telemetry_reader *reader)
{
    for (size_t i = 0; endpoints && i < endpoints->count; i++) {
        const struct endpoint *open = endpoints->items[i];
        if (open && open->reader->port == reader->port && strcmp(open->reader->host, reader->host) == 0)
            return &endpoints->items[i];
    }
    return NULL;
}

struct endpoints *endpoints_open(const struct endpoint_view *view, const struct endpoints *before,
                                 struct weir_logger *logger, struct weir_error *error)
{
    const struct weir_telemetry_metrics *metrics = &view->telemetry->metrics;
    struct endpoints *endpoints = weir_xcalloc(1, sizeof *endpoints);
    endpoints->view = *view;
    endpoints->level = (enum weir_meter_level)metrics->level;
    size_t wanted = endpoints->level == WEIR_LEVEL_NONE ? 0 : metrics->reader_count;
    endpoints->items = weir_xcalloc(wanted ? wanted : 1, sizeof *endpoints->items);
    endpoints->count = wanted;
    for (size_t i = 0; i < wanted; i++) {
        if (find_open(before, &metrics->readers[i]))
            continue;
        struct endpoint *endpoint = weir_xcalloc(1, sizeof *endpoint);
        endpoint->owner = endpoints;
        endpoint->reader = &metrics->readers[i];
        endpoints->items[i] = endpoint;
        if (open_endpoint(endpoint, logger, error) != 0) {
            endpoints_close(endpoints);
            return NULL;
        }
    }
    return endpoints;
}

void endpoints_take_over(struct endpoints *endpoints, struct endpoints *before)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        const struct weir_telemetry_reader *reader = &endpoints->view.telemetry->metrics.readers[i];
        struct endpoint **open = endpoints->items[i] ? NULL : find_open(before, reader);
        if (!open)
            continue;
        struct endpoint *endpoint = *open;
        *open = NULL;
        endpoint->owner = endpoints;
        endpoint->reader = reader;
        free(endpoint->constant_labels);
        endpoint->constant_labels = make_constant_labels(reader, endpoints->view.resource);
        endpoints->items[i] = endpoint;
    }
    endpoints_close(before);
}

void endpoints_close(struct endpoints *endpoints)
{
    if (!endpoints)
        return;
    for (size_t i = 0; i < endpoints->count; i++)
        close_endpoint(endpoints->items[i]);
    free(endpoints->items);
    free(endpoints);
}
