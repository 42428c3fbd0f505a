#include "check.h"
#include "gv.h"

#include <pthread.h>

static struct gv_piece
extent(size_t size)
{
    struct gv_piece piece = {.base = gv_os_map(size), .capacity = size, .mapped = true};
    REQUIRE(piece.base != NULL);
    return piece;
}

static void
test_the_largest_comes_first(void)
{
    size_t page = gv_os_page_size();
    struct gv_pool *pool = gv_pool_new(100 * page);
    struct gv_piece piece;
    CHECK(!gv_pool_take(pool, &piece));
    for (size_t pages = 1; pages <= 3; pages++) {
        struct gv_piece put = extent(pages * page);
        put.base[0] = (uint8_t)pages;
        gv_pool_put(pool, &put);
        CHECK(put.base == NULL);
    }
    CHECK_U(gv_pool_stats(pool).idle_bytes, 6 * page);
    for (size_t pages = 3; pages >= 1; pages--) {
        REQUIRE(gv_pool_take(pool, &piece));
        CHECK_U(piece.capacity, pages * page);
        CHECK_U(piece.base[0], pages); /* warm: the bytes are those of its last use */
        gv_piece_free(&piece);
    }
    struct gv_pool_stats stats = gv_pool_stats(pool);
    CHECK_U(stats.hits, 3);
    CHECK_U(stats.misses, 1);
    CHECK_U(stats.puts, 3);
    CHECK_U(stats.idle_bytes, 0);
    gv_pool_release(pool);
}

static void
test_what_is_kept_is_bounded(void)
{
    size_t page = gv_os_page_size();
    struct gv_pool *pool = gv_pool_new(5 * page);
    for (size_t i = 0; i < 4; i++) {
        struct gv_piece put = extent(2 * page);
        gv_pool_put(pool, &put);
    }
    CHECK_U(gv_pool_stats(pool).idle_bytes, 4 * page);
    gv_pool_trim(pool);
    CHECK_U(gv_pool_stats(pool).idle_bytes, 0);
    for (size_t i = 0; i < 1000; i++) { /* more than it has places for */
        struct gv_piece put = extent(page);
        gv_pool_put(pool, &put);
    }
    CHECK(gv_pool_stats(pool).idle_bytes <= 5 * page);
    gv_pool_release(pool);
}

/* An arena whose one slot holds `size` bytes, sealed. */
static struct gv_lease *
make_lease(struct gv_pool *pool, size_t size, uint8_t **base)
{
    struct gv_arena arena;
    struct gv_lease *lease;
    uint8_t *addresses[GV_ARENA_SLOTS];
    size_t sizes[GV_ARENA_SLOTS] = {size};
    gv_arena_init(&arena, GV_NO_LIMIT, pool);
    REQUIRE(gv_arena_claim(&arena, sizes) == GV_OK);
    memset(gv_arena_slot(&arena, 0), 7, size);
    REQUIRE(gv_arena_seal(&arena, sizes, &lease, addresses) == GV_OK);
    gv_arena_deinit(&arena);
    *base = addresses[0];
    return lease;
}

static void
test_a_lease_gives_its_extents_to_the_next_result(void)
{
    size_t size = (size_t)8 << 20;
    struct gv_pool *pool = gv_pool_new(64 << 20);
    uint8_t *first, *second, *larger;
    struct gv_lease *lease = make_lease(pool, size, &first);
    gv_lease_release(lease);
    CHECK_U(gv_pool_stats(pool).idle_bytes, size);
    lease = make_lease(pool, size, &second);
    CHECK(first == second);
    CHECK_U(gv_pool_stats(pool).idle_bytes, 0);
    gv_lease_release(lease);

    lease = make_lease(pool, 3 * size, &larger); /* a warm extent grows */
    CHECK_U(larger[3 * size - 1], 7);
    CHECK_U(gv_pool_stats(pool).idle_bytes, 0);

    gv_pool_release(pool); /* the lease holds it on */
    CHECK_U(larger[0], 7);
    gv_lease_release(lease);
}

static void *
take_and_put(void *pool)
{
    for (int i = 0; i < 20000; i++) {
        struct gv_piece piece;
        if (!gv_pool_take(pool, &piece)) {
            size_t page = gv_os_page_size();
            piece = (struct gv_piece){.base = gv_os_map(page), .capacity = page, .mapped = true};
        }
        if (piece.base[0]++ != 0) {
            return pool; /* two threads had one extent */
        }
        piece.base[0] = 0;
        gv_pool_put(pool, &piece);
    }
    return NULL;
}

static void
test_many_threads(void)
{
    struct gv_pool *pool = gv_pool_new(1 << 20);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, take_and_put, pool) == 0);
    }
    for (int i = 0; i < 4; i++) {
        void *fault;
        pthread_join(threads[i], &fault);
        CHECK(fault == NULL);
    }
    struct gv_pool_stats stats = gv_pool_stats(pool);
    CHECK_U(stats.hits + stats.misses, 80000);
    CHECK_U(stats.puts, 80000);
    gv_pool_release(pool);
}

int
main(void)
{
    test_the_largest_comes_first();
    test_what_is_kept_is_bounded();
    test_a_lease_gives_its_extents_to_the_next_result();
    test_many_threads();
    return check_result();
}
