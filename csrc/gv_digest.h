/* gv_digest.h: 64 bits that stand for a text, to find equal ones among millions by sorting numbers.
 *
 * Equal texts have equal digests, on every machine and in every version that reads the same files;
 * two different ones have the same with a chance of about 2^-64, if nobody chose them for it.
 * Digests are for the memory of one process: they are not written to files.
 */
#ifndef GV_DIGEST_H
#define GV_DIGEST_H

#include "gv_base.h"

/* The digest of each of `rows` texts, row i being text[offsets[i], offsets[i + 1]); the offsets
 * never decrease. */
void gv_digest_texts(const int64_t *offsets, const uint8_t *text, size_t rows, uint64_t *out);

/* The digest of the first `most` bases of each sequence, or of all where it has fewer, whatever the
 * case of their letters; a shorter sequence differs from a longer one that begins with it.  0,
 * which stands for nothing else, where they are one letter throughout, or none. */
void gv_digest_prefixes(const int64_t *offsets, const uint8_t *text, size_t rows, size_t most,
                        uint64_t *out);

#endif
