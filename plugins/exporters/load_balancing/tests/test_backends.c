// SPDX-License-Identifier: Apache-2.0
/* Sets of backends: what is in one that somebody still has is there, whatever has come since. */
#include <config.h>

#include <weir/sys/host.h>
#include <weir/sys/worker.h>

#include "plugins/exporters/load_balancing/backends.h"
#include "tests/unit/suite.h"

static const struct weir_component component = {
    WEIR_COMPONENT_GUARD, .kind = WEIR_EXPORTER, .type = "load_balancing", .metrics = lb_metrics
};
static const struct weir_host host = { .extension = NULL };
static struct weir_grpc_client_options options;
static struct backends backends;

static void setup(void)
{
    ck_assert_int_eq(weir_workers_create(1, WEIR_CLOCK_MANUAL, NULL), 0);
    options = (struct weir_grpc_client_options){ .tls.insecure = true };
    backends = (struct backends){ .options = &options };
    backends.instance = weir_instance_new(&component, "lb", NULL, NULL, &host, NULL);
}

static void teardown(void)
{
    backends_free(&backends);
    weir_instance_free(backends.instance);
    weir_workers_destroy();
}

static bool update(const char *a, const char *b)
{
    const char *const endpoints[] = { a, b };
    return backends_update(&backends, endpoints, b ? 2 : a ? 1 : 0);
}

static void expect(const char *expected)
{
    struct weir_text text = { .data = NULL };
    for (struct backend *backend = backends.first; backend; backend = backend->next)
        weir_text_addf(&text, "%s ", backend->options.endpoint);
    ck_assert_str_eq(weir_text_string(&text), expected);
    weir_text_free(&text);
}

START_TEST(order_and_doubles_do_not_count)
{
    ck_assert(update("b:1", "a"));
    ck_assert_uint_eq(backends.set->count, 2);
    ck_assert_str_eq(backends.set->backends[0]->endpoint, "a");
    ck_assert(!update("a", "b:1"));
    ck_assert(update("a", "a"));
    expect("a:4317 ");
    ck_assert(update(NULL, NULL));
    ck_assert_uint_eq(backends.set->count, 0);
    expect("");
}
END_TEST

START_TEST(an_endpoint_that_cannot_be_used)
{
    ck_assert(update("a", "b:99999"));
    expect("a:4317 ");
    ck_assert(!update("a", "b:99999"));
    ck_assert(!update("b:99999", "a"));
    ck_assert(update("b:99999", NULL));
    ck_assert_uint_eq(backends.set->count, 0);
}
END_TEST

/* A worker takes up a set when two others have come already. */
START_TEST(a_set_on_its_way_keeps_its_backends)
{
    ck_assert(update("a", "b"));
    struct backend_set *late = backend_set_ref(backends.set);
    ck_assert(update("a", NULL));
    ck_assert(update("c", NULL));
    expect("c:4317 b:4317 a:4317 ");
    ck_assert_str_eq(late->backends[1]->endpoint, "b");
    atomic_fetch_add(&late->backends[1]->clients, 1); /* it speaks to b */
    struct backend *b = late->backends[1];
    backend_set_unref(late);
    backends_sweep(&backends);
    expect("c:4317 b:4317 ");
    atomic_fetch_sub(&b->clients, 1);
    backends_sweep(&backends);
    expect("c:4317 ");
}
END_TEST

/* The collector stops before the set arrives. */
START_TEST(a_set_outlives_the_backends)
{
    ck_assert(update("a", "b"));
    struct backend_set *late = backend_set_ref(backends.set);
    backends_free(&backends);
    ck_assert_ptr_null(backends.first);
    backend_set_unref(late);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("load_balancing backends");
    TCase *tests = tcase_create("backends");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, order_and_doubles_do_not_count);
    tcase_add_test(tests, an_endpoint_that_cannot_be_used);
    tcase_add_test(tests, a_set_on_its_way_keeps_its_backends);
    tcase_add_test(tests, a_set_outlives_the_backends);
    return run_suite(suite);
}
