/* gv_layout.h: where a particle stands.
 *
 * A layout is chosen once, before the first record, and places a block of reads at a time.  A
 * place is a pure function of the record and of the layout's parameters, so that batches and
 * sources cut anywhere give the same places.  To add one: a file in layout/ that defines a struct
 * gv_layout, its line in gv_layouts(), a description in genomevedic/layouts.py, and a test
 * against a plain-Python reference.
 */
#ifndef GV_LAYOUT_H
#define GV_LAYOUT_H

#include "gv_measure.h"

struct gv_layout {
    const char *name;

    /* A place depends on the read's ordinal, and so on all records before it. */
    bool is_by_ordinal;

    /* Writes x, y, z of every row of a derived block.  A read that has no place gets NaN, NaN,
     * NaN; their number is returned. */
    size_t (*place)(const struct gv_block *block, float (*out)[3]);
};

/* Every layout built in, ended by NULL; the first is the default. */
const struct gv_layout *const *gv_layouts(void);

/* The layout of that name, NULL where there is none. */
const struct gv_layout *gv_layout_find(const char *name);

#endif
