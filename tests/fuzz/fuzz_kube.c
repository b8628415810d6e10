// SPDX-License-Identifier: Apache-2.0
/* Fuzz target: what the Kubernetes API server says, as a page of a list and as a line of a watch. What is told of it are parts
 * of the input that are whole JSON values. */
#include <config.h>

#include <stdlib.h>

#include <weir/json.h>

#include "sdk/src/kube/kube.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *user, const struct weir_kube_object *object)
{
    const struct weir_str *input = user;
    struct weir_arena arena = { .blocks = NULL };
    struct weir_json json;
    if (object->json.data < input->data || object->json.data + object->json.length > input->data + input->length)
        abort();
    weir_json_start(&json, object->json.data, object->json.length, &arena, WEIR_JSON_DEPTH);
    weir_json_skip(&json);
    if (!weir_json_finish(&json))
        abort();
    weir_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena arena = { .blocks = NULL };
    struct weir_error error = WEIR_ERROR_INIT;
    struct weir_str input = weir_str_make((const char *)data, size);
    struct kube_page page;
    struct kube_event event;
    if (kube_read_page(input, &arena, &page, check, &input, &error) == 0 && page.version.length == 0)
        abort();
    if (kube_read_event(input, &arena, &event, &error) == 0 && event.change != KUBE_ERROR) {
        if (event.version.length == 0)
            abort();
        check(&input, &event.object);
    }
    (void)kube_read_message(input, &arena);
    weir_error_free(&error);
    weir_arena_free(&arena);
    return 0;
}
