// SPDX-License-Identifier: Apache-2.0
/*
 * TLS contexts, made by the side library from the options.
 */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/src/net/side_library.h"
#include "sdk/src/net/tls_context.h"
#include "sdk/src/net/tls_names.h"

static const struct weir_tls_host host = { weir_error_set, weir_error_prefix, weir_error_free,
                                           weir_buffer_append };

const struct weir_tls_engine *weir_tls_engine(struct weir_error *error)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const struct weir_tls_engine *engine;
    pthread_mutex_lock(&lock);
    if (!engine) {
        void *symbol = weir_side_library("weir-tls.so", WEIR_TLS_ENGINE_SYMBOL, error);
        weir_tls_engine_open *open_engine;
        memcpy(&open_engine, &symbol, sizeof(symbol)); // POSIX: dlsym also gives functions
        if (symbol)
            engine = open_engine(&host);
    }
    const struct weir_tls_engine *loaded = engine;
    pthread_mutex_unlock(&lock);
    return loaded;
}

static const char *given(const char *text)
{
    return text && *text ? text : NULL;
}

static bool alpn_list(const char *const *names, struct weir_text *out)
{
    for (; names && *names; names++) {
        size_t length = strlen(*names);
        if (length == 0 || length > 255)
            return false;
        weir_text_addc(out, (char)length);
        weir_text_add(out, *names, length);
    }
    return true;
}

/* The names of the options, in the words of the engine. */
static int translate(const struct weir_tls_engine *engine, const struct weir_tls_common *common,
                     struct weir_text *ciphers, struct weir_text *groups, struct weir_error *error)
{
    for (size_t i = 0; i < common->cipher_suites.count; i++) {
        bool insecure = false;
        const char *name = NULL;
        if (!engine->cipher(common->cipher_suites.items[i], &insecure, &name) ||
            (insecure && !common->include_insecure_cipher_suites))
            return weir_error_set(error, "invalid TLS cipher suite: \"%s\"", common->cipher_suites.items[i]);
        if (name)
            weir_text_addf(ciphers, "%s%s", ciphers->length ? ":" : "", name);
    }
    for (size_t i = 0; i < common->curve_preferences.count; i++) {
        const char *name = weir_tls_group_name(common->curve_preferences.items[i]);
        if (!name)
            return weir_error_set(error,
                                  "invalid curve type: %s. Expected values are [P-256, P-384, P-521, X25519]",
                                  common->curve_preferences.items[i]);
        weir_text_addf(groups, "%s%s", groups->length ? ":" : "", name);
    }
    return 0;
}

static int make(const struct weir_tls_common *common, struct weir_tls_spec *spec, const char *const *alpn,
                struct weir_tls_context **out, struct weir_error *error)
{
    struct weir_text ciphers = { NULL, 0, 0 }, groups = { NULL, 0, 0 }, protocols = { NULL, 0, 0 };
    const struct weir_tls_engine *engine = weir_tls_engine(error);
    void *context = NULL;
    spec->ca_file = given(common->ca_file);
    spec->ca_pem = given(common->ca_pem.text);
    spec->system_cas = common->include_system_ca_certs_pool || (!spec->ca_file && !spec->ca_pem);
    spec->cert_file = given(common->cert_file);
    spec->cert_pem = given(common->cert_pem.text);
    spec->key_file = given(common->key_file);
    spec->key_pem = given(common->key_pem.text);
    spec->min_version = given(common->min_version) ? weir_tls_version(common->min_version) : 12;
    spec->max_version = given(common->max_version) ? weir_tls_version(common->max_version) : 0;
    if (!engine) {
        // the error is set
    } else if (!alpn_list(alpn, &protocols)) {
        weir_error_set(error, "bad ALPN name");
    } else if (translate(engine, common, &ciphers, &groups, error) == 0) {
        spec->cipher_list = ciphers.data;
        spec->groups = groups.data;
        spec->alpn = (const uint8_t *)protocols.data;
        spec->alpn_length = protocols.length;
        context = engine->context_new(spec, error);
    }
    weir_text_free(&ciphers);
    weir_text_free(&groups);
    weir_text_free(&protocols);
    if (!context)
        return weir_error_prefix(error, "failed to load TLS config");
    *out = weir_xcalloc(1, sizeof(**out));
    (*out)->engine = engine;
    (*out)->context = context;
    atomic_init(&(*out)->references, 1);
    return 0;
}

int weir_tls_server_context(const struct weir_tls_server_options *tls, const char *const *alpn,
                            struct weir_tls_context **out, struct weir_error *error)
{
    struct weir_tls_spec spec = { .server = true, .client_ca_file = given(tls->client_ca_file) };
    return make(&tls->common, &spec, alpn, out, error);
}

int weir_tls_client_context(const struct weir_tls_client_options *tls, const char *const *alpn,
                            struct weir_tls_context **out, struct weir_error *error)
{
    struct weir_tls_spec spec = { .skip_verify = tls->insecure_skip_verify };
    if (make(&tls->common, &spec, alpn, out, error) != 0)
        return -1;
    if (given(tls->server_name_override))
        (*out)->server_name = weir_xstrdup(tls->server_name_override);
    return 0;
}

struct weir_tls_context *weir_tls_context_ref(struct weir_tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void weir_tls_context_unref(struct weir_tls_context *context)
{
    if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) != 1)
        return;
    context->engine->context_free(context->context);
    free(context->server_name);
    free(context);
}
