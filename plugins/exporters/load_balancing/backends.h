// SPDX-License-Identifier: Apache-2.0
/*
 * The backends there are, and how the workers learn of others. The set is made on worker 0, which is the main thread, and
 * handed to each worker; a set does not change.
 */
#ifndef LOAD_BALANCING_BACKENDS_H
#define LOAD_BALANCING_BACKENDS_H

#include <stdatomic.h>

#include <weir/grpc_client.h>

#include "plugins/exporters/load_balancing/metrics.h"
#include "plugins/exporters/load_balancing/ring.h"

/* One backend; main thread, but for `clients`. There as long as a set names it, or a worker speaks to it. */
struct backend {
    struct backend *next;
    char *endpoint; /* as it was resolved: what the ring knows */
    struct weir_grpc_client_options options;
    struct weir_grpc_target *target;
    struct backend_metrics metrics;
    _Atomic unsigned clients; /* of all workers */
    unsigned sets;            /* that name it */
};

/* A set and its ring; freed with the last reference, by any thread. The main thread has one on each set that somebody else
 * has one on, too, and on the newest. */
struct backend_set {
    _Atomic unsigned references;
    struct backend_set *next; /* of backends->sets */
    struct ring ring;
    struct backend **backends; /* by the ring's endpoints */
    size_t count;
};

struct backend_set *backend_set_ref(struct backend_set *set);
void backend_set_unref(struct backend_set *set);

/* All backends that there still are. */
struct backends {
    struct weir_instance *instance;
    const struct weir_grpc_client_options *options; /* for all, but for the endpoint */
    struct backend *first;
    struct backend_set *set;  /* the newest; NULL: none yet */
    struct backend_set *sets; /* all */
    char *last;               /* the endpoints that were found last, a line each; NULL: none yet */
};

/* Makes the set of these endpoints, of which order and doubles do not count. True if it differs from the last; an endpoint
 * that cannot be used is left out and logged. Main thread, as for what follows. */
bool backends_update(struct backends *backends, const char *const *endpoints, size_t count);
/* Frees the sets that no worker has any more, and the backends that are gone with them. */
void backends_sweep(struct backends *backends);
/* No worker has a client any more, nor looks into a set that it has a reference on. */
void backends_free(struct backends *backends);

#endif
