/* gv_column.h: the columns that a particle can have: one table of names, types and shapes.
 *
 * The order of the enum is the order in which columns stand in a table and in Python.
 */
#ifndef GV_COLUMN_H
#define GV_COLUMN_H

#include "gv_base.h"

enum gv_column {
    GV_COLUMN_POSITION,
    GV_COLUMN_COLOR,
    GV_COLUMN_SIZE,
    GV_COLUMN_METADATA,
    GV_COLUMN_LENGTH,
    GV_COLUMN_GC,
    GV_COLUMN_QUALITY,
    GV_COLUMN_ERROR_QUALITY,
    GV_COLUMN_NAME,
    GV_COLUMN_SEQUENCE,
    GV_COLUMN_QUALITIES,
    GV_COLUMN_COUNT
};

/* The columns from here on hold text: int64 offsets, one more than there are rows, into bytes
 * (Arrow's large binary). */
#define GV_COLUMN_FIRST_TEXT GV_COLUMN_NAME
#define GV_TEXT_COLUMNS (GV_COLUMN_COUNT - GV_COLUMN_FIRST_TEXT)

enum gv_type { GV_TYPE_F32, GV_TYPE_U32, GV_TYPE_U64, GV_TYPE_TEXT };

struct gv_column_spec {
    const char *name;
    enum gv_type type;
    unsigned width;   /* values in a row: 3 for a position */
    size_t row_bytes; /* bytes in a row; 0 for text */
    bool is_default;  /* among the columns a reader fills unless told otherwise */
};

/* A set of columns: bit i stands for column i. */
typedef uint32_t gv_column_set;
#define GV_COLUMN_BIT(column) ((gv_column_set)1 << (column))

/* The spec of a column; valid for ever. */
const struct gv_column_spec *gv_column_spec(enum gv_column column);

/* The column of that name; GV_COLUMN_COUNT where there is none. */
enum gv_column gv_column_find(const char *name);

#endif
