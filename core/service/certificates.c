// SPDX-License-Identifier: Apache-2.0
/* How long the certificates in use are still valid. */
#include <config.h>

#include <stdlib.h>
#include <string.h>

#include <weir/sys/host.h>

#include "core/service/metrics.h"

static const struct weir_instrument expiry = {
    "weir_tls_certificate_expiry_days", WEIR_GAUGE, WEIR_LEVEL_BASIC, "d",
    "Days until the TLS certificate expires, negative when it has", NULL, 0,
};

/* One sample for each file, side and use: components that share a file may have read it at different times. */
struct seen {
    struct weir_certificate_view *items;
    size_t count;
};

static bool same(const struct weir_certificate_view *a, const struct weir_certificate_view *b)
{
    return strcmp(a->file, b->file) == 0 && strcmp(a->side, b->side) == 0 && strcmp(a->use, b->use) == 0;
}

static void see(const struct weir_certificate_view *view, void *argument)
{
    struct seen *seen = argument;
    for (size_t i = 0; i < seen->count; i++) {
        if (!same(&seen->items[i], view))
            continue;
        if (view->not_after < seen->items[i].not_after)
            seen->items[i].not_after = view->not_after;
        return;
    }
    seen->items = weir_xrealloc(seen->items, (seen->count + 1) * sizeof *seen->items);
    seen->items[seen->count++] = *view;
}

void metrics_collect_certificates(struct exposition *exposition)
{
    struct seen seen = { 0 };
    double now = (double)weir_wall_clock() / 1e9;
    weir_certificates_visit(see, &seen);
    for (size_t i = 0; i < seen.count; i++) {
        struct weir_text labels = { 0 };
        exposition_label(&labels, "file", seen.items[i].file);
        exposition_label(&labels, "side", seen.items[i].side);
        exposition_label(&labels, "use", seen.items[i].use);
        exposition_add(exposition, &expiry, weir_text_string(&labels), ((double)seen.items[i].not_after - now) / 86400);
        weir_text_free(&labels);
    }
    free(seen.items);
}
