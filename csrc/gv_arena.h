/* gv_arena.h: whose memory it is, how much of it there may be, and until when it lives.
 *
 *   process arena (its capacity: the limit of the process)
 *     |     pools: extents, slabs of each kind, buffers     pieces kept warm, for all arenas
 *     +-- arena (a capacity of its own)                     charge() counts in both
 *           leases: one a result                            each holds its arena
 *
 * Memory is charged before it is used and discharged when the last holder of a lease is gone: the
 * pieces go back to the pools that they came from.  Arenas are counted too, and live until the last
 * lease in them is gone.
 *
 * Threads: any, without a lock.
 */
#ifndef GV_ARENA_H
#define GV_ARENA_H

#include "gv_pool.h"

/* The pools of an arena. */
enum gv_pool_kind {
    GV_POOL_EXTENTS,     /* columns that grow */
    GV_POOL_PARTICLES,   /* slabs: the columns of a batch */
    GV_POOL_VOXELS,      /* slabs: grids */
    GV_POOL_COORDINATES, /* slabs: places that a caller computes */
    GV_POOL_BUFFERS,     /* slabs: text, names, sequences */
    GV_POOL_KINDS
};

/* "extents", "particles", ...; never NULL for a value of the enum. */
const char *gv_pool_kind_name(enum gv_pool_kind kind);

/* No capacity; no limit. */
#define GV_NO_LIMIT SIZE_MAX

/* Owns: its pools, if it is the process's.  Holds: its parent. */
struct gv_arena;

struct gv_arena_stats {
    size_t capacity;
    size_t used, peak; /* bytes charged, now and at most */
    size_t idle;       /* bytes kept in the pools, for all arenas that share them */
    size_t leases;     /* alive */
};

/* Called where a charge would pass a capacity, or the system refuses: frees what it can, and
 * returns whether trying again is worth it.  Called on the thread that charges, with nothing
 * locked. */
typedef bool (*gv_reclaim_fn)(void *context);

/* An arena held once.  Without a parent it is that of the process, and its pools together keep at
 * most idle_limit bytes; one in another uses the pools of that.  NULL where memory is refused. */
struct gv_arena *gv_arena_new(struct gv_arena *parent, size_t capacity, size_t idle_limit);
struct gv_arena *gv_arena_retain(struct gv_arena *arena);
void gv_arena_release(struct gv_arena *arena);

/* Sets the function that frees memory for the arena of the process and those in it; that of another
 * is never called.  Before it is shared. */
void gv_arena_on_full(struct gv_arena *arena, gv_reclaim_fn reclaim, void *context);

/* Frees memory where the system refused some: by that function, and without one by trimming the
 * pools.  Whether trying again is worth it. */
bool gv_arena_reclaim(struct gv_arena *arena);

/* That of the process: the arena itself, or the outermost one it is in. */
struct gv_arena *gv_arena_root(struct gv_arena *arena);

size_t gv_arena_capacity(const struct gv_arena *arena);

/* From now on; what is charged already stays. */
void gv_arena_set_capacity(struct gv_arena *arena, size_t capacity);

struct gv_pool *gv_arena_pool(struct gv_arena *arena, enum gv_pool_kind kind);

/* As gv_pool_get() from that pool, but reclaims and tries again before it fails.  `arena` may be
 * NULL: then the piece is fresh. */
GV_NODISCARD bool gv_arena_get(struct gv_arena *arena, enum gv_pool_kind kind, size_t size,
                               struct gv_piece *piece);

/* Charges `size` bytes to the arena and to those it is in.  GV_ARENA_FULL: the arena's own capacity
 * would be passed; GV_MEMORY_LIMIT: that of the process.  Idle memory takes part in a capacity and
 * gives way.  charge() reclaims and tries again before it fails; try_charge() is for what one can
 * do without. */
GV_NODISCARD enum gv_status gv_arena_charge(struct gv_arena *arena, size_t size);
GV_NODISCARD enum gv_status gv_arena_try_charge(struct gv_arena *arena, size_t size);
void gv_arena_discharge(struct gv_arena *arena, size_t size);

/* Gives the idle memory of the pools back to the system; returns how many bytes those were. */
size_t gv_arena_trim(struct gv_arena *arena);

/* To what it was when it was new: the peak forgotten.  GV_ARENA_IN_USE, and nothing
 * changed, while leases are alive in it or something is being built in it. */
GV_NODISCARD enum gv_status gv_arena_reset(struct gv_arena *arena);

struct gv_arena_stats gv_arena_stats(const struct gv_arena *arena);

/* ---------------------------------------------------------------------------------------------
 * Leases: what keeps the memory of a result alive
 * ------------------------------------------------------------------------------------------ */

/* Pieces in a lease at most: every column, with two for each column of text. */
#define GV_LEASE_PIECES 32

/* Owns: its pieces, or the block or slab that it stands in; one hold on the arena.  Valid until:
 * the last holder releases it. */
struct gv_lease;

/* Bytes in front of a block or slab that hold its lease. */
extern const size_t gv_lease_head;

/* A lease held once on `size` bytes in one block of their own, which are charged to `arena` (NULL:
 * to none).  What the lease itself takes is not charged.  For small results, and for copies.
 * Fails as gv_arena_charge() does, or with GV_NO_MEMORY, where reclaiming did not help. */
GV_NODISCARD enum gv_status gv_lease_new(struct gv_arena *arena, size_t size,
                                         struct gv_lease **lease, uint8_t **address);

/* A lease held once on a slab of `kind` with `size` bytes after the lease, charged to `arena`.
 * Fails as gv_lease_new() does. */
GV_NODISCARD enum gv_status gv_lease_new_slab(struct gv_arena *arena, enum gv_pool_kind kind,
                                              size_t size, struct gv_lease **lease,
                                              uint8_t **address);

/* As either of these (`kind`: GV_POOL_KINDS for a block of its own) for what is charged already:
 * `charged` bytes pass to the lease.  GV_NO_MEMORY, and nothing is reclaimed; then they stay the
 * caller's. */
GV_NODISCARD enum gv_status gv_lease_new_from(struct gv_arena *arena, enum gv_pool_kind kind,
                                              size_t size, size_t charged, struct gv_lease **lease,
                                              uint8_t **address);

/* A lease held once on no memory yet.  `arena` may be NULL.  GV_NO_MEMORY; nothing is reclaimed. */
GV_NODISCARD enum gv_status gv_lease_new_empty(struct gv_arena *arena, struct gv_lease **lease);

/* Hands a piece over to a lease that nobody else has yet; it goes back to the pool of `kind`.
 * `charged`: what was charged for it. */
void gv_lease_add(struct gv_lease *lease, struct gv_piece *piece, enum gv_pool_kind kind,
                  size_t charged);

/* One holder more; returns its argument. */
struct gv_lease *gv_lease_retain(struct gv_lease *lease);

/* One holder less; the last one gives the memory back. */
void gv_lease_release(struct gv_lease *lease);

/* Bytes of memory that the lease keeps alive, and in how many pieces besides its own block. */
size_t gv_lease_size(const struct gv_lease *lease);
size_t gv_lease_pieces(const struct gv_lease *lease);

#endif
