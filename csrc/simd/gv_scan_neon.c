/* The kernels over 64 bytes in four NEON vectors. */
#include <arm_neon.h>

#include "gv_cpu.h"

#define VARIANT neon
#define TARGET
#define WIDTH 64
#define vector uint8x16x4_t
#define LOAD(p) vld1q_u8_x4(p)
#define SPLAT(byte) splat(byte)
#define TABLE(p) table_of(p)
#define HELD(v) (v)
#define AND(v, w) each(vandq_u8, v, w)
#define ADD(v, w) each(vaddq_u8, v, w)
#define SUB(v, w) each(vsubq_u8, v, w)
#define HIGHER(v, w) each(vmaxq_u8, v, w)
#define LOOKUP(table, v) lookup(table, v)
#define DIFFER(d, v, w) differ(d, v, w)
#define IS_BELOW(v, most) is_below(v, most)
#define HAS_NONE(v, bits) has_none(v, bits)
#define EQUAL(v, w) bits_of(each(vceqq_u8, v, w))
#define sums uint64x2_t
#define SUMS_ZERO vdupq_n_u64(0)
#define ADD_BYTES(total, v) add_bytes(total, v)
#define SUMS_TOTAL(total) vaddvq_u64(total)
#define PLUS(s, t) vaddq_u64(s, t)
#define SHIFT(s, n) vshlq_n_u64(s, n)
#define KEEP_LAST(v, n) keep_last(v, n)

#define each(f, v, w)                                                      \
    ((uint8x16x4_t){{f((v).val[0], (w).val[0]), f((v).val[1], (w).val[1]), \
                     f((v).val[2], (w).val[2]), f((v).val[3], (w).val[3])}})

static inline uint8x16x4_t
splat(uint8_t byte)
{
    uint8x16_t one = vdupq_n_u8(byte);
    return (uint8x16x4_t){{one, one, one, one}};
}

static inline uint8x16x4_t
table_of(const uint8_t *p)
{
    uint8x16_t one = vld1q_u8(p);
    return (uint8x16x4_t){{one, one, one, one}};
}

/* An index beyond the table gives 0, and bit 7 makes one. */
static inline uint8x16x4_t
lookup(uint8x16x4_t table, uint8x16x4_t v)
{
    uint8x16x4_t index = AND(v, splat(0x8f));
    return each(vqtbl1q_u8, table, index);
}

static inline uint8x16x4_t
differ(uint8x16x4_t d, uint8x16x4_t v, uint8x16x4_t w)
{
    uint8x16x4_t bits = each(veorq_u8, v, w);
    return each(vorrq_u8, d, bits);
}

static inline bool
has_none(uint8x16x4_t v, uint8x16x4_t bits)
{
    uint8x16x4_t set = AND(v, bits);
    uint8x16_t any = vorrq_u8(vorrq_u8(set.val[0], set.val[1]), vorrq_u8(set.val[2], set.val[3]));
    return vmaxvq_u8(any) == 0;
}

static inline bool
is_below(uint8x16x4_t v, uint8x16x4_t most)
{
    uint8x16_t high = vmaxq_u8(vmaxq_u8(v.val[0], v.val[1]), vmaxq_u8(v.val[2], v.val[3]));
    return vmaxvq_u8(vqsubq_u8(high, most.val[0])) == 0;
}

/* One bit a byte: each byte keeps the bit of its place among eight, and three rounds of pairwise
 * addition bring the bits of eight bytes together in one. */
static inline uint64_t
bits_of(uint8x16x4_t equal)
{
    const uint8x16_t place = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t low = vpaddq_u8(vandq_u8(equal.val[0], place), vandq_u8(equal.val[1], place));
    uint8x16_t high = vpaddq_u8(vandq_u8(equal.val[2], place), vandq_u8(equal.val[3], place));
    uint8x16_t both = vpaddq_u8(low, high);
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

static inline uint64x2_t
add_bytes(uint64x2_t total, uint8x16x4_t v)
{
    /* Four bytes of 255 fit sixteen bits many times over. */
    uint16x8_t pairs = vpaddlq_u8(v.val[0]);
    pairs = vpadalq_u8(pairs, v.val[1]);
    pairs = vpadalq_u8(pairs, v.val[2]);
    pairs = vpadalq_u8(pairs, v.val[3]);
    return vpadalq_u32(total, vpaddlq_u16(pairs));
}

static inline uint8x16x4_t
keep_last(uint8x16x4_t v, size_t n)
{
    static const uint8_t edge[128] = {
        [64] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255,        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255,        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255,        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    };
    uint8x16x4_t mask = vld1q_u8_x4(edge + n);
    return AND(v, mask);
}

#include "gv_scan_vector.h"

const struct gv_scan_ops gv_scan_neon = {
    .name = "neon",
    .is_supported = gv_cpu_has_nothing_special,
    .sequence = neon_sequence,
    .quality = neon_quality,
    .records = neon_records,
    .error = gv_scan_scalar_error,
};
