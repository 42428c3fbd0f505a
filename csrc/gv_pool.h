/* gv_pool.h: extents kept warm between results.
 *
 * Fresh pages cost more than parsing does: the system clears each, and a virtual machine may have
 * to fetch it from its host.  So an extent whose last view is gone is not unmapped but kept, up
 * to a bound, and handed to the next result that needs one.
 *
 * A pool is counted like a lease: arenas and leases hold it, so that memory may come back after
 * everything else is gone.  Taking and putting never wait: where another thread is at it (or was,
 * when this process was forked), a take finds nothing and a put unmaps.  Any thread.
 */
#ifndef GV_POOL_H
#define GV_POOL_H

#include <stdatomic.h>

#include "gv_status.h"

/* A piece of memory.  Invariant: base == NULL iff capacity == 0; mapped: base is page-aligned
 * and capacity a multiple of the page size; otherwise base is GV_ALIGNMENT-aligned heap. */
struct gv_piece {
    uint8_t *base;
    size_t capacity;
    bool mapped;
    bool huge; /* huge pages were asked for */
};

/* Gives a piece back to the system and empties it. */
void gv_piece_free(struct gv_piece *piece);

/* Owns: its idle extents. */
struct gv_pool;

struct gv_pool_stats {
    uint64_t hits, misses; /* takes that found an extent, and that did not */
    uint64_t puts;         /* extents that came back, kept or not */
    size_t idle_bytes;     /* kept now */
};

/* A pool held once, which keeps at most idle_limit bytes; NULL where memory is refused. */
struct gv_pool *gv_pool_new(size_t idle_limit);
struct gv_pool *gv_pool_retain(struct gv_pool *pool);

/* One holder less; the last one frees what is idle. */
void gv_pool_release(struct gv_pool *pool);

/* Takes the largest idle extent; false where there is none. */
bool gv_pool_take(struct gv_pool *pool, struct gv_piece *piece);

/* Takes over a mapped extent: keeps it, or gives it back to the system. */
void gv_pool_put(struct gv_pool *pool, struct gv_piece *piece);

/* Gives all idle extents back to the system. */
void gv_pool_trim(struct gv_pool *pool);

struct gv_pool_stats gv_pool_stats(const struct gv_pool *pool);

#endif
