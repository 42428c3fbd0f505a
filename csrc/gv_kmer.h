/* gv_kmer.h: the tetranucleotides of a sequence.
 *
 * A tetranucleotide is four known bases in a row.  Its code has two bits a base, A 0, C 1, G 2,
 * T (and U) 3, the first base highest: "ACGT" is 0b00011011 = 27.
 */
#ifndef GV_KMER_H
#define GV_KMER_H

#include "gv_base.h"

#define GV_KMER_CODES 256

/* The last four bases. */
struct gv_kmer {
    uint8_t code;
    uint8_t known; /* known bases in a row, 4 standing for more */
};

/* Codes of the letters, by the letter's last five bits (either case); 4 for those not known. */
extern const uint8_t gv_kmer_base_codes[32];

/* Adds a base.  Whether the last four are a tetranucleotide, whose code kmer->code then is. */
static inline bool
gv_kmer_add(struct gv_kmer *kmer, uint8_t base)
{
    unsigned code = (uint8_t)((base | 0x20) - 'a') < 26 ? gv_kmer_base_codes[base & 31] : 4;
    kmer->code = (uint8_t)(kmer->code << 2 | (code & 3));
    kmer->known = code < 4 ? (uint8_t)(kmer->known + (kmer->known < 4)) : 0;
    return kmer->known == 4;
}

/* Adds the tetranucleotides of a sequence to their counts. */
void gv_kmer_count(const uint8_t *sequence, size_t length, uint32_t counts[GV_KMER_CODES]);

#endif
