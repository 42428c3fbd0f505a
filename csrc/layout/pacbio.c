/* pacbio: the well's place on the chip, which its number holds:
 *
 *   X = zmw >> 16   Y = zmw & 0xffff   Z = 0
 *
 * Sources differ by a transpose; this is the one taken here.  Hole numbers of the RS II are not
 * packed and have no place.
 *
 *   zmw 4194369: X = 64, Y = 65
 */
#include "layouts.h"

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    (void)placing;
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        uint32_t zmw = block->names.zmw[i];
        if (zmw == GV_NO_ZMW) {
            gv_layout_no_place(out[i]);
            unplaced++;
            continue;
        }
        out[i][0] = (float)(zmw >> 16);
        out[i][1] = (float)(zmw & 0xffff);
        out[i][2] = 0.0f;
    }
    return unplaced;
}

const struct gv_layout gv_layout_pacbio = {
    .name = "pacbio",
    .needs_names = true,
    .place = place,
    .lacks = GV_LACKS_NAME,
};
