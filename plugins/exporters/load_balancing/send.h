// SPDX-License-Identifier: Apache-2.0
/*
 * A worker's connections to the backends, and what goes over them.
 */
#ifndef LOAD_BALANCING_SEND_H
#define LOAD_BALANCING_SEND_H

#include <weir/component.h>

#include "plugins/exporters/load_balancing/backends.h"
#include "plugins/exporters/load_balancing/resolve.h"

struct part;
struct lb_shared;

/* A worker's connection to one backend. */
struct slot {
    struct slot *next;
    struct backend *backend;
    struct weir_grpc_client *client;
    bool retired;                /* the backend is gone: what is under way comes to its end */
    int64_t busy;                /* calls */
    struct part *first, *last;   /* wait for their turn */
};

/* A worker's part. */
struct lb_shard {
    struct weir_shard *shard;
    struct lb_shared *shared;
    struct backend_set *set; /* NULL: none yet */
    struct slot *slots;
    struct weir_task sweep; /* frees slots that are retired and idle */
    bool sweeping, open, stopped; /* open: between worker_start and worker_stop; stopped: after it */
};

/* What all workers share. */
struct lb_shared {
    _Atomic unsigned references; /* the instance's, and one for each task under way */
    const struct lb_config *config;
    struct router routers[WEIR_SIGNALS];
    struct weir_sender_options sender_options;
    struct backends backends;
    int64_t timeout;
    int64_t calls; /* most for one backend on one worker */
    struct resolver resolver;
    struct weir_series *updates; /* of the set of backends */
    bool running; /* worker 0 has started */
    unsigned shard_count;
    struct lb_shard *shards; /* by worker */
};

/* Frees it with the last reference. Any thread. */
void lb_shared_unref(struct lb_shared *shared);

/* A worker speaks to some backend no more: on the main thread, those that nobody speaks to are freed. Any worker. */
void lb_sweep_backends(struct lb_shared *shared);

/* weir_send. */
void lb_send(struct weir_shard *shard, struct weir_attempt *attempt);

/* Before worker_start; main thread. */
void lb_shard_init(struct lb_shard *own, struct lb_shared *shared, struct weir_shard *shard);
/* From now on this is the set (a reference is taken); what waits for a backend that is gone is routed anew. */
void lb_adopt(struct lb_shard *own, struct backend_set *set);
/* In worker_start, which takes up the set that came before. */
void lb_open(struct lb_shard *own);
/* In worker_stop: ends all calls. */
void lb_close(struct lb_shard *own);

#endif
