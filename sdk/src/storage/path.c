// SPDX-License-Identifier: Apache-2.0
/* Where a client of a storage extension keeps its things: names as upstream's file_storage makes them. */
#include <config.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <weir/digest.h>
#include <weir/storage.h>

static bool safe(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
}

/* Reads one character of valid UTF-8 (ids are checked); returns how many bytes it has. */
static size_t read_character(const unsigned char *text, uint32_t *out)
{
    size_t more = text[0] < 0x80 ? 0 : text[0] < 0xE0 ? 1 : text[0] < 0xF0 ? 2 : 3;
    uint32_t c = more ? text[0] & (0x3F >> more) : text[0];
    size_t i = 1;
    for (; i <= more && (text[i] & 0xC0) == 0x80; i++)
        c = c << 6 | (text[i] & 0x3F);
    *out = c;
    return i;
}

/* As upstream does it, so that no two ids meet: "~" itself is replaced, too. */
static void add_sanitized(struct weir_text *name, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at) {
        uint32_t c;
        size_t length = read_character(at, &c);
        if (safe(c))
            weir_text_addc(name, (char)c);
        else
            weir_text_addf(name, "~%04X", (unsigned)c);
        at += length;
    }
}

/* A name that no file can have becomes its digest. */
static int shorten(struct weir_text *name, struct weir_error *error)
{
    char digest[WEIR_SHA256_HEX];
    if (name->length <= NAME_MAX)
        return 0;
    if (weir_digest_prepare(error) != 0)
        return weir_error_prefix(error, "the directory's name, too long for a file, has to be its SHA-256");
    if (!weir_sha256_hex(name->data, name->length, digest))
        return weir_error_set(error, "out of memory");
    weir_text_clear(name);
    weir_text_adds(name, digest);
    return 0;
}

char *weir_storage_path(const struct weir_storage_place *place, const struct weir_instance *client,
                        const char *suffix, struct weir_error *error)
{
    struct weir_text name = { 0 };
    const char *id = weir_instance_id(client), *slash = strchr(id, '/');
    char *type = weir_xstrndup(id, slash ? (size_t)(slash - id) : strlen(id));
    weir_text_addf(&name, "%s_", weir_kind_name(weir_instance_component(client)->kind, false));
    add_sanitized(&name, type);
    weir_text_addc(&name, '_');
    add_sanitized(&name, slash ? slash + 1 : "");
    if (suffix && *suffix) {
        weir_text_addc(&name, '_');
        add_sanitized(&name, suffix);
    }
    free(type);
    char *path = NULL;
    if (shorten(&name, error) == 0)
        path = weir_xasprintf("%s/%s", place->directory, weir_text_string(&name));
    weir_text_free(&name);
    return path;
}
