// SPDX-License-Identifier: Apache-2.0
/*
 * A harness for tests of one component: loads the plugin, feeds it, captures what it sends, owns the clock. Link with
 * what `pkg-config --libs weir-harness` says. It needs no test framework and goes with any.
 *
 * One worker, on the calling thread, with a clock that stands still until weir_harness_advance. What the component sends
 * down is captured and, unless told otherwise, answered at once with WEIR_OK. All functions: the thread that made the
 * harness. One harness at a time in a process. What a test did wrong, and what no component may do (answer twice, lose
 * items), ends the process with a message on stderr.
 */
#ifndef WEIR_HARNESS_H
#define WEIR_HARNESS_H

#include <weir/component.h>
#include <weir/sys/host.h>

WEIR_BEGIN

struct weir_harness;

/* The component in the plugin file PATH/<kind>s/<type>.so, PATH being WEIR_PLUGIN_PATH of the environment; ends the
 * process with a message when there is none. */
WEIR_EXPORT const struct weir_component *weir_harness_load(enum weir_kind kind, const char *type);
/* The same from the file of this name (with a '/' in it, as dlopen wants it): "./.libs/sample.so". */
WEIR_EXPORT const struct weir_component *weir_harness_load_file(const char *path);

/*
 * Makes an instance with these options, written as in a configuration, in YAML and therefore also in JSON (NULL or "":
 * defaults), for a pipeline of `signal`, and starts it. NULL with what is wrong in `error`: problems of the options as the
 * collector prints them, or what create or start said.
 */
WEIR_EXPORT struct weir_harness *weir_harness_new(const struct weir_component *component, const char *options,
                                                  enum weir_signal signal, struct weir_error *error) WEIR_MUST_USE;

/* Stops and frees everything. The ledger must close and every request be answered by then, or the process ends with
 * what is not so. */
WEIR_EXPORT void weir_harness_free(struct weir_harness *harness);

/* The component's shard and instance; after weir_harness_reload those of the new one. */
WEIR_EXPORT struct weir_shard *weir_harness_shard(struct weir_harness *harness);
WEIR_EXPORT struct weir_instance *weir_harness_instance(struct weir_harness *harness);

/* Gives the component a batch (the reference is taken); returns the number of this request, from 0. */
WEIR_EXPORT size_t weir_harness_consume(struct weir_harness *harness, struct weir_batch *batch);

/* From now on, WEIR_OK to what is consumed must mean this, and the client waits for `patience` nanoseconds (0: for ever).
 * At first: WEIR_PROMISE_MEMORY and 0. */
WEIR_EXPORT void weir_harness_set_promise(struct weir_harness *harness, enum weir_promise promise, int64_t patience);

/* As weir_harness_consume, with a batch made from one OTLP/JSON request. */
WEIR_EXPORT size_t weir_harness_consume_json(struct weir_harness *harness, const char *json);

/* True once the component has answered that request; the answer stays valid as long as the harness. */
WEIR_EXPORT bool weir_harness_answered(const struct weir_harness *harness, size_t request);
WEIR_EXPORT const struct weir_result *weir_harness_answer(const struct weir_harness *harness, size_t request);

/* For components that wait for something outside: runs the loop until that request is answered, at most so many
 * milliseconds of real time. True if it was. */
WEIR_EXPORT bool weir_harness_wait(struct weir_harness *harness, size_t request, int timeout_ms);
/* One turn of the loop; waits for an event at most so many milliseconds of real time (0: does not wait). */
WEIR_EXPORT void weir_harness_turn(struct weir_harness *harness, int timeout_ms);

/* What the component has sent, in order; of any signal. */
WEIR_EXPORT size_t weir_harness_sent_count(const struct weir_harness *harness);
WEIR_EXPORT struct weir_batch *weir_harness_sent(const struct weir_harness *harness, size_t index);
/* The same as OTLP/JSON on one line, as weir_batch_to_json writes it; valid as long as the harness. */
WEIR_EXPORT const char *weir_harness_sent_json(struct weir_harness *harness, size_t index);

/* From now on, answer what is sent with this result at once (its reason must stay valid); NULL: not until
 * weir_harness_complete. */
WEIR_EXPORT void weir_harness_set_result(struct weir_harness *harness, const struct weir_result *result);
/* Answers a captured batch that waits. */
WEIR_EXPORT void weir_harness_complete(struct weir_harness *harness, size_t index, const struct weir_result *result);

/* Moves the clock on and runs what falls due. */
WEIR_EXPORT void weir_harness_advance(struct weir_harness *harness, int64_t ns);
/*
 * What a reload of the collector does: starts an instance with other options, which takes what comes from now on, lets the
 * old one retire or drain, and hands its state over. The harness then shows the new one, and the ledger of both. Requests
 * keep their numbers. 0, or -1 with `error` set and the old one as it was when the new one does not start.
 */
WEIR_EXPORT int weir_harness_reload(struct weir_harness *harness, const char *options, struct weir_error *error);

/* Calls the component's drain; true once it has reported weir_shard_drained. */
WEIR_EXPORT void weir_harness_drain(struct weir_harness *harness);
WEIR_EXPORT bool weir_harness_drained(const struct weir_harness *harness);

/* The component's ledger for the harness's signal, as it stands. */
WEIR_EXPORT void weir_harness_ledger(struct weir_harness *harness, struct weir_ledger *out);

/* By how much an instrument of the component's own has grown since the harness was made, all its series together, 0 when
 * there is none; of a histogram the number of observations. */
WEIR_EXPORT double weir_harness_series(const struct weir_harness *harness, const char *instrument);
/* The same, of the series that have this label. */
WEIR_EXPORT double weir_harness_series_with(const struct weir_harness *harness, const char *instrument,
                                            const char *label, const char *value);

/* What was logged since weir_harness_new was called last, as the collector writes it to its console, debug lines
 * included: "<time>\t<level>\t<message>\t{<fields>}\n". Valid until the next call. With WEIR_HARNESS_LOG set in the
 * environment, stderr has it, too. */
WEIR_EXPORT const char *weir_harness_log(void);

/*
 * A batch of `items` items of the signal (spans, gauge points of one metric, log records) in one scope of one resource
 * with the attribute service.name="test"; item n is named "item-<first + n>" (metrics: the point's value is first + n).
 */
WEIR_EXPORT struct weir_batch *weir_harness_batch(enum weir_signal signal, uint64_t first, size_t items) WEIR_MUST_USE;

WEIR_END

#endif
