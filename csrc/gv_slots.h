/* gv_slots.h: the memory of one result while it is built: a handful of slots, one a column, under
 * one budget.
 *
 * Slots may move while they grow.  gv_slots_seal() freezes what was built into a *lease*: the
 * addresses no longer change, and the memory lives until the last holder of the lease is gone.
 * The slots are then empty and may hold the next result.
 *
 *   a result of any size                                a batch, whose rows are known to be few
 *   slot 0 [used|      room      ]                      slab [lease|slot 0 |slot 1 |slot 2 ]
 *   slot 1 [used|  room  ]                              slot 3 [used|room], of text: a piece
 *   slot 2 [used|    room    ]
 *       -- seal: below 1 MiB copied to one block,           -- seal: nothing moves
 *          else as they are, tails given back
 *
 * In a result of any size a slot is heap memory while small and pages of its own (an extent) from
 * GV_MAPPED_LEAST bytes up: extents grow in place inside a reservation, or by remapping where none
 * was granted, so that growing never copies what is large.  Slabs, and the pieces beside them, come
 * from the arena's pools and go back to them: after some batches nothing is asked of the system.
 *
 * Threads: slots belong to one thread at a time.
 */
#ifndef GV_SLOTS_H
#define GV_SLOTS_H

#include "gv_arena.h"

/* Every column, with two for each column of text. */
#define GV_SLOTS GV_LEASE_PIECES

/* A sealed result below this many bytes is copied into one heap block. */
#define GV_BLOCK_MOST ((size_t)1 << 20)

/* Owns: the pieces of its slots, and the slab's lease where there is one.  Holds: its arena.
 * Invariants: claimed[i] <= slots[i].capacity; the sum of claimed[] is claimed_total <= limit;
 * charged is what the arena was charged for what is not in the slab; slot i stands in the slab iff
 * bit i of in_slab is set, which needs a slab. */
struct gv_slots {
    struct gv_piece slots[GV_SLOTS];
    size_t claimed[GV_SLOTS];
    size_t claimed_total;
    size_t charged;
    size_t limit;
    struct gv_arena *arena;  /* where memory is charged and pooled; NULL: nowhere */
    struct gv_pool *scratch; /* where it comes from without an arena; NULL: the system */
    size_t reservation;      /* bytes of address space to ask for per extent; 0: none */
    struct gv_lease *slab;
    uint32_t in_slab;
};

/* `limit`: most bytes to be claimed, or GV_NO_LIMIT.  `arena` may be NULL: for scratch memory. */
void gv_slots_init(struct gv_slots *slots, size_t limit, struct gv_arena *arena);
void gv_slots_deinit(struct gv_slots *slots);

/* Scratch memory comes from `pool` and goes back to it, and is charged nowhere.  The slots are
 * empty and have no arena; the pool, which may be NULL, is borrowed until deinit. */
void gv_slots_set_scratch(struct gv_slots *slots, struct gv_pool *pool);
bool gv_slots_is_valid(const struct gv_slots *slots);

/* Lays every slot i with sizes[i] > 0 into one slab and claims those sizes.  The slots are empty
 * and nothing is claimed, there is an arena and no limit.  Fails as gv_arena_try_charge() does, or
 * with GV_NO_MEMORY, and then nothing changed. */
GV_NODISCARD enum gv_status gv_slots_lay(struct gv_slots *slots, enum gv_pool_kind kind,
                                         const size_t sizes[GV_SLOTS]);

/* Claims `sizes[i]` bytes in every slot i: afterwards each slot can hold them and the budget
 * counts exactly them.  Slots may move; their bytes up to the earlier claim stay.
 * GV_MEMORY_LIMIT: the claims together pass the limit; else it fails as gv_arena_charge() does, or
 * with GV_NO_MEMORY: the system refused, after reclaiming too.  On failure the claims are as before
 * (a slot may have moved). */
GV_NODISCARD enum gv_status gv_slots_claim(struct gv_slots *slots, const size_t sizes[GV_SLOTS]);

/* The same for what one can do without: nothing is reclaimed for it. */
GV_NODISCARD enum gv_status gv_slots_try_claim(struct gv_slots *slots,
                                               const size_t sizes[GV_SLOTS]);

/* The first byte of a slot, NULL before its first claim.  Valid until: the next claim or seal. */
static inline uint8_t *
gv_slots_at(const struct gv_slots *slots, unsigned slot)
{
    assert(slot < GV_SLOTS);
    return slots->slots[slot].base;
}

/* Freezes the first `sizes[i]` bytes of every slot into a lease held once by the caller, and
 * writes to addresses[i] where slot i now stands (aligned to GV_ALIGNMENT, never NULL, also for
 * a size of 0).  sizes[i] <= the slot's claim.  The slots are empty afterwards; memory that did
 * not go into the lease stays with them for the next result.  On GV_NO_MEMORY, or where a small
 * result's block cannot be charged, nothing changed. */
GV_NODISCARD enum gv_status gv_slots_seal(struct gv_slots *slots, const size_t sizes[GV_SLOTS],
                                          struct gv_lease **lease, uint8_t *addresses[GV_SLOTS]);

#endif
