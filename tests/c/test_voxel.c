/* Grids against counts made row by row, with bins found by going through the edges. */
#include "check.h"
#include "gv.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#define MIB ((size_t)1 << 20)

static struct gv_pool *pool;

/* ---------------------------------------------------------------------------------------------
 * What is expected
 * ------------------------------------------------------------------------------------------ */

/* The bin of a number: -1 outside, -2 NaN. */
static int64_t
bin_of(const double *edges, size_t bins, double number)
{
    if (isnan(number)) {
        return -2;
    }
    if (number == edges[bins]) {
        return (int64_t)bins - 1;
    }
    for (size_t k = 0; k < bins; k++) {
        if (edges[k] <= number && number < edges[k + 1]) {
            return (int64_t)k;
        }
    }
    return -1;
}

static void
fill_edges(double *edges, size_t bins, double low, double high)
{
    for (size_t k = 0; k <= bins; k++) {
        edges[k] = (double)k * ((high - low) / (double)bins) + low;
    }
    edges[bins] = high;
}

static struct gv_voxel_column
doubles(const double *data)
{
    return (struct gv_voxel_column){(const uint8_t *)data, sizeof *data, GV_VOXEL_F64};
}

/* A grid and its memory, from malloc(). */
struct made {
    struct gv_voxel_grid grid;
    size_t bins[GV_VOXEL_AXES], cells;
    double *edges[GV_VOXEL_AXES];
    uint64_t *block;
};

static void
make(struct made *made, unsigned n_axes, const size_t bins[], unsigned n_sums)
{
    *made = (struct made){.grid = {.n_axes = n_axes, .n_sums = n_sums}};
    for (unsigned i = 0; i < n_axes; i++) {
        made->bins[i] = bins[i];
        made->edges[i] = calloc(bins[i] + 1, sizeof(double));
        REQUIRE(made->edges[i] != NULL);
        made->grid.axes[i] = (struct gv_voxel_axis){made->edges[i], bins[i]};
    }
    REQUIRE(gv_voxel_cells(&made->grid, &made->cells));
    size_t each = made->cells + GV_VOXEL_BEHIND;
    made->block = calloc((1 + 2 * n_sums) * each, sizeof(uint64_t));
    REQUIRE(made->block != NULL);
    made->grid.counts = made->block;
    for (unsigned i = 0; i < n_sums; i++) {
        made->grid.sums[i].sum = (double *)(void *)(made->block + (1 + 2 * i) * each);
        made->grid.sums[i].missing = made->block + (2 + 2 * i) * each;
    }
}

static void
drop(struct made *made)
{
    for (unsigned i = 0; i < made->grid.n_axes; i++) {
        free(made->edges[i]);
    }
    free(made->block);
}

static void
add(struct made *made, const struct gv_voxel_column axes[], const struct gv_voxel_column values[],
    size_t rows, unsigned threads)
{
    gv_voxel_add(&made->grid, axes, values, rows, pool, threads);
}

static uint64_t
outside(const struct made *made)
{
    return made->grid.counts[made->cells];
}

static uint64_t
unplaced(const struct made *made)
{
    return made->grid.counts[made->cells + 1];
}

static bool
extent(const struct gv_voxel_column *column, size_t rows, double *least, double *greatest)
{
    return gv_voxel_extent(column, 1, rows, least, greatest);
}

/* A grid of one axis with these edges. */
static struct made
line_of(const double *edges, size_t bins, unsigned n_sums)
{
    struct made made;
    make(&made, 1, &bins, n_sums);
    memcpy(made.edges[0], edges, (bins + 1) * sizeof *edges);
    return made;
}

static void
check_bin(struct made *grid, double number)
{
    size_t rows = 1;
    struct gv_voxel_column numbers = doubles(&number);
    int64_t expected = bin_of(grid->edges[0], grid->bins[0], number);
    size_t cell = expected >= 0 ? (size_t)expected : grid->cells + (size_t)(-1 - expected);
    int64_t before = grid->grid.counts[cell];
    check_case("%.17g among %zu bins of %.17g..%.17g", number, grid->bins[0], grid->edges[0][0],
               grid->edges[0][grid->bins[0]]);
    add(grid, &numbers, NULL, rows, 1);
    CHECK_I(grid->grid.counts[cell], before + 1);
    check_case("%s", "");
}

/* ---------------------------------------------------------------------------------------------
 * Bins
 * ------------------------------------------------------------------------------------------ */

/* Each edge, its neighbours, and what lies between. */
static void
check_edges(const double *edges, size_t bins)
{
    struct made grid = line_of(edges, bins, 0);
    for (size_t k = 0; k <= bins; k++) {
        check_bin(&grid, edges[k]);
        check_bin(&grid, nextafter(edges[k], -INFINITY));
        check_bin(&grid, nextafter(edges[k], INFINITY));
        if (k < bins) {
            check_bin(&grid, edges[k] / 2 + edges[k + 1] / 2);
        }
    }
    check_bin(&grid, -INFINITY);
    check_bin(&grid, INFINITY);
    check_bin(&grid, (double)NAN);
    check_bin(&grid, -DBL_MAX);
    check_bin(&grid, -0.0);
    CHECK_U(unplaced(&grid), 1);
    drop(&grid);
}

static void
test_bins(void)
{
    static double edges[1001];
    static const double spans[][2] = {
        {0.0, 1.0},       {-1.0, 1.0},          {0.1, 0.7},           {-3.3, 1e9},
        {1e-300, 2e-300}, {1e15, 1e15 + 1000.}, {-1e300, 1e300},      {5e-324, 5e-321},
        {-1e-9, 1e9},     {0.0, 4294967295.0},  {1e16, 1e16 + 2000.},
    };
    static const size_t many[] = {1, 2, 3, 7, 10, 49, 100, 1000};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        for (size_t j = 0; j < sizeof many / sizeof *many; j++) {
            fill_edges(edges, many[j], spans[i][0], spans[i][1]);
            /* Between 5e-321 and nothing there are no thousand numbers. */
            if (gv_voxel_are_edges(edges, many[j])) {
                check_edges(edges, many[j]);
            }
        }
    }
    fill_edges(edges, 512, -1.0, 1.0);
    check_edges(edges, 512);
    for (size_t k = 0; k <= 300; k++) {
        edges[k] = pow(10.0, (double)k / 50.0);
    }
    check_edges(edges, 300);
    /* Even but for one edge: guesses would be two off. */
    fill_edges(edges, 100, 0.0, 100.0);
    edges[50] = 52.5, edges[51] = 52.6, edges[52] = 52.7;
    check_edges(edges, 100);
    check_edges((const double[]){-DBL_MAX, 0.0, DBL_MAX}, 2);
}

static void
test_edges_that_are_none(void)
{
    const double nan = (double)NAN, infinity = (double)INFINITY;
    CHECK(!gv_voxel_are_edges((const double[]){0.0, 0.0, 1.0}, 2));
    CHECK(!gv_voxel_are_edges((const double[]){0.0, 1.0, 1.0}, 2));
    CHECK(!gv_voxel_are_edges((const double[]){0.0, 2.0, 1.0}, 2));
    CHECK(!gv_voxel_are_edges((const double[]){0.0, nan, 1.0}, 2));
    CHECK(!gv_voxel_are_edges((const double[]){nan, 0.0, 1.0}, 2));
    CHECK(!gv_voxel_are_edges((const double[]){-infinity, 0.0, 1.0}, 2));
    CHECK(!gv_voxel_are_edges((const double[]){0.0, 1.0, infinity}, 2));
    CHECK(gv_voxel_are_edges((const double[]){-DBL_MAX, 0.0, DBL_MAX}, 2));
}

static void
test_how_many_cells(void)
{
    size_t cells;
    struct gv_voxel_grid grid = {.n_axes = 3, .axes = {{NULL, 2}, {NULL, 3}, {NULL, 5}}};
    CHECK(gv_voxel_cells(&grid, &cells));
    CHECK_U(cells, 30);
    grid.axes[1].bins = (size_t)1 << 40;
    CHECK(!gv_voxel_cells(&grid, &cells));
    grid.axes[1].bins = 0;
    CHECK(!gv_voxel_cells(&grid, &cells));
    for (unsigned i = 0; i < 3; i++) {
        grid.axes[i].bins = GV_VOXEL_BINS_MOST;
    }
    CHECK(!gv_voxel_cells(&grid, &cells));
    grid.n_axes = 0;
    CHECK(!gv_voxel_cells(&grid, &cells));
}

/* ---------------------------------------------------------------------------------------------
 * Types
 * ------------------------------------------------------------------------------------------ */

#define CHECK_TYPE(number, type, ...)                                                             \
    do {                                                                                          \
        struct {                                                                                  \
            uint8_t odd;                                                                          \
            type value[3];                                                                        \
        } __attribute__((packed)) rows[] = {__VA_ARGS__};                                         \
        size_t n = sizeof rows / sizeof *rows;                                                    \
        double sum = 0.0, least, greatest, low = INFINITY, high = -INFINITY;                      \
        for (int back = 0; back < 2; back++) {                                                    \
            struct made grid = line_of((const double[]){-1e300, 1e300}, 1, 1);                    \
            struct gv_voxel_column numbers = {(const uint8_t *)&rows[back ? n - 1 : 0].value[1],  \
                                              (back ? -1 : 1) * (ptrdiff_t)sizeof *rows, number}; \
            sum = 0.0;                                                                            \
            for (size_t i = 0; i < n; i++) {                                                      \
                double x = (double)rows[back ? n - 1 - i : i].value[1];                           \
                sum += x;                                                                         \
                low = x < low ? x : low;                                                          \
                high = x > high ? x : high;                                                       \
            }                                                                                     \
            add(&grid, &numbers, &numbers, n, 1);                                                 \
            CHECK_I(grid.grid.counts[0], n);                                                      \
            CHECK_F(grid.grid.sums[0].sum[0], sum);                                               \
            REQUIRE(extent(&numbers, n, &least, &greatest));                                      \
            CHECK_F(least, low);                                                                  \
            CHECK_F(greatest, high);                                                              \
            drop(&grid);                                                                          \
        }                                                                                         \
    } while (0)

static void
test_types(void)
{
    CHECK_TYPE(GV_VOXEL_F32, float, {0, {0, 0.1f, 0}}, {0, {0, -3e38f, 0}});
    CHECK_TYPE(GV_VOXEL_F64, double, {0, {0, 0.1, 0}}, {0, {0, -3e200, 0}});
    CHECK_TYPE(GV_VOXEL_I8, int8_t, {0, {0, INT8_MIN, 0}}, {0, {0, INT8_MAX, 0}});
    CHECK_TYPE(GV_VOXEL_U8, uint8_t, {0, {9, 0, 9}}, {0, {9, UINT8_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_I16, int16_t, {0, {9, INT16_MIN, 9}}, {0, {9, INT16_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_U16, uint16_t, {0, {9, 1, 9}}, {0, {9, UINT16_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_I32, int32_t, {0, {9, INT32_MIN, 9}}, {0, {9, INT32_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_U32, uint32_t, {0, {9, 1, 9}}, {0, {9, UINT32_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_I64, int64_t, {0, {9, INT64_MIN, 9}}, {0, {9, INT64_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_U64, uint64_t, {0, {9, 1, 9}}, {0, {9, UINT64_MAX, 9}});
    CHECK_TYPE(GV_VOXEL_TIME, int64_t, {0, {9, -5, 9}}, {0, {9, 1700000000000000, 9}});
}

static void
test_no_time(void)
{
    int64_t times[] = {INT64_MIN, 5, INT64_MIN};
    double least, greatest;
    struct gv_voxel_column numbers = {(const uint8_t *)times, sizeof *times, GV_VOXEL_TIME};
    struct made grid = line_of((const double[]){0.0, 10.0}, 1, 1);
    add(&grid, &numbers, &numbers, 3, 1);
    CHECK_I(grid.grid.counts[0], 1);
    CHECK_F(grid.grid.sums[0].sum[0], 5.0);
    CHECK_U(unplaced(&grid), 2);
    CHECK_I(grid.grid.sums[0].missing[2], 2);
    CHECK(extent(&numbers, 3, &least, &greatest));
    CHECK_F(least, 5.0);
    CHECK_F(greatest, 5.0);
    CHECK(!extent(&numbers, 1, &least, &greatest));
    CHECK(!extent(&numbers, 0, &least, &greatest));
    drop(&grid);
}

static void
test_extent(void)
{
    static float numbers[5000][3];
    for (size_t i = 0; i < 5000; i++) {
        numbers[i][1] = i % 3 == 0 ? (float)NAN : i % 3 == 1 ? (float)INFINITY : (float)-INFINITY;
    }
    struct gv_voxel_column column = {(const uint8_t *)&numbers[0][1], sizeof *numbers,
                                     GV_VOXEL_F32};
    double least, greatest;
    CHECK(!extent(&column, 5000, &least, &greatest));
    for (size_t at = 0; at < 5000; at += 331) {
        numbers[at][1] = -2.5f;
        numbers[4999 - at][1] = 1.5f;
        check_case("row %zu", at);
        REQUIRE(extent(&column, 5000, &least, &greatest));
        CHECK_F(least, -2.5);
        CHECK_F(greatest, 1.5);
        numbers[at][1] = numbers[4999 - at][1] = (float)NAN;
    }
    check_case("%s", "");
}

/* ---------------------------------------------------------------------------------------------
 * Whole grids
 * ------------------------------------------------------------------------------------------ */

/* Rows of three axes and two values, more than three threads take in a round. */
#define ROWS (((size_t)7 << 15) + 77)

static struct {
    float place[ROWS][3];
    float first[ROWS];
    double second[ROWS];
} table;

static void
fill_table(void)
{
    uint64_t random = 5;
    for (size_t i = 0; i < ROWS; i++) {
        for (unsigned axis = 0; axis < 3; axis++) {
            size_t way = check_below(&random, 1000);
            double unit = (double)(check_random(&random) >> 11) * 0x1p-53;
            table.place[i][axis] = way == 0   ? (float)NAN
                                   : way == 1 ? (float)INFINITY
                                   : way < 50 ? (float)check_below(&random, 9) / 8.0f
                                              : (float)(unit * unit * 1.1 - 0.02);
        }
        table.first[i] = check_below(&random, 50) == 0 ? (float)NAN : (float)(i % 40) / 3.0f;
        /* Sums of these depend on their order. */
        table.second[i] = (double)(int64_t)check_random(&random) * 1e-3;
    }
}

static void
make_columns(size_t first, struct gv_voxel_column axes[3], struct gv_voxel_column values[2])
{
    for (unsigned axis = 0; axis < 3; axis++) {
        axes[axis] = (struct gv_voxel_column){(const uint8_t *)&table.place[first][axis],
                                              sizeof *table.place, GV_VOXEL_F32};
    }
    values[0] = (struct gv_voxel_column){(const uint8_t *)&table.first[first], sizeof *table.first,
                                         GV_VOXEL_F32};
    values[1] = doubles(&table.second[first]);
}

static void
init_grid(struct made *grid, unsigned n_axes, const size_t bins[])
{
    make(grid, n_axes, bins, 2);
    for (unsigned axis = 0; axis < n_axes; axis++) {
        fill_edges(grid->edges[axis], bins[axis], 0.0, 1.0);
    }
}

/* Adds the rows one by one, by the book. */
static void
add_by_the_book(struct made *grid)
{
    for (size_t i = 0; i < ROWS; i++) {
        int64_t cell = 0, worst = 0;
        for (unsigned axis = 0; axis < grid->grid.n_axes; axis++) {
            int64_t bin = bin_of(grid->edges[axis], grid->bins[axis], (double)table.place[i][axis]);
            worst = bin < worst ? bin : worst;
            cell = cell * (int64_t)grid->bins[axis] + bin;
        }
        cell = worst < 0 ? (int64_t)grid->cells - 1 - worst : cell;
        double values[2] = {(double)table.first[i], table.second[i]};
        grid->grid.counts[cell]++;
        for (unsigned k = 0; k < 2; k++) {
            grid->grid.sums[k].missing[cell] += isnan(values[k]);
            grid->grid.sums[k].sum[cell] += isnan(values[k]) ? 0.0 : values[k];
        }
    }
}

static void
check_same(const struct made *grid, const struct made *expected)
{
    size_t size = (expected->cells + 2) * sizeof(int64_t);
    CHECK_U(grid->cells, expected->cells);
    CHECK_BYTES(grid->grid.counts, expected->grid.counts, size);
    for (unsigned k = 0; k < 2; k++) {
        CHECK_BYTES(grid->grid.sums[k].sum, expected->grid.sums[k].sum, size);
        CHECK_BYTES(grid->grid.sums[k].missing, expected->grid.sums[k].missing, size);
    }
}

/* However many threads, and however the rows are cut. */
static void
check_grids(unsigned n_axes, const size_t bins[])
{
    static const unsigned threads[] = {1, 2, 3, 5, GV_VOXEL_THREADS + 3};
    static const size_t cuts[] = {SIZE_MAX, 3 << 15, 70000, 1};
    struct gv_voxel_column axes[3], values[2];
    struct made expected, grid;
    init_grid(&expected, n_axes, bins);
    add_by_the_book(&expected);
    CHECK(outside(&expected) > 100 && unplaced(&expected) > 100);
    for (unsigned i = 0; i < sizeof threads / sizeof *threads; i++) {
        for (unsigned j = 0; j < sizeof cuts / sizeof *cuts && (cuts[j] > 1 || i == 0); j++) {
            check_case("%u axes, %u threads, %zu rows at once", n_axes, threads[i], cuts[j]);
            init_grid(&grid, n_axes, bins);
            for (size_t first = 0, n; first < ROWS; first += n) {
                n = gv_min_size(cuts[j], ROWS - first);
                make_columns(first, axes, values);
                add(&grid, axes, values, n, threads[i]);
            }
            check_same(&grid, &expected);
            drop(&grid);
        }
    }
    check_case("%s", "");
    drop(&expected);
}

static void
test_grids(void)
{
    check_grids(1, (const size_t[]){64});
    check_grids(2, (const size_t[]){17, 40});
    check_grids(3, (const size_t[]){5, 9, 11});
    check_grids(2, (const size_t[]){1, 1});
}

/* Two halves together are the whole; cells become larger and nothing is lost. */
static void
test_merge(void)
{
    static const size_t bins[] = {5, 9, 11}, none[] = {0, 0, 0}, once[] = {1, 1, 1},
                        factors[] = {2, 9, 4}, coarse[] = {3, 1, 3};
    struct gv_voxel_column axes[3], values[2];
    struct made whole, sum, half, small;
    init_grid(&whole, 3, bins);
    init_grid(&sum, 3, bins);
    make_columns(0, axes, values);
    add(&whole, axes, values, ROWS, 1);
    for (size_t first = 0; first < ROWS; first += ROWS / 2 + 1) {
        init_grid(&half, 3, bins);
        make_columns(first, axes, values);
        add(&half, axes, values, gv_min_size(ROWS / 2 + 1, ROWS - first), 2);
        gv_voxel_merge(&sum.grid, &half.grid, none, once);
        drop(&half);
    }
    CHECK_BYTES(sum.grid.counts, whole.grid.counts, (whole.cells + 2) * sizeof *whole.grid.counts);
    CHECK_BYTES(sum.grid.sums[0].missing, whole.grid.sums[0].missing,
                (whole.cells + 2) * sizeof *whole.grid.counts);

    init_grid(&small, 3, coarse);
    gv_voxel_merge(&small.grid, &whole.grid, none, factors);
    int64_t counts[9] = {0};
    double sums[9] = {0};
    for (size_t cell = 0; cell < whole.cells; cell++) {
        size_t to = cell / 99 / 2 * 3 + cell % 11 / 4;
        counts[to] += whole.grid.counts[cell];
        sums[to] += whole.grid.sums[1].sum[cell];
    }
    CHECK_BYTES(small.grid.counts, counts, sizeof counts);
    CHECK_BYTES(small.grid.sums[1].sum, sums, sizeof sums);
    CHECK_U(outside(&small), outside(&whole));
    CHECK_U(unplaced(&small), unplaced(&whole));
    drop(&whole);
    drop(&sum);
    drop(&small);
}

/* Cells that lie elsewhere in the other grid, and are joined with others: against going through
 * them. */
static void
test_shifted(void)
{
    static const size_t bins[] = {5, 9, 11}, shifts[] = {3, 0, 5}, factors[] = {4, 1, 3},
                        wide[] = {2, 10, 6};
    struct gv_voxel_column axes[3], values[2];
    struct made fine, coarse, expected;
    init_grid(&fine, 3, bins);
    init_grid(&coarse, 3, wide);
    init_grid(&expected, 3, wide);
    make_columns(0, axes, values);
    add(&fine, axes, values, ROWS, 1);
    size_t cell = 0;
    for (size_t i = 0; i < bins[0]; i++) {
        for (size_t j = 0; j < bins[1]; j++) {
            for (size_t k = 0; k < bins[2]; k++, cell++) {
                size_t to = ((i + 3) / 4 * 10 + j) * 6 + (k + 5) / 3;
                expected.grid.counts[to] += fine.grid.counts[cell];
                for (unsigned v = 0; v < 2; v++) {
                    expected.grid.sums[v].sum[to] += fine.grid.sums[v].sum[cell];
                    expected.grid.sums[v].missing[to] += fine.grid.sums[v].missing[cell];
                }
            }
        }
    }
    for (size_t i = 0; i < GV_VOXEL_BEHIND; i++) {
        size_t to = expected.cells + i;
        expected.grid.counts[to] = fine.grid.counts[cell + i];
        for (unsigned v = 0; v < 2; v++) {
            expected.grid.sums[v].sum[to] = fine.grid.sums[v].sum[cell + i];
            expected.grid.sums[v].missing[to] = fine.grid.sums[v].missing[cell + i];
        }
    }
    gv_voxel_merge(&coarse.grid, &fine.grid, shifts, factors);
    check_same(&coarse, &expected);
    drop(&fine);
    drop(&coarse);
    drop(&expected);
}

static void
test_values_that_are_none(void)
{
    static const double places[] = {0.5, 0.6, 1.5, 1.6, 2.5, 9.0};
    static const double values[] = {4.0, 1.0, NAN, 3.0, NAN, 7.0};
    struct made grid = line_of((const double[]){0.0, 1.0, 2.0, 3.0, 4.0}, 4, 1);
    struct gv_voxel_column axis = doubles(places), value = doubles(values);
    add(&grid, &axis, &value, 6, 1);
    CHECK_F(grid.grid.sums[0].sum[0], 5.0);
    CHECK_F(grid.grid.sums[0].sum[1], 3.0);
    CHECK_I(grid.grid.sums[0].missing[1], 1);
    CHECK_I(grid.grid.sums[0].missing[2], 1);
    CHECK_U(outside(&grid), 1);
    drop(&grid);
}

/* Where only finite numbers count, the others are as NaN, on an axis and among values. */
static void
test_finite_numbers_only(void)
{
    static double places[ROWS], values[ROWS];
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        struct made grid = line_of((const double[]){0.0, 1.0}, 1, 1);
        struct gv_voxel_column axis = doubles(places), value = doubles(values);
        for (size_t i = 0; i < ROWS; i++) {
            places[i] = i % 7 == 0 ? (double)INFINITY : i % 7 == 1 ? -1.0 : 0.5;
            values[i] = i % 5 == 0 ? (double)-INFINITY : 1.0;
        }
        grid.grid.is_finite = true;
        add(&grid, &axis, &value, ROWS, threads);
        uint64_t infinite = (ROWS + 6) / 7, beyond = (ROWS + 5) / 7;
        CHECK_U(unplaced(&grid), infinite);
        CHECK_U(outside(&grid), beyond);
        CHECK_U(grid.grid.counts[0], ROWS - infinite - beyond);
        double known = (double)(grid.grid.counts[0] - grid.grid.sums[0].missing[0]);
        CHECK(known > 0.0);
        CHECK_F(grid.grid.sums[0].sum[0], known);
        drop(&grid);
    }
}

/* Of several columns: over the rows where all are finite. */
static void
test_extent_of_several(void)
{
    static double columns[3][5000];
    double low[3], high[3];
    struct gv_voxel_column of[3];
    for (unsigned axis = 0; axis < 3; axis++) {
        of[axis] = doubles(columns[axis]);
        for (size_t i = 0; i < 5000; i++) {
            columns[axis][i] = (double)i * (axis + 1);
        }
    }
    columns[0][4999] = (double)NAN;
    columns[1][0] = (double)INFINITY;
    columns[2][1] = (double)-INFINITY;
    REQUIRE(gv_voxel_extent(of, 3, 5000, low, high));
    for (unsigned axis = 0; axis < 3; axis++) {
        CHECK_F(low[axis], 2.0 * (axis + 1));
        CHECK_F(high[axis], 4998.0 * (axis + 1));
    }
    CHECK(!gv_voxel_extent(of, 3, 2, low, high));
    REQUIRE(gv_voxel_extent(of, 1, 5000, low, high));
    CHECK_F(low[0], 0.0);
}

int
main(void)
{
    static atomic_size_t idle;
    pool = gv_pool_new(&idle, 64 * MIB);
    REQUIRE(pool != NULL);
    fill_table();
    test_bins();
    test_edges_that_are_none();
    test_how_many_cells();
    test_types();
    test_no_time();
    test_extent();
    test_extent_of_several();
    test_grids();
    test_merge();
    test_shifted();
    test_values_that_are_none();
    test_finite_numbers_only();
    gv_pool_free(pool);
    return check_result();
}
