/* gv_os.h: pages, file descriptors and threads.  The only file that knows the operating system;
 * today POSIX (Linux first, macOS), a Windows twin would stand beside gv_os.c.
 *
 * All functions may be called from any thread.
 */
#ifndef GV_OS_H
#define GV_OS_H

#include <pthread.h>

#include "gv_status.h"

/* Bytes in a page; a power of two. */
size_t gv_os_page_size(void);

/* Bytes of physical memory of the machine; 0 where unknown. */
uint64_t gv_os_physical_memory(void);

/* Bytes of memory that this process may use: what the machine has, its control group leaves it, or
 * its address space (ulimit -v) holds, whichever is least; 0 where unknown. */
uint64_t gv_os_memory_limit(void);

/* True where the address space of this process is limited (ulimit -v), so that mappings larger
 * than needed would take from what others may map. */
bool gv_os_address_space_is_limited(void);

/* `size` bytes (a multiple of the page size) of zeroed, writable, page-aligned memory that takes
 * no physical memory before it is touched; NULL where the system refuses.  The caller owns it
 * and gives it back with gv_os_unmap. */
void *gv_os_map(size_t size);

/* Resizes a mapping, moving it where it must; its first min(old, new) bytes stay.  NULL on
 * refusal, and then the old mapping is as it was. */
void *gv_os_remap(void *base, size_t old_size, size_t new_size);

/* Gives back [base, base + size), a whole mapping or the pages at its tail.  False where the system
 * refuses to split a mapping (it has merged neighbours, and too many there are); then nothing is
 * given back. */
bool gv_os_unmap(void *base, size_t size);

/* Asks for huge pages under [base, base + size); a wish, never an error. */
void gv_os_advise_huge(void *base, size_t size);

/* Opens a file for reading.  *fd is owned by the caller.  GV_INTERRUPTED when a signal came while
 * waiting (a FIFO without a writer), GV_OPEN_FAILED with errno in *error_number. */
GV_NODISCARD enum gv_status gv_os_open(const char *path, int *fd, int *error_number);
void gv_os_close(int fd);

/* Bytes of a regular file; 0 for anything else. */
uint64_t gv_os_file_size(int fd);

/* Reads at most `size` bytes; *got == 0 means the end.  GV_INTERRUPTED when a signal came first,
 * GV_READ_FAILED with errno in *error_number. */
GV_NODISCARD enum gv_status gv_os_read(int fd, uint8_t *out, size_t size, size_t *got,
                                       int *error_number);

/* Reads at most `size` bytes from an offset of a regular file, without moving its position; *got
 * is less than `size` at the end of the file only.  False where the system refuses. */
bool gv_os_read_at(int fd, uint64_t offset, uint8_t *out, size_t size, size_t *got);

/* Moves a regular file's position; false where the system refuses. */
bool gv_os_seek(int fd, uint64_t offset);

/* The whole file's bytes at once, read-only, taking address space and no memory; NULL where the
 * system refuses.  Whoever looks at a byte that the file has lost, or that cannot be read, is ended
 * by a signal: only for bytes fetched while a lease is held.  Given back with gv_os_unmap(). */
const uint8_t *gv_os_map_file(int fd, size_t size);

/* Brings [bytes, bytes + size) of a mapped file into memory, where it can be looked at without a
 * fault; the address is rounded down to a page.  False where that cannot be done. */
bool gv_os_fetch(const uint8_t *bytes, size_t size);

/* Says that the whole pages in [bytes, bytes + size) of a mapped file are no longer needed. */
void gv_os_drop(const uint8_t *bytes, size_t size);

/* Takes a lease on a file that was opened by gv_os_open(): whoever opens it to write to it or cuts
 * it waits until the lease is given back (for 45 seconds at most, as Linux is set up).  False where
 * somebody has it open for writing, where the file belongs to another user, or where the file
 * system is none that is known to keep the promise. */
bool gv_os_lease_take(int fd);

/* Whether nobody waits for the lease. */
bool gv_os_lease_holds(int fd);
void gv_os_lease_give_back(int fd);

/* Nanoseconds that a processor has spent on the calling thread, waiting left out. */
uint64_t gv_os_thread_time(void);

/* The process, by a number that a fork changes. */
int64_t gv_os_process(void);

/* Processors that this process may use at once, by affinity and by its control group's quota; at
 * least 1. */
unsigned gv_os_cores(void);

/* A lock with a condition to wait for. */
struct gv_os_lock {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

bool gv_os_lock_init(struct gv_os_lock *lock);
void gv_os_lock_deinit(struct gv_os_lock *lock);
void gv_os_lock(struct gv_os_lock *lock);
void gv_os_unlock(struct gv_os_lock *lock);

/* Waits, with the lock held, for gv_os_wake() or for about `milliseconds` (0: without end). */
void gv_os_wait(struct gv_os_lock *lock, unsigned milliseconds);
void gv_os_wake(struct gv_os_lock *lock);

/* Starts a thread that no signal is delivered to; false where the system refuses. */
bool gv_os_thread_start(pthread_t *thread, void *(*run)(void *), void *context);
void gv_os_thread_join(pthread_t thread);

#endif
