#include "gv_pool.h"

#include <stdlib.h>

#include "gv_os.h"

/* Places for idle pieces: the batches that somebody holds and lets go of at once, and the columns
 * of slices. */
#define PLACES 512

/* VACANT -> BUSY -> IDLE -> BUSY -> VACANT.  Whoever made it BUSY has it, and nobody else looks at
 * the piece. */
enum state { VACANT, BUSY, IDLE };

/* Invariant: capacity and mapped are the piece's while the place is IDLE; others may read stale
 * ones. */
struct place {
    atomic_int state;
    atomic_size_t capacity;
    atomic_bool mapped;
    struct gv_piece piece;
};

/* Invariant, while nobody is inside: idle is the sum of the idle pieces' capacities, *shared_idle
 * that of all pools that share it, and at most idle_limit. */
struct gv_pool {
    size_t idle_limit;
    atomic_size_t *shared_idle;
    atomic_size_t idle, in_use, peak;
    atomic_uint_fast64_t gets, hits, misses, puts;
    atomic_size_t n_places; /* that were ever taken: the first ones, so a search ends soon */
    struct place places[PLACES];
};

void *
gv_heap_new(size_t size)
{
    size_t rounded;
    if (!gv_round_up(size, GV_ALIGNMENT, &rounded)) {
        return NULL;
    }
    return aligned_alloc(GV_ALIGNMENT, gv_max_size(rounded, GV_ALIGNMENT));
}

void
gv_piece_advise(struct gv_piece *piece)
{
    if (piece->mapped && !piece->huge && piece->capacity >= GV_HUGE_LEAST) {
        gv_os_advise_huge(piece->base, piece->capacity);
        piece->huge = true;
    }
}

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
gv_pool_new(atomic_size_t *idle, size_t idle_limit)
{
    struct gv_pool *pool = calloc(1, sizeof *pool);
    if (pool != NULL) {
        pool->shared_idle = idle;
        pool->idle_limit = idle_limit;
    }
    return pool;
}

void
gv_pool_free(struct gv_pool *pool)
{
    if (pool != NULL) {
        (void)gv_pool_trim(pool);
        free(pool);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Counts
 * ------------------------------------------------------------------------------------------ */

static void
add(atomic_size_t *count, size_t n)
{
    atomic_fetch_add_explicit(count, n, memory_order_relaxed);
}

static void
subtract(atomic_size_t *count, size_t n)
{
    atomic_fetch_sub_explicit(count, n, memory_order_relaxed);
}

static void
count_one(atomic_uint_fast64_t *count)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

void
gv_raise_to(atomic_size_t *peak, size_t value)
{
    size_t now = atomic_load_explicit(peak, memory_order_relaxed);
    while (value > now && !atomic_compare_exchange_weak_explicit(
                              peak, &now, value, memory_order_relaxed, memory_order_relaxed)) {
    }
}

void
gv_pool_count(struct gv_pool *pool, size_t more, size_t less)
{
    size_t now = atomic_fetch_add_explicit(&pool->in_use, more - less, memory_order_relaxed);
    if (more > less) {
        gv_raise_to(&pool->peak, now + more - less);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Idle pieces
 * ------------------------------------------------------------------------------------------ */

static bool
turn(struct place *place, int from, int to)
{
    return atomic_load_explicit(&place->state, memory_order_relaxed) == from &&
           atomic_compare_exchange_strong_explicit(&place->state, &from, to, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

static size_t
taken_places(struct gv_pool *pool)
{
    return atomic_load_explicit(&pool->n_places, memory_order_relaxed);
}

/* Takes the piece out of a place that the caller made BUSY. */
static void
empty(struct gv_pool *pool, struct place *place, struct gv_piece *piece)
{
    *piece = place->piece;
    GV_UNPOISON(piece->base, piece->capacity);
    subtract(&pool->idle, piece->capacity);
    subtract(pool->shared_idle, piece->capacity);
    atomic_store_explicit(&place->state, VACANT, memory_order_release);
}

/* Takes the idle piece of least..most bytes that is the smallest, or the largest. */
static bool
find_idle(struct gv_pool *pool, size_t least, size_t most, bool largest, struct gv_piece *piece)
{
    for (;;) {
        struct place *best = NULL;
        size_t best_capacity = 0, n = taken_places(pool);
        for (size_t i = 0; i < n; i++) {
            struct place *place = &pool->places[i];
            if (atomic_load_explicit(&place->state, memory_order_relaxed) != IDLE) {
                continue;
            }
            size_t capacity = atomic_load_explicit(&place->capacity, memory_order_relaxed);
            if (largest && !atomic_load_explicit(&place->mapped, memory_order_relaxed)) {
                continue; /* its taker resizes it, which heap does not allow */
            }
            bool is_better = best == NULL || (capacity > best_capacity) == largest;
            if (capacity >= least && capacity <= most && is_better) {
                best = place;
                best_capacity = capacity;
            }
        }
        if (best == NULL) {
            return false;
        }
        if (!turn(best, IDLE, BUSY)) {
            continue; /* somebody was quicker, so somebody gets on */
        }
        if (best->piece.capacity >= least && best->piece.capacity <= most &&
            (best->piece.mapped || !largest)) {
            empty(pool, best, piece);
            return true;
        }
        /* Another piece has taken the place meanwhile. */
        atomic_store_explicit(&best->state, IDLE, memory_order_release);
    }
}

/* Keeps a piece; false where it has to go. */
static bool
keep(struct gv_pool *pool, const struct gv_piece *piece)
{
    size_t idle = atomic_load_explicit(pool->shared_idle, memory_order_relaxed);
    do {
        if (idle > pool->idle_limit || piece->capacity > pool->idle_limit - idle) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(pool->shared_idle, &idle,
                                                    idle + piece->capacity, memory_order_relaxed,
                                                    memory_order_relaxed));
    add(&pool->idle, piece->capacity);
    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &pool->places[i];
        if (turn(place, VACANT, BUSY)) {
            gv_raise_to(&pool->n_places, i + 1);
            place->piece = *piece;
            GV_POISON(piece->base, piece->capacity);
            atomic_store_explicit(&place->capacity, piece->capacity, memory_order_relaxed);
            atomic_store_explicit(&place->mapped, piece->mapped, memory_order_relaxed);
            atomic_store_explicit(&place->state, IDLE, memory_order_release);
            return true;
        }
    }
    subtract(&pool->idle, piece->capacity);
    subtract(pool->shared_idle, piece->capacity);
    return false;
}

/* The capacity of a fresh piece for `size` bytes: a multiple of an eighth of its power of two, so
 * that needs that differ a little are met by the same pieces.  False on overflow. */
static bool
round_size(size_t size, size_t *capacity)
{
    size_t unit = GV_ALIGNMENT;
    size_t least = size >= GV_MAPPED_LEAST ? gv_os_page_size() : GV_ALIGNMENT;
    while (unit < least || unit < size / 16) {
        unit *= 2;
    }
    return gv_round_up(size, unit, capacity);
}

/* A fresh piece of at least `size` bytes and, where rounding would pass `most`, of no more. */
static bool
make_piece(size_t size, size_t most, struct gv_piece *piece)
{
    size_t capacity;
    if (!round_size(size, &capacity)) {
        return false;
    }
    capacity = capacity > most ? size : capacity;
    bool mapped = capacity >= GV_MAPPED_LEAST;
    *piece = (struct gv_piece){.base = mapped ? gv_os_map(capacity) : gv_heap_new(capacity),
                               .capacity = capacity,
                               .mapped = mapped};
    if (piece->base == NULL) {
        *piece = (struct gv_piece){0};
        return false;
    }
    gv_piece_advise(piece);
    return true;
}

static bool
get(struct gv_pool *pool, size_t size, size_t most, struct gv_piece *piece)
{
    if (pool == NULL) {
        return make_piece(size, most, piece);
    }
    size_t twice = size <= SIZE_MAX / 2 ? gv_max_size(2 * size, 4096) : SIZE_MAX;
    bool is_hit = find_idle(pool, size, gv_min_size(twice, most), false, piece);
    count_one(&pool->gets);
    count_one(is_hit ? &pool->hits : &pool->misses);
    if (!is_hit && !make_piece(size, most, piece)) {
        return false;
    }
    gv_pool_count(pool, piece->capacity, 0);
    return true;
}

bool
gv_pool_get(struct gv_pool *pool, size_t size, struct gv_piece *piece)
{
    assert(size > 0);
    return get(pool, size, SIZE_MAX, piece);
}

bool
gv_pool_get_heap(struct gv_pool *pool, size_t size, struct gv_piece *piece)
{
    assert(size > 0 && size < GV_MAPPED_LEAST);
    return get(pool, size, GV_MAPPED_LEAST - 1, piece);
}

/* The widest column of a table outgrows the heap first, so handing out the largest extent gives
 * each column the one that it had in the result before. */
bool
gv_pool_take(struct gv_pool *pool, struct gv_piece *piece)
{
    bool is_hit = find_idle(pool, 1, SIZE_MAX, true, piece);
    count_one(&pool->gets);
    count_one(is_hit ? &pool->hits : &pool->misses);
    return is_hit;
}

void
gv_pool_put(struct gv_pool *pool, struct gv_piece *piece, size_t used)
{
    if (piece->base == NULL) {
        return;
    }
    if (pool != NULL) {
        gv_pool_count(pool, 0, used);
        count_one(&pool->puts);
    }
    if (pool == NULL || !keep(pool, piece)) {
        gv_piece_free(piece);
    }
    *piece = (struct gv_piece){0};
}

size_t
gv_pool_trim(struct gv_pool *pool)
{
    size_t given_back = 0, n = taken_places(pool);
    for (size_t i = 0; i < n; i++) {
        struct place *place = &pool->places[i];
        if (turn(place, IDLE, BUSY)) {
            struct gv_piece piece;
            empty(pool, place, &piece);
            given_back += piece.capacity;
            gv_piece_free(&piece);
        }
    }
    return given_back;
}

struct gv_pool_stats
gv_pool_stats(const struct gv_pool *pool)
{
    struct gv_pool *p = (struct gv_pool *)(uintptr_t)pool; /* C11 loads take no const */
    struct gv_pool_stats stats = {
        .gets = atomic_load_explicit(&p->gets, memory_order_relaxed),
        .hits = atomic_load_explicit(&p->hits, memory_order_relaxed),
        .misses = atomic_load_explicit(&p->misses, memory_order_relaxed),
        .puts = atomic_load_explicit(&p->puts, memory_order_relaxed),
        .in_use = atomic_load_explicit(&p->in_use, memory_order_relaxed),
        .peak = atomic_load_explicit(&p->peak, memory_order_relaxed),
        .idle = atomic_load_explicit(&p->idle, memory_order_relaxed),
    };
    for (size_t i = 0, n = taken_places(p); i < n; i++) {
        stats.idle_pieces +=
            atomic_load_explicit(&p->places[i].state, memory_order_relaxed) == IDLE;
    }
    return stats;
}
