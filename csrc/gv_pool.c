#include "gv_pool.h"

#include <stdlib.h>

#include "gv_os.h"

/* Idle extents at most: the columns of a few results. */
#define SLOTS 64

/* Invariants, while `busy` is held: extents[0, count) are mapped; idle_bytes is the sum of their
 * capacities, at most idle_limit. */
struct gv_pool {
    atomic_size_t holders;
    atomic_flag busy;
    size_t idle_limit;
    size_t count;
    struct gv_piece extents[SLOTS];
    atomic_size_t idle_bytes;
    atomic_uint_fast64_t hits, misses, puts;
};

void
gv_piece_free(struct gv_piece *piece)
{
    if (piece->mapped) {
        (void)gv_os_unmap(piece->base, piece->capacity); /* refused: lost, but harmless */
    } else {
        free(piece->base);
    }
    *piece = (struct gv_piece){0};
}

struct gv_pool *
gv_pool_new(size_t idle_limit)
{
    struct gv_pool *pool = calloc(1, sizeof *pool);
    if (pool != NULL) {
        atomic_init(&pool->holders, 1);
        atomic_flag_clear(&pool->busy);
        pool->idle_limit = idle_limit;
    }
    return pool;
}

struct gv_pool *
gv_pool_retain(struct gv_pool *pool)
{
    atomic_fetch_add_explicit(&pool->holders, 1, memory_order_relaxed);
    return pool;
}

void
gv_pool_release(struct gv_pool *pool)
{
    if (atomic_fetch_sub_explicit(&pool->holders, 1, memory_order_acq_rel) == 1) {
        gv_pool_trim(pool);
        free(pool);
    }
}

static bool
enter(struct gv_pool *pool)
{
    return !atomic_flag_test_and_set_explicit(&pool->busy, memory_order_acquire);
}

static void
leave(struct gv_pool *pool)
{
    atomic_flag_clear_explicit(&pool->busy, memory_order_release);
}

/* The widest column of a table outgrows the heap first, so handing out the largest extent gives
 * each column the one that it had in the result before. */
bool
gv_pool_take(struct gv_pool *pool, struct gv_piece *piece)
{
    bool found = false;
    if (enter(pool)) {
        size_t best = 0;
        for (size_t i = 1; i < pool->count; i++) {
            if (pool->extents[i].capacity > pool->extents[best].capacity) {
                best = i;
            }
        }
        found = pool->count > 0;
        if (found) {
            *piece = pool->extents[best];
            pool->extents[best] = pool->extents[--pool->count];
            atomic_fetch_sub_explicit(&pool->idle_bytes, piece->capacity, memory_order_relaxed);
        }
        leave(pool);
    }
    atomic_fetch_add_explicit(found ? &pool->hits : &pool->misses, 1, memory_order_relaxed);
    return found;
}

void
gv_pool_put(struct gv_pool *pool, struct gv_piece *piece)
{
    assert(piece->mapped);
    bool kept = false;
    if (enter(pool)) {
        size_t idle = atomic_load_explicit(&pool->idle_bytes, memory_order_relaxed);
        kept = pool->count < SLOTS && piece->capacity <= pool->idle_limit - idle;
        if (kept) {
            pool->extents[pool->count++] = *piece;
            atomic_fetch_add_explicit(&pool->idle_bytes, piece->capacity, memory_order_relaxed);
        }
        leave(pool);
    }
    if (!kept) {
        gv_piece_free(piece);
    }
    *piece = (struct gv_piece){0};
    atomic_fetch_add_explicit(&pool->puts, 1, memory_order_relaxed);
}

void
gv_pool_trim(struct gv_pool *pool)
{
    if (!enter(pool)) {
        return;
    }
    for (size_t i = 0; i < pool->count; i++) {
        gv_piece_free(&pool->extents[i]);
    }
    pool->count = 0;
    atomic_store_explicit(&pool->idle_bytes, 0, memory_order_relaxed);
    leave(pool);
}

struct gv_pool_stats
gv_pool_stats(const struct gv_pool *pool)
{
    struct gv_pool *p = (struct gv_pool *)(uintptr_t)pool; /* C11 loads take no const */
    return (struct gv_pool_stats){
        .hits = atomic_load_explicit(&p->hits, memory_order_relaxed),
        .misses = atomic_load_explicit(&p->misses, memory_order_relaxed),
        .puts = atomic_load_explicit(&p->puts, memory_order_relaxed),
        .idle_bytes = atomic_load_explicit(&p->idle_bytes, memory_order_relaxed),
    };
}
