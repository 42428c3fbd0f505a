#include "gv_arena.h"

#include <stdlib.h>

#include "gv_os.h"

/* Layout of a lease on one block: [struct gv_lease | slot 0 | slot 1 | ...], each part aligned
 * to GV_ALIGNMENT.  A lease on pieces is a heap struct of its own, with n_pieces > 0. */
struct gv_lease {
    atomic_size_t holders;
    size_t size;
    struct gv_pool *pool; /* held once where there are pieces; may be NULL */
    size_t n_pieces;
    struct gv_piece pieces[];
};

/* A size-0 slot of a lease on pieces still needs an address that is aligned and not NULL. */
static const _Alignas(64) uint8_t nothing[64];

static void *
heap_new(size_t size)
{
    size_t rounded;
    if (!gv_round_up(size, GV_ALIGNMENT, &rounded)) {
        return NULL;
    }
    return aligned_alloc(GV_ALIGNMENT, gv_max_size(rounded, GV_ALIGNMENT));
}

/* Where a piece goes when nobody needs it any more. */
static void
give_back(struct gv_piece *piece, struct gv_pool *pool)
{
    if (piece->mapped && pool != NULL) {
        gv_pool_put(pool, piece);
    } else {
        gv_piece_free(piece);
    }
}

/* Gives back the whole pages of an extent beyond its first `size` bytes. */
static void
piece_trim(struct gv_piece *piece, size_t size)
{
    size_t kept;
    if (!piece->mapped || !gv_round_up(gv_max_size(size, 1), gv_os_page_size(), &kept)) {
        return;
    }
    if (kept < piece->capacity && gv_os_unmap(piece->base + kept, piece->capacity - kept)) {
        piece->capacity = kept;
    }
}

void
gv_arena_init(struct gv_arena *arena, size_t limit, struct gv_pool *pool)
{
    *arena = (struct gv_arena){.limit = limit};
    arena->pool = pool != NULL ? gv_pool_retain(pool) : NULL;
    /* A reservation as large as the machine's memory never has to move.  Where the address
     * space is limited it would take what malloc and others need, so none is asked for. */
    uint64_t memory = gv_os_physical_memory();
    if (!gv_os_address_space_is_limited() && memory <= SIZE_MAX / 2) {
        size_t page = gv_os_page_size();
        arena->reservation = (size_t)memory / page * page;
    }
}

void
gv_arena_deinit(struct gv_arena *arena)
{
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        give_back(&arena->slots[i], arena->pool);
    }
    if (arena->pool != NULL) {
        gv_pool_release(arena->pool);
    }
    *arena = (struct gv_arena){0};
}

bool
gv_arena_is_valid(const struct gv_arena *arena)
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        const struct gv_piece *slot = &arena->slots[i];
        if ((slot->base == NULL) != (slot->capacity == 0) || arena->claimed[i] > slot->capacity ||
            (uintptr_t)slot->base % GV_ALIGNMENT != 0) {
            return false;
        }
        total += arena->claimed[i];
    }
    return total == arena->claimed_total && total <= arena->limit;
}

/* Moves a slot to heap of `capacity` bytes. */
static bool
grow_on_heap(struct gv_piece *slot, size_t capacity, size_t used)
{
    uint8_t *base = heap_new(capacity);
    if (base == NULL) {
        return false;
    }
    if (used > 0) {
        memcpy(base, slot->base, used);
    }
    free(slot->base);
    *slot = (struct gv_piece){.base = base, .capacity = capacity};
    return true;
}

/* Maps an extent: the reservation if it is granted, else what is needed with room to grow, else
 * what is needed. */
static bool
map_extent(struct gv_piece *piece, size_t needed, size_t roomy, size_t reservation)
{
    const size_t wishes[] = {reservation, roomy, needed};
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        if (wishes[i] < needed) {
            continue;
        }
        uint8_t *base = gv_os_map(wishes[i]);
        if (base != NULL) {
            *piece = (struct gv_piece){.base = base, .capacity = wishes[i], .mapped = true};
            return true;
        }
    }
    return false;
}

/* Makes an extent hold `needed` bytes, or with room to grow; its address may change. */
static bool
resize_extent(struct gv_piece *extent, size_t needed, size_t roomy)
{
    const size_t wishes[] = {roomy, needed};
    for (size_t i = 0; i < 2; i++) {
        void *moved = gv_os_remap(extent->base, extent->capacity, wishes[i]);
        if (moved != NULL) {
            *extent = (struct gv_piece){.base = moved, .capacity = wishes[i], .mapped = true};
            return true;
        }
    }
    return false;
}

/* An extent of at least `needed` bytes: a warm one, else a fresh one. */
static bool
find_extent(struct gv_arena *arena, struct gv_piece *extent, size_t needed, size_t roomy)
{
    if (arena->pool != NULL && gv_pool_take(arena->pool, extent)) {
        if (extent->capacity >= needed || resize_extent(extent, needed, roomy)) {
            return true;
        }
        gv_piece_free(extent);
    }
    return map_extent(extent, needed, roomy, arena->reservation);
}

/* Moves a heap slot to an extent, or resizes an extent that outgrew its capacity. */
static bool
grow_as_extent(struct gv_arena *arena, struct gv_piece *slot, size_t size, size_t used)
{
    size_t needed, roomy;
    size_t page = gv_os_page_size();
    if (!gv_round_up(size, page, &needed)) {
        return false;
    }
    if (!gv_add_size(needed, needed / 2, &roomy) || !gv_round_up(roomy, page, &roomy)) {
        roomy = needed;
    }
    if (slot->mapped) {
        return resize_extent(slot, needed, roomy);
    }
    struct gv_piece extent;
    if (!find_extent(arena, &extent, needed, roomy)) {
        return false;
    }
    if (used > 0) {
        memcpy(extent.base, slot->base, used);
    }
    free(slot->base);
    *slot = extent;
    return true;
}

static bool
slot_grow(struct gv_arena *arena, unsigned i, size_t size)
{
    struct gv_piece *slot = &arena->slots[i];
    if (size > slot->capacity) {
        bool grown;
        if (size < GV_EXTENT_LEAST) {
            size_t doubled = gv_max_size(2 * slot->capacity, size);
            size_t capacity = gv_max_size(gv_min_size(doubled, GV_EXTENT_LEAST), GV_ALIGNMENT);
            grown = grow_on_heap(slot, capacity, arena->claimed[i]);
        } else {
            grown = grow_as_extent(arena, slot, size, arena->claimed[i]);
        }
        if (!grown) {
            return false;
        }
    }
    if (slot->mapped && !slot->huge && size >= GV_HUGE_LEAST) {
        gv_os_advise_huge(slot->base, slot->capacity);
        slot->huge = true;
    }
    return true;
}

enum gv_status
gv_arena_claim(struct gv_arena *arena, const size_t sizes[GV_ARENA_SLOTS])
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        if (!gv_add_size(total, sizes[i], &total)) {
            return arena->limit == GV_NO_LIMIT ? GV_NO_MEMORY : GV_MEMORY_LIMIT;
        }
    }
    if (total > arena->limit) {
        return GV_MEMORY_LIMIT;
    }
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        if (!slot_grow(arena, i, sizes[i])) {
            return GV_NO_MEMORY;
        }
    }
    memcpy(arena->claimed, sizes, sizeof arena->claimed);
    arena->claimed_total = total;
    assert(gv_arena_is_valid(arena));
    return GV_OK;
}

static void
arena_forget_claims(struct gv_arena *arena)
{
    memset(arena->claimed, 0, sizeof arena->claimed);
    arena->claimed_total = 0;
    assert(gv_arena_is_valid(arena));
}

/* All slots side by side in one heap block; the arena keeps its own slots. */
static enum gv_status
seal_as_block(struct gv_arena *arena, const size_t sizes[GV_ARENA_SLOTS], struct gv_lease **lease,
              uint8_t *addresses[GV_ARENA_SLOTS])
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        size_t rounded;
        if (!gv_round_up(sizes[i], GV_ALIGNMENT, &rounded) ||
            !gv_add_size(total, rounded, &total)) {
            return GV_NO_MEMORY;
        }
    }
    uint8_t *at;
    enum gv_status status = gv_lease_new(total, lease, &at);
    if (status != GV_OK) {
        return status;
    }
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        addresses[i] = at;
        if (sizes[i] > 0) {
            memcpy(at, arena->slots[i].base, sizes[i]);
            at += (sizes[i] + GV_ALIGNMENT - 1) & ~(GV_ALIGNMENT - 1);
        }
    }
    arena_forget_claims(arena);
    return GV_OK;
}

/* The slots themselves pass to the lease. */
static enum gv_status
seal_as_pieces(struct gv_arena *arena, const size_t sizes[GV_ARENA_SLOTS], struct gv_lease **lease,
               uint8_t *addresses[GV_ARENA_SLOTS])
{
    struct gv_lease *made = malloc(sizeof *made + GV_ARENA_SLOTS * sizeof(struct gv_piece));
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    atomic_init(&made->holders, 1);
    made->size = 0;
    made->pool = arena->pool != NULL ? gv_pool_retain(arena->pool) : NULL;
    made->n_pieces = 0;
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        if (sizes[i] == 0) {
            addresses[i] = (uint8_t *)(uintptr_t)nothing;
            continue;
        }
        struct gv_piece *slot = &arena->slots[i];
        piece_trim(slot, sizes[i]);
        addresses[i] = slot->base;
        made->size += slot->capacity;
        made->pieces[made->n_pieces++] = *slot;
        *slot = (struct gv_piece){0};
    }
    *lease = made;
    /* The claims go with the pieces, so they are forgotten before the arena is checked. */
    arena_forget_claims(arena);
    return GV_OK;
}

enum gv_status
gv_arena_seal(struct gv_arena *arena, const size_t sizes[GV_ARENA_SLOTS], struct gv_lease **lease,
              uint8_t *addresses[GV_ARENA_SLOTS])
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_ARENA_SLOTS; i++) {
        assert(sizes[i] <= arena->claimed[i]);
        total += sizes[i]; /* at most claimed_total, so no overflow */
    }
    if (total < GV_BLOCK_MOST) {
        return seal_as_block(arena, sizes, lease, addresses);
    }
    return seal_as_pieces(arena, sizes, lease, addresses);
}

/* Bytes in front of a block that hold the lease itself. */
#define LEASE_HEAD ((sizeof(struct gv_lease) + GV_ALIGNMENT - 1) & ~(GV_ALIGNMENT - 1))

enum gv_status
gv_lease_new(size_t size, struct gv_lease **lease, uint8_t **address)
{
    size_t total;
    struct gv_lease *made =
        gv_add_size(LEASE_HEAD, gv_max_size(size, 1), &total) ? heap_new(total) : NULL;
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    atomic_init(&made->holders, 1);
    made->size = total;
    made->pool = NULL;
    made->n_pieces = 0;
    *lease = made;
    *address = (uint8_t *)made + LEASE_HEAD;
    return GV_OK;
}

struct gv_lease *
gv_lease_retain(struct gv_lease *lease)
{
    /* Relaxed: the caller already holds the lease, so it cannot be freed meanwhile. */
    atomic_fetch_add_explicit(&lease->holders, 1, memory_order_relaxed);
    return lease;
}

void
gv_lease_release(struct gv_lease *lease)
{
    /* Release what this holder wrote, acquire what every other one wrote before the free. */
    if (atomic_fetch_sub_explicit(&lease->holders, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < lease->n_pieces; i++) {
        give_back(&lease->pieces[i], lease->pool);
    }
    if (lease->pool != NULL) {
        gv_pool_release(lease->pool);
    }
    free(lease);
}

size_t
gv_lease_size(const struct gv_lease *lease)
{
    return lease->size;
}

size_t
gv_lease_pieces(const struct gv_lease *lease)
{
    return lease->n_pieces;
}
