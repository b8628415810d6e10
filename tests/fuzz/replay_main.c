// SPDX-License-Identifier: Apache-2.0
/*
 * main() of a fuzz target that is built without libFuzzer: runs every file named on the command
 * line, or else the target's committed corpus, through it once. So `make check` replays what
 * fuzzing has found, with any compiler.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

static void replay_file(const char *path)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &status) != 0)
        fail(path);
    size_t size = (size_t)status.st_size;
    // Exactly as large as the input, so that a sanitizer or valgrind sees one byte too far.
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size)
        fail(path);
    fclose(file);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

static unsigned replay_folder(const char *folder)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        fail(folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char path[4096];
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof(path)) {
            errno = ENAMETOOLONG;
            fail(folder);
        }
        replay_file(path);
        count++;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        for (int i = 1; i < argc; i++)
            replay_file(argv[i]);
        return 0;
    }
    const char *top = getenv("abs_top_srcdir");
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash ? slash + 1 : argv[0];
    if (!top || strncmp(name, "fuzz_", 5) != 0) {
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
        return 2;
    }
    char folder[4096];
    int length = snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", top, name + 5);
    if (length < 0 || (size_t)length >= sizeof(folder))
        return 2;
    unsigned count = replay_folder(folder);
    printf("%s: %u inputs\n", name, count);
    return count ? 0 : 1;
}
