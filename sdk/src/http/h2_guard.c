// SPDX-License-Identifier: Apache-2.0
/*
 * Budgets and deadlines of HTTP/2 connections (RFC 9113, 10.5).
 */
#include <config.h>

#include <nghttp2/nghttp2.h>

#include "sdk/src/http/h2_guard.h"

#define SECOND INT64_C(1000000000)
#define GRACE (60 * SECOND)
#define PREFACE 24
/* One header block: the frames behind its first, and the bytes of all, compressed. */
#define CONTINUATIONS_MAX 8
#define BLOCK_MAX ((size_t)64 << 10)
/* Beyond the streams that a client may have at a time, all of which it may have to cancel. */
#define RESETS_MORE 100
#define RESETS_MAX 10000

/* A budget is spent one by one, `burst` at once, and comes back at `rate` a second. */
static const struct {
    enum weir_cause cause;
    int64_t burst;
    int64_t rate;
} budgets[H2_BUDGETS] = {
    [H2_RESETS] = { WEIR_CAUSE_RAPID_RESET, RESETS_MORE, 100 }, // and the streams
    [H2_REFUSED] = { WEIR_CAUSE_RAPID_RESET, 10000, 100 },
    [H2_SETTINGS] = { WEIR_CAUSE_SETTINGS, 100, 10 },
    [H2_PINGS] = { WEIR_CAUSE_PING, 200, 20 },
    [H2_EMPTY_DATA] = { WEIR_CAUSE_EMPTY_DATA, 200, 20 },
    [H2_WINDOW_UPDATES] = { WEIR_CAUSE_WINDOW_UPDATE, 2000, 200 },
    [H2_OTHER_FRAMES] = { WEIR_CAUSE_FRAMES, 500, 50 },
};

static int64_t later(int64_t time, int64_t delay)
{
    int64_t sum = 0;
    return __builtin_add_overflow(time, delay, &sum) ? INT64_MAX : sum;
}

void h2_guard_init(struct h2_guard *guard, const struct h2_guard_config *config, int64_t now)
{
    *guard = (struct h2_guard){
        .server = config->server,
        .max_streams = config->max_streams,
        .header_time = config->header_time > 0 ? config->header_time : GRACE,
        .body_time = config->body_time > 0 ? config->body_time : GRACE,
        .body_fixed = config->body_time > 0,
    };
    if (config->server)
        guard->scanner.left = PREFACE;
    guard->header_by = later(now, guard->header_time);
}

enum weir_cause h2_guard_spend(struct h2_guard *guard, enum h2_budget budget, int64_t now)
{
    int64_t each = SECOND / budgets[budget].rate;
    int64_t burst = budgets[budget].burst;
    if (budget == H2_RESETS)
        burst += guard->max_streams < RESETS_MAX ? guard->max_streams : RESETS_MAX;
    if (guard->spent[budget] < now)
        guard->spent[budget] = now;
    guard->spent[budget] += each;
    return guard->spent[budget] - now > burst * each ? budgets[budget].cause : WEIR_CAUSES;
}

void h2_guard_earn(struct h2_guard *guard, enum h2_budget budget, unsigned count)
{
    guard->spent[budget] -= SECOND / budgets[budget].rate * count;
}

/* --- frames --- */

static enum weir_cause add_to_block(struct h2_scanner *scanner, uint8_t type, uint8_t flags, uint32_t length)
{
    if (type == NGHTTP2_HEADERS) {
        scanner->continuations = 0;
        scanner->block = 0;
    } else if (++scanner->continuations > CONTINUATIONS_MAX) {
        return WEIR_CAUSE_CONTINUATION;
    }
    scanner->block += length;
    scanner->in_block = !(flags & NGHTTP2_FLAG_END_HEADERS);
    return scanner->block > BLOCK_MAX ? WEIR_CAUSE_CONTINUATION : WEIR_CAUSES;
}

/* A frame's head is whole. */
static enum weir_cause begin_frame(struct h2_guard *guard, int64_t now)
{
    struct h2_scanner *scanner = &guard->scanner;
    const uint8_t *head = scanner->head;
    uint32_t length = (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
    uint8_t type = head[3], flags = head[4];
    scanner->left = length;
    switch (type) {
    case NGHTTP2_DATA:
        scanner->padded = (flags & NGHTTP2_FLAG_PADDED) && length > 0;
        if (length > 0 || flags & NGHTTP2_FLAG_END_STREAM)
            return WEIR_CAUSES;
        return h2_guard_spend(guard, H2_EMPTY_DATA, now);
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        return add_to_block(scanner, type, flags, length);
    case NGHTTP2_RST_STREAM:
        return guard->server ? h2_guard_spend(guard, H2_RESETS, now) : WEIR_CAUSES;
    case NGHTTP2_SETTINGS:
        return h2_guard_spend(guard, H2_SETTINGS, now);
    case NGHTTP2_PING:
        return h2_guard_spend(guard, H2_PINGS, now);
    case NGHTTP2_WINDOW_UPDATE:
        return h2_guard_spend(guard, H2_WINDOW_UPDATES, now);
    default:
        return h2_guard_spend(guard, H2_OTHER_FRAMES, now);
    }
}

static bool is_data(const struct h2_scanner *scanner)
{
    return scanner->head_length == sizeof(scanner->head) && scanner->head[3] == NGHTTP2_DATA;
}

/* The first byte of a padded payload: DATA that is all padding is as empty as any. */
static enum weir_cause see_padding(struct h2_guard *guard, uint8_t padding, int64_t now)
{
    struct h2_scanner *scanner = &guard->scanner;
    scanner->padded = false;
    if (scanner->left > (uint32_t)padding + 1 || scanner->head[4] & NGHTTP2_FLAG_END_STREAM)
        return WEIR_CAUSES;
    return h2_guard_spend(guard, H2_EMPTY_DATA, now);
}

static void advance(struct h2_progress *progress, size_t bytes, int64_t grace, int64_t now)
{
    if (!progress->on)
        return;
    progress->by += (int64_t)bytes * (SECOND / H2_RATE);
    if (progress->by > later(now, grace))
        progress->by = later(now, grace);
}

enum weir_cause h2_guard_scan(struct h2_guard *guard, const uint8_t *bytes, size_t length, int64_t now)
{
    struct h2_scanner *scanner = &guard->scanner;
    enum weir_cause cause = WEIR_CAUSES;
    size_t data = 0;
    bool fresh = guard->whole; // what is incomplete in the end began in these bytes
    for (size_t i = 0; i < length && cause == WEIR_CAUSES;) {
        if (scanner->left > 0) {
            if (scanner->padded)
                cause = see_padding(guard, bytes[i], now);
            size_t part = scanner->left < length - i ? scanner->left : length - i;
            data += is_data(scanner) ? part : 0;
            scanner->left -= (uint32_t)part;
            i += part;
            continue;
        }
        if (scanner->head_length == sizeof(scanner->head)) {
            scanner->head_length = 0;
            fresh |= !scanner->in_block;
        }
        scanner->head[scanner->head_length++] = bytes[i++];
        if (scanner->head_length == sizeof(scanner->head))
            cause = begin_frame(guard, now);
    }
    guard->data += data;
    // At rest between two frames, or within DATA, which has a deadline of its own.
    bool head_whole = scanner->head_length == sizeof(scanner->head);
    guard->whole = head_whole && !scanner->in_block && (scanner->left == 0 || is_data(scanner));
    if (!guard->whole && fresh)
        guard->header_by = later(now, guard->header_time);
    if (!guard->body_fixed)
        advance(&guard->in, data, guard->body_time, now);
    return cause;
}

/* --- deadlines --- */

void h2_guard_receiving(struct h2_guard *guard, bool on, int64_t now)
{
    if (on && !guard->in.on)
        guard->in.by = later(now, guard->body_time);
    guard->in.on = on;
}

bool h2_guard_body_since(struct h2_guard *guard, int64_t since, int64_t now)
{
    if (!guard->body_fixed || later(since, guard->body_time) <= now)
        return false;
    guard->in.by = later(since, guard->body_time);
    return true;
}

void h2_guard_sending(struct h2_guard *guard, bool on, int64_t now)
{
    if (on && !guard->out.on)
        guard->out.by = now + GRACE;
    guard->out.on = on;
}

void h2_guard_sent(struct h2_guard *guard, size_t bytes, int64_t now)
{
    advance(&guard->out, bytes, GRACE, now);
}

int64_t h2_guard_due(const struct h2_guard *guard)
{
    int64_t due = INT64_MAX;
    if (!guard->server)
        return due;
    if (!guard->whole)
        due = guard->header_by;
    if (guard->in.on && guard->in.by < due)
        due = guard->in.by;
    if (guard->out.on && guard->out.by < due)
        due = guard->out.by;
    return due;
}

enum weir_cause h2_guard_late(const struct h2_guard *guard, int64_t now)
{
    if (h2_guard_due(guard) > now)
        return WEIR_CAUSES;
    if (!guard->whole && guard->header_by <= now)
        return WEIR_CAUSE_HEADER;
    return guard->in.on && guard->in.by <= now ? WEIR_CAUSE_BODY : WEIR_CAUSE_STARVED;
}
