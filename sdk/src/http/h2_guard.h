// SPDX-License-Identifier: Apache-2.0
/*
 * What a peer may do to an HTTP/2 connection: budgets for frames that cost much and say little, and deadlines for
 * what has begun to arrive or waits to be sent (docs/limits.md). The guard reads the frames' heads itself, before
 * nghttp2 sees them. Private to sdk/src/http.
 */
#ifndef WEIR_HTTP_H2_GUARD_H
#define WEIR_HTTP_H2_GUARD_H

#include "sdk/src/net/cause.h"

enum h2_budget {
    H2_RESETS,  /* RST_STREAM by the peer */
    H2_REFUSED, /* requests beyond the limit of concurrent ones */
    H2_SETTINGS,
    H2_PINGS,
    H2_EMPTY_DATA, /* DATA without bytes that does not end a stream */
    H2_WINDOW_UPDATES,
    H2_OTHER_FRAMES, /* PRIORITY, PUSH_PROMISE, GOAWAY and unknown types */
    H2_BUDGETS,
};

/* Nothing of a frame's payload but its padding is looked at. */
struct h2_scanner {
    uint8_t head[9];
    unsigned head_length;
    uint32_t left;  /* of the payload */
    bool padded;    /* the next byte is the padding's length */
    bool in_block;  /* HEADERS came, END_HEADERS did not */
    unsigned continuations;
    size_t block; /* bytes of the header block so far */
};

/* A peer has `grace` to move bytes, and must on average move H2_RATE of them a second from then on. */
struct h2_progress {
    bool on;
    int64_t by;
};

struct h2_guard {
    struct h2_scanner scanner;
    int64_t spent[H2_BUDGETS]; /* when the budget will be whole again */
    uint32_t max_streams;
    bool server;
    int64_t header_time;
    int64_t body_time;
    bool body_fixed;      /* body_time is the configuration's: bytes do not extend it */
    bool whole;           /* everything that began has arrived */
    int64_t header_by;    /* when it must have, !whole */
    uint64_t data;        /* bytes of all DATA frames that came */
    struct h2_progress in;
    struct h2_progress out;
};

struct h2_guard_config {
    bool server;
    uint32_t max_streams;
    int64_t header_time; /* nanoseconds for the preface and for header lists; 0: a minute */
    int64_t body_time;   /* for a whole body; 0: silence of a minute within bodies, and H2_RATE on average */
};

#define H2_RATE 512

void h2_guard_init(struct h2_guard *guard, const struct h2_guard_config *config, int64_t now);

/* Looks at what was received. WEIR_CAUSES when that is allowed, or else why the connection must end. */
enum weir_cause h2_guard_scan(struct h2_guard *guard, const uint8_t *bytes, size_t length, int64_t now);
/* Takes from a budget; as above. */
enum weir_cause h2_guard_spend(struct h2_guard *guard, enum h2_budget budget, int64_t now);
/* Gives back: the peer had reason for so many. */
void h2_guard_earn(struct h2_guard *guard, enum h2_budget budget, unsigned count);

/* The oldest body that is arriving began then: false if it is late, which only a configured body_time can disprove. */
bool h2_guard_body_since(struct h2_guard *guard, int64_t since, int64_t now);

/* Whether bodies are arriving, or answers are under way. */
void h2_guard_receiving(struct h2_guard *guard, bool on, int64_t now);
void h2_guard_sending(struct h2_guard *guard, bool on, int64_t now);
/* Bytes of answers left. */
void h2_guard_sent(struct h2_guard *guard, size_t bytes, int64_t now);

/* The next deadline; INT64_MAX: none. */
int64_t h2_guard_due(const struct h2_guard *guard);
/* Which has passed; WEIR_CAUSES: none. */
enum weir_cause h2_guard_late(const struct h2_guard *guard, int64_t now);

#endif
