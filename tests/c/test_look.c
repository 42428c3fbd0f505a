/* The first records looked at before they are read, and a layout settled after that. */
#define _XOPEN_SOURCE 700 /* mkstemp */
#include "members.h"

#include <unistd.h>

#define BIG ((size_t)1 << 40)
#define MOST 64

/* What was told of records, in their order. */
struct told {
    size_t n, longest;
    char names[MOST][64];
    size_t name_sizes[MOST], lengths[MOST];
    bool has_sequence[MOST];
    uint8_t first_base[MOST];
};

static void
tell(void *context, const uint8_t *name, size_t name_size, const uint8_t *sequence, size_t length)
{
    struct told *told = context;
    told->longest = gv_max_size(told->longest, length);
    if (!CHECK(told->n < MOST)) {
        return;
    }
    size_t kept = gv_min_size(name_size, sizeof told->names[0]);
    memcpy(told->names[told->n], name, kept);
    told->name_sizes[told->n] = name_size;
    told->lengths[told->n] = length;
    told->has_sequence[told->n] = sequence != NULL;
    told->first_base[told->n] = sequence != NULL && length > 0 ? sequence[0] : 0;
    told->n++;
}

static struct gv_reader *
new_reader(gv_column_set columns, unsigned threads)
{
    struct gv_reader_options options = {
        .engine = &stored_engine,
        .threads = threads,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layouts()[0]),
                .columns = columns,
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = (size_t)1 << 30,
                .memory_limit = GV_NO_LIMIT,
            },
    };
    struct gv_reader *reader = NULL;
    REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
    return reader;
}

#define COLUMNS                                                              \
    (GV_COLUMN_BIT(GV_COLUMN_POSITION) | GV_COLUMN_BIT(GV_COLUMN_METADATA) | \
     GV_COLUMN_BIT(GV_COLUMN_LENGTH) | GV_COLUMN_BIT(GV_COLUMN_NAME))

static void
open_bytes(struct gv_reader *reader, const void *data, size_t size)
{
    struct gv_source source;
    gv_source_open_memory(&source, data, size);
    gv_reader_open(reader, source);
}

/* Looks, through whatever interruptions come; how many there were is added to *interruptions. */
static enum gv_status
look(struct gv_reader *reader, size_t most_records, size_t most_text, struct told *told,
     size_t *interruptions)
{
    struct gv_error error;
    for (;;) {
        *told = (struct told){.n = 0};
        enum gv_status status = gv_reader_look(reader, most_records, most_text, tell, told, &error);
        if (status != GV_INTERRUPTED) {
            return status;
        }
        ++*interruptions;
    }
}

static enum gv_status
look_once(struct gv_reader *reader, size_t most_records, size_t most_text, struct told *told)
{
    size_t interruptions = 0;
    enum gv_status status = look(reader, most_records, most_text, told, &interruptions);
    CHECK_U(interruptions, 0);
    return status;
}

static enum gv_status
read_to_end(struct gv_reader *reader, struct gv_error *error)
{
    enum gv_status status;
    do {
        status = gv_reader_advance(reader, BIG, BIG, error);
    } while (status == GV_OK || status == GV_INTERRUPTED);
    return status;
}

/* Records r0, r1, ... of 1, 2, ... bases, at most 40. */
static struct bytes
make_records(size_t n, const char *line_end)
{
    struct bytes text = {0};
    static const char bases[] = "CGTACGTACGTACGTACGTACGTACGTACGTACGTACGTA";
    static const char qualities[] = "IIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII";
    for (size_t i = 0; i < n; i++) {
        char record[160];
        int length = (int)(i % 40) + 1;
        int size = snprintf(record, sizeof record, "@r%zu%s%.*s%s+%s%.*s%s", i, line_end, length,
                            bases, line_end, line_end, length, qualities, line_end);
        put(&text, record, (size_t)size);
    }
    return text;
}

static void
check_told(const struct told *told, size_t n)
{
    CHECK_U(told->n, n);
    for (size_t i = 0; i < gv_min_size(told->n, n); i++) {
        char name[32];
        int size = snprintf(name, sizeof name, "r%zu", i);
        CHECK_U(told->name_sizes[i], (size_t)size);
        CHECK_BYTES(told->names[i], name, (size_t)size);
        CHECK_U(told->lengths[i], i % 40 + 1);
        CHECK_U(told->first_base[i], 'C');
    }
}

/* All records are still there to be read, from the first on. */
static void
check_still_there(struct gv_reader *reader, size_t n)
{
    struct gv_error error;
    struct gv_sealed sealed;
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    CHECK_U(gv_reader_rows(reader), n);
    REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
    for (size_t i = 0; i < sealed.rows; i++) {
        const uint32_t *length = (const void *)sealed.data[GV_COLUMN_LENGTH];
        const uint64_t *ordinal = (const void *)sealed.data[GV_COLUMN_METADATA];
        CHECK_U(length[i], i % 40 + 1);
        CHECK_U(ordinal[i], i);
    }
    gv_lease_release(sealed.lease);
}

static void
test_as_many_as_asked_for(void)
{
    static const size_t most[] = {1, 2, 39, 40, 41};
    for (int crlf = 0; crlf < 2; crlf++) {
        struct bytes text = make_records(40, crlf ? "\r\n" : "\n");
        for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
            struct gv_reader *reader = new_reader(COLUMNS, 1);
            struct told told;
            check_case("%zu of 40 records, crlf %d", most[i], crlf);
            open_bytes(reader, text.data, text.size);
            for (int again = 0; again < 2; again++) {
                CHECK_NAMES(look_once(reader, most[i], BIG, &told), GV_OK);
                check_told(&told, gv_min_size(most[i], 40));
            }
            CHECK_U(gv_reader_stats(reader).reads, 0);
            check_still_there(reader, 40);
            gv_reader_free(reader);
        }
        free(text.data);
    }
}

static void
test_however_it_is_cut(void)
{
    struct bytes text = make_records(40, "\n"), zipped = {0}, blocks = {0};
    put_member(&zipped, text.data, text.size, 100, 0);
    for (size_t at = 0; at < text.size; at += 300) {
        put_member(&blocks, text.data + at, gv_min_size(300, text.size - at), 100, MEMBER_BGZF);
    }
    put(&blocks, bgzf_end_block, sizeof bgzf_end_block);
    const struct bytes *const inputs[] = {&text, &zipped, &blocks};
    for (size_t i = 0; i < 3; i++) {
        for (size_t step = 1; step < 4000; step *= 3) {
            for (unsigned every = 0; every < 5; every++) {
                struct drip drip = {inputs[i]->data,       inputs[i]->size, 0, step, 0,
                                    every == 1 ? 0 : every};
                struct gv_reader *reader = new_reader(COLUMNS, 1);
                struct told told;
                size_t interruptions = 0;
                check_case("input %zu, step %zu, interrupted every %u", i, step, every);
                open_drip(reader, &drip);
                CHECK_NAMES(look(reader, 40, BIG, &told, &interruptions), GV_OK);
                check_told(&told, 40);
                CHECK(interruptions > 0 || every < 2 || step > 100);
                check_still_there(reader, 40);
                gv_reader_free(reader);
            }
        }
    }
    free(text.data);
    free(zipped.data);
    free(blocks.data);
}

/* What is told of text that is not four sound lines again and again. */
static void
test_other_texts(void)
{
    static const struct {
        const char *text;
        size_t told;      /* records or headers */
        size_t sequences; /* of which so many are told with their bases */
        const char *first;
        enum gv_status status, then;
    } texts[] = {
        {"", 0, 0, "", GV_END, GV_END},
        {"\n", 0, 0, "", GV_END, GV_END},
        {"\n\r\n\n", 0, 0, "", GV_END, GV_END},
        {"\r", 0, 0, "", GV_END, GV_END},
        {"@a\nA\n+\nI", 1, 1, "a", GV_OK, GV_END},
        {"@a\nA\n+\nI\n\n\n", 1, 1, "a", GV_OK, GV_END},
        {"@\nA\n+\nI\n", 1, 1, "", GV_OK, GV_END},
        {"@\r\n\r\n+\r\n\r\n", 1, 1, "", GV_OK, GV_END},
        {"@a b\nAC\nGT\n+\nII\nII\n@c\nA\n+\nI\n", 1, 0, "a b", GV_OK, GV_END},
        {"@a\r\nAC\r\nGT\r\n+\r\nII\r\nII\r\n", 1, 0, "a", GV_OK, GV_END},
        {"@a\nA\n+\nI\n@b\nAC\nGT\n+\nII\nII\n", 1, 1, "a", GV_OK, GV_END},
        {"@a\nAC\n+\nI\n", 1, 0, "a", GV_OK, GV_LENGTH_MISMATCH},
        {"@a\nA\n+\nI\n@b\nAC\n+\nI\n", 1, 1, "a", GV_OK, GV_LENGTH_MISMATCH},
        {"@a\nA\x01\n+\nII\n", 1, 0, "a", GV_OK, GV_BAD_BYTE},
        {"@a\nA\n", 1, 0, "a", GV_OK, GV_TRUNCATED},
        {"@a\n", 1, 0, "a", GV_OK, GV_TRUNCATED},
        {"@a", 0, 0, "", GV_OK, GV_TRUNCATED},
        {"@", 0, 0, "", GV_OK, GV_TRUNCATED},
        {"a\nA\n+\nI\n", 0, 0, "", GV_OK, GV_BAD_HEADER},
        {">a\nA\n", 0, 0, "", GV_OK, GV_BAD_HEADER},
        {"\n@a\nA\n+\nI\n", 1, 1, "a", GV_OK, GV_BLANK_LINE},
        {"xa\nAC\n+\n@I\n@b\nA\n+\nI\n", 1, 1, "b", GV_OK, GV_BAD_HEADER},
        {"xa\nA\n@b\nAC\n+\nI\n@c\nA\n+\nI\n@d\n", 1, 1, "c", GV_OK, GV_BAD_HEADER},
        {"\r\r\n", 0, 0, "", GV_END, GV_BAD_HEADER},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t size = strlen(texts[i].text);
        for (size_t step = 1; step <= 100; step += 99) {
            struct drip drip = {(const uint8_t *)texts[i].text, size, 0, step, 0, 0};
            struct gv_reader *reader = new_reader(COLUMNS, 1);
            struct gv_error error;
            struct told told;
            check_case("text %zu, step %zu", i, step);
            open_drip(reader, &drip);
            CHECK_NAMES(look_once(reader, 9, BIG, &told), texts[i].status);
            CHECK_U(told.n, texts[i].told);
            size_t sequences = 0;
            for (size_t k = 0; k < told.n; k++) {
                sequences += told.has_sequence[k];
            }
            CHECK_U(sequences, texts[i].sequences);
            CHECK_U(told.name_sizes[0], strlen(texts[i].first));
            CHECK_BYTES(told.names[0], texts[i].first, strlen(texts[i].first));
            enum gv_status then = read_to_end(reader, &error);
            if (texts[i].status != GV_END || texts[i].then == GV_END) {
                CHECK_NAMES(then, texts[i].then);
            } else {
                CHECK(then > GV_INTERRUPTED);
            }
            gv_reader_free(reader);
        }
    }
}

/* A fault of the source waits until the records before it are read. */
static void
test_faults_of_the_source(void)
{
    struct bytes text = make_records(3, "\n"), zipped = {0};
    struct gv_source source;
    struct gv_error error;
    struct told told;
    for (size_t step = 1; step < 1000; step *= 7) {
        struct drip drip = {text.data, text.size, 0, step, 0, 0};
        struct gv_reader *reader = new_reader(COLUMNS, 1);
        check_case("a source that fails, step %zu", step);
        gv_source_open_callback(&source, fails_after_all, &drip);
        gv_reader_open(reader, source);
        CHECK_NAMES(look_once(reader, 9, BIG, &told), GV_OK);
        check_told(&told, 3);
        CHECK_NAMES(read_to_end(reader, &error), GV_CALLBACK_FAILED);
        CHECK_U(gv_reader_rows(reader), 3);
        gv_reader_free(reader);
    }
    check_case("%s", "a source that fails at once");
    struct drip nothing = {text.data, 0, 0, 1, 0, 0};
    struct gv_reader *reader = new_reader(COLUMNS, 1);
    gv_source_open_callback(&source, fails_after_all, &nothing);
    gv_reader_open(reader, source);
    CHECK_NAMES(look_once(reader, 9, BIG, &told), GV_OK);
    CHECK_U(told.n, 0);
    CHECK_NAMES(read_to_end(reader, &error), GV_CALLBACK_FAILED);
    gv_reader_free(reader);

    check_case("%s", "a damaged member");
    put_member(&zipped, text.data, text.size, 10, 0);
    zipped.data[zipped.size - 6] ^= 1;
    reader = new_reader(COLUMNS, 1);
    open_bytes(reader, zipped.data, zipped.size);
    CHECK_NAMES(look_once(reader, 9, BIG, &told), GV_OK);
    check_told(&told, 3);
    CHECK_NAMES(read_to_end(reader, &error), GV_BAD_GZIP);
    gv_reader_free(reader);
    free(text.data);
    free(zipped.data);
}

/* Records beyond the buffer, which grows as far as most_text says and no further. */
static void
test_long_records(void)
{
    struct bytes text = {0};
    enum { LENGTH = 700000 };
    uint8_t *line = malloc(LENGTH);
    REQUIRE(line != NULL);
    memset(line, 'A', LENGTH);
    for (int i = 0; i < 3; i++) {
        put(&text, "@long\n", 6);
        put(&text, line, LENGTH);
        put(&text, "\n+\n", 3);
        put(&text, line, LENGTH);
        put(&text, "\n", 1);
    }
    static const struct {
        size_t most_text, records, headers;
    } looks[] = {
        {BIG, 3, 0},      {3u << 20, 2, 0}, {1u << 21, 1, 0}, {1u << 20, 0, 1},
        {1u << 18, 0, 1}, {6, 0, 1},        {1, 0, 1},
    };
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        for (size_t step = 1000; step <= 1000000000; step *= 1000) {
            struct drip drip = {text.data, text.size, 0, step, 0, 0};
            struct gv_reader *reader = new_reader(GV_COLUMN_BIT(GV_COLUMN_LENGTH), 1);
            struct gv_error error;
            struct told told;
            check_case("most text %zu, step %zu", looks[i].most_text, step);
            open_drip(reader, &drip);
            CHECK_NAMES(look_once(reader, 9, looks[i].most_text, &told), GV_OK);
            CHECK(told.n >= looks[i].records);
            CHECK(told.n <= looks[i].records + looks[i].headers + (step > 1000));
            CHECK(told.n > 0);
            CHECK_U(told.has_sequence[0], looks[i].records > 0);
            CHECK_BYTES(told.names[0], "long", 4);
            CHECK_NAMES(read_to_end(reader, &error), GV_END);
            CHECK_U(gv_reader_rows(reader), 3);
            gv_reader_free(reader);
        }
    }
    /* A header that does not end there is not told. */
    struct bytes header = {0};
    put(&header, "@", 1);
    put(&header, line, LENGTH);
    put(&header, "\nA\n+\nI\n", 7);
    for (int all = 0; all < 2; all++) {
        struct gv_reader *reader = new_reader(GV_COLUMN_BIT(GV_COLUMN_LENGTH), 1);
        struct drip drip = {header.data, header.size, 0, 1000, 0, 0};
        struct gv_error error;
        struct told told;
        check_case("a long header, all %d", all);
        open_drip(reader, &drip);
        CHECK_NAMES(look_once(reader, 9, all ? BIG : 100000, &told), GV_OK);
        CHECK_U(told.n, (size_t)all);
        CHECK_U(told.name_sizes[0], all ? LENGTH : 0);
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        gv_reader_free(reader);
    }
    free(header.data);
    free(text.data);
    free(line);
}

/* After a look a large file is mapped, and shared, as if there had been none. */
static void
test_large_files(void)
{
    struct bytes text = make_records(100000, "\n");
    char path[] = "gv_test_look_XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0 && write(fd, text.data, text.size) == (ssize_t)text.size && close(fd) == 0);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        for (int looks = 0; looks < 2; looks++) {
            struct gv_source source;
            struct gv_error error;
            struct told told;
            struct gv_reader *reader = new_reader(COLUMNS, threads);
            check_case("%u threads, look %d", threads, looks);
            REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
            gv_reader_open(reader, source);
            if (looks) {
                CHECK_NAMES(look_once(reader, 40, BIG, &told), GV_OK);
                check_told(&told, 40);
            }
            check_still_there(reader, 100000);
            CHECK(gv_reader_stats(reader).in_place > text.size / 2);
            gv_reader_free(reader);
        }
    }
    REQUIRE(unlink(path) == 0);
    free(text.data);
}

/* What is settled after a look holds for the first record, and for the next source. */
static void
test_settling(void)
{
    static const char text[] = "@A1:1:F:3:1101:1000:2000\nA\n+\nI\n"
                               "@A1:1:F:3:2102:5:6 1:N:0:A\nC\n+\nI\n";
    struct gv_reader *reader =
        new_reader(GV_COLUMN_BIT(GV_COLUMN_POSITION) | GV_COLUMN_BIT(GV_COLUMN_LANE), 1);
    struct gv_placing placing = gv_placing_of(gv_layout_find("flowcell"));
    struct gv_error error;
    struct gv_sealed sealed;
    struct told told;
    check_case("%s", "settling");
    placing.grammar = GV_GRAMMAR_ILLUMINA;
    CHECK(gv_placing_set(&placing, "lane_pitch", 10000));
    CHECK(gv_placing_set(&placing, "tile_pitch", 100));
    open_bytes(reader, text, sizeof text - 1);
    CHECK_NAMES(look_once(reader, 9, BIG, &told), GV_OK);
    CHECK_U(told.n, 2);
    gv_reader_settle(reader, &placing);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    gv_reader_close(reader);
    open_bytes(reader, text, sizeof text - 1);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
    CHECK_U(sealed.rows, 4);
    float (*position)[3] = (void *)sealed.data[GV_COLUMN_POSITION];
    for (size_t i = 0; i < 4; i += 2) {
        CHECK_F(position[i][0], 21000);
        CHECK_F(position[i][1], 2100);
        CHECK_F(position[i][2], 1);
        CHECK_F(position[i + 1][0], 20005);
        CHECK_F(position[i + 1][1], 206);
        CHECK_F(position[i + 1][2], 2);
        CHECK_U(sealed.data[GV_COLUMN_LANE][i], 3);
    }
    CHECK_U(gv_reader_stats(reader).unplaced, 0);
    gv_lease_release(sealed.lease);
    gv_reader_free(reader);
}

int
main(void)
{
    test_as_many_as_asked_for();
    test_however_it_is_cut();
    test_other_texts();
    test_faults_of_the_source();
    test_long_records();
    test_large_files();
    test_settling();
    CHECK_I(stored_context.open_states, 0);
    return check_result();
}
