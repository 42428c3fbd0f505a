#include "gv_voxel.h"

#include <math.h>

#include "gv_os.h"

/* Rows whose coordinates are looked at together: they stay in a first-level cache. */
#define STRETCH ((size_t)1024)

/* Fewer rows are done before a thread is awake. */
#define SHARED_LEAST ((size_t)1 << 16)

enum { OUTSIDE = -1, UNPLACED = -2 };

bool
gv_voxel_cells(const struct gv_voxel_grid *grid, size_t *cells)
{
    *cells = 1;
    for (unsigned i = 0; i < grid->n_axes; i++) {
        if (!gv_mul_size(*cells, grid->axes[i].bins, cells) || *cells > GV_VOXEL_CELLS_MOST) {
            return false;
        }
    }
    return *cells > 0 && grid->n_axes > 0;
}

/* ---------------------------------------------------------------------------------------------
 * The cell of each row
 * ------------------------------------------------------------------------------------------ */

static double
value_at(const struct gv_voxel_column *column, size_t row)
{
    const uint8_t *at = column->data + (ptrdiff_t)row * column->stride;
    float f32;
    double f64;
    switch (column->type) {
    case GV_VOXEL_F32:
        memcpy(&f32, at, sizeof f32);
        return (double)f32;
    case GV_VOXEL_F64:
        memcpy(&f64, at, sizeof f64);
        return f64;
    default:
        return gv_load_u32(at);
    }
}

/* The last edge that is not above the value, which lies between the outer ones. */
static size_t
search(const double *edges, size_t bins, double value)
{
    size_t low = 0, high = bins;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (edges[middle] <= value) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The bin of a value that lies between the outer edges.  Where edges are even, the guess is off by
 * rounding at the most; the edges themselves decide. */
static size_t
bin_of(const struct gv_voxel_axis *axis, double per_unit, double value)
{
    const double *edges = axis->edges;
    size_t bin = (size_t)((value - edges[0]) * per_unit);
    bin = gv_min_size(bin, axis->bins - 1);
    bin -= bin > 0 && value < edges[bin];
    bin += bin + 1 < axis->bins && value >= edges[bin + 1];
    bool is_found = value >= edges[bin] && (value < edges[bin + 1] || bin + 1 == axis->bins);
    return GV_LIKELY(is_found) ? bin : search(edges, axis->bins, value);
}

/* Moves the cells of rows [first, first + n) on by one axis. */
static void
add_axis(const struct gv_voxel_axis *axis, const struct gv_voxel_column *column, size_t first,
         size_t n, int32_t *cells)
{
    double low = axis->edges[0], high = axis->edges[axis->bins];
    double per_unit = (double)axis->bins / (high - low);
    for (size_t i = 0; i < n; i++) {
        double value = value_at(column, first + i);
        if (GV_LIKELY(value >= low && value <= high)) {
            if (cells[i] >= 0) {
                cells[i] = cells[i] * (int32_t)axis->bins + (int32_t)bin_of(axis, per_unit, value);
            }
        } else if (isnan(value)) {
            cells[i] = UNPLACED;
        } else if (cells[i] != UNPLACED) {
            cells[i] = OUTSIDE;
        }
    }
}

/* ---------------------------------------------------------------------------------------------
 * Blocks of rows, shared out: first the rows, to find their cells; then the cells, to add to them
 * ------------------------------------------------------------------------------------------ */

struct block {
    struct gv_voxel_grid *grid;
    const struct gv_voxel_column *coordinates, *values;
    size_t first, rows, cells;
    int32_t *scratch;
    unsigned threads;
};

/* One thread's part of a block. */
struct part {
    const struct block *block;
    unsigned number;
    uint64_t outside, unplaced;
    void (*work)(struct part *part);
};

static void
find_cells(struct part *part)
{
    const struct block *block = part->block;
    size_t begin = block->rows * part->number / block->threads;
    size_t end = block->rows * (part->number + 1) / block->threads;
    for (size_t at = begin; at < end; at += STRETCH) {
        size_t n = gv_min_size(STRETCH, end - at);
        int32_t *cells = block->scratch + at;
        memset(cells, 0, n * sizeof *cells);
        for (unsigned axis = 0; axis < block->grid->n_axes; axis++) {
            add_axis(&block->grid->axes[axis], &block->coordinates[axis], block->first + at, n,
                     cells);
        }
        for (size_t i = 0; i < n; i++) {
            part->outside += cells[i] == OUTSIDE;
            part->unplaced += cells[i] == UNPLACED;
        }
    }
}

/* Adds the rows, in their order, whose cells are this part's. */
static void
add_rows(struct part *part)
{
    const struct block *block = part->block;
    const struct gv_voxel_grid *grid = block->grid;
    int64_t begin = (int64_t)(block->cells * part->number / block->threads);
    int64_t end = (int64_t)(block->cells * (part->number + 1) / block->threads);
    for (size_t i = 0; i < block->rows; i++) {
        int32_t cell = block->scratch[i];
        if (cell < begin || cell >= end) {
            continue;
        }
        grid->counts[cell]++;
        for (unsigned sum = 0; sum < grid->n_sums; sum++) {
            double value = value_at(&block->values[sum], block->first + i);
            if (!isnan(value)) {
                grid->sums[sum].sum[cell] += value;
                grid->sums[sum].known[cell]++;
            }
        }
    }
}

static void *
run(void *context)
{
    struct part *part = context;
    part->work(part);
    return NULL;
}

/* Does all parts, the first one here; a part whose thread was refused is done here too. */
static void
share_out(const struct block *block, struct part *parts, void (*work)(struct part *part))
{
    pthread_t threads[GV_VOXEL_THREADS];
    bool has_begun[GV_VOXEL_THREADS] = {false};
    for (unsigned i = 1; i < block->threads; i++) {
        parts[i].work = work;
        has_begun[i] = gv_os_thread_start(&threads[i], run, &parts[i]);
    }
    work(&parts[0]);
    for (unsigned i = 1; i < block->threads; i++) {
        if (has_begun[i]) {
            gv_os_thread_join(threads[i]);
        } else {
            work(&parts[i]);
        }
    }
}

void
gv_voxel_add(struct gv_voxel_grid *grid, const struct gv_voxel_column coordinates[GV_VOXEL_AXES],
             const struct gv_voxel_column values[GV_VOXEL_SUMS], size_t rows,
             int32_t scratch[GV_VOXEL_BLOCK], unsigned threads)
{
    struct block block = {
        .grid = grid,
        .coordinates = coordinates,
        .values = values,
        .scratch = scratch,
        .threads = threads < GV_VOXEL_THREADS ? threads : GV_VOXEL_THREADS,
    };
    bool is_valid = gv_voxel_cells(grid, &block.cells);
    assert(is_valid && threads >= 1);
    (void)is_valid;
    if (rows < SHARED_LEAST) {
        block.threads = 1;
    }
    for (size_t first = 0; first < rows; first += GV_VOXEL_BLOCK) {
        struct part parts[GV_VOXEL_THREADS];
        block.first = first;
        block.rows = gv_min_size(GV_VOXEL_BLOCK, rows - first);
        for (unsigned i = 0; i < block.threads; i++) {
            parts[i] = (struct part){.block = &block, .number = i};
        }
        share_out(&block, parts, find_cells);
        share_out(&block, parts, add_rows);
        for (unsigned i = 0; i < block.threads; i++) {
            grid->outside += parts[i].outside;
            grid->unplaced += parts[i].unplaced;
        }
    }
}
