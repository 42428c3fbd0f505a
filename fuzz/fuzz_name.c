/* fuzz_name.c: a name says the same however it is read.
 *
 * An input is names, a line each, without the '@' of a header:
 *
 *   "A1:1:F:1:1101:5:6 1:N:0:ACGT\nA1:1:F:1:1101:7:8\n"   two of one run
 *
 * What gv_name_read() says of a name alone in its buffer lies within it and within bounds.  It is
 * what a reader of names must say of it among others, where it is of the platform that counts: one
 * by one or block by block, with what the name before left behind, and up to the buffer's end,
 * which is the allocation's, so that AddressSanitizer sees what is looked at beyond.  A layout that
 * reads names gives no place exactly to those rows that it counts, and says why.
 */
#include "fuzz.h"

/* Lines of an input that are looked at. */
#define LINES GV_BLOCK_ROWS

/* The names, as headers in one text that ends with the last of them.  Owns: the text. */
struct run {
    uint8_t *text;
    size_t size, n;
    size_t start[LINES], name_size[LINES]; /* of the byte behind '@' */
};

static const uint8_t *
name_of(const struct run *run, size_t i)
{
    return run->text + run->start[i];
}

static void
fail(const struct run *run, size_t i, const char *what)
{
    (void)fprintf(stderr, "fuzz_name: line %zu: %s: \"%.*s\"\n", i + 1, what,
                  (int)gv_min_size(run->name_size[i], 2000), (const char *)name_of(run, i));
    abort();
}

/* Each line twice, so that each follows itself at least. */
static struct run
make_run(const uint8_t *data, size_t size)
{
    struct run run = {.text = malloc(2 * size + 4 * LINES)};
    NEED(run.text != NULL);
    while (size > 0 && run.n + 2 <= LINES) {
        const uint8_t *newline = memchr(data, '\n', size);
        size_t name_size = newline != NULL ? (size_t)(newline - data) : size;
        for (int twice = 0; twice < 2; twice++) {
            run.text[run.size++] = '@';
            run.start[run.n] = run.size;
            run.name_size[run.n++] = name_size;
            memcpy(run.text + run.size, data, name_size);
            run.size += name_size;
            run.text[run.size++] = '\n';
        }
        size_t taken = gv_min_size(name_size + 1, size);
        data += taken;
        size -= taken;
    }
    run.size -= run.n > 0; /* the line end of the last */
    run.text = realloc(run.text, run.size + (run.size == 0));
    NEED(run.text != NULL);
    return run;
}

/* ---------------------------------------------------------------------------------------------
 * One name
 * ------------------------------------------------------------------------------------------ */

static bool
is_inside(const struct gv_word *word, const uint8_t *name, size_t size)
{
    return word->at == NULL ? word->size == 0
                            : word->at >= name && word->at <= name + size &&
                                  word->size <= (size_t)(name + size - word->at);
}

static bool
lacks_all(const struct gv_name *said)
{
    return said->grammar == GV_GRAMMAR_NONE && !said->is_renamed && said->lane == 0 &&
           said->tile == 0 && said->read == 0 && said->channel == 0 &&
           said->filtered == GV_NO_FILTERED && said->x == GV_NO_COORDINATE &&
           said->y == GV_NO_COORDINATE && said->zmw == GV_NO_ZMW &&
           said->start_time == GV_NO_TIME && said->index.at == NULL && said->barcode.at == NULL &&
           said->flow_cell.at == NULL;
}

static bool
is_within_bounds(const struct gv_name *said)
{
    bool is_of_tiles =
        said->grammar >= GV_GRAMMAR_ILLUMINA && said->grammar <= GV_GRAMMAR_ILLUMINA_OLD;
    bool has_place = is_of_tiles || said->grammar == GV_GRAMMAR_MGI;
    return said->grammar < GV_GRAMMAR_COUNT && said->read <= 2 && said->tile <= 999999 &&
           (!has_place || (said->lane > 0 && said->tile > 0)) &&
           (said->x != GV_NO_COORDINATE) == is_of_tiles &&
           (said->y != GV_NO_COORDINATE) == is_of_tiles &&
           (!is_of_tiles || (said->x > -1000000000 && said->x < 1000000000 &&
                             said->y > -1000000000 && said->y < 1000000000)) &&
           (said->zmw != GV_NO_ZMW) ==
               (said->grammar == GV_GRAMMAR_PACBIO || said->grammar == GV_GRAMMAR_PACBIO_RS2);
}

static void
check_alone(const struct run *run, size_t i)
{
    size_t size = run->name_size[i];
    uint8_t *alone = malloc(size + (size == 0));
    NEED(alone != NULL);
    memcpy(alone, name_of(run, i), size);
    struct gv_name said;
    memset(&said, 0x55, sizeof said);
    if (!gv_name_read(alone, size, &said)) {
        if (!lacks_all(&said)) {
            fail(run, i, "not known, but says something");
        }
    } else if (said.grammar == GV_GRAMMAR_NONE || !is_within_bounds(&said)) {
        fail(run, i, "out of bounds");
    }
    if (!is_inside(&said.index, alone, size) || !is_inside(&said.barcode, alone, size) ||
        !is_inside(&said.flow_cell, alone, size)) {
        fail(run, i, "a word outside of the name");
    }
    free(alone);
}

/* ---------------------------------------------------------------------------------------------
 * Many names
 * ------------------------------------------------------------------------------------------ */

static bool
is_nanopore(enum gv_grammar grammar)
{
    return grammar == GV_GRAMMAR_GUPPY || grammar == GV_GRAMMAR_DORADO;
}

/* What a reader must say of a name. */
static bool
read_slowly(const struct run *run, size_t i, enum gv_grammar grammar, struct gv_name *said)
{
    bool is_known =
        grammar != GV_GRAMMAR_NONE && gv_name_read(name_of(run, i), run->name_size[i], said) &&
        (said->grammar == grammar || (is_nanopore(said->grammar) && is_nanopore(grammar)));
    if (!is_known) {
        gv_name_clear(said);
    }
    return is_known;
}

static bool
is_same_word(const struct gv_word *a, const struct gv_word *b)
{
    return a->at == b->at && a->size == b->size;
}

/* What the second word says is not asked for without has_comment. */
static bool
is_same(const struct gv_name *a, const struct gv_name *b, bool has_comment)
{
    return a->grammar == b->grammar && a->lane == b->lane && a->tile == b->tile && a->x == b->x &&
           a->y == b->y && a->channel == b->channel && a->zmw == b->zmw &&
           a->start_time == b->start_time && is_same_word(&a->barcode, &b->barcode) &&
           (!has_comment || (a->read == b->read && a->filtered == b->filtered &&
                             is_same_word(&a->index, &b->index)));
}

static bool
is_same_row(const struct gv_names *names, size_t row, const struct gv_name *said, bool is_known,
            bool has_comment)
{
    return names->is_known[row] == is_known && names->lane[row] == said->lane &&
           names->tile[row] == said->tile && names->x[row] == said->x && names->y[row] == said->y &&
           names->channel[row] == said->channel && names->zmw[row] == said->zmw &&
           names->start_time[row] == said->start_time &&
           (!has_comment ||
            (names->read[row] == said->read && names->filtered[row] == said->filtered));
}

static void
check_places(const struct run *run, const struct gv_block *block, enum gv_grammar grammar)
{
    static float places[LINES][3];
    for (const struct gv_layout *const *layout = gv_layouts(); *layout != NULL; layout++) {
        struct gv_placing placing = gv_placing_of(*layout);
        if (!(*layout)->needs_names) {
            continue;
        }
        placing.grammar = grammar;
        (void)gv_placing_set(&placing, "model", 2);
        (void)gv_placing_set(&placing, "has_time", 1);
        (void)gv_placing_set(&placing, "swath_pitch", 1000);
        (void)gv_placing_set(&placing, "tile_pitch", 1e5);
        (void)gv_placing_set(&placing, "lane_pitch", 1e6);
        size_t unplaced = (*layout)->place(&placing, block, places), counted = 0;
        for (size_t i = 0; i < run->n; i++) {
            bool is_placed = places[i][0] == places[i][0];
            enum gv_lack lack = (*layout)->lacks;
            if (!is_placed && (*layout)->lack != NULL) {
                lack = (*layout)->lack(&placing, block, i);
            }
            counted += !is_placed;
            if (!is_placed && lack == GV_LACKS_NOTHING) {
                fail(run, i, (*layout)->name);
            }
            if (is_placed && !block->names.is_known[i]) {
                fail(run, i, "a place without a name");
            }
        }
        NEED(counted == unplaced);
    }
}

static void
check_among_others(const struct run *run, enum gv_grammar grammar, bool has_comment)
{
    static struct gv_block block;
    struct gv_names_reader one_by_one, in_blocks;
    gv_names_reader_init(&one_by_one, grammar, has_comment);
    gv_names_reader_init(&in_blocks, grammar, has_comment);
    for (size_t i = 0; i < run->n; i++) {
        block.scanned.start[i] = run->start[i] - 1;
        block.scanned.sequence[i] = run->start[i] + run->name_size[i] + 1;
    }
    block.rows = run->n;
    memset(&block.names, 0x55, sizeof block.names);
    gv_names_read(&block.names, &in_blocks, &block.scanned, run->text, run->size, 0, run->n / 2);
    gv_names_read(&block.names, &in_blocks, &block.scanned, run->text, run->size, run->n / 2,
                  run->n - run->n / 2);
    for (size_t i = 0; i < run->n; i++) {
        struct gv_name wanted, found;
        bool is_known = read_slowly(run, i, grammar, &wanted);
        if (gv_names_reader_read(&one_by_one, name_of(run, i), run->name_size[i],
                                 run->size - run->start[i], &found) != is_known ||
            !is_same(&found, &wanted, has_comment)) {
            fail(run, i, "says another thing among others");
        }
        if (!is_same_row(&block.names, i, &wanted, is_known, has_comment)) {
            fail(run, i, "says another thing in a block");
        }
    }
    check_places(run, &block, grammar);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run = make_run(data, size);
    bool is_met[GV_GRAMMAR_COUNT] = {true};
    for (size_t i = 0; i < run.n; i++) {
        struct gv_name said;
        check_alone(&run, i);
        (void)gv_name_read(name_of(&run, i), run.name_size[i], &said);
        is_met[said.grammar] = true;
    }
    for (int i = 0; i < GV_GRAMMAR_COUNT; i++) {
        if (is_met[i]) {
            check_among_others(&run, (enum gv_grammar)i, false);
            check_among_others(&run, (enum gv_grammar)i, true);
        }
    }
    free(run.text);
    return 0;
}
