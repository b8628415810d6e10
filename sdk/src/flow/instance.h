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
    tally kept;
    struct reason_tally drops[WEIR_LEDGER_REASONS];
    struct reason_tally refusals[WEIR_LEDGER_REASONS];
    struct transport_tally transports[TRANSPORTS];
};

struct hop;
struct fault;
struct wiring;

struct weir_shard {
    struct weir_instance *instance;
    struct weir_worker *worker;
    void *data;
    bool open;       /* between worker_start and worker_stop */
    bool closed;     /* from worker_stop on: what it still sends is refused */
    bool wants_idle; /* the host is to hear when nothing is under way */
    unsigned busy;   /* what is under way on other workers */
    const struct wiring *wiring; /* what this worker sends along */
    struct ledger ledgers[WEIR_SIGNALS];
    struct hop *hops;       /* sends from this shard that are under way */
    struct hop *spare_hops; /* kept for reuse */
};

/* The edges that enter one pipeline. */
struct route {
    char *pipeline;
    enum weir_promise promise;
    struct weir_instance **targets;
    size_t count;
};

struct routes {
    struct route *items;
    size_t count;
    size_t targets; /* of all routes */
};

/* Where an instance sends to: never changed once a worker has it, but replaced as a whole. */
struct wiring {
    struct routes routes[WEIR_SIGNALS];
    bool uses[WEIR_SIGNALS];
};

struct weir_instance {
    const struct weir_component *component;
    char *id;
    const void *config;
    struct weir_logger *logger;
    const struct weir_host *host;
    void *host_context;
    void *data;
    struct weir_sender *sender; /* an exporter's; NULL: none */
    atomic_bool uses[WEIR_SIGNALS];
    atomic_bool asked_uses; /* the component has looked at `uses` */
    struct wiring *wiring;
    struct wiring *planned; /* what is to take its place; NULL: nothing */
    struct weir_label *labels;
    size_t label_count;
    pthread_mutex_t status_lock;
    enum weir_status status;
    char *status_reason;
    struct fault *faults; /* newest first */
    struct weir_shard **shards;
    unsigned shard_count;
    atomic_bool yields;
    atomic_uint busy;      /* what is under way */
    struct weir_task rest; /* takes the last of it away */
};

void ledger_add_reason(struct reason_tally *reasons, const char *reason, uint64_t items, uint64_t bytes);
/* Forgets the instance's observers without a last look: they may be gone. */
void meter_drop(const struct weir_instance *instance);
void hops_free(struct weir_shard *shard);
/* Answers the sends of the shard that are under way, for nobody will be there to hear of them. */
void hops_abandon(struct weir_shard *shard);
void faults_free(struct weir_instance *instance);

/* The instance whose start runs on this thread; NULL: none does. */
struct weir_instance *weir_instance_starting(void);
/* True if another may take over what it listens at. Any thread. */
bool weir_instance_yields(const struct weir_instance *instance);

#endif
