/* gv_voxel.h: grids of counts and sums over one, two or three axes.
 *
 * A grid's cells are the boxes between the edges of its axes, in C order: the last axis runs
 * fastest.  A row belongs to the cell whose edges hold it, low <= value < high on each axis; the
 * last cell of an axis holds its upper edge too, as in numpy.histogramdd.  Sums are added in the
 * order of the rows, by any number of threads: they have the same bits for each.
 */
#ifndef GV_VOXEL_H
#define GV_VOXEL_H

#include "gv_base.h"

#define GV_VOXEL_AXES 3
#define GV_VOXEL_SUMS 4
#define GV_VOXEL_THREADS 16

/* Cells of a grid at most: they are numbered in 32 bits. */
#define GV_VOXEL_CELLS_MOST ((size_t)INT32_MAX)

enum gv_voxel_type { GV_VOXEL_F32, GV_VOXEL_F64, GV_VOXEL_U32 };

/* A column of numbers: value i stands at data + i * stride.  Borrows: it. */
struct gv_voxel_column {
    const uint8_t *data;
    ptrdiff_t stride;
    enum gv_voxel_type type;
};

/* Borrows: the edges, bins + 1 of them, strictly increasing and finite. */
struct gv_voxel_axis {
    const double *edges;
    size_t bins;
};

/* Where the sum of a column goes, and how many values it is of: NaN is left out.  Borrows: both
 * arrays, of one value a cell. */
struct gv_voxel_sum {
    double *sum;
    uint64_t *known;
};

/* Borrows: all arrays. */
struct gv_voxel_grid {
    unsigned n_axes, n_sums;
    struct gv_voxel_axis axes[GV_VOXEL_AXES];
    uint64_t *counts;
    struct gv_voxel_sum sums[GV_VOXEL_SUMS];
    uint64_t outside;  /* rows that lie in no cell */
    uint64_t unplaced; /* rows with a NaN on an axis */
};

/* The number of cells; false where they are none, or more than GV_VOXEL_CELLS_MOST. */
bool gv_voxel_cells(const struct gv_voxel_grid *grid, size_t *cells);

/* Adds `rows` rows: coordinates[i] is axis i's, values[i] the column of sum i.  `scratch` holds the
 * cells of GV_VOXEL_BLOCK rows.  `threads`, 1 or more: fewer where the system refuses them. */
#define GV_VOXEL_BLOCK ((size_t)1 << 19)
void gv_voxel_add(struct gv_voxel_grid *grid,
                  const struct gv_voxel_column coordinates[GV_VOXEL_AXES],
                  const struct gv_voxel_column values[GV_VOXEL_SUMS], size_t rows,
                  int32_t scratch[GV_VOXEL_BLOCK], unsigned threads);

#endif
