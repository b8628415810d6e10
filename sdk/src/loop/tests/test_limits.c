// SPDX-License-Identifier: Apache-2.0
/*
 * Limits of cgroups, read from made-up trees of /proc and /sys; the account of memory.
 */
#include <config.h>

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <weir/memory.h>

#include "sdk/src/loop/loop.h"
#include "tests/unit/suite.h"

static char root[64];

static void make_root(void)
{
    snprintf(root, sizeof(root), "/tmp/weir-cgroup-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_root(void)
{
    nftw(root, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
    char *full = weir_xasprintf("%s%s", root, path);
    for (char *slash = strchr(full + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0755);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    free(full);
}

START_TEST(nothing_mounted_means_no_limit)
{
    ck_assert_uint_eq(weir_cgroup_cpus(root), 0);
    ck_assert_uint_eq(weir_cgroup_memory(root), UINT64_MAX);
}
END_TEST

START_TEST(version_2)
{
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/b/memory.max", "max\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 0);
    ck_assert_uint_eq(weir_cgroup_memory(root), UINT64_MAX);
    put("/sys/fs/cgroup/a/b/cpu.max", "250000 100000\n");
    put("/sys/fs/cgroup/a/b/memory.max", "536870912\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 3);
    ck_assert_uint_eq(weir_cgroup_memory(root), 536870912);
    put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
    put("/sys/fs/cgroup/a/memory.max", "268435456\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 1);
    ck_assert_uint_eq(weir_cgroup_memory(root), 268435456);
}
END_TEST

START_TEST(version_2_at_the_root_of_a_container)
{
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    put("/sys/fs/cgroup/memory.max", "1048576\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 2);
    ck_assert_uint_eq(weir_cgroup_memory(root), 1048576);
}
END_TEST

START_TEST(version_1)
{
    put("/proc/self/cgroup",
        "11:cpuset:/x\n4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n1:name=systemd:/x\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 0);
    ck_assert_uint_eq(weir_cgroup_memory(root), 9223372036854771712u);
    put("/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "150000\n");
    put("/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "4194304\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 2);
    ck_assert_uint_eq(weir_cgroup_memory(root), 4194304);
}
END_TEST

START_TEST(version_1_seen_from_inside_a_container)
{
    // The path of the host does not exist here; the limits are at the mount's root.
    put("/proc/self/cgroup", "4:memory:/docker/1\n3:cpu:/docker/1\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "8388608\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 4);
    ck_assert_uint_eq(weir_cgroup_memory(root), 8388608);
}
END_TEST

START_TEST(damaged_files_are_no_limit)
{
    put("/proc/self/cgroup", "nonsense\n0:\n0::relative\n0::/../..\n0::/a\n");
    put("/sys/fs/cgroup/a/cpu.max", "\n");
    put("/sys/fs/cgroup/a/memory.max", "12x\n");
    put("/sys/fs/cgroup/cpu.max", "0 0\n");
    ck_assert_uint_eq(weir_cgroup_cpus(root), 0);
    ck_assert_uint_eq(weir_cgroup_memory(root), UINT64_MAX);
}
END_TEST

START_TEST(this_machine_has_a_cpu_and_memory)
{
    ck_assert_uint_ge(weir_cpu_limit(), 1);
    ck_assert_uint_le(weir_cpu_limit(), (unsigned)sysconf(_SC_NPROCESSORS_CONF));
    ck_assert_uint_gt(weir_memory_total(), 1 << 20);
    ck_assert_uint_lt(weir_memory_total(), UINT64_MAX);
}
END_TEST

#define ROUNDS 100000

static void *reserve_and_release(void *argument)
{
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        weir_memory_reserve(300);
        weir_memory_release(200);
    }
    return NULL;
}

START_TEST(threads_count_apart_and_add_up)
{
    size_t before = weir_memory_reserved();
    pthread_t threads[3];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++)
            pthread_create(&threads[i], NULL, reserve_and_release, NULL);
        for (int i = 0; i < 100; i++)
            (void)weir_memory_reserved();
        for (int i = 0; i < 3; i++)
            pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(weir_memory_reserved() - before, 6u * ROUNDS * 100);
    weir_memory_release(6u * ROUNDS * 100); // on another thread than reserved
    ck_assert_uint_eq(weir_memory_reserved(), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("limits");
    TCase *cgroups = tcase_create("cgroups");
    suite_add_tcase(suite, cgroups);
    tcase_add_checked_fixture(cgroups, make_root, remove_root);
    tcase_add_test(cgroups, nothing_mounted_means_no_limit);
    tcase_add_test(cgroups, version_2);
    tcase_add_test(cgroups, version_2_at_the_root_of_a_container);
    tcase_add_test(cgroups, version_1);
    tcase_add_test(cgroups, version_1_seen_from_inside_a_container);
    tcase_add_test(cgroups, damaged_files_are_no_limit);
    TCase *process = tcase_create("process");
    suite_add_tcase(suite, process);
    tcase_add_test(process, this_machine_has_a_cpu_and_memory);
    tcase_add_test(process, threads_count_apart_and_add_up);
    return run_suite(suite);
}
