// SPDX-License-Identifier: Apache-2.0
/*
 * google.rpc.Status as protobuf, by protobuf-c. What comes from outside is walked with our own cursor first.
 */
#include <config.h>

#include <stdlib.h>

#include <weir/wire.h>

#include "google_rpc.pb-c.h"
#include "sdk/src/json/status.h"

bool status_is_framed(struct weir_str bytes)
{
    struct weir_cursor cursor = weir_cursor_make(bytes.data, bytes.length);
    while (weir_cursor_left(&cursor) > 0) {
        uint32_t number;
        enum weir_wire_type type;
        if (!weir_cursor_tag(&cursor, &number, &type) || !weir_cursor_skip(&cursor, type))
            return false;
    }
    return true;
}

/* Packs RetryInfo into `any`; its value is to be freed. */
static bool pack_retry_info(int64_t delay_ns, Google__Rpc__Any *any)
{
    Google__Rpc__Duration delay = GOOGLE__RPC__DURATION__INIT;
    Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;
    static char type_url[] = STATUS_RETRY_INFO;
    delay.seconds = delay_ns / STATUS_NS_PER_SECOND;
    delay.nanos = (int32_t)(delay_ns % STATUS_NS_PER_SECOND);
    info.retry_delay = &delay;
    size_t size = google__rpc__retry_info__get_packed_size(&info);
    any->type_url = type_url;
    any->value.data = malloc(size);
    any->value.len = size;
    if (any->value.data)
        google__rpc__retry_info__pack(&info, any->value.data);
    return any->value.data != NULL;
}

bool status_to_protobuf(const struct weir_rpc_status *status, struct weir_buffer *out)
{
    Google__Rpc__Status packed = GOOGLE__RPC__STATUS__INIT;
    Google__Rpc__Any any = GOOGLE__RPC__ANY__INIT;
    Google__Rpc__Any *details[] = { &any };
    char *message = weir_str_dup(status->message);
    packed.code = status->code;
    packed.message = message;
    bool good = true;
    if (status->retry_delay_ns >= 0) {
        good = pack_retry_info(status->retry_delay_ns, &any);
        packed.details = details;
        packed.n_details = 1;
    }
    size_t size = good ? google__rpc__status__get_packed_size(&packed) : 0;
    good = good && weir_buffer_reserve(out, size);
    if (good && size > 0)
        out->length += google__rpc__status__pack(&packed, out->data + out->length);
    free(any.value.data);
    free(message);
    return good;
}

/* The delay in a detail, or WEIR_NO_RETRY_DELAY if it is not RetryInfo. */
static int64_t read_retry_info(const Google__Rpc__Any *any)
{
    struct weir_str value = weir_str_make((const char *)any->value.data, any->value.len);
    if (!any->type_url || strcmp(any->type_url, STATUS_RETRY_INFO) != 0 || !status_is_framed(value))
        return WEIR_NO_RETRY_DELAY;
    Google__Rpc__RetryInfo *info = google__rpc__retry_info__unpack(NULL, value.length, any->value.data);
    if (!info)
        return WEIR_NO_RETRY_DELAY;
    int64_t delay = info->retry_delay ? status_delay(info->retry_delay->seconds, info->retry_delay->nanos) : 0;
    google__rpc__retry_info__free_unpacked(info, NULL);
    return delay;
}

int status_from_protobuf(const void *data, size_t length, struct weir_arena *arena, struct weir_rpc_status *out,
                         struct weir_error *error)
{
    if (!status_is_framed(weir_str_make(data, length)))
        return weir_error_set(error, "malformed google.rpc.Status");
    Google__Rpc__Status *status = google__rpc__status__unpack(NULL, length, data);
    if (!status)
        return weir_error_set(error, "malformed google.rpc.Status");
    struct weir_str message = weir_arena_copy(arena, weir_str_of(status->message));
    int result = 0;
    if (!message.data)
        result = weir_error_set(error, "out of memory");
    else if (!weir_utf8_valid(message.data, message.length))
        result = weir_error_set(error, "malformed google.rpc.Status: bad UTF-8");
    if (result == 0) {
        *out = (struct weir_rpc_status){ status->code, message, WEIR_NO_RETRY_DELAY };
        for (size_t i = 0; i < status->n_details && out->retry_delay_ns < 0; i++)
            out->retry_delay_ns = read_retry_info(status->details[i]);
    }
    google__rpc__status__free_unpacked(status, NULL);
    return result;
}
