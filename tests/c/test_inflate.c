#define _GNU_SOURCE
#include "members.h"

#include <sys/wait.h>
#include <unistd.h>
#ifdef GV_HAVE_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif

static const uint8_t sample[] = "@r1\nACGT\n+\nIIII\n@r2\nGG\n+\nII\n";
#define SAMPLE_SIZE (sizeof sample - 1)

struct outcome {
    struct bytes text;
    enum gv_status status; /* GV_END: all of it was read */
    struct gv_error error;
    enum gv_input_format format;
    uint64_t members;
    bool misses_end_block;
};

/* All the text of an input, read `step` compressed bytes and `room` bytes of text at a time. */
static struct outcome
read_all(const struct gv_inflate_engine *engine, const uint8_t *data, size_t size, size_t step,
         unsigned interrupted_every, size_t room)
{
    struct drip drip = {data, size, 0, step, 0, interrupted_every};
    struct gv_source source;
    struct gv_inflater inflater;
    struct outcome outcome = {.status = GV_OK};
    uint8_t *out = malloc(room);
    REQUIRE(out != NULL);
    gv_source_open_callback(&source, drip_read, &drip);
    gv_inflater_init(&inflater, &source, engine);
    CHECK_I(inflater.format, GV_INPUT_UNKNOWN);
    while (outcome.status == GV_OK) {
        size_t got = 0;
        enum gv_status status = gv_inflater_read(&inflater, out, room, &got, &outcome.error);
        if (status == GV_INTERRUPTED) {
            CHECK(interrupted_every > 0);
        } else if (status != GV_OK) {
            outcome.status = status;
            CHECK_NAMES(outcome.error.status, status);
            CHECK(outcome.error.line == 0 && outcome.error.record == 0);
        } else if (got == 0) {
            outcome.status = GV_END;
            CHECK_NAMES(gv_inflater_read(&inflater, out, room, &got, &outcome.error), GV_OK);
            CHECK_U(got, 0);
        } else {
            CHECK(got <= room);
            put(&outcome.text, out, got);
        }
    }
    CHECK_U(inflater.text_bytes, outcome.text.size);
    outcome.format = inflater.format;
    outcome.members = inflater.members;
    outcome.misses_end_block = gv_inflater_misses_end_block(&inflater);
    gv_inflater_deinit(&inflater);
    gv_inflater_deinit(&inflater);
    gv_source_close(&source);
    free(out);
    CHECK_I(stored_context.open_states, 0);
    return outcome;
}

/* The engines that can be tested here; the one of this test is always among them. */
static const struct gv_inflate_engine *
engine_at(size_t i)
{
    size_t n = 0;
    while (gv_inflate_engines()[n] != NULL) {
        n++;
    }
    return i < n ? gv_inflate_engines()[i] : (i == n ? &stored_engine : NULL);
}

/* However it is read, with every engine: the text, whole. */
static void
check_text(const char *what, const struct bytes *input, const uint8_t *text, size_t size,
           enum gv_input_format format, uint64_t members, bool misses_end_block)
{
    const size_t steps[] = {1, 2, 7, 100, input->size + 1};
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
        for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
            size_t step = steps[i / 2];
            check_case("%s, engine %s, step %zu, %s", what, engine->name, step,
                       i % 2 ? "interrupted" : "not interrupted");
            struct outcome outcome = read_all(engine, input->data, input->size, step, i % 2 ? 2 : 0,
                                              i % 3 == 0 ? 1 : 1 + i * 50);
            CHECK_NAMES(outcome.status, GV_END);
            CHECK_U(outcome.text.size, size);
            CHECK_BYTES(outcome.text.data, text, gv_min_size(size, outcome.text.size));
            CHECK_I(outcome.format, format);
            CHECK_U(outcome.members, members);
            CHECK(outcome.misses_end_block == misses_end_block);
            free(outcome.text.data);
        }
    }
}

static void
check_fault(const char *what, const struct bytes *input, enum gv_status status, enum gv_field field,
            uint64_t input_offset, uint64_t offset)
{
    const size_t steps[] = {1, 3, input->size + 1};
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            check_case("%s, engine %s, step %zu", what, engine->name, steps[i]);
            struct outcome outcome =
                read_all(engine, input->data, input->size, steps[i], (unsigned)i * 2, 20);
            CHECK_NAMES(outcome.status, status);
            CHECK_STRING(gv_field_name(outcome.error.field), gv_field_name(field));
            if (status == GV_BAD_GZIP && field != GV_FIELD_GZIP_DEFLATE) {
                CHECK_U(outcome.error.input_offset, input_offset);
            }
            if (field != GV_FIELD_GZIP_DEFLATE) {
                CHECK_U(outcome.error.offset, offset);
            }
            CHECK(outcome.error.offset == outcome.text.size);
            CHECK_BYTES(outcome.text.data, sample, gv_min_size(outcome.text.size, SAMPLE_SIZE));
            free(outcome.text.data);
        }
    }
}

static void
test_plain(void)
{
    static const char *const texts[] = {
        "", "@", "@r\n", "\x1f", "\x1f@", "BZ", "@r1\nACGT\n+\nIIII\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes input = {0};
        put(&input, texts[i], strlen(texts[i]));
        check_text("plain", &input, (const uint8_t *)texts[i], strlen(texts[i]), GV_INPUT_PLAIN, 0,
                   false);
        free(input.data);
    }
}

static void
test_foreign_formats(void)
{
    static const struct {
        const char *magic;
        size_t size;
        enum gv_foreign_format format;
    } cases[] = {
        {"BZh9xxxxxx", 10, GV_FOREIGN_BZIP2},   {"BZh", 3, GV_FOREIGN_BZIP2},
        {"\xfd\x37zXZ\0xxx", 9, GV_FOREIGN_XZ}, {"\x28\xb5\x2f\xfdxxx", 7, GV_FOREIGN_ZSTD},
        {"PK\3\4xx", 6, GV_FOREIGN_ZIP},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t step = 1; step < 12; step += 5) {
            check_case("foreign %zu, step %zu", i, step);
            struct outcome outcome = read_all(&stored_engine, (const uint8_t *)cases[i].magic,
                                              cases[i].size, step, 2, 50);
            CHECK_NAMES(outcome.status, GV_UNSUPPORTED_FORMAT);
            CHECK_I(outcome.error.detail, cases[i].format);
            CHECK_U(outcome.text.size, 0);
        }
    }
}

static void
test_members(void)
{
    static const unsigned parts[] = {0,
                                     MEMBER_HCRC,
                                     MEMBER_EXTRA,
                                     MEMBER_NAME,
                                     MEMBER_COMMENT,
                                     MEMBER_HCRC | MEMBER_EXTRA | MEMBER_NAME | MEMBER_COMMENT,
                                     1};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct bytes input = {0};
        put_member(&input, sample, SAMPLE_SIZE, 7, parts[i]);
        check_text("one member", &input, sample, SAMPLE_SIZE, GV_INPUT_GZIP, 1, false);
        free(input.data);
    }

    struct bytes several = {0};
    put_member(&several, sample, 0, 7, 0);
    put_member(&several, sample, 10, 3, MEMBER_NAME);
    put_member(&several, sample, 0, 7, MEMBER_HCRC);
    put_member(&several, sample + 10, SAMPLE_SIZE - 10, 1000, 0);
    put_member(&several, sample, 0, 7, 0);
    check_text("several members", &several, sample, SAMPLE_SIZE, GV_INPUT_GZIP, 5, false);
    for (int i = 0; i < 3; i++) {
        put(&several, "\0\0\0\0", 1 + (size_t)i);
        check_text("zeros at the end", &several, sample, SAMPLE_SIZE, GV_INPUT_GZIP, 5, false);
    }
    free(several.data);

    struct bytes empty = {0};
    put_member(&empty, sample, 0, 7, 0);
    check_text("an empty member", &empty, sample, 0, GV_INPUT_GZIP, 1, false);
    free(empty.data);
}

static void
test_bgzf(void)
{
    struct bytes input = {0};
    put_member(&input, sample, 10, 5, MEMBER_BGZF);
    put_member(&input, sample + 10, SAMPLE_SIZE - 10, 1000,
               MEMBER_BGZF | MEMBER_HCRC | MEMBER_NAME);
    check_text("no end block", &input, sample, SAMPLE_SIZE, GV_INPUT_BGZF, 2, true);
    put(&input, bgzf_end_block, sizeof bgzf_end_block);
    check_text("end block", &input, sample, SAMPLE_SIZE, GV_INPUT_BGZF, 3, false);
    put(&input, "\0\0", 2);
    check_text("end block and zeros", &input, sample, SAMPLE_SIZE, GV_INPUT_BGZF, 3, false);
    input.size -= 2;

    /* What stands after an end block belongs to the input as well. */
    size_t first = input.size;
    put(&input, input.data, 0);
    put_member(&input, sample, SAMPLE_SIZE, 1000, MEMBER_BGZF);
    uint8_t twice[2 * SAMPLE_SIZE];
    memcpy(twice, sample, SAMPLE_SIZE);
    memcpy(twice + SAMPLE_SIZE, sample, SAMPLE_SIZE);
    check_text("after the end block", &input, twice, sizeof twice, GV_INPUT_BGZF, 4, true);
    put(&input, bgzf_end_block, sizeof bgzf_end_block);
    check_text("two end blocks", &input, twice, sizeof twice, GV_INPUT_BGZF, 5, false);
    input.size = first;

    /* What the first member is, the input is. */
    struct bytes mixed = {0};
    put_member(&mixed, sample, 10, 5, 0);
    put_member(&mixed, sample + 10, SAMPLE_SIZE - 10, 1000, MEMBER_BGZF);
    check_text("gzip, then BGZF", &mixed, sample, SAMPLE_SIZE, GV_INPUT_GZIP, 2, false);
    mixed.size = 0;
    put_member(&mixed, sample, SAMPLE_SIZE, 1000, MEMBER_BGZF);
    put_member(&mixed, sample, 0, 1000, 0);
    check_text("BGZF, then gzip", &mixed, sample, SAMPLE_SIZE, GV_INPUT_BGZF, 2, true);
    free(mixed.data);

    struct bytes lone = {0};
    put(&lone, bgzf_end_block, sizeof bgzf_end_block);
    check_text("an end block alone", &lone, sample, 0, GV_INPUT_BGZF, 1, false);
    free(lone.data);

    /* BSIZE one too small and one too large, in the second block. */
    for (int by = -1; by <= 1; by += 2) {
        struct bytes wrong = {0};
        put_member(&wrong, sample, 10, 5, MEMBER_BGZF);
        size_t second = wrong.size;
        put_member(&wrong, sample + 10, 6, 1000, MEMBER_BGZF);
        size_t end = wrong.size;
        put(&wrong, bgzf_end_block, sizeof bgzf_end_block);
        wrong.data[second + 23] = (uint8_t)(wrong.data[second + 23] + by);
        check_fault("block size", &wrong, GV_BAD_GZIP, GV_FIELD_BGZF_SIZE, end, 16);
        free(wrong.data);
    }
    free(input.data);
}

static void
test_faults(void)
{
    struct bytes good = {0};
    put_member(&good, sample, 10, 1000, MEMBER_HCRC | MEMBER_NAME);
    size_t second = good.size;
    put_member(&good, sample + 10, SAMPLE_SIZE - 10, 1000, MEMBER_HCRC | MEMBER_NAME);
    /* magic, method, flags, time, extra flags, system; name, CRC16: 10 + 5 + 2 bytes */
    size_t deflate = second + 17, trailer = good.size - 8;
    const struct {
        const char *what;
        size_t at;
        uint8_t bits;
        enum gv_field field;
        uint64_t input_offset, offset;
    } flips[] = {
        {"method", second + 2, 0x0f, GV_FIELD_GZIP_HEADER, second, 10},
        {"reserved flag", second + 3, 0x20, GV_FIELD_GZIP_HEADER, second, 10},
        {"reserved flag", second + 3, 0x80, GV_FIELD_GZIP_HEADER, second, 10},
        {"time, by its checksum", second + 5, 0x01, GV_FIELD_GZIP_HEADER, second, 10},
        {"name, by its checksum", second + 11, 0x01, GV_FIELD_GZIP_HEADER, second, 10},
        {"header checksum", second + 16, 0x80, GV_FIELD_GZIP_HEADER, second, 10},
        {"block type", deflate, 0x06, GV_FIELD_GZIP_DEFLATE, 0, 0},
        {"block length", deflate + 1, 0x01, GV_FIELD_GZIP_DEFLATE, 0, 0},
        {"data, by their checksum", deflate + 7, 0x00, GV_FIELD_GZIP_CRC, trailer, SAMPLE_SIZE},
        {"checksum", trailer + 3, 0x40, GV_FIELD_GZIP_CRC, trailer, SAMPLE_SIZE},
        {"length", trailer + 4, 0x01, GV_FIELD_GZIP_LENGTH, trailer, SAMPLE_SIZE},
        {"length", trailer + 7, 0x80, GV_FIELD_GZIP_LENGTH, trailer, SAMPLE_SIZE},
        {"magic of a later member", second + 1, 0x01, GV_FIELD_GZIP_TAIL, second, 10},
        {"magic of a later member", second, 0x01, GV_FIELD_GZIP_TAIL, second, 10},
    };
    for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
        struct bytes bad = {0};
        put(&bad, good.data, good.size);
        if (flips[i].bits == 0) {
            /* Damage that the text shows as well is put into the checksum instead. */
            bad.data[trailer] ^= 1;
        } else {
            bad.data[flips[i].at] ^= flips[i].bits;
        }
        check_fault(flips[i].what, &bad, GV_BAD_GZIP, flips[i].field, flips[i].input_offset,
                    flips[i].offset);
        free(bad.data);
    }
    /* Reserved flags are refused for themselves, where no checksum covers them. */
    for (unsigned flag = 0x20; flag <= 0x80; flag *= 2) {
        struct bytes bad = {0};
        put_member(&bad, sample, SAMPLE_SIZE, 1000, 0);
        bad.data[3] = (uint8_t)flag;
        check_fault("reserved flag alone", &bad, GV_BAD_GZIP, GV_FIELD_GZIP_HEADER, 0, 0);
        free(bad.data);
    }
    static const struct {
        const char *tail;
        size_t size, at;
        enum gv_status status;
        enum gv_field field;
    } tails[] = {
        {"x", 1, 0, GV_BAD_GZIP, GV_FIELD_GZIP_TAIL},
        {"\x1fx", 2, 0, GV_BAD_GZIP, GV_FIELD_GZIP_TAIL},
        {"\0\0x", 3, 2, GV_BAD_GZIP, GV_FIELD_GZIP_TAIL},
        {"\0\x1f\x8b\x08", 4, 1, GV_BAD_GZIP, GV_FIELD_GZIP_TAIL},
        {"\x1f", 1, 0, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_HEADER},
        {"\x1f\x8b", 2, 0, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_HEADER},
    };
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct bytes bad = {0};
        put(&bad, good.data, good.size);
        put(&bad, tails[i].tail, tails[i].size);
        check_fault("tail", &bad, tails[i].status, tails[i].field, good.size + tails[i].at,
                    SAMPLE_SIZE);
        free(bad.data);
    }
    free(good.data);
}

/* A gzip file that ends anywhere but between members is cut, and its text up to there sound. */
static void
test_cut_everywhere(void)
{
    for (unsigned bgzf = 0; bgzf < 2; bgzf++) {
        unsigned parts = bgzf ? MEMBER_BGZF : MEMBER_HCRC | MEMBER_COMMENT;
        struct bytes input = {0};
        size_t ends[3];
        put_member(&input, sample, 10, 4, parts);
        ends[0] = input.size;
        put_member(&input, sample + 10, SAMPLE_SIZE - 10, 1000, parts);
        ends[1] = input.size;
        put_member(&input, sample, 0, 1, parts);
        ends[2] = input.size;
        const struct gv_inflate_engine *engine;
        for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
            for (size_t cut = 2; cut <= input.size; cut++) {
                check_case("bgzf %u, engine %s, cut at %zu of %zu", bgzf, engine->name, cut,
                           input.size);
                struct outcome outcome =
                    read_all(engine, input.data, cut, 1 + cut % 5 * cut % 7, cut % 3 ? 0 : 2, 50);
                bool whole = cut == ends[0] || cut == ends[1] || cut == ends[2];
                CHECK_NAMES(outcome.status, whole ? GV_END : GV_TRUNCATED_GZIP);
                CHECK(outcome.text.size <= SAMPLE_SIZE);
                CHECK_BYTES(outcome.text.data, sample, outcome.text.size);
                CHECK_U(outcome.members, (cut >= ends[0]) + (cut >= ends[1]) + (cut >= ends[2]));
                if (whole) {
                    CHECK(outcome.misses_end_block == (bgzf && cut != ends[2]));
                    CHECK_U(outcome.text.size, cut == ends[0] ? 10 : SAMPLE_SIZE);
                }
                free(outcome.text.data);
            }
        }
        free(input.data);
    }
}

/* No bit can turn without notice, but for the five after a stored block's type that deflate leaves
 * unused (RFC 1951, 3.2.4), which change nothing. */
static void
test_every_bit(void)
{
    struct bytes input = {0};
    put_member(&input, sample, SAMPLE_SIZE, 11, MEMBER_HCRC | MEMBER_EXTRA);
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
        size_t noticed = 8 * input.size - 16;
        for (size_t bit = 16; bit < 8 * input.size; bit++) {
            check_case("engine %s, byte %zu, bit %zu", engine->name, bit / 8, bit % 8);
            input.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct outcome outcome = read_all(engine, input.data, input.size, 1000, 0, 64);
            if (outcome.status == GV_END) {
                CHECK(bit % 8 >= 3);
                CHECK_U(outcome.text.size, SAMPLE_SIZE);
                CHECK_BYTES(outcome.text.data, sample, SAMPLE_SIZE);
                noticed--;
            } else {
                CHECK(outcome.status == GV_BAD_GZIP || outcome.status == GV_TRUNCATED_GZIP);
            }
            input.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            free(outcome.text.data);
        }
        CHECK(noticed + 5 * 4 >= 8 * input.size - 16); /* at most the spare bits of four blocks */
    }
    free(input.data);
}

/* A header may be as long as the buffer and no longer. */
static void
test_long_headers(void)
{
    for (int too_long = 0; too_long < 2; too_long++) {
        struct bytes input = {0};
        /* 10 bytes before the name, and its zero at the end. */
        size_t name = GV_INPUT_BUFFER - 11 + (size_t)too_long;
        char *letters = malloc(name);
        REQUIRE(letters != NULL);
        memset(letters, 'n', name);
        put(&input, (const uint8_t[]){0x1f, 0x8b, 8, MEMBER_NAME, 0, 0, 0, 0, 0, 3}, 10);
        put(&input, letters, name);
        put(&input, "", 1);
        put_stored(&input, sample, SAMPLE_SIZE, 1000);
        put_u32(&input, crc_of(0, sample, SAMPLE_SIZE));
        put_u32(&input, SAMPLE_SIZE);
        check_case("a header of %zu bytes", name + 11);
        struct outcome outcome = read_all(&stored_engine, input.data, input.size, 60000, 0, 1000);
        CHECK_NAMES(outcome.status, too_long ? GV_BAD_GZIP : GV_END);
        if (too_long) {
            CHECK_STRING(gv_field_name(outcome.error.field), "gzip header");
        } else {
            CHECK_U(outcome.text.size, SAMPLE_SIZE);
        }
        free(outcome.text.data);
        free(letters);
        free(input.data);
    }
}

static void
test_engine_failures(void)
{
    struct bytes input = {0};
    put_member(&input, sample, SAMPLE_SIZE, 7, 0);
    static const enum gv_status failures[] = {GV_NO_MEMORY, GV_CALLBACK_FAILED, GV_BAD_GZIP};
    for (size_t i = 0; i < 3; i++) {
        for (unsigned at = 1; at < 4; at++) {
            check_case("failure %zu at %u", i, at);
            stored_context = (struct stored_context){.fail_at = at, .fail_with = failures[i]};
            struct outcome outcome = read_all(&stored_engine, input.data, input.size, 9, 0, 5);
            CHECK_NAMES(outcome.status, failures[i]);
            free(outcome.text.data);
        }
        if (failures[i] == GV_BAD_GZIP) {
            continue;
        }
        stored_context = (struct stored_context){.fail_open = failures[i]};
        struct outcome outcome = read_all(&stored_engine, input.data, input.size, 9, 0, 5);
        CHECK_NAMES(outcome.status, failures[i]);
        CHECK_U(outcome.text.size, 0);
    }
    stored_context = (struct stored_context){0};
    free(input.data);
}

/* In a child process, so that the other tests are run whatever comes of it. */
static void
test_no_engine(void)
{
    check_case("%s", "no engine");
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        struct bytes input = {0};
        put_member(&input, sample, SAMPLE_SIZE, 7, 0);
        struct outcome outcome = read_all(NULL, input.data, input.size, 100, 0, 100);
        _exit(outcome.status == GV_UNSUPPORTED_FORMAT ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
    struct outcome outcome = read_all(NULL, sample, SAMPLE_SIZE, 100, 0, 100);
    CHECK_NAMES(outcome.status, GV_END);
    CHECK_U(outcome.text.size, SAMPLE_SIZE);
    free(outcome.text.data);
}

static enum gv_status
failing_read(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct drip *drip = context;
    enum gv_status status = drip_read(context, out, size, got);
    return status == GV_OK && *got == 0 && drip->size > 0 ? GV_CALLBACK_FAILED : status;
}

/* The source's own failure passes through, after the text that came before it. */
static void
test_source_failures(void)
{
    struct bytes input = {0};
    put_member(&input, sample, SAMPLE_SIZE, 7, 0);
    for (size_t size = 1; size < input.size; size += 5) {
        struct drip drip = {input.data, size, 0, 3, 0, 2};
        struct gv_source source;
        struct gv_inflater inflater;
        struct gv_error error = {0};
        uint8_t out[64];
        size_t got = 0;
        enum gv_status status;
        check_case("source fails after %zu", size);
        gv_source_open_callback(&source, failing_read, &drip);
        gv_inflater_init(&inflater, &source, &stored_engine);
        do {
            status = gv_inflater_read(&inflater, out, sizeof out, &got, &error);
        } while (status == GV_OK || status == GV_INTERRUPTED);
        CHECK_NAMES(status, GV_CALLBACK_FAILED);
        CHECK_NAMES(error.status, GV_CALLBACK_FAILED);
        CHECK_U(error.input_offset, size);
        gv_inflater_deinit(&inflater);
        gv_source_close(&source);
    }
    free(input.data);
}

/* The verdict on one block, with the state of an engine of its own. */
static enum gv_status
inflate_block(const struct gv_inflate_engine *engine, const uint8_t *block, size_t size,
              uint8_t *out)
{
    void *state = NULL;
    REQUIRE(engine->open(engine, &state) == GV_OK);
    enum gv_status status = gv_bgzf_inflate(engine, state, block, size, out);
    if (status == GV_OK) {
        /* A state serves any number of blocks. */
        CHECK_NAMES(gv_bgzf_inflate(engine, state, block, size, out), GV_OK);
    }
    engine->close(state);
    return status;
}

static void
test_block_sizes(void)
{
    struct bytes block = {0};
    put_member(&block, sample, SAMPLE_SIZE, 7, MEMBER_BGZF | MEMBER_NAME | MEMBER_HCRC);
    size_t header = 10 + 2 + 13 + 5 + 2;
    for (size_t held = 0; held <= block.size; held++) {
        check_case("%zu bytes of a block", held);
        CHECK_U(gv_bgzf_block_size(block.data, held), held < header ? 0 : block.size);
    }
    CHECK_U(gv_bgzf_text_size(block.data, block.size), SAMPLE_SIZE);
    for (size_t at = 0; at < 4; at++) {
        block.data[at] ^= 0xe0;
        CHECK_U(gv_bgzf_block_size(block.data, block.size), 0);
        block.data[at] ^= 0xe0;
    }
    /* What it announces must hold more than its header and trailer. */
    for (unsigned size = 1; size < 60; size++) {
        check_case("a block of %u bytes", size);
        block.data[23] = (uint8_t)(size - 1);
        CHECK_U(gv_bgzf_block_size(block.data, block.size), size > header + 8 ? size : 0);
    }
    free(block.data);

    struct bytes plain = {0};
    put_member(&plain, sample, SAMPLE_SIZE, 7, MEMBER_EXTRA);
    CHECK_U(gv_bgzf_block_size(plain.data, plain.size), 0);
    CHECK_U(gv_bgzf_block_size(bgzf_end_block, sizeof bgzf_end_block), sizeof bgzf_end_block);
    CHECK_U(gv_bgzf_text_size(bgzf_end_block, sizeof bgzf_end_block), 0);
    free(plain.data);
}

/* A block is taken whole or refused: no bit of it can turn without notice, no byte be missing. */
static void
test_single_blocks(void)
{
    struct bytes block = {0};
    put_member(&block, sample, SAMPLE_SIZE, 7, MEMBER_BGZF | MEMBER_HCRC);
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
        uint8_t *out = malloc(GV_BGZF_MOST);
        REQUIRE(out != NULL);
        check_case("a block, engine %s", engine->name);
        CHECK_NAMES(inflate_block(engine, block.data, block.size, out), GV_OK);
        CHECK_BYTES(out, sample, SAMPLE_SIZE);
        CHECK_NAMES(inflate_block(engine, bgzf_end_block, sizeof bgzf_end_block, out), GV_OK);
        for (size_t bit = 0; bit < 8 * block.size; bit++) {
            check_case("a block, engine %s, byte %zu, bit %zu", engine->name, bit / 8, bit % 8);
            block.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            enum gv_status status = inflate_block(engine, block.data, block.size, out);
            if (status == GV_OK) {
                CHECK(bit % 8 >= 3);
                CHECK_BYTES(out, sample, SAMPLE_SIZE);
            } else {
                CHECK_NAMES(status, GV_BAD_GZIP);
            }
            block.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t size = 12; size < block.size; size++) {
            check_case("%zu bytes of a block, engine %s", size, engine->name);
            CHECK_NAMES(inflate_block(engine, block.data, size, out), GV_BAD_GZIP);
        }
        free(out);
    }
    free(block.data);
}

/* A stream that is shorter or longer than its trailer or the block's size say, the checksum being
 * that of what the trailer says. */
static void
test_blocks_of_wrong_size(void)
{
    static const struct {
        size_t stored, said;
        const char *spare;
    } cases[] = {{10, 9, ""},
                 {10, 11, ""},
                 {0, 1, ""},
                 {1, 0, ""},
                 {10, 10, "x"},
                 {0, 0, "xyz"},
                 {10, 10, "twelve bytes"}};
    const struct gv_inflate_engine *engine;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes block = {0};
        put(&block, bgzf_end_block, 18);
        put_stored(&block, sample, cases[i].stored, 4);
        put(&block, cases[i].spare, strlen(cases[i].spare));
        put_u32(&block, crc_of(0, sample, cases[i].said));
        put_u32(&block, (uint32_t)cases[i].said);
        block.data[16] = (uint8_t)(block.size - 1);
        for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
            uint8_t out[16];
            check_case("wrong size %zu, engine %s", i, engine->name);
            CHECK_NAMES(inflate_block(engine, block.data, block.size, out), GV_BAD_GZIP);
        }
        size_t trailer = block.size - 8 - strlen(cases[i].spare);
        check_fault("wrong size", &block, GV_BAD_GZIP, GV_FIELD_GZIP_CRC, trailer, cases[i].stored);
        free(block.data);
    }
}

/* Going on at any member gives what going through gives. */
static void
test_resume(void)
{
    struct bytes input = {0};
    size_t starts[5], texts[5] = {0, 10, 10, SAMPLE_SIZE, SAMPLE_SIZE};
    bool ends[5] = {false, false, true, false, true};
    starts[0] = input.size;
    put_member(&input, sample, 10, 5, MEMBER_BGZF);
    starts[1] = input.size;
    put(&input, bgzf_end_block, sizeof bgzf_end_block);
    starts[2] = input.size;
    put_member(&input, sample + 10, SAMPLE_SIZE - 10, 5, MEMBER_BGZF);
    starts[3] = input.size;
    put(&input, bgzf_end_block, sizeof bgzf_end_block);
    starts[4] = input.size;
    put(&input, "\0x", 2);
    for (size_t i = 0; i < 5; i++) {
        for (int used = 0; used < 2; used++) {
            struct gv_source source;
            struct gv_inflater inflater;
            struct gv_error error = {0};
            uint8_t out[64];
            size_t got = 0, size = 0;
            enum gv_status status = GV_OK;
            check_case("resumed at member %zu, %s", i, used ? "used" : "new");
            gv_source_open_memory(&source, input.data, input.size);
            gv_inflater_init(&inflater, &source, &stored_engine);
            if (used) {
                CHECK_NAMES(gv_inflater_read(&inflater, out, 3, &got, &error), GV_OK);
            }
            source.bytes_read = starts[i];
            CHECK_NAMES(gv_inflater_resume(&inflater, texts[i], i, ends[i]), GV_OK);
            CHECK_I(inflater.format, GV_INPUT_BGZF);
            CHECK(gv_inflater_misses_end_block(&inflater) == !ends[i]);
            while (status == GV_OK) {
                status = gv_inflater_read(&inflater, out + size, sizeof out - size, &got, &error);
                size += got;
                REQUIRE(status != GV_OK || got > 0);
            }
            CHECK_BYTES(out, sample + texts[i], size);
            CHECK_U(texts[i] + size, SAMPLE_SIZE);
            CHECK_U(inflater.members, 4);
            CHECK_NAMES(status, GV_BAD_GZIP);
            CHECK_STRING(gv_field_name(error.field), gv_field_name(GV_FIELD_GZIP_TAIL));
            CHECK_U(error.offset, SAMPLE_SIZE);
            CHECK_U(error.input_offset, input.size - 1);
            gv_inflater_deinit(&inflater);
            gv_source_close(&source);
        }
    }
    free(input.data);

    struct gv_source source;
    struct gv_inflater inflater;
    gv_source_open_memory(&source, sample, SAMPLE_SIZE);
    gv_inflater_init(&inflater, &source, &stored_engine);
    stored_context = (struct stored_context){.fail_open = GV_NO_MEMORY};
    CHECK_NAMES(gv_inflater_resume(&inflater, 1, 1, true), GV_NO_MEMORY);
    CHECK_I(inflater.format, GV_INPUT_UNKNOWN);
    CHECK_U(inflater.members, 0);
    stored_context = (struct stored_context){0};
    gv_inflater_deinit(&inflater);
    gv_source_close(&source);
}

/* A source that fails inside a block: the text before it is handed out first, as much of it as the
 * stream gives. */
static void
test_source_fails_in_block(void)
{
    struct bytes input = {0};
    put_member(&input, sample, SAMPLE_SIZE, 1000, MEMBER_BGZF);
    size_t text = 10 + 2 + 13 + 5; /* where the text stands in the input */
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = engine_at(e)) != NULL; e++) {
        for (size_t size = text; size < input.size; size++) {
            struct drip drip = {input.data, size, 0, 3, 0, 2};
            struct gv_source source;
            struct gv_inflater inflater;
            struct gv_error error = {0};
            uint8_t out[64];
            size_t got = 0, made = 0;
            enum gv_status status;
            check_case("engine %s, source fails after %zu", engine->name, size);
            gv_source_open_callback(&source, failing_read, &drip);
            gv_inflater_init(&inflater, &source, engine);
            do {
                status = gv_inflater_read(&inflater, out + made, sizeof out - made, &got, &error);
                made += got;
            } while (status == GV_OK || status == GV_INTERRUPTED);
            CHECK_NAMES(status, GV_CALLBACK_FAILED);
            CHECK_NAMES(error.status, GV_CALLBACK_FAILED);
            CHECK_U(error.input_offset, size);
            CHECK_U(made, gv_min_size(size - text, SAMPLE_SIZE));
            CHECK_BYTES(out, sample, made);
            gv_inflater_deinit(&inflater);
            gv_source_close(&source);
        }
    }
    free(input.data);
}

#ifdef GV_HAVE_ZLIB
/* Deflates as a gzip member, or raw. */
static void
put_deflated(struct bytes *to, const uint8_t *text, size_t size, int level, bool is_raw)
{
    z_stream stream = {0};
    REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, is_raw ? -15 : 15 + 16, 8,
                         Z_DEFAULT_STRATEGY) == Z_OK);
    size_t most = deflateBound(&stream, size);
    uint8_t *out = malloc(most);
    REQUIRE(out != NULL);
    stream.next_in = text;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = (uInt)most;
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    put(to, out, most - stream.avail_out);
    (void)deflateEnd(&stream);
    free(out);
}

static void
put_deflated_block(struct bytes *to, const uint8_t *text, size_t size, int level)
{
    size_t start = to->size;
    put(to, bgzf_end_block, 18); /* its header */
    put_deflated(to, text, size, level, true);
    put_u32(to, crc_of(0, text, size));
    put_u32(to, (uint32_t)size);
    size_t whole = to->size - start;
    REQUIRE(whole <= GV_BGZF_MOST);
    to->data[start + 16] = (uint8_t)(whole - 1);
    to->data[start + 17] = (uint8_t)((whole - 1) >> 8);
}

/* Letters with repeats, so that literals and matches of all lengths and distances come up. */
static struct bytes
make_text(size_t size, unsigned letters)
{
    struct bytes text = {0};
    uint64_t seed = 11;
    while (text.size < size) {
        size_t run = 1 + check_below(&seed, 200);
        if (text.size > 40000 && check_below(&seed, 3) == 0) {
            struct bytes again = {0};
            put(&again, text.data + text.size - 1 - check_below(&seed, 32768), run);
            put(&text, again.data, run);
            free(again.data);
        }
        for (; run > 0; run--) {
            uint8_t letter = (uint8_t)(33 + check_below(&seed, letters));
            put(&text, &letter, 1);
        }
    }
    text.size = size;
    return text;
}

static void
check_deflated(const struct bytes *input, const struct bytes *text, uint64_t members, size_t step,
               unsigned every, size_t room)
{
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = gv_inflate_engines()[e]) != NULL; e++) {
        check_case("deflated, engine %s, step %zu, interrupted every %u, room %zu", engine->name,
                   step, every, room);
        struct outcome outcome = read_all(engine, input->data, input->size, step, every, room);
        CHECK_NAMES(outcome.status, GV_END);
        CHECK_U(outcome.members, members);
        CHECK_U(outcome.text.size, text->size);
        CHECK_BYTES(outcome.text.data, text->data, gv_min_size(text->size, outcome.text.size));
        free(outcome.text.data);
    }
}

/* Text that zlib really compresses, longer than every buffer on the way. */
static void
test_deflated(void)
{
    CHECK_STRING(gv_inflate_zlib_version(), zlibVersion());
    struct bytes text = make_text((size_t)3 << 20, 4), input = {0}, blocks = {0};
    put_deflated(&input, text.data, 1000000, 6, false);
    put_deflated(&input, text.data + 1000000, 0, 6, false);
    put_deflated(&input, text.data + 1000000, 500000, 0, false);
    put_deflated(&input, text.data + 1500000, text.size - 1500000, 9, false);
    uint64_t members = 0;
    for (size_t at = 0; at < text.size; members++) {
        size_t part = gv_min_size(text.size - at, members % 5 == 4 ? 65536 : 65280);
        put_deflated_block(&blocks, text.data + at, part, (int)(members % 10));
        at += part;
    }
    const size_t rooms[] = {999, 65535, 65536, (size_t)4 << 20};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        for (unsigned every = 0; every < 4; every += 3) {
            check_deflated(&input, &text, 4, 5000 + i * 1000000, every, rooms[i]);
            check_deflated(&blocks, &text, members, 5000 + i * 1000000, every, rooms[i]);
        }
    }
    struct outcome cut =
        read_all(gv_inflate_engines()[0], input.data, input.size - 100000, 50000, 0, 65536);
    CHECK_NAMES(cut.status, GV_TRUNCATED_GZIP);
    CHECK_STRING(gv_field_name(cut.error.field), "compressed data");
    CHECK_BYTES(cut.text.data, text.data, cut.text.size);
    free(cut.text.data);
    free(blocks.data);
    free(input.data);
    free(text.data);
}

/* Few bytes at a time, of both: decoders hold bits and text back, and stop anywhere. */
static void
test_deflated_in_drops(void)
{
    for (unsigned letters = 1; letters < 90; letters += 44) {
        struct bytes text = make_text(100000, letters), input = {0};
        for (int level = 1; level < 10; level += 4) {
            input.size = 0;
            put_deflated(&input, text.data, 40000, level, false);
            put_deflated_block(&input, text.data + 40000, 30000, level);
            put_deflated(&input, text.data + 70000, 30000, level, false);
            const size_t steps[] = {1, 2, 3, 7, 8, 9, 400, 1000000};
            for (size_t i = 0; i < 8; i++) {
                check_deflated(&input, &text, 3, steps[i], 0, 1 + i * i * 517);
                check_deflated(&input, &text, 3, steps[i], 0, 100000 - i);
            }
            check_deflated(&input, &text, 3, 1000000, 0, 1);
        }
        free(input.data);
        free(text.data);
    }
}

/* More text than a block may have is read all the same, as a member's. */
static void
test_oversized_block(void)
{
    struct bytes text = make_text(GV_BGZF_MOST + 1, 1), block = {0};
    put_deflated_block(&block, text.data, text.size, 6);
    check_deflated(&block, &text, 1, 1000, 0, 100000);
    const struct gv_inflate_engine *engine;
    for (size_t e = 0; (engine = gv_inflate_engines()[e]) != NULL; e++) {
        check_case("an oversized block, engine %s", engine->name);
        CHECK_NAMES(inflate_block(engine, block.data, block.size, text.data), GV_BAD_GZIP);
    }
    free(block.data);
    free(text.data);
}

/* Cut anywhere, every engine gives the text before the cut and says that the input is cut. */
static void
test_deflated_cut(void)
{
    for (int is_block = 0; is_block < 2; is_block++) {
        struct bytes text = make_text(3000, 40), input = {0};
        if (is_block) {
            put_deflated_block(&input, text.data, text.size, 6);
        } else {
            put_deflated(&input, text.data, text.size, 6, false);
        }
        size_t whole = text.size;
        const struct gv_inflate_engine *engine;
        for (size_t cut = 2; cut < input.size; cut++) {
            size_t made = 0;
            for (size_t e = 0; (engine = gv_inflate_engines()[e]) != NULL; e++) {
                check_case("%s cut at %zu, engine %s", is_block ? "block" : "member", cut,
                           engine->name);
                struct outcome outcome =
                    read_all(engine, input.data, cut, 1 + cut % 50, 0, 1 + cut % 977);
                CHECK_NAMES(outcome.status, GV_TRUNCATED_GZIP);
                CHECK(outcome.text.size <= whole);
                CHECK_BYTES(outcome.text.data, text.data, outcome.text.size);
                /* ISA-L looks up to three letters at once, and none where the third is cut. */
                CHECK(e == 0 || outcome.text.size + 2 >= made);
                CHECK(e == 0 || made + 2 >= outcome.text.size);
                made = outcome.text.size;
                free(outcome.text.data);
            }
        }
        free(input.data);
        free(text.data);
    }
}

static void
test_deflate(void)
{
    test_deflated();
    test_deflated_in_drops();
    test_oversized_block();
    test_deflated_cut();
}
#else
static void
test_deflate(void)
{
    CHECK(gv_inflate_zlib_version() == NULL);
}
#endif

int
main(void)
{
    test_plain();
    test_foreign_formats();
    test_members();
    test_bgzf();
    test_faults();
    test_cut_everywhere();
    test_every_bit();
    test_long_headers();
    test_engine_failures();
    test_source_failures();
    test_no_engine();
    test_block_sizes();
    test_single_blocks();
    test_blocks_of_wrong_size();
    test_resume();
    test_source_fails_in_block();
    test_deflate();
    return check_result();
}
