/* flowcell: a cluster's place on the flow cell, stitched together from its tiles.
 *
 *   X = x + swath_pitch (swath - origin) + lane_pitch (lane - 1) + surface_pitch (surface - 1)
 *   Y = y + tile_pitch ((camera - 1) camera_tiles + number - origin)
 *         + (swath even ? (surface == 1 ? -stagger : +stagger) : 0)
 *   Z = surface, or 0 where surfaces stand beside each other (surface_pitch is not 0)
 *
 * with x, y and the tile from the name, in the instrument's units (a tenth of a pixel), and the
 * tile's number decoded by gv_name_tile().  A grammar whose tile numbers hold no surface, swath or
 * camera (0) has one of each; the tiles of a G4, whose numbers are not understood, are drawn with
 * each thousand of them as a swath, and their last three digits as the number.
 *
 *   Of the NovaSeq 6000 S4 the pitches within a lane are known: swath_pitch 33739, tile_pitch
 *   36282, stagger 6201, origin 0.  "...:2:1101:1063:1000" with lane_pitch 269912 stands at
 *   X = 1063 + 33739 + 269912 = 304714, Y = 1000 + 36282 = 37282, Z = 1.
 *
 * Elsewhere pitches are those of a drawing, with origin 1.  All of it is in whole numbers below
 * 2^24, which float32 holds exactly; a cluster beyond has no place.
 */
#include <math.h>

#include "layouts.h"

enum { SWATH_PITCH, LANE_PITCH, SURFACE_PITCH, TILE_PITCH, CAMERA_TILES, STAGGER, ORIGIN };

static const char *const parameters[] = {
    "swath_pitch",  "lane_pitch", "surface_pitch", "tile_pitch",
    "camera_tiles", "stagger",    "origin",        NULL,
};

struct corner {
    double x, y, z;
};

/* Where x = y = 0 of a tile stands. */
static struct corner
corner_of(const struct gv_placing *placing, uint8_t lane, uint32_t number)
{
    const double *p = placing->parameters;
    struct gv_tile tile = gv_name_tile(placing->grammar, number);
    double swath = tile.swath > 0 ? tile.swath : 1, surface = tile.surface > 0 ? tile.surface : 1;
    double camera = tile.camera > 0 ? tile.camera : 1;
    if (placing->grammar == GV_GRAMMAR_SINGULAR) {
        swath = number / 1000 + 1;
        tile.number = number % 1000;
    }
    double shift = surface == 1 ? -p[STAGGER] : p[STAGGER];
    return (struct corner){
        .x = p[SWATH_PITCH] * (swath - p[ORIGIN]) + p[LANE_PITCH] * (lane - 1) +
             p[SURFACE_PITCH] * (surface - 1),
        .y = p[TILE_PITCH] * ((camera - 1) * p[CAMERA_TILES] + tile.number - p[ORIGIN]) +
             ((unsigned)swath % 2 == 0 ? shift : 0),
        .z = p[SURFACE_PITCH] != 0 ? 0 : surface,
    };
}

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    const struct gv_names *names = &block->names;
    struct corner corner = {0};
    uint32_t tile = 0;
    uint8_t lane = 0;
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        /* Reads come tile by tile as a rule. */
        if (names->tile[i] != tile || names->lane[i] != lane) {
            tile = names->tile[i];
            lane = names->lane[i];
            corner = corner_of(placing, lane, tile);
        }
        double x = corner.x + names->x[i], y = corner.y + names->y[i];
        bool is_placed = (tile != 0) & (fabs(x) <= GV_PLACE_MOST) & (fabs(y) <= GV_PLACE_MOST);
        if (GV_LIKELY(is_placed)) {
            out[i][0] = (float)x;
            out[i][1] = (float)y;
            out[i][2] = (float)corner.z;
        } else {
            gv_layout_no_place(out[i]);
            unplaced++;
        }
    }
    return unplaced;
}

static enum gv_lack
lack(const struct gv_placing *placing, const struct gv_block *block, size_t row)
{
    (void)placing;
    return block->names.tile[row] != 0 ? GV_LACKS_RANGE : GV_LACKS_NAME;
}

const struct gv_layout gv_layout_flowcell = {
    .name = "flowcell",
    .parameters = parameters,
    .needs_names = true,
    .place = place,
    .lack = lack,
};
