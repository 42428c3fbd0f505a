#define _XOPEN_SOURCE 700 /* mkstemp, truncate */
#include "check.h"
#include "gv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Large enough for several slices, and to be shared at all. */
#define TEXT_SIZE ((size_t)6 << 20)

static uint8_t *text;
static size_t text_size;

/* Records of many lengths; some of their lines begin with '@' and '+'. */
static void
make_text(void)
{
    uint64_t random = 1;
    text = malloc(TEXT_SIZE + 4096);
    REQUIRE(text != NULL);
    for (unsigned i = 0; text_size < TEXT_SIZE; i++) {
        uint64_t draw = check_random(&random);
        int length = (int)(draw % 300) + 1;
        char *at = (char *)text + text_size;
        at += sprintf(at, "@%sread:%u\n", draw % 7 == 0 ? "@" : "", i);
        memset(at, "ACGT"[draw % 4], (size_t)length);
        at[0] = draw % 5 == 0 ? '@' : draw % 5 == 1 ? '+' : 'A';
        at += length;
        at += sprintf(at, "\n+\n");
        memset(at, draw % 3 == 0 ? '@' : '+', (size_t)length);
        at[length] = '\n';
        text_size = (size_t)(at + length + 1 - (char *)text);
    }
}

static void
write_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    REQUIRE(fd >= 0 && write(fd, text, text_size) == (ssize_t)text_size);
    close(fd);
}

static struct gv_sealed
read_all(struct gv_source source, unsigned threads, const struct gv_scan_ops *ops,
         gv_column_set columns, struct gv_reader_stats *stats)
{
    struct gv_reader_options options = {
        .threads = threads,
        .build =
            {
                .ops = ops,
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = columns,
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = GV_RECORD_CAP_MOST,
                .memory_limit = GV_NO_LIMIT,
            },
    };
    struct gv_reader *reader;
    struct gv_error error;
    struct gv_sealed sealed;
    enum gv_status status;
    REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
    gv_reader_open(reader, source);
    do {
        status = gv_reader_advance(reader, SIZE_MAX, (size_t)1 << 20, &error);
    } while (status == GV_OK || status == GV_INTERRUPTED);
    CHECK_NAMES(status, GV_END);
    gv_reader_close(reader);
    REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
    *stats = gv_reader_stats(reader);
    gv_reader_free(reader);
    return sealed;
}

static void
check_same(const struct gv_sealed *a, const struct gv_sealed *b)
{
    CHECK_U(a->rows, b->rows);
    for (unsigned i = 0; i < GV_COLUMN_COUNT; i++) {
        enum gv_column column = (enum gv_column)i;
        const struct gv_column_spec *spec = gv_column_spec(column);
        check_case("column %s", spec->name);
        if (column < GV_COLUMN_FIRST_TEXT) {
            CHECK_BYTES(a->data[i], b->data[i], a->rows * spec->row_bytes);
            continue;
        }
        unsigned t = i - GV_COLUMN_FIRST_TEXT;
        CHECK_U(a->text_size[t], b->text_size[t]);
        CHECK_BYTES(a->data[i], b->data[i], (a->rows + 1) * sizeof(int64_t));
        CHECK_BYTES(a->text[t], b->text[t], a->text_size[t]);
    }
}

static void
test_any_number_of_threads(const char *path)
{
    const struct gv_scan_ops *best = gv_scan_find(NULL);
    const gv_column_set all = ((gv_column_set)1 << GV_COLUMN_COUNT) - 1;
    struct gv_reader_stats one_stats, stats;
    struct gv_source source;
    struct gv_error error;
    gv_source_open_memory(&source, text, text_size);
    struct gv_sealed one = read_all(source, 1, best, all, &one_stats);
    CHECK_U(one_stats.text_bytes, text_size);
    for (unsigned threads = 1; threads <= 5; threads++) {
        for (int is_file = 0; is_file < 2; is_file++) {
            if (is_file) {
                REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
            } else {
                gv_source_open_memory(&source, text, text_size);
            }
            struct gv_sealed many = read_all(source, threads, best, all, &stats);
            check_same(&one, &many);
            CHECK_BYTES(&one_stats, &stats, offsetof(struct gv_reader_stats, wrapped));
            gv_lease_release(many.lease);
        }
    }
    gv_lease_release(one.lease);
}

static atomic_size_t scanned;

static size_t
counting_records(const uint8_t *bytes, size_t from, size_t size, uint8_t zero, size_t most_bytes,
                 struct gv_scanned *rows, size_t first, size_t most, size_t *end)
{
    size_t n = gv_scan_find("scalar")->records(bytes, from, size, zero, most_bytes, rows, first,
                                               most, end);
    atomic_fetch_add(&scanned, *end - from);
    return n;
}

/* Before the fix, more than half of all slices were parsed a second time by the reader, which
 * waited for more text than there is between two bodies. */
static void
test_bodies_are_not_parsed_twice(void)
{
    static struct gv_scan_ops ops;
    struct gv_reader_stats stats;
    struct gv_source source;
    ops = *gv_scan_find("scalar");
    ops.records = counting_records;
    for (unsigned threads = 1; threads <= 4; threads += 3) {
        atomic_store(&scanned, 0);
        gv_source_open_memory(&source, text, text_size);
        struct gv_sealed sealed = read_all(source, threads, &ops, 0x7f, &stats);
        gv_lease_release(sealed.lease);
        check_case("%u threads", threads);
        CHECK(scanned > text_size / 2);
        CHECK(scanned <= text_size);
    }
}

static struct gv_builder_options
length_alone(void)
{
    return (struct gv_builder_options){
        .ops = gv_scan_find(NULL),
        .placing = gv_placing_of(gv_layout_find("composition")),
        .columns = GV_COLUMN_BIT(GV_COLUMN_LENGTH),
        .zero = GV_PHRED33_ZERO,
        .max_record_bytes = GV_RECORD_CAP_MOST,
        .memory_limit = GV_NO_LIMIT,
    };
}

/* The slices of a source cover it without a gap, in order, and end with one that says so. */
static void
test_slices_cover_the_source(void)
{
    struct gv_builder_options options = length_alone();
    struct gv_source source;
    gv_source_open_memory(&source, text, text_size);
    struct gv_slices_input input = {&source, NULL, GV_INPUT_PLAIN, 1000, 0};
    struct gv_slices *slices = gv_slices_new(&options, NULL, &input, 3);
    REQUIRE(slices != NULL);
    const struct gv_slice *slice = NULL;
    uint64_t at = 1000;
    bool is_last = false;
    while (!is_last) {
        enum gv_status status = gv_slices_next(slices, &slice);
        if (status == GV_INTERRUPTED) {
            continue;
        }
        REQUIRE(status == GV_OK);
        CHECK(!slice->is_odd);
        CHECK(slice->body_begin <= slice->body_end && slice->body_end <= slice->size);
        CHECK_BYTES(slice->text, text + at, slice->size);
        at += slice->size;
        CHECK_U(slice->input_end, at);
        is_last = slice->is_last;
        gv_slices_give_back(slices);
    }
    CHECK_U(at, text_size);
    gv_slices_free(slices);
}

static void
test_ending_early(void)
{
    struct gv_builder_options options = length_alone();
    for (int i = 0; i < 50; i++) {
        struct gv_source source;
        const struct gv_slice *slice;
        gv_source_open_memory(&source, text, text_size);
        struct gv_slices_input input = {&source, NULL, GV_INPUT_PLAIN, 0, 0};
        struct gv_slices *slices = gv_slices_new(&options, NULL, &input, 4);
        REQUIRE(slices != NULL);
        if (i % 2 == 0) {
            CHECK(gv_slices_next(slices, &slice) != GV_END);
        }
        gv_slices_free(slices);
    }
}

static struct gv_source
open_file(const char *path)
{
    struct gv_source source;
    struct gv_error error;
    REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
    return source;
}

/* Text is looked at in place, all but its beginning and its end, unless somebody may write to it.
 */
static void
test_in_place(const char *path)
{
    const struct gv_scan_ops *best = gv_scan_find(NULL);
    struct gv_reader_stats stats;
    for (unsigned threads = 1; threads <= 3; threads++) {
        check_case("%u threads", threads);
        struct gv_sealed sealed = read_all(open_file(path), threads, best, 0x7f, &stats);
        gv_lease_release(sealed.lease);
        CHECK(stats.in_place > text_size - 2 * GV_SLICE_TEXT && stats.in_place <= text_size);

        int fd = open(path, O_RDWR);
        sealed = read_all(open_file(path), threads, best, 0x7f, &stats);
        gv_lease_release(sealed.lease);
        close(fd);
        CHECK_U(stats.in_place, 0);
    }
}

/* A file that is cut while a reader pauses ends there: as whole records, or inside one, and then it
 * is an error. */
static void
test_a_file_that_is_cut(const char *path)
{
    for (unsigned threads = 1; threads <= 3; threads++) {
        check_case("%u threads", threads);
        struct gv_reader_options options = {.threads = threads, .build = length_alone()};
        struct gv_reader *reader;
        struct gv_error error;
        REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
        gv_reader_open(reader, open_file(path));
        enum gv_status status;
        do {
            status = gv_reader_advance(reader, 5000, SIZE_MAX, &error);
        } while (status == GV_INTERRUPTED);
        REQUIRE(status == GV_OK);
        REQUIRE(truncate(path, (off_t)(text_size - GV_SLICE_TEXT - 3)) == 0);
        do {
            status = gv_reader_advance(reader, SIZE_MAX, (size_t)1 << 20, &error);
        } while (status == GV_OK || status == GV_INTERRUPTED);
        CHECK_NAMES(status, GV_TRUNCATED);
        CHECK_U(error.offset, text_size - GV_SLICE_TEXT - 3);
        gv_reader_free(reader);
        write_file(path);
    }
}

/* Before the fix, a child counted the threads that its parent had at work as its own. */
static void
test_a_crew_after_a_fork(void)
{
    struct gv_crew crew = {0};
    CHECK_U(gv_crew_take(&crew, 3), 3);
    CHECK_U(gv_crew_take(&crew, 3), 0);
    pid_t child = fork();
    if (child == 0) {
        gv_crew_give_back(&crew, 3); /* of a reader that came along */
        _exit((int)gv_crew_take(&crew, 3));
    }
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    gv_crew_give_back(&crew, 2);
    CHECK_U(gv_crew_take(&crew, 3), 2);
}

int
main(void)
{
    char path[] = "/tmp/test_slices.XXXXXX";
    make_text();
    close(mkstemp(path));
    write_file(path);
    test_any_number_of_threads(path);
    test_bodies_are_not_parsed_twice();
    test_slices_cover_the_source();
    test_ending_early();
    test_a_crew_after_a_fork();
    test_in_place(path);
    test_a_file_that_is_cut(path);
    unlink(path);
    free(text);
    return check_result();
}
