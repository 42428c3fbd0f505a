/* gv_appearance.h: how a particle looks: colour from GC content, size from mean quality.
 *
 * Both are piecewise linear and continuous:
 *
 *   GC     0            0.4          0.5          0.6          1            unknown
 *   RGB    blue 0,0,1   cyan 0,1,1   green 0,1,0  yellow 1,1,0 red 1,0,0    grey .5,.5,.5
 *
 *   mean Phred   0 and below   10     30    40 and above   empty read
 *   size         0.5           0.75   1.5   2.0            0.5
 *
 * Sizes are relative: a viewer multiplies them by the layout's point size.
 */
#ifndef GV_APPEARANCE_H
#define GV_APPEARANCE_H

#include "gv_base.h"

/* Red, green, blue, alpha in 0..1 for each of n GC contents; NaN gives grey. */
void gv_appearance_color(const double *gc, size_t n, float (*out)[4]);

/* Relative sizes for n mean Phred scores; NaN gives the smallest. */
void gv_appearance_size(const double *quality, size_t n, float *out);

#endif
