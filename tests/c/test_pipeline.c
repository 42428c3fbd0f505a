#define _GNU_SOURCE
#include "members.h"

#include <errno.h>
#include <math.h>
#include <unistd.h>

#define ALL_COLUMNS (GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1)
#define BIG ((size_t)1 << 40)

/* A read of the text that a test made, by the offsets of its parts. */
struct read {
    uint64_t ordinal;
    size_t name, name_size, sequence, qualities, length;
};

/* Text and what is in it. */
struct reads {
    struct bytes text;
    struct read *list;
    size_t n;
};

static void
add_read(struct reads *reads, const char *name, const uint8_t *sequence, const uint8_t *qualities,
         size_t length)
{
    struct read read = {.ordinal = reads->n, .name_size = strlen(name), .length = length};
    put(&reads->text, "@", 1);
    read.name = reads->text.size;
    put(&reads->text, name, strlen(name));
    put(&reads->text, "\n", 1);
    read.sequence = reads->text.size;
    put(&reads->text, sequence, length);
    put(&reads->text, "\n+\n", 3);
    read.qualities = reads->text.size;
    put(&reads->text, qualities, length);
    put(&reads->text, "\n", 1);
    if ((reads->n & (reads->n + 1)) == 0) {
        reads->list = realloc(reads->list, 2 * (reads->n + 1) * sizeof *reads->list);
        REQUIRE(reads->list != NULL);
    }
    reads->list[reads->n++] = read;
}

/* n reads of at most `longest` bases, some of them empty, some without a known base. */
static void
add_random_reads(struct reads *reads, size_t n, size_t longest, uint64_t seed)
{
    uint8_t *sequence = malloc(longest + 1), *qualities = malloc(longest + 1);
    REQUIRE(sequence != NULL && qualities != NULL);
    for (size_t i = 0; i < n; i++) {
        char name[32];
        size_t length = check_below(&seed, longest + 1);
        size_t letters = check_below(&seed, 20) == 0 ? 0 : 10;
        size_t best = 1 + check_below(&seed, 94);
        for (size_t k = 0; k < length; k++) {
            sequence[k] = (uint8_t)(letters ? "ACGTUacgtN"[check_below(&seed, 10)] : 'N');
            qualities[k] = (uint8_t)(33 + check_below(&seed, best));
        }
        (void)snprintf(name, sizeof name, "read %zu", reads->n);
        add_read(reads, name, sequence, qualities, length);
    }
    free(sequence);
    free(qualities);
}

static void
free_reads(struct reads *reads)
{
    free(reads->text.data);
    free(reads->list);
}

static struct gv_reader_options
usual_options(void)
{
    return (struct gv_reader_options){
        .engine = &stored_engine,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = ALL_COLUMNS,
                .zero = GV_PHRED33_ZERO,
                .alphabet = GV_ALPHABET_ANY,
                .max_record_bytes = (size_t)1 << 30,
                .memory_limit = GV_NO_LIMIT,
            },
    };
}

static struct gv_reader *
new_reader(const struct gv_reader_options *options)
{
    struct gv_reader *reader = NULL;
    REQUIRE(gv_reader_new(options, &reader) == GV_OK);
    return reader;
}

static void
open_memory(struct gv_reader *reader, const struct bytes *bytes)
{
    struct gv_source source;
    gv_source_open_memory(&source, bytes->data, bytes->size);
    gv_reader_open(reader, source);
}

/* Advances to the end, through whatever interruptions come. */
static enum gv_status
read_to_end(struct gv_reader *reader, struct gv_error *error)
{
    enum gv_status status;
    do {
        status = gv_reader_advance(reader, BIG, BIG, error);
    } while (status == GV_OK || status == GV_INTERRUPTED);
    return status;
}

/* What a row must hold, worked out read by read the slow way. */
static void
check_row(const struct gv_sealed *sealed, size_t row, const struct reads *reads,
          const struct read *read)
{
    const uint8_t *sequence = reads->text.data + read->sequence;
    const uint8_t *qualities = reads->text.data + read->qualities;
    double n[4] = {0}, sum = 0, wrong = 0;
    for (size_t k = 0; k < read->length; k++) {
        const char *letter = strchr("AaCcGgTtUu", sequence[k]);
        if (letter != NULL) {
            n[gv_min_size((size_t)(letter - "AaCcGgTtUu") / 2, 3)]++;
        }
        sum += qualities[k] - 33;
        wrong += pow(10.0, -(qualities[k] - 33) / 10.0);
    }
    double known = n[0] + n[1] + n[2] + n[3], length = (double)read->length;
    double gc = known > 0 ? (n[1] + n[2]) / known : (double)NAN;
    double quality = length > 0 ? sum / length : (double)NAN;
    double place[3] = {n[0] - n[1] + n[2] - n[3], n[0] + n[1] - n[2] - n[3],
                       n[0] - n[1] - n[2] + n[3]};
    double sign = place[0] < 0 || (place[0] == 0 && place[1] < 0) ? -1 : 1;
    float color[1][4], size;
    gv_appearance_color(&gc, 1, color);
    gv_appearance_size(&quality, 1, &size);
    const float *position = (const float *)(const void *)sealed->data[GV_COLUMN_POSITION] + 3 * row;
    if (sealed->columns & GV_COLUMN_BIT(GV_COLUMN_POSITION)) {
        CHECK_F(position[0], known > 0 ? (float)(sign * place[0] / known + 0.0) : NAN);
        CHECK_F(position[1], known > 0 ? (float)(sign * place[1] / known + 0.0) : NAN);
        CHECK_F(position[2], known > 0 ? (float)(place[2] / known) : NAN);
    }
    const struct {
        enum gv_column column;
        float value;
    } floats[] = {
        {GV_COLUMN_SIZE, size},
        {GV_COLUMN_GC, (float)gc},
        {GV_COLUMN_QUALITY, (float)quality},
        {GV_COLUMN_ERROR_QUALITY, length > 0 ? (float)(-10 * log10(wrong / length) + 0.0) : NAN},
    };
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
        if (sealed->columns & GV_COLUMN_BIT(floats[i].column)) {
            CHECK_F(((const float *)(const void *)sealed->data[floats[i].column])[row],
                    floats[i].value);
        }
    }
    if (sealed->columns & GV_COLUMN_BIT(GV_COLUMN_COLOR)) {
        CHECK_BYTES(sealed->data[GV_COLUMN_COLOR] + 16 * row, color, 16);
    }
    if (sealed->columns & GV_COLUMN_BIT(GV_COLUMN_METADATA)) {
        CHECK_U(((const uint64_t *)(const void *)sealed->data[GV_COLUMN_METADATA])[row],
                read->ordinal);
    }
    if (sealed->columns & GV_COLUMN_BIT(GV_COLUMN_LENGTH)) {
        CHECK_U(((const uint32_t *)(const void *)sealed->data[GV_COLUMN_LENGTH])[row],
                read->length);
    }
    const size_t parts[GV_TEXT_COLUMNS][2] = {{read->name, read->name_size},
                                              {read->sequence, read->length},
                                              {read->qualities, read->length}};
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        unsigned column = GV_COLUMN_FIRST_TEXT + i;
        if (sealed->columns & GV_COLUMN_BIT(column)) {
            const int64_t *offsets = (const int64_t *)(const void *)sealed->data[column];
            if (CHECK_I(offsets[row + 1] - offsets[row], parts[i][1])) {
                CHECK_BYTES(sealed->text[i] + offsets[row], reads->text.data + parts[i][0],
                            parts[i][1]);
            }
        }
    }
}

/* A sealed table holds reads->list[from .. from + rows); it is released. */
static void
check_rows(struct gv_sealed *sealed, const struct reads *reads, size_t from, size_t rows)
{
    CHECK_U(sealed->rows, rows);
    for (size_t i = 0; i < gv_min_size(rows, sealed->rows); i++) {
        check_row(sealed, i, reads, &reads->list[from + i]);
    }
    gv_lease_release(sealed->lease);
}

static void
seal_and_check(struct gv_reader *reader, const struct reads *reads, size_t from, size_t rows)
{
    struct gv_sealed sealed;
    CHECK_U(gv_reader_rows(reader), rows);
    struct gv_error seal_error;
    REQUIRE(gv_reader_seal(reader, &sealed, &seal_error) == GV_OK);
    CHECK_U(gv_reader_rows(reader), 0);
    check_rows(&sealed, reads, from, rows);
}

static void
test_columns(void)
{
    static const gv_column_set sets[] = {
        ALL_COLUMNS,
        0x7f,
        GV_COLUMN_BIT(GV_COLUMN_GC),
        GV_COLUMN_BIT(GV_COLUMN_ERROR_QUALITY) | GV_COLUMN_BIT(GV_COLUMN_NAME),
        GV_COLUMN_BIT(GV_COLUMN_QUALITIES),
        0,
    };
    struct reads reads = {0};
    add_random_reads(&reads, 1000, 200, 1);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        check_case("columns 0x%x", sets[i]);
        options.build.columns = sets[i];
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &reads.text);
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        struct gv_sealed sealed;
        struct gv_error seal_error;
        REQUIRE(gv_reader_seal(reader, &sealed, &seal_error) == GV_OK);
        CHECK_U(sealed.columns, sets[i]);
        /* The table outlives its reader. */
        gv_reader_free(reader);
        check_rows(&sealed, &reads, 0, reads.n);
    }
    free_reads(&reads);
}

static void
test_stats(void)
{
    struct reads reads = {0};
    add_read(&reads, "a", (const uint8_t *)"ACGTN", (const uint8_t *)"IIIII", 5);
    add_read(&reads, "b", (const uint8_t *)"", (const uint8_t *)"", 0);
    add_read(&reads, "c", (const uint8_t *)"GGu-", (const uint8_t *)"!!++", 4);
    add_read(&reads, "d", (const uint8_t *)"NN", (const uint8_t *)"~~", 2);
    struct gv_reader_options options = usual_options();
    struct gv_error error;
    struct gv_reader *reader = new_reader(&options);
    check_case("%s", "stats");
    CHECK_I(gv_reader_format(reader), GV_INPUT_UNKNOWN);
    open_memory(reader, &reads.text);
    CHECK_I(gv_reader_format(reader), GV_INPUT_UNKNOWN);
    CHECK_U(gv_reader_source_size(reader), reads.text.size);
    CHECK_U(gv_reader_source_read(reader), 0);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    CHECK_I(gv_reader_format(reader), GV_INPUT_PLAIN);
    CHECK_U(gv_reader_source_read(reader), reads.text.size);
    for (int closed = 0; closed < 2; closed++) {
        struct gv_reader_stats stats = gv_reader_stats(reader);
        CHECK_U(stats.reads, 4);
        CHECK_U(stats.kept, 4);
        CHECK_U(stats.sums.bases, 11);
        CHECK_U(stats.sums.known_bases, 7);
        CHECK_U(stats.sums.gc_bases, 4);
        CHECK_U(stats.sums.phred_sum, 5 * 40 + 2 * 10 + 2 * 93);
        CHECK_U(stats.unplaced, 2);
        CHECK_U(stats.bytes_in, reads.text.size);
        CHECK_U(stats.text_bytes, reads.text.size);
        CHECK_U(stats.sources, 1);
        CHECK_U(stats.missing_end_blocks, 0);
        CHECK(!stats.wrapped);
        gv_reader_close(reader);
    }
    gv_reader_close(reader);
    seal_and_check(reader, &reads, 0, reads.n);
    gv_reader_free(reader);
    gv_reader_free(NULL);
    free_reads(&reads);
}

/* Plain, gzip, BGZF without its end block, nothing at all, and one byte at a time: one ordinal. */
static void
test_sources_in_sequence(void)
{
    struct reads reads = {0};
    size_t ends[5];
    struct bytes inputs[5] = {{0}, {0}, {0}, {0}, {0}};
    for (size_t i = 0; i < 5; i++) {
        size_t start = reads.text.size;
        add_random_reads(&reads, i == 3 ? 0 : 300 + 7 * i, 60, i);
        ends[i] = reads.text.size;
        const uint8_t *text = reads.text.data + start;
        size_t size = ends[i] - start;
        if (i == 1) {
            put_member(&inputs[i], text, size / 2, 1000, MEMBER_NAME);
            put_member(&inputs[i], text + size / 2, size - size / 2, 65535, MEMBER_HCRC);
        } else if (i == 2) {
            for (size_t at = 0; at < size; at += 10000) {
                put_member(&inputs[i], text + at, gv_min_size(10000, size - at), 5000, MEMBER_BGZF);
            }
        } else {
            put(&inputs[i], text, size);
        }
    }
    struct gv_reader_options options = usual_options();
    struct gv_error error;
    struct gv_reader *reader = new_reader(&options);
    uint64_t bytes_in = 0;
    for (size_t i = 0; i < 5; i++) {
        struct drip drip = {inputs[i].data, inputs[i].size, 0, 1, 0, 0};
        check_case("source %zu", i);
        if (i == 4) {
            open_drip(reader, &drip);
        } else {
            open_memory(reader, &inputs[i]);
        }
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        const enum gv_input_format formats[] = {GV_INPUT_PLAIN, GV_INPUT_GZIP, GV_INPUT_BGZF,
                                                GV_INPUT_PLAIN, GV_INPUT_PLAIN};
        CHECK_I(gv_reader_format(reader), formats[i]);
        bytes_in += inputs[i].size;
        CHECK_U(gv_reader_stats(reader).bytes_in, bytes_in);
        CHECK_U(gv_reader_stats(reader).text_bytes, ends[i]);
        CHECK_U(gv_reader_stats(reader).sources, i + 1);
        CHECK_U(gv_reader_stats(reader).missing_end_blocks, i >= 2);
        gv_reader_close(reader);
        CHECK_U(gv_reader_stats(reader).missing_end_blocks, i >= 2);
        CHECK_U(gv_reader_stats(reader).text_bytes, ends[i]);
        free(inputs[i].data);
    }
    check_case("%s", "sources in sequence");
    CHECK_U(gv_reader_stats(reader).reads, reads.n);
    seal_and_check(reader, &reads, 0, reads.n);
    gv_reader_free(reader);
    CHECK_I(stored_context.open_states, 0);
    free_reads(&reads);
}

static void
test_bounds(void)
{
    static const size_t rows_at_a_time[] = {1, 255, 256, 257, 1000};
    struct reads reads = {0};
    add_random_reads(&reads, 1000, 60, 3);
    struct gv_reader_options options = usual_options();
    struct gv_error error;
    for (size_t i = 0; i < sizeof rows_at_a_time / sizeof *rows_at_a_time; i++) {
        size_t step = rows_at_a_time[i], at = 0;
        check_case("%zu rows at a time", step);
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &reads.text);
        enum gv_status status;
        while ((status = gv_reader_advance(reader, step, BIG, &error)) == GV_OK) {
            CHECK_U(gv_reader_rows(reader), step);
            CHECK_NAMES(gv_reader_advance(reader, step, BIG, &error), GV_OK);
            seal_and_check(reader, &reads, at, step);
            at += step;
            CHECK_U(gv_reader_stats(reader).reads, at);
        }
        CHECK_NAMES(status, GV_END);
        seal_and_check(reader, &reads, at, reads.n - at);
        gv_reader_free(reader);
    }

    /* Bounded by text: every call gets on, by about as much as was asked for, give or take the
     * records of a block. */
    for (size_t step = 1; step < 100000; step *= 10) {
        check_case("%zu bytes at a time", step);
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &reads.text);
        enum gv_status status;
        size_t calls = 0, before = 0;
        while ((status = gv_reader_advance(reader, BIG, step, &error)) == GV_OK) {
            size_t rows = gv_reader_rows(reader);
            CHECK(rows > before);
            CHECK((rows - before) * 20 <= step + GV_BLOCK_ROWS * 20);
            before = rows;
            calls++;
        }
        CHECK_NAMES(status, GV_END);
        CHECK(calls >= reads.text.size / (step + 200 * GV_BLOCK_ROWS));
        seal_and_check(reader, &reads, 0, reads.n);
        gv_reader_free(reader);
    }
    free_reads(&reads);
}

static void
test_filter(void)
{
    struct reads all = {0}, kept = {0};
    add_random_reads(&all, 1500, 50, 4);
    /* On the threshold, just below it, and empty. */
    add_read(&all, "on", (const uint8_t *)"ACG", (const uint8_t *)"5?!", 3);
    add_read(&all, "below", (const uint8_t *)"ACG", (const uint8_t *)"5>!", 3);
    add_read(&all, "empty", (const uint8_t *)"", (const uint8_t *)"", 0);
    static const double thresholds[] = {50.0 / 3.0, 20.0, 0.0, -1.0, 93.5};
    for (size_t t = 0; t < sizeof thresholds / sizeof *thresholds; t++) {
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        uint64_t bases = 0;
        check_case("min_quality %g", thresholds[t]);
        options.build.min_quality = thresholds[t];
        kept = (struct reads){.text = all.text};
        kept.list = malloc(all.n * sizeof *kept.list);
        REQUIRE(kept.list != NULL);
        for (size_t i = 0; i < all.n; i++) {
            const struct read *read = &all.list[i];
            double sum = 0;
            for (size_t k = 0; k < read->length; k++) {
                sum += all.text.data[read->qualities + k] - 33;
            }
            if (read->length > 0 ? sum / (double)read->length >= thresholds[t]
                                 : thresholds[t] <= 0) {
                kept.list[kept.n++] = *read;
                bases += read->length;
            }
        }
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &all.text);
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        CHECK_U(gv_reader_stats(reader).reads, all.n);
        CHECK_U(gv_reader_stats(reader).kept, kept.n);
        CHECK_U(gv_reader_stats(reader).sums.bases, bases);
        CHECK(kept.n > 0 || thresholds[t] > 93);
        CHECK(kept.n < all.n || thresholds[t] <= 0);
        seal_and_check(reader, &kept, 0, kept.n);
        gv_reader_free(reader);
        free(kept.list);
    }
    free_reads(&all);
}

static void
test_memory_limit(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 2000, 50, 5);
    for (size_t limit = 56; limit < 60000; limit = limit * 3 + 1) {
        struct gv_reader_options options = usual_options();
        struct gv_error error = {0};
        check_case("limit %zu", limit);
        options.build.columns = 0x7f | GV_COLUMN_BIT(GV_COLUMN_SEQUENCE);
        options.build.memory_limit = limit;
        /* 52 bytes of the seven columns, 8 of an offset, and the letters; one offset more. */
        size_t fitting = 0, needed = 8;
        while (fitting < reads.n && needed + 60 + reads.list[fitting].length <= limit) {
            needed += 60 + reads.list[fitting++].length;
        }
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &reads.text);
        CHECK_NAMES(read_to_end(reader, &error), GV_MEMORY_LIMIT);
        CHECK_NAMES(error.status, GV_MEMORY_LIMIT);
        CHECK_U(error.detail, fitting);
        CHECK_U(error.expected, limit);
        CHECK_U(error.record, fitting + 1);
        CHECK_U(gv_reader_stats(reader).reads, fitting);
        CHECK_U(gv_reader_stats(reader).kept, fitting);
        seal_and_check(reader, &reads, 0, fitting);
        gv_reader_free(reader);
    }
    free_reads(&reads);
}

/* Records beyond the text buffer, among short ones, however few bytes come at a time. */
static void
test_long_records(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 100, 50, 6);
    add_random_reads(&reads, 1, 0, 6);
    uint8_t *letters = malloc(1000000);
    REQUIRE(letters != NULL);
    for (size_t i = 0; i < 1000000; i++) {
        letters[i] = (uint8_t)"ACGT"[i * i % 4];
    }
    add_read(&reads, "long", letters, letters, 1000000);
    add_random_reads(&reads, 100, 50, 7);
    add_read(&reads, "longer than the buffer", letters, letters, 270000);
    add_random_reads(&reads, 100, 50, 8);
    free(letters);
    for (size_t step = 100; step < 100000000; step *= 100) {
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        struct drip drip = {reads.text.data, reads.text.size, 0, step, 0, 5};
        check_case("long records, step %zu", step);
        options.build.max_record_bytes = 2000000 + 10;
        struct gv_reader *reader = new_reader(&options);
        open_drip(reader, &drip);
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        seal_and_check(reader, &reads, 0, reads.n);
        gv_reader_close(reader);
        gv_reader_free(reader);

        /* One byte less than the record takes. */
        options.build.max_record_bytes = 2000000 + 9;
        drip = (struct drip){reads.text.data, reads.text.size, 0, step, 0, 5};
        reader = new_reader(&options);
        open_drip(reader, &drip);
        CHECK_NAMES(read_to_end(reader, &error), GV_RECORD_TOO_LONG);
        CHECK_U(error.record, 102);
        CHECK_U(error.line, 405);
        CHECK_U(error.offset, reads.list[101].name - 1);
        CHECK_U(error.expected, 2000000 + 9);
        seal_and_check(reader, &reads, 0, 101);
        gv_reader_free(reader);
    }
    free_reads(&reads);
}

static void
test_fault_after_good_rows(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 700, 40, 9);
    size_t good = reads.text.size;
    put(&reads.text, "@bad\nACGT\n+\nIII\n@r\nA\n+\nI\n", 26);
    for (size_t step = 1; step <= 1000000; step *= 1000) {
        for (unsigned zipped = 0; zipped < 2; zipped++) {
            struct gv_reader_options options = usual_options();
            struct gv_error error = {0};
            struct bytes input = {0};
            if (zipped) {
                put_member(&input, reads.text.data, reads.text.size, 60000, 0);
            } else {
                put(&input, reads.text.data, reads.text.size);
            }
            struct drip drip = {input.data, input.size, 0, step, 0, 0};
            struct bytes first = {.data = reads.text.data, .size = good};
            check_case("fault after good rows, step %zu, zipped %u", step, zipped);
            struct gv_reader *reader = new_reader(&options);
            open_memory(reader, &first);
            CHECK_NAMES(read_to_end(reader, &error), GV_END);
            seal_and_check(reader, &reads, 0, reads.n);
            gv_reader_close(reader);
            open_drip(reader, &drip);
            CHECK_NAMES(read_to_end(reader, &error), GV_LENGTH_MISMATCH);
            /* Within the source, not within all of them. */
            CHECK_U(error.record, 701);
            CHECK_U(error.line, 2804);
            CHECK_U(error.offset, good + 15);
            CHECK_I(error.detail, 3);
            CHECK_I(error.expected, 4);
            CHECK_U(gv_reader_stats(reader).reads, 2 * reads.n);
            for (size_t i = 0; i < reads.n; i++) {
                reads.list[i].ordinal += reads.n;
            }
            seal_and_check(reader, &reads, 0, reads.n);
            for (size_t i = 0; i < reads.n; i++) {
                reads.list[i].ordinal -= reads.n;
            }
            gv_reader_free(reader);
            free(input.data);
        }
    }
    free_reads(&reads);
}

/* gzip that is cut or damaged: the records that were whole before it, then the fault. */
static void
test_damaged_gzip(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 100, 40, 10);
    struct bytes input = {0};
    put_member(&input, reads.text.data, reads.text.size, 60000, 0);
    struct gv_reader_options options = usual_options();
    struct gv_error error = {0};
    for (size_t cut = 20; cut < input.size; cut += 97) {
        struct bytes part = {.data = input.data, .size = cut};
        size_t text = gv_min_size(cut - 15, reads.text.size), whole = 0;
        while (whole < reads.n &&
               reads.list[whole].qualities + reads.list[whole].length + 1 <= text) {
            whole++;
        }
        check_case("gzip cut at %zu", cut);
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &part);
        CHECK_NAMES(read_to_end(reader, &error), GV_TRUNCATED_GZIP);
        CHECK_U(error.offset, text);
        seal_and_check(reader, &reads, 0, whole);
        gv_reader_free(reader);
    }
    free(input.data);
    free_reads(&reads);
}

/* An interruption, wherever it falls, is passed on and loses nothing. */
static void
test_interruptions(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 3000, 100, 12);
    struct bytes zipped = {0};
    for (size_t at = 0; at < reads.text.size; at += 30000) {
        put_member(&zipped, reads.text.data + at, gv_min_size(30000, reads.text.size - at), 7000,
                   MEMBER_BGZF | MEMBER_HCRC);
    }
    put(&zipped, bgzf_end_block, sizeof bgzf_end_block);
    const struct bytes *const inputs[] = {&reads.text, &zipped};
    for (unsigned i = 0; i < 8; i++) {
        const struct bytes *input = inputs[i % 2];
        struct drip drip = {input->data, input->size, 0, (size_t)1 << i * 3, 0, 2 + i % 3};
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        size_t interruptions = 0, at = 0;
        check_case("interruptions %u", i);
        struct gv_reader *reader = new_reader(&options);
        open_drip(reader, &drip);
        for (;;) {
            enum gv_status status = gv_reader_advance(reader, 500, BIG, &error);
            if (status == GV_INTERRUPTED) {
                interruptions++;
                continue;
            }
            if (!CHECK(status == GV_OK || status == GV_END)) {
                break;
            }
            size_t rows = gv_reader_rows(reader);
            seal_and_check(reader, &reads, at, gv_min_size(rows, reads.n - at));
            at += rows;
            if (status == GV_END) {
                break;
            }
        }
        CHECK_U(at, reads.n);
        CHECK(interruptions > 0);
        CHECK_U(gv_reader_stats(reader).missing_end_blocks, 0);
        CHECK_U(gv_reader_stats(reader).bytes_in, input->size);
        gv_reader_free(reader);
    }
    free(zipped.data);
    free_reads(&reads);
}

static void
test_nothing_to_read(void)
{
    static const char *const texts[] = {"", "\n\n\r\n"};
    struct reads none = {0};
    for (size_t i = 0; i < 2; i++) {
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        struct bytes input = {0};
        put(&input, texts[i], strlen(texts[i]));
        check_case("nothing to read %zu", i);
        struct gv_reader *reader = new_reader(&options);
        seal_and_check(reader, &none, 0, 0);
        open_memory(reader, &input);
        CHECK_NAMES(gv_reader_advance(reader, 0, BIG, &error), GV_OK);
        CHECK_NAMES(read_to_end(reader, &error), GV_END);
        seal_and_check(reader, &none, 0, 0);
        CHECK_U(gv_reader_stats(reader).reads, 0);
        gv_reader_free(reader);
        free(input.data);
    }
}

/* Blank lines after the last record, more of them than the buffer and the cap take. */
static void
test_long_blank_tail(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 10, 40, 13);
    size_t sound = reads.text.size;
    for (size_t i = 0; i < 200000; i++) {
        put(&reads.text, "\n\r\n", 1 + i % 3 / 2 * 2);
    }
    for (unsigned more = 0; more < 2; more++) {
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        check_case("long blank tail, more %u", more);
        options.build.max_record_bytes = 1024;
        put(&reads.text, "@x\nA\n+\nI\n", more ? 9 : 0);
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &reads.text);
        CHECK_NAMES(read_to_end(reader, &error), more ? GV_BLANK_LINE : GV_END);
        if (more) {
            CHECK_U(error.line, 41);
            CHECK_U(error.record, 11);
            CHECK_U(error.offset, sound);
        }
        seal_and_check(reader, &reads, 0, 10);
        gv_reader_free(reader);
    }
    free_reads(&reads);
}

/* The settings reach the parser, and each source is parsed afresh. */
static void
test_settings(void)
{
    static const char wrapped[] = "@a\nAC\nGT\n+\nhh\nhh\n@b\nA\n+\nh\n";
    static const char four_lines[] = "@a\n@C\n+\nhh\n", letter[] = "@a\nAX\n+\nhh\n",
                      low[] = "@a\nAC\n+\nh?\n";
    struct gv_reader_options options = usual_options();
    struct gv_error error;
    struct gv_sealed sealed;
    check_case("%s", "settings");
    options.build.zero = GV_PHRED64_ZERO;
    struct gv_reader *reader = new_reader(&options);
    struct bytes input = {.data = (uint8_t *)(uintptr_t)wrapped, .size = sizeof wrapped - 1};
    open_memory(reader, &input);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    CHECK(gv_reader_stats(reader).wrapped);
    gv_reader_close(reader);
    input = (struct bytes){.data = (uint8_t *)(uintptr_t)four_lines, .size = sizeof four_lines - 1};
    open_memory(reader, &input);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    CHECK(gv_reader_stats(reader).wrapped);
    CHECK_U(gv_reader_stats(reader).sums.phred_sum, 7 * 40);
    gv_reader_close(reader);
    struct gv_error seal_error;
    REQUIRE(gv_reader_seal(reader, &sealed, &seal_error) == GV_OK);
    CHECK_U(sealed.rows, 3);
    CHECK_U(sealed.text_size[1], 7);
    CHECK_BYTES(sealed.text[1], "ACGTA@C", 7);
    CHECK_BYTES(sealed.text[2], "hhhhhhh", 7);
    const float *quality = (const float *)(const void *)sealed.data[GV_COLUMN_QUALITY];
    CHECK_F(quality[0], 40.0);
    gv_lease_release(sealed.lease);
    input = (struct bytes){.data = (uint8_t *)(uintptr_t)low, .size = sizeof low - 1};
    open_memory(reader, &input);
    CHECK_NAMES(read_to_end(reader, &error), GV_BAD_BYTE);
    CHECK_U(error.record, 1);
    gv_reader_free(reader);

    options.build.alphabet = GV_ALPHABET_DNA;
    options.build.placing = gv_placing_of(gv_layout_find("spiral"));
    reader = new_reader(&options);
    input = (struct bytes){.data = (uint8_t *)(uintptr_t)letter, .size = sizeof letter - 1};
    open_memory(reader, &input);
    CHECK_NAMES(read_to_end(reader, &error), GV_BAD_LETTER);
    gv_reader_close(reader);
    input = (struct bytes){.data = (uint8_t *)(uintptr_t)wrapped, .size = sizeof wrapped - 1};
    open_memory(reader, &input);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    CHECK_U(gv_reader_stats(reader).unplaced, 0);
    REQUIRE(gv_reader_seal(reader, &sealed, &seal_error) == GV_OK);
    const float *position = (const float *)(const void *)sealed.data[GV_COLUMN_POSITION];
    CHECK_F(position[0], (float)sqrt(0.5));
    CHECK_F(position[3], (float)(sqrt(1.5) * cos(2.399963)));
    gv_lease_release(sealed.lease);
    gv_reader_free(reader);
}

/* The least and the greatest cap that an option may hold. */
static void
test_extreme_caps(void)
{
    struct reads reads = {0};
    for (int i = 0; i < 3; i++) {
        add_read(&reads, "r", (const uint8_t *)"ACGT", (const uint8_t *)"IIII", 4);
    }
    add_read(&reads, "r", (const uint8_t *)"ACGTA", (const uint8_t *)"IIIII", 5);
    for (unsigned greatest = 0; greatest < 2; greatest++) {
        struct gv_reader_options options = usual_options();
        struct gv_error error;
        check_case("greatest cap %u", greatest);
        options.build.max_record_bytes = greatest ? GV_RECORD_CAP_MOST : GV_RECORD_CAP_LEAST;
        struct gv_reader *reader = new_reader(&options);
        open_memory(reader, &reads.text);
        CHECK_NAMES(read_to_end(reader, &error), greatest ? GV_END : GV_RECORD_TOO_LONG);
        seal_and_check(reader, &reads, 0, greatest ? 4 : 3);
        gv_reader_free(reader);
    }
    free_reads(&reads);
}

/* A source that fails, and one that owns a file descriptor. */
static void
test_sources_of_other_kinds(void)
{
    struct reads reads = {0};
    add_random_reads(&reads, 50, 40, 14);
    struct gv_reader_options options = usual_options();
    struct gv_error error;
    struct gv_source source;
    struct drip drip = {reads.text.data, reads.text.size, 0, 100, 0, 0};
    struct gv_reader *reader = new_reader(&options);
    check_case("%s", "a source that fails");
    gv_source_open_callback(&source, fails_after_all, &drip);
    gv_reader_open(reader, source);
    CHECK_NAMES(read_to_end(reader, &error), GV_CALLBACK_FAILED);
    CHECK_U(error.input_offset, reads.text.size);
    seal_and_check(reader, &reads, 0, reads.n);
    gv_reader_free(reader);

    check_case("%s", "a file");
    char path[] = "gv_test_pipeline_XXXXXX";
    int fd = mkstemp(path);
    REQUIRE(fd >= 0);
    REQUIRE(write(fd, reads.text.data, reads.text.size) == (ssize_t)reads.text.size);
    REQUIRE(close(fd) == 0);
    reader = new_reader(&options);
    REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
    fd = source.fd;
    gv_reader_open(reader, source);
    CHECK_U(gv_reader_source_size(reader), reads.text.size);
    CHECK_NAMES(read_to_end(reader, &error), GV_END);
    seal_and_check(reader, &reads, 0, reads.n);
    /* Freeing the reader closes what it owns. */
    gv_reader_free(reader);
    CHECK(close(fd) == -1 && errno == EBADF);
    REQUIRE(unlink(path) == 0);
    free_reads(&reads);
}

int
main(void)
{
    test_columns();
    test_stats();
    test_sources_in_sequence();
    test_bounds();
    test_filter();
    test_memory_limit();
    test_long_records();
    test_fault_after_good_rows();
    test_damaged_gzip();
    test_interruptions();
    test_nothing_to_read();
    test_long_blank_tail();
    test_settings();
    test_extreme_caps();
    test_sources_of_other_kinds();
    return check_result();
}
