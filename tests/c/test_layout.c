#include "check.h"
#include "gv.h"

#include <math.h>

static struct gv_block block;
static float places[GV_BLOCK_ROWS + 1][3];

static void
add_read(uint32_t a, uint32_t c, uint32_t g, uint32_t t)
{
    size_t row = block.rows++;
    block.scanned.length[row] = UINT32_MAX;
    block.scanned.a[row] = a;
    block.scanned.c[row] = c;
    block.scanned.g[row] = g;
    block.scanned.t[row] = t;
}

static void
check_place(size_t row, double x, double y, double z)
{
    check_case("row %zu", row);
    CHECK_F(places[row][0], (float)x);
    CHECK_F(places[row][1], (float)y);
    CHECK_F(places[row][2], (float)z);
}

static void
test_find(void)
{
    const struct gv_layout *const *layouts = gv_layouts();
    CHECK_STRING(layouts[0]->name, "composition");
    for (size_t i = 0; layouts[i] != NULL; i++) {
        CHECK(gv_layout_find(layouts[i]->name) == layouts[i]);
    }
    CHECK(gv_layout_find("spiral") != NULL);
    CHECK(gv_layout_find("Spiral") == NULL);
    CHECK(gv_layout_find("") == NULL);
}

static void
test_composition_by_hand(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("composition"));
    block.rows = 0;
    add_read(1, 0, 0, 0);  /* the corner of A */
    add_read(0, 1, 0, 0);  /* C is folded from (-1, 1, -1) */
    add_read(0, 0, 1, 0);  /* the corner of G */
    add_read(0, 0, 0, 1);  /* T is folded from (-1, -1, 1) */
    add_read(2, 1, 1, 0);  /* AACG, as in the source's comment */
    add_read(1, 1, 1, 1);  /* the centre: zeros, none of them negative */
    add_read(1, 1, 0, 0);  /* x = 0, y > 0: stays */
    add_read(0, 0, 1, 1);  /* x = 0, y < 0: folded */
    add_read(1, 0, 0, 1);  /* x = y = 0, z = 1 */
    add_read(0, 1, 1, 0);  /* x = y = 0, z = -1 */
    add_read(3, 5, 2, 9);  /* x = -9/19, y = -3/19, z = 5/19 */
    add_read(10, 0, 3, 0); /* y = 7/13, z = 7/13 */
    add_read(0, 0, 0, 0);
    memset(places, 0x55, sizeof places);
    CHECK_U(placing.layout->place(&placing, &block, places), 1);
    check_place(0, 1, 1, 1);
    check_place(1, 1, -1, -1);
    check_place(2, 1, -1, -1);
    check_place(3, 1, 1, 1);
    check_place(4, 0.5, 0.5, 0);
    check_place(5, 0, 0, 0);
    check_place(6, 0, 1, 0);
    check_place(7, 0, 1, 0);
    check_place(8, 0, 0, 1);
    check_place(9, 0, 0, -1);
    check_place(10, 9.0 / 19.0, 3.0 / 19.0, 5.0 / 19.0);
    check_place(11, 1, 7.0 / 13.0, 7.0 / 13.0);
    check_place(12, (double)NAN, (double)NAN, (double)NAN);
    CHECK(!signbit(places[12][0]) && !signbit(places[12][1]) && !signbit(places[12][2]));
    uint32_t after;
    memcpy(&after, &places[13][0], sizeof after);
    CHECK_U(after, 0x55555555);
}

/* A read and its reverse complement stand in one place, in the half that the fold keeps. */
static void
test_composition_is_strand_blind(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("composition"));
    uint64_t seed = 1;
    block.rows = 0;
    while (block.rows + 2 <= GV_BLOCK_ROWS) {
        uint32_t n[4];
        for (int i = 0; i < 4; i++) {
            n[i] = (uint32_t)check_below(&seed, block.rows % 4 == 0 ? 4 : 1000000);
        }
        add_read(n[0], n[1], n[2], n[3]);
        add_read(n[3], n[2], n[1], n[0]);
    }
    (void)placing.layout->place(&placing, &block, places);
    for (size_t i = 0; i < block.rows; i += 2) {
        check_case("row %zu", i);
        CHECK_BYTES(places[i], places[i + 1], sizeof places[i]);
        CHECK(places[i][0] > 0 || (places[i][0] == 0 && places[i][1] >= 0) ||
              places[i][0] != places[i][0]);
        for (int k = 0; k < 3; k++) {
            CHECK(!(places[i][k] == 0 && signbit(places[i][k])));
        }
    }
}

static void
test_composition_of_long_reads(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("composition"));
    block.rows = 0;
    add_read(UINT32_MAX, 0, 0, 0);
    add_read(0, 0, 0, UINT32_MAX);
    add_read(UINT32_MAX / 2, 0, UINT32_MAX / 2, 0);
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 1, 1, 1);
    check_place(1, 1, 1, 1);
    check_place(2, 1, 0, 0);
}

static void
test_spiral(void)
{
    const struct gv_placing placing = gv_placing_of(gv_layout_find("spiral"));
    static const uint64_t ordinals[] = {0, 1, 2, 1000, 12345678901u};
    block.rows = 0;
    for (size_t i = 0; i < 5; i++) {
        add_read(0, 0, 0, 0);
        block.ordinal[i] = ordinals[i];
    }
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_case("%s", "spiral");
    CHECK_F(places[0][0], 0.70710678f);
    CHECK_F(places[0][1], 0.0);
    for (size_t i = 0; i < 5; i++) {
        double n = (double)ordinals[i], r = sqrt(n + 0.5), theta = 2.399963 * n;
        CHECK_F(places[i][0], (float)(r * cos(theta)));
        CHECK_F(places[i][1], (float)(r * sin(theta)));
        CHECK_F(places[i][2], 0.0);
    }
    /* cos and sin of 2.399963, worked out elsewhere. */
    CHECK(fabs((double)places[1][0] - sqrt(1.5) * -0.73736872) < 1e-6);
    CHECK(fabs((double)places[1][1] - sqrt(1.5) * 0.67549046) < 1e-6);
}

/* ---------------------------------------------------------------------------------------------
 * From names
 * ------------------------------------------------------------------------------------------ */

#define UUID "bd8655fb-383c-45cc-bff3-eb1dc86533e0"

static void
add_name(enum gv_grammar grammar, const char *name)
{
    struct gv_names_reader reader;
    struct gv_name said;
    size_t row = block.rows++, size = strlen(name);
    gv_names_reader_init(&reader, grammar, false);
    bool is_known = gv_names_reader_read(&reader, (const uint8_t *)name, size, size, &said);
    gv_names_put(&block.names, row, &said, is_known);
}

static void
check_no_place(const struct gv_placing *placing, size_t row, enum gv_lack lack)
{
    const struct gv_layout *layout = placing->layout;
    check_place(row, (double)NAN, (double)NAN, (double)NAN);
    CHECK_I(layout->lack != NULL ? layout->lack(placing, &block, row) : layout->lacks, lack);
}

static struct gv_placing
make_placing(const char *layout, enum gv_grammar grammar)
{
    REQUIRE(gv_layout_find(layout) != NULL);
    struct gv_placing placing = gv_placing_of(gv_layout_find(layout));
    placing.grammar = grammar;
    return placing;
}

static void
test_parameters(void)
{
    for (const struct gv_layout *const *layout = gv_layouts(); *layout != NULL; layout++) {
        struct gv_placing placing = gv_placing_of(*layout);
        const char *const *names = (*layout)->parameters;
        check_case("%s", (*layout)->name);
        CHECK(!gv_placing_set(&placing, "nothing", 1));
        CHECK(!gv_placing_set(&placing, "", 1));
        size_t n = 0;
        for (; names != NULL && names[n] != NULL; n++) {
            CHECK(!gv_placing_set(&placing, names[n], (double)NAN));
            CHECK(!gv_placing_set(&placing, names[n], (double)INFINITY));
            CHECK_F(placing.parameters[n], 0);
            CHECK(gv_placing_set(&placing, names[n], 5.5));
            CHECK_F(placing.parameters[n], 5.5);
        }
        CHECK(n <= GV_LAYOUT_PARAMETERS);
        CHECK((*layout)->place != NULL);
    }
    struct gv_placing none = {.layout = NULL};
    CHECK(!gv_placing_is_valid(&none));
}

static struct gv_placing
schematic(enum gv_grammar grammar)
{
    struct gv_placing placing = make_placing("flowcell", grammar);
    CHECK(gv_placing_set(&placing, "swath_pitch", 34000));
    CHECK(gv_placing_set(&placing, "tile_pitch", 38000));
    CHECK(gv_placing_set(&placing, "lane_pitch", 1000000));
    CHECK(gv_placing_set(&placing, "camera_tiles", 12));
    CHECK(gv_placing_set(&placing, "origin", 1));
    return placing;
}

static void
test_flow_cell_of_an_s4(void)
{
    struct gv_placing placing = make_placing("flowcell", GV_GRAMMAR_ILLUMINA);
    CHECK(gv_placing_set(&placing, "swath_pitch", 33739));
    CHECK(gv_placing_set(&placing, "tile_pitch", 36282));
    CHECK(gv_placing_set(&placing, "lane_pitch", 269912));
    CHECK(gv_placing_set(&placing, "stagger", 6201));
    block.rows = 0;
    add_name(GV_GRAMMAR_ILLUMINA, "A00123:8:HABCDDSX2:2:1101:1063:1000 1:N:0:ACGT");
    add_name(GV_GRAMMAR_ILLUMINA, "A00123:8:HABCDDSX2:1:1278:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA, "A00123:8:HABCDDSX2:1:2278:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA, "A00123:8:HABCDDSX2:4:2678:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA, "A00123:8:HABCDDSX2:4:1605:5000:6000");
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 304714, 37282, 1); /* as in the source's comment */
    check_place(1, 5000 + 67478, 6000 + 2829996 - 6201, 1);
    check_place(2, 5000 + 67478, 6000 + 2829996 + 6201, 2);
    check_place(3, 5000 + 202434 + 809736, 6000 + 2829996 + 6201, 2);
    check_place(4, 5000 + 202434 + 809736, 6000 + 181410 - 6201, 1);
}

static void
test_schematic_flow_cell(void)
{
    struct gv_placing placing = schematic(GV_GRAMMAR_ILLUMINA);
    block.rows = 0;
    add_name(GV_GRAMMAR_ILLUMINA, "A1:1:F:1:1101:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA, "A1:1:F:3:2312:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA, "A1:1:F:1:23502:5000:6000"); /* camera 5: 48 tiles below */
    add_name(GV_GRAMMAR_ILLUMINA, "A1:1:F:1:123:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA,
             "A1:1:F:3:123:5000:6000"); /* the tile is the same: not its lane */
    add_name(GV_GRAMMAR_ILLUMINA, "A1:1:F:1:1001:5000:6000");
    add_name(GV_GRAMMAR_ILLUMINA, "A1:1:F:1:1100:5000:6000"); /* number 0: below the first */
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 5000, 6000, 1);
    check_place(1, 2073000, 424000, 2);
    check_place(2, 73000, 1868000, 2);
    check_place(3, 5000, 6000 + 122 * 38000, 1);
    check_place(4, 2005000, 6000 + 122 * 38000, 1);
    check_place(5, 5000, 6000, 1);
    check_place(6, 5000, -32000, 1);
    CHECK(gv_placing_set(&placing, "surface_pitch", 500000));
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(1, 2573000, 424000, 0);
    check_place(0, 5000, 6000, 0);
}

static void
test_flow_cells_of_others(void)
{
    struct gv_placing placing = schematic(GV_GRAMMAR_SINGULAR);
    block.rows = 0;
    add_name(GV_GRAMMAR_SINGULAR, "G4-014:1:F:1:2003:5000:6000");
    add_name(GV_GRAMMAR_SINGULAR, "G4-014:1:F:1:7:5000:6000");
    CHECK(gv_placing_set(&placing, "swath_pitch", 1000));
    add_name(GV_GRAMMAR_SINGULAR, "G4-014:1:F:1:999001:0:0"); /* of swath 1000 */
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 7000, 82000, 1);
    check_place(1, 5000, 6000 + 6 * 38000, 1);
    check_place(2, 999000, 0, 1);

    placing = schematic(GV_GRAMMAR_ELEMENT);
    block.rows = 0;
    add_name(GV_GRAMMAR_ELEMENT, "AV240401:1:F:2:20305:0100:0200");
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 100 + 1000000 + 4 * 34000, 200 + 2 * 38000, 2);

    placing = schematic(GV_GRAMMAR_ILLUMINA_OLD);
    block.rows = 0;
    add_name(GV_GRAMMAR_ILLUMINA_OLD, "HWUSI-EAS100R:6:73:-941:1973#0/1");
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, 4999059, 2737973, 1);
}

/* What float32 does not hold exactly is no place, nor is what the name does not say. */
static void
test_places_on_a_flow_cell_that_are_none(void)
{
    struct gv_placing placing = make_placing("flowcell", GV_GRAMMAR_ILLUMINA_OLD);
    CHECK(gv_placing_set(&placing, "origin", 1));
    block.rows = 0;
    add_name(GV_GRAMMAR_ILLUMINA_OLD, "H:1:1:16777216:-16777216");
    add_name(GV_GRAMMAR_ILLUMINA_OLD, "H:1:1:16777217:0");
    add_name(GV_GRAMMAR_ILLUMINA_OLD, "H:1:1:0:-16777217");
    add_name(GV_GRAMMAR_ILLUMINA_OLD, "H:1:0:1:1");
    add_name(GV_GRAMMAR_ILLUMINA_OLD, "A1:1:F:1:1101:5000:6000");
    CHECK_U(placing.layout->place(&placing, &block, places), 4);
    check_place(0, 16777216, -16777216, 1);
    check_no_place(&placing, 1, GV_LACKS_RANGE);
    check_no_place(&placing, 2, GV_LACKS_RANGE);
    check_no_place(&placing, 3, GV_LACKS_NAME);
    check_no_place(&placing, 4, GV_LACKS_NAME);
}

static void
add_channel(unsigned channel, const char *tail)
{
    char name[120];
    (void)snprintf(name, sizeof name, UUID " ch=%u%s", channel, tail);
    add_name(GV_GRAMMAR_GUPPY, name);
}

static void
test_chips(void)
{
    static const struct {
        double model;
        unsigned channel, column, row;
    } pores[] = {
        {1, 1, 0, 0},       {1, 12, 11, 0},  {1, 13, 0, 1},   {1, 24, 11, 1},  {1, 25, 0, 2},
        {1, 37, 12, 2},     {1, 38, 0, 3},   {1, 102, 12, 7}, {1, 103, 0, 8},  {1, 126, 11, 9},
        {2, 1, 0, 15},      {2, 8, 0, 8},    {2, 9, 1, 15},   {2, 33, 0, 0},   {2, 64, 3, 7},
        {2, 65, 28, 15},    {2, 128, 31, 7}, {2, 449, 4, 15}, {2, 512, 7, 7},  {2, 256, 23, 7},
        {3, 1, 0, 0},       {3, 10, 9, 0},   {3, 11, 0, 1},   {3, 250, 9, 24}, {3, 251, 10, 0},
        {3, 3000, 119, 24},
    };
    for (size_t i = 0; i < sizeof pores / sizeof *pores; i++) {
        struct gv_placing placing = make_placing("nanopore", GV_GRAMMAR_GUPPY);
        CHECK(!gv_placing_is_valid(&placing));
        CHECK(gv_placing_set(&placing, "model", pores[i].model));
        CHECK(gv_placing_is_valid(&placing));
        block.rows = 0;
        add_channel(pores[i].channel, "");
        CHECK_U(placing.layout->place(&placing, &block, places), 0);
        check_place(0, pores[i].column, pores[i].row, 0);
    }
    CHECK_U(gv_nanopore_channels(0), 0);
    CHECK_U(gv_nanopore_channels(1), 126);
    CHECK_U(gv_nanopore_channels(2), 512);
    CHECK_U(gv_nanopore_channels(3), 3000);
    CHECK_U(gv_nanopore_channels(4), 0);
    struct gv_placing placing = make_placing("nanopore", GV_GRAMMAR_GUPPY);
    static const double wrong[] = {-1, 0, 0.5, 4, 1e300};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(gv_placing_set(&placing, "model", wrong[i]));
        CHECK(!gv_placing_is_valid(&placing));
    }
}

static void
test_hours_on_a_chip(void)
{
    struct gv_placing placing = make_placing("nanopore", GV_GRAMMAR_GUPPY);
    CHECK(gv_placing_set(&placing, "model", 2));
    CHECK(gv_placing_set(&placing, "t0", 1577836800e6)); /* 2020-01-01T00:00:00Z */
    CHECK(gv_placing_set(&placing, "has_time", 1));
    block.rows = 0;
    add_channel(1, " start_time=2020-01-01T02:30:00Z");
    add_channel(33, " start_time=2019-12-31T23:00:00Z");
    add_channel(33, " start_time=2020-01-01T01:00:00.0036+01:00");
    add_name(GV_GRAMMAR_GUPPY, UUID "\tch:i:1\tst:Z:2020-01-03T00:00:00Z");
    add_channel(1, "");
    add_channel(0, " start_time=2020-01-01T02:30:00Z");
    add_channel(513, " start_time=2020-01-01T02:30:00Z");
    add_name(GV_GRAMMAR_GUPPY, "read 1");
    CHECK_U(placing.layout->place(&placing, &block, places), 4);
    check_place(0, 0, 15, 2.5);
    check_place(1, 0, 0, -1);
    check_place(2, 0, 0, 1e-6);
    check_place(3, 0, 15, 48);
    check_no_place(&placing, 4, GV_LACKS_TIME);
    check_no_place(&placing, 5, GV_LACKS_CHANNEL);
    check_no_place(&placing, 6, GV_LACKS_MODEL);
    check_no_place(&placing, 7, GV_LACKS_NAME);
    CHECK(placing.layout->is_bounded);
}

static void
test_wells(void)
{
    struct gv_placing placing = make_placing("pacbio", GV_GRAMMAR_PACBIO);
    block.rows = 0;
    add_name(GV_GRAMMAR_PACBIO, "m64012_190920_173625/4194369/ccs");
    add_name(GV_GRAMMAR_PACBIO, "m64012_190920_173625/4294967294/ccs");
    add_name(GV_GRAMMAR_PACBIO, "m64012_190920_173625/0/0_5");
    add_name(GV_GRAMMAR_PACBIO, "m140928_1_c1_s1_p0/5/0_5");
    CHECK_U(placing.layout->place(&placing, &block, places), 1);
    check_place(0, 64, 65, 0);
    check_place(1, 65535, 65534, 0);
    check_place(2, 0, 0, 0);
    check_no_place(&placing, 3, GV_LACKS_NAME);
}

static void
test_fields_of_view(void)
{
    struct gv_placing placing = make_placing("mgi", GV_GRAMMAR_MGI);
    CHECK(gv_placing_set(&placing, "lane_pitch", 20));
    block.rows = 0;
    add_name(GV_GRAMMAR_MGI, "V350012345L1C002R0170000512/1");
    add_name(GV_GRAMMAR_MGI, "V350012345L4C999R999_1");
    add_name(GV_GRAMMAR_MGI, "V350012345L1C000R0010");
    add_name(GV_GRAMMAR_MGI, "E1L1C001R0030 2A5B 7E1B2");
    CHECK_U(placing.layout->place(&placing, &block, places), 1);
    check_place(0, 2, 17, 0);
    check_place(1, 999 + 60, 999, 0);
    check_place(2, 0, 1, 0);
    check_no_place(&placing, 3, GV_LACKS_NAME);
    CHECK(gv_placing_set(&placing, "lane_pitch", 16777216 / 3.0));
    CHECK_U(placing.layout->place(&placing, &block, places), 2);
    check_no_place(&placing, 1, GV_LACKS_RANGE);
    CHECK(gv_placing_set(&placing, "lane_pitch", -16777216));
    CHECK_U(placing.layout->place(&placing, &block, places), 2);
    check_no_place(&placing, 1, GV_LACKS_RANGE);
}

/* ---------------------------------------------------------------------------------------------
 * From order, sequence and nothing
 * ------------------------------------------------------------------------------------------ */

static void
test_grid(void)
{
    struct gv_placing placing = make_placing("grid", GV_GRAMMAR_NONE);
    static const uint64_t ordinals[] = {0, 99, 100, 250, 1677721699, 1677721700};
    CHECK(!gv_placing_is_valid(&placing));
    CHECK(gv_placing_set(&placing, "width", 16777217));
    CHECK(!gv_placing_is_valid(&placing));
    CHECK(gv_placing_set(&placing, "width", 16777216));
    CHECK(gv_placing_is_valid(&placing));
    CHECK(gv_placing_set(&placing, "width", 100));
    block.rows = 6;
    memcpy(block.ordinal, ordinals, sizeof ordinals);
    CHECK_U(placing.layout->place(&placing, &block, places), 1);
    check_place(0, 0, 0, 0);
    check_place(1, 99, 0, 0);
    check_place(2, 0, 1, 0);
    check_place(3, 50, 2, 0);
    check_place(4, 99, 16777216, 0);
    check_no_place(&placing, 5, GV_LACKS_RANGE);
    CHECK(placing.layout->is_by_ordinal);
}

static void
look_at(const struct gv_placing *placing, const char *sequence)
{
    placing->layout->look(placing, (const uint8_t *)sequence, strlen(sequence),
                          block.looked[block.rows++]);
}

static void
test_tetranucleotide(void)
{
    static double weights[256][3];
    for (int code = 0; code < 256; code++) {
        weights[code][0] = code;
        weights[code][1] = 1;
        weights[code][2] = -code / 256.0;
    }
    struct gv_placing placing = make_placing("tetranucleotide", GV_GRAMMAR_NONE);
    CHECK(!gv_placing_is_valid(&placing));
    placing.weights = (const double (*)[3])weights;
    CHECK(gv_placing_is_valid(&placing));
    CHECK(gv_placing_set(&placing, "bias_x", 0.5));
    CHECK(gv_placing_set(&placing, "bias_z", -1));
    block.rows = 0;
    look_at(&placing, "AAAAC");     /* codes 0 and 1 */
    look_at(&placing, "aaaaNuuuu"); /* codes 0 and 255 */
    look_at(&placing, "ACGT");      /* code 27 */
    look_at(&placing, "AAAACCCCC"); /* 0 1 5 21 85 85: four parts and two more */
    look_at(&placing, "ACGNACG");
    look_at(&placing, "");
    CHECK_U(placing.layout->place(&placing, &block, places), 2);
    check_place(0, 0.5 - 0.5, 1, -1 / 512.0 + 1);
    check_place(1, 127.5 - 0.5, 1, -255 / 512.0 + 1);
    check_place(2, 27 - 0.5, 1, -27 / 256.0 + 1);
    check_place(3, 197 / 6.0 - 0.5, 1, -197 / 6.0 / 256 + 1);
    check_no_place(&placing, 4, GV_LACKS_BASES);
    check_no_place(&placing, 5, GV_LACKS_BASES);
}

static void
test_given(void)
{
    struct gv_placing placing = make_placing("given", GV_GRAMMAR_NONE);
    CHECK(gv_placing_is_valid(&placing));
    block.rows = 2;
    memset(places, 0x55, sizeof places);
    CHECK_U(placing.layout->place(&placing, &block, places), 0);
    check_place(0, (double)NAN, (double)NAN, (double)NAN);
    check_place(1, (double)NAN, (double)NAN, (double)NAN);
    CHECK_F(places[2][0], (double)places[3][0]);
    CHECK(places[2][0] == places[2][0]);
}

int
main(void)
{
    test_find();
    test_parameters();
    test_composition_by_hand();
    test_composition_is_strand_blind();
    test_composition_of_long_reads();
    test_spiral();
    test_flow_cell_of_an_s4();
    test_schematic_flow_cell();
    test_flow_cells_of_others();
    test_places_on_a_flow_cell_that_are_none();
    test_chips();
    test_hours_on_a_chip();
    test_wells();
    test_fields_of_view();
    test_grid();
    test_tetranucleotide();
    test_given();
    return check_result();
}
