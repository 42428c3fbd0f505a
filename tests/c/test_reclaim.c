/* The system refuses memory, and somebody can free some: what one cannot do without is asked for
 * again, once; for what one can do without nothing is freed. */
#define _GNU_SOURCE
#ifndef HAVE_WRAP

int
main(void)
{
    return 77; /* meson: skipped */
}

#else

#include "check.h"
#include "gv.h"

#include "calls.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define N GV_SLOTS

/* Frees memory, be it true or not: whether the system has some again is for the test to say. */
struct reclaimer {
    unsigned calls;
    bool helps, answer;
};

static bool
reclaim(void *context)
{
    struct reclaimer *reclaimer = context;
    reclaimer->calls++;
    if (reclaimer->helps) {
        calls_allow();
    }
    return reclaimer->answer;
}

/* What is asked for; GV_OK where it was had, and then it was given back. */
typedef enum gv_status (*ask_fn)(struct gv_arena *arena);

static enum gv_status
ask_for_a_buffer(struct gv_arena *arena)
{
    struct gv_piece piece = {0};
    if (!gv_arena_get(arena, GV_POOL_BUFFERS, 300 * KIB, &piece)) {
        return GV_NO_MEMORY;
    }
    gv_pool_put(gv_arena_pool(arena, GV_POOL_BUFFERS), &piece, piece.capacity);
    return GV_OK;
}

static enum gv_status
release(enum gv_status status, struct gv_lease *lease)
{
    if (status == GV_OK) {
        gv_lease_release(lease);
    }
    return status;
}

static enum gv_status
ask_for_a_block(struct gv_arena *arena)
{
    struct gv_lease *lease = NULL;
    uint8_t *address;
    enum gv_status status = gv_lease_new(arena, 1000, &lease, &address);
    return release(status, lease);
}

static enum gv_status
ask_for_a_slab(struct gv_arena *arena)
{
    struct gv_lease *lease = NULL;
    uint8_t *address;
    enum gv_status status = gv_lease_new_slab(arena, GV_POOL_VOXELS, 2 * MIB, &lease, &address);
    return release(status, lease);
}

/* Claims `before`, with memory at hand, and then `sizes`. */
static enum gv_status
claim(struct gv_arena *arena, const size_t before[N], const size_t sizes[N], bool is_batch,
      bool is_reserved)
{
    struct gv_slots slots;
    size_t first = atomic_load(&calls.first), many = atomic_load(&calls.many);
    calls_allow();
    gv_slots_init(&slots, GV_NO_LIMIT, arena);
    slots.reservation = is_reserved ? slots.reservation : 0;
    REQUIRE((is_batch ? gv_slots_lay(&slots, GV_POOL_PARTICLES, before)
                      : gv_slots_claim(&slots, before)) == GV_OK);
    (void)gv_arena_trim(arena);
    calls_refuse(first, many);
    enum gv_status status = gv_slots_claim(&slots, sizes);
    CHECK(gv_slots_is_valid(&slots));
    CHECK_U(slots.claimed[0], status == GV_OK ? sizes[0] : before[0]);
    gv_slots_deinit(&slots);
    return status;
}

static enum gv_status
ask_for_heap(struct gv_arena *arena)
{
    return claim(arena, (size_t[N]){100}, (size_t[N]){40 * KIB}, false, true);
}

static enum gv_status
ask_for_an_extent(struct gv_arena *arena)
{
    return claim(arena, (size_t[N]){100}, (size_t[N]){MIB}, false, true);
}

static enum gv_status
ask_for_more_of_an_extent(struct gv_arena *arena)
{
    return claim(arena, (size_t[N]){MIB}, (size_t[N]){3 * MIB}, false, false);
}

static enum gv_status
ask_for_text_beside_a_slab(struct gv_arena *arena)
{
    return claim(arena, (size_t[N]){100 * KIB}, (size_t[N]){100 * KIB, MIB}, true, true);
}

/* Seals what was claimed with memory at hand. */
static enum gv_status
seal(struct gv_arena *arena, size_t size)
{
    struct gv_slots slots;
    struct gv_lease *lease = NULL;
    uint8_t *addresses[N];
    const size_t sizes[N] = {size};
    size_t first = atomic_load(&calls.first), many = atomic_load(&calls.many);
    calls_allow();
    gv_slots_init(&slots, GV_NO_LIMIT, arena);
    REQUIRE(gv_slots_claim(&slots, sizes) == GV_OK);
    memset(gv_slots_at(&slots, 0), 5, size);
    calls_refuse(first, many);
    enum gv_status status = gv_slots_seal(&slots, sizes, &lease, addresses);
    CHECK_U(status == GV_OK ? addresses[0][size - 1] : gv_slots_at(&slots, 0)[size - 1], 5);
    gv_slots_deinit(&slots);
    return release(status, lease);
}

static enum gv_status
ask_for_a_sealed_block(struct gv_arena *arena)
{
    return seal(arena, 500 * KIB);
}

static enum gv_status
ask_for_a_lease(struct gv_arena *arena)
{
    return seal(arena, 2 * MIB);
}

/* A reader's text, which it asks for with its first record. */
static enum gv_status
ask_for_text(struct gv_arena *arena)
{
    static const uint8_t text[] = "@r\nACGT\n+\nIIII\n";
    struct gv_reader_options options = {
        .threads = 1,
        .build = {.ops = gv_scan_find(NULL),
                  .columns = GV_COLUMN_BIT(GV_COLUMN_LENGTH),
                  .zero = GV_PHRED33_ZERO,
                  .max_record_bytes = GV_RECORD_CAP_MOST,
                  .memory_limit = GV_NO_LIMIT,
                  .arena = arena},
    };
    options.build.placing = gv_placing_of(gv_layout_find("composition"));
    struct gv_reader *reader;
    struct gv_source source;
    struct gv_error error;
    size_t first = atomic_load(&calls.first), many = atomic_load(&calls.many);
    calls_allow();
    REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
    gv_source_open_memory(&source, text, sizeof text - 1);
    gv_reader_open(reader, source);
    calls_refuse(first, many);
    enum gv_status status = gv_reader_advance(reader, SIZE_MAX, SIZE_MAX, &error);
    CHECK_U(gv_reader_rows(reader), status == GV_END ? 1 : 0);
    gv_reader_free(reader);
    return status == GV_END ? GV_OK : status;
}

/* Those who can do without. */

static enum gv_status
try_for_a_slab(struct gv_arena *arena)
{
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, arena);
    const size_t sizes[N] = {100 * KIB};
    enum gv_status status = gv_slots_lay(&slots, GV_POOL_PARTICLES, sizes);
    gv_slots_deinit(&slots);
    return status;
}

static enum gv_status
try_for_room_ahead(struct gv_arena *arena)
{
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, arena);
    const size_t sizes[N] = {100 * KIB};
    enum gv_status status = gv_slots_try_claim(&slots, sizes);
    gv_slots_deinit(&slots);
    return status;
}

static struct gv_arena *
new_arena(struct reclaimer *reclaimer)
{
    struct gv_arena *root = gv_arena_new(NULL, GV_NO_LIMIT, 64 * MIB);
    REQUIRE(root != NULL);
    if (reclaimer != NULL) {
        gv_arena_on_full(root, reclaim, reclaimer);
    }
    struct gv_arena *arena = gv_arena_new(root, GV_NO_LIMIT, 0);
    REQUIRE(arena != NULL);
    gv_arena_release(root);
    return arena;
}

static void
drop_arena(struct gv_arena *arena)
{
    CHECK_U(gv_arena_stats(gv_arena_root(arena)).used, 0);
    CHECK_U(gv_arena_stats(arena).leases, 0);
    gv_arena_release(arena);
}

/* From `first` on every call is refused, until somebody is asked who may help. */
static void
check_asked(ask_fn ask, size_t first, bool helps, bool answer, enum gv_status expected)
{
    struct reclaimer reclaimer = {.helps = helps, .answer = answer};
    struct calls_held before = calls_held();
    struct gv_arena *arena = new_arena(&reclaimer);
    calls_refuse(first, SIZE_MAX);
    CHECK_NAMES(ask(arena), expected);
    CHECK(atomic_load(&calls.refused) > 0);
    calls_allow();
    CHECK_U(reclaimer.calls, 1);
    drop_arena(arena);
    struct calls_held after = calls_held();
    CHECK_I(after.blocks, before.blocks);
    CHECK_U(after.mapped, before.mapped);
}

static void
test_what_one_cannot_do_without(void)
{
    static const struct {
        const char *name;
        ask_fn ask;
    } cases[] = {
        {"a buffer", ask_for_a_buffer},
        {"a block", ask_for_a_block},
        {"a slab", ask_for_a_slab},
        {"heap", ask_for_heap},
        {"an extent", ask_for_an_extent},
        {"more of an extent", ask_for_more_of_an_extent},
        {"text beside a slab", ask_for_text_beside_a_slab},
        {"a sealed block", ask_for_a_sealed_block},
        {"a lease", ask_for_a_lease},
        {"text", ask_for_text},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_case("%s", cases[i].name);
        check_asked(cases[i].ask, 1, true, true, GV_OK);
        check_asked(cases[i].ask, 1, false, true, GV_NO_MEMORY);
        check_asked(cases[i].ask, 1, true, false, GV_NO_MEMORY); /* not worth another try */
    }
    check_case("%s", "");
}

static void
test_what_one_can_do_without(void)
{
    static const ask_fn tries[] = {try_for_a_slab, try_for_room_ahead};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        struct reclaimer reclaimer = {.helps = true, .answer = true};
        struct gv_arena *arena = new_arena(&reclaimer);
        calls_refuse(1, SIZE_MAX);
        CHECK_NAMES(tries[i](arena), GV_NO_MEMORY);
        calls_allow();
        CHECK_U(reclaimer.calls, 0);
        drop_arena(arena);
    }
}

/* With nobody to ask, idle memory is given back; where there is none, that is that. */
static void
test_pools_are_trimmed(void)
{
    struct gv_arena *arena = new_arena(NULL);
    REQUIRE(ask_for_a_slab(arena) == GV_OK);
    size_t idle = gv_arena_stats(arena).idle;
    CHECK(idle >= 2 * MIB);
    calls_refuse(1, 1);
    CHECK_NAMES(ask_for_a_buffer(arena), GV_OK);
    CHECK_U(atomic_load(&calls.refused), 1);
    CHECK(gv_arena_stats(arena).idle < idle);
    (void)gv_arena_trim(arena);
    calls_refuse(1, 1);
    CHECK_NAMES(ask_for_a_buffer(arena), GV_NO_MEMORY);
    calls_allow();
    CHECK(!gv_arena_reclaim(arena));
    drop_arena(arena);
}

int
main(void)
{
    test_what_one_cannot_do_without();
    test_what_one_can_do_without();
    test_pools_are_trimmed();
    return check_result();
}

#endif
