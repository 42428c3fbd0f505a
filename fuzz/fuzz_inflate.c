/* fuzz_inflate.c: every engine gives the same text of the same input, however it is cut.
 *
 * An input is plain text, gzip or BGZF, as a source has it.  All engines must agree on whether it
 * is whole, and then on every byte of it, on its members and its end block; of two texts before a
 * fault, one begins with the other.  Which fault of the deflate data a decoder meets, and how soon,
 * is its own affair, and zlib alone refuses a few codes that the others overlook
 * (docs/adr/0007-inflate-engines.md); any other fault must be the same, and with one engine the end
 * must be, wherever the input is cut.
 *
 * Checksums would hide what lies behind them from any mutation.  So where a member's checksum or
 * length is all that is wrong, it is mended, and the mended input is read as well.
 */
#include "fuzz.h"

/* Text beyond this is not asked for: few bytes can hold very much. */
#define TEXT_MOST ((size_t)160 << 10)

/* Members of an input that are mended at most. */
#define MENDED_MOST 8

/* Letters that a decoder may keep to itself at most where the input is cut. */
#define CUT_LETTERS 2

/* What must stand untouched behind the room for text. */
static const uint8_t fence[16] = {0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef,
                                  0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef};

/* What came of a reading.  Owns: the text. */
struct reading {
    const char *engine;
    struct cut cut;
    uint8_t *text;
    size_t size;
    enum gv_status status; /* GV_END: whole; GV_OK: TEXT_MOST was reached; else the fault */
    struct gv_error error;
    enum gv_input_format format;
    uint64_t members;
    bool misses_end_block;
    uint32_t crc, length; /* of the member at hand */
};

static struct reading
read_input(const struct gv_inflate_engine *engine, const uint8_t *data, size_t size, struct cut cut)
{
    struct reading reading = {.engine = engine != NULL ? engine->name : "none", .cut = cut};
    struct pieces pieces;
    struct gv_source source = open_cut(data, size, cut, &pieces);
    struct gv_inflater inflater;
    uint64_t random = cut.first;
    reading.text = malloc(TEXT_MOST + sizeof fence);
    NEED(reading.text != NULL);
    gv_inflater_init(&inflater, &source, engine);
    while (reading.status == GV_OK && reading.size < TEXT_MOST) {
        uint8_t *out = reading.text + reading.size;
        size_t got = 0, room = TEXT_MOST - reading.size;
        if (cut.first > 0) {
            uint64_t drawn = draw(&random);
            room = gv_min_size(room, 1 + (size_t)(drawn % (drawn >> 63 ? 4 : 3000)));
        }
        memcpy(out + room, fence, sizeof fence);
        reading.status = gv_inflater_read(&inflater, out, room, &got, &reading.error);
        NEED(got <= room && memcmp(out + room, fence, sizeof fence) == 0);
        reading.size += got;
        if (reading.status == GV_INTERRUPTED) {
            reading.status = GV_OK;
        } else if (reading.status == GV_OK && got == 0) {
            reading.status = GV_END;
        }
    }
    NEED(inflater.text_bytes == reading.size);
    reading.format = inflater.format;
    reading.members = inflater.members;
    reading.misses_end_block = gv_inflater_misses_end_block(&inflater);
    reading.crc = inflater.crc;
    reading.length = inflater.length;
    gv_inflater_deinit(&inflater);
    gv_source_close(&source);
    return reading;
}

static void
print_reading(const struct reading *reading)
{
    (void)fprintf(stderr, "  engine %s, input ", reading->engine);
    print_cut(reading->cut);
    (void)fprintf(stderr, ": %zu bytes of text, %" PRIu64 " members, ", reading->size,
                  reading->members);
    print_error(reading->status, &reading->error);
    (void)fprintf(stderr, "\n");
}

static bool
is_in_deflate(const struct reading *reading)
{
    return reading->status > GV_INTERRUPTED && reading->error.field == GV_FIELD_GZIP_DEFLATE;
}

/* What may not differ where one of two readings at least met a fault of the deflate data. */
static const char *
deflate_difference(const struct reading *a, const struct reading *b)
{
    bool is_same_engine = strcmp(a->engine, b->engine) == 0;
    if (a->status == GV_END || b->status == GV_END) {
        const char *refusing = a->status == GV_END ? b->engine : a->engine;
        return is_same_engine || strcmp(refusing, "zlib") != 0 ? "verdict" : NULL;
    }
    if (a->status == b->status && a->status == GV_TRUNCATED_GZIP) {
        size_t least = gv_min_size(a->size, b->size);
        return gv_max_size(a->size, b->size) - least > CUT_LETTERS ? "size of the text" : NULL;
    }
    return is_same_engine && a->status != b->status ? "end" : NULL;
}

/* The first thing in which two readings of one input may not differ but do, NULL where there is
 * none. */
static const char *
difference(const struct reading *a, const struct reading *b)
{
    if (memcmp(a->text, b->text, gv_min_size(a->size, b->size)) != 0) {
        return "text";
    }
    if (a->status == GV_OK || b->status == GV_OK) {
        return NULL;
    }
    if (is_in_deflate(a) || is_in_deflate(b)) {
        return deflate_difference(a, b);
    }
    if (a->status != b->status) {
        return "end";
    }
    if (a->status != GV_END && memcmp(&a->error, &b->error, sizeof a->error) != 0) {
        return "fault";
    }
    if (a->size != b->size) {
        return "size of the text";
    }
    bool is_same = a->format == b->format && a->members == b->members &&
                   a->misses_end_block == b->misses_end_block;
    return is_same ? NULL : "format, number of members or end block";
}

static void
check(const struct reading *a, const struct reading *b)
{
    const char *what = difference(a, b);
    if (what != NULL) {
        (void)fprintf(stderr, "fuzz_inflate: another %s\n", what);
        print_reading(a);
        print_reading(b);
        abort();
    }
}

/* Blocks taken one by one, as threads take them, hold the text that `whole` has of them. */
static void
check_blocks(const struct gv_inflate_engine *engine, const uint8_t *data, size_t size,
             const struct reading *whole)
{
    void *state;
    size_t at = 0, text = 0, block;
    enum gv_status status = engine->open(engine, &state);
    NEED(status == GV_OK);
    while (status == GV_OK && text <= whole->size &&
           (block = gv_bgzf_block_size(data + at, size - at)) > 0 && block <= size - at) {
        size_t text_size = gv_bgzf_text_size(data + at, block);
        size_t room = gv_min_size(text_size, GV_BGZF_MOST);
        uint8_t *out = malloc(room + sizeof fence);
        NEED(out != NULL);
        memcpy(out + room, fence, sizeof fence);
        status = gv_bgzf_inflate(engine, state, data + at, block, out);
        NEED(memcmp(out + room, fence, sizeof fence) == 0);
        size_t at_hand = gv_min_size(text_size, whole->size - text);
        bool is_more = text_size > at_hand && whole->status != GV_OK;
        if (status == GV_OK && (is_more || memcmp(out, whole->text + text, at_hand) != 0)) {
            (void)fprintf(stderr, "fuzz_inflate: another text of the block at byte %zu than\n", at);
            print_reading(whole);
            abort();
        }
        free(out);
        at += block;
        text += text_size;
    }
    engine->close(state);
}

/* Reads an input in all ways; returns the reading by the best engine. */
static struct reading
read_in_all_ways(const uint8_t *data, size_t size)
{
    const struct gv_inflate_engine *const *engines = gv_inflate_engines();
    struct reading best = read_input(engines[0], data, size, WHOLE);
    for (size_t e = 0; engines[e] != NULL; e++) {
        struct reading whole = read_input(engines[e], data, size, WHOLE);
        uint64_t random = seed_of(data, size);
        check(&best, &whole);
        check_blocks(engines[e], data, size, &whole);
        for (size_t i = 0; i < count_cuts(size); i++) {
            struct reading cut = read_input(engines[e], data, size, draw_cut(i, size, &random));
            check(&whole, &cut);
            free(cut.text);
        }
        free(whole.text);
    }
    return best;
}

/* Puts right what is wrong with the trailer of a member; false where something else is. */
static bool
mend(uint8_t *data, const struct reading *reading)
{
    bool is_crc = reading->error.field == GV_FIELD_GZIP_CRC;
    bool is_length = reading->error.field == GV_FIELD_GZIP_LENGTH;
    if (reading->status != GV_BAD_GZIP || (!is_crc && !is_length)) {
        return false;
    }
    uint32_t value = is_crc ? reading->crc : reading->length;
    uint8_t *at = data + reading->error.input_offset + (is_crc ? 0 : 4);
    for (size_t i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *own = malloc(size + 1);
    NEED(own != NULL);
    if (size > 0) {
        memcpy(own, data, size);
    }
    struct reading reading = read_in_all_ways(data, size);
    for (size_t i = 0; i < 2 * MENDED_MOST && mend(own, &reading); i++) {
        free(reading.text);
        reading = read_in_all_ways(own, size);
    }
    free(reading.text);
    free(own);
    return 0;
}
