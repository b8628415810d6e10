// SPDX-License-Identifier: Apache-2.0
/*
 * Hosting components: instances, the edges between them, their ledgers. For the collector's own main program and
 * for test harnesses, not for components.
 */
#ifndef WEIR_SYS_HOST_H
#define WEIR_SYS_HOST_H

#include <stdatomic.h>

#include <weir/component.h>
#include <weir/context.h>

WEIR_BEGIN

/* What an instance asks of its host. */
struct weir_host {
    /* A shard has nothing held or under way any more. The shard's worker. */
    void (*drained)(struct weir_shard *shard);
    /* After weir_shard_await_idle said false: all that the shard has sent is answered. The shard's worker. */
    void (*idle)(struct weir_shard *shard);
    /* Nothing that the instance has said to be under way (weir_instance_busy) is any more. Worker 0; may be NULL. */
    void (*rested)(struct weir_instance *instance);
    /* A component's report on itself. Any worker. */
    void (*report)(struct weir_instance *instance, enum weir_status status, const char *reason);
    /* The extension of this id, NULL when there is none. Main thread. */
    struct weir_instance *(*extension)(struct weir_instance *user, const char *id);
    /* Fills `out` for weir_host_state. Main thread. */
    void (*state)(struct weir_instance *instance, struct weir_host_state *out);
};

/* Makes an instance of `component` and its shards, one for each worker; nothing of the component is called.
 * `config` (decoded options) and `logger` outlive it; `id` is copied; `context` is the host's own. Main thread. */
WEIR_EXPORT struct weir_instance *weir_instance_new(const struct weir_component *component, const char *id,
                                                    const void *config, struct weir_logger *logger,
                                                    const struct weir_host *host, void *context);
/* The `context` it was made with. Any thread. */
WEIR_EXPORT void *weir_instance_host_context(const struct weir_instance *instance);
/* Frees the instance, which has been destroyed by its component before and which nothing sends to any more; accepts
 * NULL. */
WEIR_EXPORT void weir_instance_free(struct weir_instance *instance);

/* Runs the component's start, if it has one; what the SDK opens meanwhile on this thread (TLS contexts) reports its faults
 * on the instance. 0, or -1 with `error` set. Main thread. */
WEIR_EXPORT int weir_instance_start(struct weir_instance *instance, struct weir_error *error);

/* Run the component's worker_start and worker_stop; a shard that was stopped, or never started, refuses what is sent
 * to it with a retryable answer. Before worker_stop, what the shard has sent and nobody has answered yet is answered to
 * it as retryable, so that it owes and is owed nothing afterwards. The shard's worker. */
WEIR_EXPORT int weir_shard_open(struct weir_shard *shard, struct weir_error *error);
WEIR_EXPORT void weir_shard_close(struct weir_shard *shard);

/* Marks that a pipeline of this signal uses the instance. */
WEIR_EXPORT void weir_instance_set_uses(struct weir_instance *instance, enum weir_signal signal);

/* True when nothing that the shard has sent waits for its answer and the component says of nothing else that it is under
 * way (weir_shard_busy); otherwise host->idle is called once that is so. The shard's worker. */
WEIR_EXPORT bool weir_shard_await_idle(struct weir_shard *shard);

/* Adds an edge from `from` to `to` for `signal`, as part of `pipeline` (the pipeline entered by this edge), whose answers
 * must mean `promise`. Edges of one pipeline make one route. Before worker_start, or into a plan; main thread. */
WEIR_EXPORT void weir_instance_connect(struct weir_instance *from, enum weir_signal signal, const char *pipeline,
                                       enum weir_promise promise, struct weir_instance *to);

/*
 * Reload: new edges for an instance that runs. weir_instance_plan begins with none; weir_instance_connect and
 * weir_instance_set_uses then add to the plan. The workers go on with the old edges until each calls
 * weir_shard_follow_plan, between two batches; when all have, weir_instance_settle_plan frees the old ones. Main thread
 * but for weir_shard_follow_plan.
 */
WEIR_EXPORT void weir_instance_plan(struct weir_instance *instance);
WEIR_EXPORT void weir_instance_abandon_plan(struct weir_instance *instance);
/* True if there is a plan, and it is not what the instance has. */
WEIR_EXPORT bool weir_instance_plan_differs(const struct weir_instance *instance);
WEIR_EXPORT void weir_shard_follow_plan(struct weir_shard *shard);
WEIR_EXPORT void weir_instance_settle_plan(struct weir_instance *instance);
/* False if the component has asked which signals use it, and would be told otherwise now: `uses` has WEIR_SIGNALS
 * elements. Main thread. */
WEIR_EXPORT bool weir_instance_suits(const struct weir_instance *instance, const bool *uses);

/* Addresses that the instance listens at may be taken over, with the connections that wait there, by one that starts
 * beside it; until it is quiesced, both accept. Main thread. */
WEIR_EXPORT void weir_instance_yield(struct weir_instance *instance, bool yields);

/* What WEIR_OK of the instance alone means at least when `asked` is asked of it; for one that only passes on: `asked`.
 * Main thread, after create. */
WEIR_EXPORT enum weir_promise weir_instance_promise(struct weir_instance *instance, enum weir_promise asked);

/*
 * The ledger of one instance and one signal. Items; each number only grows but `held` and `in_flight`. What a
 * component has acknowledged must be found again:
 *
 *     accepted + made = sent + delivered + dropped + handed over + held
 *
 * For a receiver, "accepted" is what the pipelines took from it and its client may hear of, and is "sent", too.
 */
#define WEIR_LEDGER_REASONS 16

struct weir_ledger_reason {
    const char *reason;
    uint64_t items;    /* dropped items; refused requests */
    uint64_t bytes;    /* refused bytes */
};

struct weir_ledger {
    uint64_t offered; /* items that came in */
    uint64_t offered_bytes;
    uint64_t accepted; /* answered WEIR_OK */
    uint64_t accepted_bytes;
    uint64_t refused;        /* answered WEIR_RETRYABLE */
    uint64_t refused_bytes;
    uint64_t failed; /* answered WEIR_PERMANENT */
    uint64_t failed_bytes;
    uint64_t in_flight; /* offered and not answered */
    uint64_t made;
    uint64_t sent; /* passed on and answered WEIR_OK */
    uint64_t sent_bytes;
    uint64_t send_failed; /* passed on and answered otherwise */
    uint64_t delivered;
    uint64_t handed_over; /* to the successor, on reload */
    uint64_t held;        /* as the component says */
    uint64_t dropped;
    struct weir_ledger_reason drops[WEIR_LEDGER_REASONS];
    struct weir_ledger_reason refusals[WEIR_LEDGER_REASONS]; /* requests refused before their items were counted */
};

/* Sums the ledger over the workers, reading `held` only when `quiet` (all workers are at rest). Main thread. */
WEIR_EXPORT void weir_instance_ledger(struct weir_instance *instance, enum weir_signal signal, bool quiet,
                                      struct weir_ledger *out);

/* Adds `part` to `sum`, both of one kind and id. Any thread. */
WEIR_EXPORT void weir_ledger_add(struct weir_ledger *sum, const struct weir_ledger *part);

/* accepted + made - sent - delivered - dropped - handed over: what must equal `held`. */
WEIR_EXPORT int64_t weir_ledger_remainder(const struct weir_ledger *ledger);

/* For receivers, whose numbers upstream shows for each transport: sums for the transport at `index`, false past the
 * last. `transport` is "" for batches without a context. */
WEIR_EXPORT bool weir_instance_transport(struct weir_instance *instance, enum weir_signal signal, size_t index,
                                         const char **transport, uint64_t *accepted, uint64_t *refused);

/* The labels that the component added, and their number. */
WEIR_EXPORT const struct weir_label *weir_instance_labels(const struct weir_instance *instance, size_t *count);

/* Last reported status; `reason` (may be NULL) is a copy that the caller frees. Any thread. */
WEIR_EXPORT enum weir_status weir_instance_status(struct weir_instance *instance, char **reason);

/* Series of components' own instruments, for whoever shows them. Main thread. */
struct weir_series_view {
    const struct weir_instrument *instrument;
    enum weir_kind kind;
    const char *id; /* of the instance */
    const struct weir_label *labels;
    size_t label_count;
    double value;            /* counters and gauges; the sum of a histogram */
    uint64_t observations;   /* histograms */
    const uint64_t *buckets; /* histograms: instrument->bound_count + 1 counts, not cumulative */
};
/* Calls visit for each series, grouped by instrument name. */
WEIR_EXPORT void weir_meter_visit(void (*visit)(const struct weir_series_view *view, void *argument), void *argument);
/* True if the instance of that id has a series of that name. Main thread. */
WEIR_EXPORT bool weir_meter_has(enum weir_kind kind, const char *id, const char *name);
/* Forgets what was registered for the instance with weir_meter_observe, after a last look at its counters, whose series
 * go on from there. Before the component destroys it. Main thread. */
WEIR_EXPORT void weir_meter_forget(const struct weir_instance *instance);

/* Certificates that TLS contexts in use were made from, for whoever shows them. */
struct weir_certificate_view {
    const char *file;  /* the key of the config ("cert_pem") where it was given as text */
    const char *side;  /* "server" or "client" */
    const char *use;   /* "own", "ca", "client_ca" */
    int64_t not_after; /* seconds since 1970: when the first of a chain ends, or the last of several CAs */
};
/* Calls visit for each; the same file comes once for each context that uses it. Main thread. */
WEIR_EXPORT void weir_certificates_visit(void (*visit)(const struct weir_certificate_view *view, void *argument),
                                         void *argument);

/* The log. */
struct weir_logging {
    enum weir_log_level level;
    bool json;
    bool sampling;
    int64_t sampling_tick; /* nanoseconds */
    unsigned sampling_initial;
    unsigned sampling_thereafter; /* 0: drop the rest */
    const int *descriptors;       /* where lines go; owned by the caller */
    size_t descriptor_count;
    const char *fields; /* JSON members without braces that every line carries, "" for none; copied */
};
/* Sets up the process's log; until then lines of level info and above go to stderr. Main thread. */
WEIR_EXPORT void weir_logging_configure(const struct weir_logging *logging);

/* A logger whose lines carry these fields (copied), with one reference. Any thread. */
WEIR_EXPORT struct weir_logger *weir_logger_new(const struct weir_field *fields) WEIR_MUST_USE;
/* One more reference, for what may outlive the logger's instance; returns it. Accepts NULL. Any thread. */
WEIR_EXPORT struct weir_logger *weir_logger_ref(struct weir_logger *logger);
/* Drops a reference; the last one frees it. Accepts NULL. Any thread. */
WEIR_EXPORT void weir_logger_free(struct weir_logger *logger);

WEIR_END

#endif
