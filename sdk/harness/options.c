// SPDX-License-Identifier: Apache-2.0
/* YAML text into a component's options, as the collector does it. */
#include <config.h>

#include "sdk/harness/harness.h"
#include "sdk/yaml/yaml.h"

static void decode(const struct weir_component *component, const char *yaml, struct weir_arena *arena, void **out,
                   struct weir_problems *problems)
{
    struct yaml_source source = { "test", true };
    const struct weir_node *root = NULL;
    if (yaml)
        root = yaml_read(arena, weir_str_of(yaml), source, "", problems);
    if (problems->errors > 0 || !component->options)
        return;
    *out = weir_arena_calloc(arena, 1, component->options->size);
    if (!*out)
        harness_fail("options", "out of memory");
    weir_options_decode(component->options, root, component->type, *out, arena, problems);
}

int harness_decode(const struct weir_component *component, const char *yaml, struct weir_arena *arena, void **out,
                   struct weir_error *error)
{
    struct weir_problems problems = { 0 };
    decode(component, yaml, arena, out, &problems);
    int result = problems.errors == 0 ? 0 : -1;
    if (result != 0) {
        struct weir_text all = { 0 };
        weir_problems_print(&problems, &all);
        weir_error_set(error, "%s", weir_text_string(&all));
        weir_text_free(&all);
    }
    weir_problems_free(&problems);
    return result;
}
