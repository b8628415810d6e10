// SPDX-License-Identifier: Apache-2.0
/*
 * The health_check extension: an HTTP server that says whether every pipeline runs. On worker 0, which is the
 * main thread, where the collector's state may be read.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/http_server.h>

#include "plugins/extensions/health_check/body.h"

struct health_response_body {
    char *healthy;
    char *unhealthy;
};

struct health_options {
    struct weir_http_server_options server;
    char *path;
    bool response_body_on;
    struct health_response_body response_body;
};

static const struct weir_option response_body_options[] = {
    WEIR_OPTION(struct health_response_body, healthy, "healthy", .doc = "Body of the answer while healthy."),
    WEIR_OPTION(struct health_response_body, unhealthy, "unhealthy", .doc = "Body of the answer otherwise."),
    WEIR_OPTION_END,
};
static const struct weir_option_table response_body_table = {
    response_body_options,
    sizeof(struct health_response_body),
    NULL,
};

static const char needs_gate[] =
    "belongs to the component status form of health_check, which is not available";

static const struct weir_option health_option_rows[] = {
    WEIR_HTTP_SERVER_OPTIONS(struct health_options, server, "localhost:13133", "false"),
    WEIR_OPTION(struct health_options, path, "path", .preset = "/",
                .doc = "Path that is answered; \"/\" stands for every path."),
    WEIR_OPTION_OPTIONAL(struct health_options, response_body, response_body_on, "response_body",
                         &response_body_table, WEIR_NONE_OFF,
                         .doc = "Texts to answer with instead of the JSON status."),
    WEIR_OPTION_IGNORED("check_collector_pipeline",
                        "it has no effect in any current version of the extension"),
    WEIR_OPTION_REFUSED("http", needs_gate),
    WEIR_OPTION_REFUSED("grpc", needs_gate),
    WEIR_OPTION_REFUSED("use_v2", needs_gate),
    WEIR_OPTION_END,
};
static const struct weir_option_table health_table = { health_option_rows, sizeof(struct health_options),
                                                       NULL };

struct health {
    const struct health_options *options;
    struct weir_instance *instance;
    struct weir_http_site *site;
    struct weir_shard *draining; /* on its way out */
};

static void answer(struct weir_http_exchange *exchange, const struct health *health)
{
    const struct health_response_body *bodies = &health->options->response_body;
    struct weir_host_state state = { .ready = false };
    weir_host_state(health->instance, &state);
    int status = state.ready ? 200 : 503;
    const char *fixed = state.ready ? bodies->healthy : bodies->unhealthy;
    if (health->options->response_body_on) {
        weir_http_respond_text(exchange, status, "text/plain; charset=utf-8", weir_str_of(fixed));
        return;
    }
    struct weir_text text = { .data = NULL };
    health_body(&state, weir_wall_clock(), &text);
    weir_http_respond_text(exchange, status, "application/json", weir_text_view(&text));
    weir_text_free(&text);
}

static void request(struct weir_http_exchange *exchange)
{
    const struct health *health = weir_http_exchange_user(exchange);
    const char *path = health->options->path ? health->options->path : "/";
    if (strcmp(path, "/") != 0 && !weir_str_is(weir_http_exchange_path(exchange), path))
        weir_http_respond_text(exchange, 404, "text/plain; charset=utf-8", WEIR_STR("404 page not found\n"));
    else
        answer(exchange, health);
}

static const struct weir_http_handler handler = { .first_worker_only = true, .request = request };

static int health_create(struct weir_instance *instance, struct weir_error *error)
{
    struct health *health = weir_xcalloc(1, sizeof(*health));
    (void)error;
    health->options = weir_instance_config(instance);
    health->instance = instance;
    weir_instance_set_data(instance, health);
    return 0;
}

static int health_start(struct weir_instance *instance, struct weir_error *error)
{
    struct health *health = weir_instance_data(instance);
    struct weir_logger *logger = weir_instance_logger(instance);
    health->site = weir_http_site_open(&health->options->server, &handler, instance, logger, error);
    if (!health->site)
        return -1;
    weir_log(logger, WEIR_INFO, "Starting health_check extension",
             WEIR_F_TEXT("endpoint", weir_http_site_address(health->site)));
    return 0;
}

static int health_worker_start(struct weir_shard *shard, struct weir_error *error)
{
    struct health *health = weir_instance_data(weir_shard_instance(shard));
    struct weir_worker *worker = weir_shard_worker(shard);
    if (weir_worker_index(worker) != 0)
        return 0;
    struct weir_http_server *server = weir_http_server_start(health->site, worker, health, error);
    weir_shard_set_data(shard, server);
    return server ? 0 : -1;
}

/* On reload: its successor at the same address answers who comes from now on. */
static void health_quiesce(struct weir_shard *shard)
{
    weir_http_server_quiesce(weir_shard_data(shard));
}

static void drained(void *user)
{
    const struct health *health = user;
    weir_shard_drained(health->draining);
}

static void health_drain(struct weir_shard *shard)
{
    struct health *health = weir_instance_data(weir_shard_instance(shard));
    struct weir_http_server *server = weir_shard_data(shard);
    if (!server) {
        weir_shard_drained(shard);
        return;
    }
    health->draining = shard;
    weir_http_server_drain(server, drained);
}

static void health_worker_stop(struct weir_shard *shard)
{
    weir_http_server_stop(weir_shard_data(shard));
    weir_shard_set_data(shard, NULL);
}

static void health_stop(struct weir_instance *instance)
{
    struct health *health = weir_instance_data(instance);
    if (!health)
        return;
    weir_http_site_close(health->site);
    health->site = NULL;
}

static void health_destroy(struct weir_instance *instance)
{
    free(weir_instance_data(instance));
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXTENSION,
    .type = "health_check",
    .version = PACKAGE_VERSION,
    .summary = "Answers HTTP requests with whether every pipeline runs.",
    .options = &health_table,
    .create = health_create,
    .start = health_start,
    .worker_start = health_worker_start,
    .quiesce = health_quiesce,
    .drain = health_drain,
    .worker_stop = health_worker_stop,
    .stop = health_stop,
    .destroy = health_destroy,
};
