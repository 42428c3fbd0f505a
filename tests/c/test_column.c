#include "check.h"
#include "gv.h"

static const struct {
    const char *name;
    enum gv_type type;
    unsigned width;
    size_t row_bytes;
    bool is_default;
} expected[] = {
    {"position", GV_TYPE_F32, 3, 12, true},   {"color", GV_TYPE_F32, 4, 16, true},
    {"size", GV_TYPE_F32, 1, 4, true},        {"metadata", GV_TYPE_U64, 1, 8, true},
    {"length", GV_TYPE_U32, 1, 4, true},      {"gc", GV_TYPE_F32, 1, 4, true},
    {"quality", GV_TYPE_F32, 1, 4, true},     {"error_quality", GV_TYPE_F32, 1, 4, false},
    {"lane", GV_TYPE_U8, 1, 1, false},        {"tile", GV_TYPE_U32, 1, 4, false},
    {"surface", GV_TYPE_U8, 1, 1, false},     {"swath", GV_TYPE_U8, 1, 1, false},
    {"x", GV_TYPE_I32, 1, 4, false},          {"y", GV_TYPE_I32, 1, 4, false},
    {"read", GV_TYPE_U8, 1, 1, false},        {"filtered", GV_TYPE_U8, 1, 1, false},
    {"channel", GV_TYPE_U16, 1, 2, false},    {"start_time", GV_TYPE_TIME, 1, 8, false},
    {"zmw", GV_TYPE_U32, 1, 4, false},        {"source", GV_TYPE_U32, 1, 4, false},
    {"name", GV_TYPE_TEXT, 1, 0, false},      {"sequence", GV_TYPE_TEXT, 1, 0, false},
    {"qualities", GV_TYPE_TEXT, 1, 0, false}, {"index", GV_TYPE_TEXT, 1, 0, false},
    {"barcode", GV_TYPE_TEXT, 1, 0, false},
};

/* Python and Arrow see the columns in the enum's order, so the order is a promise too. */
static void
test_specs(void)
{
    CHECK_U(sizeof expected / sizeof *expected, GV_COLUMN_COUNT);
    for (unsigned i = 0; i < GV_COLUMN_COUNT; i++) {
        const struct gv_column_spec *spec = gv_column_spec((enum gv_column)i);
        check_case("%s", expected[i].name);
        CHECK_STRING(spec->name, expected[i].name);
        CHECK_I(spec->type, expected[i].type);
        CHECK_U(spec->width, expected[i].width);
        CHECK_U(spec->row_bytes, expected[i].row_bytes);
        CHECK(spec->is_default == expected[i].is_default);
        CHECK((spec->type == GV_TYPE_TEXT) == (i >= GV_COLUMN_FIRST_TEXT));
        CHECK_U(gv_column_find(spec->name), i);
    }
    check_case("%s", "");
}

static void
test_unknown_names(void)
{
    const char *const unknown[] = {"", "Position", "position ", "positio", "z", "Lane"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK_U(gv_column_find(unknown[i]), GV_COLUMN_COUNT);
    }
}

static void
test_sets(void)
{
    gv_column_set all = 0;
    for (unsigned i = 0; i < GV_COLUMN_COUNT; i++) {
        CHECK((all & GV_COLUMN_BIT(i)) == 0);
        all |= GV_COLUMN_BIT(i);
    }
    CHECK_U(all, ((gv_column_set)1 << GV_COLUMN_COUNT) - 1);
    CHECK_U(GV_TEXT_COLUMNS, 5);
}

int
main(void)
{
    test_specs();
    test_unknown_names();
    test_sets();
    return check_result();
}
