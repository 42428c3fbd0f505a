#include "gv_layout.h"

#include <math.h>

#include "layout/layouts.h"

const struct gv_layout *const *
gv_layouts(void)
{
    static const struct gv_layout *const layouts[] = {
        &gv_layout_composition, &gv_layout_tetranucleotide,
        &gv_layout_flowcell,    &gv_layout_nanopore,
        &gv_layout_pacbio,      &gv_layout_mgi,
        &gv_layout_spiral,      &gv_layout_grid,
        &gv_layout_given,       NULL,
    };
    return layouts;
}

const struct gv_layout *
gv_layout_find(const char *name)
{
    const struct gv_layout *const *layout = gv_layouts();
    while (*layout != NULL && strcmp((*layout)->name, name) != 0) {
        layout++;
    }
    return *layout;
}

struct gv_placing
gv_placing_of(const struct gv_layout *layout)
{
    return (struct gv_placing){.layout = layout};
}

bool
gv_placing_is_valid(const struct gv_placing *placing)
{
    const struct gv_layout *layout = placing->layout;
    return layout != NULL && (layout->is_valid == NULL || layout->is_valid(placing));
}

bool
gv_placing_set(struct gv_placing *placing, const char *name, double value)
{
    const char *const *names = placing->layout->parameters;
    for (unsigned i = 0; names != NULL && names[i] != NULL; i++) {
        assert(i < GV_LAYOUT_PARAMETERS);
        if (strcmp(names[i], name) == 0 && isfinite(value)) {
            placing->parameters[i] = value;
            return true;
        }
    }
    return false;
}
