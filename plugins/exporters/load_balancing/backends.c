// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/backends.h"

#include <stdlib.h>

#include <weir/component.h>

#define DEFAULT_PORT "4317"
/* What a ring can tell apart. */
#define BACKENDS_MAX 65535

struct backend_set *backend_set_ref(struct backend_set *set)
{
    atomic_fetch_add(&set->references, 1);
    return set;
}

void backend_set_unref(struct backend_set *set)
{
    if (!set || atomic_fetch_sub(&set->references, 1) != 1)
        return;
    ring_free(&set->ring);
    free(set->backends);
    free(set);
}

/* --- backends --- */

static struct backend *find(const struct backends *backends, const char *endpoint)
{
    for (struct backend *backend = backends->first; backend; backend = backend->next) {
        if (strcmp(backend->endpoint, endpoint) == 0)
            return backend;
    }
    return NULL;
}

static void free_backend(struct backend *backend)
{
    weir_grpc_target_free(backend->target);
    backend_metrics_release(&backend->metrics);
    free(backend->options.endpoint);
    free(backend->endpoint);
    free(backend);
}

/* "host" gets the default port; what stands in brackets is an address of IPv6. */
static char *with_port(const char *endpoint)
{
    const char *colon = strrchr(endpoint, ':'), *bracket = strrchr(endpoint, ']');
    if (colon && (!bracket || bracket < colon))
        return weir_xstrdup(endpoint);
    return weir_xasprintf("%s:" DEFAULT_PORT, endpoint);
}

static struct backend *make(struct backends *backends, const char *endpoint)
{
    struct backend *backend = weir_xcalloc(1, sizeof(*backend));
    struct weir_error error = WEIR_ERROR_INIT;
    backend->endpoint = weir_xstrdup(endpoint);
    backend->options = *backends->options;
    backend->options.endpoint = with_port(endpoint);
    backend->target = weir_grpc_target_new(&backend->options, backends->instance, &error);
    if (!backend->target) {
        weir_log(weir_instance_logger(backends->instance), WEIR_ERROR, "Cannot use a backend",
                 WEIR_F_TEXT("endpoint", endpoint), WEIR_F_TEXT("error", weir_error_text(&error)));
        free_backend(backend);
        backend = NULL;
    } else {
        backend_metrics_make(&backend->metrics, backends->instance, backend->options.endpoint);
        backend->next = backends->first;
        backends->first = backend;
    }
    weir_error_free(&error);
    return backend;
}

/* No worker has the set any more. */
static void forget_set(struct backend_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        set->backends[i]->sets--;
    backend_set_unref(set);
}

static void sweep_sets(struct backends *backends)
{
    struct backend_set **at = &backends->sets;
    while (*at) {
        struct backend_set *set = *at;
        if (set == backends->set || atomic_load(&set->references) > 1) {
            at = &set->next;
            continue;
        }
        *at = set->next;
        forget_set(set);
    }
}

void backends_sweep(struct backends *backends)
{
    struct backend **at = &backends->first;
    sweep_sets(backends);
    while (*at) {
        struct backend *backend = *at;
        if (backend->sets > 0 || atomic_load(&backend->clients) > 0) {
            at = &backend->next;
            continue;
        }
        *at = backend->next;
        free_backend(backend);
    }
}

/* --- sets --- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* True if these are not the endpoints of the last time, those that cannot be used among them. */
static bool differ(struct backends *backends, char *const *endpoints, size_t count)
{
    struct weir_text all = { .data = NULL };
    weir_text_adds(&all, "");
    for (size_t i = 0; i < count; i++)
        weir_text_addf(&all, "%s\n", endpoints[i]);
    if (backends->last && strcmp(backends->last, weir_text_string(&all)) == 0) {
        weir_text_free(&all);
        return false;
    }
    free(backends->last);
    backends->last = weir_text_steal(&all);
    return true;
}

/* Sorts the endpoints and leaves each once; returns their number. */
static size_t tidy(char **endpoints, size_t count)
{
    size_t kept = 0;
    qsort(endpoints, count, sizeof(*endpoints), compare_texts);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(endpoints[kept - 1], endpoints[i]) != 0)
            endpoints[kept++] = endpoints[i];
    }
    return kept < BACKENDS_MAX ? kept : BACKENDS_MAX;
}

static struct backend_set *make_set(struct backends *backends, char **endpoints, size_t count)
{
    struct backend_set *set = weir_xcalloc(1, sizeof(*set));
    set->references = 1;
    set->backends = weir_xcalloc(count + 1, sizeof(struct backend *));
    for (size_t i = 0; i < count; i++) {
        struct backend *backend = find(backends, endpoints[i]);
        if (!backend && !(backend = make(backends, endpoints[i])))
            continue;
        backend->sets++;
        endpoints[set->count] = endpoints[i];
        set->backends[set->count++] = backend;
    }
    ring_build(&set->ring, endpoints, set->count);
    set->next = backends->sets;
    backends->sets = set;
    return set;
}

bool backends_update(struct backends *backends, const char *const *endpoints, size_t count)
{
    char **sorted = weir_xcalloc(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = (char *)(uintptr_t)endpoints[i];
    count = tidy(sorted, count);
    bool changed = differ(backends, sorted, count);
    if (changed)
        backends->set = make_set(backends, sorted, count);
    free(sorted);
    backends_sweep(backends);
    return changed;
}

void backends_free(struct backends *backends)
{
    backends->set = NULL;
    free(backends->last);
    backends->last = NULL;
    while (backends->sets) {
        struct backend_set *set = backends->sets;
        backends->sets = set->next;
        backend_set_unref(set);
    }
    while (backends->first) {
        struct backend *backend = backends->first;
        backends->first = backend->next;
        free_backend(backend);
    }
}
