/* gv_scan_scalar.h: the scalar kernels, for gv_scan.c alone. */
#ifndef GV_SCAN_SCALAR_H
#define GV_SCAN_SCALAR_H

#include "gv_scan.h"

extern const struct gv_scan_ops gv_scan_scalar;

#endif
