// SPDX-License-Identifier: Apache-2.0
/*
 * What a component is: the one structure that a plugin exports, and what the host gives it to work with.
 *
 * A plugin is a shared object with one exported symbol, `weir_component`, in a file named for its type:
 *
 *     WEIR_EXPORT const struct weir_component weir_component = {
 *         WEIR_COMPONENT_GUARD,
 *         .kind = WEIR_PROCESSOR,
 *         .type = "sample",
 *         ...
 *     };
 *
 * Life of an instance (one for each id in the config; processors: one for each pipeline that lists the id), all on the
 * main thread unless said otherwise:
 *
 *     create          the config is decoded and checked; nothing is opened. `weir validate` stops here.
 *     start           opens what all workers share (files, listeners' addresses).
 *     worker_start    on each worker: makes the shard's state, opens sockets, starts timers.
 *     consume         on the worker: telemetry arrives.
 *     quiesce         on each worker, receivers only: stop taking in new work; requests under way go on.
 *     drain           on each worker, in the order of the data: send on what is held; completes later.
 *     retire          reload, on each worker, instead of drain where a successor of the same id takes over.
 *     worker_stop     on each worker, exporters first: completes every ack it still owes (retryable, "shutting down"),
 *                     drops and counts what it still holds, frees the shard's state.
 *     stop            closes what start opened, once all that the instance has under way has come back (weir_instance_busy).
 *     destroy         frees what create made.
 *
 * worker_stop, stop and destroy are also called when the step before them failed or never ran: they accept state that
 * is not there. Every callback but create may be NULL.
 */
#ifndef WEIR_COMPONENT_H
#define WEIR_COMPONENT_H

#include <weir/flow.h>
#include <weir/logger.h>
#include <weir/meter.h>
#include <weir/option.h>
#include <weir/worker.h>

WEIR_BEGIN

/*
 * ABI history (newest first). The major number changes when an old plugin can no longer be loaded; the minor number
 * when something is added at the end of a structure or to the library. A plugin built for a newer minor than the host's
 * is refused.
 *
 *   1.0  2026-11-21  first.
 */
#define WEIR_ABI_MAJOR 1
#define WEIR_ABI_MINOR 0

enum weir_kind {
    WEIR_RECEIVER,
    WEIR_PROCESSOR,
    WEIR_EXPORTER,
    WEIR_CONNECTOR,
    WEIR_EXTENSION,
};
#define WEIR_KINDS 5

/* "receiver", ...; with `plural`, as in the config and in paths: "receivers". Any thread. */
WEIR_EXPORT const char *weir_kind_name(enum weir_kind kind, bool plural);

enum weir_stability {
    WEIR_UNSUPPORTED, /* the component does not take this signal */
    WEIR_DEVELOPMENT,
    WEIR_ALPHA,
    WEIR_BETA,
    WEIR_STABLE,
    WEIR_DEPRECATED,
    WEIR_UNMAINTAINED,
};

enum weir_trait {
    WEIR_MUTATES = 1 << 0,    /* changes batches: gets exclusive ones */
    WEIR_HOLDS = 1 << 1,      /* acknowledges before it has passed the telemetry on: says what it holds */
    WEIR_MULTI_PIPELINE = 1 << 2, /* connectors: picks the pipelines itself with weir_shard_send_to */
};

/* One component of the running config; opaque. */
struct weir_instance;
/* The part of an instance that lives on one worker: what consume is called with. */
struct weir_shard;

struct weir_component {
    /* The guard: never moves. */
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;

    enum weir_kind kind;
    const char *type;           /* the name in configs; upstream's current one */
    const char *const *aliases; /* older names, NULL-terminated; NULL: none */
    const char *version;        /* of the plugin */
    const char *summary;        /* one sentence */
    enum weir_stability stability[WEIR_SIGNALS];
    /* Connectors: converts[from][to]; the others leave it zero. */
    enum weir_stability converts[WEIR_SIGNALS][WEIR_SIGNALS];
    unsigned traits; /* enum weir_trait */

    const struct weir_option_table *options; /* NULL: no keys */
    const struct weir_instrument *metrics;   /* ended by a row without name; NULL: none */

    int (*create)(struct weir_instance *instance, struct weir_error *error);
    int (*start)(struct weir_instance *instance, struct weir_error *error);
    int (*worker_start)(struct weir_shard *shard, struct weir_error *error);

    /* Takes the caller's reference on `batch` and completes `ack` (may be NULL) exactly once, now or later, on this
     * worker. Never blocks. The batch is exclusive if the component has WEIR_MUTATES, else perhaps shared. */
    void (*consume)(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack);

    /* Asked before `bytes` of a new request are received or decoded: false, with `refusal` filled, to have the client
     * told to come back later. NULL: no objection. */
    bool (*admit)(struct weir_shard *shard, enum weir_signal signal, size_t bytes, struct weir_result *refusal);

    /* What WEIR_OK of this component means at least when `asked` is asked of it, which is less than `asked` where it
     * cannot do so much. NULL: WEIR_PROMISE_MEMORY with WEIR_HOLDS, otherwise whatever those behind it promise. Main
     * thread, after create. */
    enum weir_promise (*promise)(struct weir_instance *instance, enum weir_promise asked);

    /* Items that the shard has acknowledged and neither passed on nor dropped yet. WEIR_HOLDS only. */
    uint64_t (*held)(struct weir_shard *shard, enum weir_signal signal);

    void (*quiesce)(struct weir_shard *shard);
    /* Calls weir_shard_drained(shard) once nothing is held or under way, at the latest when the host calls
     * worker_stop. NULL: nothing to drain. */
    void (*drain)(struct weir_shard *shard);
    void (*worker_stop)(struct weir_shard *shard);
    void (*stop)(struct weir_instance *instance);
    void (*destroy)(struct weir_instance *instance);

    /* Reload: hands the state of a retiring instance to its successor, which has the same component and id. `export_state`
     * returns an object that `import_state` takes over or, when NULL comes back, is gone. */
    void *(*export_state)(struct weir_instance *instance);
    int (*import_state)(struct weir_instance *instance, void *state, struct weir_error *error);

    /* Extensions: the functions that they offer to other components, as the constant structure that the interface of
     * that name is (weir/storage.h, weir/auth.h); NULL: not offered. Any thread, after create. */
    const void *(*offer)(struct weir_instance *instance, const char *interface);

    /* Extensions and others that follow the collector's readiness: true once every pipeline runs, false when shutdown
     * begins. */
    void (*ready)(struct weir_instance *instance, bool ready);

    /* Reload, on each worker, before worker_stop and export_state: what somebody waits for and what is under way comes to
     * its end, nothing else is begun, then weir_shard_drained(shard). drain follows, and export_state does not, when the
     * successor is taken out meanwhile. NULL: nothing to wait for. */
    void (*retire)(struct weir_shard *shard);
};

/* The first members of every component. */
#define WEIR_COMPONENT_GUARD                                                                                   \
    .struct_size = sizeof(struct weir_component), .abi_major = WEIR_ABI_MAJOR, .abi_minor = WEIR_ABI_MINOR

#ifdef __cplusplus
/* What a plugin exports: without this a constant of C++ is not seen outside its file. */
extern WEIR_EXPORT const struct weir_component weir_component;
#endif

/* What the host knows of an instance. Constant; any thread. */
WEIR_EXPORT const struct weir_component *weir_instance_component(const struct weir_instance *instance);
/* The id as the user wrote it: "otlp/gw". Owned by the instance. Any thread. */
WEIR_EXPORT const char *weir_instance_id(const struct weir_instance *instance);
/* The decoded options: a struct of the component's table's size. NULL without a table. */
WEIR_EXPORT const void *weir_instance_config(const struct weir_instance *instance);
/* The logger that names the component in each line. Any thread. */
WEIR_EXPORT struct weir_logger *weir_instance_logger(struct weir_instance *instance);
/* True if a pipeline of this signal uses the instance (connectors: as its exporter). */
WEIR_EXPORT bool weir_instance_uses(const struct weir_instance *instance, enum weir_signal signal);
/* The first signal that a pipeline uses the instance for: for a processor, which serves one pipeline, the only one. */
WEIR_EXPORT enum weir_signal weir_instance_signal(const struct weir_instance *instance);

/* The component's own state of the instance: set in create or start, read anywhere. */
WEIR_EXPORT void weir_instance_set_data(struct weir_instance *instance, void *data);
WEIR_EXPORT void *weir_instance_data(const struct weir_instance *instance);

/* Labels that the host puts on the exporter's sent and failed counters besides exporter="<id>" (server.address and the
 * like). Copied. In create. */
WEIR_EXPORT void weir_instance_add_label(struct weir_instance *instance, const char *name, const char *value);

/* The functions of `interface` that the extension `id` of this collector offers, and the extension to call them with.
 * It lives at least as long as `user`, and has been started when `user` is. 0, or -1 with `error` set: not configured, or
 * it does not offer the interface ("extension \"x\" is not an authenticator"; `what` is the noun). Main thread, from
 * start on. */
WEIR_EXPORT int weir_instance_extension(struct weir_instance *user, const char *id, const char *interface,
                                        const char *what, struct weir_instance **extension, const void **functions,
                                        struct weir_error *error);

/* What health and status pages show of the instance. Any worker; the newest report wins. */
enum weir_status {
    WEIR_STATUS_STARTING,
    WEIR_STATUS_RUNNING,
    WEIR_STATUS_RECOVERABLE_ERROR,
    WEIR_STATUS_PERMANENT_ERROR,
    WEIR_STATUS_FATAL_ERROR, /* the collector shuts down */
    WEIR_STATUS_STOPPED,
};
/* Replaces the instance's status; `reason` (may be NULL) is copied. WEIR_STATUS_FATAL_ERROR ends the collector. Any
 * worker. */
WEIR_EXPORT void weir_instance_report(struct weir_instance *instance, enum weir_status status, const char *reason);

/* A fault that lasts until it is withdrawn (`reason` NULL), whatever the component reports besides: WEIR_STATUS_RUNNING
 * shows as WEIR_STATUS_RECOVERABLE_ERROR with the newest fault's reason (copied) meanwhile. `source` tells the faults of
 * an instance apart; the same source replaces its own. Any worker. */
WEIR_EXPORT void weir_instance_fault(struct weir_instance *instance, const void *source, const char *reason);

/* Shards. The shard's worker only. */
WEIR_EXPORT struct weir_instance *weir_shard_instance(const struct weir_shard *shard);
WEIR_EXPORT struct weir_worker *weir_shard_worker(const struct weir_shard *shard);
WEIR_EXPORT void weir_shard_set_data(struct weir_shard *shard, void *data);
WEIR_EXPORT void *weir_shard_data(const struct weir_shard *shard);

/* The instance's shard on another worker, to post work to it. Any thread. */
WEIR_EXPORT struct weir_shard *weir_instance_shard(struct weir_instance *instance, unsigned worker);

/* Sends a batch down every edge for its signal: takes the caller's reference; `ack` (may be NULL) is completed once, when
 * all branches are done, with the worst result. Where no pipeline takes the signal, the batch is dropped and counted. */
WEIR_EXPORT void weir_shard_send(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack);

/* As weir_shard_send, for what is left of a batch after `taken_out` of its items were removed by the component's purpose
 * (a filter, a sampler): they are dropped with `reason` (see weir_shard_drop) when the rest is accepted, so that a batch
 * that is refused and comes again is not counted twice. An empty rest is answered WEIR_OK at once. */
WEIR_EXPORT void weir_shard_send_rest(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack,
                                      uint64_t taken_out, const char *reason);

/* WEIR_MULTI_PIPELINE connectors: the pipelines that take `signal` from this connector, and sending to one. */
WEIR_EXPORT size_t weir_shard_pipelines(const struct weir_shard *shard, enum weir_signal signal);
WEIR_EXPORT const char *weir_shard_pipeline(const struct weir_shard *shard, enum weir_signal signal, size_t index);
WEIR_EXPORT void weir_shard_send_to(struct weir_shard *shard, size_t pipeline, struct weir_batch *batch,
                                    struct weir_ack *ack);

/* Something of the shard is under way on another worker and comes back to this one (true), or has come back (false): on
 * reload the host waits for it, up to its deadline, before it closes the shard. Calls come in pairs. */
WEIR_EXPORT void weir_shard_busy(struct weir_shard *shard, bool busy);

/* Something that the instance has asked of another thread and that ends by itself (a write to the disk) is under way
 * (true), or has come back, as the last that is done with the instance's memory (false). Between worker_stop and stop the
 * host waits for it while the workers go on. Calls come in pairs. Any worker. */
WEIR_EXPORT void weir_instance_busy(struct weir_instance *instance, bool busy);
/* True in stop: the host has waited in vain. What is still under way may come back, so nothing that it refers to may be
 * freed or closed; destroy is not called. Any thread. */
WEIR_EXPORT bool weir_instance_is_busy(const struct weir_instance *instance);

/* Asks every component downstream whether `bytes` more of this signal may come in; on true the bytes are reserved
 * (weir_memory_reserve) and the caller hands them to the batch or releases them. Receivers, before they read or decode. */
WEIR_EXPORT bool weir_shard_admit(struct weir_shard *shard, enum weir_signal signal, size_t bytes,
                                  struct weir_result *refusal);

/*
 * The ledger: what the host cannot see for itself. Everything a component has acknowledged with WEIR_OK must leave it
 * again as sent on (weir_shard_send with an ack that came back WEIR_OK: counted by the host), delivered, or dropped.
 */
/* Telemetry that is gone: after acknowledging it, or by the component's purpose (a filter). `reason` is a word of
 * the component's own code ("filtered", "send_failed"), not of the data; at most 16 of them. */
WEIR_EXPORT void weir_shard_drop(struct weir_shard *shard, enum weir_signal signal, uint64_t items,
                                 const char *reason);
/* An exporter with WEIR_HOLDS has handed these items to its destination (others: counted from their acks). */
WEIR_EXPORT void weir_shard_deliver(struct weir_shard *shard, enum weir_signal signal, uint64_t items);
/* Items that did not come in but were made here (a connector's metrics about traces). */
WEIR_EXPORT void weir_shard_make(struct weir_shard *shard, enum weir_signal signal, uint64_t items);
/* Items that this instance held and its successor of the same id holds from now on, who reports them with
 * weir_shard_make. In export_state. */
WEIR_EXPORT void weir_shard_hand_over(struct weir_shard *shard, enum weir_signal signal, uint64_t items);
/* Items that the instance holds as it stops and that outlast the process: they are on disk, and whoever finds them there
 * reports them with weir_shard_make. Once, in stop. */
WEIR_EXPORT void weir_shard_keep(struct weir_shard *shard, enum weir_signal signal, uint64_t items);
/* A request refused before its items could be counted (too large, malformed, no memory): `reason` as above. */
WEIR_EXPORT void weir_shard_refuse(struct weir_shard *shard, enum weir_signal signal, uint64_t bytes,
                                   const char *reason);
/* Completes drain. */
WEIR_EXPORT void weir_shard_drained(struct weir_shard *shard);

/* A snapshot of the collector for extensions that show it. Main thread. */
struct weir_host_state {
    bool ready;
    int64_t ready_since; /* wall clock, nanoseconds since 1970; 0 while not ready */
    unsigned instances_failing; /* whose last status is an error */
};
/* Fills `out` as things are now. */
WEIR_EXPORT void weir_host_state(struct weir_instance *instance, struct weir_host_state *out);

WEIR_END

#endif
