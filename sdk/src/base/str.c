// SPDX-License-Identifier: Apache-2.0
/*
 * Views of bytes: compare, trim, copy.
 */
#include <config.h>

#include <string.h>

#include <weir/str.h>

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool weir_str_equal_nocase(struct weir_str a, struct weir_str b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

int weir_str_compare(struct weir_str a, struct weir_str b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return (a.length > b.length) - (a.length < b.length);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct weir_str weir_str_trim(struct weir_str s)
{
    while (s.length > 0 && is_space(s.data[0])) {
        s.data++;
        s.length--;
    }
    while (s.length > 0 && is_space(s.data[s.length - 1]))
        s.length--;
    return s;
}

char *weir_str_dup(struct weir_str s)
{
    char *copy = weir_xmalloc(s.length + 1);
    if (s.length > 0)
        memcpy(copy, s.data, s.length);
    copy[s.length] = '\0';
    return copy;
}
