// SPDX-License-Identifier: Apache-2.0
/* The ring is upstream's (contrib-processors 9). */
#include <config.h>

#include "plugins/exporters/load_balancing/ring.h"
#include "tests/unit/suite.h"

static char e1[] = "endpoint-1", e2[] = "endpoint-2", e3[] = "endpoint-3", e4[] = "endpoint-4";
static char *const endpoints[] = { e1, e2, e3, e4 };

static const struct {
    const char *trace_id;
    uint32_t position;
    size_t endpoint;
} ids[] = {
    { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", 12931, 0 },
    { "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10", 20689, 1 },
    { "\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36", 4869, 2 },
};

START_TEST(upstreams_examples)
{
    struct ring ring;
    struct weir_str id = { ids[_i].trace_id, 16 };
    ring_build(&ring, endpoints, 3);
    ck_assert_uint_eq(ring_position(id), ids[_i].position);
    ck_assert_uint_eq(ring_find(&ring, ring_position(id)), ids[_i].endpoint);
    ring_free(&ring);
}
END_TEST

START_TEST(upstreams_points)
{
    static const uint16_t first_five[] = { 14724, 35777, 24239, 8650, 10707 };
    struct ring ring;
    ring_build(&ring, endpoints, 1);
    ck_assert_uint_ge(ring.point_count, 95);
    ck_assert_uint_le(ring.point_count, 100);
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(first_five); i++) {
        bool there = false;
        for (size_t j = 0; j < ring.point_count; j++)
            there = there || ring.points[j].position == first_five[i];
        ck_assert_msg(there, "no point at %u", first_five[i]);
    }
    ring_free(&ring);
}
END_TEST

START_TEST(points_are_in_order_and_unique)
{
    struct ring ring;
    ring_build(&ring, endpoints, 4);
    for (size_t i = 1; i < ring.point_count; i++)
        ck_assert_uint_lt(ring.points[i - 1].position, ring.points[i].position);
    ring_free(&ring);
}
END_TEST

START_TEST(the_end_wraps_to_the_first)
{
    struct ring ring;
    ring_build(&ring, endpoints, 3);
    ck_assert_uint_eq(ring_find(&ring, RING_POSITIONS - 1),
                      ring.points[ring.point_count - 1].position == RING_POSITIONS - 1
                          ? ring.points[ring.point_count - 1].endpoint
                          : ring.points[0].endpoint);
    ck_assert_uint_eq(ring_find(&ring, 0), ring.points[0].endpoint);
    ck_assert_uint_eq(ring_find(&ring, ring.points[7].position), ring.points[7].endpoint);
    ck_assert_uint_eq(ring_find(&ring, ring.points[7].position + 1u), ring.points[8].endpoint);
    ring_free(&ring);
}
END_TEST

/* What a new backend gets it takes from the others; nothing moves between those that stay. */
START_TEST(few_move_when_one_comes)
{
    struct ring three, four;
    unsigned moved = 0;
    ring_build(&three, endpoints, 3);
    ring_build(&four, endpoints, 4);
    for (uint32_t position = 0; position < RING_POSITIONS; position++) {
        size_t before = ring_find(&three, position), after = ring_find(&four, position);
        if (after == before)
            continue;
        ck_assert_uint_eq(after, 3);
        moved++;
    }
    ck_assert_uint_gt(moved, RING_POSITIONS / 8);
    ck_assert_uint_lt(moved, RING_POSITIONS / 2);
    ring_free(&three);
    ring_free(&four);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *tests = tcase_create("ring");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, upstreams_examples, 0, (int)WEIR_ARRAY_LENGTH(ids));
    tcase_add_test(tests, upstreams_points);
    tcase_add_test(tests, points_are_in_order_and_unique);
    tcase_add_test(tests, the_end_wraps_to_the_first);
    tcase_add_test(tests, few_move_when_one_comes);
    return run_suite(suite);
}
