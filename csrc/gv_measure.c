#include "gv_measure.h"

#include <math.h>

double
gv_mean_quality(uint64_t phred_sum, uint64_t length)
{
    return length > 0 ? (double)phred_sum / (double)length : (double)NAN;
}

void
gv_block_derive(struct gv_block *block)
{
    for (size_t i = 0; i < block->rows; i++) {
        uint64_t gc = (uint64_t)block->g[i] + block->c[i];
        uint64_t known = gc + block->a[i] + block->t[i];
        block->gc[i] = known > 0 ? (double)gc / (double)known : (double)NAN;
        block->quality[i] = gv_mean_quality(block->phred_sum[i], block->length[i]);
    }
}

void
gv_block_error_quality(const struct gv_block *block, float *out)
{
    for (size_t i = 0; i < block->rows; i++) {
        /* + 0.0 turns the -0.0 of a read that is wrong everywhere (all Q0) into 0.0. */
        double mean = block->error_sum[i] / (double)block->length[i];
        out[i] = block->length[i] > 0 ? (float)(-10.0 * log10(mean) + 0.0) : NAN;
    }
}
