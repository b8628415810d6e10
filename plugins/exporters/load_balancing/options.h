// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of the load_balancing exporter (contrib-processors 9).
 */
#ifndef LOAD_BALANCING_OPTIONS_H
#define LOAD_BALANCING_OPTIONS_H

#include <weir/grpc_client.h>
#include <weir/sender.h>

#include "plugins/exporters/load_balancing/route.h"

struct lb_otlp {
    struct weir_grpc_client_options client; /* its endpoint is each backend's */
    struct weir_duration timeout;
    struct weir_sender_options sender;
};

struct lb_config {
    int routing_key; /* enum routing_key */
    struct weir_strings routing_attributes;
    struct lb_protocol {
        struct lb_otlp otlp;
    } protocol;
    struct weir_duration timeout; /* 0: the protocol's */
    struct weir_sender_options sender; /* queue_on, retry.enabled: instead of the protocol's */
    struct lb_resolver {
        bool static_on;
        struct lb_static {
            struct weir_strings hostnames;
        } fixed;
        bool dns_on;
        struct lb_dns {
            char *hostname;
            char *port;
            struct weir_duration interval;
        } dns;
        bool k8s_on;
        struct lb_k8s {
            char *service;
            struct weir_ints ports;
            struct weir_duration timeout; /* 0: 1 min */
            bool return_hostnames;
        } k8s;
    } resolver;
};

extern const struct weir_option_table lb_table;

/* What the key comes to for a signal. 0, or -1 with `error` set when the signal does not have it. */
int lb_routing_key(const struct lb_config *config, enum weir_signal signal, enum routing_key *key,
                   struct weir_error *error);

#endif
