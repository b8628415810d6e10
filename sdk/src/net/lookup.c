// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/lookup.h>

#include "sdk/src/net/resolve.h"

#define INTERVAL_MIN INT64_C(1000000000)

struct weir_lookup {
    struct weir_resolve resolve;
    struct weir_timer timer; /* for the next time */
    char *host;
    int64_t interval;
    void (*looked)(void *user, const char *const *addresses, size_t count, const char *error);
    void *user;
};

static void tell(struct weir_lookup *lookup, const struct weir_sockaddr *addresses, size_t count, const char *error)
{
    char **texts = weir_xcalloc(count + 1, sizeof(*texts));
    for (size_t i = 0; i < count; i++) {
        texts[i] = weir_sockaddr_text(&addresses[i]);
        *strrchr(texts[i], ':') = '\0'; /* there is no port */
    }
    lookup->looked(lookup->user, (const char *const *)texts, count, error);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

static void on_answer(struct weir_resolve *resolve, const struct weir_sockaddr *addresses, size_t count, const char *error)
{
    tell(WEIR_CONTAINER_OF(resolve, struct weir_lookup, resolve), addresses, count, error);
}

/* The resolver looks again by itself, but not so often. */
static void look_again(struct weir_timer *timer)
{
    struct weir_lookup *lookup = WEIR_CONTAINER_OF(timer, struct weir_lookup, timer);
    weir_resolve_suspect(timer->worker, lookup->host, WEIR_TCP);
    weir_timer_start(timer, lookup->interval);
}

struct weir_lookup *weir_lookup_new(struct weir_worker *worker, const char *host, int64_t interval,
                                    void (*looked)(void *user, const char *const *addresses, size_t count,
                                                   const char *error),
                                    void *user)
{
    struct weir_lookup *lookup = weir_xcalloc(1, sizeof(*lookup));
    struct weir_sockaddr *known = NULL;
    lookup->resolve.answer = on_answer;
    lookup->resolve.every = true;
    lookup->host = weir_xstrdup(host);
    lookup->interval = interval < INTERVAL_MIN ? INTERVAL_MIN : interval;
    lookup->looked = looked;
    lookup->user = user;
    weir_timer_init(&lookup->timer, worker, look_again);
    size_t count = weir_resolve_number(host, WEIR_TCP, 0, &known);
    if (count > 0) {
        tell(lookup, known, count, NULL);
        free(known);
        return lookup;
    }
    weir_resolve_start(worker, host, WEIR_TCP, 0, &lookup->resolve);
    weir_timer_start(&lookup->timer, lookup->interval);
    return lookup;
}

void weir_lookup_free(struct weir_lookup *lookup)
{
    if (!lookup)
        return;
    weir_timer_stop(&lookup->timer);
    weir_resolve_stop(&lookup->resolve);
    free(lookup->host);
    free(lookup);
}
