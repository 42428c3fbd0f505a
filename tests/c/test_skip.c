/* Records at fault passed over: by the parser, the same however the text is cut; by the reader, the
 * same with memory refused at any call, or a refusal that is told. */
#define _GNU_SOURCE
#include "members.h"

#include <unistd.h>

#include "calls.h"

#define NO_CAP ((size_t)1 << 30)
#define SOUND "@1\nACGT\n+\nIIII\n"
#define WRAPPED "@w\nAC\nGT\n+\nII\nII\n"

/* ---------------------------------------------------------------------------------------------
 * The parser
 * ------------------------------------------------------------------------------------------ */

/* What is met on the way through a text: a letter a record ('r'), a fault ('f'), where reading goes
 * on behind it ('s': offset, line and record) and the end, a truncation 't'. */
struct way {
    char steps[64];
    uint64_t numbers[64];
    size_t n;
};

static void
note(struct way *way, char step, uint64_t number)
{
    REQUIRE(way->n + 1 < sizeof way->steps);
    way->steps[way->n] = step;
    way->numbers[way->n++] = number;
}

static void
note_place(struct way *way, const struct gv_fastq *parser)
{
    struct gv_fastq_place place = gv_fastq_place(parser);
    note(way, 's', place.offset);
    note(way, 'l', place.line);
    note(way, 'n', place.record);
}

/* Goes through the text of which `first` bytes are there at first, and then `more` at a time. */
static struct way
walk(const char *text, size_t size, size_t first, size_t more, size_t cap)
{
    struct gv_fastq parser;
    struct gv_record record;
    struct gv_error error;
    struct way way = {.n = 0};
    uint8_t *own = malloc(size + 1);
    REQUIRE(own != NULL);
    memcpy(own, text, size);
    gv_fastq_init(&parser, gv_scan_find(NULL), GV_PHRED33_ZERO, GV_ALPHABET_ANY, cap);
    size_t at = 0, there = first;
    bool is_skipping = false;
    for (;;) {
        size_t used;
        bool at_end = there == size;
        enum gv_status status =
            is_skipping
                ? gv_fastq_skip(&parser, own + at, there - at, at_end, &used, &error)
                : gv_fastq_next(&parser, own + at, there - at, at_end, &record, &used, &error);
        at += used;
        CHECK_U(parser.offset, at);
        if (status == GV_NEED_MORE) {
            REQUIRE(!at_end);
            there = gv_min_size(size, there + more);
        } else if (is_skipping && status <= GV_END) {
            is_skipping = false;
            note_place(&way, &parser);
        } else if (status == GV_OK) {
            note(&way, 'r', parser.record);
        } else if (gv_fastq_is_of_record(status)) {
            note(&way, 'f', error.line);
            gv_fastq_skip_begin(&parser);
            is_skipping = true;
        } else {
            note(&way, status == GV_END ? 'e' : 't', parser.line);
            break;
        }
    }
    free(own);
    return way;
}

static const struct {
    const char *text, *steps;
    size_t cap;
} walks[] = {
    {SOUND, "re", NO_CAP},
    {"x1\nACGT\n+\n@III\n" SOUND, "fslnre", NO_CAP},
    {SOUND "@a\nAC\nG\n+\n@III\n" SOUND, "rfslnre", NO_CAP},
    {SOUND "@a\nAC\nG\n+\n@III\n", "rfslne", NO_CAP},
    {SOUND "@a\nACGTx+\nIIII\n@b\nA\n+\nI\n" SOUND, "rfslnrre", NO_CAP},
    {SOUND "\n\r\n" SOUND "\n" SOUND, "rfslnrfslnre", NO_CAP},
    {SOUND "\n\r\n", "re", NO_CAP},
    {"xa\nACGT\n+\nIIII\n@b\nAC", "ft", NO_CAP},
    {SOUND "\n@b\nAC", "rft", NO_CAP},
    {"xa\nACGT\n+\n@III", "fslne", NO_CAP},
    {"no\nrecord", "fslne", NO_CAP},
    {WRAPPED "xw\nAC\nGT\n+\n@I\n@I\n" WRAPPED, "rfslnre", NO_CAP},
    {WRAPPED "xw\nAC\nGT\nAC\n+\nII\nII\n@I\n", "rfslne", NO_CAP},
    {WRAPPED "xw\nAC\nGT\n+\nII\nII\n@v\nAC\n", "rft", NO_CAP},
    {SOUND "@long\nAAAAAAAAAAAAAAAAAAAAAAAA\n+\nIIIIIIIIIIIIIIIIIIIIIIII\n" SOUND, "rfslnre", 24},
    {SOUND "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@", "rfslne", 24},
};

static void
test_walks(void)
{
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        const char *text = walks[i].text;
        size_t size = strlen(text), cap = walks[i].cap;
        struct way whole = walk(text, size, size, 0, cap);
        check_case("walk %zu", i);
        CHECK_STRING(whole.steps, walks[i].steps);
        for (size_t first = 0; first <= size; first++) {
            struct way cut = walk(text, size, first, size, cap);
            check_case("walk %zu, cut at %zu", i, first);
            CHECK_BYTES(&cut, &whole, sizeof cut);
        }
        for (size_t more = 1; more < 8; more++) {
            struct way dripped = walk(text, size, 0, more, cap);
            check_case("walk %zu, %zu at a time", i, more);
            CHECK_BYTES(&dripped, &whole, sizeof dripped);
        }
    }
}

/* Text that goes on for ever without a sound record is passed over, and never asked for again. */
static void
test_nothing_is_held_back(void)
{
    static const char *const lines[] = {"@@@@@@@@@@@@@@@@", "AAAAAAAAAAAAAAAA",
                                        "@a\n@b\n@c\n@d\n@ef\n",
                                        "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct gv_fastq parser;
        struct gv_error error;
        uint8_t text[256];
        size_t held = 0, used, passed = 0;
        check_case("line %zu", i);
        REQUIRE(strlen(lines[i]) == 16);
        gv_fastq_init(&parser, gv_scan_find(NULL), GV_PHRED33_ZERO, GV_ALPHABET_ANY, 64);
        gv_fastq_skip_begin(&parser);
        for (int k = 0; k < 1000; k++) {
            memcpy(text + held, lines[i], 16);
            held += 16;
            CHECK_NAMES(gv_fastq_skip(&parser, text, held, false, &used, &error), GV_NEED_MORE);
            held -= used;
            passed += used;
            memmove(text, text + used, held);
            REQUIRE(held <= 2 * 64);
        }
        CHECK_U(passed, parser.offset);
        CHECK(passed > 15000);
    }
}

/* ---------------------------------------------------------------------------------------------
 * The reader
 * ------------------------------------------------------------------------------------------ */

#define RECORDS 45000
#define FAULT_EVERY 999

/* A text large enough to be shared out, with a record at fault here and there. */
static struct bytes
make_text(void)
{
    struct bytes text = {0};
    for (unsigned i = 0; i < RECORDS; i++) {
        char record[256];
        bool is_sound = i % FAULT_EVERY != 7;
        int size = snprintf(record, sizeof record, "%c%u\n%s\n+\n%s\n", is_sound ? '@' : 'x', i,
                            "ACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTAC",
                            "@IIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIIII");
        put(&text, record, (size_t)size);
    }
    return text;
}

struct counted {
    uint64_t reads, skipped, rows, sum;
    enum gv_status status;
};

static void
count_rows(struct counted *counted, struct gv_reader *reader)
{
    struct gv_sealed sealed;
    struct gv_error error;
    enum gv_status status;
    do {
        status = gv_reader_seal(reader, &sealed, &error);
    } while (gv_status_is_memory(status));
    REQUIRE(status == GV_OK);
    const uint64_t *ordinals = (const uint64_t *)(const void *)sealed.data[GV_COLUMN_METADATA];
    for (size_t row = 0; row < sealed.rows; row++) {
        CHECK(counted->rows == 0 || ordinals[row] > counted->sum);
        counted->sum = ordinals[row];
    }
    counted->rows += sealed.rows;
    gv_lease_release(sealed.lease);
}

/* Reads the text, passes over what is at fault, and where memory is refused tries again when it is
 * back: once, for a refusal that is told again is one that something was lost over. */
static struct counted
read_all(const struct bytes *text, unsigned threads, struct gv_source source)
{
    struct gv_reader_options options = {
        .threads = threads,
        .engine = &stored_engine,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = GV_COLUMN_BIT(GV_COLUMN_METADATA) | GV_COLUMN_BIT(GV_COLUMN_NAME),
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = NO_CAP,
                .memory_limit = GV_NO_LIMIT,
            },
    };
    struct counted counted = {.status = GV_OK};
    struct gv_reader *reader;
    struct gv_error error;
    if (gv_reader_new(&options, &reader) != GV_OK) {
        gv_source_close(&source);
        return (struct counted){.status = GV_NO_MEMORY};
    }
    gv_reader_open(reader, source);
    unsigned refusals = 0;
    bool is_skipping = false;
    while (counted.status == GV_OK) {
        enum gv_status status = is_skipping ? gv_reader_skip(reader, &error)
                                            : gv_reader_advance(reader, 10000, SIZE_MAX, &error);
        refusals = gv_status_is_memory(status) ? refusals + 1 : 0;
        if (refusals == 1) {
#ifdef HAVE_WRAP
            calls_allow();
#endif
        } else if (gv_fastq_is_of_record(status)) {
            is_skipping = true;
        } else if (status == GV_OK && is_skipping) {
            is_skipping = false;
        } else if (status == GV_OK) {
            count_rows(&counted, reader);
        } else if (status != GV_INTERRUPTED) {
            counted.status = status;
        }
    }
    count_rows(&counted, reader);
    counted.reads = gv_reader_stats(reader).reads;
    counted.skipped = gv_reader_stats(reader).skipped;
    CHECK(counted.status != GV_END || gv_reader_stats(reader).text_bytes == text->size);
    gv_reader_free(reader);
    return counted;
}

static struct gv_source
source_of(const struct bytes *text, const char *path)
{
    struct gv_source source;
    struct gv_error error;
    if (path == NULL) {
        gv_source_open_memory(&source, text->data, text->size);
    } else {
        REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
    }
    return source;
}

static void
check_whole(const struct counted *counted)
{
    CHECK_NAMES(counted->status, GV_END);
    CHECK_U(counted->reads, RECORDS);
    CHECK_U(counted->skipped, (RECORDS + FAULT_EVERY - 8) / FAULT_EVERY);
    CHECK_U(counted->rows, counted->reads - counted->skipped);
    CHECK_U(counted->sum, RECORDS - 1);
}

static void
test_reader(const struct bytes *text, const char *path)
{
    for (unsigned threads = 1; threads <= 3; threads++) {
        check_case("%u threads, %s", threads, path != NULL ? "file" : "memory");
        struct counted counted = read_all(text, threads, source_of(text, path));
        check_whole(&counted);
#ifdef HAVE_WRAP
        for (size_t first = 1; first < 400; first += first < 60 ? 1 : 37) {
            check_case("%u threads, %s, call %zu refused", threads,
                       path != NULL ? "file" : "memory", first);
            struct gv_source source = source_of(text, path);
            calls_refuse(first, 1);
            counted = read_all(text, threads, source);
            calls_allow();
            if (counted.status == GV_END) {
                check_whole(&counted);
            } else {
                CHECK_NAMES(counted.status, GV_NO_MEMORY);
                CHECK(atomic_load(&calls.refused) > 0);
                CHECK_U(counted.rows, counted.reads - counted.skipped);
            }
        }
#endif
    }
}

/* What is told of the place while a record is being skipped is where that one begins. */
static enum gv_status
give_line(void *context, uint8_t *out, size_t size, size_t *got)
{
    const char **rest = context;
    const char *newline = strchr(*rest, '\n');
    *got = newline != NULL ? (size_t)(newline + 1 - *rest) : strlen(*rest);
    REQUIRE(*got <= size);
    if (*got == 0) {
        return GV_CALLBACK_FAILED;
    }
    memcpy(out, *rest, *got);
    *rest += *got;
    return GV_OK;
}

static void
test_place_of_an_unfinished_skip(void)
{
    const char *rest = SOUND "x2\nACGT\n+\n@III\n@3\nAC";
    struct gv_reader_options options = {
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = GV_COLUMN_BIT(GV_COLUMN_METADATA),
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = NO_CAP,
                .memory_limit = GV_NO_LIMIT,
            },
        .begin = {.offset = 1000, .line = 41, .record = 11},
        .first_ordinal = 500,
    };
    struct gv_reader *reader;
    struct gv_source source;
    struct gv_error error;
    check_case("%s", "an unfinished skip");
    REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
    CHECK_U(gv_reader_place(reader).line, 41);
    gv_source_open_callback(&source, give_line, &rest);
    gv_reader_open(reader, source);
    CHECK_NAMES(gv_reader_advance(reader, 100, SIZE_MAX, &error), GV_BAD_HEADER);
    CHECK(error.offset == 1015 && error.line == 45 && error.record == 12);
    CHECK_NAMES(gv_reader_skip(reader, &error), GV_CALLBACK_FAILED);
    struct gv_fastq_place place = gv_reader_place(reader);
    CHECK(place.offset == 1015 && place.line == 45 && place.record == 12 && !place.wrapped);
    CHECK_U(gv_reader_stats(reader).reads, 1);
    CHECK_U(gv_reader_stats(reader).skipped, 0);
    struct counted counted = {0};
    count_rows(&counted, reader);
    CHECK(counted.rows == 1 && counted.sum == 500);
    gv_reader_free(reader);
}

int
main(void)
{
    char path[] = "/tmp/test_skip.XXXXXX";
    struct bytes text = make_text();
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, text.data, text.size) == (ssize_t)text.size);
    (void)close(fd);
    test_walks();
    test_nothing_is_held_back();
    test_reader(&text, NULL);
    test_reader(&text, path);
    test_place_of_an_unfinished_skip();
    (void)unlink(path);
    free(text.data);
    return check_result();
}
