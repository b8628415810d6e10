// SPDX-License-Identifier: Apache-2.0
/*
 * The keys of HTTP servers (collector-core 4.1 and 4.3).
 */
#include <config.h>

#include <weir/compress.h>
#include <weir/http_server.h>
#include <weir/net.h>

#include "sdk/src/http/server_check.h"

static const struct weir_option dialer_options[] = {
    WEIR_OPTION_IGNORED("timeout", "a server does not dial"),
    WEIR_OPTION_END,
};
const struct weir_option_table server_dialer_table = { dialer_options, sizeof(struct weir_server_dialer),
                                                       NULL };

void server_check_transport(const char *transport, struct weir_checker *checker)
{
    // Valid words of upstream that name no stream socket of this system.
    static const char *const useless[] = {
        "udp", "udp4", "udp6", "ip", "ip4", "ip6", "unixgram", "unixpacket"
    };
    enum weir_transport parsed = WEIR_TCP;
    struct weir_error error = WEIR_ERROR_INIT;

    if (!transport)
        return;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(useless); i++) {
        if (strcmp(transport, useless[i]) == 0) {
            weir_check_fail(checker, "transport",
                            "a server cannot listen on \"%s\", only on tcp, tcp4, tcp6 or unix", transport);
            return;
        }
    }
    if (weir_transport_parse(weir_str_of(transport), &parsed, &error) != 0)
        weir_check_fail(checker, "transport", "%s", weir_error_text(&error));
    weir_error_free(&error);
}

static void check_cors(const void *group, struct weir_checker *checker)
{
    const struct weir_cors_options *cors = group;
    if (cors->allowed_headers.count > 0 && cors->allowed_origins.count == 0)
        weir_check_warn(checker, "allowed_headers", "has no effect without allowed_origins");
    for (size_t i = 0; i < cors->allowed_origins.count; i++) {
        const char *star = strchr(cors->allowed_origins.items[i], '*');
        if (star && strchr(star + 1, '*'))
            weir_check_fail(checker, "allowed_origins", "\"%s\" has more than one \"*\"",
                            cors->allowed_origins.items[i]);
    }
}

static const struct weir_option cors_options[] = {
    WEIR_OPTION(struct weir_cors_options, allowed_origins, "allowed_origins",
                .doc =
                    "Origins that may send requests from a browser; one \"*\" in each; none: CORS is off."),
    WEIR_OPTION(
        struct weir_cors_options, allowed_headers, "allowed_headers",
        .doc = "Request headers that a browser may send; \"*\" allows any; none: accept, content-type and "
               "x-requested-with."),
    WEIR_OPTION(struct weir_cors_options, exposed_headers, "exposed_headers",
                .doc = "Headers of an answer that scripts may read."),
    WEIR_OPTION(struct weir_cors_options, max_age, "max_age", .preset = "0", .unit = "s",
                .doc = "How long a browser may keep the answer to a preflight request; 0: not said."),
    WEIR_OPTION_END,
};
static const struct weir_option_table cors_table = { cors_options, sizeof(struct weir_cors_options),
                                                     check_cors };

static void check_server(const void *group, struct weir_checker *checker)
{
    const struct weir_http_server_options *options = group;
    server_check_transport(options->transport, checker);
    for (size_t i = 0; i < options->compression_algorithms.count; i++) {
        const char *name = options->compression_algorithms.items[i];
        enum weir_encoding encoding = WEIR_ENCODING_IDENTITY;
        if (!weir_encoding_find(weir_str_of(name), &encoding))
            weir_check_warn(checker, "compression_algorithms",
                            "\"%s\" is not known; requests that use it are refused", name);
    }
}

static const struct weir_option server_options[] = {
    WEIR_OPTION(struct weir_http_server_options, transport, "transport", .preset = "tcp",
                .doc = "Kind of socket: tcp (IPv4 and IPv6), tcp4, tcp6 or unix."),
    WEIR_OPTION_GROUP(struct weir_http_server_options, dialer, "dialer", &server_dialer_table,
                      .doc = "Without effect on a server."),
    WEIR_OPTION_OPTIONAL(struct weir_http_server_options, tls, tls_on, "tls", &weir_tls_server_table,
                         WEIR_NONE_OFF, .doc = "TLS; plain text when absent."),
    WEIR_OPTION_OPTIONAL(struct weir_http_server_options, cors, cors_on, "cors", &cors_table, WEIR_NONE_OFF,
                         .doc = "Requests from scripts in browsers (CORS)."),
    WEIR_OPTION_OPTIONAL(struct weir_http_server_options, auth, auth_on, "auth", &weir_auth_http_server_table,
                         WEIR_NONE_OFF, .doc = "Who may send requests; everybody when absent."),
    WEIR_OPTION_REFUSED("middlewares", "no extension that can stand in front of a server is available"),
    WEIR_OPTION(struct weir_http_server_options, max_request_body_size, "max_request_body_size",
                .preset = "20971520", .unit = "bytes",
                .doc = "Longest body of a request, as sent and again when inflated; 0: 20 MiB."),
    WEIR_OPTION(struct weir_http_server_options, include_metadata, "include_metadata", .preset = "false",
                .doc = "Whether request headers are kept for the components behind."),
    WEIR_OPTION(struct weir_http_server_options, response_headers, "response_headers",
                .doc = "Headers to be added to every answer."),
    WEIR_OPTION(
        struct weir_http_server_options, compression_algorithms, "compression_algorithms",
        .doc =
            "Accepted Content-Encodings, \"\" for none; absent: all; an empty list leaves bodies as sent."),
    WEIR_OPTION(struct weir_http_server_options, read_timeout, "read_timeout", .preset = "0s", .min = 0,
                .bounded = true,
                .doc = "Time for a whole request to arrive; 0: as long as 512 bytes a second come."),
    WEIR_OPTION(struct weir_http_server_options, read_header_timeout, "read_header_timeout", .preset = "0s",
                .min = 0, .bounded = true,
                .doc = "Time for the headers of a request to arrive; 0: read_timeout, or else 1m."),
    WEIR_OPTION(struct weir_http_server_options, write_timeout, "write_timeout", .preset = "0s", .min = 0,
                .bounded = true,
                .doc = "Time from the end of the headers to the end of the answer; 0: no limit."),
    WEIR_OPTION(struct weir_http_server_options, idle_timeout, "idle_timeout", .preset = "0s", .min = 0,
                .bounded = true,
                .doc =
                    "How long a connection stays open without a request; 0: read_timeout, or else 10m."),
    WEIR_OPTION_END,
};

const struct weir_option_table weir_http_server_table = {
    server_options,
    sizeof(struct weir_http_server_options),
    check_server,
};
