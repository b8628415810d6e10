// SPDX-License-Identifier: Apache-2.0
#include <config.h>

#include "plugins/exporters/loki/labels.h"


static bool make_room(struct loki_labels *labels)
{
    if (labels->count < labels->capacity)
        return true;
    size_t capacity = labels->capacity ? labels->capacity * 2 : 8;
    if (capacity > LOKI_LABELS_MAX) {
        labels->problem = "more than 128 labels";
        return false;
    }
    struct loki_label *items = weir_arena_calloc(labels->arena, capacity, sizeof(*items));
    if (!items) {
        labels->problem = "out of memory";
        return false;
    }
    if (labels->count)
        memcpy(items, labels->items, labels->count * sizeof(*items));
    labels->items = items;
    labels->capacity = capacity;
    return true;
}

static struct loki_label *find(const struct loki_labels *labels, struct weir_str key)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (weir_str_equal(labels->items[i].key, key))
            return &labels->items[i];
    }
    return NULL;
}

bool loki_labels_has(const struct loki_labels *labels, struct weir_str key)
{
    return find(labels, key) != NULL;
}

void loki_labels_add(struct loki_labels *labels, struct weir_str key, struct weir_str value)
{
    struct loki_label *label = find(labels, key);
    if (labels->problem || (!label && !make_room(labels)))
        return;
    if (label) {
        // Behind the others, as the last word.
        size_t behind = (size_t)(labels->items + labels->count - label) - 1;
        memmove(label, label + 1, behind * sizeof(*label));
        labels->count--;
    }
    labels->items[labels->count++] = (struct loki_label){ .key = key, .value = value };
}

/* --- names --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct weir_str loki_label_name(struct weir_arena *arena, struct weir_str key)
{
    static const char prefix[] = "key_";
    char *name = weir_arena_alloc(arena, key.length + sizeof(prefix));
    size_t length = 0;
    if (!name)
        return WEIR_STR_NONE;
    if (key.length && !is_letter(key.data[0])) {
        // A character that becomes an underscore brings the one of the prefix.
        length = is_digit(key.data[0]) ? 4 : 3;
        memcpy(name, prefix, length);
    }
    for (size_t i = 0; i < key.length; i++) {
        char c = key.data[i];
        if (is_letter(c) || is_digit(c) || c == '_')
            name[length++] = c;
        else if (((unsigned char)c & 0xc0) != 0x80) // one for each character, not for each byte
            name[length++] = '_';
    }
    return weir_str_make(name, length);
}

/* --- the whole --- */

/* Of two with one name the one that was added later comes later. */
static void sort(struct loki_labels *labels)
{
    for (size_t i = 1; i < labels->count; i++) {
        struct loki_label label = labels->items[i];
        size_t at = i;
        for (; at > 0 && weir_str_compare(labels->items[at - 1].name, label.name) > 0; at--)
            labels->items[at] = labels->items[at - 1];
        labels->items[at] = label;
    }
}

/* Go's escapes, which Loki resolves; other characters are taken as they are. Returns the bytes written, at most four. */
static size_t escape(unsigned char c, char *out)
{
    static const char hex[] = "0123456789abcdef";
    static const char names[] = { ['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
                                  ['\v'] = 'v', ['\f'] = 'f', ['\r'] = 'r' };
    if (c >= ' ' && c != '"' && c != '\\' && c != 0x7f) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    if (c == '"' || c == '\\' || (c < sizeof(names) && names[c])) {
        out[1] = c == '"' || c == '\\' ? (char)c : names[c];
        return 2;
    }
    out[1] = 'x';
    out[2] = hex[c >> 4];
    out[3] = hex[c & 15];
    return 4;
}

static size_t most_room(const struct loki_labels *labels)
{
    size_t room = 2;
    for (size_t i = 0; i < labels->count; i++)
        room += labels->items[i].name.length + labels->items[i].value.length * 4 + sizeof("=\"\", ");
    return room;
}

static char *print_label(const struct loki_label *label, char *out)
{
    memcpy(out, label->name.data, label->name.length);
    out += label->name.length;
    *out++ = '=';
    *out++ = '"';
    for (size_t i = 0; i < label->value.length; i++)
        out += escape((unsigned char)label->value.data[i], out);
    *out++ = '"';
    return out;
}

static struct weir_str print(struct loki_labels *labels)
{
    char *text = weir_arena_alloc(labels->arena, most_room(labels)), *out = text;
    if (!text) {
        labels->problem = "out of memory";
        return WEIR_STR_NONE;
    }
    *out++ = '{';
    for (size_t i = 0; i < labels->count; i++) {
        const struct loki_label *label = &labels->items[i];
        if (i + 1 < labels->count && weir_str_equal(label->name, label[1].name))
            continue;
        if (out > text + 1) {
            *out++ = ',';
            *out++ = ' ';
        }
        out = print_label(label, out);
    }
    *out++ = '}';
    return weir_str_make(text, (size_t)(out - text));
}

struct weir_str loki_labels_finish(struct loki_labels *labels)
{
    for (size_t i = 0; i < labels->count && !labels->problem; i++) {
        struct loki_label *label = &labels->items[i];
        label->name = labels->named ? label->key : loki_label_name(labels->arena, label->key);
        if (!label->name.data)
            labels->problem = "out of memory";
    }
    if (labels->problem)
        return WEIR_STR_NONE;
    sort(labels);
    return print(labels);
}
