/* The kernels over 64-byte AVX-512 vectors. */
#include <immintrin.h>

#include "gv_cpu.h"

#define VARIANT avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx2,popcnt,bmi")))
#define WIDTH 64
#define vector __m512i
#define LOAD(p) _mm512_loadu_si512((const void *)(p))
#define SPLAT(byte) _mm512_set1_epi8((char)(byte))
#define TABLE(p) _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define HELD(v) held(v)
#define AND(v, w) _mm512_and_si512(v, w)
#define ADD(v, w) _mm512_add_epi8(v, w)
#define SUB(v, w) _mm512_sub_epi8(v, w)
#define HIGHER(v, w) _mm512_max_epu8(v, w)
#define LOOKUP(table, v) _mm512_shuffle_epi8(table, v)
#define DIFFER(d, v, w) _mm512_ternarylogic_epi64(d, v, w, 0xf6) /* d | (v ^ w) */
#define IS_BELOW(v, most) (_mm512_cmpgt_epu8_mask(v, most) == 0)
#define HAS_NONE(v, bits) (_mm512_test_epi8_mask(v, bits) == 0)
#define EQUAL(v, w) ((uint64_t)_mm512_cmpeq_epi8_mask(v, w))
#define sums __m512i
#define SUMS_ZERO _mm512_setzero_si512()
#define ADD_BYTES(total, v) _mm512_add_epi64(total, _mm512_sad_epu8(v, _mm512_setzero_si512()))
#define SUMS_TOTAL(total) ((uint64_t)_mm512_reduce_add_epi64(total))
#define PLUS(s, t) _mm512_add_epi64(s, t)
#define SHIFT(s, n) _mm512_slli_epi64(s, n)
#define KEEP_LAST(v, n) _mm512_maskz_mov_epi8(UINT64_MAX << (64 - (n)), v)

TARGET static inline __m512i
held(__m512i v)
{
    __asm__("" : "+v"(v));
    return v;
}

#include "gv_scan_vector.h"

const struct gv_scan_ops gv_scan_avx512 = {
    .name = "avx512",
    .is_supported = gv_cpu_has_avx512,
    .sequence = avx512_sequence,
    .quality = avx512_quality,
    .records = avx512_records,
    .error = gv_scan_scalar_error,
};
