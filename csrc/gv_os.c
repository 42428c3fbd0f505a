#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap, MAP_NORESERVE */
#endif
#include "gv_os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Read calls beyond this are refused or cut short by some systems (macOS: INT_MAX). */
#define READ_MOST ((size_t)1 << 30)

size_t
gv_os_page_size(void)
{
    long size = sysconf(_SC_PAGESIZE);
    return size > 0 ? (size_t)size : 4096;
}

uint64_t
gv_os_physical_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    return pages > 0 ? (uint64_t)pages * gv_os_page_size() : 0;
}

bool
gv_os_address_space_is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

void *
gv_os_map(size_t size)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return base == MAP_FAILED ? NULL : base;
}

void *
gv_os_remap(void *base, size_t old_size, size_t new_size)
{
#ifdef __linux__
    void *moved = mremap(base, old_size, new_size, MREMAP_MAYMOVE);
    return moved == MAP_FAILED ? NULL : moved;
#else
    void *moved = gv_os_map(new_size);
    if (moved != NULL) {
        memcpy(moved, base, gv_min_size(old_size, new_size));
        gv_os_unmap(base, old_size);
    }
    return moved;
#endif
}

void
gv_os_unmap(void *base, size_t size)
{
    if (size > 0) {
        int result = munmap(base, size);
        assert(result == 0);
        (void)result;
    }
}

void
gv_os_advise_huge(void *base, size_t size)
{
#ifdef MADV_HUGEPAGE
    int kept_errno = errno;
    (void)madvise(base, size, MADV_HUGEPAGE);
    errno = kept_errno;
#else
    (void)base;
    (void)size;
#endif
}

enum gv_status
gv_os_open(const char *path, int *fd, int *error_number)
{
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0) {
        if (errno == EINTR) {
            return GV_INTERRUPTED; /* opening a FIFO waits for its writer */
        }
        *error_number = errno;
        return GV_OPEN_FAILED;
    }
    *fd = opened;
    return GV_OK;
}

void
gv_os_close(int fd)
{
    (void)close(fd);
}

uint64_t
gv_os_file_size(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < 0) {
        return 0;
    }
    return (uint64_t)status.st_size;
}

enum gv_status
gv_os_read(int fd, uint8_t *out, size_t size, size_t *got, int *error_number)
{
    ssize_t n = read(fd, out, gv_min_size(size, READ_MOST));
    if (n < 0) {
        if (errno == EINTR) {
            return GV_INTERRUPTED;
        }
        *error_number = errno;
        return GV_READ_FAILED;
    }
    *got = (size_t)n;
    return GV_OK;
}
