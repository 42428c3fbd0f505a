/* gv_inflate_zlib.h: raw deflate by zlib, for gv_inflate.c alone. */
#ifndef GV_INFLATE_ZLIB_H
#define GV_INFLATE_ZLIB_H

#include "gv_inflate.h"

extern const struct gv_inflate_engine gv_inflate_zlib;
const char *gv_inflate_zlib_linked(void);

#endif
