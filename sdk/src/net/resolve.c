// SPDX-License-Identifier: Apache-2.0
/*
 * Names to addresses.
 */
#include <config.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "sdk/src/net/resolve.h"
#include "sdk/src/net/state.h"

#define SECOND INT64_C(1000000000)
/* getaddrinfo does not tell the TTL: names that are switched over have one of 30 s or more. */
#define REFRESH (30 * SECOND)
/* At least between two lookups of a name. */
#define PAUSE SECOND
/* A name that nobody asked for so long is forgotten. */
#define FORGET (300 * SECOND)
#define STACK ((size_t)256 << 10)

/* One lookup, on its thread. */
struct query {
    struct weir_task task;
    struct weir_worker *worker;
    struct weir_name *name; /* NULL: nobody waits for it; under `lock` */
    char *host;
    struct addrinfo hints;
    int failure;
    struct addrinfo *list;
};

struct weir_name {
    struct weir_name *next;
    struct weir_worker *worker;
    char *host;
    enum weir_transport transport;
    struct weir_sockaddr *addresses; /* last good ones */
    size_t count;
    char *error; /* of the last lookup; NULL: it succeeded */
    unsigned failures;
    int64_t looked_up, asked;
    struct query *query; /* under way */
    struct weir_timer timer;
    struct weir_resolve *users;
};

/* Between the threads of lookups and the workers that wait for them. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t copy_list(const struct addrinfo *list, uint16_t port, struct weir_sockaddr **out)
{
    size_t count = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        count++;
    struct weir_sockaddr *addresses = weir_xcalloc(count ? count : 1, sizeof(*addresses));
    count = 0;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        if (a->ai_addrlen > sizeof(union weir_address))
            continue;
        struct weir_sockaddr *address = &addresses[count++];
        memcpy(&address->address, a->ai_addr, a->ai_addrlen);
        address->length = a->ai_addrlen;
        weir_sockaddr_set_port(address, port);
    }
    *out = addresses;
    return count;
}

size_t weir_resolve_number(const char *host, enum weir_transport transport, uint16_t port, struct weir_sockaddr **out)
{
    struct addrinfo hints = weir_address_hints(transport), *list = NULL;
    hints.ai_flags |= AI_NUMERICHOST;
    // RFC 6761 section 6.3: localhost is loopback, whatever a minimal image's resolver knows of it.
    bool loopback = weir_str_equal_nocase(weir_str_of(host), WEIR_STR("localhost"));
    if (getaddrinfo(loopback ? NULL : host, "0", &hints, &list) != 0)
        return 0;
    size_t count = copy_list(list, port, out);
    freeaddrinfo(list);
    return count;
}

/* --- lookups --- */

static void free_query(struct query *query)
{
    if (query->list)
        freeaddrinfo(query->list);
    free(query->host);
    free(query);
}

static void *look_up(void *argument)
{
    struct query *query = argument;
    query->failure = getaddrinfo(query->host, NULL, &query->hints, &query->list);
    pthread_mutex_lock(&lock);
    // The worker lives as long as one of its names waits.
    bool wanted = query->name != NULL;
    if (wanted)
        weir_worker_post(query->worker, &query->task);
    pthread_mutex_unlock(&lock);
    if (!wanted)
        free_query(query);
    return NULL;
}

static bool start_thread(struct query *query)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, &attributes, look_up, query);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return failure == 0;
}

static void looked_up(struct weir_task *task);

static void look_again(struct weir_name *name)
{
    if (name->query)
        return;
    struct query *query = weir_xcalloc(1, sizeof(*query));
    query->task.run = looked_up;
    query->worker = name->worker;
    query->name = name;
    query->host = weir_xstrdup(name->host);
    query->hints = weir_address_hints(name->transport);
    query->hints.ai_flags = AI_ADDRCONFIG;
    name->query = query;
    name->looked_up = weir_worker_now(name->worker);
    weir_timer_stop(&name->timer);
    if (!start_thread(query)) {
        query->failure = EAI_AGAIN;
        weir_worker_post(name->worker, &query->task);
    }
}

static bool same_addresses(const struct weir_name *name, const struct weir_sockaddr *addresses, size_t count)
{
    // Servers of names turn the order round with each answer: only the set counts.
    size_t known = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < name->count; j++)
            if (addresses[i].length == name->addresses[j].length &&
                memcmp(&addresses[i].address, &name->addresses[j].address, addresses[i].length) == 0) {
                known++;
                break;
            }
    return count == name->count && known == count;
}

static void tell(struct weir_name *name, struct weir_resolve *user)
{
    struct weir_sockaddr *addresses = weir_xcalloc(name->count + 1, sizeof(*addresses));
    size_t count = name->count;
    for (size_t i = 0; i < count; i++) {
        addresses[i] = name->addresses[i];
        weir_sockaddr_set_port(&addresses[i], user->port);
    }
    char *error = weir_xstrdup(name->error ? name->error : "no such host");
    user->waits = user->due = false;
    if (user->once)
        weir_resolve_stop(user);
    user->answer(user, addresses, count, count > 0 && !(user->every && name->error) ? NULL : error);
    free(error);
    free(addresses);
}

/* Tells those who wait and, when there is news, all. Each may leave, or have others leave or come, in its call. */
static void tell_users(struct weir_name *name, bool news)
{
    for (struct weir_resolve *user = name->users; user; user = user->next)
        user->due = news || user->waits || user->every;
    for (;;) {
        struct weir_resolve *user = name->users;
        while (user && !user->due)
            user = user->next;
        if (!user)
            return;
        tell(name, user);
    }
}

/* Takes what the lookup found; true if that is news for those who have had an answer. */
static bool take(struct weir_name *name, const struct query *query)
{
    struct weir_sockaddr *addresses = NULL;
    size_t count = query->failure == 0 ? copy_list(query->list, 0, &addresses) : 0;
    free(name->error);
    name->error = NULL;
    if (count == 0) {
        int failure = query->failure;
        name->failures++;
        name->error = weir_xstrdup(failure == 0 || failure == EAI_NONAME || failure == EAI_NODATA
                                       ? "no such host"
                                       : weir_lookup_text(failure));
        free(addresses);
        return name->count == 0;
    }
    name->failures = 0;
    bool news = !same_addresses(name, addresses, count);
    free(name->addresses);
    name->addresses = addresses;
    name->count = count;
    return news;
}

/* After failures 1 s, 2 s, 4 s ... 30 s, otherwise 30 s; a tenth more or less, so that workers do not ask at one time. */
static int64_t pause_of(const struct weir_name *name)
{
    int64_t pause = REFRESH;
    if (name->failures > 0)
        pause = name->failures > 5 ? REFRESH : PAUSE << (name->failures - 1);
    return pause + pause / 10 * (int64_t)(weir_worker_index(name->worker) % 5) / 5;
}

static void looked_up(struct weir_task *task)
{
    struct query *query = WEIR_CONTAINER_OF(task, struct query, task);
    pthread_mutex_lock(&lock);
    struct weir_name *name = query->name;
    pthread_mutex_unlock(&lock);
    if (name) {
        name->query = NULL;
        bool news = take(name, query);
        weir_timer_start(&name->timer, pause_of(name));
        tell_users(name, news);
    }
    free_query(query);
}

/* --- names --- */

static void forget(struct weir_name *name)
{
    struct weir_net *net = weir_net_of(name->worker);
    struct weir_name **at = &net->names;
    while (*at != name)
        at = &(*at)->next;
    *at = name->next;
    weir_timer_stop(&name->timer);
    pthread_mutex_lock(&lock);
    if (name->query)
        name->query->name = NULL;
    pthread_mutex_unlock(&lock);
    free(name->addresses);
    free(name->error);
    free(name->host);
    free(name);
}

static void due(struct weir_timer *timer)
{
    struct weir_name *name = WEIR_CONTAINER_OF(timer, struct weir_name, timer);
    if (!name->users && weir_worker_now(name->worker) - name->asked >= FORGET)
        forget(name);
    else
        look_again(name);
}

static struct weir_name *find(struct weir_worker *worker, const char *host, enum weir_transport transport)
{
    struct weir_name *name = weir_net_of(worker)->names;
    while (name && (name->transport != transport || strcmp(name->host, host) != 0))
        name = name->next;
    return name;
}

static struct weir_name *find_or_make(struct weir_worker *worker, const char *host, enum weir_transport transport)
{
    struct weir_name *name = find(worker, host, transport);
    if (name)
        return name;
    struct weir_net *net = weir_net_of(worker);
    name = weir_xcalloc(1, sizeof(*name));
    name->worker = worker;
    name->host = weir_xstrdup(host);
    name->transport = transport;
    weir_timer_init(&name->timer, worker, due);
    name->next = net->names;
    net->names = name;
    return name;
}

void weir_resolve_start(struct weir_worker *worker, const char *host, enum weir_transport transport, uint16_t port,
                        struct weir_resolve *resolve)
{
    struct weir_name *name = find_or_make(worker, host, transport);
    name->asked = weir_worker_now(worker);
    resolve->name = name;
    resolve->port = port;
    resolve->waits = true;
    resolve->due = false;
    resolve->next = name->users;
    resolve->link = &name->users;
    if (resolve->next)
        resolve->next->link = &resolve->next;
    name->users = resolve;
    if (name->count > 0)
        tell(name, resolve);
    else if (!name->query && !name->error)
        look_again(name);
    else if (!name->query)
        weir_resolve_suspect(worker, host, transport);
}

void weir_resolve_stop(struct weir_resolve *resolve)
{
    if (!resolve->name)
        return;
    resolve->name = NULL;
    *resolve->link = resolve->next;
    if (resolve->next)
        resolve->next->link = resolve->link;
}

void weir_resolve_suspect(struct weir_worker *worker, const char *host, enum weir_transport transport)
{
    struct weir_name *name = find(worker, host, transport);
    if (!name || name->query)
        return;
    int64_t wait = name->looked_up + PAUSE - weir_worker_now(worker);
    if (wait <= 0)
        look_again(name);
    else if (!weir_timer_active(&name->timer) || name->timer.deadline > weir_worker_now(worker) + wait)
        weir_timer_start(&name->timer, wait);
}

void weir_resolve_close(struct weir_worker *worker)
{
    struct weir_net *net = weir_net_of(worker);
    while (net->names)
        forget(net->names);
}
