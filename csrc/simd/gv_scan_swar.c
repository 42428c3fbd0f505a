/* The kernels over eight bytes in a 64-bit register: for every processor. */
#include "gv_cpu.h"
#include "variants.h"

#define ONES 0x0101010101010101u
#define LOW7 (0x7f * ONES)
#define HIGH (0x80 * ONES)

static inline uint64_t
load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* The high bit of every byte of `word` that equals `byte`, exactly: no carry leaves a byte. */
static inline uint64_t
equal(uint64_t word, uint8_t byte)
{
    uint64_t differs = word ^ (byte * ONES);
    return ~(((differs & LOW7) + LOW7) | differs) & HIGH;
}

/* Letters counted byte by byte: after `words` words no byte is above `words`. */
struct byte_counts {
    uint64_t a, c, g, t;
};

/* Words between two sums over the bytes of the counts: what a byte can hold. */
#define COUNT_WORDS 255

/* Words between two sums over the 16-bit lanes of a running sum: 32 words of 8 bytes of 255 are
 * below 2^16, and so is their total. */
#define SUM_WORDS 32

static inline void
count(uint64_t word, struct byte_counts *counts)
{
    uint64_t upper = word & 0xdf * ONES, t_or_u = word & 0xde * ONES;
    counts->a += equal(upper, 'A') >> 7;
    counts->c += equal(upper, 'C') >> 7;
    counts->g += equal(upper, 'G') >> 7;
    counts->t += equal(t_or_u, 'T') >> 7;
}

static inline uint64_t
sum_lanes(uint64_t lanes)
{
    return (lanes * 0x0001000100010001u) >> 48;
}

static inline uint64_t
sum_bytes(uint64_t word)
{
    const uint64_t even = 0x00ff00ff00ff00ffu;
    return sum_lanes((word & even) + (word >> 8 & even));
}

static inline void
add_counts(const struct byte_counts *counts, struct gv_bases *bases)
{
    bases->a += sum_bytes(counts->a);
    bases->c += sum_bytes(counts->c);
    bases->g += sum_bytes(counts->g);
    bases->t += sum_bytes(counts->t);
}

static size_t
swar_sequence(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    struct gv_bases own = {0};
    size_t n = 0;
    uint64_t line_end = 0;
    while (line_end == 0 && n + 8 <= size) {
        struct byte_counts counts = {0};
        for (int words = 0; words < COUNT_WORDS && n + 8 <= size; words++, n += 8) {
            uint64_t word = load(text + n);
            line_end = equal(word, '\n');
            if (line_end != 0) {
                break;
            }
            count(word, &counts);
        }
        add_counts(&counts, &own);
    }
    /* What is left, up to the line end, is less than a word. */
    n += gv_scan_scalar_sequence(text + n, size - n, &own);
    gv_scan_add_line(text, n, &own, bases);
    return n;
}

static void
swar_quality(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *qualities)
{
    const uint64_t even = 0x00ff00ff00ff00ffu;
    struct gv_qualities own = {0};
    uint64_t bad = 0;
    size_t n = 0;
    while (n + 8 <= size) {
        uint64_t lanes = 0;
        for (int words = 0; words < SUM_WORDS && n + 8 <= size; words++, n += 8) {
            uint64_t word = load(text + n);
            /* Too high: from 0x7f up.  Too low: the subtraction borrows the bit set for it. */
            bad |= word | ((word & LOW7) + ONES);
            bad |= ~((word | HIGH) - zero * ONES);
            lanes += (word & even) + (word >> 8 & even);
        }
        own.sum += sum_lanes(lanes);
    }
    gv_scan_scalar_quality(text + n, size - n, zero, &own);
    if (GV_UNLIKELY((bad & HIGH) != 0)) {
        own = (struct gv_qualities){0};
        gv_scan_scalar_quality(text, size, zero, &own);
    }
    qualities->sum += own.sum;
    qualities->bad += own.bad;
}

#define RECORDS swar_records
#define SEQUENCE swar_sequence
#define QUALITY swar_quality
#include "gv_scan_records.h"

const struct gv_scan_ops gv_scan_swar = {
    .name = "swar",
    .is_supported = gv_cpu_has_nothing_special,
    .sequence = swar_sequence,
    .quality = swar_quality,
    .records = swar_records,
    .error = gv_scan_scalar_error,
};
