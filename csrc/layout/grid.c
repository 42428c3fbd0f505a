/* grid: the reads in their order, row by row.
 *
 *   X = i mod width   Y = floor(i / width)   Z = 0      i: the read's ordinal, from 0
 *
 * Decorative: it shows the order of the input.
 *
 *   width 100, read 250: X = 50, Y = 2
 */
#include "layouts.h"

enum { WIDTH };

static const char *const parameters[] = {"width", NULL};

static bool
is_valid(const struct gv_placing *placing)
{
    return placing->parameters[WIDTH] >= 1 && placing->parameters[WIDTH] <= GV_PLACE_MOST;
}

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    uint64_t width = (uint64_t)placing->parameters[WIDTH];
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        uint64_t row = block->ordinal[i] / width;
        if ((double)row > GV_PLACE_MOST) {
            gv_layout_no_place(out[i]);
            unplaced++;
            continue;
        }
        out[i][0] = (float)(block->ordinal[i] % width);
        out[i][1] = (float)row;
        out[i][2] = 0.0f;
    }
    return unplaced;
}

const struct gv_layout gv_layout_grid = {
    .name = "grid",
    .parameters = parameters,
    .is_by_ordinal = true,
    .is_valid = is_valid,
    .place = place,
    .lacks = GV_LACKS_RANGE,
};
