// SPDX-License-Identifier: Apache-2.0
/* A plugin, and with one of the macros EVIL_... a plugin with something wrong. */
#include <config.h>

#include <stdlib.h>

#include <weir/component.h>

#if defined(EVIL_program)

int main(void)
{
    return 0;
}

#elif defined(EVIL_no_symbol)

WEIR_EXPORT const int weir_other = 1;

#elif defined(EVIL_function)

WEIR_EXPORT int weir_component(void);

WEIR_EXPORT int weir_component(void)
{
    return 1;
}

#elif defined(EVIL_tiny)

WEIR_EXPORT const char weir_component = 1;

#else

#if defined(EVIL_undefined)
int evil_nowhere(void);
#endif

static int create(struct weir_instance *instance, struct weir_error *error)
{
    (void)instance;
#if defined(EVIL_undefined)
    return evil_nowhere();
#endif
    return weir_error_set(error, "%s", getenv("EVIL_WORD")); /* of the C library, so that a version of it is needed */
}

static void consume(struct weir_shard *shard, struct weir_batch *batch, struct weir_ack *ack)
{
    (void)shard;
    weir_batch_unref(batch);
    weir_ack_ok(ack);
}

#if defined(EVIL_bad_table)
/* A key twice. */
static const struct weir_option rows[] = {
    { .key = "twice", .doc = "One." },
    { .key = "twice", .doc = "Two." },
    WEIR_OPTION_END,
};
static const struct weir_option_table table = { rows, 16, NULL };
#endif

#if defined(EVIL_alias)
static const char *const aliases[] = { "old_name", "alias", NULL };
#endif

WEIR_EXPORT const struct weir_component weir_component = {
#if defined(EVIL_abi_major)
    .struct_size = sizeof(struct weir_component), .abi_major = WEIR_ABI_MAJOR + 1, .abi_minor = 0,
#elif defined(EVIL_abi_minor)
    .struct_size = sizeof(struct weir_component), .abi_major = WEIR_ABI_MAJOR, .abi_minor = WEIR_ABI_MINOR + 1,
#elif defined(EVIL_struct_large)
    .struct_size = sizeof(struct weir_component) + 8, .abi_major = WEIR_ABI_MAJOR, .abi_minor = WEIR_ABI_MINOR,
#elif defined(EVIL_struct_beyond)
    .struct_size = UINT32_MAX, .abi_major = WEIR_ABI_MAJOR, .abi_minor = WEIR_ABI_MINOR,
#elif defined(EVIL_struct_small)
    .struct_size = 4, .abi_major = WEIR_ABI_MAJOR, .abi_minor = WEIR_ABI_MINOR,
#elif defined(EVIL_short)
    .struct_size = offsetof(struct weir_component, admit), .abi_major = WEIR_ABI_MAJOR, .abi_minor = WEIR_ABI_MINOR,
#else
    WEIR_COMPONENT_GUARD,
#endif
#if defined(EVIL_wrong_kind)
    .kind = WEIR_PROCESSOR,
#elif defined(EVIL_no_kind)
    .kind = (enum weir_kind)77,
#else
    .kind = WEIR_EXPORTER,
#endif
#if defined(EVIL_other_type)
    .type = "something_else",
#elif defined(EVIL_alias)
    .type = "new_name",
    .aliases = aliases,
#elif defined(EVIL_good)
    .type = "good",
#elif defined(EVIL_short)
    .type = "short",
#else
    .type = "x",
#endif
#if !defined(EVIL_no_version)
    .version = "1",
#endif
    .summary = "A plugin of the tests.",
    .stability = { [WEIR_TRACES] = WEIR_BETA },
#if defined(EVIL_bad_table)
    .options = &table,
#endif
#if !defined(EVIL_no_create)
    .create = create,
#endif
#if !defined(EVIL_no_consume)
    .consume = consume,
#endif
#if defined(EVIL_short)
    .ready = (void (*)(struct weir_instance *, bool))(void *)create, /* behind the size it gives */
#endif
};

#endif
