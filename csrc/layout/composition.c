/* composition: the mean, over a read's known bases, of a tetrahedron's corners.
 *
 *   A (1,1,1)   C (-1,1,-1)   G (1,-1,-1)   T (-1,-1,1)
 *
 * This is the end point of the Z curve (Zhang and Zhang 1994) over the read's length; z is
 * 1 - 2 GC.  A read and its reverse complement are the same molecule: complementing swaps A with
 * T and C with G, which maps (x,y,z) to (-x,-y,z), so both strands are folded onto the half with
 * x > 0 (or x = 0 and y >= 0).
 *
 *   "AACG": x = (2-1+1-0)/4 = 0.5   y = (2+1-1-0)/4 = 0.5   z = (2-1-1+0)/4 = 0
 */
#include <math.h>

#include "layouts.h"

/* Counts are exact in double, and so are their sums. */
GV_CLONES static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    (void)placing;
    const struct gv_scanned *scanned = &block->scanned;
    size_t unplaced = 0;
    float x[GV_BLOCK_ROWS], y[GV_BLOCK_ROWS], z[GV_BLOCK_ROWS];
    for (size_t i = 0; i < block->rows; i++) {
        double a = scanned->a[i], c = scanned->c[i], g = scanned->g[i], t = scanned->t[i];
        double known = a + c + g + t;
        double dx = a - c + g - t, dy = a + c - g - t, dz = a - c - g + t;
        double sign = (dx < 0.0) | ((dx == 0.0) & (dy < 0.0)) ? -1.0 : 1.0;
        /* + 0.0 makes the negative zero of a fold a plain one.  A read without a known base is
         * given the NaN of one sign on every machine. */
        x[i] = known > 0.0 ? (float)((dx * sign + 0.0) / known) : NAN;
        y[i] = known > 0.0 ? (float)((dy * sign + 0.0) / known) : NAN;
        z[i] = known > 0.0 ? (float)(dz / known) : NAN;
        unplaced += known == 0.0;
    }
    for (size_t i = 0; i < block->rows; i++) {
        out[i][0] = x[i];
        out[i][1] = y[i];
        out[i][2] = z[i];
    }
    return unplaced;
}

const struct gv_layout gv_layout_composition = {
    .name = "composition",
    .place = place,
    .lacks = GV_LACKS_BASES,
};
