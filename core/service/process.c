// SPDX-License-Identifier: Apache-2.0
/* What the process itself uses. */
#include <config.h>

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <weir/memory.h>

#include "core/service/metrics.h"

static const struct weir_instrument uptime = {
    "otelcol_process_uptime", WEIR_COUNTER, WEIR_LEVEL_BASIC, "s", "Uptime of the process", NULL, 0,
};
static const struct weir_instrument cpu = {
    "otelcol_process_cpu_seconds", WEIR_COUNTER, WEIR_LEVEL_BASIC, "s",
    "Total CPU user and system time in seconds", NULL, 0,
};
static const struct weir_instrument rss = {
    "otelcol_process_memory_rss", WEIR_GAUGE, WEIR_LEVEL_BASIC, "By",
    "Total physical memory (resident set size)", NULL, 0,
};
static const struct weir_instrument heap = {
    "otelcol_process_runtime_heap_alloc_bytes", WEIR_GAUGE, WEIR_LEVEL_BASIC, "By",
    "Bytes of allocated heap objects", NULL, 0,
};
static const struct weir_instrument system_memory = {
    "otelcol_process_runtime_total_sys_memory_bytes", WEIR_GAUGE, WEIR_LEVEL_BASIC, "By",
    "Total bytes of memory obtained from the OS", NULL, 0,
};
static const struct weir_instrument reserved = {
    "weir_memory_reserved_bytes", WEIR_GAUGE, WEIR_LEVEL_BASIC, "By",
    "Bytes admitted for telemetry that is on its way", NULL, 0,
};

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static double resident_bytes(void)
{
    uint64_t size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double started;

__attribute__((constructor)) static void note_start(void)
{
    started = now();
}

void metrics_collect_process(struct exposition *exposition)
{
    struct rusage usage;
    struct mallinfo2 info = mallinfo2();
    getrusage(RUSAGE_SELF, &usage);
    exposition_add(exposition, &uptime, "", now() - started);
    exposition_add(exposition, &cpu, "", seconds(usage.ru_utime) + seconds(usage.ru_stime));
    exposition_add(exposition, &rss, "", resident_bytes());
    exposition_add(exposition, &heap, "", (double)weir_memory_allocated());
    exposition_add(exposition, &system_memory, "", (double)(info.arena + info.hblkhd));
    exposition_add(exposition, &reserved, "", (double)weir_memory_reserved());
}
