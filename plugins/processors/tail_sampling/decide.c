// SPDX-License-Identifier: Apache-2.0
/* Votes and decisions (contrib-processors 1.5, 1.7). */
#include <config.h>

#include "plugins/processors/tail_sampling/tail.h"

#define AT_ONCE 512    /* traces decided, besides twice those that came, before others of the worker have their turn */
#define AHEAD 16       /* traces of which memory is asked for what deciding them touches */
#define DEPTH 8        /* and so many chunks of each */
#define TIMED_EVERY 64 /* votes, of which one is timed */

static enum vote timed_vote(const struct voter *voter, const struct evidence *evidence)
{
    int64_t start = tail_clock();
    enum vote vote = voter->policy->vote(voter->policy, evidence);
    weir_series_add(voter->metrics.time, (double)(tail_clock() - start) * TIMED_EVERY / 1000);
    return vote;
}

static enum vote ask(struct tail_shard *own, const struct voter *voter, const struct evidence *evidence)
{
    bool timed = own->sample++ % TIMED_EVERY == 0;
    enum vote vote = timed ? timed_vote(voter, evidence) : voter->policy->vote(voter->policy, evidence);
    static const enum decision decisions[] = {
        [VOTE_NOT_SAMPLED] = DECISION_NOT_SAMPLED,
        [VOTE_SAMPLED] = DECISION_SAMPLED,
        [VOTE_DROPPED] = DECISION_DROPPED,
    };
    weir_series_add(voter->metrics.votes, 1);
    weir_series_add(voter->metrics.traces[decisions[vote]], 1);
    return vote;
}

/* The votes of the voters from `first` up to `end`. */
static enum trace_state poll(struct tail_shard *own, const struct evidence *evidence, size_t first, size_t end)
{
    enum trace_state state = TRACE_NOT_SAMPLED;
    for (size_t i = first; i < end; i++) {
        enum vote vote = ask(own, &own->tail->voters[i], evidence);
        if (vote == VOTE_DROPPED)
            return TRACE_DROPPED;
        if (vote == VOTE_SAMPLED)
            state = TRACE_SAMPLED;
        if (state == TRACE_SAMPLED && own->tail->config->sample_on_first_match)
            break;
    }
    return state;
}

void tail_forget(struct tail_shard *own, uint32_t number)
{
    const struct trace *trace = table_at(&own->table, number);
    weir_series_observe(own->tail->metrics.removal_age, tail_second(own) - trace->arrived);
    table_remove(&own->table, number);
}

static void release(struct tail_shard *own, struct trace *trace, const char *reason)
{
    uint64_t claimed = claims_items(trace->claims);
    struct claim *claims = trace->claims;
    trace->claims = NULL;
    own->kept -= trace->spans - claimed;
    if (trace->spans > 0)
        weir_shard_drop(own->shard, WEIR_TRACES, trace->spans, reason);
    claims_settle(claims, &WEIR_RESULT_OK);
}

void tail_lose(struct tail_shard *own, uint32_t number, const char *reason)
{
    struct trace *trace = table_at(&own->table, number);
    uint64_t unclaimed = trace->spans - claims_items(trace->claims);
    struct claim *claims = trace->claims;
    own->kept -= unclaimed;
    if (unclaimed > 0)
        weir_shard_drop(own->shard, WEIR_TRACES, unclaimed, reason);
    tail_forget(own, number);
    claims_settle(claims, &WEIR_RESULT_RETRYABLE("the trace was not decided for want of room"));
}

static void pass_on(struct tail_shard *own, struct trace *trace)
{
    struct claim *claims = trace->claims;
    uint64_t unclaimed = trace->spans - claims_items(claims);
    trace->claims = NULL;
    outbox_add(own, trace->first, trace->spans, unclaimed, claims);
}

void tail_settle(struct tail_shard *own, uint32_t number, enum trace_state state, const char *reason)
{
    struct trace *trace = table_at(&own->table, number);
    struct cache *cache = state == TRACE_SAMPLED ? &own->sampled : &own->not_sampled;
    uint8_t id[16];
    memcpy(id, trace->id, sizeof id);
    if (state == TRACE_SAMPLED)
        pass_on(own, trace);
    else
        release(own, trace, reason);
    if (cache_add(cache, id, trace_hash(id))) {
        tail_forget(own, number);
        return;
    }
    table_strip(&own->table, trace);
    table_decide(&own->table, number, state, tail_second(own));
}

static const char *reason_for(enum trace_state state)
{
    return state == TRACE_DROPPED ? "policy_drop" : "not_sampled";
}

static void decide_as(struct tail_shard *own, uint32_t number, enum trace_state state)
{
    static const enum decision decisions[] = {
        [TRACE_SAMPLED] = DECISION_SAMPLED,
        [TRACE_NOT_SAMPLED] = DECISION_NOT_SAMPLED,
        [TRACE_DROPPED] = DECISION_DROPPED,
    };
    weir_series_add(own->tail->metrics.traces[decisions[state]], 1);
    tail_settle(own, number, state, reason_for(state));
}

void tail_decide_too_large(struct tail_shard *own, uint32_t number)
{
    weir_series_add(own->tail->metrics.too_large, 1);
    tail_settle(own, number, TRACE_NOT_SAMPLED, "too_large");
}

static void decide(struct tail_shard *own, uint32_t number)
{
    const struct trace *trace = table_at(&own->table, number);
    struct evidence evidence = {
        .trace_id = trace->id,
        .bits = trace->words,
        .spans = trace->spans,
        .bytes = trace->bytes,
        .now = weir_worker_now(own->worker),
        .second = weir_wall_clock() / SECOND,
    };
    if (own->draining && own->tail->config->drop_pending_traces_on_shutdown)
        tail_lose(own, number, "shutdown");
    else if (own->tail->config->sampling_strategy == STRATEGY_SPAN_INGEST)
        decide_as(own, number, TRACE_NOT_SAMPLED);
    else
        decide_as(own, number, poll(own, &evidence, 0, own->tail->voter_count));
}

void tail_decide_part(struct tail_shard *own, uint32_t number, const struct evidence *part)
{
    const struct tail *tail = own->tail;
    struct evidence evidence = *part;
    evidence.now = weir_worker_now(own->worker);
    evidence.second = weir_wall_clock() / SECOND;
    /* Where some policy drops, no other may decide before the trace is whole. */
    size_t end = tail->dropper_count > 0 ? tail->dropper_count : tail->voter_count;
    enum trace_state state = poll(own, &evidence, 0, end);
    if (state != TRACE_NOT_SAMPLED)
        decide_as(own, number, state);
}

static void rest(struct weir_task *task)
{
    struct tail_shard *own = WEIR_CONTAINER_OF(task, struct tail_shard, turn);
    own->turn_posted = false;
    if (own->open)
        tail_decide_ripe(own);
    tail_unref(own->tail);
}

static void finish_tick(struct tail_shard *own)
{
    const struct tail_metrics *metrics = &own->tail->metrics;
    if (own->tick_began != 0)
        weir_series_observe(metrics->timer_latency, (double)((tail_clock() - own->tick_began) / 1000000));
    own->tick_began = 0;
    weir_series_add(metrics->on_memory, (double)own->table.count - own->counted);
    own->counted = own->table.count;
    tail_resume(own);
    outbox_flush(own);
    tail_drained_if_empty(own);
}

/* Asks the memory for what deciding the next ripe traces will touch, of all of them side by side: their places in the
 * index, and their chunks, each of which names the next. */
static void look_ahead(const struct tail_shard *own)
{
    const struct chunk *chunks[AHEAD];
    unsigned count = 0;
    for (uint32_t at = table_ripe(&own->table); at != NO_TRACE && count < AHEAD; count++) {
        const struct trace *trace = table_at(&own->table, at);
        table_expect(&own->table, trace_hash(trace->id));
        chunks[count] = trace->first;
        chunk_expect(trace->first);
        at = trace->behind;
    }
    for (unsigned depth = 0; depth < DEPTH; depth++)
        for (unsigned i = 0; i < count; i++)
            if (chunks[i]) {
                chunks[i] = chunks[i]->next;
                chunk_expect(chunks[i]);
            }
}

/* How many to decide now: few, for what comes meanwhile waits; but more than came since the last ones. */
static uint64_t step(const struct tail_shard *own)
{
    uint64_t came = own->stayed > 0 && own->table.count > own->stayed ? own->table.count - own->stayed : 0;
    return AT_ONCE + (2 * came + AHEAD - 1) / AHEAD * AHEAD;
}

void tail_decide_ripe(struct tail_shard *own)
{
    uint32_t number;
    if (own->turn_posted)
        return;
    uint64_t left = step(own);
    for (; left > 0 && (number = table_ripe(&own->table)) != NO_TRACE; left--) {
        if (left % AHEAD == 0)
            look_ahead(own);
        decide(own, number);
    }
    outbox_flush(own);
    own->stayed = own->table.count;
    if (table_ripe(&own->table) == NO_TRACE) {
        own->stayed = 0;
        finish_tick(own);
        return;
    }
    own->turn_posted = true;
    tail_ref(own->tail);
    own->turn.run = rest;
    weir_worker_post(own->worker, &own->turn);
}

static void ripen(struct tail_shard *own)
{
    for (uint32_t i = 0; i < own->table.wheel_size; i++)
        table_tick(&own->table);
    tail_decide_ripe(own);
}

void tail_finish(struct tail_shard *own)
{
    if (!own->tail->disk) {
        ripen(own);
        return;
    }
    disk_save(own);
    while (own->first_blocked) {
        tail_resume(own);
        disk_save(own);
    }
    outbox_flush(own);
    tail_drained_if_empty(own);
}
