/* Loaded before all other libraries, it refuses memory to one of them (and counts what that one
 * asks for): malloc() and its kin, mmap() and mremap().  Everybody else gets what there is.
 *
 * Whose a call is, its return address tells; calls that end a function are made as if by that
 * function's caller.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc calls its own, so that nothing has to be looked up before the first malloc(). */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static atomic_uintptr_t begin, end; /* the code of the library that is watched */
static atomic_size_t first, many;   /* calls with these numbers, from 1, are refused */
static atomic_size_t asked, refused, heap, maps;
static atomic_long blocks, mapped; /* what was had and not given back */

/* The blocks that were had: who gives one back may be anybody, for a call at the end of a function
 * is made as if by that function's caller.  Each is within NEAR places of its own. */
#define PLACES ((size_t)1 << 16)
#define NEAR 64
static atomic_uintptr_t had_blocks[PLACES];

static atomic_uintptr_t *
place_of(void *block, size_t i)
{
    return &had_blocks[(((uintptr_t)block >> 4) * 0x9E3779B97F4A7C15u + i) % PLACES];
}

static int
look(struct dl_phdr_info *info, size_t size, void *name)
{
    if (strstr(info->dlpi_name, name) == NULL) {
        return 0;
    }
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
            atomic_store(&begin, info->dlpi_addr + part->p_vaddr);
            atomic_store(&end, info->dlpi_addr + part->p_vaddr + part->p_memsz);
            return 1;
        }
    }
    return 0;
}

int
shim_watch(char *name)
{
    return dl_iterate_phdr(look, name);
}

void
shim_refuse(size_t from, size_t count)
{
    atomic_store(&asked, 0);
    atomic_store(&refused, 0);
    atomic_store(&heap, 0);
    atomic_store(&maps, 0);
    atomic_store(&first, from);
    atomic_store(&many, count);
}

void
shim_counts(long *out)
{
    out[0] = (long)atomic_load(&asked);
    out[1] = (long)atomic_load(&refused);
    out[2] = (long)atomic_load(&heap);
    out[3] = (long)atomic_load(&maps);
    out[4] = atomic_load(&blocks);
    out[5] = atomic_load(&mapped);
}

static int
is_watched(void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    return at >= atomic_load(&begin) && at < atomic_load(&end);
}

/* Whether a call is to be refused. */
static int
ask(void *caller, atomic_size_t *kind)
{
    if (!is_watched(caller)) {
        return 0;
    }
    size_t number = atomic_fetch_add(&asked, 1) + 1, from = atomic_load(&first);
    atomic_fetch_add(kind, 1);
    if (number < from || number - from >= atomic_load(&many)) {
        return 0;
    }
    atomic_fetch_add(&refused, 1);
    errno = ENOMEM;
    return 1;
}

#define CALLER __builtin_return_address(0)

static void *
had(void *caller, void *block)
{
    for (size_t i = 0; block != NULL && is_watched(caller); i++) {
        uintptr_t vacant = 0;
        if (i == NEAR) {
            abort();
        }
        if (atomic_compare_exchange_strong(place_of(block, i), &vacant, (uintptr_t)block)) {
            atomic_fetch_add(&blocks, 1);
            break;
        }
    }
    return block;
}

static void
gone(void *block)
{
    for (size_t i = 0; block != NULL && i < NEAR; i++) {
        uintptr_t found = (uintptr_t)block;
        if (atomic_load(place_of(block, i)) == found &&
            atomic_compare_exchange_strong(place_of(block, i), &found, 0)) {
            atomic_fetch_sub(&blocks, 1);
            break;
        }
    }
}

void *
malloc(size_t size)
{
    return ask(CALLER, &heap) ? NULL : had(CALLER, __libc_malloc(size));
}

void *
calloc(size_t n, size_t size)
{
    return ask(CALLER, &heap) ? NULL : had(CALLER, __libc_calloc(n, size));
}

void *
realloc(void *old, size_t size)
{
    if (ask(CALLER, &heap)) {
        return NULL;
    }
    gone(old); /* of anybody else nothing is kept */
    void *block = __libc_realloc(old, size);
    return had(CALLER, block != NULL ? block : old);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    return ask(CALLER, &heap) ? NULL : had(CALLER, __libc_memalign(alignment, size));
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
    if (ask(CALLER, &heap)) {
        return ENOMEM;
    }
    *out = had(CALLER, __libc_memalign(alignment, size));
    return *out == NULL ? ENOMEM : 0;
}

char *
strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *block = ask(CALLER, &heap) ? NULL : had(CALLER, __libc_malloc(size));
    return block == NULL ? NULL : memcpy(block, text, size);
}

void
free(void *block)
{
    gone(block);
    __libc_free(block);
}

static void *
map(void *caller, void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (ask(caller, &maps)) {
        return MAP_FAILED;
    }
    void *base = (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
    if (base != MAP_FAILED && is_watched(caller)) {
        atomic_fetch_add(&mapped, (long)size);
    }
    return base;
}

void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map(CALLER, at, size, protection, flags, fd, offset);
}

void *
mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return map(CALLER, at, size, protection, flags, fd, offset);
}

int
munmap(void *base, size_t size)
{
    int result = (int)syscall(SYS_munmap, base, size);
    if (result == 0 && is_watched(CALLER)) {
        atomic_fetch_sub(&mapped, (long)size);
    }
    return result;
}

void *
mremap(void *base, size_t old_size, size_t new_size, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    void *at = (flags & MREMAP_FIXED) != 0 ? va_arg(rest, void *) : NULL;
    va_end(rest);
    if (ask(CALLER, &maps)) {
        return MAP_FAILED;
    }
    void *moved = (void *)syscall(SYS_mremap, base, old_size, new_size, flags, at);
    if (moved != MAP_FAILED && is_watched(CALLER)) {
        atomic_fetch_add(&mapped, (long)new_size - (long)old_size);
    }
    return moved;
}
