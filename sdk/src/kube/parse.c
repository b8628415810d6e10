// SPDX-License-Identifier: Apache-2.0
/*
 * What the API server says, read: lists, events of a watch, and Status (Kubernetes API Concepts; meta/v1 ListMeta,
 * ObjectMeta, WatchEvent, Status).
 */
#include <config.h>

#include <weir/json.h>

#include "sdk/src/kube/kube.h"

/* Reads a string, or null as none. */
static void read_string(struct weir_json *json, struct weir_str *out)
{
    if (!weir_json_null(json))
        weir_json_string(json, out);
}

/* --- objects --- */

struct metadata {
    struct weir_str name, name_space, version, more;
};

static void read_metadata(struct weir_json *json, struct metadata *out)
{
    struct weir_str key;
    if (!weir_json_object(json))
        return;
    while (weir_json_member(json, &key)) {
        if (weir_str_is(key, "name"))
            read_string(json, &out->name);
        else if (weir_str_is(key, "namespace"))
            read_string(json, &out->name_space);
        else if (weir_str_is(key, "resourceVersion"))
            read_string(json, &out->version);
        else if (weir_str_is(key, "continue"))
            read_string(json, &out->more);
        else
            weir_json_skip(json);
    }
}

/* Reads an object that may be of any kind: its metadata, and its bytes. */
static bool read_object(struct weir_json *json, struct weir_arena *arena, struct weir_kube_object *out,
                        struct weir_str *version)
{
    struct metadata metadata = { .name = WEIR_STR_NONE };
    struct weir_str raw, key;
    struct weir_json inner;
    if (!weir_json_raw(json, &raw))
        return false;
    weir_json_start(&inner, raw.data, raw.length, arena, WEIR_JSON_DEPTH);
    if (weir_json_object(&inner)) {
        while (weir_json_member(&inner, &key)) {
            if (weir_str_is(key, "metadata"))
                read_metadata(&inner, &metadata);
            else
                weir_json_skip(&inner);
        }
    }
    if (!weir_json_finish(&inner))
        return weir_json_fail(json, inner.problem);
    *out = (struct weir_kube_object){ .name_space = metadata.name_space, .name = metadata.name, .json = raw };
    *version = metadata.version;
    return true;
}

/* --- lists --- */

struct items {
    struct weir_arena *arena;
    void (*item)(void *user, const struct weir_kube_object *object); /* NULL: they are only checked */
    void *user;
};

static void read_items(struct weir_json *json, const struct items *items)
{
    struct weir_kube_object object;
    struct weir_str version;
    if (weir_json_null(json) || !weir_json_array(json))
        return;
    while (weir_json_element(json)) {
        if (!read_object(json, items->arena, &object, &version))
            return;
        if (object.name.length == 0) {
            weir_json_fail(json, "an object without a name");
            return;
        }
        if (items->item)
            items->item(items->user, &object);
    }
}

static int read_page(struct weir_str text, const struct items *items, struct metadata *metadata, struct weir_error *error)
{
    struct weir_json json;
    struct weir_str key;
    weir_json_start(&json, text.data, text.length, items->arena, WEIR_JSON_DEPTH);
    if (weir_json_object(&json)) {
        while (weir_json_member(&json, &key)) {
            if (weir_str_is(key, "metadata"))
                read_metadata(&json, metadata);
            else if (weir_str_is(key, "items"))
                read_items(&json, items);
            else
                weir_json_skip(&json);
        }
    }
    if (!weir_json_finish(&json))
        return weir_json_error(&json, error);
    if (metadata->version.length == 0)
        return weir_error_set(error, "the list has no resourceVersion");
    return 0;
}

int kube_read_page(struct weir_str json, struct weir_arena *arena, struct kube_page *page,
                   void (*item)(void *user, const struct weir_kube_object *object), void *user, struct weir_error *error)
{
    struct metadata metadata = { .name = WEIR_STR_NONE };
    struct items items = { .arena = arena };
    if (read_page(json, &items, &metadata, error) < 0)
        return weir_error_prefix(error, "bad list");
    items.item = item;
    items.user = user;
    if (read_page(json, &items, &metadata, error) < 0)
        return weir_error_prefix(error, "bad list");
    *page = (struct kube_page){ .version = metadata.version, .more = metadata.more };
    return 0;
}

/* --- status --- */

static void read_status(struct weir_str text, struct weir_arena *arena, int64_t *code, struct weir_str *message)
{
    struct weir_json json;
    struct weir_str key;
    weir_json_start(&json, text.data, text.length, arena, WEIR_JSON_DEPTH);
    if (!weir_json_object(&json))
        return;
    while (weir_json_member(&json, &key)) {
        if (weir_str_is(key, "code") && weir_json_type(&json) == WEIR_JSON_NUMBER)
            weir_json_i64(&json, code);
        else if (weir_str_is(key, "message"))
            read_string(&json, message);
        else
            weir_json_skip(&json);
    }
}

struct weir_str kube_read_message(struct weir_str json, struct weir_arena *arena)
{
    struct weir_str message = WEIR_STR_NONE;
    int64_t code = 0;
    read_status(json, arena, &code, &message);
    return message;
}

/* --- events --- */

static int take_type(struct weir_str type, struct kube_event *event, struct weir_error *error)
{
    if (weir_str_is(type, "ADDED") || weir_str_is(type, "MODIFIED"))
        event->change = KUBE_PUT;
    else if (weir_str_is(type, "DELETED"))
        event->change = KUBE_GONE;
    else if (weir_str_is(type, "BOOKMARK"))
        event->change = KUBE_BOOKMARK;
    else if (weir_str_is(type, "ERROR"))
        event->change = KUBE_ERROR;
    else
        return weir_error_set(error, "the type \"%.*s\" is unknown", WEIR_STR_ARG(type));
    return 0;
}

static int complete(struct kube_event *event, struct weir_str type, struct weir_arena *arena, struct weir_error *error)
{
    if (take_type(type, event, error) < 0)
        return -1;
    if (event->change == KUBE_ERROR)
        read_status(event->object.json, arena, &event->code, &event->message);
    else if (event->version.length == 0)
        return weir_error_set(error, "the object has no resourceVersion");
    else if (event->change != KUBE_BOOKMARK && event->object.name.length == 0)
        return weir_error_set(error, "the object has no name");
    return 0;
}

int kube_read_event(struct weir_str text, struct weir_arena *arena, struct kube_event *event, struct weir_error *error)
{
    struct kube_event found = { .change = KUBE_ERROR };
    struct weir_str type = WEIR_STR_NONE, key;
    struct weir_json json;
    weir_json_start(&json, text.data, text.length, arena, WEIR_JSON_DEPTH);
    if (weir_json_object(&json)) {
        while (weir_json_member(&json, &key)) {
            if (weir_str_is(key, "type"))
                read_string(&json, &type);
            else if (weir_str_is(key, "object"))
                read_object(&json, arena, &found.object, &found.version);
            else
                weir_json_skip(&json);
        }
    }
    int result = weir_json_finish(&json) ? complete(&found, type, arena, error) : weir_json_error(&json, error);
    if (result < 0)
        return weir_error_prefix(error, "bad event");
    *event = found;
    return 0;
}
