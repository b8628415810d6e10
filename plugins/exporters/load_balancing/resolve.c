// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/resolve.h"

#include <stdlib.h>

#include "plugins/exporters/load_balancing/metrics.h"

const char *resolver_name(const struct lb_resolver *config)
{
    return config->static_on ? "static" : config->dns_on ? "dns" : "k8s";
}

void resolver_count(struct resolver *resolver, const char *why)
{
    weir_series_add(why ? resolver->failed : resolver->succeeded, 1);
    if (why)
        weir_log(weir_instance_logger(resolver->instance), WEIR_WARN, "Cannot resolve the backends",
                 WEIR_F_TEXT("resolver", resolver_name(resolver->config)), WEIR_F_TEXT("error", why));
}

/* --- dns --- */

static void on_looked_up(void *user, const char *const *addresses, size_t count, const char *error)
{
    struct resolver *resolver = user;
    const char *port = resolver->config->dns.port;
    resolver_count(resolver, error);
    if (error)
        return;
    char **endpoints = weir_xcalloc(count, sizeof(*endpoints));
    for (size_t i = 0; i < count; i++)
        endpoints[i] = port && *port ? weir_xasprintf("%s:%s", addresses[i], port) : weir_xstrdup(addresses[i]);
    resolver->found(resolver->user, (const char *const *)endpoints, count);
    for (size_t i = 0; i < count; i++)
        free(endpoints[i]);
    free(endpoints);
}

/* --- life --- */

static void make_series(struct resolver *resolver)
{
    const char *name = resolver_name(resolver->config);
    const struct weir_label good[] = { { "resolver", name }, { "success", "true" } };
    const struct weir_label bad[] = { { "resolver", name }, { "success", "false" } };
    resolver->succeeded = weir_meter_series(resolver->instance, LB_NUM_RESOLUTIONS, good, 2);
    resolver->failed = weir_meter_series(resolver->instance, LB_NUM_RESOLUTIONS, bad, 2);
}

int resolver_start(struct resolver *resolver, struct weir_error *error)
{
    const struct weir_strings *hostnames = &resolver->config->fixed.hostnames;
    make_series(resolver);
    if (resolver->config->k8s_on)
        return kubernetes_start(resolver, error);
    if (resolver->config->static_on) {
        resolver_count(resolver, NULL);
        resolver->found(resolver->user, (const char *const *)hostnames->items, hostnames->count);
    }
    return 0;
}

void resolver_worker_start(struct resolver *resolver, struct weir_worker *worker)
{
    const struct lb_dns *dns = &resolver->config->dns;
    if (resolver->config->dns_on)
        resolver->lookup = weir_lookup_new(worker, dns->hostname, dns->interval.ns, on_looked_up, resolver);
    if (resolver->config->k8s_on)
        kubernetes_worker_start(resolver, worker);
}

void resolver_worker_stop(struct resolver *resolver)
{
    weir_lookup_free(resolver->lookup);
    resolver->lookup = NULL;
    kubernetes_worker_stop(resolver);
}

void resolver_stop(struct resolver *resolver)
{
    kubernetes_stop(resolver);
}
