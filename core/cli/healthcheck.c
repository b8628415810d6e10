// SPDX-License-Identifier: Apache-2.0
/* weir healthcheck: for the probes of containers, in whose images there is neither curl nor a shell. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/net.h>
#include <weir/node.h>

#include "core/cli/cli.h"
#include "core/service/fetch.h"

/* The extension that answers, and where by default. */
#define EXTENSION "health_check"
#define ENDPOINT "127.0.0.1:13133"
#define TIMEOUT (INT64_C(5) * 1000000000)

static struct weir_str key_or(const struct weir_node *node, const char *key, const char *preset)
{
    const struct weir_node *value = node ? weir_node_get(node, key) : NULL;
    return value && value->type == WEIR_NODE_STRING ? value->text : weir_str_of(preset);
}

/* The loopback address for what listens at all addresses. */
static const char *host_to_ask(const char *host)
{
    if (*host == '\0' || strcmp(host, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(host, "::") == 0 ? "::1" : host;
}

static char *url_of(const struct weir_node *node, struct weir_error *error)
{
    struct weir_endpoint endpoint = { 0 };
    struct weir_str listens = key_or(node, "endpoint", ENDPOINT), path = key_or(node, "path", "/");
    const struct weir_node *tls = node ? weir_node_get(node, "tls") : NULL;
    bool local = weir_str_is(key_or(node, "transport", "tcp"), "unix");
    if (weir_endpoint_parse_listen(listens, local ? WEIR_UNIX : WEIR_TCP, &endpoint, error) != 0)
        return NULL;
    char *url = NULL;
    if (endpoint.transport == WEIR_UNIX || endpoint.port == 0) {
        weir_error_set(error, "\"%.*s\" cannot be asked: only an address with a port can", WEIR_STR_ARG(listens));
    } else {
        const char *host = host_to_ask(endpoint.host);
        bool brackets = strchr(host, ':');
        url = weir_xasprintf("%s://%s%s%s:%u%.*s", tls && tls->type == WEIR_NODE_MAP ? "https" : "http",
                             brackets ? "[" : "", host, brackets ? "]" : "", endpoint.port, WEIR_STR_ARG(path));
    }
    weir_endpoint_free(&endpoint);
    return url;
}

static char *url_in(const struct weir_config *config, struct weir_error *error)
{
    for (size_t i = 0; i < config->extensions.count; i++) {
        const struct weir_id *id = &config->extensions.items[i].id;
        const struct weir_entry *entry = weir_config_find(config, WEIR_EXTENSION, id->text);
        if (entry && strcmp(id->type, EXTENSION) == 0)
            return url_of(entry->node, error);
    }
    weir_error_set(error, "the configuration has no " EXTENSION " among its service::extensions");
    return NULL;
}

static char *url_from_config(struct cli *cli, struct weir_error *error)
{
    struct service_options service = cli_service_options(cli);
    struct weir_problems problems = { 0 };
    struct weir_config *config = weir_config_load(&service.source, &problems);
    char *url = NULL;
    if (problems.errors > 0)
        weir_error_set(error, "the configuration has mistakes; \"weir validate\" names them");
    else
        url = url_in(config, error);
    weir_config_free(config);
    weir_problems_free(&problems);
    registry_free(service.registry);
    return url;
}

static int ask(const char *url, struct weir_error *error)
{
    struct weir_text body = { 0 };
    setenv("NO_PROXY", "*", 1);
    int status = fetch_from_anyone(url, TIMEOUT, &body, error);
    weir_text_free(&body);
    if (status == 200)
        return EXIT_STOPPED;
    return status < 0 ? cli_fail("%s", weir_error_text(error)) : cli_fail("%s answers %d", url, status);
}

int cli_healthcheck(struct cli *cli)
{
    struct weir_error error = WEIR_ERROR_INIT;
    char *url = NULL;
    if (cli->endpoint)
        url = weir_xstrdup(cli->endpoint);
    else
        url = cli->uri_count > 0 ? url_from_config(cli, &error) : weir_xstrdup("http://" ENDPOINT "/");
    int result = url ? ask(url, &error) : cli_fail("%s", weir_error_text(&error));
    weir_error_free(&error);
    free(url);
    return result;
}
