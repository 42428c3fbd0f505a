#include "check.h"
#include "gv.h"

#include <math.h>

static struct gv_block block;
static float places[GV_BLOCK_ROWS + 1][3];

static void
add_read(uint32_t a, uint32_t c, uint32_t g, uint32_t t)
{
    size_t row = block.rows++;
    block.scanned.length[row] = UINT32_MAX;
    block.scanned.a[row] = a;
    block.scanned.c[row] = c;
    block.scanned.g[row] = g;
    block.scanned.t[row] = t;
}

static void
check_place(size_t row, double x, double y, double z)
{
    check_case("row %zu", row);
    CHECK_F(places[row][0], (float)x);
    CHECK_F(places[row][1], (float)y);
    CHECK_F(places[row][2], (float)z);
}

static void
test_find(void)
{
    const struct gv_layout *const *layouts = gv_layouts();
    CHECK_STRING(layouts[0]->name, "composition");
    for (size_t i = 0; layouts[i] != NULL; i++) {
        CHECK(gv_layout_find(layouts[i]->name) == layouts[i]);
    }
    CHECK(gv_layout_find("spiral") != NULL);
    CHECK(gv_layout_find("Spiral") == NULL);
    CHECK(gv_layout_find("") == NULL);
}

static void
test_composition_by_hand(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("composition"));
    block.rows = 0;
    add_read(1, 0, 0, 0);  /* the corner of A */
    add_read(0, 1, 0, 0);  /* C is folded from (-1, 1, -1) */
    add_read(0, 0, 1, 0);  /* the corner of G */
    add_read(0, 0, 0, 1);  /* T is folded from (-1, -1, 1) */
    add_read(2, 1, 1, 0);  /* AACG, as in the source's comment */
    add_read(1, 1, 1, 1);  /* the centre: zeros, none of them negative */
    add_read(1, 1, 0, 0);  /* x = 0, y > 0: stays */
    add_read(0, 0, 1, 1);  /* x = 0, y < 0: folded */
    add_read(1, 0, 0, 1);  /* x = y = 0, z = 1 */
    add_read(0, 1, 1, 0);  /* x = y = 0, z = -1 */
    add_read(3, 5, 2, 9);  /* x = -9/19, y = -3/19, z = 5/19 */
    add_read(10, 0, 3, 0); /* y = 7/13, z = 7/13 */
    add_read(0, 0, 0, 0);
    memset(places, 0x55, sizeof places);
    CHECK_U(placing.layout->place(&placing, &block, places), 1);
    check_place(0, 1, 1, 1);
    check_place(1, 1, -1, -1);
    check_place(2, 1, -1, -1);
    check_place(3, 1, 1, 1);
    check_place(4, 0.5, 0.5, 0);
    check_place(5, 0, 0, 0);
    check_place(6, 0, 1, 0);
    check_place(7, 0, 1, 0);
    check_place(8, 0, 0, 1);
    check_place(9, 0, 0, -1);
    check_place(10, 9.0 / 19.0, 3.0 / 19.0, 5.0 / 19.0);
    check_place(11, 1, 7.0 / 13.0, 7.0 / 13.0);
    check_place(12, (double)NAN, (double)NAN, (double)NAN);
    CHECK(!signbit(places[12][0]) && !signbit(places[12][1]) && !signbit(places[12][2]));
    uint32_t after;
    memcpy(&after, &places[13][0], sizeof after);
    CHECK_U(after, 0x55555555);
}

/* A read and its reverse complement stand in one place, in the half that the fold keeps. */
static void
test_composition_is_strand_blind(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("composition"));
    uint64_t seed = 1;
    block.rows = 0;
    while (block.rows + 2 <= GV_BLOCK_ROWS) {
        uint32_t n[4];
        for (int i = 0; i < 4; i++) {
            n[i] = (uint32_t)check_below(&seed, block.rows % 4 == 0 ? 4 : 1000000);
        }
        add_read(n[0], n[1], n[2], n[3]);
        add_read(n[3], n[2], n[1], n[0]);
    }
    (void)placing.layout->place(&placing, &block, places);
    for (size_t i = 0; i < block.rows; i += 2) {
        check_case("row %zu", i);
        CHECK_BYTES(places[i], places[i + 1], sizeof places[i]);
        CHECK(places[i][0] > 0 || (places[i][0] == 0 && places[i][1] >= 0) ||
              places[i][0] != places[i][0]);
        for (int k = 0; k < 3; k++) {
            CHECK(!(places[i][k] == 0 && signbit(places[i][k])));
        }
    }
}

static void
test_composition_of_long_reads(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("composition"));
    block.rows = 0;
    add_read(UINT32_MAX, 0, 0, 0);
    add_read(0, 0, 0, UINT32_MAX);
    add_read(UINT32_MAX / 2, 0, UINT32_MAX / 2, 0);
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 1, 1, 1);
    check_place(1, 1, 1, 1);
    check_place(2, 1, 0, 0);
}

static void
test_spiral(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("spiral"));
    static const uint64_t ordinals[] = {0, 1, 2, 1000, 12345678901u};
    block.rows = 0;
    for (size_t i = 0; i < 5; i++) {
        add_read(0, 0, 0, 0);
        block.ordinal[i] = ordinals[i];
    }
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_case("%s", "spiral");
    CHECK_F(places[0][0], 0.70710678f);
    CHECK_F(places[0][1], 0.0);
    for (size_t i = 0; i < 5; i++) {
        double n = (double)ordinals[i], r = sqrt(n + 0.5), theta = 2.399963 * n;
        CHECK_F(places[i][0], (float)(r * cos(theta)));
        CHECK_F(places[i][1], (float)(r * sin(theta)));
        CHECK_F(places[i][2], 0.0);
    }
    /* cos and sin of 2.399963, worked out elsewhere. */
    CHECK(fabs((double)places[1][0] - sqrt(1.5) * -0.73736872) < 1e-6);
    CHECK(fabs((double)places[1][1] - sqrt(1.5) * 0.67549046) < 1e-6);
}

int
main(void)
{
    test_find();
    test_composition_by_hand();
    test_composition_is_strand_blind();
    test_composition_of_long_reads();
    test_spiral();
    return check_result();
}
