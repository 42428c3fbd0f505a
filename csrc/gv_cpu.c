#include "gv_cpu.h"

bool
gv_cpu_has_nothing_special(void)
{
    return true;
}

#if defined(__x86_64__)

bool
gv_cpu_has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt") &&
           __builtin_cpu_supports("bmi");
}

bool
gv_cpu_has_avx512(void)
{
    return gv_cpu_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw");
}

#else

bool
gv_cpu_has_avx2(void)
{
    return false;
}

bool
gv_cpu_has_avx512(void)
{
    return false;
}

#endif
