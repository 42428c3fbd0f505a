/* gv_layout.h: where a particle stands.
 *
 * A layout is chosen once, with its parameters, before the first record, and places a block of
 * reads at a time.  A place is a pure function of the record and of those parameters, so that
 * batches and sources cut anywhere give the same places.
 *
 * To add one: a file in layout/ that defines a struct gv_layout, its line in gv_layouts(), a
 * class in genomevedic/layouts.py, and tests against a plain-Python reference.
 */
#ifndef GV_LAYOUT_H
#define GV_LAYOUT_H

#include "gv_measure.h"
#include "gv_status.h"

#define GV_LAYOUT_PARAMETERS 8

/* float32 holds whole numbers exactly up to here; no layout of names places beyond. */
#define GV_PLACE_MOST 16777216.0

struct gv_layout;

/* A layout with its parameters.  Borrows: the weights. */
struct gv_placing {
    const struct gv_layout *layout;
    enum gv_grammar grammar;                 /* of the names that count */
    double parameters[GV_LAYOUT_PARAMETERS]; /* in the order of the layout's list */
    const double (*weights)[3];              /* a row for each of 256 tetranucleotides, or NULL */
};

struct gv_layout {
    const char *name;

    /* The names of its parameters, ended by NULL; NULL where it has none. */
    const char *const *parameters;

    /* A place depends on the read's ordinal, and so on all records before it. */
    bool is_by_ordinal;

    /* A place is read from the names of the block. */
    bool needs_names;

    /* Some places lie outside what the parameters allow (GV_LACKS_MODEL), which is an error
     * whatever becomes of other records without a place. */
    bool is_bounded;

    /* Whether a place can be computed from the parameters; NULL where it always can. */
    bool (*is_valid)(const struct gv_placing *placing);

    /* Sees the sequence of each read while it is at hand, and writes what it needs of it to the
     * row's block.looked; NULL where it needs nothing. */
    void (*look)(const struct gv_placing *placing, const uint8_t *sequence, size_t length,
                 double looked[3]);

    /* Writes x, y, z of every row of a derived block.  A read that has no place gets NaN, NaN,
     * NaN; their number is returned. */
    size_t (*place)(const struct gv_placing *placing, const struct gv_block *block,
                    float (*out)[3]);

    /* Why a row that was given no place has none: always the same, or as lack() finds. */
    enum gv_lack lacks;
    enum gv_lack (*lack)(const struct gv_placing *placing, const struct gv_block *block,
                         size_t row);
};

/* Every layout built in, ended by NULL; the first is the one of reads whose names hold no place. */
const struct gv_layout *const *gv_layouts(void);

/* The layout of that name, NULL where there is none. */
const struct gv_layout *gv_layout_find(const char *name);

/* Its parameters, 0 at first. */
struct gv_placing gv_placing_of(const struct gv_layout *layout);

/* Sets a parameter by name; false where the layout has none of that name, or the value is not
 * finite. */
bool gv_placing_set(struct gv_placing *placing, const char *name, double value);

bool gv_placing_is_valid(const struct gv_placing *placing);

/* Channels of a Nanopore flow cell's model: 1 Flongle, 2 MinION, 3 PromethION; 0 for others. */
unsigned gv_nanopore_channels(unsigned model);

#endif
