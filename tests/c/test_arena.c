#include "check.h"
#include "gv.h"

#include <pthread.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define N GV_SLOTS

static struct gv_arena *
new_arena(struct gv_arena *parent, size_t capacity)
{
    struct gv_arena *arena = gv_arena_new(parent, capacity, 100 * MIB);
    REQUIRE(arena != NULL);
    return arena;
}

/* Nothing is charged, handed out or held. */
static void
check_balanced(struct gv_arena *arena)
{
    struct gv_arena_stats stats = gv_arena_stats(arena);
    CHECK_U(stats.used, 0);
    CHECK_U(stats.leases, 0);
    size_t idle = 0;
    for (unsigned kind = 0; kind < GV_POOL_KINDS; kind++) {
        struct gv_pool_stats pool = gv_pool_stats(gv_arena_pool(arena, (enum gv_pool_kind)kind));
        CHECK_U(pool.in_use, 0);
        CHECK_U(pool.gets, pool.hits + pool.misses);
        idle += pool.idle;
    }
    CHECK_U(stats.idle, idle);
}

static size_t
used(const struct gv_arena *arena)
{
    return gv_arena_stats(arena).used;
}

/* Brings `size` bytes of idle memory into an arena. */
static void
make_idle(struct gv_arena *arena, enum gv_pool_kind kind, size_t size)
{
    struct gv_pool *pool = gv_arena_pool(arena, kind);
    struct gv_piece piece;
    REQUIRE(gv_pool_get(pool, size, &piece));
    CHECK_U(piece.capacity, size);
    gv_pool_put(pool, &piece, piece.capacity);
}

static struct gv_lease *
new_slab(struct gv_arena *arena, size_t size, uint8_t **address)
{
    struct gv_lease *lease = NULL;
    REQUIRE(gv_lease_new_slab(arena, GV_POOL_PARTICLES, size, &lease, address) == GV_OK);
    CHECK_U((uintptr_t)*address % GV_ALIGNMENT, 0);
    CHECK(gv_lease_size(lease) >= size + gv_lease_head);
    return lease;
}

/* ---------------------------------------------------------------------------------------------
 * Charges
 * ------------------------------------------------------------------------------------------ */

static void
test_names(void)
{
    CHECK_STRING(gv_pool_kind_name(GV_POOL_EXTENTS), "extents");
    CHECK_STRING(gv_pool_kind_name(GV_POOL_PARTICLES), "particles");
    CHECK_STRING(gv_pool_kind_name(GV_POOL_VOXELS), "voxels");
    CHECK_STRING(gv_pool_kind_name(GV_POOL_COORDINATES), "coordinates");
    CHECK_STRING(gv_pool_kind_name(GV_POOL_BUFFERS), "buffers");
}

static void
test_a_new_arena(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, MIB);
    struct gv_arena *inner = new_arena(arena, 5);
    CHECK(gv_arena_root(root) == root && gv_arena_root(arena) == root);
    CHECK(gv_arena_root(inner) == root);
    CHECK_U(gv_arena_capacity(root), SIZE_MAX);
    CHECK_U(gv_arena_capacity(arena), MIB);
    struct gv_arena_stats stats = gv_arena_stats(arena);
    CHECK_U(stats.capacity, MIB);
    CHECK_U(stats.peak, 0);
    check_balanced(arena);
    for (unsigned kind = 0; kind < GV_POOL_KINDS; kind++) {
        struct gv_pool *pool = gv_arena_pool(inner, (enum gv_pool_kind)kind);
        CHECK(pool == gv_arena_pool(root, (enum gv_pool_kind)kind)); /* shared */
        for (unsigned other = 0; other < kind; other++) {
            CHECK(pool != gv_arena_pool(arena, (enum gv_pool_kind)other));
        }
    }
    CHECK(gv_arena_retain(arena) == arena);
    gv_arena_release(arena);
    /* Those around an arena live as long as it does. */
    gv_arena_release(root);
    gv_arena_release(arena);
    CHECK_U(gv_arena_capacity(gv_arena_root(inner)), SIZE_MAX);
    gv_arena_release(inner);
}

static void
test_charges_are_counted_around(void)
{
    struct gv_arena *root = new_arena(NULL, 1000);
    struct gv_arena *a = new_arena(root, 700), *b = new_arena(root, GV_NO_LIMIT);
    CHECK_NAMES(gv_arena_charge(a, 600), GV_OK);
    CHECK_NAMES(gv_arena_charge(b, 300), GV_OK);
    CHECK_U(used(a), 600);
    CHECK_U(used(b), 300);
    CHECK_U(used(root), 900);

    CHECK_NAMES(gv_arena_charge(a, 101), GV_ARENA_FULL);   /* of its own */
    CHECK_NAMES(gv_arena_charge(b, 101), GV_MEMORY_LIMIT); /* of the process */
    CHECK_NAMES(gv_arena_charge(root, 101), GV_MEMORY_LIMIT);
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 599, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        CHECK_NAMES(gv_arena_charge(a, impossible[i]), GV_ARENA_FULL);
        CHECK_NAMES(gv_arena_charge(root, impossible[i]), GV_MEMORY_LIMIT);
    }
    CHECK_NAMES(gv_arena_charge(b, SIZE_MAX - 300), GV_MEMORY_LIMIT);
    CHECK_U(used(a), 600);
    CHECK_U(used(b), 300);
    CHECK_U(used(root), 900);
    CHECK_U(gv_arena_stats(a).peak, 600);
    CHECK_U(gv_arena_stats(root).peak, 900);

    CHECK_NAMES(gv_arena_charge(a, 100), GV_OK); /* to the last byte */
    CHECK_U(used(root), 1000);
    CHECK_NAMES(gv_arena_charge(b, 1), GV_MEMORY_LIMIT);
    CHECK_NAMES(gv_arena_charge(b, 0), GV_OK);
    gv_arena_discharge(a, 700);
    CHECK_U(used(root), 300);
    CHECK_U(gv_arena_stats(a).peak, 700);
    CHECK_U(gv_arena_stats(root).peak, 1000);
    gv_arena_discharge(b, 300);
    check_balanced(root);
    check_balanced(a);
    check_balanced(b);
    gv_arena_release(a);
    gv_arena_release(b);
    gv_arena_release(root);
}

/* What the process has no room for was never charged to the arena either. */
static void
test_a_peak_is_of_what_was_charged(void)
{
    struct gv_arena *root = new_arena(NULL, 1000), *arena = new_arena(root, GV_NO_LIMIT);
    CHECK_NAMES(gv_arena_charge(arena, 400), GV_OK);
    CHECK_NAMES(gv_arena_charge(arena, 5000), GV_MEMORY_LIMIT);
    CHECK_U(used(arena), 400);
    CHECK_U(gv_arena_stats(arena).peak, 400);
    gv_arena_discharge(arena, 400);
    gv_arena_release(arena);
    gv_arena_release(root);
}

static void
test_a_capacity_that_changes(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, 1000);
    CHECK_NAMES(gv_arena_charge(arena, 800), GV_OK);
    gv_arena_set_capacity(arena, 500);
    CHECK_U(gv_arena_capacity(arena), 500);
    CHECK_U(used(arena), 800);
    CHECK_NAMES(gv_arena_charge(arena, 1), GV_ARENA_FULL);
    gv_arena_discharge(arena, 400);
    CHECK_NAMES(gv_arena_charge(arena, 101), GV_ARENA_FULL);
    CHECK_NAMES(gv_arena_charge(arena, 100), GV_OK);
    gv_arena_set_capacity(arena, 0);
    gv_arena_discharge(arena, 500);
    CHECK_NAMES(gv_arena_charge(arena, 1), GV_ARENA_FULL);
    gv_arena_set_capacity(arena, GV_NO_LIMIT);
    CHECK_NAMES(gv_arena_charge(arena, SIZE_MAX), GV_OK);
    CHECK_NAMES(gv_arena_charge(arena, 1), GV_ARENA_FULL);
    gv_arena_discharge(arena, SIZE_MAX);
    check_balanced(arena);
    check_balanced(root);
    gv_arena_release(arena);
    gv_arena_release(root);
}

/* Idle memory takes part in the capacity of the process, and gives way before anything is refused.
 */
static void
test_idle_memory_gives_way(void)
{
    struct gv_arena *root = new_arena(NULL, 4 * MIB), *arena = new_arena(root, 2 * MIB);
    for (unsigned is_root = 0; is_root < 2; is_root++) {
        struct gv_arena *charged = is_root ? root : arena;
        check_case("the process itself %u", is_root);
        make_idle(arena, GV_POOL_EXTENTS, MIB);
        make_idle(root, GV_POOL_BUFFERS, 2 * MIB);
        CHECK_U(gv_arena_stats(arena).idle, 3 * MIB);
        CHECK_U(gv_arena_stats(root).idle, 3 * MIB);
        check_balanced(arena);
        CHECK_NAMES(gv_arena_charge(charged, MIB), GV_OK); /* beside it */
        CHECK_U(gv_arena_stats(root).idle, 3 * MIB);
        CHECK_NAMES(gv_arena_charge(charged, 1), GV_OK);
        CHECK(used(root) + gv_arena_stats(root).idle <= 4 * MIB);
        CHECK_NAMES(gv_arena_charge(root, 3 * MIB - 1), GV_OK); /* all of it */
        CHECK_U(used(root), 4 * MIB);
        CHECK_U(gv_arena_stats(root).idle, 0);
        gv_arena_discharge(root, 3 * MIB - 1);
        gv_arena_discharge(charged, MIB + 1);
    }
    check_case("%s", "");
    /* What is idle is no arena's own. */
    make_idle(arena, GV_POOL_PARTICLES, 3 * MIB);
    CHECK_NAMES(gv_arena_try_charge(arena, MIB), GV_OK);
    CHECK_U(gv_arena_stats(arena).idle, 3 * MIB);
    gv_arena_discharge(arena, MIB);
    make_idle(arena, GV_POOL_VOXELS, 256 * KIB);
    make_idle(root, GV_POOL_COORDINATES, MIB);
    CHECK_U(gv_arena_trim(arena), 4 * MIB + 256 * KIB);
    CHECK_U(gv_arena_trim(root), 0);
    check_balanced(arena);
    gv_arena_release(arena);
    check_balanced(root);
    gv_arena_release(root);
}

/* Somebody who can free memory: leases that only he holds. */
struct reclaimer {
    unsigned calls;
    bool answer;
    struct gv_lease *lease;
};

static bool
reclaim(void *context)
{
    struct reclaimer *reclaimer = context;
    reclaimer->calls++;
    if (reclaimer->lease != NULL) {
        gv_lease_release(reclaimer->lease);
        reclaimer->lease = NULL;
    }
    return reclaimer->answer;
}

static void
test_reclaiming(void)
{
    struct gv_arena *root = new_arena(NULL, MIB);
    struct reclaimer reclaimer = {.answer = true};
    gv_arena_on_full(root, reclaim, &reclaimer);
    struct gv_arena *arena = new_arena(root, 600 * KIB);
    uint8_t *address;
    for (unsigned of_root = 0; of_root < 2; of_root++) {
        struct gv_arena *full = of_root ? root : arena;
        check_case("of the process %u", of_root);
        REQUIRE(gv_lease_new(arena, 500 * KIB, &reclaimer.lease, &address) == GV_OK);
        reclaimer.calls = 0;
        CHECK_NAMES(gv_arena_charge(arena, 10 * KIB), GV_OK);
        CHECK_U(reclaimer.calls, 0);
        size_t more = of_root ? 700 * KIB : 300 * KIB;
        CHECK_NAMES(gv_arena_charge(full, more), GV_OK);
        CHECK_U(reclaimer.calls, 1);
        CHECK_U(used(arena), 10 * KIB + (of_root ? 0 : more));

        /* There is nothing more to be freed: asked once again, and no more. */
        enum gv_status expected = of_root ? GV_MEMORY_LIMIT : GV_ARENA_FULL;
        CHECK_NAMES(gv_arena_charge(full, more), expected);
        CHECK_U(reclaimer.calls, 2);
        reclaimer.answer = false;
        REQUIRE(gv_lease_new(root, KIB, &reclaimer.lease, &address) == GV_OK);
        size_t before = used(root);
        CHECK_NAMES(gv_arena_charge(full, more), expected);
        CHECK_U(reclaimer.calls, 3);
        CHECK(used(root) < before);
        CHECK_NAMES(gv_arena_try_charge(full, more), expected); /* asks nobody */
        CHECK_U(reclaimer.calls, 3);
        reclaimer.answer = true;
        gv_arena_discharge(full, more);
        gv_arena_discharge(arena, 10 * KIB);
        check_balanced(root);
        check_balanced(arena);
    }
    check_case("%s", "");
    gv_arena_release(arena);
    gv_arena_release(root);
}

/* Leases ask in the same way, and what they asked for in vain is nowhere. */
static void
test_leases_that_are_refused(void)
{
    struct gv_arena *root = new_arena(NULL, 10 * MIB), *arena = new_arena(root, 2 * MIB);
    struct reclaimer reclaimer = {.answer = true};
    gv_arena_on_full(root, reclaim, &reclaimer);
    struct gv_lease *lease = NULL;
    uint8_t *address = NULL;
    CHECK_NAMES(gv_lease_new(arena, 2 * MIB + 1, &lease, &address), GV_ARENA_FULL);
    CHECK_NAMES(gv_lease_new(root, 10 * MIB + 1, &lease, &address), GV_MEMORY_LIMIT);
    CHECK_NAMES(gv_lease_new(root, SIZE_MAX, &lease, &address), GV_NO_MEMORY);
    CHECK_NAMES(gv_lease_new_slab(arena, GV_POOL_VOXELS, 2 * MIB + 1, &lease, &address),
                GV_ARENA_FULL);
    CHECK_NAMES(gv_lease_new_slab(root, GV_POOL_VOXELS, 10 * MIB + 1, &lease, &address),
                GV_MEMORY_LIMIT);
    CHECK_NAMES(gv_lease_new_slab(arena, GV_POOL_VOXELS, SIZE_MAX, &lease, &address), GV_NO_MEMORY);
    CHECK_NAMES(gv_lease_new_slab(arena, GV_POOL_VOXELS, SIZE_MAX / 2, &lease, &address),
                GV_ARENA_FULL);
    CHECK(lease == NULL && address == NULL);
    check_balanced(arena);
    check_balanced(root);

    REQUIRE(gv_lease_new_slab(arena, GV_POOL_VOXELS, MIB + 1, &reclaimer.lease, &address) == GV_OK);
    unsigned calls = reclaimer.calls;
    REQUIRE(gv_lease_new_slab(arena, GV_POOL_VOXELS, MIB, &lease, &address) == GV_OK);
    CHECK_U(reclaimer.calls, calls + 1);
    CHECK_U(gv_arena_stats(arena).leases, 1);
    CHECK(used(root) + gv_arena_stats(root).idle <= 10 * MIB);
    gv_lease_release(lease);
    check_balanced(arena);
    gv_arena_release(arena);
    gv_arena_release(root);
}

/* ---------------------------------------------------------------------------------------------
 * Leases
 * ------------------------------------------------------------------------------------------ */

static void
test_a_lease_on_a_block(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, GV_NO_LIMIT);
    static const size_t sizes[] = {0, 1, 64, 1000, 3 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gv_lease *lease;
        uint8_t *address;
        check_case("size %zu", sizes[i]);
        REQUIRE(gv_lease_new(arena, sizes[i], &lease, &address) == GV_OK);
        CHECK_U((uintptr_t)address % GV_ALIGNMENT, 0);
        CHECK(address == (uint8_t *)lease + gv_lease_head);
        memset(address, 5, sizes[i]);
        CHECK_U(gv_lease_size(lease), sizes[i] + gv_lease_head);
        CHECK_U(gv_lease_pieces(lease), 0);
        CHECK_U(used(arena), sizes[i]);
        CHECK_U(used(root), sizes[i]);
        CHECK_U(gv_arena_stats(arena).leases, 1);
        CHECK_U(gv_arena_stats(root).leases, 0); /* alive in the one that it is of */
        CHECK(gv_lease_retain(lease) == lease);
        gv_lease_release(lease);
        memset(address, 6, sizes[i]);
        gv_lease_release(lease);
        check_balanced(arena);
        check_balanced(root);
    }
    check_case("%s", "");
    CHECK_U(gv_arena_stats(arena).idle, 0); /* of no pool */
    gv_arena_release(arena);
    gv_arena_release(root);
}

static void
test_a_lease_on_a_slab(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, GV_NO_LIMIT);
    static const size_t sizes[] = {0, 1000, 300 * KIB, 5 * MIB};
    for (unsigned kind = GV_POOL_PARTICLES; kind < GV_POOL_KINDS; kind++) {
        struct gv_pool *pool = gv_arena_pool(arena, (enum gv_pool_kind)kind);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct gv_lease *lease, *again;
            uint8_t *address, *second;
            check_case("kind %u, size %zu", kind, sizes[i]);
            REQUIRE(gv_lease_new_slab(arena, (enum gv_pool_kind)kind, sizes[i], &lease, &address) ==
                    GV_OK);
            CHECK_U((uintptr_t)address % GV_ALIGNMENT, 0);
            memset(address, 5, sizes[i]);
            size_t size = gv_lease_size(lease);
            CHECK(size >= sizes[i] + gv_lease_head);
            CHECK_U(gv_lease_pieces(lease), 0);
            CHECK(used(arena) == sizes[i]);
            CHECK_U(used(root), used(arena));
            CHECK_U(gv_pool_stats(pool).in_use, size);
            CHECK_U(gv_arena_stats(arena).leases, 1);
            gv_lease_release(gv_lease_retain(lease));
            memset(address, 6, sizes[i]);
            gv_lease_release(lease);
            CHECK_U(gv_pool_stats(pool).idle, size);
            check_balanced(arena);
            REQUIRE(gv_lease_new_slab(arena, (enum gv_pool_kind)kind, sizes[i], &again, &second) ==
                    GV_OK);
            CHECK(second == address); /* warm */
            CHECK_U(gv_pool_stats(pool).idle, 0);
            CHECK_U(gv_lease_size(again), size);
            gv_lease_release(again);
            (void)gv_arena_trim(arena);
        }
        CHECK_U(gv_pool_stats(pool).hits, sizeof sizes / sizeof *sizes);
        CHECK_U(gv_pool_stats(pool).puts, gv_pool_stats(pool).gets);
    }
    check_case("%s", "");
    check_balanced(root);
    gv_arena_release(arena);
    gv_arena_release(root);
}

/* Charges a piece of a pool, as the builders of leases do. */
static struct gv_piece
charged_piece(struct gv_arena *arena, enum gv_pool_kind kind, size_t size)
{
    struct gv_piece piece;
    REQUIRE(gv_pool_get(gv_arena_pool(arena, kind), size, &piece));
    REQUIRE(gv_arena_charge(arena, piece.capacity) == GV_OK);
    memset(piece.base, 9, size);
    return piece;
}

static void
test_a_lease_on_pieces(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, GV_NO_LIMIT);
    for (unsigned with_slab = 0; with_slab < 2; with_slab++) {
        struct gv_lease *lease;
        uint8_t *address, *last = NULL;
        size_t total = 0, charged = 0;
        check_case("with slab %u", with_slab);
        if (with_slab) {
            lease = new_slab(arena, 1000, &address);
            total = gv_lease_size(lease);
            charged = used(arena);
        } else {
            REQUIRE(gv_lease_new_empty(arena, &lease) == GV_OK);
            CHECK_U(gv_lease_size(lease), gv_lease_head);
            CHECK_U(used(arena), 0);
        }
        for (unsigned i = 0; i < GV_LEASE_PIECES; i++) {
            enum gv_pool_kind kind = i % 2 ? GV_POOL_EXTENTS : GV_POOL_BUFFERS;
            size_t size = i % 2 ? (i + 1) * GV_MAPPED_LEAST : (i + 1) * 20 * KIB;
            struct gv_piece piece = charged_piece(arena, kind, size);
            last = piece.base;
            total += piece.capacity;
            charged += piece.capacity;
            gv_lease_add(lease, &piece, kind, piece.capacity);
            CHECK(piece.base == NULL);
            CHECK_U(gv_lease_pieces(lease), i + 1);
        }
        CHECK_U(used(arena), charged);
        CHECK_U(gv_lease_size(lease), total + (with_slab ? 0 : gv_lease_head));
        CHECK_U(gv_arena_stats(arena).leases, 1);
        gv_lease_release(gv_lease_retain(lease));
        CHECK_U(last[0], 9);
        CHECK_U(used(root), charged);
        gv_lease_release(lease);
        check_balanced(arena);
        check_balanced(root);
        CHECK(gv_arena_stats(arena).idle > 0);
        CHECK_U(gv_arena_trim(arena), total);
    }
    check_case("%s", "");
    gv_arena_release(arena);
    gv_arena_release(root);
}

static void
test_leases_without_an_arena(void)
{
    struct gv_lease *lease, *empty;
    uint8_t *address;
    REQUIRE(gv_lease_new(NULL, 1000, &lease, &address) == GV_OK);
    REQUIRE(gv_lease_new_empty(NULL, &empty) == GV_OK);
    struct gv_piece heap = {.base = gv_heap_new(500), .capacity = 500};
    struct gv_piece pages = {.base = gv_os_map(MIB), .capacity = MIB, .mapped = true};
    REQUIRE(heap.base != NULL && pages.base != NULL);
    gv_lease_add(empty, &heap, GV_POOL_BUFFERS, 0);
    gv_lease_add(empty, &pages, GV_POOL_EXTENTS, 0);
    CHECK_U(gv_lease_pieces(empty), 2);
    CHECK_U(gv_lease_size(empty), gv_lease_head + 500 + MIB);
    gv_lease_release(empty);
    gv_lease_release(lease);
}

/* What a result leaves behind is of use to the next one whatever it is made of: columns of the
 * heap and of pages. */
static void
test_results_after_each_other(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, GV_NO_LIMIT);
    size_t page = gv_os_page_size();
    for (unsigned round = 0; round < 205; round++) {
        struct gv_slots slots;
        struct gv_lease *lease;
        uint8_t *addresses[N];
        /* The heap's blocks come to stand at the beginning of a page now and then. */
        void *gap = malloc(round % 64 * 64 + 1);
        size_t sizes[N] = {[0] = 2 * MIB, [1] = page, [2] = page, [3] = page};
        check_case("round %u", round);
        gv_slots_init(&slots, GV_NO_LIMIT, arena);
        for (unsigned i = 0; i < 4; i++) {
            sizes[i] += round % 3 * 100;
        }
        REQUIRE(gv_slots_claim(&slots, sizes) == GV_OK);
        for (unsigned i = 4; i < 7; i++) {
            sizes[i] = MIB; /* more extents than are idle */
        }
        for (unsigned i = 0; i < 4; i++) {
            memset(gv_slots_at(&slots, i), (int)(round + i), sizes[i]);
        }
        REQUIRE(gv_slots_claim(&slots, sizes) == GV_OK);
        CHECK_U(used(arena), slots.claimed_total);
        CHECK_U(gv_pool_stats(gv_arena_pool(arena, GV_POOL_EXTENTS)).in_use, used(arena));
        sizes[5] = sizes[6] = 0;
        REQUIRE(gv_slots_seal(&slots, sizes, &lease, addresses) == GV_OK);
        gv_slots_deinit(&slots);
        for (unsigned i = 0; i < 4; i++) {
            CHECK_U(addresses[i][0], (uint8_t)(round + i));
            CHECK_U(addresses[i][sizes[i] - 1], (uint8_t)(round + i));
        }
        gv_lease_release(lease);
        check_balanced(arena);
        if (round % 10 == 9) {
            (void)gv_pool_trim(gv_arena_pool(arena, GV_POOL_EXTENTS));
        }
        free(gap);
    }
    check_case("%s", "");
    check_balanced(root);
    /* Heap is no extent: it is not kept as one. */
    struct gv_pool *extents = gv_arena_pool(root, GV_POOL_EXTENTS);
    struct gv_piece piece;
    while (gv_pool_take(extents, &piece)) {
        CHECK(piece.mapped);
        gv_piece_free(&piece);
    }
    CHECK_U(gv_pool_stats(extents).idle_pieces, 0);
    gv_arena_release(arena);
    gv_arena_release(root);
}

static void
test_reset(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, 20 * MIB);
    struct gv_lease *lease;
    uint8_t *address;
    CHECK_NAMES(gv_arena_reset(arena), GV_OK);
    make_idle(arena, GV_POOL_BUFFERS, MIB);

    REQUIRE(gv_lease_new(arena, 1000, &lease, &address) == GV_OK);
    CHECK_NAMES(gv_arena_reset(arena), GV_ARENA_IN_USE);
    CHECK_NAMES(gv_arena_reset(root), GV_ARENA_IN_USE); /* what is in it is of its budget */
    CHECK_U(gv_arena_stats(arena).idle, MIB);
    CHECK_U(gv_arena_stats(arena).peak, 1000);
    gv_lease_release(lease);
    CHECK_U(gv_arena_stats(arena).peak, 1000);
    CHECK_NAMES(gv_arena_reset(arena), GV_OK);
    CHECK_U(gv_arena_stats(arena).peak, 0);
    CHECK_U(gv_arena_capacity(arena), 20 * MIB);

    REQUIRE(gv_lease_new_empty(arena, &lease) == GV_OK);
    CHECK_NAMES(gv_arena_reset(arena), GV_ARENA_IN_USE);
    gv_lease_release(lease);
    lease = new_slab(arena, 1000, &address);
    CHECK_NAMES(gv_arena_reset(arena), GV_ARENA_IN_USE);
    gv_lease_release(lease);
    CHECK_NAMES(gv_arena_reset(arena), GV_OK);

    /* Something is being built: columns that grow, or a batch. */
    struct gv_slots slots;
    const size_t sizes[N] = {[1] = MIB, [4] = 100};
    for (unsigned is_batch = 0; is_batch < 2; is_batch++) {
        check_case("a batch %u", is_batch);
        gv_slots_init(&slots, GV_NO_LIMIT, arena);
        CHECK_NAMES(gv_arena_reset(arena), GV_OK);
        REQUIRE((is_batch ? gv_slots_lay(&slots, GV_POOL_PARTICLES, sizes)
                          : gv_slots_claim(&slots, sizes)) == GV_OK);
        memset(gv_slots_at(&slots, 1), 1, MIB);
        CHECK_NAMES(gv_arena_reset(arena), GV_ARENA_IN_USE);
        memset(gv_slots_at(&slots, 1), 2, MIB);
        gv_slots_deinit(&slots);
        CHECK_NAMES(gv_arena_reset(arena), GV_OK);
    }
    check_case("%s", "");
    CHECK_NAMES(gv_arena_reset(root), GV_OK);
    check_balanced(arena);
    gv_arena_release(arena);
    gv_arena_release(root);
}

/* An arena that its owner is done with lives on in its leases, and dies with the last of them. */
static void
test_leases_outlive_their_arena(void)
{
    struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, GV_NO_LIMIT);
    struct gv_lease *block, *empty;
    uint8_t *in_block, *in_slab;
    REQUIRE(gv_lease_new(arena, 1000, &block, &in_block) == GV_OK);
    struct gv_lease *slab = new_slab(arena, MIB, &in_slab);
    size_t charged = used(arena);
    REQUIRE(gv_lease_new_empty(arena, &empty) == GV_OK);
    struct gv_piece piece = charged_piece(arena, GV_POOL_EXTENTS, MIB);
    uint8_t *in_piece = piece.base;
    gv_lease_add(empty, &piece, GV_POOL_EXTENTS, piece.capacity);
    memset(in_block, 1, 1000);
    memset(in_slab, 2, MIB);
    gv_arena_release(arena);
    CHECK_U(used(root), charged + gv_lease_size(empty) - gv_lease_head);
    CHECK_U(in_block[999], 1);
    gv_lease_release(block);
    CHECK_U(in_slab[MIB - 1], 2);
    memset(in_slab, 3, MIB);
    gv_lease_release(slab);
    CHECK_U(in_piece[MIB - 1], 9);
    gv_lease_release(empty);
    check_balanced(root);

    arena = new_arena(root, GV_NO_LIMIT);
    gv_arena_release(root); /* both */
    slab = new_slab(arena, MIB, &in_slab);
    gv_arena_release(arena);
    memset(in_slab, 4, MIB);
    gv_lease_release(slab);
}

/* ---------------------------------------------------------------------------------------------
 * Readers
 * ------------------------------------------------------------------------------------------ */

enum { READS = 20000 };

/* READS records of 2 * 20 + 13 bytes each. */
static uint8_t *
make_text(size_t *size)
{
    enum { RECORD = 53 };
    uint8_t *text = malloc(READS * RECORD + 1);
    REQUIRE(text != NULL);
    for (size_t i = 0; i < READS; i++) {
        char record[RECORD + 20];
        (void)snprintf(record, sizeof record, "@r%06zu\n%s\n+\n%s\n", i, "ACGTACGTACGTACGTACGT",
                       "IIIIIIIIIIIIIIIIIIII");
        memcpy(text + i * RECORD, record, RECORD);
    }
    *size = (size_t)READS * RECORD;
    return text;
}

static struct gv_reader *
open_reader(struct gv_arena *arena, gv_column_set columns, const uint8_t *text, size_t size)
{
    struct gv_reader_options options = {
        .threads = 1,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = columns,
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = GV_RECORD_CAP_MOST,
                .memory_limit = GV_NO_LIMIT,
                .arena = arena,
            },
    };
    struct gv_reader *reader;
    struct gv_source source;
    REQUIRE(gv_reader_new(&options, &reader) == GV_OK);
    gv_source_open_memory(&source, text, size);
    gv_reader_open(reader, source);
    return reader;
}

/* Rows that end where the arena is full are there all the same: they can be sealed, although
 * nothing more can be charged. */
static void
check_full(struct gv_arena *arena, gv_column_set columns, size_t most_rows, enum gv_status expected)
{
    size_t size;
    uint8_t *text = make_text(&size);
    struct gv_reader *reader = open_reader(arena, columns, text, size);
    struct gv_lease *leases[100];
    struct gv_error error = {0};
    enum gv_status status;
    size_t n = 0, rows = 0;
    for (;;) {
        struct gv_sealed sealed;
        status = gv_reader_advance(reader, most_rows, SIZE_MAX, &error);
        if (gv_status_is_memory(status)) {
            CHECK_I(error.detail, gv_reader_rows(reader));
            CHECK_U(error.record, rows + gv_reader_rows(reader) + 1);
        }
        struct gv_error seal_error = {0};
        if (!CHECK_NAMES(gv_reader_seal(reader, &sealed, &seal_error), GV_OK)) {
            break;
        }
        const uint64_t *ordinals = (const uint64_t *)(const void *)sealed.data[GV_COLUMN_METADATA];
        for (size_t i = 0; i < sealed.rows; i++) {
            if (ordinals[i] != rows + i) {
                CHECK_U(ordinals[i], rows + i);
                break;
            }
        }
        rows += sealed.rows;
        REQUIRE(n < sizeof leases / sizeof *leases);
        leases[n++] = sealed.lease;
        if (status != GV_OK) {
            break;
        }
    }
    CHECK_NAMES(status, expected);
    CHECK(rows < READS);
    gv_reader_free(reader);
    while (n > 0) {
        gv_lease_release(leases[--n]);
    }
    check_balanced(arena);
    free(text);
}

static void
test_a_full_arena_is_sealed(void)
{
    static const size_t capacities[] = {5 * KIB, 50 * KIB, 300 * KIB, 600 * KIB};
    static const size_t most_rows[] = {SIZE_MAX, 100000, 1500, 300};
    for (unsigned i = 0; i < 64; i++) {
        bool is_root = i % 2 == 1, has_text = i / 2 % 2 == 1;
        size_t capacity = capacities[i / 4 % 4], most = most_rows[i / 16];
        struct gv_arena *root = new_arena(NULL, is_root ? capacity : GV_NO_LIMIT);
        struct gv_arena *arena = new_arena(root, is_root ? GV_NO_LIMIT : capacity);
        check_case("capacity %zu of the %s, %zu rows, %s text", capacity,
                   is_root ? "process" : "arena", most, has_text ? "with" : "without");
        check_full(arena, has_text ? GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1 : 0x7f, most,
                   is_root ? GV_MEMORY_LIMIT : GV_ARENA_FULL);
        CHECK(gv_arena_stats(arena).peak <= capacity);
        gv_arena_release(arena);
        gv_arena_release(root);
    }
    check_case("%s", "");
}

/* Batches that nobody looks at any more, but that nobody has let go of either. */
struct garbage {
    struct gv_lease *leases[100];
    size_t n;
    unsigned calls;
};

static bool
collect(void *context)
{
    struct garbage *garbage = context;
    bool is_worth_it = garbage->n > 0;
    garbage->calls++;
    while (garbage->n > 0) {
        gv_lease_release(garbage->leases[--garbage->n]);
    }
    return is_worth_it;
}

/* Reading goes on in as little memory as it takes, and asks for it when it must only. */
static void
test_reading_with_garbage(void)
{
    enum { ROWS = 500 };
    static const gv_column_set columns[] = {0x7f, GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1};
    static const size_t capacities[] = {MIB, 4 * MIB};
    for (unsigned i = 0; i < 2; i++) {
        struct garbage garbage = {.n = 0};
        struct gv_arena *root = new_arena(NULL, capacities[i]);
        struct gv_arena *arena = new_arena(root, GV_NO_LIMIT);
        gv_arena_on_full(root, collect, &garbage);
        size_t size, rows = 0;
        uint8_t *text = make_text(&size);
        struct gv_reader *reader = NULL;
        struct gv_sealed sealed;
        struct gv_error error;
        check_case("columns 0x%x", columns[i]);
        for (unsigned round = 0; round < 20; round++) {
            enum gv_status status;
            reader = open_reader(arena, columns[i], text, size);
            do {
                status = gv_reader_advance(reader, ROWS, SIZE_MAX, &error);
                REQUIRE(status == GV_OK || status == GV_END);
                REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
                rows += sealed.rows;
                REQUIRE(garbage.n < sizeof garbage.leases / sizeof *garbage.leases);
                garbage.leases[garbage.n++] = sealed.lease;
            } while (status == GV_OK);
            gv_reader_free(reader);
        }
        CHECK_U(rows, 20 * READS);
        CHECK(garbage.calls > 0);
        CHECK(garbage.calls < 20 * READS / ROWS / 3); /* several batches fit */
        (void)collect(&garbage);
        check_balanced(root);
        CHECK(gv_arena_stats(root).peak <= capacities[i]);
        free(text);
        gv_arena_release(arena);
        gv_arena_release(root);
    }
    check_case("%s", "");
}

/* ---------------------------------------------------------------------------------------------
 * Threads
 * ------------------------------------------------------------------------------------------ */

enum { THREADS = 4, ROUNDS = 3000 };

struct worker {
    struct gv_arena *arena;
    struct gv_lease *shared;
    const uint8_t *bytes;
    unsigned number;
    uint64_t made, refused, wrong;
};

/* A lease of some kind; NULL where the arena is full. */
static struct gv_lease *
try_lease(struct worker *worker, uint64_t *random, uint8_t **address, size_t *size)
{
    struct gv_lease *lease = NULL;
    *size = 1 + check_below(random, check_below(random, 2) ? 2000 : 400 * KIB);
    enum gv_status status =
        check_below(random, 3) == 0
            ? gv_lease_new(worker->arena, *size, &lease, address)
            : gv_lease_new_slab(worker->arena,
                                (enum gv_pool_kind)(1 + check_below(random, GV_POOL_KINDS - 1)),
                                *size, &lease, address);
    worker->made += status == GV_OK;
    worker->refused += status != GV_OK;
    worker->wrong += status != GV_OK && status != GV_ARENA_FULL && status != GV_MEMORY_LIMIT;
    return lease;
}

static void *
work(void *context)
{
    struct worker *worker = context;
    uint64_t random = worker->number;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t *address = NULL;
        size_t size;
        struct gv_lease *lease = try_lease(worker, &random, &address, &size);
        (void)gv_lease_retain(worker->shared);
        if (lease != NULL) {
            memset(address, (int)worker->number, size);
            (void)gv_lease_retain(lease);
            gv_lease_release(lease);
            worker->wrong += address[size - 1] != worker->number;
            gv_lease_release(lease);
        }
        worker->wrong += worker->bytes[round % 1000] != 77;
        gv_lease_release(worker->shared);
        if (round % 500 == 499) {
            (void)gv_arena_trim(worker->arena);
        }
        struct gv_arena_stats stats = gv_arena_stats(worker->arena);
        worker->wrong += stats.used > stats.capacity || stats.peak > stats.capacity;
    }
    gv_lease_release(worker->shared);
    return NULL;
}

static void
test_threads(void)
{
    struct gv_arena *root = new_arena(NULL, 3 * MIB / 2);
    struct gv_arena *arenas[2] = {new_arena(root, MIB), new_arena(root, MIB)};
    struct gv_lease *shared;
    uint8_t *bytes;
    REQUIRE(gv_lease_new(arenas[0], 1000, &shared, &bytes) == GV_OK);
    memset(bytes, 77, 1000);
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    uint64_t made = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){
            .arena = arenas[i % 2], .shared = gv_lease_retain(shared), .bytes = bytes, .number = i};
        REQUIRE(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    gv_lease_release(shared); /* one of the threads is its last holder */
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
        CHECK_U(workers[i].wrong, 0);
        CHECK_U(workers[i].made + workers[i].refused, ROUNDS);
        made += workers[i].made;
    }
    CHECK(made > 0);
    for (unsigned i = 0; i < 2; i++) {
        check_balanced(arenas[i]);
        CHECK_NAMES(gv_arena_reset(arenas[i]), GV_OK);
        gv_arena_release(arenas[i]);
    }
    check_balanced(root);
    CHECK(gv_arena_stats(root).peak <= 3 * MIB / 2);
    CHECK_NAMES(gv_arena_reset(root), GV_OK);
    gv_arena_release(root);
}

/* Many arenas come and go around leases that other threads let go of. */
static void *
let_go(void *context)
{
    gv_lease_release(context);
    return NULL;
}

static void
test_the_last_lease_on_another_thread(void)
{
    for (unsigned round = 0; round < 200; round++) {
        struct gv_arena *root = new_arena(NULL, GV_NO_LIMIT), *arena = new_arena(root, GV_NO_LIMIT);
        uint8_t *address;
        struct gv_lease *lease = new_slab(arena, 1000 + round * KIB, &address);
        pthread_t thread;
        memset(address, 1, 1000);
        REQUIRE(pthread_create(&thread, NULL, let_go, lease) == 0);
        gv_arena_release(root);
        gv_arena_release(arena);
        REQUIRE(pthread_join(thread, NULL) == 0);
    }
}

int
main(void)
{
    test_names();
    test_a_new_arena();
    test_charges_are_counted_around();
    test_a_peak_is_of_what_was_charged();
    test_a_capacity_that_changes();
    test_idle_memory_gives_way();
    test_reclaiming();
    test_leases_that_are_refused();
    test_a_lease_on_a_block();
    test_a_lease_on_a_slab();
    test_a_lease_on_pieces();
    test_leases_without_an_arena();
    test_results_after_each_other();
    test_reset();
    test_leases_outlive_their_arena();
    test_a_full_arena_is_sealed();
    test_reading_with_garbage();
    test_threads();
    test_the_last_lease_on_another_thread();
    return check_result();
}
