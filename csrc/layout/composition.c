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

static size_t
place(const struct gv_block *block, float (*out)[3])
{
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        int64_t a = block->a[i], c = block->c[i], g = block->g[i], t = block->t[i];
        int64_t known = a + c + g + t;
        int64_t x = a - c + g - t, y = a + c - g - t, z = a - c - g + t;
        bool fold = x < 0 || (x == 0 && y < 0);
        /* 0/0 is the NaN of a read without a known base.  Folding integers, not quotients,
         * leaves no negative zero. */
        double n = (double)known;
        out[i][0] = (float)((double)(fold ? -x : x) / n);
        out[i][1] = (float)((double)(fold ? -y : y) / n);
        out[i][2] = (float)((double)z / n);
        if (known == 0) {
            out[i][0] = out[i][1] = out[i][2] = NAN; /* a NaN of one sign on every machine */
            unplaced++;
        }
    }
    return unplaced;
}

const struct gv_layout gv_layout_composition = {.name = "composition", .place = place};
