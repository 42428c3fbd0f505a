#include "check.h"
#include "gv.h"

#define UUID "bd8655fb-383c-45cc-bff3-eb1dc86533e0"
#define RUN "A00123:8:HABCDDSX2:"

static struct gv_name said;

/* Reads a name that stands alone in its buffer, so that AddressSanitizer sees what lies beyond it
 * looked at.  Parts that are text point into the buffer, which the next name takes. */
static bool
read_bytes(const void *name, size_t size)
{
    static uint8_t *buffer;
    free(buffer);
    buffer = malloc(size > 0 ? size : 1);
    REQUIRE(buffer != NULL);
    if (size > 0) {
        memcpy(buffer, name, size);
    }
    memset(&said, 0x55, sizeof said);
    return gv_name_read(buffer, size, &said);
}

static bool
reads(const char *name)
{
    check_case("%.200s", name);
    return read_bytes(name, strlen(name));
}

static void
check_word(const struct gv_word *word, const char *text)
{
    if (text == NULL) {
        CHECK(word->at == NULL && word->size == 0);
    } else if (CHECK_U(word->size, strlen(text)) && word->size > 0) {
        CHECK_BYTES(word->at, text, word->size);
    }
}

/* What a name says; parts left out are those that it lacks. */
struct wanted {
    enum gv_grammar grammar;
    bool is_renamed;
    uint8_t lane, read, filtered;
    uint16_t channel;
    uint32_t tile;
    int32_t x, y;
    uint32_t zmw;
    int64_t start_time;
    const char *index, *barcode, *flow_cell;
};

#define LACKING                                                                                 \
    .filtered = GV_NO_FILTERED, .x = GV_NO_COORDINATE, .y = GV_NO_COORDINATE, .zmw = GV_NO_ZMW, \
    .start_time = GV_NO_TIME

static void
check_said(const struct wanted *wanted)
{
    CHECK_STRING(gv_grammar_name(said.grammar), gv_grammar_name(wanted->grammar));
    CHECK_U(said.is_renamed, wanted->is_renamed);
    CHECK_U(said.lane, wanted->lane);
    CHECK_U(said.read, wanted->read);
    CHECK_U(said.filtered, wanted->filtered);
    CHECK_U(said.channel, wanted->channel);
    CHECK_U(said.tile, wanted->tile);
    CHECK_I(said.x, wanted->x);
    CHECK_I(said.y, wanted->y);
    CHECK_U(said.zmw, wanted->zmw);
    CHECK_I(said.start_time, wanted->start_time);
    check_word(&said.index, wanted->index);
    check_word(&said.barcode, wanted->barcode);
    check_word(&said.flow_cell, wanted->flow_cell);
}

static const struct wanted nothing = {LACKING};

/* ---------------------------------------------------------------------------------------------
 * Examples
 * ------------------------------------------------------------------------------------------ */

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

/* Those on top of gv_name.c, and further forms of each grammar. */
static const struct {
    const char *name;
    struct wanted wanted;
} examples[] = {
    {RUN "2:1101:1063:1000 1:N:0:ACGT",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA, .lane = 2, .tile = 1101, .x = 1063, .y = 1000,
      .read = 1, .filtered = 0, .index = "ACGT"}},
    {RUN "2:1101:1063:1000",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA, .lane = 2, .tile = 1101, .x = 1063, .y = 1000}},
    {RUN "2:1101:1063:1000:ACGT+rACGT\t2:Y:18:",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA, .lane = 2, .tile = 1101, .x = 1063, .y = 1000,
      .read = 2, .filtered = 1, .index = ""}},
    {RUN "2:1101:1063:1000_AC_GT/2 ",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA, .lane = 2, .tile = 1101, .x = 1063, .y = 1000,
      .read = 2}},
    {"AV224503:R-1:2418616238:1:10102:0012:4163 1:N:0:AC",
     {LACKING, .grammar = GV_GRAMMAR_ELEMENT, .lane = 1, .tile = 10102, .x = 12, .y = 4163,
      .read = 1, .filtered = 0, .index = "AC"}},
    {"AV224503:R-1:2418616238:3:10102:0012:4163",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA, .lane = 3, .tile = 10102, .x = 12, .y = 4163}},
    {"G4-014:0080:OM1482O:4:999999:272670:483",
     {LACKING, .grammar = GV_GRAMMAR_SINGULAR, .lane = 4, .tile = 999999, .x = 272670, .y = 483}},
    {"HWUSI-EAS100R:6:73:941:-19#0/1",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA_OLD, .lane = 6, .tile = 73, .x = 941, .y = -19,
      .read = 1, .index = "0"}},
    {"071112_SLXA-EAS1_s_7:5:1:-817:345",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA_OLD, .lane = 5, .tile = 1, .x = -817, .y = 345}},
    {"V350012345L1C002R0170000512/1",
     {LACKING, .grammar = GV_GRAMMAR_MGI, .lane = 1, .tile = 2017, .read = 1}},
    {"L9C001R002L3C999R999_5#ACGTN+acgtn/2 1:N:0:A",
     {LACKING, .grammar = GV_GRAMMAR_MGI, .lane = 3, .tile = 999999, .read = 2,
      .index = "ACGTN+acgtn"}},
    {"E100026571L1C001R00300000000 2A5B5C1F00\t7e1b2 ",
     {LACKING, .grammar = GV_GRAMMAR_STEREO_SEQ, .lane = 1, .tile = 1003}},
    {"004733_1-X0003-1345904491", {LACKING, .grammar = GV_GRAMMAR_ULTIMA}},
    {UUID "  runid=91c9 ch=12 start_time=2020-01-01T00:00:00Z",
     {LACKING, .grammar = GV_GRAMMAR_GUPPY, .channel = 12, .start_time = 1577836800000000}},
    {UUID " barcode=b1\vflow_cell_id=FAL10820\fch=65535\rbarcode=b2 ch=1",
     {LACKING, .grammar = GV_GRAMMAR_GUPPY, .channel = 65535, .barcode = "b1",
      .flow_cell = "FAL10820"}},
    {UUID, {LACKING, .grammar = GV_GRAMMAR_GUPPY}},
    {UUID "\tst:Z:2023-06-21T09:34:38.123+00:00\tch:i:12",
     {LACKING, .grammar = GV_GRAMMAR_DORADO, .channel = 12, .start_time = 1687340078123000}},
    {UUID " ch=12 qs:f:1 BC:Z:b1", {LACKING, .grammar = GV_GRAMMAR_DORADO, .barcode = "b1"}},
    {"m64012_190920_173625/4194369/ccs", {LACKING, .grammar = GV_GRAMMAR_PACBIO, .zmw = 4194369}},
    {"m12345/4294967294/0_1223 RQ=0.9", {LACKING, .grammar = GV_GRAMMAR_PACBIO, .zmw = 4294967294}},
    {"m64012_190920_173625/0/ccs/rev", {LACKING, .grammar = GV_GRAMMAR_PACBIO, .zmw = 0}},
    {"m120601_074857_00126_c1_s1_p0/17/0_10",
     {LACKING, .grammar = GV_GRAMMAR_PACBIO_RS2, .zmw = 17}},
    {"SRR1234567.1 " RUN "2:1101:1063:1000 length=150",
     {LACKING, .grammar = GV_GRAMMAR_ILLUMINA, .is_renamed = true, .lane = 2, .tile = 1101,
      .x = 1063, .y = 1000}},
    {"ERR1.2.3/2\t " UUID " ch=5",
     {LACKING, .grammar = GV_GRAMMAR_GUPPY, .is_renamed = true, .channel = 5}},
};

#pragma GCC diagnostic pop

#define EXAMPLES (sizeof examples / sizeof *examples)

static void
test_examples(void)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        CHECK(reads(examples[i].name));
        check_said(&examples[i].wanted);
    }
}

/* Any beginning of a name may be a name too; what it says lies inside it. */
static void
test_names_cut_short(void)
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        for (size_t size = 0; size < strlen(examples[i].name); size++) {
            check_case("%.*s", (int)size, examples[i].name);
            if (!read_bytes(examples[i].name, size)) {
                check_said(&nothing);
            }
            CHECK(said.index.size <= size && said.barcode.size <= size);
        }
    }
    CHECK(!read_bytes(NULL, 0));
    check_said(&nothing);
}

/* ---------------------------------------------------------------------------------------------
 * Near-misses
 * ------------------------------------------------------------------------------------------ */

static const char *const unknown[] = {
    /* Illumina: fields too few and too many, numbers of none and of ten digits, lane and tile 0 */
    "A1:1:F:1:1101:1000",
    "A1:1:F:1:1101:1000:1000:A:A",
    ":1:F:1:1101:1:1",
    "A1::F:1:1101:1:1",
    "A1:1::1:1101:1:1",
    "A1:1:F:0:1101:1:1",
    "A1:1:F:256:1101:1:1",
    "A1:1:F:1:0:1:1",
    "A1:1:F:1:100000:1:1",
    "A1:1:F:1:1101::1",
    "A1:1:F:1:1101:1:",
    "A1:1:F:1:1101:-1:1",
    "A1:1:F:1:1101:+1:1",
    "A1:1:F:1:1101:1000000000:1",
    "A1:1:F:1:1101:1:0000000001",
    "A1:1:F:1:1101:1:1:",
    "A1:1:F:1:1101:1:1_",
    "A1:1:F:1:1101:1:1_A_",
    "A1:1:F:1:1101:1:1/3",
    "A1:1:F:1:1101:1:1/1/2",
    "A1:1:F:1:1101:1:1.5",
    " A1:1:F:1:1101:1:1",
    "A1:1:F:1:1101:1 :1",
    /* Element: cytoprofiling, lane 3 is another's, tiles as others */
    "AV1:r:F:1:L1R02:5:6:17:1:b4",
    "AV1:r:F:1:100000:5:6",
    "AV1:r:F:0:10102:5:6",
    "AV1:r:F:1:10102:5",
    "AV1:r:F:1:10102:5:6:17:1:4",
    /* Singular */
    "G4-1:1:F:1:1000000:5:6",
    "G4-1:1:F:1:0:5:6",
    "G4-1:1:F:0:1001:5:6",
    "G4-1:1:F:1:1001:5",
    "G4_1:1:F:1:999999:5:6",
    /* Illumina before 1.8 */
    "H:6:73:941",
    "H:0:73:941:1",
    "H:256:73:941:1",
    "H:6:0:941:1",
    "H:6:100000:941:1",
    "H:6:73:--941:1",
    "H:6:73:941:1/3",
    "H:6:73:941:1#0/1x",
    "H:6:73:941:1:1",
    ":6:73:941:1",
    "H:6:73:9410000000:1",
    /* MGI */
    "VL0C001R0010001",
    "VL1C000R0000001",
    "VL1C01R0010001",
    "VL1C001R001",
    "VL1C001R001_",
    "VL1C001R0010001x",
    "VL1C001R0010001/3",
    "VL1C001R0010001#",
    "VL1C001R0010001#AC+",
    "VL1C001R0010001#ACU",
    "VL1D001R0010001",
    "VL1C001R0010001#AC+GT+AC",
    /* Ultima */
    "004733_1-X0003",
    "004733_1-x0003-1",
    "004733-1-X0003-1",
    "_1-X0003-1",
    "004733_-X0003-1",
    "004733_1-X-1",
    "004733_1-X0003-",
    "004733_1-X0003-1/1",
    /* Nanopore: no UUID */
    "bd8655fb-383c-45cc-bff3-eb1dc86533e ch=1",
    UUID "0 ch=1",
    "bd8655fb383c45ccbff3eb1dc86533e0",
    "gd8655fb-383c-45cc-bff3-eb1dc86533e0 ch=1",
    "-" UUID " ch=1",
    " " UUID " ch=1",
    "bd8655fb_383c-45cc-bff3-eb1dc86533e0\tch:i:1",
    UUID "ch:i:1",
    /* PacBio and its RS II */
    "m6401_190830_220126/1/ccs",
    "64011_190830/1/ccs",
    "m64011_190830/1",
    "m64011_190830/x/ccs",
    "m64011/4294967295/ccs",
    "m64011/00000000001/ccs",
    "m64011/1/ccs/",
    "m64011/1/ccs/up",
    "m64011/1/0-5",
    "m64011/1/0_",
    "m64011//ccs",
    "m64011/1/0_1/2",
    "m64011/1/CCS",
    "m140928_1_c1_s1_p0/-1/0_9",
    "m140928_1_c1_s1_p0/1",
    "m14_1_c1_s1_p0/1/0_9",
    "m140928_1_c1_s1_p0/1/0_9_10",
    "m140928_1_c1_s1_p0 /1/0_9",
    /* Stereo-seq: what goes before is no MGI name */
    "E1L1C001R0 2A5B 7E1B2",
    "E1L0C001R0030 2A5B 7E1B2",
    "E1L1C001R 2A5B 7E1B2",
    "E1L1C001R0030|Cx 2A5B 7E1B2",
    "E1L1C001 2A5B 7E1B2",
    /* numbers of an archive and nothing that is known */
    "SRR1",
    "SRR1.1",
    "SRR1.1 ",
    "ERR1.2/2",
    "DRR7.3 1 length=36",
    "SRR001666.1 read 1",
    "XRR1.1 A1:1:F:1:1101:1:1",
    "SRR.1 A1:1:F:1:1101:1:1",
    "SRR1. A1:1:F:1:1101:1:1",
    "SRR1.1/3 A1:1:F:1:1101:1:1",
    "srr1.1 A1:1:F:1:1101:1:1",
    "SRR A1:1:F:1:1101:1:1",
    /* others' */
    "",
    "1",
    " ",
    "read_17 length=75",
    "ZEWTM:00130:07001",
    ":::::::",
    "////",
    "_______",
};

static void
test_near_misses(void)
{
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        CHECK(!reads(unknown[i]));
        check_said(&nothing);
    }
}

/* Names that are of one grammar and nearly of another. */
static void
test_neighbours(void)
{
    static const struct {
        const char *name;
        enum gv_grammar grammar;
    } names[] = {
        {"AV1:r:F:3:10102:5:6", GV_GRAMMAR_ILLUMINA},
        {"av1:r:F:1:10102:5:6", GV_GRAMMAR_ILLUMINA},
        {"XAV1:r:F:1:10102:5:6", GV_GRAMMAR_ILLUMINA},
        {"AV:r:F:2:1:5:6", GV_GRAMMAR_ELEMENT},
        {"A:r:F:1:10102:5:6", GV_GRAMMAR_ILLUMINA},
        {"G4:1:F:1:1001:5:6", GV_GRAMMAR_ILLUMINA},
        {"G4-:1:F:1:1001:5:6", GV_GRAMMAR_SINGULAR},
        {"g4-1:1:F:1:1001:5:6", GV_GRAMMAR_ILLUMINA},
        {"E1L1C001R0030 2A5B", GV_GRAMMAR_MGI},
        {"E1L1C001R0030 2A5B 7E 1", GV_GRAMMAR_MGI},
        {"E1L1C001R0030 0x2A 7E", GV_GRAMMAR_MGI},
        {"E1L1C001R0030 2A 7G", GV_GRAMMAR_MGI},
        {"E1L1C001R0030/1 2A 7E", GV_GRAMMAR_STEREO_SEQ},
        {UUID " ab:x:1", GV_GRAMMAR_GUPPY},
        {UUID " a:i:1", GV_GRAMMAR_GUPPY},
        {UUID " 1a:i:1", GV_GRAMMAR_GUPPY},
        {UUID " a1:i:", GV_GRAMMAR_DORADO},
        {UUID " abc:i:1", GV_GRAMMAR_GUPPY},
        {UUID " ch:i", GV_GRAMMAR_GUPPY},
        {"m140928_1_s1_p0x/1/ccs", GV_GRAMMAR_PACBIO},
        {"m140928_s1_p0/1/ccs", GV_GRAMMAR_PACBIO},
        {"m1409281_x_s1_p0/1/ccs", GV_GRAMMAR_PACBIO},
        {"m14092_1_s1_p0/1/ccs", GV_GRAMMAR_PACBIO},
        {"m140928_x_s_p0/1/ccs", GV_GRAMMAR_PACBIO},
        {"m140928_x_s1_p/1/ccs", GV_GRAMMAR_PACBIO},
        {"m140928__s1_p0/1/ccs", GV_GRAMMAR_PACBIO_RS2},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK(reads(names[i].name));
        CHECK_STRING(gv_grammar_name(said.grammar), gv_grammar_name(names[i].grammar));
    }
}

/* ---------------------------------------------------------------------------------------------
 * Parts
 * ------------------------------------------------------------------------------------------ */

static void
test_bounds(void)
{
    CHECK(reads("A:1:F:255:99999:999999999:000000000"));
    CHECK_U(said.lane, 255);
    CHECK_U(said.tile, 99999);
    CHECK_I(said.x, 999999999);
    CHECK_I(said.y, 0);
    CHECK(reads("A:1:F:000000001:000001101:5:6"));
    CHECK_U(said.tile, 1101);
    CHECK(reads("H:255:99999:-999999999:999999999"));
    CHECK_I(said.x, -999999999);
    CHECK(reads("VL9C999R999_99999999999999999999999999999999999"));
    CHECK_U(said.lane, 9);
    CHECK_U(said.tile, 999999);
    CHECK(reads("VL1C000R0010"));
    CHECK_U(said.tile, 1);
    CHECK(reads("VL1C001R0000"));
    CHECK_U(said.tile, 1000);
    /* Of a Nanopore name the value alone counts as absent. */
    static const char *const no_channels[] = {
        " ch=0",  " ch=65536", " ch=4294967297", " ch=0000000001", " ch=", " ch=1x",
        " ch=-1", " ch= 1",    " ch=x ch=1",     " CH=1",          " ch",  " xch=1",
    };
    for (size_t i = 0; i < sizeof no_channels / sizeof *no_channels; i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "%s%s", UUID, no_channels[i]);
        CHECK(reads(name));
        CHECK_U(said.channel, 0);
    }
    CHECK(reads(UUID " ch=000000001"));
    CHECK_U(said.channel, 1);
}

static void
test_comments(void)
{
    static const struct {
        const char *rest;
        uint8_t read, filtered;
        const char *index;
    } rests[] = {
        {" 1:N:0:ACGT", 1, 0, "ACGT"},
        {" \t 2:Y:18:AC+GT more", 2, 1, "AC+GT"},
        {"\t1:N:0000000000000000:A:B\r", 1, 0, "A:B\r"},
        {" 1:N:0:", 1, 0, ""},
        {" 3:N:0:A", 0, GV_NO_FILTERED, NULL},
        {" 0:N:0:A", 0, GV_NO_FILTERED, NULL},
        {" 01:N:0:A", 0, GV_NO_FILTERED, NULL},
        {" 1:n:0:A", 0, GV_NO_FILTERED, NULL},
        {" 1:N::A", 0, GV_NO_FILTERED, NULL},
        {" 1:N:x:A", 0, GV_NO_FILTERED, NULL},
        {" 1:N:0", 0, GV_NO_FILTERED, NULL},
        {" 1:", 0, GV_NO_FILTERED, NULL},
        {" 1", 0, GV_NO_FILTERED, NULL},
        {" length=150", 0, GV_NO_FILTERED, NULL},
        {" ", 0, GV_NO_FILTERED, NULL},
    };
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        char name[120];
        (void)snprintf(name, sizeof name, RUN "2:1101:5:6%s", rests[i].rest);
        CHECK(reads(name));
        CHECK_U(said.read, rests[i].read);
        CHECK_U(said.filtered, rests[i].filtered);
        check_word(&said.index, rests[i].index);
        /* Alone, it says the same and leaves the rest. */
        struct gv_name alone;
        gv_name_clear(&alone);
        alone.lane = 7;
        gv_name_read_comment((const uint8_t *)rests[i].rest, strlen(rests[i].rest), &alone);
        CHECK_U(alone.read, rests[i].read);
        CHECK_U(alone.filtered, rests[i].filtered);
        CHECK_U(alone.lane, 7);
    }
    /* The second word has the last say. */
    CHECK(reads(RUN "2:1101:5:6/1 2:N:0:A"));
    CHECK_U(said.read, 2);
}

static void
test_tails(void)
{
    static const struct {
        const char *tail;
        bool is_one;
        uint8_t read;
    } tails[] = {
        {"", true, 0},         {"/1", true, 1},    {"/2", true, 2},     {":ACGT", true, 0},
        {":A+C-G_T", true, 0}, {":A/2", true, 2},  {"_AC", true, 0},    {"_AC_GT/1", true, 1},
        {":", false, 0},       {"_", false, 0},    {"/", false, 0},     {"/3", false, 0},
        {":A:C", false, 0},    {"_A:C", false, 0}, {":A.", false, 0},   {"x", false, 0},
        {"__A", false, 0},     {"/1/2", false, 0}, {":A/1x", false, 0},
    };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        uint8_t read = 0;
        check_case("%s", tails[i].tail);
        bool is_one =
            gv_name_read_tail((const uint8_t *)tails[i].tail, strlen(tails[i].tail), &read);
        CHECK_U(is_one, tails[i].is_one);
        if (is_one) {
            CHECK_U(read, tails[i].read);
        }
    }
}

static void
test_place_in_front(void)
{
    static const char name[] = RUN "2:1101:1063:1000";
    struct gv_name place;
    check_case("%s", name);
    gv_name_clear(&place);
    CHECK_U(gv_name_read_place((const uint8_t *)name, sizeof name - 1, &place),
            strlen(RUN "2:1101:"));
    CHECK_U(place.lane, 2);
    CHECK_U(place.tile, 1101);
    CHECK_U(gv_name_read_place((const uint8_t *)name, strlen(RUN "2:1101"), &place), 0);
    CHECK_U(gv_name_read_place((const uint8_t *)"A:1:F:0:1101:", 13, &place), 0);
    CHECK_U(gv_name_read_place((const uint8_t *)"", 0, &place), 0);
}

/* Seconds as `date -u -d TEXT +%s` prints them. */
static void
test_times(void)
{
    static const struct {
        const char *text;
        int64_t microseconds;
    } times[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.9999999", -1},
        {"2000-02-29T12:00:00Z", 951825600000000},
        {"2100-03-01T00:00:00Z", 4107542400000000},
        {"0001-01-01T00:00:00Z", -62135596800000000},
        {"9999-12-31T23:59:59Z", 253402300799000000},
        {"2026-09-20T14:53:20+08:00", 1789887200000000},
        {"2019-01-26T18:52:46-05:30", 1548548566000000},
        {"2019-01-26T18:52:46", 1548528766000000},
        {"2019-01-26T18:52:46.1", 1548528766100000},
        {"2019-01-26T18:52:46.0000019Z", 1548528766000001},
        {"2019-01-26T18:52:46.", GV_NO_TIME},
        {"2019-01-26 18:52:46", GV_NO_TIME},
        {"2019-01-26T18:52:46z", GV_NO_TIME},
        {"2019-01-26T18:52Z", GV_NO_TIME},
        {"2019-01-26T18:52:46+24:00", GV_NO_TIME},
        {"2019-01-26T18:52:46+01:60", GV_NO_TIME},
        {"2019-01-26T18:52:46+01", GV_NO_TIME},
        {"2019-01-26T24:00:00Z", GV_NO_TIME},
        {"2019-01-26T18:60:00Z", GV_NO_TIME},
        {"2019-01-26T18:52:60Z", GV_NO_TIME},
        {"2019-13-26T18:52:46Z", GV_NO_TIME},
        {"2019-00-26T18:52:46Z", GV_NO_TIME},
        {"2019-04-31T18:52:46Z", GV_NO_TIME},
        {"2019-04-00T18:52:46Z", GV_NO_TIME},
        {"2019-02-29T18:52:46Z", GV_NO_TIME},
        {"2100-02-29T18:52:46Z", GV_NO_TIME},
        {"0000-01-01T00:00:00Z", GV_NO_TIME},
        {"2019-01-26T18:52:46ZZ", GV_NO_TIME},
        {"", GV_NO_TIME},
    };
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char name[120];
        (void)snprintf(name, sizeof name, UUID " start_time=%s", times[i].text);
        CHECK(reads(name));
        CHECK_I(said.start_time, times[i].microseconds);
        (void)snprintf(name, sizeof name, UUID " st:Z:%s", times[i].text);
        CHECK(reads(name));
        CHECK_I(said.start_time, times[i].microseconds);
    }
    char fraction[4000];
    memset(fraction, '1', sizeof fraction);
    (void)memcpy(fraction, UUID " st:Z:2019-01-26T18:52:46.", strlen(UUID) + 26);
    CHECK(read_bytes(fraction, sizeof fraction));
    CHECK_I(said.start_time, 1548528766111111);
}

static void
check_tile(enum gv_grammar grammar, uint32_t tile, unsigned surface, unsigned swath,
           unsigned camera, uint32_t number)
{
    struct gv_tile found = gv_name_tile(grammar, tile);
    check_case("tile %u of %s", tile, gv_grammar_name(grammar));
    CHECK_U(found.surface, surface);
    CHECK_U(found.swath, swath);
    CHECK_U(found.camera, camera);
    CHECK_U(found.number, number);
}

static void
test_tiles(void)
{
    static const enum gv_grammar both[] = {GV_GRAMMAR_ILLUMINA, GV_GRAMMAR_ILLUMINA_OLD};
    for (size_t i = 0; i < 2; i++) {
        check_tile(both[i], 1101, 1, 1, 0, 1);
        check_tile(both[i], 2678, 2, 6, 0, 78);
        check_tile(both[i], 1000, 1, 0, 0, 0);
        check_tile(both[i], 21305, 2, 1, 3, 5);
        check_tile(both[i], 99999, 9, 9, 9, 99);
        check_tile(both[i], 999, 1, 1, 0, 999);
        check_tile(both[i], 1, 1, 1, 0, 1);
        check_tile(both[i], 0, 0, 0, 0, 0);
    }
    check_tile(GV_GRAMMAR_ELEMENT, 10102, 1, 2, 0, 1);
    check_tile(GV_GRAMMAR_ELEMENT, 22105, 2, 5, 0, 21);
    check_tile(GV_GRAMMAR_ELEMENT, 9999, 0, 0, 0, 9999);
    check_tile(GV_GRAMMAR_SINGULAR, 1001, 0, 0, 0, 1001);
    check_tile(GV_GRAMMAR_SINGULAR, 100000, 0, 0, 0, 100000);
    check_tile(GV_GRAMMAR_ILLUMINA, 100000, 0, 0, 0, 100000);
    check_tile(GV_GRAMMAR_MGI, 2017, 0, 0, 0, 0);
    check_tile(GV_GRAMMAR_MGI, 523946, 0, 0, 0, 0);
    check_tile(GV_GRAMMAR_NONE, 1101, 0, 0, 0, 0);
}

static void
test_grammars_have_names(void)
{
    for (int i = 0; i < GV_GRAMMAR_COUNT; i++) {
        enum gv_grammar grammar = (enum gv_grammar)i;
        check_case("grammar %d", i);
        CHECK(gv_grammar_name(grammar) != NULL && gv_grammar_platform(grammar) != NULL);
        for (int k = 0; k < i; k++) {
            CHECK(strcmp(gv_grammar_name(grammar), gv_grammar_name((enum gv_grammar)k)) != 0);
        }
    }
    CHECK_STRING(gv_grammar_name(GV_GRAMMAR_NONE), "unknown");
    CHECK_STRING(gv_grammar_platform(GV_GRAMMAR_DORADO), "nanopore");
}

int
main(void)
{
    test_examples();
    test_names_cut_short();
    test_near_misses();
    test_neighbours();
    test_bounds();
    test_comments();
    test_tails();
    test_place_in_front();
    test_times();
    test_tiles();
    test_grammars_have_names();
    return check_result();
}
