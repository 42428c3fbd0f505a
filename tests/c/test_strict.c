/* Where a record without a place is a fault: the rows before it are there, and it is said where it
 * stands, however the records are written and whoever reads them. */
#include "members.h"

#include <math.h>

#define BIG ((size_t)1 << 40)

enum shape { LINES, RETURNS, WRAPPED, SHAPES };

/* A text, and where each of its records begins. */
struct records {
    struct bytes text;
    size_t n;
    uint64_t *offset, *line;
    bool *is_kept; /* at min_quality 20 */
};

static void
put_lines(struct records *records, const char *text, size_t size, const char *end, uint64_t *line)
{
    put(&records->text, text, size);
    put(&records->text, end, strlen(end));
    ++*line;
}

/* n records of a run, the one with number `odd` by the name `odd_name`.  One in five has a low
 * quality, but for that one if its quality is not to be. */
static struct records
make_records(size_t n, size_t odd, const char *odd_name, bool odd_is_kept, enum shape shape)
{
    struct records records = {.n = n};
    const char *end = shape == RETURNS ? "\r\n" : "\n";
    uint64_t line = 1;
    records.offset = malloc(n * sizeof *records.offset);
    records.line = malloc(n * sizeof *records.line);
    records.is_kept = malloc(n * sizeof *records.is_kept);
    REQUIRE(records.offset != NULL && records.line != NULL && records.is_kept != NULL);
    for (size_t i = 0; i < n; i++) {
        char name[128], qualities[64];
        size_t length = 4 + i % 50;
        bool is_kept = i == odd ? odd_is_kept : i % 5 != 3;
        int size = snprintf(name, sizeof name, "@A00123:8:HABCDDSX2:%zu:%u:%zu:%zu 1:N:0:ACGT",
                            i / 5000 % 4 + 1, 1101 + (unsigned)(i / 700 % 70), i % 30000, i);
        if (i == odd) {
            size = snprintf(name, sizeof name, "@%s", odd_name);
        }
        memset(qualities, is_kept ? 'I' : '#', sizeof qualities);
        records.offset[i] = records.text.size;
        records.line[i] = line;
        records.is_kept[i] = is_kept;
        put_lines(&records, name, (size_t)size, end, &line);
        static const char bases[] = "ACGTTGCAACGTTGCAACGTTGCAACGTTGCAACGTTGCAACGTTGCAACGTTGCA";
        size_t first = shape == WRAPPED && i >= n / 2 ? length / 2 : length;
        put_lines(&records, bases, first, end, &line);
        if (first < length) {
            put_lines(&records, bases + first, length - first, end, &line);
        }
        put_lines(&records, "+", 1, end, &line);
        put_lines(&records, qualities, first, end, &line);
        if (first < length) {
            put_lines(&records, qualities, length - first, end, &line);
        }
    }
    return records;
}

static void
free_records(struct records *records)
{
    free(records->text.data);
    free(records->offset);
    free(records->line);
    free(records->is_kept);
}

static struct gv_reader_options
strict_options(gv_column_set columns)
{
    struct gv_placing placing = gv_placing_of(gv_layout_find("flowcell"));
    placing.grammar = GV_GRAMMAR_ILLUMINA;
    CHECK(gv_placing_set(&placing, "tile_pitch", 30000));
    return (struct gv_reader_options){
        .engine = &stored_engine,
        .threads = 1,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = placing,
                .is_strict = true,
                .columns = columns,
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = (size_t)1 << 30,
                .memory_limit = GV_NO_LIMIT,
            },
    };
}

static enum gv_status
read_on(struct gv_reader *reader, size_t most_rows, struct gv_error *error)
{
    enum gv_status status;
    do {
        status = gv_reader_advance(reader, most_rows, BIG, error);
    } while (status == GV_INTERRUPTED || (status == GV_OK && most_rows == BIG));
    return status;
}

/* The rows are those of the records before `until` that are kept. */
static void
check_rows(struct gv_reader *reader, const struct records *records, size_t until, bool filters)
{
    struct gv_sealed sealed;
    struct gv_error error;
    size_t row = 0, kept = 0;
    REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
    for (size_t i = 0; i < until; i++) {
        kept += records->is_kept[i] || !filters;
    }
    CHECK_U(sealed.rows, kept);
    for (size_t i = 0; i < until && row < sealed.rows; i++) {
        if (filters && !records->is_kept[i]) {
            continue;
        }
        if (sealed.columns & GV_COLUMN_BIT(GV_COLUMN_Y)) {
            CHECK_I(((const int32_t *)(const void *)sealed.data[GV_COLUMN_Y])[row], i);
        }
        if (sealed.columns & GV_COLUMN_BIT(GV_COLUMN_METADATA)) {
            CHECK_U(((const uint64_t *)(const void *)sealed.data[GV_COLUMN_METADATA])[row], i);
        }
        if (sealed.columns & GV_COLUMN_BIT(GV_COLUMN_POSITION)) {
            float (*position)[3] = (void *)sealed.data[GV_COLUMN_POSITION];
            CHECK_F(position[row][1], (double)(i + 30000 * (i / 700 % 70 + 1)));
        }
        if (sealed.columns & GV_COLUMN_BIT(GV_COLUMN_SEQUENCE)) {
            const int64_t *offsets = (const void *)sealed.data[GV_COLUMN_SEQUENCE];
            CHECK_I(offsets[row + 1] - offsets[row], 4 + i % 50);
        }
        row++;
    }
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        unsigned column = GV_COLUMN_FIRST_TEXT + i;
        if (sealed.columns & GV_COLUMN_BIT(column)) {
            const int64_t *offsets = (const void *)sealed.data[column];
            CHECK_I(offsets[sealed.rows], sealed.text_size[i]);
        }
    }
    gv_lease_release(sealed.lease);
}

static void
check_fault(const struct gv_error *error, enum gv_status status, const struct records *records,
            size_t odd, int64_t detail)
{
    CHECK_NAMES(error->status, status);
    CHECK_U(error->record, odd + 1);
    CHECK_U(error->line, records->line[odd]);
    CHECK_U(error->offset, records->offset[odd]);
    CHECK_I(error->detail, detail);
    CHECK_STRING(gv_field_name(error->field), gv_field_name(GV_FIELD_HEADER));
}

#define PLACES (GV_COLUMN_BIT(GV_COLUMN_POSITION) | GV_COLUMN_BIT(GV_COLUMN_METADATA))
#define NUMBERS (GV_COLUMN_BIT(GV_COLUMN_LANE) | GV_COLUMN_BIT(GV_COLUMN_Y))
#define TEXTS (GV_COLUMN_BIT(GV_COLUMN_NAME) | GV_COLUMN_BIT(GV_COLUMN_SEQUENCE))
static const gv_column_set column_sets[] = {
    PLACES,
    NUMBERS,
    GV_COLUMN_BIT(GV_COLUMN_INDEX),
    PLACES | TEXTS,
    (GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1),
};

#define SETS (sizeof column_sets / sizeof *column_sets)

/* At the front, around the ends of blocks, in the wrapped part and at the very end. */
static void
test_every_place_of_a_fault(void)
{
    static const size_t odd[] = {0, 1, 2, 254, 255, 256, 257, 511, 512, 700, 998, 999};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        for (int shape = 0; shape < SHAPES; shape++) {
            struct records records = make_records(1000, odd[i], "no place", true, shape);
            for (size_t set = 0; set < 2 * SETS; set++) {
                struct gv_reader_options options = strict_options(column_sets[set / 2]);
                bool filters = set % 2 == 1;
                struct gv_source source;
                struct gv_error error = {0};
                struct gv_reader *reader;
                check_case("record %zu, shape %d, columns %zu, filter %d", odd[i], shape, set / 2,
                           filters);
                options.build.min_quality = filters ? 20 : 0;
                REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
                gv_source_open_memory(&source, records.text.data, records.text.size);
                gv_reader_open(reader, source);
                CHECK_NAMES(read_on(reader, BIG, &error), GV_NO_PLACE);
                check_fault(&error, GV_NO_PLACE, &records, odd[i], GV_LACKS_NAME);
                CHECK_U(gv_reader_stats(reader).reads, odd[i]);
                CHECK_U(gv_reader_stats(reader).unplaced, 0);
                check_rows(reader, &records, odd[i], filters);
                gv_reader_free(reader);
            }
            free_records(&records);
        }
    }
}

/* A record that is left out has no place to lack. */
static void
test_records_left_out_are_no_faults(void)
{
    for (int shape = 0; shape < SHAPES; shape++) {
        struct records records = make_records(1000, 600, "no place", false, shape);
        struct gv_reader_options options = strict_options(PLACES | NUMBERS);
        struct gv_source source;
        struct gv_error error = {0};
        struct gv_reader *reader;
        check_case("left out, shape %d", shape);
        options.build.min_quality = 20;
        REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
        gv_source_open_memory(&source, records.text.data, records.text.size);
        gv_reader_open(reader, source);
        CHECK_NAMES(read_on(reader, BIG, &error), GV_END);
        check_rows(reader, &records, 1000, true);
        gv_reader_free(reader);
        free_records(&records);
    }
}

/* Batches that end before the fault are whole, and the fault comes with the next. */
static void
test_batches(void)
{
    static const size_t sizes[] = {1, 7, 256, 300, 599, 600, 601};
    struct records records = make_records(1000, 600, "no place", true, LINES);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gv_reader_options options = strict_options(GV_COLUMN_BIT(GV_COLUMN_Y));
        struct gv_source source;
        struct gv_error error = {0};
        struct gv_reader *reader;
        enum gv_status status;
        size_t rows = 0;
        check_case("batches of %zu", sizes[i]);
        REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
        gv_source_open_memory(&source, records.text.data, records.text.size);
        gv_reader_open(reader, source);
        do {
            struct gv_sealed sealed;
            status = read_on(reader, sizes[i], &error);
            size_t here = gv_reader_rows(reader);
            CHECK(here == sizes[i] || status != GV_OK);
            REQUIRE(gv_reader_seal(reader, &sealed, &(struct gv_error){0}) == GV_OK);
            const int32_t *y = (const void *)sealed.data[GV_COLUMN_Y];
            for (size_t row = 0; row < sealed.rows; row++) {
                CHECK_I(y[row], rows + row);
            }
            rows += here;
            gv_lease_release(sealed.lease);
        } while (status == GV_OK);
        CHECK_U(rows, 600);
        check_fault(&error, GV_NO_PLACE, &records, 600, GV_LACKS_NAME);
        gv_reader_free(reader);
    }
    free_records(&records);
}

/* Large texts, plain and in blocks, read by one thread and by several. */
static void
test_threads(void)
{
    static const size_t odd[] = {3, 12345, 59998};
    for (size_t i = 0; i < 3; i++) {
        for (int shape = 0; shape < SHAPES; shape++) {
            struct records records = make_records(60000, odd[i], "no place", true, shape);
            struct bytes blocks = {0};
            for (size_t at = 0; at < records.text.size; at += 30000) {
                put_member(&blocks, records.text.data + at,
                           gv_min_size(30000, records.text.size - at), 30000, MEMBER_BGZF);
            }
            put(&blocks, bgzf_end_block, sizeof bgzf_end_block);
            REQUIRE(records.text.size > ((size_t)5 << 20));
            for (unsigned way = 0; way < 8; way++) {
                bool is_packed = way % 2 == 1, filters = way / 2 % 2 == 1;
                struct gv_reader_options options =
                    strict_options(filters ? PLACES | NUMBERS | TEXTS : PLACES);
                const struct bytes *input = is_packed ? &blocks : &records.text;
                struct gv_source source;
                struct gv_error error = {0};
                struct gv_reader *reader;
                options.threads = way / 4 ? 3 : 1;
                options.build.min_quality = filters ? 20 : 0;
                check_case("record %zu, shape %d, packed %d, filter %d, %u threads", odd[i], shape,
                           is_packed, filters, options.threads);
                REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
                gv_source_open_memory(&source, input->data, input->size);
                gv_reader_open(reader, source);
                CHECK_NAMES(read_on(reader, BIG, &error), GV_NO_PLACE);
                check_fault(&error, GV_NO_PLACE, &records, odd[i], GV_LACKS_NAME);
                CHECK_U(gv_reader_stats(reader).reads, odd[i]);
                check_rows(reader, &records, odd[i], filters);
                gv_reader_free(reader);
            }
            free(blocks.data);
            free_records(&records);
        }
    }
}

/* Why there is no place, and whether that is a fault. */
static void
test_reasons(void)
{
    static const char uuid[] = "bd8655fb-383c-45cc-bff3-eb1dc86533e0";
    static const struct {
        const char *layout;
        enum gv_grammar grammar;
        const char *name; /* of the second record, behind a UUID where it begins with a blank */
        const char *sequence;
        enum gv_status strict, lenient;
        int64_t detail;
        enum gv_field field;
    } reasons[] = {
        {"flowcell", GV_GRAMMAR_ILLUMINA, "A1:1:F:1:1101:16777217:0", "A", GV_NO_PLACE, GV_END,
         GV_LACKS_RANGE, GV_FIELD_HEADER},
        {"flowcell", GV_GRAMMAR_ILLUMINA, "A1:1:F:1:0:5:6", "A", GV_NO_PLACE, GV_END, GV_LACKS_NAME,
         GV_FIELD_HEADER},
        {"pacbio", GV_GRAMMAR_PACBIO, "m64012_1_2/4294967295/ccs", "A", GV_NO_PLACE, GV_END,
         GV_LACKS_NAME, GV_FIELD_HEADER},
        {"mgi", GV_GRAMMAR_MGI, "VL0C001R0010", "A", GV_NO_PLACE, GV_END, GV_LACKS_NAME,
         GV_FIELD_HEADER},
        {"nanopore", GV_GRAMMAR_GUPPY, " ch=126", "A", GV_END, GV_END, 0, 0},
        {"nanopore", GV_GRAMMAR_GUPPY, " ch=127", "A", GV_OUT_OF_LAYOUT, GV_OUT_OF_LAYOUT, 127,
         GV_FIELD_HEADER},
        {"nanopore", GV_GRAMMAR_GUPPY, " read=1", "A", GV_NO_PLACE, GV_END, GV_LACKS_CHANNEL,
         GV_FIELD_HEADER},
        {"nanopore", GV_GRAMMAR_GUPPY, "read 1", "A", GV_NO_PLACE, GV_END, GV_LACKS_NAME,
         GV_FIELD_HEADER},
        {"composition", GV_GRAMMAR_NONE, "r", "NNN", GV_NO_PLACE, GV_END, GV_LACKS_BASES,
         GV_FIELD_SEQUENCE},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        for (int is_strict = 0; is_strict < 2; is_strict++) {
            static const char *const first[] = {"A1:1:F:1:1101:5:6", "m64012_1_2/5/ccs",
                                                "VL1C001R0010", "", "r"};
            const char *name = reasons[i].name;
            char text[300];
            size_t kind = i < 2 ? 0 : i == 2 ? 1 : i == 3 ? 2 : i < 8 ? 3 : 4;
            int head = snprintf(text, sizeof text, "@%s%s\nACGT\n+\nIIII\n",
                                kind == 3 ? uuid : first[kind], kind == 3 ? " ch=1" : "");
            int size = snprintf(text + head, sizeof text - (size_t)head, "@%s%s\n%s\n+\n%s\n",
                                name[0] == ' ' ? uuid : "", name, reasons[i].sequence,
                                &"III"[3 - strlen(reasons[i].sequence)]);
            struct gv_reader_options options = strict_options(PLACES);
            struct gv_placing *placing = &options.build.placing;
            struct gv_source source;
            struct gv_error error = {0};
            struct gv_reader *reader;
            check_case("%s of %s, strict %d", name, reasons[i].layout, is_strict);
            *placing = gv_placing_of(gv_layout_find(reasons[i].layout));
            placing->grammar = reasons[i].grammar;
            (void)gv_placing_set(placing, "model", 1);
            options.build.is_strict = is_strict;
            REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
            gv_source_open_memory(&source, (const uint8_t *)text, (size_t)(head + size));
            gv_reader_open(reader, source);
            enum gv_status wanted = is_strict ? reasons[i].strict : reasons[i].lenient;
            CHECK_NAMES(read_on(reader, BIG, &error), wanted);
            CHECK_U(gv_reader_rows(reader), wanted == GV_END ? 2 : 1);
            CHECK_U(gv_reader_stats(reader).unplaced,
                    wanted == GV_END && reasons[i].strict != GV_END);
            if (wanted != GV_END) {
                CHECK_I(error.detail, reasons[i].detail);
                CHECK_U(error.record, 2);
                CHECK_U(error.line, 5);
                CHECK_U(error.offset, (size_t)head);
                CHECK_STRING(gv_field_name(error.field), gv_field_name(reasons[i].field));
            }
            gv_reader_free(reader);
        }
    }
}

/* Without strictness rows without a place are rows, here beside an outlier that is none. */
static void
test_rows_without_a_place_before_a_fault(void)
{
    struct bytes text = {0};
    for (int i = 0; i < 300; i++) {
        char record[120];
        int size =
            snprintf(record, sizeof record, "@bd8655fb-383c-45cc-bff3-eb1dc86533e0%s\nA\n+\nI\n",
                     i == 290     ? " ch=513"
                     : i % 3 == 1 ? " read=1"
                                  : " ch=512");
        put(&text, record, (size_t)size);
    }
    struct gv_reader_options options = strict_options(PLACES);
    struct gv_source source;
    struct gv_error error = {0};
    struct gv_sealed sealed;
    struct gv_reader *reader;
    check_case("%s", "rows without a place before a fault");
    options.build.is_strict = false;
    options.build.placing = gv_placing_of(gv_layout_find("nanopore"));
    options.build.placing.grammar = GV_GRAMMAR_GUPPY;
    CHECK(gv_placing_set(&options.build.placing, "model", 2));
    REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
    gv_source_open_memory(&source, text.data, text.size);
    gv_reader_open(reader, source);
    CHECK_NAMES(read_on(reader, BIG, &error), GV_OUT_OF_LAYOUT);
    CHECK_U(error.record, 291);
    CHECK_I(error.detail, 513);
    CHECK_U(gv_reader_stats(reader).reads, 290);
    CHECK_U(gv_reader_stats(reader).unplaced, 97);
    REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
    CHECK_U(sealed.rows, 290);
    float (*position)[3] = (void *)sealed.data[GV_COLUMN_POSITION];
    for (size_t i = 0; i < sealed.rows; i++) {
        CHECK_F(position[i][0], i % 3 == 1 ? (double)NAN : 7);
    }
    gv_lease_release(sealed.lease);
    gv_reader_free(reader);
    free(text.data);
}

int
main(void)
{
    test_every_place_of_a_fault();
    test_records_left_out_are_no_faults();
    test_batches();
    test_threads();
    test_reasons();
    test_rows_without_a_place_before_a_fault();
    CHECK_I(stored_context.open_states, 0);
    return check_result();
}
