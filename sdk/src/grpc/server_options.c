// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of gRPC servers (collector-core 4.1 and 4.2).
 */
#include <config.h>

#include <weir/grpc_server.h>

#include "sdk/src/http/server_check.h"

/* The limit in MiB, times 2^20, must fit the message's 32-bit length. */
#define MAX_RECV_MIB 4095

static const struct weir_option parameter_options[] = {
    WEIR_OPTION(struct weir_grpc_server_parameters, max_connection_idle, "max_connection_idle",
                .preset = "0s", .doc = "How long a connection stays open without a call; 0: 30m."),
    WEIR_OPTION(struct weir_grpc_server_parameters, max_connection_age, "max_connection_age", .preset = "0s",
                .doc = "Age, give or take a tenth, at which a client is asked to connect anew; 0: no limit."),
    WEIR_OPTION(struct weir_grpc_server_parameters, max_connection_age_grace, "max_connection_age_grace",
                .preset = "0s", .doc = "Time that calls under way have from then on; 0: no limit."),
    WEIR_OPTION(struct weir_grpc_server_parameters, time, "time", .preset = "0s",
                .doc = "Silence after which the client is pinged, at least 1s; 0: 2h."),
    WEIR_OPTION(struct weir_grpc_server_parameters, timeout, "timeout", .preset = "0s",
                .doc = "Time for the answer to such a ping before the connection is closed; 0: 20s."),
    WEIR_OPTION_END,
};
static const struct weir_option_table parameter_table = {
    parameter_options,
    sizeof(struct weir_grpc_server_parameters),
    NULL,
};

static const struct weir_option policy_options[] = {
    WEIR_OPTION(struct weir_grpc_enforcement_policy, min_time, "min_time", .preset = "0s",
                .doc = "Time a client must leave between pings; 0: 5m."),
    WEIR_OPTION(struct weir_grpc_enforcement_policy, permit_without_stream, "permit_without_stream",
                .preset = "false",
                .doc = "Whether a client without calls may ping more often than every 2h."),
    WEIR_OPTION_END,
};
static const struct weir_option_table policy_table = {
    policy_options,
    sizeof(struct weir_grpc_enforcement_policy),
    NULL,
};

static const struct weir_option keepalive_options[] = {
    WEIR_OPTION_OPTIONAL(struct weir_grpc_server_keepalive, server_parameters, server_parameters_on,
                         "server_parameters", &parameter_table, WEIR_SOME,
                         .doc = "Life of connections and the server's own pings."),
    WEIR_OPTION_OPTIONAL(struct weir_grpc_server_keepalive, enforcement_policy, enforcement_policy_on,
                         "enforcement_policy", &policy_table, WEIR_SOME,
                         .doc = "How often clients may ping."),
    WEIR_OPTION_END,
};
static const struct weir_option_table keepalive_table = {
    keepalive_options,
    sizeof(struct weir_grpc_server_keepalive),
    NULL,
};

static void check_server(const void *group, struct weir_checker *checker)
{
    const struct weir_grpc_server_options *options = group;
    server_check_transport(options->transport, checker);
    if (options->max_recv_msg_size_mib < 0 || options->max_recv_msg_size_mib > MAX_RECV_MIB)
        weir_check_fail(checker, "max_recv_msg_size_mib",
                        "invalid max_recv_msg_size_mib value, must be between 1 and %d: %lld", MAX_RECV_MIB,
                        (long long)options->max_recv_msg_size_mib);
    if (options->read_buffer_size < 0)
        weir_check_fail(checker, "read_buffer_size", "invalid read_buffer_size value: %lld",
                        (long long)options->read_buffer_size);
    if (options->write_buffer_size < 0)
        weir_check_fail(checker, "write_buffer_size", "invalid write_buffer_size value: %lld",
                        (long long)options->write_buffer_size);
}

static const struct weir_option server_options[] = {
    WEIR_OPTION(struct weir_grpc_server_options, transport, "transport", .preset = "tcp",
                .doc = "Kind of socket: tcp (IPv4 and IPv6), tcp4, tcp6 or unix."),
    WEIR_OPTION_GROUP(struct weir_grpc_server_options, dialer, "dialer", &server_dialer_table,
                      .doc = "Without effect on a server."),
    WEIR_OPTION_OPTIONAL(struct weir_grpc_server_options, tls, tls_on, "tls", &weir_tls_server_table,
                         WEIR_NONE_OFF, .doc = "TLS; plain text when absent."),
    WEIR_OPTION(struct weir_grpc_server_options, max_recv_msg_size_mib, "max_recv_msg_size_mib",
                .preset = "0", .unit = "MiB",
                .doc = "Longest message, as sent and again when inflated; 0: 4 MiB."),
    WEIR_OPTION(struct weir_grpc_server_options, max_concurrent_streams, "max_concurrent_streams",
                .preset = "0", .min = 0, .max = UINT32_MAX, .bounded = true,
                .doc = "Calls that a connection may have under way; 0: 1000."),
    WEIR_OPTION(struct weir_grpc_server_options, read_buffer_size, "read_buffer_size", .preset = "524288",
                .unit = "bytes",
                .doc = "Accepted for compatibility: messages are received without a buffer between."),
    WEIR_OPTION(struct weir_grpc_server_options, write_buffer_size, "write_buffer_size", .preset = "0",
                .unit = "bytes",
                .doc = "Accepted for compatibility: answers are sent without a buffer between."),
    WEIR_OPTION_OPTIONAL(struct weir_grpc_server_options, keepalive, keepalive_on, "keepalive",
                         &keepalive_table, WEIR_SOME, .doc = "Life and liveness of connections."),
    WEIR_OPTION_OPTIONAL(struct weir_grpc_server_options, auth, auth_on, "auth", &weir_auth_server_table,
                         WEIR_NONE_OFF, .doc = "Who may make calls; everybody when absent."),
    WEIR_OPTION_REFUSED("middlewares", "no extension that can stand in front of a server is available"),
    WEIR_OPTION(struct weir_grpc_server_options, include_metadata, "include_metadata", .preset = "false",
                .doc = "Whether request metadata is kept for the components behind."),
    WEIR_OPTION_END,
};

const struct weir_option_table weir_grpc_server_table = {
    server_options,
    sizeof(struct weir_grpc_server_options),
    check_server,
};
