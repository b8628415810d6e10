// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/load_balancing/options.h"

static const struct weir_option_value keys[] = {
    { "", ROUTE_UNSET },
    { "traceID", ROUTE_TRACE_ID },
    { "service", ROUTE_SERVICE },
    { "resource", ROUTE_RESOURCE },
    { "metric", ROUTE_METRIC },
    { "streamID", ROUTE_STREAM_ID },
    { "attributes", ROUTE_ATTRIBUTES },
    { NULL, 0 },
};

int lb_routing_key(const struct lb_config *config, enum weir_signal signal, enum routing_key *key,
                   struct weir_error *error)
{
    static const bool allowed[WEIR_SIGNALS][ROUTE_ATTRIBUTES + 1] = {
        [WEIR_TRACES] = { [ROUTE_TRACE_ID] = true, [ROUTE_SERVICE] = true, [ROUTE_ATTRIBUTES] = true },
        [WEIR_LOGS] = { [ROUTE_TRACE_ID] = true, [ROUTE_SERVICE] = true, [ROUTE_RESOURCE] = true,
                        [ROUTE_ATTRIBUTES] = true },
        [WEIR_METRICS] = { [ROUTE_SERVICE] = true, [ROUTE_RESOURCE] = true, [ROUTE_METRIC] = true,
                           [ROUTE_STREAM_ID] = true, [ROUTE_ATTRIBUTES] = true },
    };
    enum routing_key wanted = (enum routing_key)config->routing_key;
    if (wanted == ROUTE_UNSET)
        wanted = signal == WEIR_TRACES ? ROUTE_TRACE_ID : ROUTE_SERVICE;
    if (!allowed[signal][wanted])
        return weir_error_set(error, "unsupported routing_key for %s: \"%s\"", weir_signal_name(signal),
                              keys[wanted].name);
    *key = wanted;
    return 0;
}

/* --- the resolver --- */

static void check_static(const void *group, struct weir_checker *checker)
{
    if (((const struct lb_static *)group)->hostnames.count == 0)
        weir_check_fail(checker, "hostnames", "no hostnames specified to resolve the backends");
}

static bool is_port(const char *text)
{
    uint64_t port;
    return weir_str_to_u64(weir_str_of(text), &port) && port >= 1 && port <= 65535;
}

static void check_dns(const void *group, struct weir_checker *checker)
{
    const struct lb_dns *dns = group;
    if (dns->port && *dns->port && !is_port(dns->port))
        weir_check_fail(checker, "port", "\"%s\" is no port", dns->port);
    if (dns->interval.ns <= 0)
        weir_check_fail(checker, "interval", "must be positive");
}

/* The length of a name of Kubernetes (RFC 1123 label) at the start of the text. */
static size_t label_length(const char *text)
{
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

static void check_k8s(const void *group, struct weir_checker *checker)
{
    const struct lb_k8s *k8s = group;
    const char *service = k8s->service ? k8s->service : "";
    size_t name = label_length(service);
    size_t space = service[name] == '.' ? label_length(service + name + 1) : 0;
    char end = service[name] == '.' ? service[name + 1 + space] : service[name];
    if (*service && (name == 0 || (service[name] == '.' && space == 0) || (end && end != '.')))
        weir_check_fail(checker, "service", "\"%s\" is no service: a name, or name.namespace, is expected", service);
    if (k8s->ports.count == 0)
        weir_check_fail(checker, "ports", "one port at least is expected");
    if (k8s->timeout.ns < 0)
        weir_check_fail(checker, "timeout", "must not be negative");
}

static void check_resolver(const void *group, struct weir_checker *checker)
{
    const struct lb_resolver *resolver = group;
    int given = resolver->static_on + resolver->dns_on + resolver->k8s_on;
    if (given == 0)
        weir_check_fail(checker, NULL, "no resolvers specified for the exporter");
    if (given > 1)
        weir_check_fail(checker, NULL, "only one resolver should be specified");
}

static const struct weir_option static_rows[] = {
    WEIR_OPTION(struct lb_static, hostnames, "hostnames", .doc = "The backends, with or without a port (4317)."),
    WEIR_OPTION_END,
};
static const struct weir_option_table static_table = { static_rows, sizeof(struct lb_static), check_static };

static const struct weir_option dns_rows[] = {
    WEIR_OPTION(struct lb_dns, hostname, "hostname", .required = true, .doc = "The name whose addresses are the backends."),
    WEIR_OPTION(struct lb_dns, port, "port", .doc = "Port of all of them; without it 4317."),
    WEIR_OPTION(struct lb_dns, interval, "interval", .preset = "5s", .doc = "How often the name is looked up; 1s at least."),
    WEIR_OPTION_IGNORED("timeout", "a lookup that takes long holds up nothing: the last addresses stay meanwhile"),
    WEIR_OPTION_END,
};
static const struct weir_option_table dns_table = { dns_rows, sizeof(struct lb_dns), check_dns };

static const struct weir_option k8s_rows[] = {
    WEIR_OPTION(struct lb_k8s, service, "service", .required = true,
                .doc = "The service whose endpoints are the backends: name or name.namespace; without a namespace that of the "
                       "collector's own pod."),
    WEIR_OPTION(struct lb_k8s, ports, "ports", .preset = "4317", .min = 1, .max = 65535,
                .doc = "Ports of the endpoints; each of them makes a backend of each endpoint."),
    WEIR_OPTION(struct lb_k8s, timeout, "timeout", .preset = "1m",
                .doc = "After which the API server is to answer a list and to end a watch, which then begins again; 0: 1m."),
    WEIR_OPTION(struct lb_k8s, return_hostnames, "return_hostnames", .preset = "false",
                .doc = "Name backends by their hostnames (pod.service.namespace), for the pods of a StatefulSet, instead of "
                       "addresses."),
    WEIR_OPTION_END,
};
static const struct weir_option_table k8s_table = { k8s_rows, sizeof(struct lb_k8s), check_k8s };

static const struct weir_option resolver_rows[] = {
    WEIR_OPTION_OPTIONAL(struct lb_resolver, fixed, static_on, "static", &static_table, WEIR_NONE_OFF,
                         .doc = "Backends that never change."),
    WEIR_OPTION_OPTIONAL(struct lb_resolver, dns, dns_on, "dns", &dns_table, WEIR_NONE_OFF,
                         .doc = "Backends behind one name, such as a headless service."),
    WEIR_OPTION_OPTIONAL(struct lb_resolver, k8s, k8s_on, "k8s", &k8s_table, WEIR_NONE_OFF,
                         .doc = "Backends that are the endpoints of a Kubernetes service."),
    WEIR_OPTION_REFUSED("aws_cloud_map", "Cloud Map cannot be asked: use `dns`"),
    WEIR_OPTION_END,
};
static const struct weir_option_table resolver_table = { resolver_rows, sizeof(struct lb_resolver), check_resolver };

/* --- the protocol --- */

static void check_otlp(const void *group, struct weir_checker *checker)
{
    const struct lb_otlp *otlp = group;
    weir_sender_check_timeout(otlp->timeout, checker);
    if (otlp->sender.queue.storage.id)
        weir_check_fail(checker, "sending_queue", "a queue for several backends can only be in memory yet: without `storage`");
}

static const struct weir_option otlp_rows[] = {
    WEIR_OPTION_INLINE(struct lb_otlp, client, &weir_grpc_backend_table),
    WEIR_OPTION(struct lb_otlp, timeout, "timeout", .preset = "5s",
                .doc = "How long one call may take, connecting included; 0: no limit."),
    WEIR_OPTION_INLINE(struct lb_otlp, sender, &weir_sender_table),
    WEIR_OPTION_END,
};
static const struct weir_option_table otlp_table = { otlp_rows, sizeof(struct lb_otlp), check_otlp };

static const struct weir_option protocol_rows[] = {
    WEIR_OPTION_GROUP(struct lb_protocol, otlp, "otlp", &otlp_table, .doc = "How each backend is spoken to."),
    WEIR_OPTION_END,
};
static const struct weir_option_table protocol_table = { protocol_rows, sizeof(struct lb_protocol), NULL };

/* --- the exporter --- */

static const struct weir_option retry_rows[] = { WEIR_SENDER_RETRY_ROWS("false", "5s"), WEIR_OPTION_END };
static const struct weir_option_table retry_table = { retry_rows, sizeof(struct weir_retry_options),
                                                      weir_sender_check_retry };

static const struct weir_option sender_rows[] = {
    WEIR_OPTION_GROUP(struct weir_sender_options, retry, "retry_on_failure", &retry_table,
                      .doc = "When enabled, instead of the protocol's."),
    WEIR_OPTION_END,
};
static const struct weir_option_table sender_table = { sender_rows, sizeof(struct weir_sender_options), NULL };

static void check(const void *group, struct weir_checker *checker)
{
    const struct lb_config *config = group;
    bool by_attributes = config->routing_key == ROUTE_ATTRIBUTES;
    if (by_attributes && config->routing_attributes.count == 0)
        weir_check_fail(checker, "routing_attributes", "is required with routing_key \"attributes\"");
    if (!by_attributes && config->routing_attributes.count > 0)
        weir_check_fail(checker, "routing_attributes", "has an effect with routing_key \"attributes\" only");
    if (config->sender.queue.storage.id)
        weir_check_fail(checker, "sending_queue", "a queue for several backends can only be in memory yet: without `storage`");
    weir_sender_check_timeout(config->timeout, checker);
}

static const struct weir_option rows[] = {
    WEIR_OPTION(struct lb_config, routing_key, "routing_key", .preset = "", .values = keys,
                .doc = "What stays together: traceID (default for traces), service (default for logs and metrics), resource, "
                       "metric, streamID or attributes."),
    WEIR_OPTION(struct lb_config, routing_attributes, "routing_attributes",
                .doc = "Names of the attributes that stay together."),
    WEIR_OPTION_GROUP(struct lb_config, protocol, "protocol", &protocol_table, .doc = "How backends are spoken to."),
    WEIR_OPTION_GROUP(struct lb_config, resolver, "resolver", &resolver_table, .doc = "Where backends come from."),
    WEIR_OPTION(struct lb_config, timeout, "timeout", .doc = "Instead of the protocol's, where it is not 0."),
    WEIR_OPTION_INLINE(struct lb_config, sender, &weir_sender_queue_table),
    WEIR_OPTION_INLINE(struct lb_config, sender, &sender_table),
    WEIR_OPTION_END,
};
const struct weir_option_table lb_table = { rows, sizeof(struct lb_config), check };
