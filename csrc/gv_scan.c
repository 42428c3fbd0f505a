#include "gv_scan.h"

#include <math.h>

#include "simd/variants.h"

const struct gv_scan_ops *const *
gv_scan_variants(void)
{
    static const struct gv_scan_ops *const variants[] = {
#if defined(__x86_64__)
        &gv_scan_avx512, &gv_scan_avx2,
#elif defined(__aarch64__)
        &gv_scan_neon,
#endif
        &gv_scan_swar,   &gv_scan_scalar, NULL,
    };
    return variants;
}

const struct gv_scan_ops *
gv_scan_find(const char *name)
{
    const struct gv_scan_ops *const *variant = gv_scan_variants();
    for (; *variant != NULL; variant++) {
        if ((name == NULL || strcmp((*variant)->name, name) == 0) && (*variant)->is_supported()) {
            return *variant;
        }
    }
    return NULL;
}

void
gv_scan_error_table(double table[94])
{
    for (int q = 0; q < 94; q++) {
        table[q] = pow(10.0, -q / 10.0);
    }
}
