// SPDX-License-Identifier: Apache-2.0
/*
 * Writes documents, value by value, as YAML or JSON.
 */
#include <config.h>

#include <math.h>
#include <stdio.h>

#include <weir/describe.h>

static bool in_list(const struct weir_dump *dump)
{
    unsigned level = dump->depth;
    return level > 0 && level <= WEIR_DUMP_DEPTH && (dump->lists[(level - 1) / 64] >> ((level - 1) % 64) & 1);
}

static void new_line(struct weir_dump *dump, unsigned level)
{
    weir_text_addc(dump->text, '\n');
    for (unsigned i = 0; i < level; i++)
        weir_text_adds(dump->text, "  ");
}

/* Begins a new entry of the innermost list or map. */
static void begin_entry(struct weir_dump *dump)
{
    if (dump->json) {
        if (!dump->empty)
            weir_text_addc(dump->text, ',');
        new_line(dump, dump->depth);
    } else if (!dump->dashed && (dump->depth > 1 || !dump->empty)) {
        new_line(dump, dump->depth - 1);
    }
    dump->empty = false;
    dump->dashed = false;
}

/* Puts what must stand before a value. */
static void begin_value(struct weir_dump *dump)
{
    if (dump->keyed) {
        weir_text_addc(dump->text, ' ');
        dump->keyed = false;
    } else if (in_list(dump)) {
        begin_entry(dump);
        if (!dump->json)
            weir_text_adds(dump->text, "- ");
    }
}

static void end_value(struct weir_dump *dump)
{
    if (dump->depth == 0)
        weir_text_addc(dump->text, '\n');
}

static void begin(struct weir_dump *dump, bool list)
{
    bool keyed = dump->keyed;
    if (dump->json || !keyed)
        begin_value(dump);
    if (dump->json)
        weir_text_addc(dump->text, list ? '[' : '{');
    dump->dashed = !dump->json && !keyed && in_list(dump);
    dump->keyed = false;
    dump->empty = true;
    unsigned level = dump->depth++;
    if (level >= WEIR_DUMP_DEPTH)
        return;
    uint64_t bit = (uint64_t)1 << (level % 64);
    dump->lists[level / 64] = list ? dump->lists[level / 64] | bit : dump->lists[level / 64] & ~bit;
}

void weir_dump_begin_map(struct weir_dump *dump)
{
    begin(dump, false);
}

void weir_dump_begin_list(struct weir_dump *dump)
{
    begin(dump, true);
}

void weir_dump_end(struct weir_dump *dump)
{
    bool list = in_list(dump);
    dump->depth--;
    if (dump->json) {
        if (!dump->empty)
            new_line(dump, dump->depth);
        weir_text_addc(dump->text, list ? ']' : '}');
    } else if (dump->empty) {
        weir_text_adds(dump->text, dump->dashed || dump->depth == 0 ? "" : " ");
        weir_text_adds(dump->text, list ? "[]" : "{}");
    }
    dump->empty = false;
    dump->dashed = false;
    end_value(dump);
}

/* Words and characters that YAML takes for something else than text make quotes necessary. */
static bool is_plain(struct weir_str text)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };
    static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+";
    if (text.length == 0 || text.data[text.length - 1] == ':')
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] == '\0' || !strchr(inside, text.data[i]))
            return false;
    }
    bool letter = (text.data[0] | 0x20) >= 'a' && (text.data[0] | 0x20) <= 'z';
    if (!letter && text.data[0] != '_' && text.data[0] != '/')
        return false;
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(words); i++) {
        if (weir_str_equal_nocase(text, weir_str_of(words[i])))
            return false;
    }
    return true;
}

static void add_string(struct weir_dump *dump, struct weir_str text)
{
    if (!dump->json && is_plain(text)) {
        weir_text_add(dump->text, text.data, text.length);
        return;
    }
    weir_text_addc(dump->text, '"');
    weir_text_add_json(dump->text, text);
    weir_text_addc(dump->text, '"');
}

void weir_dump_key(struct weir_dump *dump, struct weir_str key)
{
    begin_entry(dump);
    add_string(dump, key);
    weir_text_addc(dump->text, ':');
    dump->keyed = true;
}

static void add_word(struct weir_dump *dump, const char *word)
{
    begin_value(dump);
    weir_text_adds(dump->text, word);
    end_value(dump);
}

void weir_dump_null(struct weir_dump *dump)
{
    add_word(dump, "null");
}

void weir_dump_bool(struct weir_dump *dump, bool value)
{
    add_word(dump, value ? "true" : "false");
}

void weir_dump_int(struct weir_dump *dump, int64_t value)
{
    char word[32];
    snprintf(word, sizeof(word), "%lld", (long long)value);
    add_word(dump, word);
}

void weir_dump_double(struct weir_dump *dump, double value)
{
    char word[40];
    double back = 0;
    if (isnan(value) || isinf(value)) {
        add_word(dump, dump->json ? "null" : isnan(value) ? ".nan" : value < 0 ? "-.inf" : ".inf");
        return;
    }
    /* The shortest form that reads back as the same number. */
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(word, sizeof(word), "%.*g", digits, value);
        if (weir_str_to_double(weir_str_of(word), &back) && !(back < value) && !(back > value))
            break;
    }
    add_word(dump, word);
}

void weir_dump_string(struct weir_dump *dump, struct weir_str value)
{
    begin_value(dump);
    add_string(dump, value);
    end_value(dump);
}

void weir_dump_secret(struct weir_dump *dump, struct weir_str value)
{
    weir_dump_string(dump, dump->reveal || value.length == 0 ? value : WEIR_STR("[REDACTED]"));
}

void weir_dump_duration(struct weir_dump *dump, struct weir_duration value)
{
    if (dump->json) {
        weir_dump_int(dump, value.ns);
        return;
    }
    struct weir_text text = { 0 };
    weir_duration_print(value, &text);
    add_word(dump, weir_text_string(&text));
    weir_text_free(&text);
}

static void dump_scalar(struct weir_dump *dump, const struct weir_node *node)
{
    switch (node->type) {
    case WEIR_NODE_BOOL:
        weir_dump_bool(dump, node->boolean);
        break;
    case WEIR_NODE_INT:
        weir_dump_int(dump, node->integer);
        break;
    case WEIR_NODE_DOUBLE:
        weir_dump_double(dump, node->number);
        break;
    case WEIR_NODE_STRING:
        weir_dump_string(dump, node->text);
        break;
    case WEIR_NODE_TIMESTAMP:
        weir_dump_string(dump, node->raw);
        break;
    default:
        weir_dump_null(dump);
    }
}

void weir_dump_node(struct weir_dump *dump, const struct weir_node *node)
{
    bool map = node && node->type == WEIR_NODE_MAP;
    if (!node || dump->depth >= WEIR_DUMP_DEPTH) {
        weir_dump_null(dump);
        return;
    }
    if (!map && node->type != WEIR_NODE_LIST) {
        dump_scalar(dump, node);
        return;
    }
    begin(dump, !map);
    for (const struct weir_node *child = node->first; child; child = child->next) {
        if (map)
            weir_dump_key(dump, child->key);
        weir_dump_node(dump, child);
    }
    weir_dump_end(dump);
}
