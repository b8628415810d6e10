// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <weir/memory.h>
#include <weir/sys/worker.h>

#include "core/service/spare.h"

#define PAUSE (INT64_C(5) * 1000000000)
#define STRETCH 4u                /* looks: what a burst left is back within 40 s */
#define WORTH_IT ((size_t)2 << 20) /* less comes and goes anyway */

static struct weir_timer timer;
static struct spare own;

bool spare_look(struct spare *spare, size_t bytes)
{
    if (spare->looks == 0 || bytes < spare->lowest)
        spare->lowest = bytes;
    if (++spare->looks < STRETCH)
        return false;
    spare->looks = 0;
    if (spare->lowest < spare->kept)
        spare->kept = spare->lowest;
    return spare->lowest >= spare->kept + WORTH_IT;
}

void spare_returned(struct spare *spare, size_t bytes)
{
    spare->kept = bytes;
}

/* Private memory that is resident and not in use; 0 when nobody says. */
static size_t spare_now(void)
{
    unsigned long resident = 0, shared = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file) {
        if (fscanf(file, "%*s %lu %lu", &resident, &shared) != 2)
            resident = shared = 0;
        fclose(file);
    }
    struct mallinfo2 info = mallinfo2();
    size_t held = (resident - shared) * (size_t)sysconf(_SC_PAGESIZE), used = info.uordblks + info.hblkhd;
    return held > used ? held - used : 0;
}

static void look(struct weir_timer *fired)
{
    if (spare_look(&own, spare_now())) {
        malloc_trim(0);
        spare_returned(&own, spare_now());
    }
    weir_timer_start(fired, PAUSE);
}

void spare_start(void)
{
    own = (struct spare){ 0 };
    weir_timer_init(&timer, weir_worker_at(0), look);
    weir_timer_start(&timer, PAUSE);
}

void spare_stop(void)
{
    weir_timer_stop(&timer);
}
