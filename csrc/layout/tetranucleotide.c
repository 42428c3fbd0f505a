/* tetranucleotide: the read's tetranucleotide frequencies, projected onto three axes.
 *
 *   p = (sum over the read's tetranucleotides k of W[k]) / (their number) - b
 *
 * A tetranucleotide is four known bases in a row, numbered with A 0, C 1, G 2, T (and U) 3 and the
 * first base highest: "ACGT" is 0b00011011 = 27.  W (256 x 3) and b are fitted before the first
 * record, or loaded; W is the same for a tetranucleotide and its reverse complement, so that both
 * strands share a place.  A read without a tetranucleotide has none.
 *
 * The sum is taken in four parts, tetranucleotide i into part i mod 4 (they do not wait for each
 * other), and these are added as (0 + 1) + (2 + 3): everywhere the same bits.
 */
#include "gv_kmer.h"
#include "layouts.h"

enum { BIAS_X, BIAS_Y, BIAS_Z };

static const char *const parameters[] = {"bias_x", "bias_y", "bias_z", NULL};

static bool
is_valid(const struct gv_placing *placing)
{
    return placing->weights != NULL;
}

static void
look(const struct gv_placing *placing, const uint8_t *sequence, size_t length, double looked[3])
{
    double parts[4][3] = {{0}};
    size_t n = 0;
    struct gv_kmer kmer = {0};
    for (size_t i = 0; i < length; i++) {
        if (gv_kmer_add(&kmer, sequence[i])) {
            const double *weight = placing->weights[kmer.code];
            double *part = parts[n++ & 3];
            part[0] += weight[0];
            part[1] += weight[1];
            part[2] += weight[2];
        }
    }
    for (unsigned axis = 0; axis < 3; axis++) {
        double sum = (parts[0][axis] + parts[1][axis]) + (parts[2][axis] + parts[3][axis]);
        looked[axis] = n > 0 ? sum / (double)n : (double)__builtin_nan("");
    }
}

static size_t
place(const struct gv_placing *placing, const struct gv_block *block, float (*out)[3])
{
    size_t unplaced = 0;
    for (size_t i = 0; i < block->rows; i++) {
        const double *looked = block->looked[i];
        if (looked[0] != looked[0]) {
            gv_layout_no_place(out[i]);
            unplaced++;
            continue;
        }
        for (unsigned axis = 0; axis < 3; axis++) {
            out[i][axis] = (float)(looked[axis] - placing->parameters[BIAS_X + axis]);
        }
    }
    return unplaced;
}

const struct gv_layout gv_layout_tetranucleotide = {
    .name = "tetranucleotide",
    .parameters = parameters,
    .is_valid = is_valid,
    .look = look,
    .place = place,
    .lacks = GV_LACKS_BASES,
};
