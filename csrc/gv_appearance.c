#include "gv_appearance.h"

static inline double
clamp_unit(double x)
{
    return x < 0.0 ? 0.0 : (x > 1.0 ? 1.0 : x);
}

GV_CLONES void
gv_appearance_color(const double *gc, size_t n, float (*out)[4])
{
    /* Each channel is one clamped ramp (green two, the lower of them): no branch on the value.
     * The slopes 10 and 2.5 are exact, so the ramps meet their ends without a gap. */
    for (size_t i = 0; i < n; i++) {
        double x = gc[i];
        double rising = clamp_unit(x * 2.5), falling = clamp_unit((1.0 - x) * 2.5);
        bool known = x == x;
        out[i][0] = known ? (float)clamp_unit((x - 0.5) * 10.0) : 0.5f;
        out[i][1] = known ? (float)(rising < falling ? rising : falling) : 0.5f;
        out[i][2] = known ? (float)clamp_unit((0.5 - x) * 10.0) : 0.5f;
        out[i][3] = 1.0f;
    }
}

GV_CLONES void
gv_appearance_size(const double *quality, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        double q = quality[i];
        /* Three ramps, each from 0 to its rise: 0.25 to Q10, 0.75 to Q30, 0.5 to Q40.  A NaN
         * compares false throughout and would survive the ramps, so it is replaced first. */
        q = q == q ? q : 0.0;
        out[i] = (float)(0.5 + 0.25 * clamp_unit(q * 0.1) + 0.75 * clamp_unit((q - 10.0) * 0.05) +
                         0.5 * clamp_unit((q - 30.0) * 0.1));
    }
}
