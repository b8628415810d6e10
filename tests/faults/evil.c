// SPDX-License-Identifier: Apache-2.0
/*
 * Plugins that pass every check before they are loaded and go wrong as they run: an exporter for each of the
 * macros EVIL_..., and one with none of them that behaves.
 */
#include <config.h>

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <weir/component.h>

#if defined(EVIL_hang) || defined(EVIL_hang_timer) || defined(EVIL_hang_early) || defined(EVIL_slow)
static void pause_for(time_t seconds)
{
    struct timespec time = { seconds, 0 };
    while (nanosleep(&time, &time) != 0)
        ;
}
#endif

#if defined(EVIL_segfault) || defined(EVIL_segfault_create) || defined(EVIL_segfault_load)
static void touch_nothing(void)
{
    *(volatile int *)16 = 1;
}
#endif

#ifdef EVIL_segfault_load
__attribute__((constructor)) static void on_load(void)
{
    touch_nothing();
}
#endif

#ifdef EVIL_exit_load
__attribute__((constructor)) static void on_load(void)
{
    _exit(0);
}
#endif

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
#ifdef EVIL_segfault_create
    touch_nothing();
#endif
#ifdef EVIL_refuse_create
    return weir_error_set(error, "this one never works");
#endif
    return 0;
}

#if defined(EVIL_hang_timer) || defined(EVIL_hang_early)
static void on_time(struct weir_timer *timer)
{
    (void)timer;
    pause_for(1000);
}

static void hang_in(struct weir_shard *shard, int64_t milliseconds)
{
    static struct weir_timer timer;
    weir_timer_init(&timer, weir_shard_worker(shard), on_time);
    weir_timer_start(&timer, milliseconds * 1000000);
}
#endif

static int worker_start(struct weir_shard *shard, struct weir_error *error)
{
    (void)shard;
    (void)error;
#ifdef EVIL_hang_early
    if (weir_worker_index(weir_shard_worker(shard)) == 1)
        hang_in(shard, 300);
#endif
    return 0;
}

/* Of hang_early: by the time that everyone knows that weir is ready, its worker hangs. */
static void on_ready(struct weir_instance *instance, bool is_ready)
{
    (void)instance;
    (void)is_ready;
#ifdef EVIL_hang_early
    if (is_ready)
        pause_for(1);
#endif
}

static int start(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
    (void)error;
#ifdef EVIL_refuse_start
    return weir_error_set(error, "its door is locked");
#endif
    return 0;
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
#ifdef EVIL_segfault
    touch_nothing();
#endif
#ifdef EVIL_abort
    abort();
#endif
#ifdef EVIL_spin
    for (volatile unsigned long turns = 0;; turns++)
        ;
#endif
#ifdef EVIL_hang
    pause_for(1000);
#endif
#ifdef EVIL_slow
    pause_for(2);
#endif
#ifdef EVIL_hang_timer
    hang_in(shard, 0);
#endif
#ifndef EVIL_leak
    weir_batch_unref(batch);
#endif
#ifndef EVIL_silent
    weir_ack_ok(ack);
#endif
}

static void destroy(struct weir_instance *instance)
{
    (void)instance;
#ifdef EVIL_abort_destroy
    abort();
#endif
}

WEIR_EXPORT const struct weir_component weir_component = {
    WEIR_COMPONENT_GUARD,
    .kind = WEIR_EXPORTER,
    .type = "evil",
    .version = "1",
    .summary = "A plugin of the fault tests.",
    .stability = { WEIR_BETA, WEIR_BETA, WEIR_BETA },
    .create = create,
    .start = start,
    .worker_start = worker_start,
    .consume = consume,
    .destroy = destroy,
    .ready = on_ready,
};
