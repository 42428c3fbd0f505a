/* gv_measure.h: what is measured in reads, a block of reads at a time.
 *
 * The parser fills one column of integers after the other, read by read; gv_block_derive() turns
 * them into GC content and mean quality for the whole block while it is in L1; appearance and
 * layout go on from there.  A block is scratch: it is filled, used and emptied again.
 */
#ifndef GV_MEASURE_H
#define GV_MEASURE_H

#include "gv_base.h"

/* Reads in a block: with all its columns it stays below the 32 KiB of a small L1 cache. */
#define GV_BLOCK_ROWS 256

/* Invariant: rows <= GV_BLOCK_ROWS; for each row a + c + g + t <= length. */
struct gv_block {
    size_t rows;

    /* Filled read by read. */
    uint64_t ordinal[GV_BLOCK_ROWS];   /* running number over all sources, from 0 */
    uint64_t phred_sum[GV_BLOCK_ROWS]; /* sum of Phred scores */
    double error_sum[GV_BLOCK_ROWS];   /* sum of 10^(-q/10); filled only where asked for */
    uint32_t length[GV_BLOCK_ROWS];    /* bases */
    uint32_t a[GV_BLOCK_ROWS], c[GV_BLOCK_ROWS], g[GV_BLOCK_ROWS], t[GV_BLOCK_ROWS];

    /* Derived, in double so that what is computed from them is rounded once. */
    double gc[GV_BLOCK_ROWS];      /* (G+C)/(A+C+G+T), NaN where no base is known */
    double quality[GV_BLOCK_ROWS]; /* mean Phred score, NaN for an empty read */
};

/* Fills the derived columns of all rows. */
void gv_block_derive(struct gv_block *block);

/* The mean Phred score of one read, as gv_block_derive() computes it: NaN for length 0. */
double gv_mean_quality(uint64_t phred_sum, uint64_t length);

/* error_quality of all rows: -10 log10(error_sum / length), NaN for an empty read. */
void gv_block_error_quality(const struct gv_block *block, float *out);

#endif
