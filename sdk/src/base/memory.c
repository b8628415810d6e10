// SPDX-License-Identifier: Apache-2.0
/*
 * Memory for control structures: an allocation that fails ends the process.
 */
#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/base.h>

static _Noreturn void out_of_memory(void)
{
    static const char message[] = "weir: out of memory\n";
    // write(2): stdio may want memory of its own.
    ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);
    (void)written;
    abort();
}

static void *checked(void *pointer)
{
    if (!pointer)
        out_of_memory();
    return pointer;
}

void *weir_xmalloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *weir_xcalloc(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        return checked(calloc(1, 1));
    return checked(calloc(count, size));
}

void *weir_xrealloc(void *pointer, size_t size)
{
    return checked(realloc(pointer, size ? size : 1));
}

char *weir_xstrdup(const char *text)
{
    return checked(strdup(text));
}

char *weir_xstrndup(const char *text, size_t length)
{
    // Not strndup: under ASan's strict_string_checks it wants a NUL even behind `length`.
    length = strnlen(text, length);
    char *copy = checked(malloc(length + 1));
    memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *weir_xasprintf(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        out_of_memory();
    return text;
}
