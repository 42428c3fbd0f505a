/* nanopore: the channel's place on the chip, and the time since the run began.
 *
 * Channels to columns and rows, as ONT's maps and NanoPlot's tables have them (integer division):
 *
 *   model 1, Flongle, 1..126, 10 x 13:
 *       c <= 24: row (c-1)/12, column (c-1)%12     c <= 102: row 2+(c-25)/13, column (c-25)%13
 *       else:    row 8+(c-103)/12, column (c-103)%12
 *   model 2, MinION and GridION, 1..512, 16 x 32:
 *       k = (c-1)/64, r = (c-1)%64, p = k ? 8-k : 0
 *       r < 32: row 15-r%8, column 4p+r/8           else, q = r-32: row q%8, column 4p+q/8
 *   model 3, PromethION, 1..3000, 25 x 120:
 *       row ((c-1)%250)/10, column 10 ((c-1)/250) + (c-1)%10
 *
 *   X = column   Y = row   Z = hours since t0; 0 where times do not count (has_time is 0)
 *
 *   channel 1 of a MinION: k = 0, r = 0: row 15, column 0
 */
#include "layouts.h"

enum { MODEL, T0, HAS_TIME };

enum { FLONGLE = 1, MINION, PROMETHION };

static const char *const parameters[] = {"model", "t0", "has_time", NULL};

#define MICROSECONDS_PER_HOUR 3.6e9

unsigned
gv_nanopore_channels(unsigned model)
{
    static const unsigned channels[] = {[FLONGLE] = 126, [MINION] = 512, [PROMETHION] = 3000};
    return model <= PROMETHION ? channels[model] : 0;
}

static bool
is_valid(const struct gv_placing *placing)
{
    double model = placing->parameters[MODEL];
    return model == FLONGLE || model == MINION || model == PROMETHION;
}

static void
find_pore(unsigned model, unsigned channel, float out[3])
{
    unsigned c = channel - 1, row, column;
    if (model == PROMETHION) {
        row = c % 250 / 10;
        column = 10 * (c / 250) + c % 10;
    } else if (model == MINION) {
        unsigned k = c / 64, r = c % 64, q = r % 32, p = k > 0 ? 8 - k : 0;
        row = r < 32 ? 15 - q % 8 : q % 8;
        column = 4 * p + q / 8;
    } else if (c < 24) {
        row = c / 12;
        column = c % 12;
    } else if (c < 102) {
        row = 2 + (c - 24) / 13;
        column = (c - 24) % 13;
    } else {
        row = 8 + (c - 102) / 12;
        column = (c - 102) % 12;
    }
    out[0] = (float)column;
    out[1] = (float)row;
}

static enum gv_lack
lack(const struct gv_placing *placing, const struct gv_block *block, size_t row)
{
    const struct gv_names *names = &block->names;
    if (!names->is_known[row]) {
        return GV_LACKS_NAME;
    }
    if (names->channel[row] == 0) {
        return GV_LACKS_CHANNEL;
    }
    if (names->channel[row] > gv_nanopore_channels((unsigned)placing->parameters[MODEL])) {
        return GV_LACKS_MODEL;
    }
    bool lacks_time = placing->parameters[HAS_TIME] != 0 && names->start_time[row] == GV_NO_TIME;
    return lacks_time ? GV_LACKS_TIME : GV_LACKS_NOTHING;
}

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    const double *p = placing->parameters;
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        if (lack(placing, block, i) != GV_LACKS_NOTHING) {
            gv_layout_no_place(out[i]);
            unplaced++;
            continue;
        }
        find_pore((unsigned)p[MODEL], block->names.channel[i], out[i]);
        /* Both are whole microseconds below 2^53: the difference is exact. */
        double elapsed = (double)block->names.start_time[i] - p[T0];
        out[i][2] = p[HAS_TIME] != 0 ? (float)(elapsed / MICROSECONDS_PER_HOUR) : 0.0f;
    }
    return unplaced;
}

const struct gv_layout gv_layout_nanopore = {
    .name = "nanopore",
    .parameters = parameters,
    .needs_names = true,
    .is_bounded = true,
    .is_valid = is_valid,
    .place = place,
    .lack = lack,
};
