/* gv_tally.h: sums over the reads of each tile of a flow cell, and over stretches of their cycles.
 *
 * Reads come in batches, as the columns of a table of particles; what a tally holds depends on the
 * reads alone, not on their order nor on how batches are cut: every sum is a whole number.  Its
 * size grows with the number of tiles and with the longest read, not with the number of reads.
 *
 *   lane 1, tile 1101    ACGTN, qualities FFFF#     bins of 2 cycles:  1..2     3..4     5..5
 *   lane 1, tile 1101    GGG,   qualities FF:       bases              4        3        1
 *                                                   known              4        3        0
 *                                                   gc                 3        2        0
 *                                                   quality            4*'F'    'F'+'F'+':'  '#'
 *
 * A tally serves one thread at a time.
 */
#ifndef GV_TALLY_H
#define GV_TALLY_H

#include "gv_arena.h"

/* Sums over bases. */
struct gv_tally_sums {
    uint64_t bases;
    uint64_t known;   /* A, C, G, T or U, of either case */
    uint64_t gc;      /* G or C */
    uint64_t quality; /* of the quality bytes as they stand: `zero` times `bases` above Phred */
};

/* Invariants: poly_g <= reads; gc <= known <= bases. */
struct gv_tally_tile {
    uint32_t tile;
    uint8_t lane;
    uint64_t first; /* the row that it was first seen in, from 0, over all batches */
    uint64_t reads;
    uint64_t poly_g;
    struct gv_tally_sums sums; /* over all cycles */
};

/* A batch.  Row i has the bytes [offsets[i], offsets[i + 1]) of its texts.  A lane or tile of 0 is
 * none: the read is counted as unplaced and in no tile.  Borrows: everything. */
struct gv_tally_reads {
    size_t rows;
    const uint8_t *lane;
    const uint32_t *tile;
    const int64_t *sequence_offsets, *quality_offsets;
    const uint8_t *sequence, *quality;
    size_t sequence_size, quality_size;
};

/* Owns: its sums.  Holds: its arena, which they are charged to. */
struct gv_tally;

/* An empty tally with bins of `cycles` cycles, or none for 0.  A read is poly-G where it has at
 * least `tail` bases (at least 1), and of the last `tail` at most tail / 8, and no more than 5, are
 * not G: so fastp (OpenGene/fastp, src/polyx.cpp, trimPolyG) finds a tail that it cuts.  `arena`
 * may be NULL.  GV_NO_MEMORY. */
GV_NODISCARD enum gv_status gv_tally_new(size_t cycles, size_t tail, struct gv_arena *arena,
                                         struct gv_tally **tally);
void gv_tally_free(struct gv_tally *tally);
bool gv_tally_is_valid(const struct gv_tally *tally);

/* Whether all offsets lie inside their texts, none is below the one before it, and each read has
 * as many qualities as bases. */
bool gv_tally_reads_are_valid(const struct gv_tally_reads *reads);

/* Adds valid reads.  Where there is no room for their tiles or cycles, it fails as
 * gv_arena_charge() does, or with GV_NO_MEMORY, and nothing was added. */
GV_NODISCARD enum gv_status gv_tally_add(struct gv_tally *tally,
                                         const struct gv_tally_reads *reads);

/* Adds what is still in narrow counters to the sums.  Before they are looked at. */
void gv_tally_settle(struct gv_tally *tally);

/* Tiles seen so far, in the order in which they came, and their bins: as many for each of them as
 * the longest read on any has begun.  Valid until: the next add. */
size_t gv_tally_tiles(const struct gv_tally *tally);
size_t gv_tally_bins(const struct gv_tally *tally);
const struct gv_tally_tile *gv_tally_tile_at(const struct gv_tally *tally, size_t tile);
const struct gv_tally_sums *gv_tally_bins_at(const struct gv_tally *tally, size_t tile);

/* Cycles of the longest read on a tile, and reads that are on none. */
size_t gv_tally_longest(const struct gv_tally *tally);
uint64_t gv_tally_unplaced(const struct gv_tally *tally);

#endif
