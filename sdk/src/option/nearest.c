// SPDX-License-Identifier: Apache-2.0
/*
 * Finds the known name that a misspelt one was probably meant to be.
 */
#include <config.h>

#include <weir/node.h>

enum { LONGEST = 64 };

static unsigned min2(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Letters without case, and "-" like "_": those slips count as nothing. */
static char fold(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

/* Edits (insert, delete, replace, swap neighbours) that turn a into b; both at most LONGEST long. */
static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0];
    unsigned *above = rows[1];
    unsigned *row = rows[2];

    for (size_t j = 0; j <= b_length; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            bool same = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = min2(min2(above[j] + 1, row[j - 1] + 1), above[j - 1] + (same ? 0 : 1));
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = min2(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_length];
}

const char *weir_nearest_name(const char *name, const char *(*next)(void *cursor), void *cursor)
{
    size_t length = strlen(name);
    unsigned best = length <= 2 ? 1 : length <= 5 ? 2 : (unsigned)(length / 3 + 1);
    const char *found = NULL;
    for (const char *candidate = next(cursor); candidate; candidate = next(cursor)) {
        size_t candidate_length = strlen(candidate);
        if (length == 0 || length > LONGEST || candidate_length == 0 || candidate_length > LONGEST)
            continue;
        unsigned edits = distance(name, length, candidate, candidate_length);
        /* A name that shares no more than its length with another is no slip of it. */
        if (edits < best + (found ? 0 : 1) && edits < candidate_length) {
            best = edits;
            found = candidate;
        }
    }
    return found;
}
