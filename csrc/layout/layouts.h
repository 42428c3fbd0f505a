/* layouts.h: the layouts of this folder, for gv_layout.c alone. */
#ifndef GV_LAYOUTS_H
#define GV_LAYOUTS_H

#include "gv_layout.h"

extern const struct gv_layout gv_layout_composition;
extern const struct gv_layout gv_layout_spiral;

#endif
