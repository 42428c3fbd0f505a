/* The kernels over 64-byte AVX-512 vectors. */
#include <immintrin.h>

#include "gv_cpu.h"

#define VARIANT avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx2,popcnt,bmi")))
#define WIDTH 64
#define vector __m512i
#define LOAD(p) _mm512_loadu_si512((const void *)(p))
#define SPLAT(byte) _mm512_set1_epi8((char)(byte))
#define AND(v, w) _mm512_and_si512(v, w)
#define SUB(v, w) _mm512_sub_epi8(v, w)
#define HIGHER(v, w) _mm512_max_epu8(v, w)
#define IS_BELOW(v, most) (_mm512_cmpgt_epu8_mask(v, most) == 0)
#define EQUAL(v, w) ((uint64_t)_mm512_cmpeq_epi8_mask(v, w))
#define sums __m512i
#define SUMS_ZERO _mm512_setzero_si512()
#define ADD_BYTES(total, v) _mm512_add_epi64(total, _mm512_sad_epu8(v, _mm512_setzero_si512()))
#define SUMS_TOTAL(total) ((uint64_t)_mm512_reduce_add_epi64(total))
#define KEEP_LAST(v, n) _mm512_maskz_mov_epi8(UINT64_MAX << (64 - (n)), v)

#include "gv_scan_vector.h"

const struct gv_scan_ops gv_scan_avx512 = {
    .name = "avx512",
    .is_supported = gv_cpu_has_avx512,
    .sequence = avx512_sequence,
    .quality = avx512_quality,
    .records = avx512_records,
    .error = gv_scan_scalar_error,
};
