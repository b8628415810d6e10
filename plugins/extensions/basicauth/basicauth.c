// SPDX-License-Identifier: Apache-2.0
/*
 * The basicauth extension: names and passwords, for clients to send and for servers to check (contrib-processors 7; RFC
 * 7617).
 */
#include <config.h>

#include <ctype.h>
#include <stdlib.h>

#include <weir/auth.h>
#include <weir/flow.h>
#include <weir/watch.h>

#include "plugins/extensions/basicauth/credentials.h"
#include "plugins/extensions/basicauth/htpasswd.h"
#include "plugins/extensions/basicauth/options.h"
#include "plugins/extensions/basicauth/verified.h"

enum { METRIC_REQUESTS };

static const struct weir_instrument metrics[] = {
    [METRIC_REQUESTS] = { "auth_requests", WEIR_COUNTER, WEIR_LEVEL_BASIC, "{request}",
                          "Requests that servers had checked, by result.", NULL, 0 },
    { .name = NULL },
};

enum result { RESULT_OK, RESULT_MISSING, RESULT_MALFORMED, RESULT_MISMATCH, RESULT_LATER, RESULTS };

struct basic {
    const struct basic_options *options;
    struct htpasswd *inline_list;  /* its users win over the file's */
    struct weir_followed *list;    /* the file; NULL: none */
    struct verified **verified;    /* by worker */
    struct weir_followed *username, *password; /* files; NULL: the option counts */
    struct weir_series *results[RESULTS];
};

/* --- servers --- */

static const char *find_hash(const struct basic *basic, struct weir_str user)
{
    const char *hash = htpasswd_find(basic->inline_list, user);
    return hash || !basic->list ? hash : htpasswd_find(weir_followed_value(basic->list), user);
}

static enum result judge(const struct basic *basic, const struct credentials *credentials,
                         struct weir_auth_verdict *verdict)
{
    struct weir_worker *worker = weir_worker_current();
    const char *hash = find_hash(basic, credentials->user);
    verdict->message = "invalid credentials";
    if (!hash)
        return RESULT_MISMATCH;
    switch (verified_check(basic->verified[weir_worker_index(worker)], credentials->user, hash,
                           credentials->password, weir_worker_now(worker))) {
    case VERIFIED_RIGHT:
        weir_auth_verdict_add(verdict, WEIR_STR("username"), credentials->user);
        weir_auth_verdict_add(verdict, WEIR_STR("raw"), credentials->raw);
        return RESULT_OK;
    case VERIFIED_LATER:
        verdict->message = "too many wrong passwords, try again";
        verdict->grpc_code = WEIR_GRPC_UNAVAILABLE;
        return RESULT_LATER;
    case VERIFIED_WRONG:
        break;
    }
    return RESULT_MISMATCH;
}

static bool check(struct weir_instance *extension, const struct weir_auth_request *request,
                  struct weir_auth_verdict *verdict)
{
    const struct basic *basic = weir_instance_data(extension);
    struct credentials credentials;
    struct weir_str header = WEIR_STR_NONE;
    enum result result = RESULT_MISSING;
    if (weir_auth_request_header(request, "authorization", &header, verdict)) {
        result = RESULT_MALFORMED;
        if (credentials_parse(header, &credentials, &verdict->message)) {
            result = judge(basic, &credentials, verdict);
            credentials_free(&credentials);
        }
    }
    weir_series_add(basic->results[result], 1);
    return result == RESULT_OK;
}

/* --- clients --- */

static int add_headers(struct weir_instance *extension, const struct weir_context *context,
                       struct weir_auth_headers *headers, struct weir_error *error)
{
    const struct basic *basic = weir_instance_data(extension);
    const struct client_options *options = &basic->options->client;
    const char *user = basic->username ? weir_followed_value(basic->username) : options->username;
    const char *password = basic->password ? weir_followed_value(basic->password) : options->password.text;
    char *value = credentials_print(user, password ? password : "");
    (void)context;
    (void)error;
    weir_auth_header_set(headers, WEIR_STR("Authorization"), weir_str_of(value));
    explicit_bzero(value, strlen(value));
    free(value);
    return 0;
}

static const void *offer(struct weir_instance *instance, const char *interface)
{
    static const struct weir_auth_server server = { sizeof(struct weir_auth_server), check };
    static const struct weir_auth_client client = { sizeof(struct weir_auth_client), true, add_headers };
    const struct basic_options *options = weir_instance_config(instance);
    if (options->htpasswd_on && strcmp(interface, WEIR_AUTH_SERVER) == 0)
        return &server;
    return options->client_on && strcmp(interface, WEIR_AUTH_CLIENT) == 0 ? &client : NULL;
}

/* --- files --- */

static void *parse_list(void *user, struct weir_str content, struct weir_error *error)
{
    (void)user;
    struct htpasswd *list = htpasswd_parse(content, error);
    if (list && htpasswd_count(list) > 0)
        return list;
    if (list)
        weir_error_set(error, "no user");
    htpasswd_free(list);
    return NULL;
}

static void free_list(void *list)
{
    htpasswd_free(list);
}

static void *parse_word(struct weir_str content, const char *what, struct weir_error *error)
{
    struct weir_str word = weir_str_trim(content);
    bool printable = true;
    for (size_t i = 0; i < word.length; i++)
        printable = printable && !iscntrl((unsigned char)word.data[i]);
    if (word.length > 0 && printable)
        return weir_str_dup(word);
    weir_error_set(error, word.length == 0 ? "no %s" : "a %s of one line is expected", what);
    return NULL;
}

static void *parse_username(void *user, struct weir_str content, struct weir_error *error)
{
    char *name = parse_word(content, "username", error);
    (void)user;
    if (!name || !strchr(name, ':'))
        return name;
    weir_error_set(error, "invalid authorization format: a username cannot hold a colon");
    free(name);
    return NULL;
}

static void *parse_password(void *user, struct weir_str content, struct weir_error *error)
{
    (void)user;
    return parse_word(content, "password", error);
}

static void free_secret(void *secret)
{
    explicit_bzero(secret, strlen(secret));
    free(secret);
}

static int follow(struct weir_instance *instance, const char *path,
                  void *(*parse)(void *user, struct weir_str content, struct weir_error *error),
                  void (*release)(void *value), struct weir_followed **out, struct weir_error *error)
{
    struct weir_followed_options options = { .path = path, .instance = instance, .parse = parse, .release = release };
    if (!basic_given(path))
        return 0;
    *out = weir_followed_new(&options, error);
    return *out ? 0 : -1;
}

/* --- life --- */

static void make_series(struct weir_instance *instance, struct basic *basic)
{
    static const char *const names[RESULTS] = { "ok", "missing", "malformed", "mismatch", "later" };
    for (int i = 0; i < RESULTS; i++) {
        struct weir_label label = { "result", names[i] };
        basic->results[i] = weir_meter_series(instance, METRIC_REQUESTS, &label, 1);
    }
}

static int create(struct weir_instance *instance, struct weir_error *error)
{
    const struct basic_options *options = weir_instance_config(instance);
    struct basic *basic = weir_xcalloc(1, sizeof(*basic));
    basic->options = options;
    weir_instance_set_data(instance, basic);
    if (!options->htpasswd_on)
        return 0;
    basic->inline_list = htpasswd_parse(weir_str_of(options->htpasswd.inline_text.text), error);
    if (!basic->inline_list)
        return weir_error_prefix(error, "htpasswd::inline");
    make_series(instance, basic);
    basic->verified = weir_xcalloc(weir_worker_count(), sizeof(struct verified *));
    for (unsigned i = 0; i < weir_worker_count(); i++)
        if (!(basic->verified[i] = verified_new()))
            return weir_error_set(error, "no random numbers to be had");
    return 0;
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    struct basic *basic = weir_instance_data(instance);
    const struct basic_options *options = basic->options;
    if (options->htpasswd_on)
        return follow(instance, options->htpasswd.file, parse_list, free_list, &basic->list, error);
    if (follow(instance, options->client.username_file, parse_username, free_secret, &basic->username, error) != 0)
        return -1;
    return follow(instance, options->client.password_file, parse_password, free_secret, &basic->password, error);
}

static void stop(struct weir_instance *instance)
{
    struct basic *basic = weir_instance_data(instance);
    if (!basic)
        return;
    weir_followed_free(basic->list);
    weir_followed_free(basic->username);
    weir_followed_free(basic->password);
    basic->list = basic->username = basic->password = NULL;
}

static void destroy(struct weir_instance *instance)
{
    struct basic *basic = weir_instance_data(instance);
    if (!basic)
        return;
    for (unsigned i = 0; basic->verified && i < weir_worker_count(); i++)
        verified_free(basic->verified[i]);
    free(basic->verified);
    htpasswd_free(basic->inline_list);
    free(basic);
    weir_instance_set_data(instance, NULL);
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXTENSION,
    .type = "basicauth",
    .version = PACKAGE_VERSION,
    .summary = "Sends and checks names and passwords of requests.",
    .options = &basic_table,
    .metrics = metrics,
    .create = create,
    .start = start,
    .stop = stop,
    .destroy = destroy,
    .offer = offer,
};
