// SPDX-License-Identifier: Apache-2.0
/*
 * Tests that every exporter of one request a batch passes: however a request ends, its sender is told once.
 */
#ifndef WEIR_TESTS_EXPORTER_ENDS_H
#define WEIR_TESTS_EXPORTER_ENDS_H

#include <check.h>

#include <weir/component.h>

/* Adds the tests. `options` is JSON with %u for the port of 127.0.0.1, a timeout of 5s and no compression. */
void exporter_ends_add(TCase *tests, const struct weir_component *component, const char *options);

#endif
