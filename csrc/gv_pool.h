/* gv_pool.h: memory kept warm between its uses.
 *
 * Fresh memory costs more than parsing does: the system clears each page, and a virtual machine may
 * have to fetch it from its host.  So a piece that nobody uses any more is not given back but kept,
 * up to a bound, and handed to the next who asks.
 *
 *   slabs    pieces of a size that is known: gv_pool_get() finds or makes one, gv_pool_put() keeps
 * it extents  pieces that grow in use, each to a size of its own: gv_pool_take() hands out the
 * largest one that is idle, and its taker resizes it; put() as above
 *
 * Threads: any, without a lock.  Each place for an idle piece has a state of its own, changed by
 * compare-and-swap; nobody waits for anybody.  A process that is forked inherits what is idle; a
 * place that another thread was busy with at that moment stays out of use there.
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

/* Smaller pieces of heap are quicker had from malloc() than from a pool. */
#define GV_POOLED_LEAST ((size_t)16 << 10)

/* Pieces from here up are pages of their own: below, whole pages would waste more than they save.
 */
#define GV_MAPPED_LEAST ((size_t)256 << 10)

/* Huge pages are asked for from here up: earlier, a few pages of 2 MiB would cost a small result
 * more memory and time than it holds. */
#define GV_HUGE_LEAST ((size_t)4 << 20)

/* `size` bytes of heap aligned to GV_ALIGNMENT; NULL where the system refuses.  Given back with
 * free(). */
void *gv_heap_new(size_t size);

/* Asks for huge pages, once and where the piece is large enough. */
void gv_piece_advise(struct gv_piece *piece);

/* Gives a piece back to the system and empties it; an empty one is left alone. */
void gv_piece_free(struct gv_piece *piece);

/* Owns: its idle pieces. */
struct gv_pool;

struct gv_pool_stats {
    uint64_t gets;         /* pieces asked for */
    uint64_t hits, misses; /* of them found idle, and not */
    uint64_t puts;         /* pieces that came back, kept or not */
    size_t in_use, peak;   /* bytes handed out, now and at most */
    size_t idle;           /* bytes kept */
    size_t idle_pieces;
};

/* A pool.  *idle counts what is idle in all pools that share it, at most idle_limit bytes; it must
 * outlive them.  NULL where memory is refused. */
struct gv_pool *gv_pool_new(atomic_size_t *idle, size_t idle_limit);
void gv_pool_free(struct gv_pool *pool);

/* A piece of at least `size` (> 0) bytes: an idle one of up to twice the size, else a fresh one.
 * Its bytes are anything.  False where the system refuses.  `pool` may be NULL: then it is fresh.
 */
GV_NODISCARD bool gv_pool_get(struct gv_pool *pool, size_t size, struct gv_piece *piece);

/* The same for a piece of heap, of 0 < size < GV_MAPPED_LEAST bytes: never pages of its own. */
GV_NODISCARD bool gv_pool_get_heap(struct gv_pool *pool, size_t size, struct gv_piece *piece);

/* Takes the largest idle piece of pages; false where there is none.  How much of it is in use is
 * the taker's to say, with gv_pool_count(). */
GV_NODISCARD bool gv_pool_take(struct gv_pool *pool, struct gv_piece *piece);

/* Takes a piece over and empties it: it is kept, or goes back to the system.  `used`: the bytes of
 * it that were counted as in use; its capacity after gv_pool_get().  `pool` may
 * be NULL: then it goes back; an empty piece is left alone. */
void gv_pool_put(struct gv_pool *pool, struct gv_piece *piece, size_t used);

/* `more` bytes are in use and `less` are not any more. */
void gv_pool_count(struct gv_pool *pool, size_t more, size_t less);

/* Raises a peak that others may raise meanwhile to at least `value`. */
void gv_raise_to(atomic_size_t *peak, size_t value);

/* Gives what is idle back to the system; returns how many bytes those were. */
size_t gv_pool_trim(struct gv_pool *pool);

struct gv_pool_stats gv_pool_stats(const struct gv_pool *pool);

#endif
