// SPDX-License-Identifier: Apache-2.0
/*
 * The old form: labels from a map in the configuration (contrib-receivers-exporters 6.2).
 */
#ifndef LOKI_MAPPING_H
#define LOKI_MAPPING_H

#include "plugins/exporters/loki/labels.h"
#include "plugins/exporters/loki/line.h"
#include "plugins/exporters/loki/options.h"

/* A field or an attribute, and the label it becomes. */
struct loki_mapped {
    struct weir_str key;
    struct weir_str name;
};

struct loki_mapped_list {
    struct loki_mapped *items;
    size_t count;
};

/* Zero-initialise. */
struct loki_map {
    struct loki_mapped_list attributes, resource, record;
};

/* `config` outlives the map. */
void loki_map_init(struct loki_map *map, const struct loki_mapping *config);
void loki_map_free(struct loki_map *map);

/* Adds the record's labels; none may come of it. */
void loki_map_labels(const struct loki_map *map, const struct loki_record *record, struct loki_labels *labels);

/* The line of `format: body`: fields and attributes that are no labels, then the body. */
void loki_map_line(const struct loki_map *map, const struct loki_record *record, struct loki_line *line);

#endif
