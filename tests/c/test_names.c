#include "check.h"
#include "gv.h"

#define UUID "bd8655fb-383c-45cc-bff3-eb1dc86533e0"
#define LONGEST 300

/* ---------------------------------------------------------------------------------------------
 * Names
 * ------------------------------------------------------------------------------------------ */

struct text {
    char bytes[LONGEST];
    size_t size;
};

static void
add(struct text *text, const char *more)
{
    size_t size = strlen(more);
    REQUIRE(text->size + size < sizeof text->bytes);
    memcpy(text->bytes + text->size, more, size);
    text->size += size;
}

#define DRAW(state, list) (list)[check_below((state), sizeof(list) / sizeof *(list))]

/* As an instrument writes them: beginnings that stay for a while, then two numbers. */
static struct text
draw_name(uint64_t *state)
{
    static const char *const instruments[] = {
        "A00123",
        "A00123",
        "A00123",
        "A",
        "AV1",
        "AV240405",
        "G4-014",
        "A0\x0b"
        "123",
        "",
        /* with these a prefix takes 63, 64 and 65 bytes */
        "A2345678901234567890123456789012345",
        "A23456789012345678901234567890123456",
        "A234567890123456789012345678901234567",
        "A2345678901234567890123456789012345678901234567890123456789012345678901234567890",
    };
    static const char *const lanes[] = {
        ":8:HABCDDSX2:1:", ":8:HABCDDSX2:2:", ":9:HABCDDSX2:1:", ":8:HABCDDSX2:0:"};
    static const char *const tiles[] = {"1101:", "1101:", "1102:", "99999:", "100000:", "0:", ""};
    static const char *const numbers[] = {
        "0",          "7",       "12",      "999",      "1000",     "31337",
        "123456",     "9999999", "0000001", "00000001", "12345678", "999999999",
        "1000000000", "",        "-5",      "1.5",      "x",
    };
    static const char *const tails[] = {
        "",
        "",
        " 1:N:0:ACGT",
        "\t2:Y:18:AC+GT",
        "/1",
        "/2 1:N:0:",
        ":ACGT+ACGT 1:N:0:A",
        "_AC",
        "_AC_GT\t1:N:0:A",
        ":",
        "/3",
        ":1",
        "\v1:N:0:A",
        " 3:N:0:A",
        "+",
        "0",
        "  length=150",
    };
    struct text name = {.size = 0};
    add(&name, DRAW(state, instruments));
    add(&name, DRAW(state, lanes));
    add(&name, DRAW(state, tiles));
    add(&name, DRAW(state, numbers));
    add(&name, check_below(state, 40) == 0 ? ";" : ":");
    add(&name, DRAW(state, numbers));
    add(&name, DRAW(state, tails));
    return name;
}

static struct text
draw_any_name(uint64_t *state)
{
    static const char *const others[] = {
        "",
        "1",
        "HWI-EAS:6:73:941:-19#0/1",
        "V350012345L1C002R0170000512/1",
        UUID " ch=12 start_time=2020-01-01T00:00:00Z",
        UUID "\tst:Z:2020-01-01T00:00:00Z ch:i:5",
        "m64012_190920_173625/4194369/ccs",
        "m120601_074857_00126_c1_s1_p0/17/0_10",
        "SRR1.1 A00123:8:HABCDDSX2:1:1101:5:6 length=3",
        "E1L1C001R0030 2A5B 7E1B2",
    };
    struct text name = {.size = 0};
    if (check_below(state, 10) > 0) {
        name = draw_name(state);
    } else {
        add(&name, DRAW(state, others));
    }
    if (check_below(state, 4) == 0 && name.size > 0) {
        size_t at = check_below(state, name.size);
        name.bytes[at] = DRAW(state, "0123456789:/ _+\tA\xff");
        name.size = check_below(state, 3) == 0 ? at : name.size;
    }
    for (size_t i = 0; i < name.size; i++) {
        name.bytes[i] = name.bytes[i] == '\0' ? '0' : name.bytes[i];
    }
    return name;
}

/* ---------------------------------------------------------------------------------------------
 * One by one
 * ------------------------------------------------------------------------------------------ */

static bool
is_nanopore(enum gv_grammar grammar)
{
    return grammar == GV_GRAMMAR_GUPPY || grammar == GV_GRAMMAR_DORADO;
}

/* What a reader must say: what gv_name_read() does, where the name is one of those that count. */
static bool
read_slowly(const struct gv_names_reader *reader, const uint8_t *name, size_t size,
            struct gv_name *out)
{
    bool is_known = gv_name_read(name, size, out) && reader->grammar != GV_GRAMMAR_NONE &&
                    (out->grammar == reader->grammar ||
                     (is_nanopore(out->grammar) && is_nanopore(reader->grammar)));
    if (!is_known) {
        gv_name_clear(out);
    }
    return is_known;
}

static void
check_word(const struct gv_word *a, const struct gv_word *b)
{
    CHECK(a->at == b->at && a->size == b->size);
}

/* Without the second word, what it says is not asked for. */
static void
check_same(const struct gv_name *found, const struct gv_name *wanted, bool has_comment)
{
    CHECK_U(found->grammar, wanted->grammar);
    CHECK_U(found->lane, wanted->lane);
    CHECK_U(found->tile, wanted->tile);
    CHECK_I(found->x, wanted->x);
    CHECK_I(found->y, wanted->y);
    CHECK_U(found->channel, wanted->channel);
    CHECK_U(found->zmw, wanted->zmw);
    CHECK_I(found->start_time, wanted->start_time);
    check_word(&found->barcode, &wanted->barcode);
    if (has_comment) {
        CHECK_U(found->read, wanted->read);
        CHECK_U(found->filtered, wanted->filtered);
        check_word(&found->index, &wanted->index);
    }
}

/* Reads it with `before` bytes in front of it in its buffer and `behind` after it. */
static void
check_one(struct gv_names_reader *reader, const struct text *name, size_t before, size_t behind,
          uint64_t *state)
{
    size_t readable = name->size + behind;
    uint8_t *buffer = malloc(before + readable + (before + readable == 0));
    REQUIRE(buffer != NULL);
    for (size_t i = 0; i < before + readable; i++) {
        buffer[i] = (uint8_t)DRAW(state, "0123456789: \nA"); /* what follows may look like more */
    }
    memcpy(buffer + before, name->bytes, name->size);
    struct gv_name found, wanted;
    memset(&found, 0x55, sizeof found);
    check_case("\"%.*s\" behind \"%.*s\", %zu bytes before and %zu after", (int)name->size,
               name->bytes, (int)reader->prefix_size, (const char *)reader->prefix, before, behind);
    bool is_wanted = read_slowly(reader, buffer + before, name->size, &wanted);
    CHECK_U(gv_names_reader_read(reader, buffer + before, name->size, readable, &found), is_wanted);
    check_same(&found, &wanted, reader->wants_comment);
    free(buffer);
}

static const enum gv_grammar grammars[] = {
    GV_GRAMMAR_ILLUMINA,     GV_GRAMMAR_ELEMENT, GV_GRAMMAR_SINGULAR,
    GV_GRAMMAR_ILLUMINA_OLD, GV_GRAMMAR_MGI,     GV_GRAMMAR_GUPPY,
    GV_GRAMMAR_DORADO,       GV_GRAMMAR_PACBIO,  GV_GRAMMAR_NONE,
};

static void
test_generated_names(void)
{
    uint64_t state = 1;
    for (unsigned i = 0; i < 2 * sizeof grammars / sizeof *grammars; i++) {
        struct gv_names_reader reader;
        gv_names_reader_init(&reader, grammars[i / 2], i % 2 == 1);
        for (int round = 0; round < (i < 2 ? 40000 : 4000); round++) {
            struct text name = draw_any_name(&state);
            check_one(&reader, &name, check_below(&state, 16), check_below(&state, 40), &state);
        }
    }
}

/* The fast way is taken for the second of these, at every alignment and up to the buffer's end. */
static void
test_every_place_in_a_buffer(void)
{
    static const char *const names[] = {
        "A00123:8:HABCDDSX2:2:1101:1063:1000 1:N:0:ACGT",
        "A00123:8:HABCDDSX2:2:1101:7:9",
        "A00123:8:HABCDDSX2:2:1101:9999999:9999999",
        "A00123:8:HABCDDSX2:2:1101:12345678:5",
        "A00123:8:HABCDDSX2:2:1101:5:12345678/2",
        "A00123:8:HABCDDSX2:2:1101:5",
        "A00123:8:HABCDDSX2:2:1101:",
        "A00123:8:HABCDDSX2:2:1101:5:",
        "A:1:F:1:1:1:1",
    };
    uint64_t state = 2;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (size_t before = 0; before < 16; before++) {
            for (size_t behind = 0; behind < 34; behind++) {
                struct gv_names_reader reader;
                struct text first = {.size = 0}, name = {.size = 0};
                gv_names_reader_init(&reader, GV_GRAMMAR_ILLUMINA, true);
                add(&first, i == 8 ? "A:1:F:1:1:22:333" : names[0]);
                add(&name, names[i]);
                check_one(&reader, &first, 0, 0, &state);
                check_one(&reader, &name, before, behind, &state);
            }
        }
    }
}

/* A beginning is kept for the next name where it fits, and taken for no other. */
static void
test_prefixes(void)
{
    struct gv_names_reader reader;
    struct gv_name said;
    static const char prefix[] = "A00123:8:HABCDDSX2:2:1101:";
    char name[200];
    check_case("%s", "prefixes");
    gv_names_reader_init(&reader, GV_GRAMMAR_ILLUMINA, false);
    CHECK_U(reader.prefix_size, 0);
    (void)snprintf(name, sizeof name, "%s5:6", prefix);
    CHECK(gv_names_reader_read(&reader, (uint8_t *)name, strlen(name), strlen(name), &said));
    CHECK_U(reader.prefix_size, sizeof prefix - 1);
    CHECK_BYTES(reader.prefix, prefix, sizeof prefix - 1);
    CHECK_U(reader.lane, 2);
    CHECK_U(reader.tile, 1101);
    /* A name that is none, or of another maker, leaves it; a renamed one is read each time. */
    static const char *const others[] = {"read 1", "AV1:8:HABCDDSX2:2:1101:5:6",
                                         "SRR1.1 A00123:8:HABCDDSX2:2:1102:5:6"};
    for (size_t i = 0; i < 3; i++) {
        (void)gv_names_reader_read(&reader, (const uint8_t *)others[i], strlen(others[i]),
                                   strlen(others[i]), &said);
        CHECK_BYTES(reader.prefix, prefix, sizeof prefix - 1);
    }
    for (size_t size = GV_NAMES_PREFIX_MOST - 1; size <= GV_NAMES_PREFIX_MOST + 1; size++) {
        memset(name, 'A', sizeof name);
        (void)snprintf(name + size - 10, 20, ":8:F:1:11:5:6");
        check_case("prefix of %zu bytes: %s", size, name);
        CHECK(gv_names_reader_read(&reader, (uint8_t *)name, size + 3, size + 3, &said));
        CHECK_U(reader.prefix_size, size <= GV_NAMES_PREFIX_MOST ? size : 0);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Block by block
 * ------------------------------------------------------------------------------------------ */

static void
check_row(const struct gv_names *names, size_t row, const struct gv_name *wanted, bool is_known,
          bool has_comment)
{
    CHECK_U(names->is_known[row], is_known);
    CHECK_U(names->lane[row], wanted->lane);
    CHECK_U(names->tile[row], wanted->tile);
    CHECK_I(names->x[row], wanted->x);
    CHECK_I(names->y[row], wanted->y);
    CHECK_U(names->channel[row], wanted->channel);
    CHECK_U(names->zmw[row], wanted->zmw);
    CHECK_I(names->start_time[row], wanted->start_time);
    if (has_comment) {
        CHECK_U(names->read[row], wanted->read);
        CHECK_U(names->filtered[row], wanted->filtered);
    }
}

/* Records of which the last ends with its buffer; their names are read in one go and in parts. */
static void
test_blocks(void)
{
    static struct gv_names names;
    static struct gv_scanned scanned;
    uint64_t state = 3;
    for (unsigned round = 0; round < 400; round++) {
        uint8_t *text = malloc(64 * (LONGEST + 20));
        size_t size = 0, starts[64], sizes[64], n = 1 + check_below(&state, 64), end;
        REQUIRE(text != NULL);
        for (size_t i = 0; i < n; i++) {
            struct text name = draw_any_name(&state);
            size_t length = 1 + check_below(&state, 4);
            text[size++] = '@';
            starts[i] = size;
            sizes[i] = name.size;
            memcpy(text + size, name.bytes, name.size);
            size += name.size;
            text[size++] = '\n';
            memcpy(text + size, "ACGT", length);
            size += length;
            memcpy(text + size, "\n+\n", 3);
            memcpy(text + size + 3, "IIII", length);
            size += 3 + length;
            text[size++] = '\n';
        }
        text = realloc(text, size);
        REQUIRE(text != NULL);
        const struct gv_scan_ops *ops = gv_scan_find("scalar"); /* up to the buffer's end */
        size_t found = ops->records(text, 0, size, GV_PHRED33_ZERO, size, &scanned, 0, n, &end);
        check_case("round %u", round);
        CHECK_U(found, n);
        struct gv_names_reader reader;
        enum gv_grammar grammar = grammars[round % 3 == 0 ? round % 9 : 0];
        gv_names_reader_init(&reader, grammar, round % 2 == 0);
        size_t first = check_below(&state, found + 1);
        gv_names_read(&names, &reader, &scanned, text, size, 0, first);
        gv_names_read(&names, &reader, &scanned, text, size, first, found - first);
        for (size_t i = 0; i < found; i++) {
            struct gv_name wanted;
            check_case("round %u, row %zu: %.*s", round, i, (int)sizes[i], text + starts[i]);
            bool is_known = read_slowly(&reader, text + starts[i], sizes[i], &wanted);
            check_row(&names, i, &wanted, is_known, reader.wants_comment);
        }
        free(text);
    }
}

int
main(void)
{
    test_generated_names();
    test_every_place_in_a_buffer();
    test_prefixes();
    test_blocks();
    return check_result();
}
