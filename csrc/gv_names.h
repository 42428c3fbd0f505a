/* gv_names.h: the names of many reads of one platform, into columns of a block.
 *
 * The platform is settled before the first read and verified on every one.  Names of one run begin
 * alike, so what an Illumina name says up to its tile is compared with the name before instead of
 * being read again; two numbers are left.
 */
#ifndef GV_NAMES_H
#define GV_NAMES_H

#include "gv_name.h"
#include "gv_scan.h"

/* Longer beginnings are read again each time. */
#define GV_NAMES_PREFIX_MOST 64

/* Reads names, one after another.  What it says of a name does not depend on those before. */
struct gv_names_reader {
    enum gv_grammar grammar; /* of the names that count; NONE: of none */
    bool wants_comment;      /* "1:N:0:ACGT" behind an Illumina name */

    /* Of the Illumina name before: "instrument:run:flowcell:lane:tile:", and what it said. */
    uint8_t prefix[GV_NAMES_PREFIX_MOST];
    size_t prefix_size; /* 0: there was none */
    uint8_t lane;
    uint32_t tile;
};

void gv_names_reader_init(struct gv_names_reader *reader, enum gv_grammar grammar,
                          bool wants_comment);

/* Reads one name, of whose text `readable` bytes may be looked at, size of them its own.  False,
 * and every part lacking, where it is not of the reader's grammar.  A Nanopore name is whichever
 * program wrote it. */
bool gv_names_reader_read(struct gv_names_reader *reader, const uint8_t *name, size_t size,
                          size_t readable, struct gv_name *out);

/* The numbers that a block's names hold. */
struct gv_names {
    uint8_t is_known[GV_BLOCK_ROWS]; /* of the grammar that counts */
    uint8_t lane[GV_BLOCK_ROWS], read[GV_BLOCK_ROWS], filtered[GV_BLOCK_ROWS];
    uint16_t channel[GV_BLOCK_ROWS];
    uint32_t tile[GV_BLOCK_ROWS], zmw[GV_BLOCK_ROWS];
    int32_t x[GV_BLOCK_ROWS], y[GV_BLOCK_ROWS];
    int64_t start_time[GV_BLOCK_ROWS];
};

/* Writes one name's numbers to a row. */
void gv_names_put(struct gv_names *names, size_t row, const struct gv_name *name, bool is_known);

/* Reads the names of rows [first, first + n) that were scanned in text[0, size). */
void gv_names_read(struct gv_names *names, struct gv_names_reader *reader,
                   const struct gv_scanned *scanned, const uint8_t *text, size_t size, size_t first,
                   size_t n);

#endif
