// SPDX-License-Identifier: Apache-2.0
/* What tests of plugins do with the harness. */
#ifndef WEIR_TESTS_PLUGIN_H
#define WEIR_TESTS_PLUGIN_H

#include <check.h>

#include <weir/harness.h>

/* weir_harness_new with options that must be good. */
static inline struct weir_harness *make_harness(const struct weir_component *component, const char *options,
                                                enum weir_signal signal)
{
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_harness *harness = weir_harness_new(component, options, signal, &error);
    ck_assert_msg(harness != NULL, "%s", weir_error_text(&error));
    return harness;
}

/* Options that must be refused with an error that holds `says`. */
struct bad_options {
    const char *options;
    const char *says;
};

static inline void assert_refused(const struct weir_component *component, enum weir_signal signal,
                                  const struct bad_options *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct weir_error error = WEIR_ERROR_INIT;
        ck_assert_ptr_null(weir_harness_new(component, cases[i].options, signal, &error));
        ck_assert_msg(strstr(weir_error_text(&error), cases[i].says) != NULL, "%s", weir_error_text(&error));
        weir_error_free(&error);
    }
}

#endif
