// SPDX-License-Identifier: Apache-2.0
/*
 * The times of a gRPC server's connection: idleness, age, the server's pings, and the client's when they come
 * too often. As gRPC's own servers do it (grpc/proposal: A8, A9).
 */
#include <config.h>

#include "sdk/src/grpc/server.h"
#include "sdk/src/net/cause.h"

#define SECOND INT64_C(1000000000)
#define DEFAULT_TIME (2 * 3600 * SECOND)
#define MIN_TIME SECOND
#define DEFAULT_TIMEOUT (20 * SECOND)
#define DEFAULT_MIN_TIME (300 * SECOND)
#define NO_STREAM_MIN_TIME (2 * 3600 * SECOND)
#define MAX_STRIKES 2
/* Time without a call after which a client is asked to connect anew, where the configuration sets no limit. */
#define IDLE_TIMEOUT (1800 * SECOND)
/* Time a client has to answer the ping of a graceful end before new calls are refused. One without calls
 * may not even look at its connection (gRPC's C core does every 5 s), and loses nothing. */
#define REFUSE_AFTER (10 * SECOND)
#define REFUSE_IDLE_AFTER SECOND

static int64_t now_of(const struct grpc_connection *connection)
{
    return weir_worker_now(connection->server->server.worker);
}

static struct weir_grpc_server_parameters parameters_of(const struct grpc_connection *connection)
{
    const struct weir_grpc_server_options *options = grpc_site_of(connection->server)->options;
    struct weir_grpc_server_parameters parameters = { .time = { 0 } };
    if (options->keepalive_on && options->keepalive.server_parameters_on)
        parameters = options->keepalive.server_parameters;
    if (parameters.time.ns <= 0)
        parameters.time.ns = DEFAULT_TIME;
    if (parameters.time.ns < MIN_TIME)
        parameters.time.ns = MIN_TIME;
    if (parameters.timeout.ns <= 0)
        parameters.timeout.ns = DEFAULT_TIMEOUT;
    if (parameters.max_connection_idle.ns <= 0)
        parameters.max_connection_idle.ns = IDLE_TIMEOUT;
    return parameters;
}

static int64_t later(int64_t time, int64_t delay)
{
    int64_t sum = 0;
    return __builtin_add_overflow(time, delay, &sum) ? INT64_MAX : sum;
}

/* The age give or take a tenth, so that connections made together do not end together. */
static int64_t spread(const struct grpc_connection *connection, int64_t age)
{
    uint64_t noise = (uint64_t)now_of(connection) ^ (uint64_t)(uintptr_t)connection;
    noise *= UINT64_C(0x9e3779b97f4a7c15);
    int64_t tenth = age / 10;
    return age - tenth + (int64_t)((noise >> 11) % ((uint64_t)tenth * 2 + 1));
}

void grpc_keepalive_start(struct grpc_connection *connection)
{
    struct weir_grpc_server_parameters parameters = parameters_of(connection);
    int64_t now = now_of(connection);
    connection->last_read = now;
    connection->idle_since = now;
    connection->age_at = INT64_MAX;
    if (parameters.max_connection_age.ns > 0)
        connection->age_at = later(now, spread(connection, parameters.max_connection_age.ns));
    connection->grace_at = INT64_MAX;
    connection->refuse_at = INT64_MAX;
    connection->ping_sent = INT64_MAX;
    connection->last_ping = INT64_MIN;
    grpc_keepalive_schedule(connection);
}

/* When a connection without calls has been idle for too long. */
static int64_t idle_at(const struct grpc_connection *connection,
                       const struct weir_grpc_server_parameters *parameters)
{
    if (connection->draining || h2_session_streams(connection->session) > 0)
        return INT64_MAX;
    return later(connection->idle_since, parameters->max_connection_idle.ns);
}

static int64_t ping_at(const struct grpc_connection *connection,
                       const struct weir_grpc_server_parameters *parameters)
{
    if (connection->ping_sent != INT64_MAX)
        return later(connection->ping_sent, parameters->timeout.ns);
    return later(connection->last_read, parameters->time.ns);
}

void grpc_keepalive_schedule(struct grpc_connection *connection)
{
    struct weir_grpc_server_parameters parameters = parameters_of(connection);
    int64_t times[] = {
        connection->draining ? INT64_MAX : connection->age_at,
        connection->grace_at,
        connection->refuse_at,
        idle_at(connection, &parameters),
        h2_session_due(connection->session),
        ping_at(connection, &parameters),
    };
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(times); i++) {
        if (times[i] < next)
            next = times[i];
    }
    int64_t now = now_of(connection);
    weir_conn_set_deadline(connection->conn, next == INT64_MAX ? -1 : next > now ? next - now : 0);
}

void grpc_keepalive_drain(struct grpc_connection *connection)
{
    if (connection->draining)
        return;
    connection->draining = true;
    bool idle = h2_session_streams(connection->session) == 0;
    connection->refuse_at = later(now_of(connection), idle ? REFUSE_IDLE_AFTER : REFUSE_AFTER);
    h2_session_shutdown(connection->session);
}

static void ping_due(struct grpc_connection *connection, int64_t now)
{
    if (connection->ping_sent != INT64_MAX) {
        weir_conn_blame(connection->conn, WEIR_CAUSE_KEEPALIVE);
        weir_conn_close(connection->conn); // not even an answer to the ping
    } else if (h2_session_ping(connection->session))
        connection->ping_sent = now;
}

void grpc_keepalive_fire(struct grpc_connection *connection)
{
    struct weir_grpc_server_parameters parameters = parameters_of(connection);
    int64_t now = now_of(connection);
    if (connection->grace_at <= now) {
        weir_conn_close(connection->conn);
        return;
    }
    if (!h2_session_check(connection->session))
        return;
    if (!connection->draining && connection->age_at <= now) {
        if (parameters.max_connection_age_grace.ns > 0)
            connection->grace_at = later(now, parameters.max_connection_age_grace.ns);
        weir_conn_blame(connection->conn, WEIR_CAUSE_AGE);
        grpc_keepalive_drain(connection);
    } else if (idle_at(connection, &parameters) <= now) {
        weir_conn_blame(connection->conn, WEIR_CAUSE_IDLE);
        grpc_keepalive_drain(connection);
    }
    if (connection->refuse_at <= now) {
        connection->refuse_at = INT64_MAX;
        h2_session_refuse(connection->session);
    }
    if (ping_at(connection, &parameters) <= now)
        ping_due(connection, now);
    grpc_keepalive_schedule(connection);
}

void grpc_keepalive_pinged(struct grpc_connection *connection)
{
    const struct weir_grpc_server_options *options = grpc_site_of(connection->server)->options;
    struct weir_grpc_enforcement_policy policy = { .permit_without_stream = false };
    if (options->keepalive_on && options->keepalive.enforcement_policy_on)
        policy = options->keepalive.enforcement_policy;
    int64_t gap = policy.min_time.ns > 0 ? policy.min_time.ns : DEFAULT_MIN_TIME;
    if (h2_session_streams(connection->session) == 0 && !policy.permit_without_stream)
        gap = NO_STREAM_MIN_TIME;
    int64_t now = now_of(connection);
    bool early = connection->last_ping != INT64_MIN && later(connection->last_ping, gap) > now;
    connection->last_ping = now;
    if (connection->forgive_strikes) {
        connection->forgive_strikes = false;
        connection->strikes = 0;
        return;
    }
    if (early && ++connection->strikes > MAX_STRIKES) {
        weir_conn_blame(connection->conn, WEIR_CAUSE_PING);
        h2_session_terminate(connection->session, NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
    }
}
