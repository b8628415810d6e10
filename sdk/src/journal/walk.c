// SPDX-License-Identifier: Apache-2.0
/*
 * Looking into a directory without changing it, for tools.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <dirent.h>

#include "sdk/src/journal/journal.h"

struct walk {
    int directory;
    const char *path;
    bool (*each)(const struct weir_journal_found *found, void *user);
    void *user;
    bool ended;

    /* the file at hand */
    const char *name;
    struct weir_buffer *bytes;
    struct segment *segment; /* only its header and states are used */
    bool salted;             /* its header told the salt */
};

static int read_file(const struct walk *walk, const char *name, struct weir_buffer **out)
{
    struct stat status;
    int fd;
    int failed = io_open(walk->directory, name, O_RDONLY, 0, &fd);
    if (failed)
        return failed;
    struct weir_buffer *buffer = fstat(fd, &status) == 0 ? weir_buffer_new((size_t)status.st_size) : NULL;
    failed = buffer ? io_read(fd, buffer->data, buffer->capacity, 0, &buffer->length) : ENOMEM;
    io_close(fd);
    if (failed)
        weir_buffer_unref(buffer);
    else
        *out = buffer;
    return failed;
}

static void tell(struct walk *walk, struct weir_journal_found *found)
{
    found->file = walk->name;
    if (!walk->each(found, walk->user))
        walk->ended = true;
}

static void tell_damage(struct walk *walk, size_t offset, const char *problem)
{
    struct weir_journal_found found = { .offset = offset, .state = WEIR_JOURNAL_IS_DAMAGED, .problem = problem };
    tell(walk, &found);
}

static void read_marks(const struct walk *walk)
{
    char name[SEGMENT_NAME];
    struct weir_buffer *marks;
    struct mark mark;
    segment_name(walk->segment, "marks", name);
    if (strstr(walk->name, ".seg") == NULL || read_file(walk, name, &marks) != 0)
        return;
    uint64_t most = walk->bytes->length / RECORD_HEADER;
    for (size_t at = SEGMENT_HEADER; at + MARK_BYTES <= marks->length; at += MARK_BYTES)
        if (mark_read(marks->data + at, walk->segment->header.salt, &mark) &&
            (uint64_t)mark.index + mark.count <= most)
            state_apply(walk->segment, &mark);
    weir_buffer_unref(marks);
}

static bool belongs(const struct walk *walk, const struct record_header *header)
{
    return !walk->salted || header->salt == walk->segment->header.salt;
}

/* The record at `at`; where the next one is due. */
static size_t walk_record(struct walk *walk, size_t at, const struct record_header *header)
{
    const uint8_t *data = walk->bytes->data + at + RECORD_HEADER;
    size_t there = walk->bytes->length - at - RECORD_HEADER;
    bool whole = header->length <= there && format_crc(0, data, header->length) == header->checksum;
    if (header->kind == RECORD_SEAL && whole)
        return at + RECORD_HEADER + header->length;
    uint64_t index = header->sequence - walk->segment->header.first;
    unsigned state = index <= UINT32_MAX ? state_of(walk->segment, (uint32_t)index) : 0;
    bool settled = state & STATE_SETTLED;
    struct weir_journal_found found = {
        .offset = at,
        .state = settled ? WEIR_JOURNAL_IS_SETTLED : WEIR_JOURNAL_IS_WAITING,
        .record = { .sequence = header->sequence,
                    .items = header->items,
                    .attempts = header->attempts + (state & RECORD_ATTEMPTS_MAX),
                    .buffer = walk->bytes,
                    .data = data,
                    .length = header->length },
    };
    if (!whole) {
        found.problem = "the checksum of the record is wrong";
        found.record.data = NULL;
        if (!settled)
            found.state = WEIR_JOURNAL_IS_DAMAGED;
    }
    tell(walk, &found);
    return whole ? at + RECORD_HEADER + header->length : at + 1;
}

static void walk_records(struct walk *walk)
{
    const struct weir_buffer *bytes = walk->bytes;
    struct record_header header;
    bool lost = false; // the way, since the last record
    for (size_t at = SEGMENT_HEADER; at < bytes->length && !walk->ended;) {
        bool good = bytes->length - at >= RECORD_HEADER && record_header_read(bytes->data + at, &header) &&
                    belongs(walk, &header);
        size_t next;
        if (good) {
            next = walk_record(walk, at, &header);
            lost = next == at + 1;
        } else {
            if (!lost)
                tell_damage(walk, at, "here should be a record");
            lost = true;
            next = at + 1;
        }
        at = lost ? record_header_find(bytes->data, bytes->length, next) : next;
    }
}

static int walk_file(struct walk *walk, const char *name, struct weir_error *error)
{
    struct segment_header header;
    walk->name = name;
    int failed = read_file(walk, name, &walk->bytes);
    if (failed == ENOENT)
        return 0;
    if (failed)
        return weir_error_errno(error, failed, "cannot read %s/%s", walk->path, name);
    walk->segment = segment_new(strtoull(name, NULL, 16));
    enum header_status status = segment_header_read(walk->bytes->data, walk->bytes->length, &header);
    if (status == HEADER_FOREIGN) {
        tell_damage(walk, 0, "the file is of another version");
    } else if (walk->bytes->length > 0) {
        walk->salted = status == HEADER_OK;
        if (status == HEADER_OK)
            walk->segment->header = header;
        else
            tell_damage(walk, 0, "the file's header is damaged");
        read_marks(walk);
        if (!walk->ended)
            walk_records(walk);
    }
    segment_free(walk->segment);
    weir_buffer_unref(walk->bytes);
    return 0;
}

static int is_segment(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return strspn(name, "0123456789abcdef") == 16 && strcmp(name + 16, ".seg") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int weir_journal_walk(const char *directory, const char *file,
                      bool (*each)(const struct weir_journal_found *found, void *user), void *user,
                      struct weir_error *error)
{
    struct walk walk = { .path = directory, .each = each, .user = user };
    struct dirent **names = NULL;
    int count = scandir(directory, &names, is_segment, by_name);
    int failed = count < 0 ? errno : io_open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0, &walk.directory);
    int result = failed ? weir_error_errno(error, failed, "cannot read the directory %s", directory) : 0;
    if (file && result == 0)
        result = walk_file(&walk, file, error);
    for (int i = 0; i < count; i++) {
        if (!file && result == 0 && !walk.ended)
            result = walk_file(&walk, names[i]->d_name, error);
        free(names[i]);
    }
    free(names);
    if (!failed)
        io_close(walk.directory);
    return result;
}
