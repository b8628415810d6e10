// SPDX-License-Identifier: Apache-2.0
/*
 * Reading small files whole.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <weir/watch.h>

/* Texts as Go's os.ReadFile has them, which users of upstream know. */
static int fail(struct weir_error *error, const char *what, const char *path, int errnum)
{
    if (errnum == ENOENT)
        return weir_error_set(error, "%s %s: no such file or directory", what, path);
    if (errnum == EACCES)
        return weir_error_set(error, "%s %s: permission denied", what, path);
    if (errnum == EISDIR)
        return weir_error_set(error, "%s %s: is a directory", what, path);
    return weir_error_errno(error, errnum, "%s %s", what, path);
}

int weir_file_read(const char *path, size_t limit, struct weir_text *out, struct weir_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(error, "open", path, errno);
    struct weir_text text = { NULL, 0, 0 };
    int result = 0;
    for (;;) {
        char part[16384];
        ssize_t length = read(fd, part, sizeof(part));
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            result = fail(error, "read", path, errno);
        else if ((size_t)length > limit - text.length)
            result = weir_error_set(error, "read %s: the file is larger than %zu bytes", path, limit);
        else
            weir_text_add(&text, part, (size_t)length);
        if (length <= 0 || result != 0)
            break;
    }
    close(fd);
    if (result != 0) {
        weir_text_free(&text);
        return -1;
    }
    weir_text_free(out);
    *out = text;
    return 0;
}
