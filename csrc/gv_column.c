#include "gv_column.h"

const struct gv_column_spec *
gv_column_spec(enum gv_column column)
{
    static const struct gv_column_spec specs[GV_COLUMN_COUNT] = {
        [GV_COLUMN_POSITION] = {"position", GV_TYPE_F32, 3, 12, true},
        [GV_COLUMN_COLOR] = {"color", GV_TYPE_F32, 4, 16, true},
        [GV_COLUMN_SIZE] = {"size", GV_TYPE_F32, 1, 4, true},
        [GV_COLUMN_METADATA] = {"metadata", GV_TYPE_U64, 1, 8, true},
        [GV_COLUMN_LENGTH] = {"length", GV_TYPE_U32, 1, 4, true},
        [GV_COLUMN_GC] = {"gc", GV_TYPE_F32, 1, 4, true},
        [GV_COLUMN_QUALITY] = {"quality", GV_TYPE_F32, 1, 4, true},
        [GV_COLUMN_ERROR_QUALITY] = {"error_quality", GV_TYPE_F32, 1, 4, false},
        [GV_COLUMN_LANE] = {"lane", GV_TYPE_U8, 1, 1, false},
        [GV_COLUMN_TILE] = {"tile", GV_TYPE_U32, 1, 4, false},
        [GV_COLUMN_SURFACE] = {"surface", GV_TYPE_U8, 1, 1, false},
        [GV_COLUMN_SWATH] = {"swath", GV_TYPE_U8, 1, 1, false},
        [GV_COLUMN_X] = {"x", GV_TYPE_I32, 1, 4, false},
        [GV_COLUMN_Y] = {"y", GV_TYPE_I32, 1, 4, false},
        [GV_COLUMN_READ] = {"read", GV_TYPE_U8, 1, 1, false},
        [GV_COLUMN_FILTERED] = {"filtered", GV_TYPE_U8, 1, 1, false},
        [GV_COLUMN_CHANNEL] = {"channel", GV_TYPE_U16, 1, 2, false},
        [GV_COLUMN_START_TIME] = {"start_time", GV_TYPE_TIME, 1, 8, false},
        [GV_COLUMN_ZMW] = {"zmw", GV_TYPE_U32, 1, 4, false},
        [GV_COLUMN_SOURCE] = {"source", GV_TYPE_U32, 1, 4, false},
        [GV_COLUMN_NAME] = {"name", GV_TYPE_TEXT, 1, 0, false},
        [GV_COLUMN_SEQUENCE] = {"sequence", GV_TYPE_TEXT, 1, 0, false},
        [GV_COLUMN_QUALITIES] = {"qualities", GV_TYPE_TEXT, 1, 0, false},
        [GV_COLUMN_INDEX] = {"index", GV_TYPE_TEXT, 1, 0, false},
        [GV_COLUMN_BARCODE] = {"barcode", GV_TYPE_TEXT, 1, 0, false},
    };
    assert(column < GV_COLUMN_COUNT);
    return &specs[column];
}

enum gv_column
gv_column_find(const char *name)
{
    unsigned column = 0;
    while (column < GV_COLUMN_COUNT && strcmp(gv_column_spec(column)->name, name) != 0) {
        column++;
    }
    return (enum gv_column)column;
}
