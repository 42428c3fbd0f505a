#include "gv_measure.h"

#include <math.h>

double
gv_mean_quality(uint64_t phred_sum, uint64_t length)
{
    return length > 0 ? (double)phred_sum / (double)length : (double)NAN;
}

GV_CLONES void
gv_block_derive(struct gv_block *block)
{
    const struct gv_scanned *scanned = &block->scanned;
    /* 0/0 is NaN, and no branch; its sign is cleared, since machines differ in it. */
    for (size_t i = 0; i < block->rows; i++) {
        double gc = (double)scanned->g[i] + (double)scanned->c[i];
        double known = gc + (double)scanned->a[i] + (double)scanned->t[i];
        block->gc[i] = fabs(gc / known);
    }
    for (size_t i = 0; i < block->rows; i++) {
        block->quality[i] =
            fabs((double)(int64_t)scanned->phred_sum[i] / (double)scanned->length[i]);
    }
}

double
gv_mean_error_quality(double error_sum, uint64_t length)
{
    /* + 0.0 turns the -0.0 of a read that is wrong everywhere (all Q0) into 0.0. */
    return length > 0 ? -10.0 * log10(error_sum / (double)length) + 0.0 : (double)NAN;
}

void
gv_block_error_quality(const struct gv_block *block, float *out)
{
    for (size_t i = 0; i < block->rows; i++) {
        out[i] = (float)gv_mean_error_quality(block->error_sum[i], block->scanned.length[i]);
    }
}

void
gv_block_sums_add(struct gv_block_sums *sums, const struct gv_block_sums *more)
{
    sums->bases += more->bases;
    sums->known_bases += more->known_bases;
    sums->gc_bases += more->gc_bases;
    sums->phred_sum += more->phred_sum;
    sums->unknown_reads += more->unknown_reads;
}

GV_CLONES void
gv_block_sum(const struct gv_block *block, struct gv_block_sums *sums)
{
    const struct gv_scanned *scanned = &block->scanned;
    uint64_t bases = 0, gc = 0, at = 0, phred = 0, unknown = 0;
    for (size_t i = 0; i < block->rows; i++) {
        uint64_t gc_here = (uint64_t)scanned->g[i] + scanned->c[i];
        uint64_t at_here = (uint64_t)scanned->a[i] + scanned->t[i];
        bases += scanned->length[i];
        gc += gc_here;
        at += at_here;
        unknown += gc_here + at_here == 0;
        phred += scanned->phred_sum[i];
    }
    const struct gv_block_sums own = {
        .bases = bases,
        .known_bases = gc + at,
        .gc_bases = gc,
        .phred_sum = phred,
        .unknown_reads = unknown,
    };
    gv_block_sums_add(sums, &own);
}
