// SPDX-License-Identifier: Apache-2.0
/*
 * TLS contexts, made by the side library from the options.
 */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <weir/sys/worker.h>
#include <weir/watch.h>

#include "sdk/src/net/side_library.h"
#include "sdk/src/net/tls_context.h"
#include "sdk/src/net/tls_names.h"

#define CA_LIMIT ((size_t)16 << 20)

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

/* --- recipes --- */

static const char *keep(struct weir_tls_recipe *recipe, const char *text)
{
    if (!given(text))
        return NULL;
    char *copy = weir_xstrdup(text);
    recipe->strings[recipe->count++] = copy;
    return copy;
}

void weir_tls_recipe_free(struct weir_tls_recipe *recipe)
{
    for (size_t i = 0; i < recipe->count; i++)
        free(recipe->strings[i]);
    weir_text_free(&recipe->ciphers);
    weir_text_free(&recipe->groups);
    weir_text_free(&recipe->alpn);
    weir_text_free(&recipe->client_ca);
    free(recipe);
}

static int write_recipe(struct weir_tls_recipe *recipe, const struct weir_tls_common *common, const char *const *alpn,
                        struct weir_error *error)
{
    struct weir_tls_spec *spec = &recipe->spec;
    spec->ca_file = keep(recipe, common->ca_file);
    spec->ca_pem = keep(recipe, common->ca_pem.text);
    spec->system_cas = common->include_system_ca_certs_pool || (!spec->ca_file && !spec->ca_pem);
    spec->cert_file = keep(recipe, common->cert_file);
    spec->cert_pem = keep(recipe, common->cert_pem.text);
    spec->key_file = keep(recipe, common->key_file);
    spec->key_pem = keep(recipe, common->key_pem.text);
    spec->min_version = given(common->min_version) ? weir_tls_version(common->min_version) : 12;
    spec->max_version = given(common->max_version) ? weir_tls_version(common->max_version) : 0;
    recipe->engine = weir_tls_engine(error);
    if (!recipe->engine)
        return -1;
    if (!alpn_list(alpn, &recipe->alpn))
        return weir_error_set(error, "bad ALPN name");
    if (translate(recipe->engine, common, &recipe->ciphers, &recipe->groups, error) != 0)
        return -1;
    spec->cipher_list = recipe->ciphers.data;
    spec->groups = recipe->groups.data;
    spec->alpn = (const uint8_t *)recipe->alpn.data;
    spec->alpn_length = recipe->alpn.length;
    return 0;
}

/* --- generations --- */

struct weir_tls_generation *weir_tls_generation_make(const struct weir_tls_recipe *recipe, struct weir_error *error)
{
    void *made = recipe->engine->context_new(&recipe->spec, error);
    if (!made)
        return NULL;
    struct weir_tls_generation *generation = weir_xcalloc(1, sizeof(*generation));
    generation->engine = recipe->engine;
    generation->context = made;
    atomic_init(&generation->references, 1);
    return generation;
}

struct weir_tls_generation *weir_tls_generation_take(struct weir_tls_context *context)
{
    // Between the two lines the generation may be replaced, but not freed: see weir_tls_context_replace.
    struct weir_tls_generation *generation = atomic_load_explicit(&context->current, memory_order_acquire);
    atomic_fetch_add_explicit(&generation->references, 1, memory_order_relaxed);
    return generation;
}

void weir_tls_generation_drop(struct weir_tls_generation *generation)
{
    if (!generation || atomic_fetch_sub_explicit(&generation->references, 1, memory_order_acq_rel) != 1)
        return;
    generation->engine->context_free(generation->context);
    free(generation);
}

/* The context's reference on a generation that was replaced. */
struct retired {
    struct weir_tls_generation *generation;
    atomic_uint left;
    struct passed {
        struct weir_task task;
        struct retired *retired;
    } passed[];
};

static void pass(struct weir_task *task)
{
    struct retired *retired = WEIR_CONTAINER_OF(task, struct passed, task)->retired;
    if (atomic_fetch_sub_explicit(&retired->left, 1, memory_order_acq_rel) != 1)
        return;
    weir_tls_generation_drop(retired->generation);
    free(retired);
}

void weir_tls_context_replace(struct weir_tls_context *context, struct weir_tls_generation *generation)
{
    // A worker that has read the old pointer takes its reference before it runs what is posted here, so the old
    // generation goes when all workers have run it.
    unsigned count = weir_worker_count();
    struct retired *retired = weir_xcalloc(1, sizeof(*retired) + count * sizeof(retired->passed[0]));
    retired->generation = atomic_exchange_explicit(&context->current, generation, memory_order_acq_rel);
    atomic_init(&retired->left, count);
    for (unsigned i = 0; i < count; i++) {
        retired->passed[i] = (struct passed){ { pass, NULL }, retired };
        weir_worker_post(weir_worker_at(i), &retired->passed[i].task);
    }
}

/* --- contexts --- */

static int make(struct weir_tls_recipe *recipe, const struct weir_tls_common *common, const char *const *alpn,
                struct weir_tls_context **out, struct weir_error *error)
{
    struct weir_tls_generation *generation = NULL;
    uint64_t print = 0;
    if (write_recipe(recipe, common, alpn, error) == 0) {
        print = weir_tls_recipe_print(recipe);
        generation = weir_tls_generation_make(recipe, error);
    }
    if (!generation) {
        weir_tls_recipe_free(recipe);
        return weir_error_prefix(error, "failed to load TLS config");
    }
    const char *fixed_ca = recipe->follow_client_ca ? NULL : recipe->spec.client_ca_file;
    if (fixed_ca && weir_file_read(fixed_ca, CA_LIMIT, &recipe->client_ca, NULL) == 0)
        recipe->spec.client_ca_pem = weir_text_string(&recipe->client_ca);
    struct weir_tls_context *context = weir_xcalloc(1, sizeof(*context));
    atomic_init(&context->current, generation);
    atomic_init(&context->references, 1);
    weir_tls_follow(context, recipe, print, common->reload_interval.ns);
    *out = context;
    return 0;
}

int weir_tls_server_context(const struct weir_tls_server_options *tls, const char *const *alpn,
                            struct weir_tls_context **out, struct weir_error *error)
{
    struct weir_tls_recipe *recipe = weir_xcalloc(1, sizeof(*recipe));
    recipe->spec.server = true;
    recipe->spec.client_ca_file = keep(recipe, tls->client_ca_file);
    recipe->follow_client_ca = tls->client_ca_file_reload;
    return make(recipe, &tls->common, alpn, out, error);
}

int weir_tls_client_context(const struct weir_tls_client_options *tls, const char *const *alpn,
                            struct weir_tls_context **out, struct weir_error *error)
{
    struct weir_tls_recipe *recipe = weir_xcalloc(1, sizeof(*recipe));
    recipe->spec.skip_verify = tls->insecure_skip_verify;
    if (make(recipe, &tls->common, alpn, out, error) != 0)
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
    weir_tls_generation_drop(atomic_load_explicit(&context->current, memory_order_acquire));
    free(context->server_name);
    free(context);
}

void weir_tls_context_close(struct weir_tls_context *context)
{
    weir_tls_context_end(context);
    weir_tls_context_unref(context);
}
