/* gv_mapping.h: looks at a file's bytes where the system's cache holds them, without the copy that
 * a read makes.
 *
 * A byte that a mapped file has lost meanwhile is a signal that ends the process, and a file that
 * is written to changes under whoever parses it.  So bytes are touched only under a lease, by which
 * the kernel makes others wait before they open the file for writing or cut it, and only after they
 * were fetched, so that what cannot be read shows as a refusal.
 *
 *     open -> { enter -> fetch*, look, drop* -> leave }* -> close        fetch: is the lease
 * wanted?
 *
 * Others wait for as long as a fetched stretch takes to be worked on, and not at all while nobody
 * is inside.  Once somebody waits, or the lease is refused, the mapping is never entered again, and
 * the file has to be read instead.
 */
#ifndef GV_MAPPING_H
#define GV_MAPPING_H

#include "gv_os.h"

/* Owns: the mapping.  Borrows: the file.
 * Invariants, with the lock held: the lease is held where users > 0; is_over and is_slow stay once
 * they are true. */
struct gv_mapping {
    int fd;
    const uint8_t *bytes; /* of the whole file */
    uint64_t size;
    int64_t process; /* that may look at it */

    struct gv_os_lock lock;
    unsigned users;      /* between enter and leave */
    bool is_over;        /* not to be entered any more */
    bool is_slow;        /* fetching takes longer than reading would */
    uint64_t fetched;    /* bytes, in all */
    uint64_t fetch_time; /* that processors took for it, in nanoseconds */
    uint64_t dropped;    /* bytes at the front whose pages were given back */
};

/* Maps a file opened by gv_os_open(), of `size` bytes.  False where that cannot be; then there is
 * nothing to close. */
bool gv_mapping_open(struct gv_mapping *mapping, int fd, uint64_t size);
void gv_mapping_close(struct gv_mapping *mapping);

/* From a call that answers true to gv_mapping_leave(), fetched bytes may be looked at.  Several
 * threads may be inside at once. */
GV_NODISCARD bool gv_mapping_enter(struct gv_mapping *mapping);
void gv_mapping_leave(struct gv_mapping *mapping);

/* Fetches [offset, offset + size), inside the file; to be called while inside, for about a MiB at
 * a time.  False where the rest of the file is better read, or others wait: leave soon; what was
 * fetched before may be looked at until then. */
GV_NODISCARD bool gv_mapping_fetch(struct gv_mapping *mapping, uint64_t offset, size_t size);

/* Nobody will look at what comes before `offset` any more.  For one thread to call. */
void gv_mapping_drop(struct gv_mapping *mapping, uint64_t offset);

#endif
