// SPDX-License-Identifier: Apache-2.0
/*
 * Values made of followed files, on two workers.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weir/sys/host.h>
#include <weir/sys/worker.h>
#include <weir/watch.h>

#include "sdk/src/loop/loop.h"
#include "tests/unit/suite.h"

#define SECOND INT64_C(1000000000)

static char path[] = "/tmp/test_followed.XXXXXX";
static const struct weir_component component = { WEIR_COMPONENT_GUARD, .kind = WEIR_EXTENSION, .type = "x" };
static const struct weir_host host = { .extension = NULL };
static struct weir_instance *instance;
static struct weir_followed *followed;
static int alive; /* values not released; atomic */

static void put(const char *content)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(content, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void *parse(void *user, struct weir_str content, struct weir_error *error)
{
    ck_assert_ptr_eq(user, &alive);
    if (content.length == 0) {
        weir_error_set(error, "nothing in it");
        return NULL;
    }
    __atomic_add_fetch(&alive, 1, __ATOMIC_RELAXED);
    return weir_str_dup(content);
}

static void release(void *value)
{
    __atomic_sub_fetch(&alive, 1, __ATOMIC_RELAXED);
    free(value);
}

/* Asks the other worker for its value. */
struct question {
    struct weir_task task;
    char *answer; /* atomic */
};

static void look(struct weir_task *task)
{
    struct question *question = WEIR_CONTAINER_OF(task, struct question, task);
    char *answer = weir_xstrdup(weir_followed_value(followed));
    __atomic_store_n(&question->answer, answer, __ATOMIC_RELEASE);
}

static void assert_value(const char *expected)
{
    struct question question = { .task.run = look };
    ck_assert_str_eq(weir_followed_value(followed), expected);
    weir_worker_post(weir_worker_at(1), &question.task);
    for (int i = 0; i < 5000 && !__atomic_load_n(&question.answer, __ATOMIC_ACQUIRE); i++)
        usleep(1000);
    ck_assert_str_eq(question.answer, expected);
    free(question.answer);
}

static void pass(void)
{
    struct weir_worker *worker = weir_worker_current();
    for (int i = 0; i < 2; i++) {
        weir_worker_advance(worker, SECOND);
        while (worker->jobs > 0)
            weir_worker_turn(worker, 100);
    }
}

START_TEST(every_worker_gets_the_newest)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_followed_options options = { .path = path, .parse = parse, .release = release, .user = &alive };
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(weir_workers_create(2, WEIR_CLOCK_MANUAL, &error), 0);
    instance = weir_instance_new(&component, "x", NULL, NULL, &host, NULL);
    options.instance = instance;
    ck_assert_ptr_null(weir_followed_new(&options, &error));
    ck_assert_ptr_nonnull(strstr(weir_error_text(&error), ": nothing in it"));
    weir_error_free(&error);

    put("one");
    followed = weir_followed_new(&options, &error);
    ck_assert_msg(followed != NULL, "%s", weir_error_text(&error));
    weir_workers_start();
    assert_value("one");
    put("two");
    pass();
    assert_value("two");
    ck_assert_int_eq(alive, 1);
    put("");
    pass();
    assert_value("two");
    put("three");
    pass();
    assert_value("three");
    ck_assert_int_eq(alive, 1);
    weir_followed_free(followed);
    weir_instance_free(instance);
    weir_workers_destroy();
    ck_assert_int_eq(alive, 0);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("followed");
    TCase *tests = tcase_create("followed");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, every_worker_gets_the_newest);
    return run_suite(suite);
}
