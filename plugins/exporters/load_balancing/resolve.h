// SPDX-License-Identifier: Apache-2.0
/*
 * Where the backends come from: a list, the addresses of a name, or the endpoints of a Kubernetes service.
 */
#ifndef LOAD_BALANCING_RESOLVE_H
#define LOAD_BALANCING_RESOLVE_H

#include <weir/kube.h>
#include <weir/lookup.h>

#include "plugins/exporters/load_balancing/options.h"
#include "plugins/exporters/load_balancing/slices.h"

/* All on the main thread, which is worker 0's. */
struct resolver {
    struct weir_instance *instance;
    const struct lb_resolver *config;
    /* These are the backends now, with or without a port, perhaps the same as before. From resolver_worker_start on, for a
     * list from resolver_start. */
    void (*found)(void *user, const char *const *endpoints, size_t count);
    void *user;

    struct weir_series *succeeded, *failed;
    struct weir_lookup *lookup;
    struct weir_kube *kube;
    struct weir_kube_watch *watch;
    struct slices slices;
    char *service, *name_space;
    bool listing;
};

/* "static", "dns", "k8s". */
const char *resolver_name(const struct lb_resolver *config);

/* In start, with the upper part filled. 0, or -1 with `error` set. */
int resolver_start(struct resolver *resolver, struct weir_error *error);
/* On worker 0. */
void resolver_worker_start(struct resolver *resolver, struct weir_worker *worker);
void resolver_worker_stop(struct resolver *resolver);
/* Accepts one that was not started. */
void resolver_stop(struct resolver *resolver);

/* One attempt to resolve has ended: `why` is NULL when it succeeded. For the files of resolvers. */
void resolver_count(struct resolver *resolver, const char *why);

/* --- kubernetes.c --- */

int kubernetes_start(struct resolver *resolver, struct weir_error *error);
void kubernetes_worker_start(struct resolver *resolver, struct weir_worker *worker);
void kubernetes_worker_stop(struct resolver *resolver);
void kubernetes_stop(struct resolver *resolver);

#endif
