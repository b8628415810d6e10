// SPDX-License-Identifier: Apache-2.0
/*
 * LMDB under bench/micro/journal, used as a queue on it would: one transaction for all appends that wait, synced; the
 * attempt is noted before a record is handed out, and records are removed, in transactions of some.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#include <weir/base.h>

#include "bench/micro/journal.h"

#define TAKEN_AT_ONCE 64

struct lmdb {
    MDB_env *env;
    MDB_dbi records, attempts;
};

static void check(int status, const char *what)
{
    if (status == MDB_SUCCESS)
        return;
    fprintf(stderr, "LMDB: %s: %s\n", what, mdb_strerror(status));
    exit(1);
}

static int try_open(const char *directory, uint64_t most, struct lmdb *lmdb)
{
    MDB_txn *txn;
    check(mdb_env_create(&lmdb->env), "create");
    mdb_env_set_mapsize(lmdb->env, (size_t)(2 * most) & ~(size_t)4095);
    mdb_env_set_maxdbs(lmdb->env, 2);
    int status = mdb_env_open(lmdb->env, directory, 0, 0640);
    if (!status)
        status = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
    if (status)
        return status;
    status = mdb_dbi_open(txn, "records", MDB_CREATE | MDB_INTEGERKEY, &lmdb->records);
    if (!status)
        status = mdb_dbi_open(txn, "attempts", MDB_CREATE | MDB_INTEGERKEY, &lmdb->attempts);
    if (status)
        mdb_txn_abort(txn);
    return status ? status : mdb_txn_commit(txn);
}

static void *open_lmdb(const char *directory, uint64_t most)
{
    struct lmdb *lmdb = weir_xcalloc(1, sizeof(*lmdb));
    check(try_open(directory, most, lmdb), "open");
    return lmdb;
}

static void close_lmdb(void *handle)
{
    struct lmdb *lmdb = handle;
    mdb_env_close(lmdb->env);
    free(lmdb);
}

static void append_lmdb(void *handle, struct appending *appending)
{
    struct lmdb *lmdb = handle;
    uint64_t number = appending->first;
    for (int64_t start = now(); start < appending->until && appending->done < appending->most; start = now()) {
        MDB_txn *txn;
        unsigned count = 0;
        check(mdb_txn_begin(lmdb->env, NULL, 0, &txn), "begin");
        for (; count < appending->clients && appending->done + count < appending->most; count++, number++) {
            MDB_val key = { sizeof(number), &number }, value = { 8 + record_tail_length, NULL };
            check(mdb_put(txn, lmdb->records, &key, &value, MDB_APPEND | MDB_RESERVE), "put");
            memcpy(value.mv_data, &number, 8);
            memcpy((uint8_t *)value.mv_data + 8, record_tail, record_tail_length);
        }
        check(mdb_txn_commit(txn), "commit");
        for (unsigned i = 0; i < count; i++)
            histogram_add(&appending->latency, now() - start);
        appending->done += count;
    }
}

/* Notes an attempt for the first records, which are then handed out. */
static unsigned take_some(struct lmdb *lmdb, uint64_t numbers[TAKEN_AT_ONCE])
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value, one = { 1, (char[]){ 1 } };
    unsigned count = 0;
    check(mdb_txn_begin(lmdb->env, NULL, 0, &txn), "begin");
    check(mdb_cursor_open(txn, lmdb->records, &cursor), "cursor");
    while (count < TAKEN_AT_ONCE && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
        memcpy(&numbers[count++], key.mv_data, sizeof(uint64_t));
        check(mdb_put(txn, lmdb->attempts, &key, &one, 0), "put");
    }
    mdb_cursor_close(cursor);
    check(mdb_txn_commit(txn), "commit");
    return count;
}

static uint64_t drain_lmdb(void *handle)
{
    struct lmdb *lmdb = handle;
    uint64_t numbers[TAKEN_AT_ONCE], all = 0;
    unsigned count;
    while ((count = take_some(lmdb, numbers)) > 0) {
        MDB_txn *txn;
        check(mdb_txn_begin(lmdb->env, NULL, 0, &txn), "begin");
        for (unsigned i = 0; i < count; i++) {
            MDB_val key = { sizeof(uint64_t), &numbers[i] };
            check(mdb_del(txn, lmdb->records, &key, NULL), "delete");
            check(mdb_del(txn, lmdb->attempts, &key, NULL), "delete");
        }
        check(mdb_txn_commit(txn), "commit");
        all += count;
    }
    return all;
}

static int read_lmdb(const char *directory, void (*see)(uint64_t number, int good))
{
    struct lmdb lmdb;
    MDB_txn *txn;
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t number, inside;
    if (try_open(directory, UINT64_C(1) << 26, &lmdb) != MDB_SUCCESS ||
        mdb_txn_begin(lmdb.env, NULL, MDB_RDONLY, &txn) != MDB_SUCCESS ||
        mdb_cursor_open(txn, lmdb.records, &cursor) != MDB_SUCCESS)
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS) {
        memcpy(&number, key.mv_data, sizeof(number));
        see(number, record_is_good(value.mv_data, value.mv_size, &inside) && inside == number);
    }
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(lmdb.env);
    return 1;
}

const struct store lmdb_store = {
    .name = "LMDB",
    .open = open_lmdb,
    .close = close_lmdb,
    .append = append_lmdb,
    .drain = drain_lmdb,
    .read = read_lmdb,
    .file = "data.mdb",
};
