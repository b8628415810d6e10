// SPDX-License-Identifier: Apache-2.0
/*
 * How telemetry moves: a batch goes down, exactly one acknowledgement comes back.
 */
#ifndef WEIR_FLOW_H
#define WEIR_FLOW_H

#include <weir/batch.h>

WEIR_BEGIN

enum weir_outcome {
    WEIR_OK,        /* the callee is now answerable for the batch */
    WEIR_RETRYABLE, /* refused for now: the same batch may be offered again */
    WEIR_PERMANENT, /* refused for good: offering it again is useless */
};

/* Status codes of gRPC (grpc.io: Status codes). */
enum weir_grpc_code {
    WEIR_GRPC_OK = 0,
    WEIR_GRPC_CANCELLED = 1,
    WEIR_GRPC_UNKNOWN = 2,
    WEIR_GRPC_INVALID_ARGUMENT = 3,
    WEIR_GRPC_DEADLINE_EXCEEDED = 4,
    WEIR_GRPC_NOT_FOUND = 5,
    WEIR_GRPC_ALREADY_EXISTS = 6,
    WEIR_GRPC_PERMISSION_DENIED = 7,
    WEIR_GRPC_RESOURCE_EXHAUSTED = 8,
    WEIR_GRPC_FAILED_PRECONDITION = 9,
    WEIR_GRPC_ABORTED = 10,
    WEIR_GRPC_OUT_OF_RANGE = 11,
    WEIR_GRPC_UNIMPLEMENTED = 12,
    WEIR_GRPC_INTERNAL = 13,
    WEIR_GRPC_UNAVAILABLE = 14,
    WEIR_GRPC_DATA_LOSS = 15,
    WEIR_GRPC_UNAUTHENTICATED = 16,
};

/* What became of a batch. Valid during the call that brings it. */
struct weir_result {
    enum weir_outcome outcome;
    int grpc_code;       /* the status a peer answered with, to be passed on to the client; 0: none */
    int64_t retry_after; /* nanoseconds the peer asked to wait; 0: none */
    const char *reason;  /* a short sentence for the client and the log; NULL with WEIR_OK */
};

#define WEIR_RESULT_OK (WEIR_LITERAL(weir_result){ WEIR_OK, 0, 0, NULL })
#define WEIR_RESULT_RETRYABLE(why) (WEIR_LITERAL(weir_result){ WEIR_RETRYABLE, 0, 0, (why) })
#define WEIR_RESULT_PERMANENT(why) (WEIR_LITERAL(weir_result){ WEIR_PERMANENT, 0, 0, (why) })

/* What WEIR_OK means to whoever waits for it; each promises more than the one before. */
enum weir_promise {
    WEIR_PROMISE_MEMORY, /* a component holds the telemetry: lost when the process dies */
    WEIR_PROMISE_DISK,   /* it is on stable storage, or was accepted by its destinations */
    WEIR_PROMISE_SINK,   /* the destinations have accepted it */
};

/*
 * Awaits the outcome of one batch. Embed it, zeroed, in the state kept for the request, and set `done` and, where a
 * client waits for a known time only, `deadline`. `done` is called exactly once, on the worker where the batch was sent,
 * possibly before the sending call returns.
 */
struct weir_ack {
    void (*done)(struct weir_ack *ack, const struct weir_result *result);
    enum weir_promise promise; /* in consume: the least that WEIR_OK must mean; set by the host for each edge */
    int64_t deadline;          /* on the worker's clock, after which nobody waits for the answer; 0: not known */
};

/* What is asked of an answer: the ack's, WEIR_PROMISE_MEMORY where nobody waits. */
static inline enum weir_promise weir_ack_promise(const struct weir_ack *ack)
{
    return ack ? ack->promise : WEIR_PROMISE_MEMORY;
}

/* Completes an ack; accepts NULL, for batches that nobody waits for. The worker where the batch was consumed. */
static inline void weir_ack_complete(struct weir_ack *ack, const struct weir_result *result)
{
    if (ack)
        ack->done(ack, result);
}

static inline void weir_ack_ok(struct weir_ack *ack)
{
    struct weir_result result = { WEIR_OK, 0, 0, NULL };
    weir_ack_complete(ack, &result);
}

WEIR_END

#endif
