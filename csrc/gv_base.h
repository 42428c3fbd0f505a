/* gv_base.h: what every other file may lean on: attributes, checked sizes, bit patterns.
 *
 * The core is C11 for 64-bit little-endian hosts (meson refuses the others).  It never prints,
 * never ends the process, reads no environment and keeps no global that changes.
 */
#ifndef GV_BASE_H
#define GV_BASE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define GV_NODISCARD __attribute__((warn_unused_result))
#define GV_LIKELY(x) __builtin_expect(!!(x), 1)
#define GV_UNLIKELY(x) __builtin_expect(!!(x), 0)
#else
#error "genomevedic's core needs GCC or Clang: it uses their checked arithmetic"
#endif

/* GV_CLONES on a function has the compiler make it for wider vectors too, one of which the loader
 * chooses.  The functions so marked are loops over a block whose result is the same bit for bit
 * for any width (no reduction of floats, no contraction).  It needs GCC and a loader that resolves
 * such functions; the sanitizers run before their resolvers do. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define GV_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define GV_CLONES
#endif

/* What must not be touched, as AddressSanitizer is told where it is built in: memory that is idle,
 * and what lies between the columns of a slab. */
#if defined(__SANITIZE_ADDRESS__)
void __asan_poison_memory_region(const volatile void *, size_t);
void __asan_unpoison_memory_region(const volatile void *, size_t);
#define GV_POISON(address, size) __asan_poison_memory_region(address, size)
#define GV_UNPOISON(address, size) __asan_unpoison_memory_region(address, size)
#else
#define GV_POISON(address, size) ((void)(address), (void)(size))
#define GV_UNPOISON(address, size) ((void)(address), (void)(size))
#endif

/* The alignment of every column and every block: one cache line, one AVX-512 register. */
#define GV_ALIGNMENT ((size_t)64)

/* Checked arithmetic: true when *out holds the exact result, false on overflow. */
static inline bool
gv_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool
gv_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* The least multiple of `unit` (a power of two) not below n; false on overflow. */
static inline bool
gv_round_up(size_t n, size_t unit, size_t *out)
{
    assert(unit != 0 && (unit & (unit - 1)) == 0);
    if (!gv_add_size(n, unit - 1, out)) {
        return false;
    }
    *out &= ~(unit - 1);
    return true;
}

static inline size_t
gv_min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t
gv_max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Unaligned little-endian loads. */
static inline uint16_t
gv_load_u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint32_t
gv_load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

#endif
