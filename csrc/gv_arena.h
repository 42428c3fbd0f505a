/* gv_arena.h: the memory of one result, from its first byte to its last view.
 *
 * A result is built in an arena: a handful of slots, each growing on its own, under one budget.
 * Slots may move while they grow.  gv_arena_seal() freezes what was built into a *lease*: the
 * addresses no longer change, and the memory lives until the last holder of the lease is gone.
 * The arena is then empty and may build the next result.
 *
 *   building                                       sealed
 *   slot 0 [used|      room      ]                 lease (count of holders)
 *   slot 1 [used|  room  ]            -- seal -->    under 1 MiB: one heap block, lease in front
 *   slot 2 [used|    room    ]                       above: the slots themselves, tails given back
 *
 * A slot is heap memory while small and pages of its own (an extent) from GV_EXTENT_LEAST bytes
 * up: extents grow in place inside a reservation, or by remapping where none was granted, so
 * that growing never copies what is large.
 *
 * Threads: an arena belongs to one thread at a time.  A lease may be retained and released from
 * any thread; its count is atomic.
 */
#ifndef GV_ARENA_H
#define GV_ARENA_H

#include "gv_pool.h"

/* Slots of an arena: every column, with two for each column of text. */
#define GV_ARENA_SLOTS 16

/* A slot takes pages of its own from here up: below, a page-granular extent would waste more
 * than a copy costs. */
#define GV_EXTENT_LEAST ((size_t)256 << 10)

/* A sealed result below this many bytes is copied into one heap block. */
#define GV_BLOCK_MOST ((size_t)1 << 20)

/* Extents ask for huge pages from here up: earlier, a few 2 MiB pages per column would cost a
 * small result more memory and time than it holds. */
#define GV_HUGE_LEAST ((size_t)4 << 20)

/* No budget. */
#define GV_NO_LIMIT SIZE_MAX

/* Owns: its pieces.  Valid until: the last holder releases it. */
struct gv_lease;

/* Owns: the pieces of its slots, and one hold on the pool.
 * Invariants: claimed[i] <= slots[i].capacity; the sum of claimed[] is claimed_total <= limit. */
struct gv_arena {
    struct gv_piece slots[GV_ARENA_SLOTS];
    size_t claimed[GV_ARENA_SLOTS];
    size_t claimed_total;
    size_t limit;
    struct gv_pool *pool; /* where extents come from and go to; NULL: the system alone */
    size_t reservation;   /* bytes of address space to ask for per extent; 0: none */
};

/* `pool` may be NULL. */
void gv_arena_init(struct gv_arena *arena, size_t limit, struct gv_pool *pool);
void gv_arena_deinit(struct gv_arena *arena);
bool gv_arena_is_valid(const struct gv_arena *arena);

/* Claims `sizes[i]` bytes in every slot i: afterwards each slot can hold them and the budget
 * counts exactly them.  Slots may move; their bytes up to the earlier claim stay.
 * GV_MEMORY_LIMIT: the claims together pass the limit; GV_NO_MEMORY: the system refused.  On
 * failure the claims are as before (a slot may have moved). */
GV_NODISCARD enum gv_status gv_arena_claim(struct gv_arena *arena,
                                           const size_t sizes[GV_ARENA_SLOTS]);

/* The first byte of a slot, NULL before its first claim.  Valid until: the next claim or seal. */
static inline uint8_t *
gv_arena_slot(const struct gv_arena *arena, unsigned slot)
{
    assert(slot < GV_ARENA_SLOTS);
    return arena->slots[slot].base;
}

/* Freezes the first `sizes[i]` bytes of every slot into a lease held once by the caller, and
 * writes to addresses[i] where slot i now stands (aligned to GV_ALIGNMENT, never NULL, also for
 * a size of 0).  sizes[i] <= the slot's claim.  The arena is empty afterwards; memory that did
 * not go into the lease stays with it for the next result.  On GV_NO_MEMORY nothing changed. */
GV_NODISCARD enum gv_status gv_arena_seal(struct gv_arena *arena,
                                          const size_t sizes[GV_ARENA_SLOTS],
                                          struct gv_lease **lease,
                                          uint8_t *addresses[GV_ARENA_SLOTS]);

/* A lease on one fresh block of `size` bytes, for copies that leave the arena's ways. */
GV_NODISCARD enum gv_status gv_lease_new(size_t size, struct gv_lease **lease, uint8_t **address);

/* One holder more; returns its argument. */
struct gv_lease *gv_lease_retain(struct gv_lease *lease);

/* One holder less; the last one frees the memory. */
void gv_lease_release(struct gv_lease *lease);

/* Bytes of memory that the lease keeps alive, and in how many pieces (0: all in one heap block
 * with the lease itself). */
size_t gv_lease_size(const struct gv_lease *lease);
size_t gv_lease_pieces(const struct gv_lease *lease);

#endif
