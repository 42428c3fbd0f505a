/* mgi: the field of view that a DNB was seen in; its lanes beside each other.
 *
 *   X = column + lane_pitch (lane - 1)   Y = row   Z = 0
 *
 * A name says nothing of the place inside a field, so that all reads of a field share its centre.
 *
 *   "V350012345L1C002R0170000512": X = 2, Y = 17
 */
#include "layouts.h"

enum { LANE_PITCH };

static const char *const parameters[] = {"lane_pitch", NULL};

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    double lane_pitch = placing->parameters[LANE_PITCH];
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        uint32_t tile = block->names.tile[i];
        double x = tile / 1000 + lane_pitch * (block->names.lane[i] - 1);
        if (tile == 0 || x > GV_PLACE_MOST || x < -GV_PLACE_MOST) {
            gv_layout_no_place(out[i]);
            unplaced++;
            continue;
        }
        out[i][0] = (float)x;
        out[i][1] = (float)(tile % 1000);
        out[i][2] = 0.0f;
    }
    return unplaced;
}

static enum gv_lack
lack(const struct gv_placing *placing, const struct gv_block *block, size_t row)
{
    (void)placing;
    return block->names.tile[row] != 0 ? GV_LACKS_RANGE : GV_LACKS_NAME;
}

const struct gv_layout gv_layout_mgi = {
    .name = "mgi",
    .parameters = parameters,
    .needs_names = true,
    .place = place,
    .lack = lack,
};
