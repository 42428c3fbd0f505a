#include "check.h"
#include "gv.h"

#include <math.h>

static struct gv_block block;

static void
add_read(uint32_t length, const uint32_t acgt[4], uint64_t phred_sum, double error_sum)
{
    size_t row = block.rows++;
    block.scanned.length[row] = length;
    block.scanned.a[row] = acgt[0];
    block.scanned.c[row] = acgt[1];
    block.scanned.g[row] = acgt[2];
    block.scanned.t[row] = acgt[3];
    block.scanned.phred_sum[row] = phred_sum;
    block.error_sum[row] = error_sum;
}

static void
test_derive(void)
{
    memset(&block, 0xff, sizeof block);
    block.rows = 0;
    add_read(4, (const uint32_t[]){1, 1, 1, 1}, 160, 4e-4);
    add_read(10, (const uint32_t[]){2, 1, 0, 0}, 0, 10.0);
    add_read(7, (const uint32_t[]){0, 0, 0, 0}, 7 * 93, 7e-9);
    add_read(0, (const uint32_t[]){0, 0, 0, 0}, 0, 0.0);
    add_read(UINT32_MAX, (const uint32_t[]){0, UINT32_MAX - 1, 1, 0}, (uint64_t)UINT32_MAX * 93,
             1.0);
    gv_block_derive(&block);
    CHECK_F(block.gc[0], 0.5);
    CHECK_F(block.quality[0], 40.0);
    CHECK_F(block.gc[1], 1.0 / 3.0);
    CHECK_F(block.quality[1], 0.0);
    CHECK_F(block.gc[2], (double)NAN);
    CHECK_F(block.quality[2], 93.0);
    CHECK_F(block.gc[3], (double)NAN);
    CHECK_F(block.quality[3], (double)NAN);
    CHECK_F(block.gc[4], 1.0);
    CHECK_F(block.quality[4], 93.0);

    float out[GV_BLOCK_ROWS];
    out[5] = 12.5f;
    gv_block_error_quality(&block, out);
    CHECK_F(out[0], (float)(-10.0 * log10(4e-4 / 4.0)));
    CHECK(fabsf(out[0] - 40.0f) < 1e-5f);
    CHECK_F(out[1], 0.0); /* all Q0: 0.0, not -0.0 */
    CHECK(fabsf(out[2] - 90.0f) < 1e-4f);
    CHECK_F(out[3], (double)NAN);
    CHECK_F(out[5], 12.5); /* what lies after the rows is not touched */
}

static void
test_mean_quality(void)
{
    CHECK_F(gv_mean_quality(0, 0), (double)NAN);
    CHECK_F(gv_mean_quality(0, 5), 0.0);
    CHECK_F(gv_mean_quality(61, 2), 30.5);
    CHECK_F(gv_mean_quality(100, 3), 100.0 / 3.0);
}

static void
test_a_full_block(void)
{
    block.rows = 0;
    for (uint32_t i = 0; i < GV_BLOCK_ROWS; i++) {
        add_read(i + 1, (const uint32_t[]){1, i, 0, 0}, (uint64_t)i * (i + 1), 0.0);
    }
    gv_block_derive(&block);
    for (uint32_t i = 0; i < GV_BLOCK_ROWS; i++) {
        CHECK_F(block.gc[i], (double)i / (double)(i + 1));
        CHECK_F(block.quality[i], (double)i);
    }
    /* What names and a layout's look at sequences add is filled only where it is asked for. */
    CHECK(offsetof(struct gv_block, names) <= (size_t)32 << 10);
}

int
main(void)
{
    test_derive();
    test_mean_quality();
    test_a_full_block();
    return check_result();
}
