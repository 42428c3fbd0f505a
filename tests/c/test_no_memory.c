/* The system refuses memory: at one call, or from one call on, for each of them.  Whatever is
 * refused, the answer is one that gv_status_is_memory() or what it would have been; nothing is
 * lost, and the object goes on when memory is back.
 *
 * Where the linker cannot lead those calls here there is nothing to be tried. */
#define _GNU_SOURCE
#ifndef HAVE_WRAP

int
main(void)
{
    return 77; /* meson: skipped */
}

#else

#include "members.h"

#include <unistd.h>

#include "calls.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
/* A source that is opened once more after a refusal is the next one: its number is left out. */
#define ALL_COLUMNS ((GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1) & ~GV_COLUMN_BIT(GV_COLUMN_SOURCE))
#define DEFAULT_COLUMNS ((gv_column_set)0x7f)

/* How many calls are refused, and in how many ways, where all of them would take too long. */
#ifdef __SANITIZE_THREAD__
#define TRIES 3
#define WAYS 12
#else
#define TRIES 12
#define WAYS 40
#endif

#define BIG ((size_t)1 << 40)
#define N GV_SLOTS

/* ---------------------------------------------------------------------------------------------
 * Refusals
 * ------------------------------------------------------------------------------------------ */

/* What is done while memory is refused, all of it given back at its end. */
typedef void (*operation_fn)(const void *context);

/* Says no for a reason that there is. */
static void
check_refused(enum gv_status status)
{
    CHECK_NAMES(status, GV_NO_MEMORY);
    CHECK(atomic_load(&calls.refused) > 0);
}

/* Runs it with `many` calls refused from call `first` on; false where no call was refused. */
static bool
run_refused(const char *name, operation_fn operation, const void *context, size_t first,
            size_t many)
{
    struct calls_held before = calls_held(), after;
    check_case("%s, call %zu%s", name, first, many > 1 ? " and all after it" : "");
    calls_refuse(first, many);
    operation(context);
    calls_allow();
    after = calls_held();
    CHECK_I(after.blocks, before.blocks);
    CHECK_U(after.mappings, before.mappings);
    CHECK_U(after.mapped, before.mapped);
    CHECK_U(calls.odd, 0);
    check_case("%s", "");
    return atomic_load(&calls.refused) > 0;
}

/* How many calls it makes where none is refused. */
static size_t
count_calls(const char *name, operation_fn operation, const void *context)
{
    (void)run_refused(name, operation, context, 1, 0);
    return atomic_load(&calls.asked);
}

/* Every call, until there is none left that could be refused. */
static void
refuse_each(const char *name, operation_fn operation, const void *context)
{
    CHECK(count_calls(name, operation, context) > 0);
    for (unsigned all = 0; all < 2; all++) {
        size_t first = 1;
        while (run_refused(name, operation, context, first, all ? SIZE_MAX : 1)) {
            first++;
        }
        CHECK(first > 1);
    }
}

/* Some of the calls, for what asks in another order each time or takes long. */
static void
refuse_some(const char *name, operation_fn operation, const void *context, size_t tries)
{
    size_t all = count_calls(name, operation, context);
    uint64_t random = all;
    for (size_t i = 0; i < tries; i++) {
        size_t first = i < tries / 3 ? i + 1 : 1 + check_below(&random, all);
        (void)run_refused(name, operation, context, first, i % 2 ? SIZE_MAX : 1);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Pools, arenas, leases
 * ------------------------------------------------------------------------------------------ */

static void
use_pool(const void *context)
{
    static const size_t sizes[] = {100, 3000, MIB, 5 * MIB};
    (void)context;
    atomic_size_t idle = 0;
    struct gv_pool *pool = gv_pool_new(&idle, 8 * MIB);
    if (pool == NULL) {
        check_refused(GV_NO_MEMORY);
        return;
    }
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct gv_piece piece = {0}, none = {0};
        if (gv_pool_get(pool, sizes[i / 2], &piece)) {
            memset(piece.base, 1, sizes[i / 2]);
            gv_pool_put(pool, &piece, piece.capacity);
        } else {
            check_refused(GV_NO_MEMORY);
            CHECK(piece.base == NULL);
        }
        if (gv_pool_get(NULL, sizes[i / 2], &none)) {
            gv_pool_put(NULL, &none, 0);
        }
        CHECK(none.base == NULL);
    }
    CHECK_U(gv_pool_stats(pool).in_use, 0);
    CHECK_U(gv_pool_stats(pool).idle, atomic_load(&idle));
    gv_pool_free(pool);
}

/* An arena in that of the process; NULL where memory is refused. */
static struct gv_arena *
new_arena(void)
{
    struct gv_arena *root = gv_arena_new(NULL, GV_NO_LIMIT, 64 * MIB);
    struct gv_arena *arena = root != NULL ? gv_arena_new(root, GV_NO_LIMIT, 64 * MIB) : NULL;
    if (arena == NULL) {
        check_refused(GV_NO_MEMORY);
    }
    if (root != NULL) {
        gv_arena_release(root);
    }
    return arena;
}

/* Everything has been given back to it. */
static void
drop_arena(struct gv_arena *arena)
{
    struct gv_arena *root = gv_arena_root(arena);
    CHECK_U(gv_arena_stats(arena).used, 0);
    CHECK_U(gv_arena_stats(root).used, 0);
    CHECK_U(gv_arena_stats(arena).leases, 0);
    for (unsigned kind = 0; kind < GV_POOL_KINDS; kind++) {
        struct gv_pool *pool = gv_arena_pool(arena, (enum gv_pool_kind)kind);
        CHECK_U(gv_pool_stats(pool).in_use, 0);
        CHECK_U(gv_pool_stats(pool).gets, gv_pool_stats(pool).hits + gv_pool_stats(pool).misses);
    }
    CHECK_NAMES(gv_arena_reset(arena), GV_OK);
    gv_arena_release(arena);
}

/* A lease of each kind: a block, an empty one, a slab of each pool of slabs. */
static void
use_lease(struct gv_arena *arena, unsigned kind, size_t size)
{
    struct gv_lease *lease = NULL;
    uint8_t *address = NULL;
    size_t before = arena != NULL ? gv_arena_stats(arena).used : 0;
    enum gv_status status = kind == 0   ? gv_lease_new(arena, size, &lease, &address)
                            : kind == 1 ? gv_lease_new_empty(arena, &lease)
                                        : gv_lease_new_slab(arena, (enum gv_pool_kind)(kind - 1),
                                                            size, &lease, &address);
    if (status == GV_OK) {
        if (address != NULL) {
            memset(address, 2, size);
        }
        gv_lease_release(gv_lease_retain(lease));
        gv_lease_release(lease);
    } else {
        check_refused(status);
        CHECK(lease == NULL && address == NULL);
    }
    CHECK_U(arena != NULL ? gv_arena_stats(arena).used : 0, before);
}

static void
use_leases(const void *context)
{
    static const size_t sizes[] = {0, 1000, 300 * KIB, 5 * MIB};
    (void)context;
    struct gv_arena *arena = new_arena();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        use_lease(NULL, 0, sizes[i]);
        use_lease(NULL, 1, sizes[i]);
        for (unsigned kind = 0; arena != NULL && kind <= GV_POOL_KINDS; kind++) {
            use_lease(arena, kind, sizes[i]);
        }
    }
    if (arena != NULL) {
        drop_arena(arena);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Slots
 * ------------------------------------------------------------------------------------------ */

/* Every so many bytes of a slot are written: a page that is lost or doubled shows. */
#define STRIDE ((size_t)61)

static void
write_slots(const struct gv_slots *slots, const size_t from[N], const size_t to[N])
{
    for (unsigned i = 0; i < N; i++) {
        for (size_t k = (from[i] + STRIDE - 1) / STRIDE * STRIDE; k < to[i]; k += STRIDE) {
            gv_slots_at(slots, i)[k] = (uint8_t)(k / STRIDE * 7 + i);
        }
    }
}

static bool
is_written(const uint8_t *bytes, unsigned slot, size_t size)
{
    for (size_t k = 0; k < size; k += STRIDE) {
        if (bytes[k] != (uint8_t)(k / STRIDE * 7 + slot)) {
            return false;
        }
    }
    return true;
}

/* Claims more; what is refused leaves everything as it was, and is granted when memory is back. */
static void
claim_slots(struct gv_slots *slots, size_t sizes[N], const size_t more[N])
{
    enum gv_status status = gv_slots_claim(slots, more);
    if (status != GV_OK) {
        check_refused(status);
        CHECK_BYTES(slots->claimed, sizes, N * sizeof *sizes);
        for (unsigned i = 0; i < N; i++) {
            CHECK(is_written(gv_slots_at(slots, i), i, sizes[i]));
        }
        calls_allow();
        REQUIRE(gv_slots_claim(slots, more) == GV_OK);
    }
    CHECK(gv_slots_is_valid(slots));
    write_slots(slots, sizes, more);
    memcpy(sizes, more, N * sizeof *sizes);
}

static void
seal_slots(struct gv_slots *slots, const size_t sizes[N], struct gv_lease **lease)
{
    uint8_t *addresses[N];
    enum gv_status status = gv_slots_seal(slots, sizes, lease, addresses);
    if (status != GV_OK) {
        check_refused(status);
        CHECK_BYTES(slots->claimed, sizes, N * sizeof *sizes);
        calls_allow();
        REQUIRE(gv_slots_seal(slots, sizes, lease, addresses) == GV_OK);
    }
    CHECK(gv_slots_is_valid(slots));
    for (unsigned i = 0; i < N; i++) {
        CHECK(is_written(addresses[i], i, sizes[i]));
    }
}

struct slots_case {
    bool has_arena, is_batch, is_reserved;
};

static void
use_slots(const void *context)
{
    static const size_t steps[][N] = {
        {[0] = 100, [1] = 5000, [2] = 60 * KIB},
        {[0] = 200, [1] = 100 * KIB, [2] = 300 * KIB, [3] = 1},
        {[0] = 300, [1] = 400 * KIB, [2] = 2 * MIB, [3] = 5 * MIB},
        {[0] = 300, [1] = 900 * KIB, [2] = 5 * MIB, [3] = 5 * MIB + 1},
    };
    const struct slots_case *wanted = context;
    struct gv_arena *arena = wanted->has_arena ? new_arena() : NULL;
    if (wanted->has_arena && arena == NULL) {
        return;
    }
    struct gv_slots slots;
    struct gv_lease *leases[8] = {NULL};
    size_t n_leases = 0;
    gv_slots_init(&slots, GV_NO_LIMIT, arena);
    slots.reservation = wanted->is_reserved ? slots.reservation : 0;
    for (size_t last = 1; last <= sizeof steps / sizeof *steps; last++) {
        size_t sizes[N] = {0};
        if (wanted->is_batch) {
            enum gv_status status = gv_slots_lay(&slots, GV_POOL_PARTICLES, steps[0]);
            if (status != GV_OK) {
                check_refused(status);
                CHECK(slots.slab == NULL && slots.claimed_total == 0);
                CHECK(gv_slots_is_valid(&slots));
            } else {
                memcpy(sizes, steps[0], sizeof sizes);
                write_slots(&slots, (const size_t[N]){0}, sizes);
            }
        }
        for (size_t i = 0; i < last; i++) {
            claim_slots(&slots, sizes, steps[i]);
        }
        seal_slots(&slots, sizes, &leases[n_leases++]);
        if (last % 2 == 0) { /* so that there are warm extents */
            gv_lease_release(leases[--n_leases]);
        }
    }
    gv_slots_deinit(&slots);
    while (n_leases > 0) {
        gv_lease_release(leases[--n_leases]);
    }
    if (arena != NULL) {
        drop_arena(arena);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Readers
 * ------------------------------------------------------------------------------------------ */

enum { PLAIN, GZIPPED, BLOCKS, FORMATS };

/* A text, as it is and as compressors store it, and what is in it. */
struct text {
    struct bytes formats[FORMATS];
    struct gv_sealed whole;
    const char *path; /* of a file with the plain text; may be NULL */
};

static void
make_text(struct text *text, size_t reads, size_t longest)
{
    struct bytes *plain = &text->formats[PLAIN];
    uint64_t random = reads;
    for (size_t i = 0; i < reads; i++) {
        char line[32];
        size_t length = check_below(&random, longest + 1);
        put(plain, line, (size_t)snprintf(line, sizeof line, "@read %zu\n", i));
        for (size_t k = 0; k < 2 * length; k++) {
            bool is_quality = k >= length;
            uint8_t letter = is_quality ? (uint8_t)(33 + check_below(&random, 40))
                                        : (uint8_t)"ACGTN"[check_below(&random, 5)];
            put(plain, k == length ? "\n+\n" : "", k == length ? 3 : 0);
            put(plain, &letter, 1);
        }
        put(plain, length > 0 ? "\n" : "\n+\n\n", length > 0 ? 1 : 4);
    }
    put_member(&text->formats[GZIPPED], plain->data, plain->size, 60000, MEMBER_NAME);
    for (size_t at = 0; at < plain->size; at += 60000) {
        put_member(&text->formats[BLOCKS], plain->data + at, gv_min_size(60000, plain->size - at),
                   60000, MEMBER_BGZF);
    }
    put(&text->formats[BLOCKS], bgzf_end_block, sizeof bgzf_end_block);
}

static void
free_text(struct text *text)
{
    for (unsigned i = 0; i < FORMATS; i++) {
        free(text->formats[i].data);
    }
    gv_lease_release(text->whole.lease);
}

/* The engine of stored blocks, with a state that can be refused, and nothing that threads share. */
struct own_state {
    struct stored_engine_state stored;
    struct stored_context context;
};

static enum gv_status
own_open(const struct gv_inflate_engine *engine, void **state)
{
    (void)engine;
    struct own_state *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    made->stored.context = &made->context;
    *state = &made->stored;
    return GV_OK;
}

struct reading {
    const struct text *text;
    unsigned format;
    bool is_file;
    const struct gv_inflate_engine *engine;
    gv_column_set columns;
    unsigned threads;
    bool has_arena;
    size_t most_rows;    /* in a table */
    size_t memory_limit; /* GV_NO_LIMIT: batches are laid into slabs */
    bool seals_nothing;  /* a table is sealed before the first read */
    bool grows_on;       /* where a seal is refused, the table gets more rows before the next try */
    bool looks;          /* at the records before it reads them */
    bool gives_up;       /* at the first refusal, while memory is still refused */
};

static enum gv_status
new_reader(const struct reading *reading, struct gv_arena *arena, struct gv_reader **reader)
{
    struct gv_reader_options options = {
        .engine = reading->engine,
        .threads = reading->threads,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = reading->columns,
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = (size_t)1 << 30,
                .memory_limit = reading->memory_limit,
                .arena = arena,
            },
    };
    return gv_reader_new(&options, reader);
}

static void
open_source(struct gv_reader *reader, const struct reading *reading)
{
    const struct bytes *bytes = &reading->text->formats[reading->format];
    struct gv_source source;
    struct gv_error error;
    if (reading->is_file) {
        REQUIRE(gv_source_open_path(&source, reading->text->path, &error) == GV_OK);
    } else {
        gv_source_open_memory(&source, bytes->data, bytes->size);
    }
    gv_reader_open(reader, source);
}

/* The text of rows [from, from + rows) of the whole table is that of the table. */
static void
check_text(const struct gv_sealed *sealed, const struct gv_sealed *whole, unsigned column,
           size_t from)
{
    unsigned t = column - GV_COLUMN_FIRST_TEXT;
    const int64_t *offsets = (const int64_t *)(const void *)sealed->data[column];
    const int64_t *expected = (const int64_t *)(const void *)whole->data[column] + from;
    size_t wrong = 0;
    for (size_t row = 0; row <= sealed->rows; row++) {
        wrong += offsets[row] != expected[row] - expected[0];
    }
    CHECK_U(wrong, 0);
    CHECK_U(sealed->text_size[t], expected[sealed->rows] - expected[0]);
    CHECK_BYTES(sealed->text[t], whole->text[t] + expected[0], sealed->text_size[t]);
}

/* The rows are those of the whole table from row `from` on, `shift` reads later. */
static void
check_rows(const struct gv_sealed *sealed, const struct gv_sealed *whole, size_t from,
           uint64_t shift)
{
    REQUIRE(from + sealed->rows <= whole->rows);
    for (unsigned column = 0; column < GV_COLUMN_COUNT; column++) {
        size_t row_bytes = gv_column_spec((enum gv_column)column)->row_bytes;
        if ((sealed->columns & GV_COLUMN_BIT(column)) == 0) {
            continue;
        }
        if (column >= GV_COLUMN_FIRST_TEXT) {
            check_text(sealed, whole, column, from);
        } else if (column == GV_COLUMN_METADATA) {
            const uint64_t *ordinals = (const uint64_t *)(const void *)sealed->data[column];
            size_t wrong = 0;
            for (size_t row = 0; row < sealed->rows; row++) {
                wrong += ordinals[row] != from + row + shift;
            }
            CHECK_U(wrong, 0);
        } else {
            CHECK_BYTES(sealed->data[column], whole->data[column] + from * row_bytes,
                        sealed->rows * row_bytes);
        }
    }
}

/* A reader, and where it is. */
struct progress {
    struct gv_reader *reader;
    const struct reading *reading;
    size_t at;      /* rows of the text that were sealed */
    uint64_t shift; /* reads before the text began */
};

/* Seals what was read; false where that is refused and the table stays. */
static bool
seal(struct progress *progress)
{
    struct gv_sealed sealed;
    struct gv_error error = {0};
    size_t rows = gv_reader_rows(progress->reader);
    enum gv_status status = gv_reader_seal(progress->reader, &sealed, &error);
    if (status != GV_OK) {
        check_refused(status);
        CHECK_NAMES(error.status, status);
        CHECK_I(error.detail, rows);
        CHECK_U(gv_reader_rows(progress->reader), rows);
        return false;
    }
    CHECK_U(sealed.rows, rows);
    check_rows(&sealed, &progress->reading->text->whole, progress->at, progress->shift);
    progress->at += rows;
    gv_lease_release(sealed.lease);
    return true;
}

/* A fault of memory ends the source, but not what was read, nor the reader: it begins anew. */
static void
begin_anew(struct progress *progress, enum gv_status status, const struct gv_error *error)
{
    check_refused(status);
    CHECK_NAMES(error->status, status);
    CHECK_I(error->detail, gv_reader_rows(progress->reader));
    calls_allow();
    REQUIRE(seal(progress));
    gv_reader_close(progress->reader);
    progress->at = 0;
    progress->shift = gv_reader_stats(progress->reader).reads;
    open_source(progress->reader, progress->reading);
}

/* Reads to the end, whatever is refused on the way. */
static void
read_all(struct progress *progress)
{
    const struct reading *reading = progress->reading;
    size_t most_rows = reading->most_rows, restarts = 0;
    for (;;) {
        struct gv_error error = {0};
        enum gv_status status = gv_reader_advance(progress->reader, most_rows, BIG, &error);
        if (status == GV_INTERRUPTED) {
            continue;
        }
        most_rows = reading->most_rows;
        if (status != GV_OK && status != GV_END) {
            REQUIRE(gv_status_is_memory(status) && restarts++ == 0);
            if (reading->gives_up) {
                return;
            }
            begin_anew(progress, status, &error);
            continue;
        }
        if (!seal(progress)) {
            if (reading->gives_up) {
                return;
            }
            calls_allow();
            if (reading->grows_on && status != GV_END) {
                most_rows = gv_reader_rows(progress->reader) + 100;
                continue;
            }
            REQUIRE(seal(progress));
        }
        if (status == GV_END) {
            break;
        }
    }
    CHECK_U(progress->at, reading->text->whole.rows);
}

static void
count_record(void *context, const uint8_t *name, size_t name_size, const uint8_t *sequence,
             size_t length)
{
    (void)name, (void)name_size, (void)sequence, (void)length;
    ++*(size_t *)context;
}

/* Looks at all records there are; where memory is refused, once more. */
static void
look_ahead(const struct progress *progress)
{
    struct gv_error error = {0};
    size_t records = 0;
    enum gv_status status =
        gv_reader_look(progress->reader, SIZE_MAX, BIG, count_record, &records, &error);
    if (status != GV_OK) {
        check_refused(status);
        CHECK_NAMES(error.status, status);
        calls_allow();
        records = 0;
        REQUIRE(gv_reader_look(progress->reader, SIZE_MAX, BIG, count_record, &records, &error) ==
                GV_OK);
    }
    /* Where a decoder was refused, what came before it is told, and the refusal is when reading. */
    CHECK(records == progress->reading->text->whole.rows || atomic_load(&calls.refused) > 0);
}

static void
use_reader(const void *context)
{
    const struct reading *reading = context;
    struct gv_arena *arena = reading->has_arena ? new_arena() : NULL;
    struct progress progress = {.reading = reading};
    if (reading->has_arena && arena == NULL) {
        return;
    }
    enum gv_status status = new_reader(reading, arena, &progress.reader);
    if (status != GV_OK) {
        check_refused(status);
        CHECK(progress.reader == NULL);
    } else {
        if (reading->seals_nothing && !seal(&progress)) {
            calls_allow(); /* and it stays unsealed */
        }
        open_source(progress.reader, reading);
        if (reading->looks) {
            look_ahead(&progress);
        }
        read_all(&progress);
        gv_reader_free(progress.reader);
    }
    if (arena != NULL) {
        drop_arena(arena);
    }
}

/* What is in a text, by a reader of one thread that is refused nothing. */
static void
read_whole(struct text *text)
{
    struct reading reading = {
        .text = text, .columns = ALL_COLUMNS, .threads = 1, .memory_limit = GV_NO_LIMIT};
    struct gv_reader *reader;
    struct gv_error error;
    REQUIRE(new_reader(&reading, NULL, &reader) == GV_OK);
    open_source(reader, &reading);
    enum gv_status status;
    do {
        status = gv_reader_advance(reader, BIG, BIG, &error);
    } while (status == GV_OK);
    REQUIRE(status == GV_END && gv_reader_seal(reader, &text->whole, &error) == GV_OK);
    gv_reader_free(reader);
}

/* ---------------------------------------------------------------------------------------------
 * Slices
 * ------------------------------------------------------------------------------------------ */

/* Slices begin or they do not; once begun they bring all of the text, until one is odd. */
static void
use_slices(const void *context)
{
    const struct reading *reading = context;
    const struct bytes *bytes = &reading->text->formats[reading->format];
    const struct bytes *plain = &reading->text->formats[PLAIN];
    struct gv_builder_options options = {
        .ops = gv_scan_find(NULL),
        .placing = gv_placing_of(gv_layout_find("composition")),
        .columns = reading->columns,
        .zero = GV_PHRED33_ZERO,
        .max_record_bytes = GV_RECORD_CAP_MOST,
        .memory_limit = GV_NO_LIMIT,
    };
    struct gv_source source;
    gv_source_open_memory(&source, bytes->data, bytes->size);
    enum gv_input_format format = reading->format == PLAIN ? GV_INPUT_PLAIN : GV_INPUT_BGZF;
    struct gv_slices_input input = {&source, NULL, format, 0, 0};
    struct gv_slices *slices = gv_slices_new(&options, reading->engine, &input, reading->threads);
    if (slices == NULL) {
        check_refused(GV_NO_MEMORY);
        return;
    }
    const struct gv_slice *slice;
    size_t at = 0;
    bool is_over = false;
    while (!is_over) {
        enum gv_status status = gv_slices_next(slices, &slice);
        if (status == GV_INTERRUPTED) {
            continue;
        }
        REQUIRE(status == GV_OK && at + slice->size <= plain->size);
        CHECK_BYTES(slice->text, plain->data + at, slice->size);
        CHECK(slice->body_begin <= slice->body_end && slice->body_end <= slice->size);
        at += slice->size;
        CHECK(!slice->is_odd || atomic_load(&calls.refused) > 0);
        CHECK(!slice->is_last || at == plain->size);
        is_over = slice->is_last || slice->is_odd;
        gv_slices_give_back(slices);
    }
    gv_slices_free(slices);
}

/* ---------------------------------------------------------------------------------------------
 * Tallies
 * ------------------------------------------------------------------------------------------ */

/* Reads of ever more tiles and cycles: a batch that does not fit leaves the tally as it was. */
static void
use_tally(const void *context)
{
    (void)context;
    struct gv_tally *tally;
    if (gv_tally_new(2, 10, NULL, &tally) != GV_OK) {
        check_refused(GV_NO_MEMORY);
        return;
    }
    uint64_t added = 0;
    for (uint32_t size = 1; size <= 256; size *= 4) {
        static uint8_t lane[256], text[256];
        static uint32_t tile[256];
        static int64_t offsets[257];
        for (uint32_t i = 0; i < size; i++) {
            lane[i] = 1;
            tile[i] = 1101 + i;
            offsets[i + 1] = size;
        }
        memset(text, 'G', size);
        const struct gv_tally_reads reads = {.rows = size,
                                             .lane = lane,
                                             .tile = tile,
                                             .sequence_offsets = offsets,
                                             .quality_offsets = offsets,
                                             .sequence = text,
                                             .quality = text,
                                             .sequence_size = size,
                                             .quality_size = size};
        size_t tiles = gv_tally_tiles(tally);
        enum gv_status status = gv_tally_add(tally, &reads);
        if (status != GV_OK) {
            check_refused(status);
            CHECK_U(gv_tally_tiles(tally), tiles);
        } else {
            added += size;
            CHECK_U(gv_tally_tiles(tally), size);
        }
        CHECK(gv_tally_is_valid(tally));
    }
    gv_tally_settle(tally);
    uint64_t bases = 0;
    for (size_t i = 0; i < gv_tally_tiles(tally); i++) {
        bases += gv_tally_tile_at(tally, i)->sums.bases;
    }
    CHECK_U(bases, added);
    gv_tally_free(tally);
}

/* ---------------------------------------------------------------------------------------------
 * Grids
 * ------------------------------------------------------------------------------------------ */

/* Enough for four threads; the value of a row is its number, so that sums tell who was added. */
#define GRID_ROWS ((size_t)4 << 15)

/* What is refused of threads and scratch memory is done without: the rows are all there. */
static void
use_grid(const void *context)
{
    static double rows[GRID_ROWS];
    static const double edges[] = {0.0, GRID_ROWS / 2.0, GRID_ROWS};
    const double half = (double)GRID_ROWS / 2;
    uint64_t counts[2 + GV_VOXEL_BEHIND] = {0}, missing[2 + GV_VOXEL_BEHIND] = {0};
    double sum[2 + GV_VOXEL_BEHIND] = {0};
    struct gv_voxel_column column = {(const uint8_t *)rows, sizeof *rows, GV_VOXEL_F64};
    struct gv_voxel_grid grid = {
        .n_axes = 1,
        .n_sums = 1,
        .axes = {{edges, 2}},
        .counts = counts,
        .sums = {{sum, missing}},
    };
    (void)context;
    for (size_t i = 0; i < GRID_ROWS; i++) {
        rows[i] = (double)i;
    }
    gv_voxel_add(&grid, &column, &column, GRID_ROWS, NULL, 4);
    CHECK_U(counts[0], GRID_ROWS / 2);
    CHECK_U(counts[1], GRID_ROWS / 2);
    CHECK_F(sum[0], half * (half - 1) / 2);
    CHECK_F(sum[1], half * (half - 1) / 2 + half * half);
}

/* ---------------------------------------------------------------------------------------------
 * All of it
 * ------------------------------------------------------------------------------------------ */

static void
test_memory_itself(void)
{
    refuse_each("pool", use_pool, NULL);
    refuse_each("leases", use_leases, NULL);
    refuse_each("tally", use_tally, NULL);
    refuse_each("grid", use_grid, NULL);
    for (unsigned i = 0; i < 8; i++) {
        struct slots_case wanted = {i % 2 == 1, i / 2 % 2 == 1, i / 4 == 1};
        char name[40];
        if (wanted.is_batch && !wanted.has_arena) {
            continue;
        }
        (void)snprintf(name, sizeof name, "slots %u", i);
        refuse_each(name, use_slots, &wanted);
    }
}

static const char *
name_of(const struct reading *reading)
{
    static char name[160];
    static const char *const formats[FORMATS] = {"plain", "gzip", "bgzf"};
    (void)snprintf(name, sizeof name,
                   "%s%s by %s, columns 0x%x, %u threads, arena %d, %zd rows, limit %d%s%s%s",
                   formats[reading->format], reading->is_file ? " file" : "",
                   reading->engine != NULL ? reading->engine->name : "none", reading->columns,
                   reading->threads, reading->has_arena, (ssize_t)reading->most_rows,
                   reading->memory_limit != GV_NO_LIMIT, reading->seals_nothing ? ", sealed" : "",
                   reading->grows_on ? ", grows on" : "", reading->gives_up ? ", gives up" : "");
    return name;
}

/* One thread asks in the same order each time, so that every call is tried. */
static void
test_readers(const struct text *text, const struct gv_inflate_engine *engine)
{
    for (unsigned i = 0; i < FORMATS * 32; i++) {
        unsigned way = i / FORMATS;
        struct reading reading = {
            .text = text,
            .format = i % FORMATS,
            .engine = engine,
            .columns = way & 1 ? DEFAULT_COLUMNS : ALL_COLUMNS,
            .threads = 1,
            .has_arena = (way & 2) != 0,
            .most_rows = way & 4 ? BIG : 150,
            .memory_limit = way & 8 ? BIG : GV_NO_LIMIT,
            .seals_nothing = (way & 16) != 0,
            .grows_on = (way & 24) == 0,
            .looks = (way & 5) == 1,
            .gives_up = (way & 24) == 8,
        };
        refuse_each(name_of(&reading), use_reader, &reading);
    }
}

/* A text that is large enough for threads, for mapping, and for columns of pages; in as many ways
 * as there is time for. */
static void
test_large_readers(const struct text *text, const struct gv_inflate_engine *engine, size_t ways,
                   size_t tries)
{
    uint64_t random = 1;
    for (size_t i = 0; i < ways; i++) {
        unsigned draw = (unsigned)check_below(&random, 1 << 12);
        struct reading reading = {
            .text = text,
            .format = i % (FORMATS + 1) % FORMATS,
            .is_file = i % (FORMATS + 1) == FORMATS,
            .engine = engine,
            .columns = draw & 1 ? DEFAULT_COLUMNS : ALL_COLUMNS,
            .threads = 1 + draw / 2 % 3,
            .has_arena = draw / 8 % 4 > 0,
            .most_rows = draw & 32   ? BIG
                         : draw & 64 ? 15000
                                     : 2000,
            .memory_limit = draw / 128 % 4 == 0 ? BIG : GV_NO_LIMIT,
            .grows_on = (draw & 512) != 0,
            .looks = draw / 2048 % 2 == 0,
            .gives_up = draw / 512 % 4 == 0,
        };
        refuse_some(name_of(&reading), use_reader, &reading, tries);
    }
}

static void
test_slices(const struct text *text, const struct gv_inflate_engine *engine, size_t tries)
{
    for (unsigned i = 0; i < 4; i++) {
        struct reading reading = {.text = text,
                                  .format = i % 2 ? BLOCKS : PLAIN,
                                  .engine = engine,
                                  .columns = i / 2 ? ALL_COLUMNS : DEFAULT_COLUMNS,
                                  .threads = 1 + i};
        refuse_some(name_of(&reading), use_slices, &reading, tries);
    }
}

static void
write_file(const char *path, const struct bytes *bytes)
{
    int fd = mkstemp((char *)(uintptr_t)path);
    REQUIRE(fd >= 0 && write(fd, bytes->data, bytes->size) == (ssize_t)bytes->size);
    REQUIRE(close(fd) == 0);
}

int
main(void)
{
    static char path[] = "/tmp/test_no_memory.XXXXXX";
    struct gv_inflate_engine own = stored_engine;
    own.open = own_open;
    const struct gv_inflate_engine *best = gv_inflate_engines()[0];
    best = best != NULL ? best : &own;
    struct text small = {0}, large = {0};
    test_memory_itself();

    make_text(&small, 400, 60);
    read_whole(&small);
    test_readers(&small, &own);
    test_readers(&small, best);
    free_text(&small);

    make_text(&large, 20000, 280);
    read_whole(&large);
    write_file(path, &large.formats[PLAIN]);
    large.path = path;
    test_slices(&large, best, TRIES);
    test_large_readers(&large, best, WAYS, TRIES);
    REQUIRE(unlink(path) == 0);
    free_text(&large);
    return check_result();
}

#endif
