#include "gv_voxel.h"

#include <math.h>

#include "gv_os.h"

/* Rows whose bins, cells and values are in the first-level cache at once. */
#define BLOCK ((size_t)1024)

/* What a number without a bin has for one; the least on all axes says what becomes of the row. */
#define OUTSIDE (-1)
#define UNPLACED (-2)

/* ---------------------------------------------------------------------------------------------
 * Numbers
 * ------------------------------------------------------------------------------------------ */

/* Every type but that of times, which are int64 with a NaN. */
/* clang-format off */
#define FOR_EACH_TYPE(do)            \
    do(GV_VOXEL_F32, f32, float)     \
    do(GV_VOXEL_F64, f64, double)    \
    do(GV_VOXEL_I8, i8, int8_t)      \
    do(GV_VOXEL_U8, u8, uint8_t)     \
    do(GV_VOXEL_I16, i16, int16_t)   \
    do(GV_VOXEL_U16, u16, uint16_t)  \
    do(GV_VOXEL_I32, i32, int32_t)   \
    do(GV_VOXEL_U32, u32, uint32_t)  \
    do(GV_VOXEL_I64, i64, int64_t)   \
    do(GV_VOXEL_U64, u64, uint64_t)
/* clang-format on */

#define DEFINE_LOADS(number, name, type)                                                       \
    static inline void load_##name(const uint8_t *at, ptrdiff_t stride, size_t n, double *out) \
    {                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                       \
            type x;                                                                            \
            memcpy(&x, at + (ptrdiff_t)i * stride, sizeof x);                                  \
            out[i] = (double)x;                                                                \
        }                                                                                      \
    }                                                                                          \
    static inline void pick_##name(const uint8_t *at, ptrdiff_t stride, const uint32_t *rows,  \
                                   size_t n, double *out)                                      \
    {                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                       \
            type x;                                                                            \
            memcpy(&x, at + (ptrdiff_t)rows[i] * stride, sizeof x);                            \
            out[i] = (double)x;                                                                \
        }                                                                                      \
    }
FOR_EACH_TYPE(DEFINE_LOADS)

/* The least int64 is no time; what else is rounded to -2^63 is as far from any. */
static void
clear_no_times(size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = out[i] == (double)INT64_MIN ? (double)NAN : out[i];
    }
}

/* The numbers first..first + n. */
GV_CLONES static void
load(const struct gv_voxel_column *numbers, size_t first, size_t n, double *out)
{
    const ptrdiff_t stride = numbers->stride;
    const uint8_t *at = numbers->data + (ptrdiff_t)first * stride;
    switch (numbers->type) {
    case GV_VOXEL_TIME:
        load_i64(at, stride, n, out);
        clear_no_times(n, out);
        return;
    case GV_VOXEL_F32:
        /* Columns of one number and of three: with a step that it knows the compiler uses vectors.
         */
        if (stride == 4) {
            load_f32(at, 4, n, out);
            return;
        }
        if (stride == 12) {
            load_f32(at, 12, n, out);
            return;
        }
        break;
    default:
        break;
    }
#define CASE(number, name, type)         \
    case number:                         \
        load_##name(at, stride, n, out); \
        break;
    switch (numbers->type) {
        FOR_EACH_TYPE(CASE)
    default:
        break;
    }
#undef CASE
}

/* The numbers first + rows[i]. */
static void
pick(const struct gv_voxel_column *numbers, size_t first, const uint32_t *rows, size_t n,
     double *out)
{
    const ptrdiff_t stride = numbers->stride;
    const uint8_t *at = numbers->data + (ptrdiff_t)first * stride;
#define CASE(number, name, type)               \
    case number:                               \
        pick_##name(at, stride, rows, n, out); \
        break;
    switch (numbers->type) {
        FOR_EACH_TYPE(CASE)
    case GV_VOXEL_TIME:
        pick_i64(at, stride, rows, n, out);
        clear_no_times(n, out);
        break;
    default:
        break;
    }
#undef CASE
}

GV_CLONES static void
clear_infinite(size_t n, double *numbers)
{
    for (size_t i = 0; i < n; i++) {
        numbers[i] = numbers[i] - numbers[i] == 0.0 ? numbers[i] : (double)NAN;
    }
}

/* Lanes that a search keeps apart, so that vectors can. */
#define LANES ((size_t)8)

/* Goes on with n numbers, a multiple of LANES, those of them whose `sums` are finite. */
GV_CLONES static void
widen(const double *numbers, const double *sums, size_t n, double least[LANES],
      double greatest[LANES])
{
    double low[LANES], high[LANES];
    memcpy(low, least, sizeof low);
    memcpy(high, greatest, sizeof high);
    for (size_t i = 0; i < n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            double x = numbers[i + lane], sum = sums[i + lane];
            bool is_finite = sum - sum == 0.0;
            low[lane] = is_finite & (x < low[lane]) ? x : low[lane];
            high[lane] = is_finite & (x > high[lane]) ? x : high[lane];
        }
    }
    memcpy(least, low, sizeof low);
    memcpy(greatest, high, sizeof high);
}

/* Zero for a finite number, else NaN: sums of these tell whether all are finite. */
GV_CLONES static void
add_defects(const double *restrict numbers, size_t n, double *restrict sums)
{
    for (size_t i = 0; i < n; i++) {
        sums[i] += numbers[i] - numbers[i];
    }
}

/* The extents, from those of the lanes; false where there are none. */
static bool
join_lanes(const double low[LANES], const double high[LANES], double *least, double *greatest)
{
    *least = low[0];
    *greatest = high[0];
    for (size_t lane = 1; lane < LANES; lane++) {
        *least = low[lane] < *least ? low[lane] : *least;
        *greatest = high[lane] > *greatest ? high[lane] : *greatest;
    }
    return *least <= *greatest;
}

bool
gv_voxel_extent(const struct gv_voxel_column columns[], unsigned n, size_t rows, double low[],
                double high[])
{
    double numbers[GV_VOXEL_AXES][BLOCK], sums[BLOCK];
    double least[GV_VOXEL_AXES][LANES], greatest[GV_VOXEL_AXES][LANES];
    assert(n >= 1 && n <= GV_VOXEL_AXES);
    for (unsigned i = 0; i < n * LANES; i++) {
        least[i / LANES][i % LANES] = (double)INFINITY;
        greatest[i / LANES][i % LANES] = (double)-INFINITY;
    }
    for (size_t first = 0; first < rows; first += BLOCK) {
        size_t many = gv_min_size(BLOCK, rows - first);
        memset(sums, 0, sizeof sums);
        for (unsigned i = 0; i < n; i++) {
            load(&columns[i], first, many, numbers[i]);
            add_defects(numbers[i], many, sums);
        }
        for (; many % LANES != 0; many++) {
            sums[many] = (double)NAN;
            for (unsigned i = 0; i < n; i++) {
                numbers[i][many] = 0.0;
            }
        }
        for (unsigned i = 0; i < n; i++) {
            widen(numbers[i], sums, many, least[i], greatest[i]);
        }
    }
    bool is_found = true;
    for (unsigned i = 0; i < n; i++) {
        is_found = join_lanes(least[i], greatest[i], &low[i], &high[i]) && is_found;
    }
    return is_found;
}

/* ---------------------------------------------------------------------------------------------
 * Edges
 * ------------------------------------------------------------------------------------------ */

bool
gv_voxel_are_edges(const double *edges, size_t bins)
{
    bool are_edges = edges[0] - edges[0] == 0.0 && edges[bins] - edges[bins] == 0.0;
    for (size_t k = 0; are_edges && k < bins; k++) {
        are_edges = edges[k] < edges[k + 1];
    }
    return are_edges;
}

bool
gv_voxel_cells(const struct gv_voxel_grid *grid, size_t *cells)
{
    *cells = 1;
    for (unsigned i = 0; i < grid->n_axes; i++) {
        size_t bins = grid->axes[i].bins;
        if (bins < 1 || bins > GV_VOXEL_BINS_MOST || !gv_mul_size(*cells, bins, cells) ||
            *cells > GV_VOXEL_CELLS_MOST) {
            return false;
        }
    }
    return grid->n_axes > 0;
}

/* The bin that a number within the edges seems to have, were they even: rounded down, and never
 * less for a greater number, as neither subtraction nor multiplication rounds out of order. */
static inline int32_t
guess_bin(double number, double first, double scale, int32_t last_bin)
{
    double guess = (number - first) * scale;
    guess = guess < (double)last_bin ? guess : (double)last_bin;
    return (int32_t)guess;
}

/* Bins a unit, if guesses are never more than one off: where that of every edge k is k or k - 1,
 * then, guesses being in order, that of a number in bin k is from k - 1 to k + 1.  Else 0. */
static double
even_scale(const double *edges, size_t bins)
{
    double scale = (double)bins / (edges[bins] - edges[0]);
    if (!(scale > 0.0) || !(scale - scale == 0.0)) {
        return 0.0;
    }
    for (size_t k = 0; k < bins; k++) {
        size_t guess = (size_t)guess_bin(edges[k], edges[0], scale, (int32_t)bins - 1);
        if (guess != k && guess + 1 != k) {
            return 0.0;
        }
    }
    return scale;
}

/* ---------------------------------------------------------------------------------------------
 * From numbers to cells
 * ------------------------------------------------------------------------------------------ */

/* A call of gv_voxel_add().  Borrows: all of it.  scale[i]: bins a unit where the edges of axis i
 * are even, else 0. */
struct job {
    struct gv_voxel_grid *grid;
    const struct gv_voxel_column *coordinates, *values;
    size_t rows, cells;
    double scale[GV_VOXEL_AXES];
};

/* The numbers of rows first..first + n. */
static void
read_rows(const struct job *job, const struct gv_voxel_column *column, size_t first, size_t n,
          double *numbers)
{
    load(column, first, n, numbers);
    if (job->grid->is_finite) {
        clear_infinite(n, numbers);
    }
}

/* The bins of numbers between even edges: a guess, and what it is off. */
GV_CLONES static void
find_even(const double *restrict edges, size_t bins, double scale, const double *restrict numbers,
          size_t n, int32_t *restrict found)
{
    const double first = edges[0], end = edges[bins];
    const int32_t last = (int32_t)bins - 1;
    for (size_t i = 0; i < n; i++) {
        double x = numbers[i];
        bool is_in = (x >= first) & (x <= end);
        int32_t bin = guess_bin(is_in ? x : first, first, scale, last);
        bin -= x < edges[bin];
        bin += (x >= edges[bin + 1]) & (bin < last);
        found[i] = is_in ? bin : x != x ? UNPLACED : OUTSIDE;
    }
}

/* The same between any edges: by halves, without a branch. */
static void
find_uneven(const double *edges, size_t bins, const double *numbers, size_t n, int32_t *found)
{
    for (size_t i = 0; i < n; i++) {
        double x = numbers[i];
        size_t low = 0;
        /* Invariant: edges[low] <= x < edges[low + left], but for what is on the last edge. */
        for (size_t left = bins; left > 1; left -= left / 2) {
            size_t middle = low + left / 2;
            low = x >= edges[middle] ? middle : low;
        }
        bool is_in = (x >= edges[0]) & (x <= edges[bins]);
        found[i] = is_in ? (int32_t)low : x != x ? UNPLACED : OUTSIDE;
    }
}

static void
find_bins(const struct job *job, unsigned axis, const double *numbers, size_t n, int32_t *found)
{
    const struct gv_voxel_axis *along = &job->grid->axes[axis];
    if (job->scale[axis] > 0.0) {
        find_even(along->edges, along->bins, job->scale[axis], numbers, n, found);
    } else {
        find_uneven(along->edges, along->bins, numbers, n, found);
    }
}

/* Goes on from the cells on the axes before: each bin of those has `bins` here. */
GV_CLONES static void
refine(size_t bins, const int32_t *restrict found, size_t n, int64_t *restrict cells,
       int32_t *restrict fates)
{
    for (size_t i = 0; i < n; i++) {
        cells[i] = cells[i] * (int64_t)bins + found[i];
        fates[i] = found[i] < fates[i] ? found[i] : fates[i];
    }
}

GV_CLONES static void
begin_cells(const int32_t *restrict found, size_t n, int64_t *restrict cells,
            int32_t *restrict fates)
{
    for (size_t i = 0; i < n; i++) {
        cells[i] = found[i];
        fates[i] = found[i];
    }
}

/* Rows without a bin on every axis get the cells behind the last. */
GV_CLONES static void
settle(int64_t outside, const int32_t *restrict fates, size_t n, int64_t *restrict cells)
{
    for (size_t i = 0; i < n; i++) {
        cells[i] = fates[i] >= 0 ? cells[i] : outside + (OUTSIDE - fates[i]);
    }
}

/* The cells of n <= BLOCK rows. */
static void
find_cells(const struct job *job, size_t first, size_t n, int64_t *cells)
{
    const struct gv_voxel_grid *grid = job->grid;
    double numbers[BLOCK];
    int32_t found[BLOCK], fates[BLOCK];
    for (unsigned axis = 0; axis < grid->n_axes; axis++) {
        read_rows(job, &job->coordinates[axis], first, n, numbers);
        find_bins(job, axis, numbers, n, found);
        if (axis == 0) {
            begin_cells(found, n, cells, fates);
        } else {
            refine(grid->axes[axis].bins, found, n, cells, fates);
        }
    }
    settle((int64_t)job->cells, fates, n, cells);
}

/* ---------------------------------------------------------------------------------------------
 * Adding
 * ------------------------------------------------------------------------------------------ */

static void
count(uint64_t *counts, const int64_t *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        counts[cells[i]]++;
    }
}

static void
add_up(const struct gv_voxel_sum *into, const int64_t *cells, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (GV_LIKELY(values[i] == values[i])) {
            into->sum[cells[i]] += values[i];
        } else {
            into->missing[cells[i]]++;
        }
    }
}

static void
add_alone(const struct job *job)
{
    const struct gv_voxel_grid *grid = job->grid;
    int64_t cells[BLOCK];
    double numbers[BLOCK];
    for (size_t first = 0; first < job->rows; first += BLOCK) {
        size_t n = gv_min_size(BLOCK, job->rows - first);
        find_cells(job, first, n, cells);
        count(grid->counts, cells, n);
        for (unsigned i = 0; i < grid->n_sums; i++) {
            read_rows(job, &job->values[i], first, n, numbers);
            add_up(&grid->sums[i], cells, numbers, n);
        }
    }
}

/* Several threads: each cell has an owner, who alone adds to it, in the order of the rows.
 *
 *     round   rows      thread 0 tile | thread 1 tile | ...   each finds the cells of its tile and
 *       |               |                                     sorts them by their owners, meet
 *       v               v
 *             owner 0   its part of tile 0, of tile 1, ...    then adds what it owns of all tiles
 *
 * While one thread still adds a round another may sort the next; so there are two tiles a thread,
 * and they meet once a round. */

/* Rows in a tile: its entries, in three arrays, fit the second-level cache. */
#define TILE_BITS 15
#define TILE ((size_t)1 << TILE_BITS)

/* Entries: cell << TILE_BITS | row in the tile. */
struct worker {
    struct team *team;
    unsigned number;
    pthread_t thread;
    size_t starts[2][GV_VOXEL_THREADS + 1]; /* of the owners' parts */
    uint64_t entries[TILE];
    uint64_t sorted[2][TILE];
};

/* Borrows: all of it.  Invariant, with the lock held: arrived < n. */
struct team {
    const struct job *job;
    struct worker *workers;
    unsigned n; /* set before the lock is first let go */
    struct gv_os_lock lock;
    unsigned arrived;
    uint64_t meetings;
};

/* Cells that share a cache line share an owner; neighbours of these do not. */
static inline unsigned
owner_of(uint64_t cell, unsigned n)
{
    uint32_t mixed = ((uint32_t)(cell >> 3) * 0x9e3779b1u) >> 16;
    return (mixed * n) >> 16;
}

static void
meet(struct team *team)
{
    gv_os_lock(&team->lock);
    uint64_t meeting = team->meetings;
    if (++team->arrived == team->n) {
        team->arrived = 0;
        team->meetings++;
        gv_os_wake(&team->lock);
    } else {
        while (team->meetings == meeting) {
            gv_os_wait(&team->lock, 0);
        }
    }
    gv_os_unlock(&team->lock);
}

/* Finds the cells of n rows and sorts them by their owners, those of one owner in order. */
static void
sort_tile(struct worker *worker, size_t first, size_t n, unsigned side)
{
    const struct team *team = worker->team;
    int64_t cells[BLOCK];
    size_t *starts = worker->starts[side];
    size_t at[GV_VOXEL_THREADS + 1] = {0};
    for (size_t done = 0; done < n; done += BLOCK) {
        size_t many = gv_min_size(BLOCK, n - done);
        find_cells(team->job, first + done, many, cells);
        for (size_t i = 0; i < many; i++) {
            worker->entries[done + i] = (uint64_t)cells[i] << TILE_BITS | (done + i);
            at[owner_of((uint64_t)cells[i], team->n) + 1]++;
        }
    }
    for (unsigned owner = 0; owner < team->n; owner++) {
        at[owner + 1] += at[owner];
    }
    memcpy(starts, at, sizeof at);
    for (size_t i = 0; i < n; i++) {
        unsigned owner = owner_of(worker->entries[i] >> TILE_BITS, team->n);
        worker->sorted[side][at[owner]++] = worker->entries[i];
    }
}

/* Adds the entries of a tile that begins at row `first`. */
static void
add_entries(const struct job *job, size_t first, const uint64_t *entries, size_t n_entries)
{
    const struct gv_voxel_grid *grid = job->grid;
    int64_t cells[BLOCK];
    uint32_t rows[BLOCK];
    double numbers[BLOCK];
    for (size_t done = 0; done < n_entries; done += BLOCK) {
        size_t n = gv_min_size(BLOCK, n_entries - done);
        for (size_t i = 0; i < n; i++) {
            cells[i] = (int64_t)(entries[done + i] >> TILE_BITS);
            rows[i] = (uint32_t)(entries[done + i] & (TILE - 1));
        }
        count(grid->counts, cells, n);
        for (unsigned i = 0; i < grid->n_sums; i++) {
            pick(&job->values[i], first, rows, n, numbers);
            if (grid->is_finite) {
                clear_infinite(n, numbers);
            }
            add_up(&grid->sums[i], cells, numbers, n);
        }
    }
}

static void
work(struct worker *worker)
{
    struct team *team = worker->team;
    unsigned side = 0;
    for (size_t round = 0; round < team->job->rows; side = 1 - side) {
        size_t left = team->job->rows - round;
        size_t first = gv_min_size(worker->number * TILE, left);
        sort_tile(worker, round + first, gv_min_size(TILE, left - first), side);
        meet(team);
        for (unsigned i = 0; i < team->n; i++) {
            const size_t *starts = &team->workers[i].starts[side][worker->number];
            add_entries(team->job, round + i * TILE, team->workers[i].sorted[side] + starts[0],
                        starts[1] - starts[0]);
        }
        round += gv_min_size(team->n * TILE, left);
    }
}

static void *
run(void *context)
{
    struct worker *worker = context;
    gv_os_lock(&worker->team->lock); /* until all who come are there */
    gv_os_unlock(&worker->team->lock);
    work(worker);
    return NULL;
}

/* False, and nothing done, where no other thread can be had. */
static bool
add_together(const struct job *job, struct gv_pool *pool, unsigned threads)
{
    struct team team = {.job = job};
    struct gv_piece piece = {0};
    if (!gv_pool_get(pool, threads * sizeof *team.workers, &piece)) {
        return false;
    }
    size_t used = piece.capacity;
    if (!gv_os_lock_init(&team.lock)) {
        gv_pool_put(pool, &piece, used);
        return false;
    }
    team.workers = (struct worker *)(void *)piece.base;
    gv_os_lock(&team.lock);
    for (bool has_come = true; has_come && team.n < threads;) {
        struct worker *worker = &team.workers[team.n];
        worker->team = &team;
        worker->number = team.n;
        has_come = team.n == 0 || gv_os_thread_start(&worker->thread, run, worker);
        team.n += has_come;
    }
    gv_os_unlock(&team.lock);
    bool is_team = team.n > 1;
    if (is_team) {
        work(&team.workers[0]);
    }
    for (unsigned i = 1; i < team.n; i++) {
        gv_os_thread_join(team.workers[i].thread);
    }
    gv_os_lock_deinit(&team.lock);
    gv_pool_put(pool, &piece, used);
    return is_team;
}

void
gv_voxel_add(struct gv_voxel_grid *grid, const struct gv_voxel_column coordinates[],
             const struct gv_voxel_column values[], size_t rows, struct gv_pool *pool,
             unsigned threads)
{
    struct job job = {.grid = grid, .coordinates = coordinates, .values = values, .rows = rows};
    bool is_valid = gv_voxel_cells(grid, &job.cells);
    assert(is_valid && threads >= 1 && grid->n_sums <= GV_VOXEL_SUMS);
    (void)is_valid;
    for (unsigned i = 0; rows > 0 && i < grid->n_axes; i++) {
        assert(gv_voxel_are_edges(grid->axes[i].edges, grid->axes[i].bins));
        job.scale[i] = even_scale(grid->axes[i].edges, grid->axes[i].bins);
    }
    size_t most = gv_min_size(gv_min_size(threads, GV_VOXEL_THREADS), rows / TILE);
    if (most < 2 || !add_together(&job, pool, (unsigned)most)) {
        add_alone(&job);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Grids of grids
 * ------------------------------------------------------------------------------------------ */

/* Axes of both grids, those that are not there first and of one bin. */
struct frame {
    size_t bins[GV_VOXEL_AXES], into[GV_VOXEL_AXES], shifts[GV_VOXEL_AXES], factors[GV_VOXEL_AXES];
};

static struct frame
make_frame(const struct gv_voxel_grid *into, const struct gv_voxel_grid *from,
           const size_t shifts[], const size_t factors[])
{
    struct frame frame;
    unsigned absent = GV_VOXEL_AXES - from->n_axes;
    for (unsigned i = 0; i < GV_VOXEL_AXES; i++) {
        bool is_there = i >= absent;
        frame.bins[i] = is_there ? from->axes[i - absent].bins : 1;
        frame.into[i] = is_there ? into->axes[i - absent].bins : 1;
        frame.shifts[i] = is_there ? shifts[i - absent] : 0;
        frame.factors[i] = is_there ? factors[i - absent] : 1;
        assert((frame.bins[i] - 1 + frame.shifts[i]) / frame.factors[i] < frame.into[i]);
    }
    return frame;
}

/* Adds a row of cells along the last axis to one that begins at `to`, and the arrays of n cells
 * behind the last one. */
#define DEFINE_MERGE(name, type)                                                                \
    static void add_row_##name(const struct frame *frame, const type *from, type *to)           \
    {                                                                                           \
        size_t by = frame->factors[2], left = by - frame->shifts[2] % by;                       \
        to += frame->shifts[2] / by;                                                            \
        for (size_t k = 0; k < frame->bins[2]; to++, left = by) {                               \
            for (size_t end = gv_min_size(frame->bins[2], k + left); k < end; k++) {            \
                *to += from[k];                                                                 \
            }                                                                                   \
        }                                                                                       \
    }                                                                                           \
    static void merge_##name(const struct frame *frame, const type *from, type *to, size_t end) \
    {                                                                                           \
        for (size_t i = 0; i < frame->bins[0]; i++) {                                           \
            size_t plane = (i + frame->shifts[0]) / frame->factors[0] * frame->into[1];         \
            for (size_t j = 0; j < frame->bins[1]; j++) {                                       \
                size_t row = plane + (j + frame->shifts[1]) / frame->factors[1];                \
                add_row_##name(frame, from, to + row * frame->into[2]);                         \
                from += frame->bins[2];                                                         \
            }                                                                                   \
        }                                                                                       \
        for (size_t i = 0; i < GV_VOXEL_BEHIND; i++) {                                          \
            to[end + i] += from[i];                                                             \
        }                                                                                       \
    }
DEFINE_MERGE(whole, uint64_t)
DEFINE_MERGE(real, double)

void
gv_voxel_merge(struct gv_voxel_grid *into, const struct gv_voxel_grid *from, const size_t shifts[],
               const size_t factors[])
{
    size_t end;
    bool is_valid = gv_voxel_cells(into, &end);
    assert(is_valid && into->n_axes == from->n_axes && into->n_sums == from->n_sums);
    (void)is_valid;
    struct frame frame = make_frame(into, from, shifts, factors);
    merge_whole(&frame, from->counts, into->counts, end);
    for (unsigned i = 0; i < from->n_sums; i++) {
        merge_real(&frame, from->sums[i].sum, into->sums[i].sum, end);
        merge_whole(&frame, from->sums[i].missing, into->sums[i].missing, end);
    }
}
