// SPDX-License-Identifier: Apache-2.0
/*
 * Expressions of RE2's syntax on PCRE2.
 *
 * What differs is set here: `$` means the end of the text alone, classes are ASCII, text may be any bytes. What PCRE2 has
 * beyond RE2 (back references, look-around) works, within the limits.
 */
#include <config.h>

#include <pthread.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <weir/regex.h>

#define MATCH_LIMIT 10000000
#define DEPTH_LIMIT 10000 /* of the interpreter; the compiled form has a stack of its own */
#define STACK_START ((size_t)32 * 1024)
#define STACK_MAX ((size_t)1024 * 1024)

struct weir_regex {
    pcre2_code *code;
    uint32_t group_count;
    char **names; /* of the groups */
};

/* What one thread needs to match: made once, for the largest number of groups asked for so far. */
struct scratch {
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    pcre2_match_data *data;
    uint32_t pairs;
};

static pthread_key_t scratch_key;

static void free_scratch(void *pointer)
{
    struct scratch *scratch = pointer;
    pcre2_match_data_free(scratch->data);
    pcre2_jit_stack_free(scratch->stack);
    pcre2_match_context_free(scratch->context);
    free(scratch);
}

static void make_key(void)
{
    pthread_key_create(&scratch_key, free_scratch);
}

/* NULL when memory is out. */
static struct scratch *scratch_for(uint32_t pairs)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    struct scratch *scratch = pthread_getspecific(scratch_key);
    if (!scratch) {
        scratch = weir_xcalloc(1, sizeof *scratch);
        scratch->context = pcre2_match_context_create(NULL);
        scratch->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
        pthread_setspecific(scratch_key, scratch);
        if (scratch->context) {
            pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
            pcre2_set_match_limit(scratch->context, MATCH_LIMIT);
            pcre2_set_depth_limit(scratch->context, DEPTH_LIMIT);
        }
    }
    if (scratch->pairs < pairs) {
        pcre2_match_data_free(scratch->data);
        scratch->data = pcre2_match_data_create(pairs, NULL);
        scratch->pairs = scratch->data ? pairs : 0;
    }
    return scratch->data && scratch->context ? scratch : NULL;
}

static void take_names(struct weir_regex *regex)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;
    regex->names = weir_xcalloc(regex->group_count + 1, sizeof *regex->names);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(regex->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++, table += size) {
        /* pcre2api(3): each entry is the group's number in two bytes, then its name */
        uint32_t group = (uint32_t)table[0] << 8 | table[1];
        free(regex->names[group - 1]);
        regex->names[group - 1] = weir_xstrdup((const char *)table + 2);
    }
}

struct weir_regex *weir_regex_new(struct weir_str pattern, struct weir_error *error)
{
    int code = 0;
    PCRE2_SIZE place = 0;
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
                       PCRE2_DUPNAMES;
    PCRE2_SPTR text = (PCRE2_SPTR)(pattern.data ? pattern.data : "");
    pcre2_code *compiled = pcre2_compile(text, pattern.length, options, &code, &place, NULL);
    if (!compiled) {
        unsigned char message[256];
        pcre2_get_error_message(code, message, sizeof message);
        weir_error_set(error, "error parsing regexp: %s at offset %zu: `%.*s`", (const char *)message, (size_t)place,
                       WEIR_STR_ARG(pattern));
        return NULL;
    }
    pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE); /* where that is not to be had, the interpreter matches */
    struct weir_regex *regex = weir_xcalloc(1, sizeof *regex);
    regex->code = compiled;
    pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &regex->group_count);
    take_names(regex);
    return regex;
}

void weir_regex_free(struct weir_regex *regex)
{
    if (!regex)
        return;
    for (uint32_t i = 0; i < regex->group_count; i++)
        free(regex->names[i]);
    free(regex->names);
    pcre2_code_free(regex->code);
    free(regex);
}

size_t weir_regex_group_count(const struct weir_regex *regex)
{
    return regex->group_count;
}

const char *weir_regex_group_name(const struct weir_regex *regex, size_t group)
{
    return regex->names[group] ? regex->names[group] : "";
}

/* The pairs of offsets of the match; NULL: none. They belong to the thread until its next match. */
static const PCRE2_SIZE *match(const struct weir_regex *regex, struct weir_str text, uint32_t pairs)
{
    struct scratch *scratch = scratch_for(pairs);
    if (!scratch)
        return NULL;
    PCRE2_SPTR data = (PCRE2_SPTR)(text.data ? text.data : "");
    int found = pcre2_match(regex->code, data, text.length, 0, 0, scratch->data, scratch->context);
    return found >= 0 ? pcre2_get_ovector_pointer(scratch->data) : NULL;
}

bool weir_regex_matches(const struct weir_regex *regex, struct weir_str text)
{
    return match(regex, text, 1) != NULL;
}

bool weir_regex_search(const struct weir_regex *regex, struct weir_str text, struct weir_str *groups)
{
    const PCRE2_SIZE *offsets = match(regex, text, regex->group_count + 1);
    if (!offsets)
        return false;
    for (uint32_t i = 0; i < regex->group_count; i++) {
        const PCRE2_SIZE *pair = &offsets[2 * (i + 1)];
        groups[i] = pair[0] == PCRE2_UNSET ? WEIR_STR_NONE
                                           : (struct weir_str){ text.data + pair[0], pair[1] - pair[0] };
    }
    return true;
}
