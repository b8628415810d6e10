// SPDX-License-Identifier: Apache-2.0
/* `weir components`: what is installed, as YAML. */
#include <config.h>

#include "core/cli/cli.h"

static const char *const stability_names[] = {
    [WEIR_UNSUPPORTED] = "Undefined", [WEIR_DEVELOPMENT] = "Development", [WEIR_ALPHA] = "Alpha",
    [WEIR_BETA] = "Beta",             [WEIR_STABLE] = "Stable",           [WEIR_DEPRECATED] = "Deprecated",
    [WEIR_UNMAINTAINED] = "Unmaintained",
};

struct listing {
    int kind; /* heading printed last; -1 before the first */
};

/* YAML's double-quoted style takes JSON's escapes. */
static void print_quoted(const char *key, const char *value)
{
    struct weir_text text = { 0 };
    weir_text_add_json(&text, weir_str_of(value));
    printf("    %s: \"%s\"\n", key, weir_text_string(&text));
    weir_text_free(&text);
}

static void print_stability(const struct weir_component *component)
{
    puts("    stability:");
    if (component->kind == WEIR_EXTENSION)
        printf("      extension: %s\n", stability_names[WEIR_BETA]);
    for (int from = 0; from < WEIR_SIGNALS; from++) {
        if (component->kind != WEIR_CONNECTOR && component->stability[from] != WEIR_UNSUPPORTED)
            printf("      %s: %s\n", weir_signal_name((enum weir_signal)from),
                   stability_names[component->stability[from]]);
        for (int to = 0; component->kind == WEIR_CONNECTOR && to < WEIR_SIGNALS; to++)
            if (component->converts[from][to] != WEIR_UNSUPPORTED)
                printf("      %s-to-%s: %s\n", weir_signal_name((enum weir_signal)from),
                       weir_signal_name((enum weir_signal)to), stability_names[component->converts[from][to]]);
    }
}

static void print_component(const struct registry_listing *listing, void *argument)
{
    struct listing *state = argument;
    const struct weir_component *component = listing->component;
    if (!component) {
        fprintf(stderr, "Warning: %s\n", listing->error);
        return;
    }
    if (state->kind != (int)component->kind)
        printf("%s:\n", weir_kind_name(component->kind, true));
    state->kind = (int)component->kind;
    printf("  - name: %s\n", component->type);
    if (component->aliases && component->aliases[0]) {
        printf("    aliases: [");
        for (const char *const *alias = component->aliases; *alias; alias++)
            printf("%s%s", alias == component->aliases ? "" : ", ", *alias);
        puts("]");
    }
    print_quoted("summary", component->summary);
    print_quoted("version", component->version);
    print_quoted("module", listing->path);
    print_stability(component);
}

int cli_components(struct cli *cli)
{
    struct service_options service = cli_service_options(cli);
    struct listing listing = { -1 };
    puts("buildinfo:\n    command: weir\n    description: OpenTelemetry-compatible telemetry collector\n"
         "    version: " PACKAGE_VERSION);
    registry_list(service.registry, print_component, &listing);
    puts("providers:");
    static const char *const providers[] = { "env", "file", "http", "https", "yaml" };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(providers); i++)
        printf("  - scheme: %s\n", providers[i]);
    registry_free(service.registry);
    return EXIT_STOPPED;
}
