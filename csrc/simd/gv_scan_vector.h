/* gv_scan_vector.h: the kernels, written once over 32- or 64-byte vectors and instantiated for
 * each instruction set by the file that includes this one, after defining
 *
 *   VARIANT           prefix of the functions' names
 *   TARGET            attribute that lets the compiler use the instruction set, may be empty
 *   WIDTH             bytes in a vector, 32 or 64
 *   vector            the type
 *   LOAD(p)           WIDTH bytes from p, unaligned
 *   SPLAT(byte)       that byte everywhere
 *   AND(v, w)         bitwise
 *   SUB(v, w)         per byte, modulo 256
 *   OR_EXCESS(acc, v, most)   acc, with something other than zero where a byte of v exceeds most
 *   IS_ZERO(v)        whether no bit is set
 *   EQUAL(v, w)       uint64_t with bit i set where byte i is equal
 *   sums              the type of running sums
 *   SUMS_ZERO, ADD_BYTES(sums, v), SUMS_TOTAL(sums)   sums of bytes
 *   KEEP_LAST(v, n)   v with all but its last n bytes zero, 0 < n <= WIDTH
 *
 * Nothing outside [text, text + size) is read: the last stretch of a line is read by a vector that
 * ends where the text ends, with the bytes that were counted already masked away.
 */
#include "variants.h"

#define CONCAT_(a, b) a##_##b
#define CONCAT(a, b) CONCAT_(a, b)
#define KERNEL(name) CONCAT(VARIANT, name)

#define ALL_BITS (UINT64_MAX >> (64 - WIDTH))

/* Adds the letters among the bytes of v whose bit in `counted` is set. */
TARGET static inline void
KERNEL(count)(vector v, uint64_t counted, struct gv_bases *bases)
{
    /* 0xdf folds the case; T and U differ in bit 0 from nothing else that is a letter's. */
    vector upper = AND(v, SPLAT(0xdf));
    vector t_or_u = AND(v, SPLAT(0xde));
    bases->a += (uint64_t)__builtin_popcountll(EQUAL(upper, SPLAT('A')) & counted);
    bases->c += (uint64_t)__builtin_popcountll(EQUAL(upper, SPLAT('C')) & counted);
    bases->g += (uint64_t)__builtin_popcountll(EQUAL(upper, SPLAT('G')) & counted);
    bases->t += (uint64_t)__builtin_popcountll(EQUAL(t_or_u, SPLAT('T')) & counted);
}

TARGET static size_t
KERNEL(sequence)(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    struct gv_bases own = {0};
    size_t n = 0;
    uint64_t line_end = 0;
    while (n + WIDTH <= size) {
        vector v = LOAD(text + n);
        line_end = EQUAL(v, SPLAT('\n'));
        if (line_end != 0) {
            size_t length = (size_t)__builtin_ctzll(line_end);
            KERNEL(count)(v, (1ull << length) - 1, &own);
            n += length;
            break;
        }
        KERNEL(count)(v, ALL_BITS, &own);
        n += WIDTH;
    }
    if (line_end == 0 && n < size) {
        n += gv_scan_scalar_sequence(text + n, size - n, &own);
    }
    /* A line of known letters alone, as nearly all are, holds nothing bad. */
    if (GV_UNLIKELY(own.a + own.c + own.g + own.t != n)) {
        struct gv_bases exact = {0};
        (void)gv_scan_scalar_sequence(text, n, &exact);
        own.bad = exact.bad;
    }
    bases->a += own.a;
    bases->c += own.c;
    bases->g += own.g;
    bases->t += own.t;
    bases->bad += own.bad;
    return n;
}

TARGET static void
KERNEL(quality)(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *qualities)
{
    if (size < WIDTH) {
        gv_scan_scalar_quality(text, size, zero, qualities);
        return;
    }
    vector base = SPLAT(zero), most = SPLAT(GV_PHRED_MOST - zero), excess = SPLAT(0);
    sums total = SUMS_ZERO;
    size_t n = 0;
    for (; n + WIDTH <= size; n += WIDTH) {
        vector score = SUB(LOAD(text + n), base);
        excess = OR_EXCESS(excess, score, most);
        total = ADD_BYTES(total, score);
    }
    if (n < size) {
        vector score = KEEP_LAST(SUB(LOAD(text + size - WIDTH), base), size - n);
        excess = OR_EXCESS(excess, score, most);
        total = ADD_BYTES(total, score);
    }
    if (GV_UNLIKELY(!IS_ZERO(excess))) {
        gv_scan_scalar_quality(text, size, zero, qualities);
        return;
    }
    qualities->sum += SUMS_TOTAL(total) + (uint64_t)zero * size;
}
