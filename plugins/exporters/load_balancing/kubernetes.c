// SPDX-License-Identifier: Apache-2.0
/*
 * The backends of a Kubernetes service: the EndpointSlices that carry its name, followed.
 */
#include <config.h>

#include <stdlib.h>

#include "plugins/exporters/load_balancing/resolve.h"

#define SECOND INT64_C(1000000000)

/* --- what there is --- */

static char *endpoint_of(const struct resolver *resolver, const char *host, int64_t port)
{
    if (resolver->config->k8s.return_hostnames)
        return weir_xasprintf("%s.%s.%s:%lld", host, resolver->service, resolver->name_space, (long long)port);
    return weir_xasprintf(strchr(host, ':') ? "[%s]:%lld" : "%s:%lld", host, (long long)port);
}

static void tell(struct resolver *resolver)
{
    const struct weir_ints *ports = &resolver->config->k8s.ports;
    size_t hosts = 0, count = 0;
    for (const struct slice *slice = resolver->slices.first; slice; slice = slice->next)
        hosts += slice->count;
    char **endpoints = weir_xcalloc(hosts * ports->count + 1, sizeof(*endpoints));
    for (const struct slice *slice = resolver->slices.first; slice; slice = slice->next)
        for (size_t i = 0; i < slice->count; i++)
            for (size_t p = 0; p < ports->count; p++)
                endpoints[count++] = endpoint_of(resolver, slice->hosts[i], ports->items[p]);
    resolver_count(resolver, NULL);
    resolver->found(resolver->user, (const char *const *)endpoints, count);
    for (size_t i = 0; i < count; i++)
        free(endpoints[i]);
    free(endpoints);
}

/* --- what is told --- */

static void on_listing(void *user)
{
    struct resolver *resolver = user;
    resolver->listing = true;
    slices_begin(&resolver->slices);
}

static void on_listed(void *user)
{
    struct resolver *resolver = user;
    resolver->listing = false;
    slices_end(&resolver->slices);
    tell(resolver);
}

static void on_object(void *user, const struct weir_kube_object *object)
{
    struct resolver *resolver = user;
    struct weir_error error = WEIR_ERROR_INIT;
    bool hostnames = resolver->config->k8s.return_hostnames;
    if (slices_put(&resolver->slices, object->name, object->json, hostnames, &error) < 0)
        resolver_count(resolver, weir_error_text(&error));
    else if (!resolver->listing)
        tell(resolver);
    weir_error_free(&error);
}

static void on_gone(void *user, const struct weir_kube_object *object)
{
    struct resolver *resolver = user;
    slices_remove(&resolver->slices, object->name);
    tell(resolver);
}

/* --- life --- */

/* "name", "name.namespace", "name.namespace.svc.cluster.local" */
static void find_service(struct resolver *resolver)
{
    const char *service = resolver->config->k8s.service;
    size_t length = strcspn(service, ".");
    struct weir_error error = WEIR_ERROR_INIT;
    resolver->service = weir_xstrndup(service, length);
    if (service[length] == '.')
        resolver->name_space = weir_xstrndup(service + length + 1, strcspn(service + length + 1, "."));
    else
        resolver->name_space = weir_kube_namespace(&error);
    if (!resolver->name_space) {
        weir_log(weir_instance_logger(resolver->instance), WEIR_WARN,
                 "Could not determine the namespace of this collector: the service is looked for in \"default\"",
                 WEIR_F_TEXT("error", weir_error_text(&error)));
        resolver->name_space = weir_xstrdup("default");
    }
    weir_error_free(&error);
}

int kubernetes_start(struct resolver *resolver, struct weir_error *error)
{
    find_service(resolver);
    resolver->kube = weir_kube_new(resolver->instance, error);
    return resolver->kube ? 0 : -1;
}

void kubernetes_worker_start(struct resolver *resolver, struct weir_worker *worker)
{
    char *path = weir_xasprintf("/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices", resolver->name_space);
    char *labels = weir_xasprintf("kubernetes.io/service-name=%s", resolver->service);
    int64_t timeout = resolver->config->k8s.timeout.ns;
    const struct weir_kube_watch_options options = {
        .path = path,
        .labels = labels,
        .timeout = timeout > 0 ? timeout : 60 * SECOND,
        .listing = on_listing,
        .listed = on_listed,
        .object = on_object,
        .gone = on_gone,
        .user = resolver,
    };
    resolver->watch = weir_kube_watch_new(resolver->kube, worker, &options);
    free(labels);
    free(path);
}

void kubernetes_worker_stop(struct resolver *resolver)
{
    weir_kube_watch_free(resolver->watch);
    resolver->watch = NULL;
    slices_free(&resolver->slices);
}

void kubernetes_stop(struct resolver *resolver)
{
    weir_kube_free(resolver->kube);
    resolver->kube = NULL;
    free(resolver->service);
    free(resolver->name_space);
    resolver->service = resolver->name_space = NULL;
}
