// SPDX-License-Identifier: Apache-2.0
/*
 * What the cgroups of this process allow, version 1 and version 2. A limit may be set on any level of the
 * hierarchy, so every level up to the root counts, and the smallest wins. In a container the path of
 * /proc/self/cgroup may not be visible: levels that cannot be read are passed over.
 */
#include <config.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/str.h>

#include "sdk/src/loop/loop.h"

/* The first line of a file, without its newline; false when there is none. */
static bool read_line(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(line, (int)size, file) != NULL;
    fclose(file);
    if (read)
        line[strcspn(line, "\n")] = '\0';
    return read;
}

static bool read_level(const char *folder, const char *name, char *line, size_t size)
{
    char *path = weir_xasprintf("%s/%s", folder, name);
    bool read = read_line(path, line, size);
    free(path);
    return read;
}

/* "50000 100000" or "max 100000" (cgroup-v2.rst: cpu.max); CPUs, rounded up; 0: no quota. */
static unsigned cpus_of(double quota, double period)
{
    if (quota <= 0 || period <= 0 || quota / period > 1e6)
        return 0;
    unsigned whole = (unsigned)(quota / period);
    return whole + (whole * period < quota ? 1 : 0);
}

struct limits {
    unsigned cpus;
    uint64_t memory;
};

static void limit_cpus(struct limits *limits, unsigned cpus)
{
    if (cpus > 0 && (limits->cpus == 0 || cpus < limits->cpus))
        limits->cpus = cpus;
}

static void limit_memory(struct limits *limits, const char *text)
{
    uint64_t bytes;
    if (weir_str_to_u64(weir_str_trim(weir_str_of(text)), &bytes) && bytes < limits->memory)
        limits->memory = bytes;
}

static void read_v2(const char *folder, struct limits *limits)
{
    char line[128];
    double quota, period;
    if (read_level(folder, "cpu.max", line, sizeof(line)) && sscanf(line, "%lf %lf", &quota, &period) == 2)
        limit_cpus(limits, cpus_of(quota, period));
    if (read_level(folder, "memory.max", line, sizeof(line)))
        limit_memory(limits, line);
}

static void read_v1(const char *folder, struct limits *limits)
{
    char line[128];
    double quota, period;
    if (read_level(folder, "cpu.cfs_quota_us", line, sizeof(line)) && sscanf(line, "%lf", &quota) == 1 &&
        read_level(folder, "cpu.cfs_period_us", line, sizeof(line)) && sscanf(line, "%lf", &period) == 1)
        limit_cpus(limits, cpus_of(quota, period));
    if (read_level(folder, "memory.limit_in_bytes", line, sizeof(line)))
        limit_memory(limits, line);
}

/* Reads `mount` + `path` and every folder above it up to `mount`. */
static void read_levels(const char *root, const char *mount, const char *path, struct limits *limits,
                        void (*read)(const char *folder, struct limits *limits))
{
    char *base = weir_xasprintf("%s/sys/fs/cgroup%s", root, mount);
    char *folder = weir_xasprintf("%s%s", base, strcmp(path, "/") == 0 ? "" : path);
    size_t shortest = strlen(base);
    for (;;) {
        read(folder, limits);
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < shortest)
            break;
        *slash = '\0';
    }
    free(folder);
    free(base);
}

static bool names_controller(const char *controllers, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = controllers; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && strncmp(at, name, length) == 0)
            return true;
    return false;
}

/* One line of /proc/self/cgroup: "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1). */
static void read_entry(const char *root, char *line, struct limits *limits)
{
    char *controllers = strchr(line, ':');
    char *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path || path[1] != '/' || strstr(path, "/.."))
        return;
    *path++ = '\0';
    controllers++;
    if (*controllers == '\0') {
        read_levels(root, "", path, limits, read_v2);
        read_levels(root, "/unified", path, limits, read_v2);
        return;
    }
    if (!names_controller(controllers, "cpu") && !names_controller(controllers, "memory"))
        return;
    char *mount = weir_xasprintf("/%s", controllers);
    read_levels(root, mount, path, limits, read_v1);
    free(mount);
    if (names_controller(controllers, "cpu"))
        read_levels(root, "/cpu", path, limits, read_v1);
}

static struct limits read_limits(const char *root)
{
    struct limits limits = { 0, UINT64_MAX };
    char *path = weir_xasprintf("%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    free(path);
    if (!file)
        return limits;
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        read_entry(root, line, &limits);
    }
    free(line);
    fclose(file);
    return limits;
}

unsigned weir_cgroup_cpus(const char *root)
{
    return read_limits(root).cpus;
}

uint64_t weir_cgroup_memory(const char *root)
{
    return read_limits(root).memory;
}

static unsigned affinity(void)
{
    // The kernel wants room for all CPUs it could have, which may be more than a cpu_set_t holds.
    for (size_t cpus = CPU_SETSIZE; cpus <= (size_t)1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set)
            return 1;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int failed = sched_getaffinity(0, size, set) != 0 ? errno : 0;
        unsigned count = failed ? 0 : (unsigned)CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (failed != EINVAL)
            return count > 0 ? count : 1;
    }
    return 1;
}

unsigned weir_cpu_limit(void)
{
    unsigned cpus = affinity();
    unsigned quota = weir_cgroup_cpus("");
    return quota > 0 && quota < cpus ? quota : cpus;
}
