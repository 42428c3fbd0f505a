#include "gv_mapping.h"

/* Pages are given back in steps of this size: each makes the processors that run the other threads
 * stop for a moment, to forget them.  A multiple of the size of large pages. */
#define DROP_STEP ((uint64_t)16 << 20)

/* Fetching takes 8 us a MiB where pages are large, 25 where they are small, and reading 100.  Where
 * fetching takes more than 60, as pages are dear on some virtual machines, reading is the better
 * way.  The first milliseconds are forgiven. */
#define FETCH_MOST(bytes) (4000000 + (bytes) / 17)

bool
gv_mapping_open(struct gv_mapping *mapping, int fd, uint64_t size)
{
    assert(fd >= 0 && size > 0);
    if (size > SIZE_MAX || gv_os_address_space_is_limited()) {
        return false;
    }
    *mapping = (struct gv_mapping){.fd = fd, .size = size, .process = gv_os_process()};
    mapping->bytes = gv_os_map_file(fd, (size_t)size);
    if (mapping->bytes == NULL) {
        return false;
    }
    if (!gv_os_lock_init(&mapping->lock)) {
        (void)gv_os_unmap((void *)mapping->bytes, (size_t)size);
        return false;
    }
    return true;
}

void
gv_mapping_close(struct gv_mapping *mapping)
{
    assert(mapping->users == 0);
    gv_os_lock_deinit(&mapping->lock);
    (void)gv_os_unmap((void *)mapping->bytes, (size_t)mapping->size);
}

/* A lease for the first user.  While there was none, the file may have been cut. */
static bool
take_lease(const struct gv_mapping *mapping)
{
    if (!gv_os_lease_take(mapping->fd)) {
        return false;
    }
    if (gv_os_file_size(mapping->fd) < mapping->size) {
        gv_os_lease_give_back(mapping->fd);
        return false;
    }
    return true;
}

bool
gv_mapping_enter(struct gv_mapping *mapping)
{
    if (mapping->process != gv_os_process()) {
        return false; /* forked: the lease is the other process's, and so is whoever holds the lock
                       */
    }
    gv_os_lock(&mapping->lock);
    if (!mapping->is_over && mapping->users == 0) {
        mapping->is_over = !take_lease(mapping);
    }
    bool may_enter = !mapping->is_over;
    mapping->users += may_enter;
    gv_os_unlock(&mapping->lock);
    return may_enter;
}

void
gv_mapping_leave(struct gv_mapping *mapping)
{
    gv_os_lock(&mapping->lock);
    assert(mapping->users > 0);
    if (--mapping->users == 0) {
        gv_os_lease_give_back(mapping->fd);
    }
    gv_os_unlock(&mapping->lock);
}

bool
gv_mapping_fetch(struct gv_mapping *mapping, uint64_t offset, size_t size)
{
    assert(offset <= mapping->size && size <= mapping->size - offset);
    gv_os_lock(&mapping->lock);
    assert(mapping->users > 0);
    bool is_slow = mapping->is_slow;
    gv_os_unlock(&mapping->lock);
    if (is_slow) {
        return false;
    }
    uint64_t begin = gv_os_thread_time();
    bool holds = gv_os_lease_holds(mapping->fd);
    bool is_there = holds && gv_os_fetch(mapping->bytes + (size_t)offset, size);
    uint64_t taken = gv_os_thread_time() - begin;
    gv_os_lock(&mapping->lock);
    mapping->fetched += size;
    mapping->fetch_time += taken;
    mapping->is_over |= !holds;
    mapping->is_slow |= !is_there || mapping->fetch_time > FETCH_MOST(mapping->fetched);
    gv_os_unlock(&mapping->lock);
    return is_there;
}

void
gv_mapping_drop(struct gv_mapping *mapping, uint64_t offset)
{
    uint64_t until = offset & ~(DROP_STEP - 1);
    if (until > mapping->dropped) {
        gv_os_drop(mapping->bytes + (size_t)mapping->dropped, (size_t)(until - mapping->dropped));
        mapping->dropped = until;
    }
}
