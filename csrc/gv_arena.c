#include "gv_arena.h"

#include <stdlib.h>

struct gv_arena {
    atomic_size_t holders;
    struct gv_arena *parent; /* held; NULL for the process's own */
    gv_reclaim_fn reclaim;
    void *context;
    atomic_size_t capacity, used, peak, idle, leases;
    struct gv_pool *pools[GV_POOL_KINDS]; /* the parent's, where there is one */
};

const char *
gv_pool_kind_name(enum gv_pool_kind kind)
{
    static const char *const names[GV_POOL_KINDS] = {
        [GV_POOL_EXTENTS] = "extents", [GV_POOL_PARTICLES] = "particles",
        [GV_POOL_VOXELS] = "voxels",   [GV_POOL_COORDINATES] = "coordinates",
        [GV_POOL_BUFFERS] = "buffers",
    };
    return names[kind];
}

struct gv_arena *
gv_arena_new(struct gv_arena *parent, size_t capacity, size_t idle_limit)
{
    struct gv_arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL) {
        return NULL;
    }
    atomic_init(&arena->holders, 1);
    atomic_init(&arena->capacity, capacity);
    if (parent != NULL) {
        arena->parent = gv_arena_retain(parent);
        memcpy(arena->pools, parent->pools, sizeof arena->pools);
        return arena;
    }
    for (unsigned i = 0; i < GV_POOL_KINDS; i++) {
        arena->pools[i] = gv_pool_new(&arena->idle, idle_limit);
        if (arena->pools[i] == NULL) {
            gv_arena_release(arena);
            return NULL;
        }
    }
    return arena;
}

struct gv_arena *
gv_arena_retain(struct gv_arena *arena)
{
    atomic_fetch_add_explicit(&arena->holders, 1, memory_order_relaxed);
    return arena;
}

void
gv_arena_release(struct gv_arena *arena)
{
    if (atomic_fetch_sub_explicit(&arena->holders, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (unsigned i = 0; arena->parent == NULL && i < GV_POOL_KINDS; i++) {
        gv_pool_free(arena->pools[i]);
    }
    if (arena->parent != NULL) {
        gv_arena_release(arena->parent);
    }
    free(arena);
}

void
gv_arena_on_full(struct gv_arena *arena, gv_reclaim_fn reclaim, void *context)
{
    arena->reclaim = reclaim;
    arena->context = context;
}

bool
gv_arena_reclaim(struct gv_arena *arena)
{
    struct gv_arena *root = gv_arena_root(arena);
    return root->reclaim != NULL ? root->reclaim(root->context) : gv_arena_trim(root) > 0;
}

struct gv_arena *
gv_arena_root(struct gv_arena *arena)
{
    while (arena->parent != NULL) {
        arena = arena->parent;
    }
    return arena;
}

size_t
gv_arena_capacity(const struct gv_arena *arena)
{
    return gv_arena_stats(arena).capacity;
}

struct gv_pool *
gv_arena_pool(struct gv_arena *arena, enum gv_pool_kind kind)
{
    return arena->pools[kind];
}

bool
gv_arena_get(struct gv_arena *arena, enum gv_pool_kind kind, size_t size, struct gv_piece *piece)
{
    struct gv_pool *pool = arena != NULL ? gv_arena_pool(arena, kind) : NULL;
    return gv_pool_get(pool, size, piece) ||
           (arena != NULL && gv_arena_reclaim(arena) && gv_pool_get(pool, size, piece));
}

/* ---------------------------------------------------------------------------------------------
 * Charges
 * ------------------------------------------------------------------------------------------ */

static bool
charge_one(struct gv_arena *arena, size_t size)
{
    size_t capacity = atomic_load_explicit(&arena->capacity, memory_order_relaxed);
    size_t used = atomic_load_explicit(&arena->used, memory_order_relaxed);
    do {
        if (used > capacity || size > capacity - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&arena->used, &used, used + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

/* Idle memory takes part in the capacity, and gives way. */
static void
trim_excess(struct gv_arena *arena)
{
    size_t capacity = atomic_load_explicit(&arena->capacity, memory_order_relaxed);
    size_t used = atomic_load_explicit(&arena->used, memory_order_relaxed);
    size_t idle = atomic_load_explicit(&arena->idle, memory_order_relaxed);
    if (GV_UNLIKELY(idle > 0 && (used > capacity || idle > capacity - used))) {
        (void)gv_arena_trim(arena);
    }
}

enum gv_status
gv_arena_try_charge(struct gv_arena *arena, size_t size)
{
    for (struct gv_arena *each = arena; each != NULL; each = each->parent) {
        if (!charge_one(each, size)) {
            for (struct gv_arena *done = arena; done != each; done = done->parent) {
                atomic_fetch_sub_explicit(&done->used, size, memory_order_relaxed);
            }
            return each->parent != NULL ? GV_ARENA_FULL : GV_MEMORY_LIMIT;
        }
    }
    for (struct gv_arena *each = arena; each != NULL; each = each->parent) {
        gv_raise_to(&each->peak, atomic_load_explicit(&each->used, memory_order_relaxed));
    }
    trim_excess(gv_arena_root(arena));
    return GV_OK;
}

enum gv_status
gv_arena_charge(struct gv_arena *arena, size_t size)
{
    enum gv_status status = gv_arena_try_charge(arena, size);
    struct gv_arena *root = gv_arena_root(arena);
    if (GV_UNLIKELY(status != GV_OK) && root->reclaim != NULL && root->reclaim(root->context)) {
        status = gv_arena_try_charge(arena, size);
    }
    return status;
}

void
gv_arena_discharge(struct gv_arena *arena, size_t size)
{
    for (struct gv_arena *each = arena; each != NULL; each = each->parent) {
        size_t used = atomic_fetch_sub_explicit(&each->used, size, memory_order_relaxed);
        assert(used >= size);
        (void)used;
    }
    trim_excess(gv_arena_root(arena)); /* what was given back meanwhile may be too much to keep */
}

size_t
gv_arena_trim(struct gv_arena *arena)
{
    size_t given_back = 0;
    for (unsigned i = 0; i < GV_POOL_KINDS; i++) {
        given_back += gv_pool_trim(arena->pools[i]);
    }
    return given_back;
}

void
gv_arena_set_capacity(struct gv_arena *arena, size_t capacity)
{
    atomic_store_explicit(&arena->capacity, capacity, memory_order_relaxed);
    trim_excess(arena);
}

enum gv_status
gv_arena_reset(struct gv_arena *arena)
{
    if (atomic_load_explicit(&arena->leases, memory_order_acquire) > 0 ||
        atomic_load_explicit(&arena->used, memory_order_relaxed) > 0) {
        return GV_ARENA_IN_USE;
    }
    atomic_store_explicit(&arena->peak, 0, memory_order_relaxed);
    return GV_OK;
}

struct gv_arena_stats
gv_arena_stats(const struct gv_arena *arena)
{
    struct gv_arena *a = (struct gv_arena *)(uintptr_t)arena; /* C11 loads take no const */
    return (struct gv_arena_stats){
        .capacity = atomic_load_explicit(&a->capacity, memory_order_relaxed),
        .used = atomic_load_explicit(&a->used, memory_order_relaxed),
        .peak = atomic_load_explicit(&a->peak, memory_order_relaxed),
        .idle = atomic_load_explicit(&gv_arena_root(a)->idle, memory_order_relaxed),
        .leases = atomic_load_explicit(&a->leases, memory_order_relaxed),
    };
}

/* ---------------------------------------------------------------------------------------------
 * Leases
 * ------------------------------------------------------------------------------------------ */

/* A piece, the pool that it goes back to, and what the arena was charged for it. */
struct part {
    struct gv_piece piece;
    enum gv_pool_kind kind;
    size_t charged;
};

/* Layout of a block or slab: [struct gv_lease | its bytes, aligned to GV_ALIGNMENT].  `own` is the
 * piece that the lease itself stands in. */
struct gv_lease {
    atomic_size_t holders;
    struct gv_arena *arena; /* held; may be NULL */
    struct part own;        /* of no pool (GV_POOL_KINDS): a block of its own */
    size_t n_parts;
    struct part parts[GV_LEASE_PIECES];
};

#define HEAD ((sizeof(struct gv_lease) + GV_ALIGNMENT - 1) & ~(GV_ALIGNMENT - 1))

const size_t gv_lease_head = HEAD;

/* A lease at the front of `piece`. */
static struct gv_lease *
begin(struct gv_arena *arena, const struct gv_piece *piece, size_t charged)
{
    struct gv_lease *made = (struct gv_lease *)(void *)piece->base;
    *made = (struct gv_lease){.own = {.piece = *piece, .charged = charged}};
    atomic_init(&made->holders, 1);
    if (arena != NULL) {
        made->arena = gv_arena_retain(arena);
        atomic_fetch_add_explicit(&arena->leases, 1, memory_order_relaxed);
    }
    return made;
}

enum gv_status
gv_lease_new_from(struct gv_arena *arena, enum gv_pool_kind kind, size_t size, size_t charged,
                  struct gv_lease **lease, uint8_t **address)
{
    bool is_pooled = arena != NULL && kind != GV_POOL_KINDS;
    struct gv_piece piece = {0};
    if (!gv_add_size(HEAD, size, &piece.capacity)) {
        return GV_NO_MEMORY;
    }
    if (!is_pooled) {
        piece.base = gv_heap_new(piece.capacity);
    } else if (!gv_pool_get(gv_arena_pool(arena, kind), piece.capacity, &piece)) {
        piece.base = NULL;
    }
    if (piece.base == NULL) {
        return GV_NO_MEMORY;
    }
    *lease = begin(arena, &piece, arena != NULL ? charged : 0);
    (*lease)->own.kind = is_pooled ? kind : GV_POOL_KINDS;
    *address = piece.base + HEAD;
    return GV_OK;
}

enum gv_status
gv_lease_new(struct gv_arena *arena, size_t size, struct gv_lease **lease, uint8_t **address)
{
    return gv_lease_new_slab(arena, GV_POOL_KINDS, size, lease, address);
}

enum gv_status
gv_lease_new_slab(struct gv_arena *arena, enum gv_pool_kind kind, size_t size,
                  struct gv_lease **lease, uint8_t **address)
{
    if (size > SIZE_MAX - HEAD) {
        return GV_NO_MEMORY;
    }
    enum gv_status status = arena != NULL ? gv_arena_charge(arena, size) : GV_OK;
    if (status == GV_OK) {
        status = gv_lease_new_from(arena, kind, size, size, lease, address);
        if (status != GV_OK && arena != NULL && gv_arena_reclaim(arena)) {
            status = gv_lease_new_from(arena, kind, size, size, lease, address);
        }
        if (status != GV_OK && arena != NULL) {
            gv_arena_discharge(arena, size);
        }
    }
    return status;
}

enum gv_status
gv_lease_new_empty(struct gv_arena *arena, struct gv_lease **lease)
{
    struct gv_piece piece = {.base = gv_heap_new(HEAD), .capacity = HEAD};
    if (piece.base == NULL) {
        return GV_NO_MEMORY;
    }
    *lease = begin(arena, &piece, 0);
    (*lease)->own.kind = GV_POOL_KINDS;
    return GV_OK;
}

void
gv_lease_add(struct gv_lease *lease, struct gv_piece *piece, enum gv_pool_kind kind, size_t charged)
{
    assert(lease->n_parts < GV_LEASE_PIECES);
    lease->parts[lease->n_parts++] =
        (struct part){.piece = *piece, .kind = kind, .charged = charged};
    *piece = (struct gv_piece){0};
}

struct gv_lease *
gv_lease_retain(struct gv_lease *lease)
{
    /* Relaxed: the caller already holds the lease, so it cannot be freed meanwhile. */
    atomic_fetch_add_explicit(&lease->holders, 1, memory_order_relaxed);
    return lease;
}

static void
give_back(struct gv_arena *arena, struct part *part)
{
    bool is_extent = part->kind == GV_POOL_EXTENTS;
    struct gv_pool *pool =
        arena != NULL && part->kind != GV_POOL_KINDS ? gv_arena_pool(arena, part->kind) : NULL;
    size_t used = is_extent ? part->charged : part->piece.capacity;
    if (is_extent && !part->piece.mapped && pool != NULL) {
        /* A column that stayed small is no extent, but what scratch memory is made of. */
        gv_pool_count(pool, 0, used);
        used = 0;
        bool is_pooled = part->piece.capacity >= GV_POOLED_LEAST;
        pool = is_pooled ? gv_arena_pool(arena, GV_POOL_BUFFERS) : NULL;
    }
    gv_pool_put(pool, &part->piece, used);
}

void
gv_lease_release(struct gv_lease *lease)
{
    /* Release what this holder wrote, acquire what every other one wrote before the free. */
    if (atomic_fetch_sub_explicit(&lease->holders, 1, memory_order_acq_rel) != 1) {
        return;
    }
    struct gv_arena *arena = lease->arena;
    size_t charged = lease->own.charged;
    for (size_t i = 0; i < lease->n_parts; i++) {
        charged += lease->parts[i].charged;
        give_back(arena, &lease->parts[i]);
    }
    struct part own = lease->own; /* the lease goes with it */
    if (own.kind != GV_POOL_KINDS) {
        GV_UNPOISON(own.piece.base, own.piece.capacity); /* what lies between its columns */
    }
    give_back(arena, &own);
    if (arena != NULL) {
        gv_arena_discharge(arena, charged);
        atomic_fetch_sub_explicit(&arena->leases, 1, memory_order_release);
        gv_arena_release(arena);
    }
}

size_t
gv_lease_size(const struct gv_lease *lease)
{
    size_t size = lease->own.piece.capacity;
    for (size_t i = 0; i < lease->n_parts; i++) {
        size += lease->parts[i].piece.capacity;
    }
    return size;
}

size_t
gv_lease_pieces(const struct gv_lease *lease)
{
    return lease->n_parts;
}
