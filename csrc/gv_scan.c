#include "gv_scan.h"

#include <math.h>

#include "simd/gv_scan_scalar.h"

const struct gv_scan_ops *const *
gv_scan_variants(void)
{
    static const struct gv_scan_ops *const variants[] = {&gv_scan_scalar, NULL};
    return variants;
}

const struct gv_scan_ops *
gv_scan_find(const char *name)
{
    const struct gv_scan_ops *const *variant = gv_scan_variants();
    while (*variant != NULL && name != NULL && strcmp((*variant)->name, name) != 0) {
        variant++;
    }
    return *variant;
}

void
gv_scan_error_table(double table[94])
{
    for (int q = 0; q < 94; q++) {
        table[q] = pow(10.0, -q / 10.0);
    }
}
