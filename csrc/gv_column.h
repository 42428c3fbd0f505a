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
    GV_COLUMN_LANE,
    GV_COLUMN_TILE,
    GV_COLUMN_SURFACE,
    GV_COLUMN_SWATH,
    GV_COLUMN_X,
    GV_COLUMN_Y,
    GV_COLUMN_READ,
    GV_COLUMN_FILTERED,
    GV_COLUMN_CHANNEL,
    GV_COLUMN_START_TIME,
    GV_COLUMN_ZMW,
    GV_COLUMN_SOURCE,
    GV_COLUMN_NAME,
    GV_COLUMN_SEQUENCE,
    GV_COLUMN_QUALITIES,
    GV_COLUMN_INDEX,
    GV_COLUMN_BARCODE,
    GV_COLUMN_COUNT
};

/* The columns from here on hold text: int64 offsets, one more than there are rows, into bytes
 * (Arrow's large binary). */
#define GV_COLUMN_FIRST_TEXT GV_COLUMN_NAME
#define GV_TEXT_COLUMNS (GV_COLUMN_COUNT - GV_COLUMN_FIRST_TEXT)

enum gv_type {
    GV_TYPE_F32,
    GV_TYPE_U8,
    GV_TYPE_U16,
    GV_TYPE_U32,
    GV_TYPE_U64,
    GV_TYPE_I32,
    GV_TYPE_TIME, /* int64: microseconds since 1970, UTC; the least value is no time */
    GV_TYPE_TEXT
};

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

/* The columns that are read from names. */
#define GV_COLUMNS_OF_NAMES                                                                    \
    (GV_COLUMN_BIT(GV_COLUMN_LANE) | GV_COLUMN_BIT(GV_COLUMN_TILE) |                           \
     GV_COLUMN_BIT(GV_COLUMN_SURFACE) | GV_COLUMN_BIT(GV_COLUMN_SWATH) |                       \
     GV_COLUMN_BIT(GV_COLUMN_X) | GV_COLUMN_BIT(GV_COLUMN_Y) | GV_COLUMN_BIT(GV_COLUMN_READ) | \
     GV_COLUMN_BIT(GV_COLUMN_FILTERED) | GV_COLUMN_BIT(GV_COLUMN_CHANNEL) |                    \
     GV_COLUMN_BIT(GV_COLUMN_START_TIME) | GV_COLUMN_BIT(GV_COLUMN_ZMW) |                      \
     GV_COLUMN_BIT(GV_COLUMN_INDEX) | GV_COLUMN_BIT(GV_COLUMN_BARCODE))

/* The spec of a column; valid for ever. */
const struct gv_column_spec *gv_column_spec(enum gv_column column);

/* The column of that name; GV_COLUMN_COUNT where there is none. */
enum gv_column gv_column_find(const char *name);

#endif
