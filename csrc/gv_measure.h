/* gv_measure.h: what is measured in reads, a block of reads at a time.
 *
 * Scanning fills integers, read by read; gv_block_derive() turns them into GC content and mean
 * quality for the whole block while it is in L1; appearance and layout go on from there.  A block
 * is scratch: it is filled, used and emptied again.
 */
#ifndef GV_MEASURE_H
#define GV_MEASURE_H

#include "gv_names.h"
#include "gv_scan.h"

/* Invariant: rows <= GV_BLOCK_ROWS; for each row a + c + g + t <= length. */
struct gv_block {
    size_t rows;
    struct gv_scanned scanned;

    uint64_t ordinal[GV_BLOCK_ROWS]; /* running number over all sources, from 0 */
    double error_sum[GV_BLOCK_ROWS]; /* sum of 10^(-q/10); filled only where asked for */

    /* Derived, in double so that what is computed from them is rounded once. */
    double gc[GV_BLOCK_ROWS];      /* (G+C)/(A+C+G+T), NaN where no base is known */
    double quality[GV_BLOCK_ROWS]; /* mean Phred score, NaN for an empty read */

    /* Filled only where asked for. */
    struct gv_names names;
    double looked[GV_BLOCK_ROWS][3]; /* what a layout saw in the sequence; see gv_layout.look */
};

/* Sums over the rows of a block. */
struct gv_block_sums {
    uint64_t bases, known_bases, gc_bases, phred_sum;
    uint64_t unknown_reads; /* without one known base: their GC is NaN, their colour grey */
};

/* Fills the derived columns of all rows. */
void gv_block_derive(struct gv_block *block);

/* The mean Phred score of one read, as gv_block_derive() computes it: NaN for length 0. */
double gv_mean_quality(uint64_t phred_sum, uint64_t length);

/* The score of a read's mean error probability, from the sum of 10^(-q/10): NaN for length 0. */
double gv_mean_error_quality(double error_sum, uint64_t length);

/* gv_mean_error_quality() of all rows. */
void gv_block_error_quality(const struct gv_block *block, float *out);

/* Adds other sums to *sums. */
void gv_block_sums_add(struct gv_block_sums *sums, const struct gv_block_sums *more);

/* Adds the rows to *sums. */
void gv_block_sum(const struct gv_block *block, struct gv_block_sums *sums);

#endif
