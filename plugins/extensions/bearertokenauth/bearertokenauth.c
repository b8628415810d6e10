// SPDX-License-Identifier: Apache-2.0
/*
 * The bearertokenauth extension: a token in a header, for clients to send and for servers to check (contrib-processors
 * 7; RFC 6750, 2.1).
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>

#include <weir/auth.h>
#include <weir/watch.h>

struct bearer_options {
    char *scheme;
    char *header;
    struct weir_secret token;
    struct weir_secrets tokens;
    char *filename;
};

static bool is_given(const char *text)
{
    return text && *text;
}

static void check_options(const void *group, struct weir_checker *checker)
{
    const struct bearer_options *options = group;
    if (!is_given(options->token.text) && options->tokens.strings.count == 0 && !is_given(options->filename))
        weir_check_fail(checker, "token", "no bearer token provided");
    if (is_given(options->token.text) && options->tokens.strings.count > 0)
        weir_check_fail(checker, "tokens", "either tokens or token should be provided, not both");
    for (size_t i = 0; i < options->tokens.strings.count; i++)
        if (!is_given(options->tokens.strings.items[i]))
            weir_check_fail(checker, "tokens", "an empty token lets everybody in");
    if (!is_given(options->header))
        weir_check_fail(checker, "header", "a header needs a name");
}

static const struct weir_option option_rows[] = {
    WEIR_OPTION(struct bearer_options, scheme, "scheme", .preset = "Bearer",
                .doc = "Word before the token; empty: the token stands alone."),
    WEIR_OPTION(struct bearer_options, header, "header", .preset = "Authorization",
                .doc = "Header that holds scheme and token."),
    WEIR_OPTION(struct bearer_options, token, "token", .doc = "The token."),
    WEIR_OPTION(struct bearer_options, tokens, "tokens",
                .doc = "Tokens that a server accepts; a client sends the first."),
    WEIR_OPTION(struct bearer_options, filename, "filename",
                .doc = "File with a token in each line, which is followed; wins over the others."),
    WEIR_OPTION_END,
};
static const struct weir_option_table option_table = { option_rows, sizeof(struct bearer_options), check_options };

enum { METRIC_REQUESTS };

static const struct weir_instrument metrics[] = {
    [METRIC_REQUESTS] = { "auth_requests", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{request}",
                          "Requests that servers had checked, by result.", NULL, 0 },
    { .name = NULL },
};

enum result { RESULT_OK, RESULT_MISSING, RESULT_MISMATCH, RESULTS };

/* Header values, scheme and all. Unchanging. */
struct tokens {
    size_t count;
    char *values[];
};

struct bearer {
    const struct bearer_options *options;
    char *header; /* in lower case */
    struct tokens *fixed;
    struct weir_followed *followed; /* NULL: `fixed` counts */
    struct weir_series *results[RESULTS];
};

/* --- tokens --- */

static void tokens_free(void *value)
{
    struct tokens *tokens = value;
    for (size_t i = 0; tokens && i < tokens->count; i++) {
        explicit_bzero(tokens->values[i], strlen(tokens->values[i]));
        free(tokens->values[i]);
    }
    free(tokens);
}

static struct tokens *add_token(struct tokens *tokens, const char *scheme, struct weir_str token)
{
    size_t count = tokens ? tokens->count : 0;
    tokens = weir_xrealloc(tokens, sizeof(*tokens) + (count + 1) * sizeof(char *));
    tokens->values[count] = weir_xasprintf("%s%s%.*s", is_given(scheme) ? scheme : "", is_given(scheme) ? " " : "",
                                           WEIR_STR_ARG(token));
    tokens->count = count + 1;
    return tokens;
}

/* No token holds blanks or control characters (RFC 6750, 2.1), so a file with them is half-written or none of ours. */
static bool is_token(struct weir_str text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!isgraph((unsigned char)text.data[i]))
            return false;
    return true;
}

static void *parse_tokens(void *user, struct weir_str content, struct weir_error *error)
{
    const struct bearer *bearer = user;
    struct tokens *tokens = NULL;
    for (size_t line = 1; content.length > 0; line++) {
        const char *end = memchr(content.data, '\n', content.length);
        size_t length = end ? (size_t)(end - content.data) : content.length;
        struct weir_str token = weir_str_trim(weir_str_make(content.data, length));
        if (!is_token(token)) {
            tokens_free(tokens);
            weir_error_set(error, "line %zu is no token", line);
            return NULL;
        }
        if (token.length > 0)
            tokens = add_token(tokens, bearer->options->scheme, token);
        size_t step = end ? length + 1 : length;
        content = weir_str_make(content.data + step, content.length - step);
    }
    if (!tokens)
        weir_error_set(error, "no token");
    return tokens;
}

static const struct tokens *current_tokens(const struct bearer *bearer)
{
    return bearer->followed ? weir_followed_value(bearer->followed) : bearer->fixed;
}

/* --- what it offers --- */

static bool answer(const struct bearer *bearer, enum result result)
{
    weir_series_add(bearer->results[result], 1);
    return result == RESULT_OK;
}

static bool check(struct weir_instance *extension, const struct weir_auth_request *request,
                  struct weir_auth_verdict *verdict)
{
    const struct bearer *bearer = weir_instance_data(extension);
    const struct tokens *tokens = current_tokens(bearer);
    struct weir_str value = WEIR_STR_NONE;
    if (!weir_auth_request_header(request, bearer->header, &value, verdict))
        return answer(bearer, RESULT_MISSING);
    bool found = false;
    // All of them, so that the time does not tell which one it was.
    for (size_t i = 0; i < tokens->count; i++)
        found |= weir_auth_equal(value, weir_str_of(tokens->values[i]));
    verdict->message = "scheme or token does not match";
    return answer(bearer, found ? RESULT_OK : RESULT_MISMATCH);
}

static int add_headers(struct weir_instance *extension, const struct weir_context *context,
                       struct weir_auth_headers *headers, struct weir_error *error)
{
    const struct bearer *bearer = weir_instance_data(extension);
    (void)context;
    (void)error;
    weir_auth_header_set(headers, weir_str_of(bearer->options->header),
                         weir_str_of(current_tokens(bearer)->values[0]));
    return 0;
}

static const struct weir_auth_server server = { sizeof(struct weir_auth_server), check };
static const struct weir_auth_client client = { sizeof(struct weir_auth_client), true, add_headers };

static const void *offer(struct weir_instance *instance, const char *interface)
{
    (void)instance;
    if (strcmp(interface, WEIR_AUTH_SERVER) == 0)
        return &server;
    return strcmp(interface, WEIR_AUTH_CLIENT) == 0 ? &client : NULL;
}

/* --- life --- */

static void make_series(struct weir_instance *instance, struct bearer *bearer)
{
    static const char *const names[RESULTS] = { "ok", "missing", "mismatch" };
    for (int i = 0; i < RESULTS; i++) {
        struct weir_label label = { "result", names[i] };
        bearer->results[i] = weir_meter_series(instance, METRIC_REQUESTS, &label, 1);
    }
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct bearer_options *options = weir_instance_config(instance);
    struct bearer *bearer = weir_xcalloc(1, sizeof(*bearer));
    (void)error;
    bearer->options = options;
    bearer->header = weir_xstrdup(options->header);
    for (char *at = bearer->header; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    if (is_given(options->token.text))
        bearer->fixed = add_token(NULL, options->scheme, weir_str_of(options->token.text));
    for (size_t i = 0; i < options->tokens.strings.count; i++)
        bearer->fixed = add_token(bearer->fixed, options->scheme, weir_str_of(options->tokens.strings.items[i]));
    make_series(instance, bearer);
    weir_instance_set_data(instance, bearer);
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct bearer *bearer = weir_instance_data(instance);
    if (!is_given(bearer->options->filename))
        return 0;
    if (bearer->fixed)
        weir_log(weir_instance_logger(instance), WEIR_WARN,
                 "a filename is specified. Configured token(s) is ignored!");
    struct weir_followed_options options = { .path = bearer->options->filename, .instance = instance,
                                             .parse = parse_tokens, .release = tokens_free, .user = bearer };
    bearer->followed = weir_followed_new(&options, error);
    return bearer->followed ? 0 : -1;
}

static void stop(struct weir_instance *instance)
{
    struct bearer *bearer = weir_instance_data(instance);
    if (!bearer)
        return;
    weir_followed_free(bearer->followed);
    bearer->followed = NULL;
}

static void destroy(struct weir_instance *instance)
{
    struct bearer *bearer = weir_instance_data(instance);
    if (!bearer)
        return;
    tokens_free(bearer->fixed);
    free(bearer->header);
    free(bearer);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXTENSION,
    .type = "bearertokenauth",
    .version = PACKAGE_VERSION,
    .summary = "Sends and checks a token in a header of requests.",
    .options = &option_table,
    .metrics = metrics,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .offer = offer,
};
