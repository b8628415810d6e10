// SPDX-License-Identifier: Apache-2.0
/*
 * The command line of weir-sink.
 */
#include <config.h>

#include <getopt.h>

#include <weir/grpc_client.h>
#include <weir/option.h>

#include "bench/sink/sink.h"

static const char help[] =
    "Usage: weir-sink [OPTION]...\n"
    "An OTLP server that counts what it gets and checks weir-load's numbering.\n"
    "\n"
    "  --grpc=ADDRESS        default 127.0.0.1:4317; port 0: any free one; none: no gRPC\n"
    "  --http=ADDRESS        default 127.0.0.1:4318; the same\n"
    "  --cert=FILE --key=FILE  serve TLS\n"
    "  --delay=TIME          before every answer\n"
    "  --fail-first=N        refuse the first N requests\n"
    "  --fail-rate=SHARE     refuse this share of the requests, 0 to 1\n"
    "  --fail-code=CODE      with this gRPC code, a number or a name like Unavailable (default)\n"
    "  --fail-status=N       and this HTTP status; default 503\n"
    "  --retry-after=TIME    told with refusals\n"
    "  --discard             do not look into the requests; answer those to other paths with 204\n"
    "  --latency             tell how long after they were due the requests of weir-load --stamp came\n"
    "  --record=FILE         at the end: lines 'RUN PRODUCER FIRST COUNT' of the numbers that came\n"
    "  --obligations=FILE    at the end: check what weir-load --obligations wrote down as acknowledged\n"
    "  --json=FILE           where the summary goes; default standard output\n"
    "  --control             obey the lines of standard input: NAME=VALUE of delay, fail-first (counted "
    "from\n"
    "                        now on), fail-rate, fail-code, fail-status and retry-after is answered with "
    "ok,\n"
    "                        report with the summary, after the record is written\n"
    "  --interval=TIME       between progress lines on standard error; default 1s, 0: none\n"
    "  -h, --help\n"
    "  -V, --version\n"
    "\n"
    "At the start a line 'grpc ADDRESS' and a line 'http ADDRESS' are printed on standard output, at SIGTERM "
    "or SIGINT\n"
    "the summary as one line of JSON. The exit status is 1 when acknowledged items are missing or a checksum "
    "was wrong.\n";

enum {
    OPTION_GRPC = 256,
    OPTION_HTTP,
    OPTION_CERT,
    OPTION_KEY,
    OPTION_DELAY,
    OPTION_FAIL_FIRST,
    OPTION_FAIL_RATE,
    OPTION_FAIL_CODE,
    OPTION_FAIL_STATUS,
    OPTION_RETRY_AFTER,
    OPTION_DISCARD,
    OPTION_LATENCY,
    OPTION_RECORD,
    OPTION_OBLIGATIONS,
    OPTION_JSON,
    OPTION_INTERVAL,
    OPTION_CONTROL,
};

static const struct option names[] = {
    { "grpc", required_argument, NULL, OPTION_GRPC },
    { "http", required_argument, NULL, OPTION_HTTP },
    { "cert", required_argument, NULL, OPTION_CERT },
    { "key", required_argument, NULL, OPTION_KEY },
    { "delay", required_argument, NULL, OPTION_DELAY },
    { "fail-first", required_argument, NULL, OPTION_FAIL_FIRST },
    { "fail-rate", required_argument, NULL, OPTION_FAIL_RATE },
    { "fail-code", required_argument, NULL, OPTION_FAIL_CODE },
    { "fail-status", required_argument, NULL, OPTION_FAIL_STATUS },
    { "retry-after", required_argument, NULL, OPTION_RETRY_AFTER },
    { "discard", no_argument, NULL, OPTION_DISCARD },
    { "latency", no_argument, NULL, OPTION_LATENCY },
    { "record", required_argument, NULL, OPTION_RECORD },
    { "obligations", required_argument, NULL, OPTION_OBLIGATIONS },
    { "json", required_argument, NULL, OPTION_JSON },
    { "interval", required_argument, NULL, OPTION_INTERVAL },
    { "control", no_argument, NULL, OPTION_CONTROL },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "weir-sink: %s: \"%s\"; see weir-sink --help\n", what, value);
    return -1;
}

static int take_time(const char *text, int64_t *out)
{
    struct weir_duration duration;
    if (!weir_duration_parse(weir_str_of(text), &duration) || duration.ns < 0)
        return complain("not a time", text);
    *out = duration.ns;
    return 0;
}

static int take_code(const char *text, int *out)
{
    uint64_t number;
    if (weir_str_to_u64(weir_str_of(text), &number) && number > 0 && number <= WEIR_GRPC_UNAUTHENTICATED) {
        *out = (int)number;
        return 0;
    }
    for (int code = WEIR_GRPC_CANCELLED; code <= WEIR_GRPC_UNAUTHENTICATED; code++) {
        if (weir_str_equal_nocase(weir_str_of(text), weir_str_of(weir_grpc_code_name(code)))) {
            *out = code;
            return 0;
        }
    }
    return complain("not a code of gRPC", text);
}

static int take_address(const char *text, const char **out)
{
    *out = strcmp(text, "none") == 0 ? NULL : text;
    return 0;
}

static int take_status(const char *text, int *out)
{
    uint64_t number;
    if (!weir_str_to_u64(weir_str_of(text), &number) || number < 300 || number > 599)
        return complain("not a status of HTTP", text);
    *out = (int)number;
    return 0;
}

/* What may change while it serves. */
static int take_answer(struct sink_options *options, int option, const char *value)
{
    switch (option) {
    case OPTION_DELAY:
        return take_time(value, &options->delay);
    case OPTION_FAIL_FIRST:
        return weir_str_to_u64(weir_str_of(value), &options->fail_first) ? 0
                                                                         : complain("not a number", value);
    case OPTION_FAIL_RATE:
        if (!weir_str_to_double(weir_str_of(value), &options->fail_rate) ||
            !(options->fail_rate >= 0 && options->fail_rate <= 1))
            return complain("not a share from 0 to 1", value);
        return 0;
    case OPTION_FAIL_CODE:
        return take_code(value, &options->fail_code);
    case OPTION_FAIL_STATUS:
        return take_status(value, &options->fail_status);
    default: /* OPTION_RETRY_AFTER */
        return take_time(value, &options->retry_after);
    }
}

static int take(struct sink_options *options, int option, const char *value)
{
    switch (option) {
    case OPTION_CONTROL:
        options->control = true;
        return 0;
    case OPTION_GRPC:
        return take_address(value, &options->grpc);
    case OPTION_HTTP:
        return take_address(value, &options->http);
    case OPTION_CERT:
        options->cert = value;
        return 0;
    case OPTION_KEY:
        options->key = value;
        return 0;
    case OPTION_DELAY:
    case OPTION_FAIL_FIRST:
    case OPTION_FAIL_RATE:
    case OPTION_FAIL_CODE:
    case OPTION_FAIL_STATUS:
    case OPTION_RETRY_AFTER:
        return take_answer(options, option, value);
    case OPTION_DISCARD:
        options->discard = true;
        return 0;
    case OPTION_LATENCY:
        options->latency = true;
        return 0;
    case OPTION_RECORD:
        options->record = value;
        return 0;
    case OPTION_OBLIGATIONS:
        options->obligations = value;
        return 0;
    case OPTION_JSON:
        options->json = value;
        return 0;
    case OPTION_INTERVAL:
        return take_time(value, &options->interval);
    case 'h':
        fputs(help, stdout);
        return 1;
    case 'V':
        printf("weir-sink %s\n", PACKAGE_VERSION);
        return 1;
    default:
        fputs("Try weir-sink --help.\n", stderr);
        return -1;
    }
}

int sink_options_change(struct sink_options *options, char *text)
{
    char *equals = strchr(text, '=');
    if (!equals)
        return complain("not NAME=VALUE", text);
    *equals = '\0';
    for (const struct option *at = names; at->name; at++)
        if (at->val >= OPTION_DELAY && at->val <= OPTION_RETRY_AFTER && strcmp(at->name, text) == 0)
            return take_answer(options, at->val, equals + 1);
    return complain("cannot be changed", text);
}

int sink_options_parse(struct sink_options *options, int argc, char **argv)
{
    *options = (struct sink_options){ .grpc = "127.0.0.1:4317",
                                      .http = "127.0.0.1:4318",
                                      .fail_code = WEIR_GRPC_UNAVAILABLE,
                                      .fail_status = 503,
                                      .retry_after = -1,
                                      .interval = 1000000000 };
    int option;
    while ((option = getopt_long(argc, argv, "hV", names, NULL)) >= 0) {
        int result = take(options, option, optarg);
        if (result != 0)
            return result;
    }
    if (optind < argc)
        return complain("not an option", argv[optind]);
    if (!options->cert != !options->key)
        return complain("--cert and --key need each other", options->cert ? options->cert : options->key);
    return 0;
}
