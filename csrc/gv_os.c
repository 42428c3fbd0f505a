#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap, MAP_NORESERVE, sched_getaffinity, F_SETLEASE */
#endif
#include "gv_os.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif
#include <time.h>
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
        (void)gv_os_unmap(base, old_size);
    }
    return moved;
#endif
}

bool
gv_os_unmap(void *base, size_t size)
{
    return size == 0 || munmap(base, size) == 0;
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

bool
gv_os_read_at(int fd, uint64_t offset, uint8_t *out, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        ssize_t n =
            pread(fd, out + *got, gv_min_size(size - *got, READ_MOST), (off_t)(offset + *got));
        if (n == 0) {
            break;
        }
        if (n < 0 && errno != EINTR) {
            return false;
        }
        *got += n > 0 ? (size_t)n : 0;
    }
    return true;
}

bool
gv_os_seek(int fd, uint64_t offset)
{
    return lseek(fd, (off_t)offset, SEEK_SET) >= 0;
}

/* ---------------------------------------------------------------------------------------------
 * Files looked at in place
 * ------------------------------------------------------------------------------------------ */

const uint8_t *
gv_os_map_file(int fd, size_t size)
{
    void *base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    return base == MAP_FAILED ? NULL : base;
}

#if defined(__linux__) && defined(F_SETLEASE) && defined(F_SETSIG)

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22 /* Linux 5.14 */
#endif

/* Where a lease holds: file systems of this machine alone, whose files change through this kernel
 * only.  The numbers are those of <linux/magic.h>. */
static bool
is_local(int fd)
{
    static const unsigned long local[] = {
        0xEF53,     /* ext2, ext3, ext4 */
        0x58465342, /* XFS */
        0x9123683E, /* Btrfs */
        0xF2F52010, /* F2FS */
        0x01021994, /* tmpfs */
        0x794C7630, /* overlayfs */
    };
    struct statfs found;
    if (fstatfs(fd, &found) != 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        if ((unsigned long)found.f_type == local[i]) {
            return true;
        }
    }
    return false;
}

/* Who waits for a lease makes the kernel send its holder a signal, by default one that ends the
 * process.  So it is one that is ignored by default, and as soon as the kernel has made this
 * process its receiver, there is none: gv_os_lease_holds() asks instead. */
bool
gv_os_lease_take(int fd)
{
    return is_local(fd) && fcntl(fd, F_SETSIG, SIGURG) == 0 &&
           fcntl(fd, F_SETLEASE, F_RDLCK) == 0 && fcntl(fd, F_SETOWN, 0) == 0;
}

bool
gv_os_lease_holds(int fd)
{
    return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

void
gv_os_lease_give_back(int fd)
{
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
}

bool
gv_os_fetch(const uint8_t *bytes, size_t size)
{
    size_t before = (uintptr_t)bytes & (gv_os_page_size() - 1);
    return madvise((void *)(bytes - before), size + before, MADV_POPULATE_READ) == 0;
}

void
gv_os_drop(const uint8_t *bytes, size_t size)
{
    size_t page = gv_os_page_size(), before = -(uintptr_t)bytes & (page - 1);
    if (size > before) {
        (void)madvise((void *)(bytes + before), (size - before) & ~(page - 1), MADV_DONTNEED);
    }
}

#else /* nobody promises that the file stays as it is: then no byte of it is looked at in place */

bool
gv_os_lease_take(int fd)
{
    (void)fd;
    return false;
}

bool
gv_os_lease_holds(int fd)
{
    (void)fd;
    return false;
}

void
gv_os_lease_give_back(int fd)
{
    (void)fd;
}

bool
gv_os_fetch(const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
    return false;
}

void
gv_os_drop(const uint8_t *bytes, size_t size)
{
    (void)bytes;
    (void)size;
}

#endif

uint64_t
gv_os_thread_time(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Reads up to two whole numbers from the beginning of a small file; how many there were. */
static int
read_numbers(const char *path, long long numbers[2])
{
    char text[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    ssize_t n = read(fd, text, sizeof text - 1);
    gv_os_close(fd);
    text[n > 0 ? n : 0] = 0;
    return sscanf(text, "%lld %lld", &numbers[0], &numbers[1]);
}

/* The processors that the control group's quota amounts to, rounded up; 0 where there is none. */
static unsigned
quota_cores(void)
{
    long long numbers[2], period[2];
    if (read_numbers("/sys/fs/cgroup/cpu.max", numbers) < 2) { /* "max 100000": no number */
        if (read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", numbers) < 1 ||
            read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period) < 1) {
            return 0;
        }
        numbers[1] = period[0];
    }
    if (numbers[0] <= 0 || numbers[1] <= 0) {
        return 0;
    }
    return (unsigned)((numbers[0] + numbers[1] - 1) / numbers[1]);
}

/* The least limit of the control group that this process is in and of those around it; UINT64_MAX
 * where there is none.  In a container the group shows as "/". */
static uint64_t
group_memory(void)
{
    char path[1024] = "", file[sizeof path + 64];
    uint64_t least = UINT64_MAX;
    long long numbers[2];
    FILE *groups = fopen("/proc/self/cgroup", "re");
    if (groups != NULL) {
        while (fgets(path, sizeof path, groups) != NULL && strncmp(path, "0::/", 4) != 0) {
            path[0] = '\0';
        }
        (void)fclose(groups);
    }
    path[strcspn(path, "\n")] = '\0';
    for (char *end = path + strlen(path); end != NULL; end = strrchr(path, '/')) {
        *end = '\0';
        (void)snprintf(file, sizeof file, "/sys/fs/cgroup%s/memory.max",
                       strlen(path) > 3 ? path + 3 : "");
        if (read_numbers(file, numbers) >= 1 && (uint64_t)numbers[0] < least) {
            least = (uint64_t)numbers[0];
        }
    }
    if (read_numbers("/sys/fs/cgroup/memory/memory.limit_in_bytes", numbers) >= 1 &&
        (uint64_t)numbers[0] < least) {
        least = (uint64_t)numbers[0]; /* version 1 */
    }
    return least;
}

uint64_t
gv_os_memory_limit(void)
{
    uint64_t machine = gv_os_physical_memory(), least = group_memory();
    struct rlimit space;
    if (machine > 0 && machine < least) {
        least = machine;
    }
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY &&
        (uint64_t)space.rlim_cur < least) {
        least = (uint64_t)space.rlim_cur;
    }
    return least != UINT64_MAX ? least : 0;
}

int64_t
gv_os_process(void)
{
    return (int64_t)getpid();
}

unsigned
gv_os_cores(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cores = online > 0 ? (unsigned)online : 1;
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        cores = (unsigned)CPU_COUNT(&set);
    }
#endif
    unsigned quota = quota_cores();
    return quota > 0 && quota < cores ? quota : cores;
}

bool
gv_os_lock_init(struct gv_os_lock *lock)
{
    if (pthread_mutex_init(&lock->mutex, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&lock->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&lock->mutex);
        return false;
    }
    return true;
}

void
gv_os_lock_deinit(struct gv_os_lock *lock)
{
    (void)pthread_cond_destroy(&lock->changed);
    (void)pthread_mutex_destroy(&lock->mutex);
}

void
gv_os_lock(struct gv_os_lock *lock)
{
    (void)pthread_mutex_lock(&lock->mutex);
}

void
gv_os_unlock(struct gv_os_lock *lock)
{
    (void)pthread_mutex_unlock(&lock->mutex);
}

void
gv_os_wait(struct gv_os_lock *lock, unsigned milliseconds)
{
    if (milliseconds == 0) {
        (void)pthread_cond_wait(&lock->changed, &lock->mutex);
        return;
    }
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(milliseconds / 1000);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&lock->changed, &lock->mutex, &until);
}

void
gv_os_wake(struct gv_os_lock *lock)
{
    (void)pthread_cond_broadcast(&lock->changed);
}

bool
gv_os_thread_start(pthread_t *thread, void *(*run)(void *), void *context)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* a new thread inherits the mask */
    int result = pthread_create(thread, NULL, run, context);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result == 0;
}

void
gv_os_thread_join(pthread_t thread)
{
    (void)pthread_join(thread, NULL);
}
