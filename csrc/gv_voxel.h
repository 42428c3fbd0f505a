/* gv_voxel.h: grids: how many rows of some columns lie in each cell of one, two or three axes, and
 * the sums of other columns there.
 *
 *   columns x, y(, z) -> the bin of each on its axis -> the cell -> counts[cell], sum[cell]
 *
 * A bin holds what is not below its lower edge and below its upper one; the last bin of an axis
 * holds its upper edge too, as in numpy.histogramdd.  Cells are in C order: the last axis runs
 * fastest.
 *
 *   edges 0 0.1 0.2 0.3:   0 -> 0   0.0999 -> 0   0.1 -> 1   0.3 -> 2   0.4 -> outside
 *                          NaN -> unplaced
 *
 * Nothing is lost: a row with a NaN on an axis is unplaced, any other that is out of bounds is
 * outside, and both have a cell behind the last one.  A value that is NaN adds nothing to its sum
 * and one to missing[cell].
 *
 * A cell's sum is that of its rows in their order, in float64: it has the same bits for any number
 * of threads, and however the rows come in calls of gv_voxel_add().
 */
#ifndef GV_VOXEL_H
#define GV_VOXEL_H

#include "gv_pool.h"

#define GV_VOXEL_AXES 3
#define GV_VOXEL_SUMS 8

/* Threads that are put to use at most. */
#define GV_VOXEL_THREADS 64

/* Bins of an axis at most: they are numbered in 32 bits. */
#define GV_VOXEL_BINS_MOST ((size_t)INT32_MAX - 1)

/* Cells of a grid at most: a row's number fits beside a cell's in 64 bits. */
#define GV_VOXEL_CELLS_MOST ((size_t)1 << 45)

/* Cells behind the last one: of rows outside, and of rows unplaced. */
#define GV_VOXEL_BEHIND 2

enum gv_voxel_type {
    GV_VOXEL_F32,
    GV_VOXEL_F64,
    GV_VOXEL_I8,
    GV_VOXEL_U8,
    GV_VOXEL_I16,
    GV_VOXEL_U16,
    GV_VOXEL_I32,
    GV_VOXEL_U32,
    GV_VOXEL_I64, /* 64-bit integers are rounded to float64 */
    GV_VOXEL_U64,
    GV_VOXEL_TIME, /* int64 whose least value is NaN */
    GV_VOXEL_TYPES
};

/* A column of numbers: value i stands at data + i * stride, aligned or not.  Borrows: it. */
struct gv_voxel_column {
    const uint8_t *data;
    ptrdiff_t stride;
    enum gv_voxel_type type;
};

/* Borrows: the edges, bins + 1 of them, finite and increasing: gv_voxel_are_edges(). */
struct gv_voxel_axis {
    const double *edges;
    size_t bins;
};

/* Where the sum of a column goes, and how many rows have no value in it.  Borrows: both arrays, of
 * as many numbers as counts. */
struct gv_voxel_sum {
    double *sum;
    uint64_t *missing;
};

/* Borrows: all arrays; counts has GV_VOXEL_BEHIND numbers more than there are cells. */
struct gv_voxel_grid {
    unsigned n_axes, n_sums;
    bool is_finite; /* infinite numbers count as NaN */
    struct gv_voxel_axis axes[GV_VOXEL_AXES];
    uint64_t *counts;
    struct gv_voxel_sum sums[GV_VOXEL_SUMS];
};

/* Whether bins + 1 numbers can be the edges of an axis. */
bool gv_voxel_are_edges(const double *edges, size_t bins);

/* The number of cells; false where an axis has none or too many, or all together have. */
bool gv_voxel_cells(const struct gv_voxel_grid *grid, size_t *cells);

/* Adds `rows` rows: coordinates[i] is axis i's, values[i] the column of sum i.  With up to
 * `threads` threads (at least 1), the caller's among them, whose scratch memory comes from `pool`
 * (NULL: from the system); what is refused of threads or memory is done without.  The grid belongs
 * to one caller at a time. */
void gv_voxel_add(struct gv_voxel_grid *grid, const struct gv_voxel_column coordinates[],
                  const struct gv_voxel_column values[], size_t rows, struct gv_pool *pool,
                  unsigned threads);

/* Adds the cells of `from` to those of `into`: bin i of axis k goes to (i + shifts[k]) / factors[k]
 * (at least 1), which `into` must have.  In the order of the cells of `from`; both have as many
 * axes and sums, and their edges do not count. */
void gv_voxel_merge(struct gv_voxel_grid *into, const struct gv_voxel_grid *from,
                    const size_t shifts[], const size_t factors[]);

/* From where to where the rows reach that have a finite number in each of n columns (1 to
 * GV_VOXEL_AXES); false where there are none. */
bool gv_voxel_extent(const struct gv_voxel_column columns[], unsigned n, size_t rows, double low[],
                     double high[]);

#endif
