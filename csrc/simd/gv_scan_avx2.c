/* The kernels over 32-byte AVX2 vectors. */
#include <immintrin.h>

#include "gv_cpu.h"

#define VARIANT avx2
#define TARGET __attribute__((target("avx2,popcnt,bmi")))
#define WIDTH 32
#define vector __m256i
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define SPLAT(byte) _mm256_set1_epi8((char)(byte))
#define TABLE(p) _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define HELD(v) held(v)
#define AND(v, w) _mm256_and_si256(v, w)
#define ADD(v, w) _mm256_add_epi8(v, w)
#define SUB(v, w) _mm256_sub_epi8(v, w)
#define HIGHER(v, w) _mm256_max_epu8(v, w)
#define LOOKUP(table, v) _mm256_shuffle_epi8(table, v)
#define DIFFER(d, v, w) _mm256_or_si256(d, _mm256_xor_si256(v, w))
#define IS_BELOW(v, most) is_below(v, most)
#define HAS_NONE(v, bits) _mm256_testz_si256(v, bits)
#define EQUAL(v, w) ((uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, w)))
#define sums __m256i
#define SUMS_ZERO _mm256_setzero_si256()
#define ADD_BYTES(total, v) _mm256_add_epi64(total, _mm256_sad_epu8(v, _mm256_setzero_si256()))
#define SUMS_TOTAL(total) sum_lanes(total)
#define PLUS(s, t) _mm256_add_epi64(s, t)
#define SHIFT(s, n) _mm256_slli_epi64(s, n)
#define KEEP_LAST(v, n) keep_last(v, n)

TARGET static inline __m256i
held(__m256i v)
{
    __asm__("" : "+x"(v));
    return v;
}

TARGET static inline bool
is_below(__m256i v, __m256i most)
{
    __m256i excess = _mm256_subs_epu8(v, most);
    return _mm256_testz_si256(excess, excess);
}

TARGET static inline uint64_t
sum_lanes(__m256i total)
{
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(total), _mm256_extracti128_si256(total, 1));
    return (uint64_t)_mm_cvtsi128_si64(two) + (uint64_t)_mm_extract_epi64(two, 1);
}

TARGET static inline __m256i
keep_last(__m256i v, size_t n)
{
    static const uint8_t edge[64] = {
        [32] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
        255,        255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    };
    return AND(v, LOAD(edge + n));
}

#include "gv_scan_vector.h"

const struct gv_scan_ops gv_scan_avx2 = {
    .name = "avx2",
    .is_supported = gv_cpu_has_avx2,
    .sequence = avx2_sequence,
    .quality = avx2_quality,
    .records = avx2_records,
    .error = gv_scan_scalar_error,
};
