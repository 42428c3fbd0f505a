/* gv_scan.h: the byte kernels: the only code that touches every byte of the text.
 *
 * A set of kernels is one struct gv_scan_ops.  It is passed in wherever bytes are scanned, never
 * looked up in a global, so that every variant can be run and compared on one machine.  The
 * scalar variant is the specification: the others must give the same for the same bytes.
 *
 * All kernels are pure functions, may be called from any thread, and read nothing outside
 * [text, text + size).
 */
#ifndef GV_SCAN_H
#define GV_SCAN_H

#include "gv_base.h"

/* The bytes that a sequence may hold: printable ASCII without the space. */
#define GV_SEQUENCE_LEAST 0x21
#define GV_SEQUENCE_MOST 0x7e

/* The bytes that Phred scores are written in: '!' (0 in Phred+33) or '@' (0 in Phred+64) to '~'. */
#define GV_PHRED33_ZERO 33
#define GV_PHRED64_ZERO 64
#define GV_PHRED_MOST 0x7e

/* What a stretch of sequence holds.  a, c, g, t count letters of either case, t also U; bad
 * counts bytes outside GV_SEQUENCE_LEAST..GV_SEQUENCE_MOST. */
struct gv_bases {
    uint64_t a, c, g, t;
    uint64_t bad;
};

/* What a stretch of quality holds: the sum of its byte values, and the number of bytes outside
 * zero..GV_PHRED_MOST. */
struct gv_qualities {
    uint64_t sum;
    uint64_t bad;
};

/* Records in a block: its columns together stay in a first-level cache. */
#define GV_BLOCK_ROWS 256

/* What one pass over records finds, a column a measure.  Offsets count from the text given. */
struct gv_scanned {
    uint64_t phred_sum[GV_BLOCK_ROWS];
    uint64_t start[GV_BLOCK_ROWS];    /* of the '@' */
    uint64_t sequence[GV_BLOCK_ROWS]; /* of the first base */
    uint32_t length[GV_BLOCK_ROWS];   /* bases; the qualities begin length + 3 after the bases */
    uint32_t a[GV_BLOCK_ROWS], c[GV_BLOCK_ROWS], g[GV_BLOCK_ROWS], t[GV_BLOCK_ROWS];
};

/* Writes what was found of one record. */
static inline void
gv_scan_put_row(struct gv_scanned *rows, size_t row, size_t start, size_t sequence, size_t length,
                const struct gv_bases *bases, uint64_t phred_sum)
{
    rows->phred_sum[row] = phred_sum;
    rows->start[row] = start;
    rows->sequence[row] = sequence;
    rows->length[row] = (uint32_t)length;
    rows->a[row] = (uint32_t)bases->a;
    rows->c[row] = (uint32_t)bases->c;
    rows->g[row] = (uint32_t)bases->g;
    rows->t[row] = (uint32_t)bases->t;
}

struct gv_scan_ops {
    const char *name;

    /* Whether this processor can run it; the others below must not be called where it cannot. */
    bool (*is_supported)(void);

    /* Counts the bytes before the first '\n' into *bases (which it adds to) and returns how many
     * they are; `size` where there is no '\n'. */
    size_t (*sequence)(const uint8_t *text, size_t size, struct gv_bases *bases);

    /* Adds up all `size` bytes into *qualities; a '\n' among them counts as bad. */
    void (*quality)(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *qualities);

    /* Reads records of the plainest shape from text[from, size) into rows [first, first + n) of
     * *rows, n <= most, and returns n; *end is where the next record begins.  Plainest: four
     * whole lines that end in '\n' alone, not one of them empty but for a bare '+', every byte
     * sound, at most most_bytes long and below 2^32 bases.  It stops before the first record that
     * is anything else, or too near either end of the text for the vectors to look at: the parser
     * must look at that one. */
    size_t (*records)(const uint8_t *text, size_t from, size_t size, uint8_t zero,
                      size_t most_bytes, struct gv_scanned *rows, size_t first, size_t most,
                      size_t *end);

    /* The sum over all bytes of 10^(-q/10), q = byte - zero, in the order of the bytes, from
     * table[q] for q in 0..93.  The bytes have passed quality(). */
    double (*error)(const uint8_t *text, size_t size, uint8_t zero, const double table[94]);
};

/* Every variant built in, best first, ended by NULL; the scalar one is always the last. */
const struct gv_scan_ops *const *gv_scan_variants(void);

/* The variant of that name, NULL where there is none or this processor cannot run it; for a name
 * of NULL the best one that it can. */
const struct gv_scan_ops *gv_scan_find(const char *name);

/* Fills the table that error() takes: table[q] = 10^(-q/10). */
void gv_scan_error_table(double table[94]);

#endif
