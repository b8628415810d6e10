// SPDX-License-Identifier: Apache-2.0
/*
 * Error texts.
 */
#include <config.h>

#include <string.h>

#include <weir/error.h>

/* The new text is complete before the old one goes: arguments may point into it. */
static void replace(struct weir_error *error, struct weir_text text)
{
    weir_text_free(&error->text);
    error->text = text;
}

int weir_error_set(struct weir_error *error, const char *format, ...)
{
    if (!error)
        return -1;
    struct weir_text text = { NULL, 0, 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    replace(error, text);
    return -1;
}

int weir_error_prefix(struct weir_error *error, const char *format, ...)
{
    if (!error)
        return -1;
    struct weir_text text = { NULL, 0, 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    if (error->text.length > 0) {
        weir_text_adds(&text, ": ");
        weir_text_add(&text, error->text.data, error->text.length);
    }
    replace(error, text);
    return -1;
}

int weir_error_errno(struct weir_error *error, int errnum, const char *format, ...)
{
    if (!error)
        return -1;
    struct weir_text text = { NULL, 0, 0 };
    va_list arguments;
    va_start(arguments, format);
    weir_text_vaddf(&text, format, arguments);
    va_end(arguments);
    char reason[128];
    weir_text_addf(&text, ": %s", strerror_r(errnum, reason, sizeof(reason)));
    replace(error, text);
    return -1;
}

const char *weir_error_text(const struct weir_error *error)
{
    return error ? weir_text_string(&error->text) : "";
}

void weir_error_free(struct weir_error *error)
{
    if (error)
        weir_text_free(&error->text);
}
