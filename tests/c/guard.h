/* guard.h: memory that ends where the next byte cannot be read.
 *
 * The tests put a text at the very end of it, so that a read of one byte past the text's end
 * stops the program.  A file that includes this defines _GNU_SOURCE first.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    uint8_t *base;
    uint8_t *end; /* [base, end) can be used; neither base[-1] nor *end can */
    size_t mapped;
};

static inline struct guard
guard_new(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inner = (size + page - 1) / page * page;
    struct guard guard = {.mapped = inner + 2 * page};
    uint8_t *all = mmap(NULL, guard.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, inner, PROT_READ | PROT_WRITE) != 0) {
        exit(EXIT_FAILURE);
    }
    guard.base = all + page;
    guard.end = guard.base + inner;
    return guard;
}

static inline void
guard_free(struct guard *guard)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)munmap(guard->base - page, guard->mapped);
}

#endif
