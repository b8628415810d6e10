// SPDX-License-Identifier: Apache-2.0
/*
 * The command line of weir-load.
 */
#include <config.h>

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/worker.h>

#include "bench/load/load.h"

static const char help[] =
    "Usage: weir-load [OPTION]...\n"
    "Sends generated telemetry to an OTLP server and reports what came of it.\n"
    "\n"
    "Where to:\n"
    "  -e, --endpoint=WHERE     host:port or unix:///path (grpc), URL (http); default localhost:4317 or\n"
    "                           http://localhost:4318\n"
    "  -p, --protocol=NAME      grpc (default), http (protobuf), json (HTTP with JSON)\n"
    "      --tls                TLS for grpc; http takes it from an https:// URL\n"
    "      --ca=FILE            CA certificates that the server is verified with\n"
    "      --insecure           TLS without verification\n"
    "      --header=NAME=VALUE  added to every request; may be repeated\n"
    "      --compression=NAME   none (default), gzip, zstd, snappy\n"
    "      --timeout=TIME       for one request; default 10s\n"
    "\n"
    "How much:\n"
    "  -r, --rate=N             items a second; 0 (default): as fast as answers come\n"
    "  -d, --duration=TIME      30s, 5m; default 10s unless --count is given\n"
    "  -n, --count=N            items in all\n"
    "  -c, --connections=N      default 1; each is a producer with its own numbers\n"
    "      --in-flight=N        requests under way on each connection; default 8 (grpc), 1 (http)\n"
    "\n"
    "What:\n"
    "  -s, --signal=LIST        traces (default), metrics, logs; several take turns: traces,logs\n"
    "  -i, --items=N            items (spans, data points, log records) in a request; default 100\n"
    "  -a, --attributes=N       of an item; default 10 (spans), 5 (logs), 4 (points)\n"
    "      --attribute-size=N   bytes of every text value; default: realistic ones\n"
    "      --spans-per-trace=N  default 10\n"
    "      --depth=N            of a trace's tree of spans; default 4\n"
    "      --resources=N        resources in a request; default 1\n"
    "      --bodies=N           different request bodies, used in turn; default 64\n"
    "      --plain              send the bodies as they are, without numbering the items\n"
    "      --reuse              number the bodies once and send them again and again, which costs less\n"
    "      --stamp              say in each resource when its request was due: weir-sink on the same machine "
    "tells how\n"
    "                           long it took\n"
    "      --run=NAME           attribute weir.run; default: time and process id\n"
    "      --producer=N         number of the first producer; default 0\n"
    "\n"
    "Reports:\n"
    "      --obligations=FILE   write down what was acknowledged: lines 'ack|refused|partial|unknown RUN "
    "PRODUCER\n"
    "                           SIGNAL FIRST COUNT'\n"
    "      --json=FILE          the summary as JSON; - is standard output\n"
    "  -q, --quiet              no progress line\n"
    "  -h, --help\n"
    "  -V, --version\n"
    "\n"
    "Each item carries weir.seq (counts up for each producer) and weir.crc; weir-sink checks them. The exit "
    "status is\n"
    "0 when items were acknowledged, 1 when none were, 2 for a wrong command line.\n";

enum {
    OPTION_TLS = 256,
    OPTION_CA,
    OPTION_INSECURE,
    OPTION_HEADER,
    OPTION_COMPRESSION,
    OPTION_TIMEOUT,
    OPTION_IN_FLIGHT,
    OPTION_ATTRIBUTE_SIZE,
    OPTION_SPANS,
    OPTION_DEPTH,
    OPTION_RESOURCES,
    OPTION_BODIES,
    OPTION_PLAIN,
    OPTION_REUSE,
    OPTION_STAMP,
    OPTION_RUN,
    OPTION_PRODUCER,
    OPTION_OBLIGATIONS,
    OPTION_JSON,
};

static const struct option names[] = {
    { "endpoint", required_argument, NULL, 'e' },
    { "protocol", required_argument, NULL, 'p' },
    { "tls", no_argument, NULL, OPTION_TLS },
    { "ca", required_argument, NULL, OPTION_CA },
    { "insecure", no_argument, NULL, OPTION_INSECURE },
    { "header", required_argument, NULL, OPTION_HEADER },
    { "compression", required_argument, NULL, OPTION_COMPRESSION },
    { "timeout", required_argument, NULL, OPTION_TIMEOUT },
    { "rate", required_argument, NULL, 'r' },
    { "duration", required_argument, NULL, 'd' },
    { "count", required_argument, NULL, 'n' },
    { "connections", required_argument, NULL, 'c' },
    { "in-flight", required_argument, NULL, OPTION_IN_FLIGHT },
    { "signal", required_argument, NULL, 's' },
    { "items", required_argument, NULL, 'i' },
    { "attributes", required_argument, NULL, 'a' },
    { "attribute-size", required_argument, NULL, OPTION_ATTRIBUTE_SIZE },
    { "spans-per-trace", required_argument, NULL, OPTION_SPANS },
    { "depth", required_argument, NULL, OPTION_DEPTH },
    { "resources", required_argument, NULL, OPTION_RESOURCES },
    { "bodies", required_argument, NULL, OPTION_BODIES },
    { "plain", no_argument, NULL, OPTION_PLAIN },
    { "reuse", no_argument, NULL, OPTION_REUSE },
    { "stamp", no_argument, NULL, OPTION_STAMP },
    { "run", required_argument, NULL, OPTION_RUN },
    { "producer", required_argument, NULL, OPTION_PRODUCER },
    { "obligations", required_argument, NULL, OPTION_OBLIGATIONS },
    { "json", required_argument, NULL, OPTION_JSON },
    { "quiet", no_argument, NULL, 'q' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "weir-load: %s: \"%s\"; see weir-load --help\n", what, value);
    return -1;
}

static int take_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *out)
{
    if (!weir_str_to_u64(weir_str_of(text), out) || *out < min || *out > max)
        return complain(what, text);
    return 0;
}

static int take_unsigned(const char *text, const char *what, unsigned min, unsigned max, unsigned *out)
{
    uint64_t value;
    if (take_number(text, what, min, max, &value) < 0)
        return -1;
    *out = (unsigned)value;
    return 0;
}

static int take_time(const char *text, const char *what, int64_t *out)
{
    struct weir_duration duration;
    if (!weir_duration_parse(weir_str_of(text), &duration) || duration.ns < 0)
        return complain(what, text);
    *out = duration.ns;
    return 0;
}

static int take_signals(struct load_options *options, const char *list)
{
    options->signal_count = 0;
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, ",");
        struct weir_str name = weir_str_make(at, length);
        int found = -1;
        for (int signal = WEIR_TRACES; signal <= WEIR_LOGS; signal++)
            if (weir_str_is(name, weir_signal_name((enum weir_signal)signal)))
                found = signal;
        if (found < 0 || options->signal_count == WEIR_SIGNALS)
            return complain("not a list of traces, metrics and logs", list);
        options->signals[options->signal_count++] = (enum weir_signal)found;
        at += length + (at[length] == ',');
    }
    return options->signal_count > 0 ? 0 : complain("not a list of signals", list);
}

static int take_protocol(struct load_options *options, const char *name)
{
    static const struct {
        const char *name;
        enum load_protocol protocol;
    } known[] = { { "grpc", LOAD_GRPC },
                  { "http", LOAD_HTTP },
                  { "http/protobuf", LOAD_HTTP },
                  { "json", LOAD_JSON },
                  { "http/json", LOAD_JSON } };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(known); i++) {
        if (strcmp(name, known[i].name) == 0) {
            options->protocol = known[i].protocol;
            return 0;
        }
    }
    return complain("not a protocol", name);
}

static int take_header(struct load_options *options, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || options->header_count == WEIR_ARRAY_LENGTH(options->headers))
        return complain("not NAME=VALUE, or too many headers", text);
    *equals = '\0';
    options->headers[options->header_count++] = (struct weir_pair){ text, equals + 1 };
    return 0;
}

static int take_compression(struct load_options *options, const char *name)
{
    struct weir_str text = weir_str_of(strcmp(name, "none") == 0 ? "" : name);
    return weir_encoding_find(text, &options->compression) ? 0 : complain("not a compression", name);
}

static int take(struct load_options *options, int option, char *value)
{
    switch (option) {
    case 'e':
        options->endpoint = value;
        return 0;
    case 'p':
        return take_protocol(options, value);
    case OPTION_TLS:
        options->tls = true;
        return 0;
    case OPTION_CA:
        options->ca_file = value;
        return 0;
    case OPTION_INSECURE:
        options->skip_verify = true;
        return 0;
    case OPTION_HEADER:
        return take_header(options, value);
    case OPTION_COMPRESSION:
        return take_compression(options, value);
    case OPTION_TIMEOUT:
        return take_time(value, "not a time", &options->timeout);
    case 'r':
        if (!weir_str_to_double(weir_str_of(value), &options->rate) ||
            !(options->rate >= 0 && options->rate <= 1e12))
            return complain("not a rate", value);
        return 0;
    case 'd':
        return take_time(value, "not a time", &options->duration);
    case 'n':
        return take_number(value, "not a number of items", 1, UINT64_MAX >> 16, &options->count);
    case 'c':
        return take_unsigned(value, "not a number of connections", 1, 4096, &options->connections);
    case OPTION_IN_FLIGHT:
        return take_unsigned(value, "not a number of requests", 1, 4096, &options->in_flight);
    case 's':
        return take_signals(options, value);
    case 'i':
        return take_unsigned(value, "not a number of items (1 to 99999)", 1, 99999, &options->items);
    case 'a':
        return take_unsigned(value, "not a number of attributes", 1, 1000, &options->attributes);
    case OPTION_ATTRIBUTE_SIZE:
        return take_unsigned(value, "not a size", 1, 1 << 20, &options->attribute_size);
    case OPTION_SPANS:
        return take_unsigned(value, "not a number of spans", 1, 1000000, &options->spans_per_trace);
    case OPTION_DEPTH:
        return take_unsigned(value, "not a depth (1 to 64)", 1, 64, &options->depth);
    case OPTION_RESOURCES:
        return take_unsigned(value, "not a number of resources", 1, 10000, &options->resources);
    case OPTION_BODIES:
        return take_unsigned(value, "not a number of bodies", 1, 100000, &options->bodies);
    case OPTION_PLAIN:
        options->plain = true;
        return 0;
    case OPTION_REUSE:
        options->reuse = true;
        return 0;
    case OPTION_STAMP:
        options->stamp = true;
        return 0;
    case OPTION_RUN:
        options->run = value;
        return 0;
    case OPTION_PRODUCER:
        return take_unsigned(value, "not a number of a producer", 0, 0xffff, &options->producer);
    case OPTION_OBLIGATIONS:
        options->obligations = value;
        return 0;
    case OPTION_JSON:
        options->json = value;
        return 0;
    case 'q':
        options->quiet = true;
        return 0;
    case 'h':
        fputs(help, stdout);
        return 1;
    case 'V':
        printf("weir-load %s\n", PACKAGE_VERSION);
        return 1;
    default:
        fputs("Try weir-load --help.\n", stderr);
        return -1;
    }
}

static void set_defaults(struct load_options *options)
{
    static char run[48];
    if (options->duration == 0 && options->count == 0)
        options->duration = 10000000000;
    if (options->in_flight == 0)
        options->in_flight = options->protocol == LOAD_GRPC ? 8 : 1;
    if (!options->endpoint)
        options->endpoint = options->protocol == LOAD_GRPC ? "localhost:4317" : "http://localhost:4318";
    if (options->resources > options->items)
        options->resources = options->items;
    if (!options->run) {
        snprintf(run, sizeof run, "%llx-%x", (unsigned long long)weir_wall_clock() / 1000000,
                 (unsigned)getpid());
        options->run = run;
    }
}

int load_options_parse(struct load_options *options, int argc, char **argv)
{
    *options = (struct load_options){ .signals = { WEIR_TRACES },
                                      .signal_count = 1,
                                      .connections = 1,
                                      .items = 100,
                                      .spans_per_trace = 10,
                                      .depth = 4,
                                      .resources = 1,
                                      .timeout = 10000000000,
                                      .bodies = 64 };
    int option;
    while ((option = getopt_long(argc, argv, "e:p:r:d:n:c:s:i:a:qhV", names, NULL)) >= 0) {
        int result = take(options, option, optarg);
        if (result != 0)
            return result;
    }
    if (optind < argc)
        return complain("not an option", argv[optind]);
    if (options->connections + options->producer > 0x10000)
        return complain("too many producers", "");
    if (options->protocol == LOAD_GRPC && options->compression == WEIR_ENCODING_SNAPPY)
        options->compression = WEIR_ENCODING_SNAPPY_FRAMED;
    if (options->protocol == LOAD_GRPC && options->compression != WEIR_ENCODING_IDENTITY &&
        options->compression != WEIR_ENCODING_GZIP && options->compression != WEIR_ENCODING_ZSTD &&
        options->compression != WEIR_ENCODING_SNAPPY_FRAMED)
        return complain("no compression of grpc", weir_encoding_name(options->compression));
    set_defaults(options);
    return 0;
}
