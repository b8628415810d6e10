// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies byte for byte: what protobuf-c reads from them is what the series say, and it writes the same bytes. Random series, of
 * which much is empty, zero, or just where a length or number takes one byte more.
 */
#include <config.h>

#include <math.h>

#include "plugins/exporters/prometheusremotewrite/request.h"
#include "prompb.pb-c.h"
#include "tests/unit/suite.h"

/* --- random series --- */

static uint64_t state;

static uint64_t any(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t below(size_t bound)
{
    return (size_t)(any() % bound);
}

static struct weir_str random_text(struct weir_arena *arena)
{
    static const size_t lengths[] = { 0, 0, 1, 1, 2, 5, 8, 20, 63, 120, 127, 128, 300, 16383, 16384 };
    size_t length = lengths[below(below(20) ? 13 : WEIR_ARRAY_LENGTH(lengths))];
    char *text = weir_arena_alloc(arena, length + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, (int)('a' + below(3)), length);
    return weir_str_make(text, length);
}

static int64_t random_number(void)
{
    switch (below(4)) {
    case 0:
        return 0;
    case 1:
        return (int64_t)(UINT64_C(1) << below(64));
    case 2:
        return (int64_t)((UINT64_C(1) << below(64)) - 1);
    default:
        return -(int64_t)(any() >> 1 >> below(63));
    }
}

static double random_real(void)
{
    const double values[] = { 0, -0.0, 1, -1.5, 1e300, HUGE_VAL, weir_prometheus_stale() };
    return values[below(WEIR_ARRAY_LENGTH(values))];
}

static struct weir_prometheus_label *random_labels(struct weir_arena *arena, size_t count)
{
    struct weir_prometheus_label *labels = weir_arena_calloc(arena, count + 1, sizeof(*labels));
    ck_assert_ptr_nonnull(labels);
    for (size_t i = 0; i < count; i++) {
        labels[i].name = random_text(arena);
        labels[i].value = random_text(arena);
    }
    return labels;
}

static struct weir_prometheus_runs random_runs(struct weir_arena *arena)
{
    struct weir_prometheus_runs runs = { .span_count = below(3), .delta_count = below(4) };
    runs.spans = weir_arena_calloc(arena, 4, sizeof(*runs.spans));
    runs.deltas = weir_arena_calloc(arena, 4, sizeof(*runs.deltas));
    ck_assert(runs.spans && runs.deltas);
    for (size_t i = 0; i < runs.span_count; i++)
        runs.spans[i] = (struct weir_prometheus_span){ (int32_t)random_number(), (uint32_t)random_number() };
    for (size_t i = 0; i < runs.delta_count; i++)
        runs.deltas[i] = random_number();
    return runs;
}

static const struct weir_prometheus_native *random_native(struct weir_arena *arena)
{
    struct weir_prometheus_native *native = weir_arena_calloc(arena, 1, sizeof(*native));
    ck_assert_ptr_nonnull(native);
    native->schema = (int32_t)below(13) - 4;
    native->zero_threshold = random_real();
    native->zero_count = (uint64_t)random_number();
    native->count = (uint64_t)random_number();
    native->sum = random_real();
    native->positive = random_runs(arena);
    native->negative = random_runs(arena);
    return native;
}

static void fill(struct series_set *set, struct series *series)
{
    struct weir_arena *arena = &set->arena;
    for (size_t i = below(4); i > 0; i--) {
        struct sample sample = { random_real(), random_number(), random_number(), below(4) ? NULL : random_native(arena) };
        ck_assert(series_add_sample(set, series, &sample));
    }
    for (size_t i = below(3); i > 0; i--) {
        size_t count = below(3);
        struct exemplar exemplar = { random_labels(arena, count), count, random_real(), random_number() };
        ck_assert(series_add_exemplar(set, series, &exemplar));
    }
    series->items = 1;
}

static struct family *random_family(struct series_set *set)
{
    struct family *family = weir_arena_calloc(&set->arena, 1, sizeof(*family));
    ck_assert_ptr_nonnull(family);
    *family = (struct family){ .name = random_text(&set->arena), .help = random_text(&set->arena),
                               .unit = random_text(&set->arena), .type = (enum weir_prometheus_type)below(6) };
    *(set->last_family ? &set->last_family->next : &set->families) = family;
    set->last_family = family;
    return family;
}

static void make_set(struct series_set *set)
{
    for (size_t i = below(12); i > 0; i--) {
        struct family *family = below(4) ? random_family(set) : NULL;
        size_t count = below(6);
        struct weir_prometheus_label *labels = random_labels(&set->arena, count);
        struct series *series = series_find(set, labels, count, series_hash(labels, count), family);
        ck_assert_ptr_nonnull(series);
        if (series->items == 0)
            fill(set, series);
    }
}

/* --- comparing --- */

static void same_text(ProtobufCBinaryData got, struct weir_str text)
{
    ck_assert(weir_str_equal(weir_str_make((const char *)got.data, got.len), text));
}

static void same_real(double got, double real)
{
    ck_assert(memcmp(&got, &real, sizeof(real)) == 0 || (got == 0 && real == 0));
}

static void same_labels(Prompb__Label **got, size_t got_count, const struct weir_prometheus_label *labels, size_t count)
{
    ck_assert_uint_eq(got_count, count);
    for (size_t i = 0; i < count; i++) {
        same_text(got[i]->name, labels[i].name);
        same_text(got[i]->value, labels[i].value);
    }
}

static void same_runs(Prompb__BucketSpan **spans, size_t span_count, const int64_t *deltas, size_t delta_count,
                      const struct weir_prometheus_runs *runs)
{
    ck_assert_uint_eq(span_count, runs->span_count);
    ck_assert_uint_eq(delta_count, runs->delta_count);
    for (size_t i = 0; i < span_count; i++) {
        ck_assert_int_eq(spans[i]->offset, runs->spans[i].offset);
        ck_assert_uint_eq(spans[i]->length, runs->spans[i].length);
    }
    for (size_t i = 0; i < delta_count; i++)
        ck_assert_int_eq(deltas[i], runs->deltas[i]);
}

static void same_histogram(const Prompb__Histogram *got, const struct sample *sample, bool start)
{
    const struct weir_prometheus_native *native = sample->native;
    ck_assert_int_eq(got->count_case, PROMPB__HISTOGRAM__COUNT_COUNT_INT);
    ck_assert_uint_eq(got->count_int, native->count);
    same_real(got->sum, native->sum);
    ck_assert_int_eq(got->schema, native->schema);
    same_real(got->zero_threshold, native->zero_threshold);
    ck_assert_int_eq(got->zero_count_case, PROMPB__HISTOGRAM__ZERO_COUNT_ZERO_COUNT_INT);
    ck_assert_uint_eq(got->zero_count_int, native->zero_count);
    same_runs(got->positive_spans, got->n_positive_spans, got->positive_deltas, got->n_positive_deltas, &native->positive);
    same_runs(got->negative_spans, got->n_negative_spans, got->negative_deltas, got->n_negative_deltas, &native->negative);
    ck_assert_int_eq(got->timestamp, sample->timestamp);
    ck_assert_int_eq(got->start_timestamp, start ? sample->start : 0);
}

static void same_histograms(Prompb__Histogram **got, size_t count, const struct series *series, bool start)
{
    size_t at = 0;
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native) {
            ck_assert_uint_lt(at, count);
            same_histogram(got[at++], &series->samples[i], start);
        }
    }
    ck_assert_uint_eq(at, count);
}

static void same_series_v1(const Prompb__TimeSeries *got, const struct series *series)
{
    size_t at = 0;
    same_labels(got->labels, got->n_labels, series->labels, series->label_count);
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native)
            continue;
        ck_assert_uint_lt(at, got->n_samples);
        same_real(got->samples[at]->value, series->samples[i].value);
        ck_assert_int_eq(got->samples[at++]->timestamp, series->samples[i].timestamp);
    }
    ck_assert_uint_eq(at, got->n_samples);
    ck_assert_uint_eq(got->n_exemplars, series->exemplar_count);
    for (size_t i = 0; i < got->n_exemplars; i++) {
        const struct exemplar *exemplar = &series->exemplars[i];
        same_labels(got->exemplars[i]->labels, got->exemplars[i]->n_labels, exemplar->labels, exemplar->label_count);
        same_real(got->exemplars[i]->value, exemplar->value);
        ck_assert_int_eq(got->exemplars[i]->timestamp, exemplar->timestamp);
    }
    same_histograms(got->histograms, got->n_histograms, series, false);
}

static void same_symbol(const Prompb__RequestV2 *request, uint32_t ref, struct weir_str text)
{
    ck_assert_uint_lt(ref, request->n_symbols);
    same_text(request->symbols[ref], text);
}

static void same_refs(const Prompb__RequestV2 *request, const uint32_t *refs, size_t ref_count,
                      const struct weir_prometheus_label *labels, size_t count)
{
    ck_assert_uint_eq(ref_count, 2 * count);
    for (size_t i = 0; i < count; i++) {
        same_symbol(request, refs[2 * i], labels[i].name);
        same_symbol(request, refs[2 * i + 1], labels[i].value);
    }
}

static void same_series_v2(const Prompb__RequestV2 *request, const Prompb__TimeSeriesV2 *got, const struct series *series)
{
    size_t at = 0;
    same_refs(request, got->labels_refs, got->n_labels_refs, series->labels, series->label_count);
    for (size_t i = 0; i < series->sample_count; i++) {
        if (series->samples[i].native)
            continue;
        ck_assert_uint_lt(at, got->n_samples);
        same_real(got->samples[at]->value, series->samples[i].value);
        ck_assert_int_eq(got->samples[at]->start_timestamp, series->samples[i].start);
        ck_assert_int_eq(got->samples[at++]->timestamp, series->samples[i].timestamp);
    }
    ck_assert_uint_eq(at, got->n_samples);
    ck_assert_uint_eq(got->n_exemplars, series->exemplar_count);
    for (size_t i = 0; i < got->n_exemplars; i++) {
        const struct exemplar *exemplar = &series->exemplars[i];
        same_refs(request, got->exemplars[i]->labels_refs, got->exemplars[i]->n_labels_refs, exemplar->labels,
                  exemplar->label_count);
        same_real(got->exemplars[i]->value, exemplar->value);
        ck_assert_int_eq(got->exemplars[i]->timestamp, exemplar->timestamp);
    }
    same_histograms(got->histograms, got->n_histograms, series, true);
    ck_assert_ptr_nonnull(got->metadata);
    ck_assert_uint_eq(got->metadata->type, series->family ? series->family->type : WEIR_PROMETHEUS_GAUGE);
    same_symbol(request, got->metadata->help_ref, series->family ? series->family->help : WEIR_STR("Target metadata"));
    same_symbol(request, got->metadata->unit_ref, series->family ? series->family->unit : WEIR_STR(""));
}

/* protobuf-c writes the message as it was written, of which it has understood everything. */
static void same_bytes(const ProtobufCMessage *message, const struct weir_buffer *body)
{
    uint8_t *packed = weir_xmalloc(body->length + 1);
    ck_assert_uint_eq(message->n_unknown_fields, 0);
    ck_assert_uint_eq(protobuf_c_message_get_packed_size(message), body->length);
    ck_assert_uint_eq(protobuf_c_message_pack(message, packed), body->length);
    ck_assert_mem_eq(packed, body->data, body->length);
    free(packed);
}

/* Compares a body with the series from *series on, and moves that behind them. */
static void compare_v1(const struct weir_buffer *body, const struct series **series)
{
    Prompb__WriteRequest *request = prompb__write_request__unpack(NULL, body->length, body->data);
    ck_assert_ptr_nonnull(request);
    for (size_t i = 0; i < request->n_timeseries; i++, *series = (*series)->next) {
        ck_assert_ptr_nonnull(*series);
        same_series_v1(request->timeseries[i], *series);
    }
    same_bytes(&request->base, body);
    prompb__write_request__free_unpacked(request, NULL);
}

static void compare_v2(const struct weir_buffer *body, const struct series **series)
{
    Prompb__RequestV2 *request = prompb__request_v2__unpack(NULL, body->length, body->data);
    ck_assert_ptr_nonnull(request);
    same_symbol(request, 0, WEIR_STR(""));
    for (size_t i = 0; i < request->n_timeseries; i++, *series = (*series)->next) {
        ck_assert_ptr_nonnull(*series);
        same_series_v2(request, request->timeseries[i], *series);
    }
    same_bytes(&request->base, body);
    prompb__request_v2__free_unpacked(request, NULL);
}

static void compare_metadata(const struct weir_buffer *body, const struct family **family)
{
    Prompb__WriteRequest *request = prompb__write_request__unpack(NULL, body->length, body->data);
    ck_assert_ptr_nonnull(request);
    ck_assert_uint_eq(request->n_timeseries, 0);
    for (size_t i = 0; i < request->n_metadata; i++, *family = (*family)->next) {
        ck_assert_ptr_nonnull(*family);
        ck_assert_uint_eq(request->metadata[i]->type, (*family)->type);
        same_text(request->metadata[i]->metric_family_name, (*family)->name);
        same_text(request->metadata[i]->help, (*family)->help);
        same_text(request->metadata[i]->unit, (*family)->unit);
    }
    same_bytes(&request->base, body);
    prompb__write_request__free_unpacked(request, NULL);
}

static void compare_all(enum prw_message version)
{
    struct series_set set = { 0 };
    struct prw_request *requests = NULL;
    size_t most = below(2) ? 1000 : 1000000;
    make_set(&set);
    ck_assert(prw_requests_make(version, &set, most, true, &requests));
    const struct series *series = set.first;
    const struct family *family = set.families;
    for (const struct prw_request *request = requests; request; request = request->next) {
        if (!series)
            compare_metadata(request->body, &family);
        else
            (version == PRW_V2 ? compare_v2 : compare_v1)(request->body, &series);
    }
    ck_assert_ptr_null(series);
    ck_assert(version == PRW_V2 || !family);
    prw_requests_free(requests);
    series_free(&set);
}

START_TEST(version_1_is_as_protobuf_c_writes_it)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        compare_all(PRW_V1);
    }
}
END_TEST

START_TEST(version_2_is_as_protobuf_c_writes_it)
{
    for (uint64_t seed = 1; seed <= 400; seed++) {
        state = seed * UINT64_C(0x9e3779b97f4a7c15);
        compare_all(PRW_V2);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prometheusremotewrite wire");
    TCase *tests = tcase_create("wire");
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, version_1_is_as_protobuf_c_writes_it);
    tcase_add_test(tests, version_2_is_as_protobuf_c_writes_it);
    return run_suite(suite);
}
