// SPDX-License-Identifier: Apache-2.0
/*
 * A damaged directory of a journal: looked into, opened, taken from until nothing is left, and used again. The input is
 * a list of steps that write files, so that damage comes behind checksums that fit, too.
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weir/str.h>

#include "sdk/src/journal/format.h"
#include "sdk/src/journal/tests/rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MOST 20000
#define WAIT_NS INT64_C(20000000000)

struct input {
    const uint8_t *at;
    size_t left;
};

struct making {
    struct input *input;
    const char *directory;
    struct segment_header header;
    uint64_t records; /* of the segment */
    struct weir_text segment, marks;
    uint64_t good;    /* records that must come, if nothing else was done to the files */
    bool clean;
};

static uint64_t number(struct input *input, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && input->left > 0; i++, input->left--)
        value |= (uint64_t)*input->at++ << (8 * i);
    return value;
}

static void add(struct weir_text *file, const void *data, size_t length)
{
    if (file->length + length <= FILE_MOST)
        weir_text_add(file, (const char *)data, length);
}

static void add_raw(struct making *making, struct weir_text *file)
{
    size_t length = (size_t)number(making->input, 1);
    if (length > making->input->left)
        length = making->input->left;
    add(file, making->input->at, length);
    making->input->at += length;
    making->input->left -= length;
    making->clean = false;
}

static void write_file(const struct making *making, const char *ending, struct weir_text *file)
{
    char *path = weir_xasprintf("%s/%016llx.%s", making->directory, (unsigned long long)making->header.first, ending);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || (file->length > 0 && write(fd, file->data, file->length) < 0))
        abort();
    close(fd);
    free(path);
    weir_text_free(file);
}

static void begin(struct making *making, uint64_t first)
{
    uint8_t bytes[SEGMENT_HEADER];
    making->header = (struct segment_header){ FORMAT_VERSION, first, 0x5a17 + (uint32_t)first };
    making->records = 0;
    segment_header_write(&making->header, bytes);
    add(&making->segment, bytes, sizeof(bytes));
    marks_header_write(&making->header, bytes);
    add(&making->marks, bytes, sizeof(bytes));
}

static void end(struct making *making)
{
    write_file(making, "seg", &making->segment);
    write_file(making, "marks", &making->marks);
}

static void add_record(struct making *making, struct record_header *header, const uint8_t *payload, size_t length)
{
    uint8_t bytes[RECORD_HEADER];
    if (making->segment.length + RECORD_HEADER + length > FILE_MOST)
        return;
    record_header_write(header, bytes);
    add(&making->segment, bytes, sizeof(bytes));
    add(&making->segment, payload, length);
}

static void good_record(struct making *making)
{
    uint8_t payload[256];
    size_t length = (size_t)number(making->input, 1);
    struct record_header header = {
        .salt = making->header.salt,
        .sequence = making->header.first + making->records,
        .items = length % 5,
        .length = (uint32_t)length,
        .kind = RECORD_DATA,
    };
    if (making->segment.length + RECORD_HEADER + length > FILE_MOST)
        return;
    rig_payload(header.sequence, payload, length);
    header.checksum = format_crc(0, payload, length);
    add_record(making, &header, payload, length);
    making->records++;
    making->good++;
}

/* Its own checksum is right, and so may be that of its payload. */
static void odd_record(struct making *making)
{
    uint8_t payload[64] = { 1 };
    uint64_t how = number(making->input, 1);
    struct record_header header = {
        .salt = making->header.salt + (how >> 7 & 1),
        .sequence = making->header.first + (how & 1 ? number(making->input, 8) : number(making->input, 1)),
        .items = number(making->input, how & 2 ? 8 : 1),
        .length = (uint32_t)number(making->input, how & 4 ? 4 : 1),
        .kind = how & 8 ? RECORD_SEAL : RECORD_DATA,
        .attempts = (unsigned)number(making->input, 1),
    };
    size_t length = header.length < sizeof(payload) ? header.length : sizeof(payload);
    header.checksum = format_crc(0, payload, length);
    add_record(making, &header, payload, length);
    making->clean = false;
}

static void add_seal(struct making *making)
{
    uint8_t bytes[SEAL_BYTES];
    uint64_t how = number(making->input, 1);
    struct seal seal = { .records = making->records };
    if (how & 1)
        seal.records = number(making->input, how & 2 ? 8 : 1);
    if (how & 4)
        seal.items = number(making->input, 8);
    if (how & 8)
        seal.bytes = number(making->input, 8);
    seal_write(&making->header, &seal, bytes);
    add(&making->segment, bytes, sizeof(bytes));
    making->clean = false;
}

static void add_mark(struct making *making)
{
    uint8_t bytes[MARK_BYTES];
    struct mark mark = { .kind = (enum mark_kind)number(making->input, 1) };
    mark.index = (uint32_t)number(making->input, mark.kind & 0x40 ? 4 : 1);
    mark.count = (uint32_t)number(making->input, mark.kind & 0x80 ? 3 : 1);
    mark.kind = (enum mark_kind)(mark.kind & 0x3f);
    mark_write(&mark, making->header.salt, bytes);
    add(&making->marks, bytes, sizeof(bytes));
    making->clean = false;
}

/* Of the segment's bytes: cut, or one of them changed. */
static void spoil(struct making *making)
{
    uint64_t how = number(making->input, 1);
    size_t at = (size_t)number(making->input, 2);
    struct weir_text *file = how & 1 ? &making->marks : &making->segment;
    making->clean = false;
    if (at >= file->length)
        return;
    if (how & 2)
        file->length = at;
    else
        file->data[at] = (char)(file->data[at] ^ (char)(1 << (how >> 2) % 8));
}

static void make(struct making *making)
{
    begin(making, 1 + number(making->input, 1));
    while (making->input->left > 0) {
        switch (number(making->input, 1) & 7) {
        case 0: {
            uint64_t skip = number(making->input, 1);
            uint64_t next = making->header.first + (skip & 0x80 ? 1 : making->records + 1) + (skip & 0x7f);
            making->clean &= !(skip & 0x80);
            end(making);
            begin(making, next);
            break;
        }
        case 1:
            good_record(making);
            break;
        case 2:
            odd_record(making);
            break;
        case 3:
            add_raw(making, &making->segment);
            break;
        case 4:
            add_seal(making);
            break;
        case 5:
            add_mark(making);
            break;
        case 6:
            add_raw(making, &making->marks);
            break;
        case 7:
            spoil(making);
            break;
        }
    }
    end(making);
}

static bool look(const struct weir_journal_found *found, void *user)
{
    uint32_t *sum = user;
    if (found->record.data)
        *sum += format_crc(0, found->record.data, found->record.length);
    return true;
}

static void walk(const char *directory)
{
    uint32_t sum = 0;
    if (weir_journal_walk(directory, NULL, look, &sum, NULL) != 0 ||
        weir_journal_walk(directory, WEIR_JOURNAL_DEAD_LETTER, look, &sum, NULL) != 0)
        abort();
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Settles what comes until nothing is left; how many came. */
static uint64_t drain(struct weir_journal *journal)
{
    struct weir_journal_counts counts;
    struct rig_take take = { .keep = false };
    uint64_t last = 0, came = 0;
    int64_t until = now() + WAIT_NS;
    rig_take_start(journal, &take);
    for (;;) {
        weir_worker_turn(weir_worker_current(), 0);
        if (take.ended) {
            if (!take.got || take.sequence <= last)
                abort();
            last = take.sequence;
            came++;
            weir_journal_settle(journal, take.sequence, WEIR_JOURNAL_SETTLED);
            rig_take_start(journal, &take);
        }
        weir_journal_counts(journal, &counts);
        if (counts.records == 0)
            break;
        if (now() > until)
            abort(); // records that are counted and never come
    }
    weir_journal_take_cancel(journal, &take.take);
    rig_wait(&take.ended);
    if (take.got || counts.items != 0 || counts.bytes != 0)
        abort();
    return came;
}

static char *directory;

static void remove_directory(void)
{
    rig_remove(directory);
    directory = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!directory) {
        if (weir_workers_create(1, WEIR_CLOCK_SYSTEM, NULL) != 0)
            abort();
        directory = rig_directory();
        atexit(remove_directory);
    }
    struct input input = { data, size };
    struct making making = { .input = &input, .directory = directory, .clean = true };
    rig_empty(directory);
    make(&making);
    walk(directory);
    struct weir_journal *journal = rig_open(directory);
    uint64_t came = drain(journal);
    if (making.clean && came != making.good)
        abort();
    if (rig_append(journal, 7, 100, true) != 0 || drain(journal) != 1)
        abort();
    weir_journal_unref(journal);
    if (rig_files(directory, ".seg") != 0 || rig_files(directory, ".marks") != 0)
        abort();
    walk(directory);
    return 0;
}
