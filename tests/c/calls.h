/* calls.h: the calls by which the core asks the system for memory, counted, and refused at will.
 *
 * The linker leads every such call of the core and of the test here (--wrap, which meson.build
 * looks for: HAVE_WRAP).  What libraries do by themselves is not seen: the stack of a thread, the
 * state of a decoder.  Included by one file of a program, which defines _GNU_SOURCE first.
 */
#ifndef CALLS_H
#define CALLS_H

#include "check.h"

#ifdef HAVE_WRAP

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

/* Mappings followed at once: those of every slot of every table that threads fill. */
#define CALLS_MAPPINGS 512

struct calls_mapping {
    uint8_t *base;
    size_t size;
};

/* Invariant, with the lock held: the mappings are those of the wrapped calls that are not given
 * back, each with what is left of it. */
static struct {
    atomic_size_t all;   /* calls of any kind, but for free(NULL) */
    atomic_size_t asked; /* of them those that the system may refuse */
    atomic_size_t refused;
    atomic_size_t first, many; /* those asked for with these numbers, from 1, are to be refused */
    atomic_long blocks;        /* of the heap that are not given back */
    atomic_flag lock;
    size_t n_mappings;
    struct calls_mapping mappings[CALLS_MAPPINGS];
    size_t odd; /* calls that fit no mapping */
} calls = {.lock = ATOMIC_FLAG_INIT};

/* What is asked for and not given back. */
struct calls_held {
    long blocks;
    size_t mappings, mapped;
};

static inline void
calls_lock(void)
{
    while (atomic_flag_test_and_set_explicit(&calls.lock, memory_order_acquire)) {
    }
}

static inline void
calls_unlock(void)
{
    atomic_flag_clear_explicit(&calls.lock, memory_order_release);
}

static inline struct calls_held
calls_held(void)
{
    struct calls_held held = {.blocks = atomic_load(&calls.blocks)};
    calls_lock();
    held.mappings = calls.n_mappings;
    for (size_t i = 0; i < calls.n_mappings; i++) {
        held.mapped += calls.mappings[i].size;
    }
    calls_unlock();
    return held;
}

/* From now on the calls with numbers first..first+many-1 are refused, counted from 1; `many` may be
 * SIZE_MAX. */
static inline void
calls_refuse(size_t first, size_t many)
{
    atomic_store(&calls.asked, 0);
    atomic_store(&calls.refused, 0);
    atomic_store(&calls.first, first);
    atomic_store(&calls.many, many);
}

/* Memory is back; what was refused stays counted. */
static inline void
calls_allow(void)
{
    atomic_store(&calls.many, 0);
}

/* Counts a call that the system may refuse; whether it is to be refused. */
static inline bool
calls_ask(void)
{
    atomic_fetch_add(&calls.all, 1);
    size_t number = atomic_fetch_add(&calls.asked, 1) + 1;
    size_t first = atomic_load(&calls.first);
    if (number < first || number - first >= atomic_load(&calls.many)) {
        return false;
    }
    atomic_fetch_add(&calls.refused, 1);
    errno = ENOMEM;
    return true;
}

/* ---------------------------------------------------------------------------------------------
 * Heap
 * ------------------------------------------------------------------------------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **made, size_t alignment, size_t size);
void __real_free(void *block);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **made, size_t alignment, size_t size);
void __wrap_free(void *block);

static inline void *
calls_block(void *made)
{
    atomic_fetch_add(&calls.blocks, made != NULL);
    return made;
}

void *
__wrap_malloc(size_t size)
{
    return calls_ask() ? NULL : calls_block(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
    return calls_ask() ? NULL : calls_block(__real_calloc(n, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
    if (calls_ask()) {
        return NULL;
    }
    void *made = __real_realloc(old, size);
    return old == NULL ? calls_block(made) : made;
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return calls_ask() ? NULL : calls_block(__real_aligned_alloc(alignment, size));
}

int
__wrap_posix_memalign(void **made, size_t alignment, size_t size)
{
    if (calls_ask()) {
        return ENOMEM;
    }
    int result = __real_posix_memalign(made, alignment, size);
    atomic_fetch_add(&calls.blocks, result == 0);
    return result;
}

void
__wrap_free(void *block)
{
    if (block != NULL) {
        atomic_fetch_add(&calls.all, 1);
        atomic_fetch_sub(&calls.blocks, 1);
    }
    __real_free(block);
}

/* ---------------------------------------------------------------------------------------------
 * Pages
 * ------------------------------------------------------------------------------------------ */

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__real_mremap(void *old, size_t old_size, size_t new_size, int flags, ...);
int __real_munmap(void *base, size_t size);
int __real_brk(void *end);
void *__real_sbrk(intptr_t more);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mremap(void *old, size_t old_size, size_t new_size, int flags);
int __wrap_munmap(void *base, size_t size);
int __wrap_brk(void *end);
void *__wrap_sbrk(intptr_t more);

/* The mapping that begins at or before `base` and ends with base + size, with the lock held; NULL
 * where there is none, which is counted. */
static inline struct calls_mapping *
calls_find(const uint8_t *base, size_t size)
{
    for (size_t i = 0; i < calls.n_mappings; i++) {
        struct calls_mapping *mapping = &calls.mappings[i];
        if (base >= mapping->base && base + size == mapping->base + mapping->size) {
            return mapping;
        }
    }
    calls.odd++;
    return NULL;
}

void *
__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (calls_ask()) {
        return MAP_FAILED;
    }
    void *base = __real_mmap(at, size, protection, flags, fd, offset);
    if (base != MAP_FAILED) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        calls_lock();
        if (calls.n_mappings < CALLS_MAPPINGS) {
            calls.mappings[calls.n_mappings++] =
                (struct calls_mapping){base, (size + page - 1) / page * page};
        } else {
            calls.odd++;
        }
        calls_unlock();
    }
    return base;
}

/* What mmap() is called where files may be large. */
void *
__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return __wrap_mmap(at, size, protection, flags, fd, offset);
}

void *
__wrap_mremap(void *old, size_t old_size, size_t new_size, int flags)
{
    if (calls_ask()) {
        return MAP_FAILED;
    }
    calls_lock(); /* held on: what is left behind is another thread's mapping at once */
    struct calls_mapping *mapping = calls_find(old, old_size);
    void *base = __real_mremap(old, old_size, new_size, flags);
    if (base != MAP_FAILED && mapping != NULL) {
        *mapping = (struct calls_mapping){base, new_size};
    }
    calls_unlock();
    return base;
}

/* Where it splits a mapping the system may refuse. */
int
__wrap_munmap(void *base, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size = (size + page - 1) / page * page;
    calls_lock();
    struct calls_mapping *mapping = calls_find(base, size);
    bool is_whole = mapping != NULL && mapping->base == base;
    calls_unlock();
    if (is_whole) {
        atomic_fetch_add(&calls.all, 1);
    } else if (calls_ask()) {
        return -1;
    }
    calls_lock();
    mapping = calls_find(base, size);
    if (is_whole) {
        *mapping = calls.mappings[--calls.n_mappings];
    } else if (mapping != NULL) {
        mapping->size -= size;
    }
    calls_unlock();
    return __real_munmap(base, size);
}

int
__wrap_brk(void *end)
{
    return calls_ask() ? -1 : __real_brk(end);
}

void *
__wrap_sbrk(intptr_t more)
{
    return calls_ask() ? (void *)-1 : __real_sbrk(more);
}

/* ---------------------------------------------------------------------------------------------
 * Threads
 * ------------------------------------------------------------------------------------------ */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);
int __real_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int __real_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes);
int __wrap_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                      void *context)
{
    return calls_ask() ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}

int
__wrap_pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    return calls_ask() ? ENOMEM : __real_pthread_mutex_init(mutex, attributes);
}

int
__wrap_pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attributes)
{
    return calls_ask() ? ENOMEM : __real_pthread_cond_init(cond, attributes);
}

#endif
#endif
