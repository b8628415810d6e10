// SPDX-License-Identifier: Apache-2.0
/* Components' own instruments: a cell for each worker, summed when somebody reads. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "sdk/src/flow/instance.h"
#include "sdk/src/flow/meter.h"

const double weir_bounds_items[WEIR_BOUNDS_ITEMS] = { 10,   25,   50,   75,   100,  250,  500,  750,   1000,  2000,  3000,
                                     4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000, 100000 };
const double weir_bounds_bytes[WEIR_BOUNDS_BYTES] = { 128,    256,    512,    1024,   2048,    4096,    8192,    16384,   32768,
                                     65536,  131072, 262144, 524288, 1048576, 2097152, 4194304, 8388608, 16777216 };

/* A double that one worker writes and any thread may read. */
typedef _Atomic double amount;

struct cell {
    amount value;
    tally observations;
    tally *buckets; /* bound_count + 1 */
    char padding[40]; /* to a cache line, so that workers do not share one */
};

/* A function that an instance gave for reading the series on demand. */
struct observer {
    struct observer *next;
    const struct weir_instance *instance;
    double (*read)(void *argument);
    void *argument;
};

struct weir_series {
    struct weir_series *next;
    const struct weir_instrument *instrument;
    enum weir_kind kind;
    char *id;
    struct weir_label *labels;
    size_t label_count;
    struct observer *observers; /* on reload an instance and its successor for a while */
    double left;                /* by observers of a counter that are gone */
    size_t users;               /* who may feed it */
    unsigned cell_count;
    struct cell *cells;
};

/* Series are made and freed on the main thread. Most are never freed: a reload finds its counters again. */
static struct weir_series *all_series;

static bool same_labels(const struct weir_series *series, const struct weir_label *labels, size_t count)
{
    if (series->label_count != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (strcmp(series->labels[i].name, labels[i].name) != 0 ||
            strcmp(series->labels[i].value, labels[i].value) != 0)
            return false;
    return true;
}

static struct weir_series *find_series(const struct weir_instance *instance,
                                       const struct weir_instrument *instrument,
                                       const struct weir_label *labels, size_t count)
{
    for (struct weir_series *s = all_series; s; s = s->next)
        if (s->kind == instance->component->kind && strcmp(s->id, instance->id) == 0 &&
            strcmp(s->instrument->name, instrument->name) == 0 && same_labels(s, labels, count))
            return s;
    return NULL;
}

static struct cell *make_cells(const struct weir_instrument *instrument, unsigned count)
{
    struct cell *cells = weir_xcalloc(count, sizeof *cells);
    if (instrument->kind == WEIR_HISTOGRAM)
        for (unsigned i = 0; i < count; i++)
            cells[i].buckets = weir_xcalloc(instrument->bound_count + 1, sizeof(tally));
    return cells;
}

static struct weir_series *make_series(const struct weir_instance *instance,
                                       const struct weir_instrument *instrument,
                                       const struct weir_label *labels, size_t count)
{
    struct weir_series *series = weir_xcalloc(1, sizeof *series);
    series->instrument = instrument;
    series->kind = instance->component->kind;
    series->id = weir_xstrdup(instance->id);
    series->labels = weir_xcalloc(count ? count : 1, sizeof *series->labels);
    series->label_count = count;
    for (size_t i = 0; i < count; i++)
        series->labels[i] =
            (struct weir_label){ weir_xstrdup(labels[i].name), weir_xstrdup(labels[i].value) };
    series->cell_count = weir_worker_count();
    series->cells = make_cells(instrument, series->cell_count);
    struct weir_series **at = &all_series;
    while (*at && strcmp((*at)->instrument->name, instrument->name) != 0)
        at = &(*at)->next;
    series->next = *at;
    *at = series;
    return series;
}

struct weir_series *meter_series(struct weir_instance *instance, const struct weir_instrument *row,
                                 const struct weir_label *labels, size_t count)
{
    struct weir_series *series = find_series(instance, row, labels, count);
    if (!series)
        series = make_series(instance, row, labels, count);
    series->users++;
    return series;
}

struct weir_series *weir_meter_series(struct weir_instance *instance, unsigned instrument,
                                      const struct weir_label *labels, size_t count)
{
    return meter_series(instance, &instance->component->metrics[instrument], labels, count);
}

static void free_series(struct weir_series *series)
{
    struct weir_series **at = &all_series;
    while (*at != series)
        at = &(*at)->next;
    *at = series->next;
    for (unsigned i = 0; i < series->cell_count; i++)
        free(series->cells[i].buckets);
    for (size_t i = 0; i < series->label_count; i++) {
        free((char *)(uintptr_t)series->labels[i].name);
        free((char *)(uintptr_t)series->labels[i].value);
    }
    free(series->cells);
    free(series->labels);
    free(series->id);
    free(series);
}

void weir_meter_release(struct weir_series *series)
{
    if (series && --series->users == 0)
        free_series(series);
}

bool weir_meter_has(enum weir_kind kind, const char *id, const char *name)
{
    for (struct weir_series *s = all_series; s; s = s->next)
        if (s->kind == kind && strcmp(s->id, id) == 0 && strcmp(s->instrument->name, name) == 0)
            return true;
    return false;
}

static void forget(struct weir_series *series, const struct weir_instance *instance, bool look)
{
    for (struct observer **at = &series->observers; *at;) {
        struct observer *observer = *at;
        if (observer->instance != instance) {
            at = &observer->next;
            continue;
        }
        if (look && series->instrument->kind == WEIR_COUNTER)
            series->left += observer->read(observer->argument);
        *at = observer->next;
        free(observer);
    }
}

void meter_observe(struct weir_instance *instance, const struct weir_instrument *row, const struct weir_label *labels,
                   size_t count, double (*read)(void *argument), void *argument)
{
    struct weir_series *series = meter_series(instance, row, labels, count);
    struct observer *observer = weir_xcalloc(1, sizeof *observer);
    forget(series, instance, true);
    *observer = (struct observer){ series->observers, instance, read, argument };
    series->observers = observer;
}

void weir_meter_observe(struct weir_instance *instance, unsigned instrument, const struct weir_label *labels,
                        size_t count, double (*read)(void *argument), void *argument)
{
    meter_observe(instance, &instance->component->metrics[instrument], labels, count, read, argument);
}

void weir_meter_forget(const struct weir_instance *instance)
{
    for (struct weir_series *s = all_series; s; s = s->next)
        forget(s, instance, true);
}

void meter_drop(const struct weir_instance *instance)
{
    for (struct weir_series *s = all_series; s; s = s->next)
        forget(s, instance, false);
}

static struct cell *own_cell(struct weir_series *series)
{
    struct weir_worker *worker = weir_worker_current();
    unsigned index = worker ? weir_worker_index(worker) : 0;
    return &series->cells[index < series->cell_count ? index : 0];
}

static void amount_add(amount *a, double value)
{
    atomic_store_explicit(a, atomic_load_explicit(a, memory_order_relaxed) + value, memory_order_relaxed);
}

void weir_series_add(struct weir_series *series, double value)
{
    amount_add(&own_cell(series)->value, value);
}

void weir_series_observe(struct weir_series *series, double value)
{
    const struct weir_instrument *instrument = series->instrument;
    struct cell *cell = own_cell(series);
    size_t bucket = 0;
    while (bucket < instrument->bound_count && value > instrument->bounds[bucket])
        bucket++;
    tally_add(&cell->buckets[bucket], 1);
    tally_add(&cell->observations, 1);
    amount_add(&cell->value, value);
}

static void visit_series(const struct weir_series *series,
                         void (*visit)(const struct weir_series_view *view, void *argument), void *argument)
{
    size_t bucket_count = series->instrument->bound_count + 1;
    uint64_t *buckets = weir_xcalloc(bucket_count, sizeof *buckets);
    struct weir_series_view view = {
        .instrument = series->instrument,
        .kind = series->kind,
        .id = series->id,
        .labels = series->labels,
        .label_count = series->label_count,
        .buckets = buckets,
    };
    for (unsigned i = 0; i < series->cell_count; i++) {
        struct cell *cell = &series->cells[i];
        view.value += atomic_load_explicit(&cell->value, memory_order_relaxed);
        view.observations += tally_read(&cell->observations);
        for (size_t b = 0; cell->buckets && b < bucket_count; b++)
            buckets[b] += tally_read(&cell->buckets[b]);
    }
    view.value += series->left;
    for (const struct observer *observer = series->observers; observer; observer = observer->next)
        view.value += observer->read(observer->argument);
    visit(&view, argument);
    free(buckets);
}

void weir_meter_visit(void (*visit)(const struct weir_series_view *view, void *argument), void *argument)
{
    for (struct weir_series *s = all_series; s; s = s->next)
        visit_series(s, visit, argument);
}
