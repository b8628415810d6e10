// SPDX-License-Identifier: Apache-2.0
/*
 * Certificates, keys and CAs that are followed: made into a new generation of their context, off the loop, when they
 * change; and what is told of certificates that end. All but the making happens on the main thread.
 */
#include <config.h>

#include <stdlib.h>
#include <time.h>

#include <weir/hash.h>
#include <weir/sys/host.h>
#include <weir/watch.h>

#include "sdk/src/flow/instance.h"
#include "sdk/src/net/tls_context.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define FILE_LIMIT ((size_t)16 << 20)

enum { CERT, KEY, CA, CLIENT_CA, FILES };

struct followed {
    struct weir_tls_follower *follower;
    const char *path; /* NULL: none */
    struct weir_watch *watch;
    bool changed; /* since the last result */
};

struct weir_tls_follower {
    struct weir_tls_follower *next, **link; /* of all */
    struct weir_tls_context *context;
    struct weir_tls_recipe *recipe;
    struct weir_instance *instance; /* NULL: not made in an instance's start */
    struct weir_logger *logger, *own_logger;
    struct followed files[FILES];
    uint64_t print;       /* of the last result */
    uint64_t tried_print; /* of the last attempt */
    int64_t interval;     /* until bad files are tried again */
    struct weir_timer retry;
    struct weir_timer timer; /* of what ends */
    int64_t told; /* when it was last said that the certificate is not valid; 0: it is */
    bool ended;

    /* The job's. */
    struct weir_job job;
    bool running, again;
    uint64_t new_print;
    struct weir_tls_generation *made; /* NULL: failed, or nothing changed */
    struct weir_error error;
};

static struct weir_tls_follower *followers;

/* --- loading again --- */

static uint64_t print_file(uint64_t print, const char *path)
{
    struct weir_text text = { NULL, 0, 0 };
    if (path && weir_file_read(path, FILE_LIMIT, &text, NULL) == 0)
        print = weir_hash(print, weir_text_view(&text));
    weir_text_free(&text);
    return weir_hash(print, WEIR_STR("\0"));
}

uint64_t weir_tls_recipe_print(const struct weir_tls_recipe *recipe)
{
    const struct weir_tls_spec *spec = &recipe->spec;
    uint64_t print = print_file(0, spec->cert_file);
    print = print_file(print, spec->key_file);
    print = print_file(print, spec->ca_file);
    return print_file(print, recipe->follow_client_ca ? spec->client_ca_file : NULL);
}

static void load(struct weir_job *job)
{
    struct weir_tls_follower *follower = WEIR_CONTAINER_OF(job, struct weir_tls_follower, job);
    follower->new_print = weir_tls_recipe_print(follower->recipe);
    if (follower->new_print != follower->print)
        follower->made = weir_tls_generation_make(follower->recipe, &follower->error);
    follower->recipe->engine->thread_stop();
}

/* The files of a result, which is then taken. */
static char *changed_files(struct weir_tls_follower *follower)
{
    struct weir_text text = { NULL, 0, 0 };
    for (int i = 0; i < FILES; i++) {
        if (follower->files[i].changed)
            weir_text_addf(&text, "%s%s", text.length ? ", " : "", follower->files[i].path);
        follower->files[i].changed = false;
    }
    return weir_text_steal(&text);
}

static void set_fault(struct weir_tls_follower *follower, const void *source, const char *reason)
{
    if (follower->instance)
        weir_instance_fault(follower->instance, source, reason);
}

static void check_validity(struct weir_tls_follower *follower, bool always);

static void take_result(struct weir_tls_follower *follower)
{
    char *files = changed_files(follower);
    follower->print = follower->new_print;
    if (follower->made) {
        weir_tls_context_replace(follower->context, follower->made);
        follower->made = NULL;
        weir_log(follower->logger, WEIR_INFO, "TLS files have changed: new connections use them",
                 WEIR_F_TEXT("file", files));
        set_fault(follower, &follower->error, NULL);
        check_validity(follower, true);
    } else {
        const char *why = weir_error_text(&follower->error);
        weir_log(follower->logger, WEIR_ERROR,
                 "TLS files have changed and cannot be used: the last good ones stay in use",
                 WEIR_F_TEXT("file", files), WEIR_F_TEXT("error", why));
        char *reason = weir_xasprintf("tls: %s: %s", files, why);
        set_fault(follower, &follower->error, reason);
        free(reason);
    }
    free(files);
}

static void destroy(struct weir_tls_follower *follower);
static void reload(struct weir_tls_follower *follower);

static void loaded(struct weir_job *job)
{
    struct weir_tls_follower *follower = WEIR_CONTAINER_OF(job, struct weir_tls_follower, job);
    follower->running = false;
    if (follower->ended) {
        destroy(follower);
        return;
    }
    // Between the writing of a certificate and of its key the two do not match: bad files are told when they stay so.
    if (follower->made || (follower->new_print != follower->print && follower->new_print == follower->tried_print))
        take_result(follower);
    else if (follower->new_print != follower->print)
        weir_timer_start(&follower->retry, follower->interval);
    follower->tried_print = follower->new_print;
    weir_error_free(&follower->error);
    if (follower->again)
        reload(follower);
}

static void reload(struct weir_tls_follower *follower)
{
    follower->again = follower->running;
    if (follower->running)
        return;
    follower->running = true;
    follower->job = (struct weir_job){ .work = load, .done = loaded };
    weir_worker_offload(weir_worker_current(), &follower->job);
}

static void retry_due(struct weir_timer *timer)
{
    reload(WEIR_CONTAINER_OF(timer, struct weir_tls_follower, retry));
}

static void file_changed(void *user, struct weir_str content)
{
    struct followed *file = user;
    (void)content;
    file->changed = true;
    reload(file->follower);
}

/* --- certificates that end --- */

static bool validity_of(const struct weir_tls_follower *follower, enum weir_tls_use use, struct weir_tls_validity *out)
{
    struct weir_tls_generation *current = atomic_load_explicit(&follower->context->current, memory_order_acquire);
    return current->engine->validity(current->context, use, out);
}

static const char *file_of(const struct weir_tls_follower *follower, enum weir_tls_use use)
{
    const struct weir_tls_spec *spec = &follower->recipe->spec;
    if (use == WEIR_TLS_CLIENT_CA)
        return spec->client_ca_file;
    if (use == WEIR_TLS_CA)
        return spec->ca_file ? spec->ca_file : "ca_pem";
    return spec->cert_file ? spec->cert_file : "cert_pem";
}

static const char *side_of(const struct weir_tls_follower *follower)
{
    return follower->recipe->spec.server ? "server" : "client";
}

static void print_date(int64_t seconds, char out[32])
{
    time_t time = (time_t)seconds;
    struct tm parts;
    if (!gmtime_r(&time, &parts) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
}

/* Our certificate goes on being used: telling is all that helps. `always`: else not before a day has passed. */
static void tell_invalid(struct weir_tls_follower *follower, const char *what, int64_t when, bool always)
{
    char date[32];
    int64_t now = weir_worker_now(follower->timer.worker);
    const char *file = file_of(follower, WEIR_TLS_OWN);
    if (follower->told && !always && now - follower->told < DAY)
        return;
    follower->told = now;
    print_date(when, date);
    char *reason = weir_xasprintf("tls: the certificate in %s %s %s", file, what, date);
    weir_log(follower->logger, WEIR_ERROR, "TLS certificate is not valid: peers that verify it will refuse it",
             WEIR_F_TEXT("file", file), WEIR_F_TEXT("side", side_of(follower)), WEIR_F_TEXT("error", reason));
    set_fault(follower, &follower->told, reason);
    free(reason);
}

static void check_validity(struct weir_tls_follower *follower, bool always)
{
    struct weir_tls_validity own;
    if (!validity_of(follower, WEIR_TLS_OWN, &own))
        return;
    int64_t now = weir_wall_clock() / SECOND, next = HOUR / SECOND;
    if (now < own.not_before)
        tell_invalid(follower, "is not valid before", own.not_before, always);
    else if (now > own.not_after)
        tell_invalid(follower, "has expired on", own.not_after, always);
    else if (follower->told) {
        follower->told = 0;
        set_fault(follower, &follower->told, NULL);
    }
    // The hour also finds a wall clock that was set.
    if (own.not_before > now && own.not_before - now < next)
        next = own.not_before - now;
    if (own.not_after >= now && own.not_after - now + 1 < next)
        next = own.not_after - now + 1;
    weir_timer_start(&follower->timer, next * SECOND);
}

static void hour_passed(struct weir_timer *timer)
{
    check_validity(WEIR_CONTAINER_OF(timer, struct weir_tls_follower, timer), false);
}

void weir_certificates_visit(void (*visit)(const struct weir_certificate_view *view, void *argument), void *argument)
{
    static const char *const uses[WEIR_TLS_USES] = { "own", "ca", "client_ca" };
    for (const struct weir_tls_follower *follower = followers; follower; follower = follower->next) {
        for (int use = 0; use < WEIR_TLS_USES; use++) {
            struct weir_tls_validity validity;
            if (!validity_of(follower, (enum weir_tls_use)use, &validity))
                continue;
            struct weir_certificate_view view = {
                .file = file_of(follower, (enum weir_tls_use)use),
                .side = side_of(follower),
                .use = uses[use],
                .not_after = validity.not_after,
            };
            visit(&view, argument);
        }
    }
}

/* --- life --- */

static void watch(struct weir_tls_follower *follower, int which, const char *path, int64_t interval)
{
    struct followed *file = &follower->files[which];
    file->follower = follower;
    file->path = path;
    if (path)
        file->watch = weir_watch_new(path, interval, file_changed, file);
}

void weir_tls_follow(struct weir_tls_context *context, struct weir_tls_recipe *recipe, uint64_t print,
                     int64_t interval)
{
    struct weir_worker *worker = weir_worker_current();
    if (!worker || weir_worker_index(worker) != 0) {
        weir_tls_recipe_free(recipe); // not in a collector: nothing turns that could look
        return;
    }
    struct weir_tls_follower *follower = weir_xcalloc(1, sizeof(*follower));
    follower->context = context;
    follower->recipe = recipe;
    follower->print = print;
    follower->interval = interval > 0 && interval < SECOND ? interval : SECOND;
    follower->instance = weir_instance_starting();
    if (!follower->instance)
        follower->own_logger = weir_logger_new(NULL);
    follower->logger = follower->instance ? weir_instance_logger(follower->instance) : follower->own_logger;
    context->follower = follower;
    follower->next = followers;
    follower->link = &followers;
    if (followers)
        followers->link = &follower->next;
    followers = follower;
    weir_timer_init(&follower->timer, worker, hour_passed);
    weir_timer_init(&follower->retry, worker, retry_due);
    watch(follower, CERT, recipe->spec.cert_file, interval);
    watch(follower, KEY, recipe->spec.key_file, interval);
    watch(follower, CA, recipe->spec.ca_file, interval < SECOND ? interval : 0);
    if (recipe->follow_client_ca)
        watch(follower, CLIENT_CA, recipe->spec.client_ca_file, interval < SECOND ? interval : 0);
    if (weir_tls_recipe_print(recipe) != print)
        reload(follower); // changed between the first reading and the watches
    check_validity(follower, true);
}

static void destroy(struct weir_tls_follower *follower)
{
    weir_tls_generation_drop(follower->made);
    weir_error_free(&follower->error);
    weir_tls_recipe_free(follower->recipe);
    weir_logger_free(follower->own_logger);
    free(follower);
}

void weir_tls_context_end(struct weir_tls_context *context)
{
    struct weir_tls_follower *follower = context ? context->follower : NULL;
    if (!follower)
        return;
    context->follower = NULL;
    *follower->link = follower->next;
    if (follower->next)
        follower->next->link = follower->link;
    for (int i = 0; i < FILES; i++)
        weir_watch_free(follower->files[i].watch);
    weir_timer_stop(&follower->timer);
    weir_timer_stop(&follower->retry);
    set_fault(follower, &follower->error, NULL);
    set_fault(follower, &follower->told, NULL);
    follower->ended = true;
    if (!follower->running)
        destroy(follower);
}
