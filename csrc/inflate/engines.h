/* engines.h: the engines of this folder, for gv_inflate.c alone.  Each is built where meson found
 * its library: GV_HAVE_ISAL, GV_HAVE_LIBDEFLATE, GV_HAVE_ZLIB. */
#ifndef GV_INFLATE_ENGINES_H
#define GV_INFLATE_ENGINES_H

#include "gv_inflate.h"

extern const struct gv_inflate_engine gv_inflate_isal;
extern const struct gv_inflate_engine gv_inflate_zlib;

/* Whole streams only are libdeflate's; ISA-L, else zlib, does the others.  Without either of them
 * it is not built. */
extern const struct gv_inflate_engine gv_inflate_libdeflate;

const char *gv_inflate_zlib_linked(void);

#endif
