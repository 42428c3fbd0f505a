/* gv_cpu.h: what this processor can do.  The only file that asks it.
 *
 * The answers already take into account whether the operating system keeps the registers.
 */
#ifndef GV_CPU_H
#define GV_CPU_H

#include "gv_base.h"

/* Always true: for variants that need nothing. */
bool gv_cpu_has_nothing_special(void);

/* AVX2 with POPCNT and BMI1. */
bool gv_cpu_has_avx2(void);

/* AVX-512 F and BW, with all of the above. */
bool gv_cpu_has_avx512(void);

#endif
