/* spiral: the reads in their order on a sunflower spiral (Vogel 1979): equal areas, golden angle.
 *
 *   r = sqrt(i + 1/2)   theta = 2.399963 i   z = 0      i: the read's ordinal, from 0
 *
 * Decorative: it shows the order of the input, and neighbours on the picture are not neighbours
 * in it.  The angle is a rounded one by definition, so that every implementation draws the same.
 *
 *   read 0: r = 0.70711, theta = 0: (0.70711, 0, 0)
 */
#include <math.h>

#include "layouts.h"

#define ANGLE 2.399963

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    (void)placing;
    for (size_t i = 0; i < block->rows; i++) {
        double ordinal = (double)block->ordinal[i];
        double r = sqrt(ordinal + 0.5), theta = ANGLE * ordinal;
        out[i][0] = (float)(r * cos(theta));
        out[i][1] = (float)(r * sin(theta));
        out[i][2] = 0.0f;
    }
    return 0;
}

const struct gv_layout gv_layout_spiral = {
    .name = "spiral",
    .is_by_ordinal = true,
    .place = place,
};
