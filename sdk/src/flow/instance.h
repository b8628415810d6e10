// SPDX-License-Identifier: Apache-2.0
/* The inside of instances and shards, for the files of this folder. */
#ifndef WEIR_FLOW_INSTANCE_H
#define WEIR_FLOW_INSTANCE_H

#include <pthread.h>
#include <stdatomic.h>

#include <weir/sys/host.h>

/* A number that one worker writes and any thread may read: no read-modify-write is ever needed. */
typedef _Atomic uint64_t tally;

static inline void tally_add(tally *t, uint64_t n)
{
    atomic_store_explicit(t, atomic_load_explicit(t, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t tally_read(const tally *t)
{
    return atomic_load_explicit((tally *)t, memory_order_relaxed);
}

struct reason_tally {
    const char *_Atomic reason;
    tally items;
    tally bytes;
};

#define TRANSPORTS 4

struct transport_tally {
    const char *_Atomic transport;
    tally accepted;
    tally refused;
};

/* One shard's part of a ledger. */
struct ledger {
    tally offered, offered_bytes;
    tally accepted, accepted_bytes;
    tally refused, refused_bytes;
    tally failed, failed_bytes;
    tally made;
    tally sent, sent_bytes;
    tally send_failed;
    tally delivered;
    tally handed_over;
    struct reason_tally drops[WEIR_LEDGER_REASONS];
    struct reason_tally refusals[WEIR_LEDGER_REASONS];
    struct transport_tally transports[TRANSPORTS];
};

struct hop;
struct fault;

struct weir_shard {
    struct weir_instance *instance;
    struct weir_worker *worker;
    void *data;
    bool open; /* between worker_start and worker_stop */
    struct ledger ledgers[WEIR_SIGNALS];
    struct hop *spare_hops; /* of sends from this shard, kept for reuse */
};

/* The edges that enter one pipeline. */
struct route {
    const char *pipeline;
    enum weir_promise promise;
    struct weir_instance **targets;
    size_t count;
};

struct routes {
    struct route *items;
    size_t count;
    size_t targets; /* of all routes */
};

struct weir_instance {
    const struct weir_component *component;
    char *id;
    const void *config;
    struct weir_logger *logger;
    const struct weir_host *host;
    void *host_context;
    void *data;
    bool uses[WEIR_SIGNALS];
    struct routes routes[WEIR_SIGNALS];
    struct weir_label *labels;
    size_t label_count;
    pthread_mutex_t status_lock;
    enum weir_status status;
    char *status_reason;
    struct fault *faults; /* newest first */
    struct weir_shard **shards;
    unsigned shard_count;
};

void ledger_add_reason(struct reason_tally *reasons, const char *reason, uint64_t items, uint64_t bytes);
void hops_free(struct weir_shard *shard);
void faults_free(struct weir_instance *instance);

/* The instance whose start runs on this thread; NULL: none does. */
struct weir_instance *weir_instance_starting(void);

#endif
