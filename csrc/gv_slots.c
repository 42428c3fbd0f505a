#include "gv_slots.h"

#include <stdlib.h>

#include "gv_os.h"

/* A slot of size 0 in a lease on pieces still needs an address that is aligned and not NULL. */
static const _Alignas(64) uint8_t nothing[64];

/* A column of scratch memory has this much to begin with: as a rule it need not grow then, and does
 * not leave a trail of smaller pieces in its pool. */
#define SCRATCH_LEAST ((size_t)64 << 10)

#define BIT(slot) ((uint32_t)1 << (slot))

static bool
is_in_slab(const struct gv_slots *slots, unsigned slot)
{
    return (slots->in_slab & BIT(slot)) != 0;
}

void
gv_slots_init(struct gv_slots *slots, size_t limit, struct gv_arena *arena)
{
    *slots = (struct gv_slots){.limit = limit};
    slots->arena = arena != NULL ? gv_arena_retain(arena) : NULL;
    /* A reservation as large as the machine's memory never has to move.  Where the address
     * space is limited it would take what malloc and others need, so none is asked for. */
    uint64_t memory = gv_os_physical_memory();
    if (!gv_os_address_space_is_limited() && memory <= SIZE_MAX / 2) {
        size_t page = gv_os_page_size();
        slots->reservation = (size_t)memory / page * page;
    }
}

void
gv_slots_set_scratch(struct gv_slots *slots, struct gv_pool *pool)
{
    assert(slots->arena == NULL && slots->claimed_total == 0);
    slots->scratch = pool;
}

/* ---------------------------------------------------------------------------------------------
 * Accounts
 * ------------------------------------------------------------------------------------------ */

/* Pieces that grow are counted as in use here; those of a pool's get() were counted there. */
static void
count_extents(struct gv_slots *slots, size_t more, size_t less)
{
    if (slots->slab == NULL) {
        gv_pool_count(gv_arena_pool(slots->arena, GV_POOL_EXTENTS), more, less);
    }
}

typedef enum gv_status (*charge_fn)(struct gv_arena *arena, size_t size);

static enum gv_status
charge(struct gv_slots *slots, charge_fn charge_arena, size_t size)
{
    if (slots->arena == NULL) {
        return GV_OK;
    }
    enum gv_status status = charge_arena(slots->arena, size);
    if (status == GV_OK) {
        slots->charged += size;
        count_extents(slots, size, 0);
    }
    return status;
}

static void
discharge(struct gv_slots *slots, size_t size)
{
    if (slots->arena != NULL) {
        gv_arena_discharge(slots->arena, size);
        slots->charged -= size;
        count_extents(slots, 0, size);
    }
}

/* Forgets what was charged: a lease has it now. */
static void
hand_over(struct gv_slots *slots, size_t size)
{
    slots->charged -= slots->arena != NULL ? size : 0;
}

/* The pool that heap of that capacity comes from and goes back to, and with slots->scratch pages
 * too; NULL for malloc().  It is scratch memory, until a result is sealed, and not counted as in
 * use. */
static struct gv_pool *
scratch_pool(const struct gv_slots *slots, size_t capacity)
{
    if (capacity < GV_POOLED_LEAST) {
        return NULL;
    }
    return slots->arena != NULL ? gv_arena_pool(slots->arena, GV_POOL_BUFFERS) : slots->scratch;
}

/* Whether memory may be there now that the system refused before. */
static bool
reclaim(const struct gv_slots *slots)
{
    return slots->arena != NULL && gv_arena_reclaim(slots->arena);
}

/* Gives back the whole pages of an extent beyond its first `size` bytes. */
static void
trim(struct gv_piece *piece, size_t size)
{
    size_t kept;
    if (!piece->mapped || !gv_round_up(gv_max_size(size, 1), gv_os_page_size(), &kept)) {
        return;
    }
    if (kept < piece->capacity && gv_os_unmap(piece->base + kept, piece->capacity - kept)) {
        piece->capacity = kept;
    }
}

/* Where a piece of the slots goes that nobody needs any more. */
static void
give_back(struct gv_slots *slots, struct gv_piece *piece)
{
    size_t capacity = piece->capacity;
    if (capacity == 0) {
        return;
    }
    if (slots->slab != NULL) {
        gv_pool_put(gv_arena_pool(slots->arena, GV_POOL_BUFFERS), piece, capacity);
    } else if (!piece->mapped || slots->scratch != NULL) {
        gv_pool_put(scratch_pool(slots, capacity), piece, 0);
    } else if (slots->arena != NULL) {
        trim(piece, GV_BLOCK_MOST); /* its reservation is more than any pool keeps */
        gv_pool_put(gv_arena_pool(slots->arena, GV_POOL_EXTENTS), piece, 0);
    } else {
        gv_piece_free(piece);
    }
}

static void
forget_claims(struct gv_slots *slots)
{
    discharge(slots, slots->charged);
    memset(slots->claimed, 0, sizeof slots->claimed);
    slots->claimed_total = 0;
}

void
gv_slots_deinit(struct gv_slots *slots)
{
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        if (!is_in_slab(slots, i)) {
            give_back(slots, &slots->slots[i]);
        }
    }
    forget_claims(slots);
    if (slots->slab != NULL) {
        gv_lease_release(slots->slab);
    }
    if (slots->arena != NULL) {
        gv_arena_release(slots->arena);
    }
    *slots = (struct gv_slots){0};
}

bool
gv_slots_is_valid(const struct gv_slots *slots)
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        const struct gv_piece *slot = &slots->slots[i];
        if ((slot->base == NULL) != (slot->capacity == 0) || slots->claimed[i] > slot->capacity ||
            (uintptr_t)slot->base % GV_ALIGNMENT != 0) {
            return false;
        }
        total += slots->claimed[i];
    }
    return total == slots->claimed_total && total <= slots->limit &&
           (slots->slab != NULL || slots->in_slab == 0);
}

/* ---------------------------------------------------------------------------------------------
 * A result of any size
 * ------------------------------------------------------------------------------------------ */

/* Moves what a slot holds to another piece, which is the slot's then. */
static void
move(struct gv_slots *slots, struct gv_piece *slot, const struct gv_piece *piece, size_t used)
{
    if (used > 0) {
        memcpy(piece->base, slot->base, used);
    }
    give_back(slots, slot);
    *slot = *piece;
}

/* Moves a slot to heap of `capacity` bytes, or some more; in scratch memory to pages too, which do
 * not grow: the columns of a slice are soon as large as they get. */
static bool
grow_on_heap(struct gv_slots *slots, struct gv_piece *slot, size_t capacity, size_t used)
{
    struct gv_pool *pool = scratch_pool(slots, capacity);
    struct gv_piece piece = {.capacity = capacity};
    if (pool == NULL) {
        piece.base = gv_heap_new(capacity);
    } else if (slots->scratch != NULL ? gv_pool_get(pool, capacity, &piece)
                                      : gv_pool_get_heap(pool, capacity, &piece)) {
        gv_pool_count(pool, 0, piece.capacity);
    }
    if (piece.base == NULL) {
        return false;
    }
    move(slots, slot, &piece, used);
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
find_extent(struct gv_slots *slots, struct gv_piece *extent, size_t needed, size_t roomy)
{
    if (slots->arena != NULL &&
        gv_pool_take(gv_arena_pool(slots->arena, GV_POOL_EXTENTS), extent)) {
        if (extent->capacity >= needed || resize_extent(extent, needed, roomy)) {
            return true;
        }
        gv_piece_free(extent);
    }
    return map_extent(extent, needed, roomy, slots->reservation);
}

/* Moves a heap slot to an extent, or resizes an extent that outgrew its capacity. */
static bool
grow_as_extent(struct gv_slots *slots, struct gv_piece *slot, size_t size, size_t used)
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
    if (!find_extent(slots, &extent, needed, roomy)) {
        return false;
    }
    move(slots, slot, &extent, used);
    return true;
}

static bool
grow(struct gv_slots *slots, unsigned i, size_t size)
{
    struct gv_piece *slot = &slots->slots[i];
    if (size > slot->capacity) {
        bool grown;
        if (slots->scratch != NULL) {
            size_t doubled = size <= SIZE_MAX / 2 ? 2 * slot->capacity : 0;
            size_t capacity = gv_max_size(gv_max_size(doubled, size), SCRATCH_LEAST);
            grown = grow_on_heap(slots, slot, capacity, slots->claimed[i]);
        } else if (size < GV_MAPPED_LEAST) {
            size_t doubled = gv_max_size(2 * slot->capacity, size);
            size_t most = GV_MAPPED_LEAST - GV_ALIGNMENT;
            size_t capacity =
                gv_max_size(gv_min_size(doubled, most), gv_max_size(size, GV_ALIGNMENT));
            grown = grow_on_heap(slots, slot, capacity, slots->claimed[i]);
        } else {
            grown = grow_as_extent(slots, slot, size, slots->claimed[i]);
        }
        if (!grown) {
            return false;
        }
    }
    if (size >= GV_HUGE_LEAST) {
        gv_piece_advise(slot);
    }
    return true;
}

/* ---------------------------------------------------------------------------------------------
 * A batch
 * ------------------------------------------------------------------------------------------ */

enum gv_status
gv_slots_lay(struct gv_slots *slots, enum gv_pool_kind kind, const size_t sizes[GV_SLOTS])
{
    assert(slots->slab == NULL && slots->claimed_total == 0 && slots->arena != NULL &&
           slots->limit == GV_NO_LIMIT);
    size_t total = 0;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        size_t rounded;
        if (!gv_round_up(sizes[i], GV_ALIGNMENT, &rounded) ||
            !gv_add_size(total, rounded, &total)) {
            return GV_NO_MEMORY;
        }
    }
    /* Without a slab the columns grow, as those of any result: nothing is reclaimed for it. */
    struct gv_lease *slab;
    uint8_t *at;
    enum gv_status status = gv_arena_try_charge(slots->arena, total);
    if (status != GV_OK) {
        return status;
    }
    status = gv_lease_new_from(slots->arena, kind, total, total, &slab, &at);
    if (status != GV_OK) {
        gv_arena_discharge(slots->arena, total);
        return status;
    }
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        give_back(slots, &slots->slots[i]); /* of results of any size: not used beside a slab */
    }
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        if (sizes[i] > 0) {
            size_t rounded = (sizes[i] + GV_ALIGNMENT - 1) & ~(GV_ALIGNMENT - 1);
            slots->slots[i] = (struct gv_piece){.base = at, .capacity = rounded};
            slots->in_slab |= BIT(i);
            slots->claimed[i] = sizes[i];
            slots->claimed_total += sizes[i];
            at += rounded;
        }
    }
    slots->slab = slab;
    assert(gv_slots_is_valid(slots));
    return GV_OK;
}

/* Moves a slot beside the slab, or one that outgrows it, to a larger piece from the pool. */
static bool
grow_beside(struct gv_slots *slots, unsigned i, size_t size)
{
    struct gv_pool *pool = gv_arena_pool(slots->arena, GV_POOL_BUFFERS);
    struct gv_piece *slot = &slots->slots[i], piece;
    size_t roomy = gv_max_size(size, GV_MAPPED_LEAST);
    if (slot->capacity > 0 && !gv_add_size(size, size / 2, &roomy)) {
        roomy = size;
    }
    if (!gv_pool_get(pool, roomy, &piece)) {
        return false;
    }
    if (is_in_slab(slots, i)) {
        memcpy(piece.base, slot->base, slots->claimed[i]);
        slots->in_slab &= ~BIT(i);
        *slot = piece;
    } else {
        move(slots, slot, &piece, slots->claimed[i]);
    }
    return true;
}

static enum gv_status
claim_beside(struct gv_slots *slots, charge_fn charge_arena, const size_t sizes[GV_SLOTS])
{
    size_t beside = 0, before = slots->charged;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        bool stays = is_in_slab(slots, i) && sizes[i] <= slots->slots[i].capacity;
        beside += stays ? 0 : sizes[i]; /* at most what is claimed in all */
    }
    enum gv_status status = beside > before ? charge(slots, charge_arena, beside - before) : GV_OK;
    for (unsigned i = 0; status == GV_OK && i < GV_SLOTS; i++) {
        if (sizes[i] > slots->slots[i].capacity && !grow_beside(slots, i, sizes[i])) {
            discharge(slots, slots->charged - before);
            status = GV_NO_MEMORY;
        }
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------
 * Either
 * ------------------------------------------------------------------------------------------ */

static enum gv_status
claim_at_large(struct gv_slots *slots, charge_fn charge_arena, const size_t sizes[GV_SLOTS],
               size_t total)
{
    size_t before = slots->charged;
    enum gv_status status = total > before ? charge(slots, charge_arena, total - before) : GV_OK;
    for (unsigned i = 0; status == GV_OK && i < GV_SLOTS; i++) {
        if (!grow(slots, i, sizes[i])) {
            discharge(slots, slots->charged - before);
            status = GV_NO_MEMORY;
        }
    }
    return status;
}

static enum gv_status
claim(struct gv_slots *slots, charge_fn charge_arena, const size_t sizes[GV_SLOTS])
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        if (!gv_add_size(total, sizes[i], &total)) {
            return slots->limit == GV_NO_LIMIT ? GV_NO_MEMORY : GV_MEMORY_LIMIT;
        }
    }
    if (total > slots->limit) {
        return GV_MEMORY_LIMIT;
    }
    enum gv_status status = slots->slab != NULL ? claim_beside(slots, charge_arena, sizes)
                                                : claim_at_large(slots, charge_arena, sizes, total);
    if (status != GV_OK) {
        return status;
    }
    memcpy(slots->claimed, sizes, sizeof slots->claimed);
    slots->claimed_total = total;
    assert(gv_slots_is_valid(slots));
    return GV_OK;
}

enum gv_status
gv_slots_claim(struct gv_slots *slots, const size_t sizes[GV_SLOTS])
{
    enum gv_status status = claim(slots, gv_arena_charge, sizes);
    if (GV_UNLIKELY(status == GV_NO_MEMORY) && reclaim(slots)) {
        status = claim(slots, gv_arena_charge, sizes);
    }
    return status;
}

enum gv_status
gv_slots_try_claim(struct gv_slots *slots, const size_t sizes[GV_SLOTS])
{
    return claim(slots, gv_arena_try_charge, sizes);
}

/* All slots side by side in one heap block; the slots keep their memory. */
static enum gv_status
seal_as_block(struct gv_slots *slots, const size_t sizes[GV_SLOTS], struct gv_lease **lease,
              uint8_t *addresses[GV_SLOTS])
{
    size_t total = 0, bytes = 0;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        size_t rounded;
        if (!gv_round_up(sizes[i], GV_ALIGNMENT, &rounded) ||
            !gv_add_size(total, rounded, &total)) {
            return GV_NO_MEMORY;
        }
        bytes += sizes[i];
    }
    uint8_t *at;
    enum gv_pool_kind kind = total >= GV_POOLED_LEAST ? GV_POOL_PARTICLES : GV_POOL_KINDS;
    enum gv_status status = gv_lease_new_from(slots->arena, kind, total, bytes, lease, &at);
    if (status != GV_OK && reclaim(slots)) {
        status = gv_lease_new_from(slots->arena, kind, total, bytes, lease, &at);
    }
    if (status != GV_OK) {
        return status;
    }
    if (slots->arena != NULL) {
        count_extents(slots, 0, bytes);
        hand_over(slots, bytes);
    }
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        addresses[i] = at;
        if (sizes[i] > 0) {
            memcpy(at, slots->slots[i].base, sizes[i]);
            at += (sizes[i] + GV_ALIGNMENT - 1) & ~(GV_ALIGNMENT - 1);
        }
    }
    forget_claims(slots);
    return GV_OK;
}

/* The slots themselves pass to the lease, those that stand in a slab with it. */
static void
hand_out(struct gv_slots *slots, const size_t sizes[GV_SLOTS], struct gv_lease *lease,
         uint8_t *addresses[GV_SLOTS])
{
    bool is_slab = slots->slab != NULL;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        struct gv_piece *slot = &slots->slots[i];
        bool is_inside = is_in_slab(slots, i);
        addresses[i] = sizes[i] > 0 || is_inside ? slot->base : (uint8_t *)(uintptr_t)nothing;
        if (is_inside) {
            GV_POISON(slot->base + sizes[i], slot->capacity - sizes[i]);
            *slot = (struct gv_piece){0};
        } else if (is_slab && slot->base != NULL) {
            size_t charged = gv_min_size(sizes[i], slots->charged);
            hand_over(slots, charged);
            gv_lease_add(lease, slot, GV_POOL_BUFFERS, charged);
        } else if (sizes[i] > 0) {
            trim(slot, sizes[i]);
            size_t charged = gv_min_size(sizes[i], slots->charged);
            hand_over(slots, charged);
            gv_lease_add(lease, slot, GV_POOL_EXTENTS, charged);
        }
    }
}

enum gv_status
gv_slots_seal(struct gv_slots *slots, const size_t sizes[GV_SLOTS], struct gv_lease **lease,
              uint8_t *addresses[GV_SLOTS])
{
    size_t total = 0;
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        assert(sizes[i] <= slots->claimed[i]);
        total += sizes[i]; /* at most claimed_total, so no overflow */
    }
    if (slots->slab != NULL) {
        hand_out(slots, sizes, slots->slab, addresses);
        *lease = slots->slab;
    } else if (total < GV_BLOCK_MOST) {
        return seal_as_block(slots, sizes, lease, addresses);
    } else {
        enum gv_status status = gv_lease_new_empty(slots->arena, lease);
        if (status != GV_OK && reclaim(slots)) {
            status = gv_lease_new_empty(slots->arena, lease);
        }
        if (status != GV_OK) {
            return status;
        }
        hand_out(slots, sizes, *lease, addresses);
    }
    forget_claims(slots);
    slots->slab = NULL;
    slots->in_slab = 0;
    assert(gv_slots_is_valid(slots));
    return GV_OK;
}
