/* variants.h: the variants of this folder, for gv_scan.c alone. */
#ifndef GV_SCAN_VARIANTS_H
#define GV_SCAN_VARIANTS_H

#include "gv_scan.h"

/* gv_scan_avx512.c, gv_scan_avx2.c (x86-64), gv_scan_neon.c (aarch64) */
extern const struct gv_scan_ops gv_scan_avx512;
extern const struct gv_scan_ops gv_scan_avx2;
extern const struct gv_scan_ops gv_scan_neon;

/* gv_scan_swar.c, gv_scan_scalar.c (everywhere) */
extern const struct gv_scan_ops gv_scan_swar;
extern const struct gv_scan_ops gv_scan_scalar;

/* For the other variants: the exact count of bad bytes once one is known to be there, the ends of
 * lines that no whole vector covers, and sums in the order of the bytes. */
size_t gv_scan_scalar_sequence(const uint8_t *text, size_t size, struct gv_bases *bases);
void gv_scan_scalar_quality(const uint8_t *text, size_t size, uint8_t zero,
                            struct gv_qualities *qualities);
double gv_scan_scalar_error(const uint8_t *text, size_t size, uint8_t zero, const double table[94]);

/* Adds what a variant counted in the n bytes of a line of sequence.  A line of known letters alone,
 * as nearly all are, holds nothing bad; another one is looked at again. */
static inline void
gv_scan_add_line(const uint8_t *text, size_t n, const struct gv_bases *own, struct gv_bases *bases)
{
    if (GV_UNLIKELY(own->a + own->c + own->g + own->t != n)) {
        struct gv_bases exact = {0};
        (void)gv_scan_scalar_sequence(text, n, &exact);
        bases->bad += exact.bad;
    }
    bases->a += own->a;
    bases->c += own->c;
    bases->g += own->g;
    bases->t += own->t;
}

#endif
