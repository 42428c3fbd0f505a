#include "check.h"
#include "gv.h"

#include <math.h>
#include <stdlib.h>

enum { ROWS = 200000, BINS = 50 };

static float xs[ROWS][3];
static double ys[ROWS];
static uint32_t zs[ROWS];
static float weights[ROWS];
static int32_t *scratch;

static uint32_t
next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void
fill(void)
{
    uint32_t state = 7;
    for (size_t i = 0; i < ROWS; i++) {
        xs[i][1] = (float)(next(&state) % 1200) / 100 - 1; /* often on an edge, some outside */
        ys[i] = (double)(next(&state) % 1100) / 10;
        zs[i] = next(&state) % 5;
        weights[i] = i % 13 == 0 ? NAN : (float)(next(&state) % 1000) / 7;
        xs[i][1] = i % 17 == 0 ? NAN : xs[i][1];
        ys[i] = i % 1009 == 0 ? (double)INFINITY : ys[i];
    }
}

/* Three axes, the second with uneven edges, and one sum. */
struct made {
    double x_edges[BINS + 1], y_edges[4], z_edges[6];
    uint64_t counts[BINS * 3 * 5], known[BINS * 3 * 5];
    double sums[BINS * 3 * 5];
    struct gv_voxel_grid grid;
};

static void
make(struct made *made)
{
    static const double uneven[4] = {0, 1, 70, 100};
    memset(made, 0, sizeof *made);
    for (size_t i = 0; i <= BINS; i++) {
        made->x_edges[i] = 10.0 * (double)i / BINS;
    }
    memcpy(made->y_edges, uneven, sizeof uneven);
    for (size_t i = 0; i <= 5; i++) {
        made->z_edges[i] = (double)i - 0.5;
    }
    made->grid = (struct gv_voxel_grid){
        .n_axes = 3,
        .n_sums = 1,
        .axes = {{made->x_edges, BINS}, {made->y_edges, 3}, {made->z_edges, 5}},
        .counts = made->counts,
        .sums = {{made->sums, made->known}},
    };
}

static void
add(struct made *made, size_t first, size_t rows, unsigned threads)
{
    const struct gv_voxel_column coordinates[GV_VOXEL_AXES] = {
        {(const uint8_t *)&xs[first][1], sizeof xs[0], GV_VOXEL_F32},
        {(const uint8_t *)&ys[first], sizeof ys[0], GV_VOXEL_F64},
        {(const uint8_t *)&zs[first], sizeof zs[0], GV_VOXEL_U32},
    };
    const struct gv_voxel_column values[GV_VOXEL_SUMS] = {
        {(const uint8_t *)&weights[first], sizeof weights[0], GV_VOXEL_F32},
    };
    gv_voxel_add(&made->grid, coordinates, values, rows, scratch, threads);
}

/* The bin by looking at all of them. */
static int
slow_bin(const double *edges, int bins, double value)
{
    if (value == edges[bins]) {
        return bins - 1;
    }
    for (int i = 0; i < bins; i++) {
        if (value >= edges[i] && value < edges[i + 1]) {
            return i;
        }
    }
    return -1;
}

static void
test_against_looking_at_every_bin(void)
{
    static struct made made, slow;
    make(&made);
    make(&slow);
    add(&made, 0, ROWS, 1);
    uint64_t outside = 0, unplaced = 0;
    for (size_t i = 0; i < ROWS; i++) {
        int x = slow_bin(slow.x_edges, BINS, (double)xs[i][1]);
        int y = slow_bin(slow.y_edges, 3, ys[i]);
        int z = slow_bin(slow.z_edges, 5, zs[i]);
        if (isnan(xs[i][1]) || isnan(ys[i])) {
            unplaced++;
        } else if (x < 0 || y < 0 || z < 0) {
            outside++;
        } else {
            size_t cell = ((size_t)x * 3 + (size_t)y) * 5 + (size_t)z;
            slow.counts[cell]++;
            if (!isnan(weights[i])) {
                slow.sums[cell] += (double)weights[i];
                slow.known[cell]++;
            }
        }
    }
    CHECK_U(made.grid.outside, outside);
    CHECK_U(made.grid.unplaced, unplaced);
    CHECK(outside > 1000 && unplaced > 1000);
    CHECK(memcmp(made.counts, slow.counts, sizeof made.counts) == 0);
    CHECK(memcmp(made.known, slow.known, sizeof made.known) == 0);
    CHECK(memcmp(made.sums, slow.sums, sizeof made.sums) == 0);
}

static void
test_any_threads_and_pieces(void)
{
    static struct made one, other;
    make(&one);
    add(&one, 0, ROWS, 1);
    for (unsigned threads = 2; threads <= 20; threads += 3) {
        check_case("%u threads", threads);
        make(&other);
        add(&other, 0, ROWS, threads);
        CHECK(memcmp(one.counts, other.counts, sizeof one.counts) == 0);
        CHECK(memcmp(one.sums, other.sums, sizeof one.sums) == 0);
        CHECK_U(other.grid.outside, one.grid.outside);
    }
    make(&other);
    for (size_t first = 0; first < ROWS; first += 33333) {
        add(&other, first, gv_min_size(33333, ROWS - first), 2);
    }
    CHECK(memcmp(one.sums, other.sums, sizeof one.sums) == 0);
    CHECK_U(other.grid.unplaced, one.grid.unplaced);
    check_case("%s", "");
}

static void
test_cells(void)
{
    static struct made made;
    size_t cells;
    make(&made);
    CHECK(gv_voxel_cells(&made.grid, &cells));
    CHECK_U(cells, BINS * 3 * 5);
    made.grid.axes[0].bins = (size_t)1 << 40;
    CHECK(!gv_voxel_cells(&made.grid, &cells));
    made.grid.axes[1].bins = SIZE_MAX;
    CHECK(!gv_voxel_cells(&made.grid, &cells));
    made.grid.axes[0].bins = 0;
    CHECK(!gv_voxel_cells(&made.grid, &cells));
}

int
main(void)
{
    scratch = malloc(GV_VOXEL_BLOCK * sizeof *scratch);
    REQUIRE(scratch != NULL);
    fill();
    test_against_looking_at_every_bin();
    test_any_threads_and_pieces();
    test_cells();
    free(scratch);
    return check_result();
}
