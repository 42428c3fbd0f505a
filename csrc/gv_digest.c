#include "gv_digest.h"

/* Numbers without a pattern: the first 64 bits of the fractions of the square roots of 2, 3, 5. */
#define SEED 0x6a09e667f3bcc908u
#define STEP 0xbb67ae8584caa73bu
#define LAST 0x3c6ef372fe94f82bu

#define EACH_BYTE 0x0101010101010101u

/* Clears the bit in which small letters and capitals differ.  No two other bytes that a sequence
 * can hold become the same by it but '@' and '`', '[' and '{' and their like. */
#define FOLD (0xdfu * EACH_BYTE)

__extension__ typedef unsigned __int128 wide;

/* Both halves of a product, folded: each bit of the result depends on every bit of both. */
static inline uint64_t
mix(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
load(const uint8_t *at, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, at, n);
    return word;
}

/* Digests n bytes under a mask; *differs gets the bits in which any of them is not the first. */
static inline uint64_t
digest(const uint8_t *at, size_t n, uint64_t mask, uint64_t *differs)
{
    uint64_t hash = SEED ^ n, other = 0;
    uint64_t first = n > 0 ? (at[0] & mask & 0xff) * EACH_BYTE : 0;
    size_t i = 0;
    for (; n - i >= 8; i += 8) {
        uint64_t word = load(at + i, 8) & mask;
        other |= word ^ first;
        hash = mix(hash ^ word, STEP);
    }
    if (i < n) {
        uint64_t word = load(at + i, n - i) & mask;
        uint64_t used = ~(uint64_t)0 >> (8 * (8 - (n - i)));
        other |= (word ^ first) & used;
        hash = mix(hash ^ word, STEP);
    }
    *differs = other;
    return mix(hash ^ LAST, STEP ^ n);
}

void
gv_digest_texts(const int64_t *offsets, const uint8_t *text, size_t rows, uint64_t *out)
{
    for (size_t i = 0; i < rows; i++) {
        uint64_t differs;
        out[i] = digest(text + offsets[i], (size_t)(offsets[i + 1] - offsets[i]), ~(uint64_t)0,
                        &differs);
    }
}

void
gv_digest_prefixes(const int64_t *offsets, const uint8_t *text, size_t rows, size_t most,
                   uint64_t *out)
{
    for (size_t i = 0; i < rows; i++) {
        size_t n = gv_min_size((size_t)(offsets[i + 1] - offsets[i]), most);
        uint64_t differs;
        uint64_t hash = digest(text + offsets[i], n, FOLD, &differs);
        out[i] = differs == 0 ? 0 : hash + (hash == 0);
    }
}
