// SPDX-License-Identifier: Apache-2.0
/* What W3C Trace Context allows in a tracestate. */
#include <config.h>

#include <string.h>

#include <weir/tracestate.h>

#define KEY_MAX 256
#define TENANT_MAX 241
#define SYSTEM_MAX 14
#define VALUE_MAX 256

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Letters, digits and _ - * / behind a first letter (or digit, where that is allowed). */
static bool is_name(struct weir_str name, size_t longest, bool digit_first)
{
    if (name.length == 0 || name.length > longest ||
        !(is_lower(name.data[0]) || (digit_first && is_digit(name.data[0]))))
        return false;
    for (size_t i = 1; i < name.length; i++) {
        char c = name.data[i];
        if (!is_lower(c) && !is_digit(c) && c != '_' && c != '-' && c != '*' && c != '/')
            return false;
    }
    return true;
}

bool weir_tracestate_is_key(struct weir_str key)
{
    const char *at = key.length > 0 ? memchr(key.data, '@', key.length) : NULL;
    if (!at)
        return is_name(key, KEY_MAX, false);
    size_t tenant = (size_t)(at - key.data);
    return is_name(weir_str_make(key.data, tenant), TENANT_MAX, true) &&
           is_name(weir_str_make(at + 1, key.length - tenant - 1), SYSTEM_MAX, false);
}

bool weir_tracestate_is_value(struct weir_str value)
{
    for (size_t i = 0; i < value.length; i++)
        if (value.data[i] < ' ' || value.data[i] > '~' || value.data[i] == '=' || value.data[i] == ',')
            return false;
    return value.length > 0 && value.length <= VALUE_MAX && value.data[value.length - 1] != ' ';
}
