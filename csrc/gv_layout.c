#include "gv_layout.h"

#include "layout/layouts.h"

const struct gv_layout *const *
gv_layouts(void)
{
    static const struct gv_layout *const layouts[] = {
        &gv_layout_composition,
        &gv_layout_spiral,
        NULL,
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
