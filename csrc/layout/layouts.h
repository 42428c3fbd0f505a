/* layouts.h: the layouts of this folder, for gv_layout.c alone. */
#ifndef GV_LAYOUTS_H
#define GV_LAYOUTS_H

#include "gv_layout.h"

extern const struct gv_layout gv_layout_composition;
extern const struct gv_layout gv_layout_flowcell;
extern const struct gv_layout gv_layout_given;
extern const struct gv_layout gv_layout_grid;
extern const struct gv_layout gv_layout_mgi;
extern const struct gv_layout gv_layout_nanopore;
extern const struct gv_layout gv_layout_pacbio;
extern const struct gv_layout gv_layout_spiral;
extern const struct gv_layout gv_layout_tetranucleotide;

/* A row without a place. */
static inline void
gv_layout_no_place(float out[3])
{
    out[0] = out[1] = out[2] = __builtin_nanf("");
}

#endif
