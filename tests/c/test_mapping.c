#define _GNU_SOURCE
#include "check.h"
#include "gv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE ((size_t)17 << 20)

static char path[] = "/tmp/test_mapping.XXXXXX";

static void
write_file(void)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd >= 0);
    for (size_t i = 0; i < SIZE / 4096; i++) {
        uint8_t page[4096];
        memset(page, (int)i % 251, sizeof page);
        REQUIRE(write(fd, page, sizeof page) == sizeof page);
    }
    close(fd);
}

/* The file, opened as the core opens it, and mapped. */
static int
open_mapped(struct gv_mapping *mapping)
{
    int fd, error;
    REQUIRE(gv_os_open(path, &fd, &error) == GV_OK);
    REQUIRE(gv_mapping_open(mapping, fd, SIZE));
    return fd;
}

static void
close_mapped(struct gv_mapping *mapping, int fd)
{
    gv_mapping_close(mapping);
    gv_os_close(fd);
}

/* Opens the file for writing in a process of its own, which waits for as long as it must. */
static pid_t
start_writer(void)
{
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY | O_TRUNC);
        _exit(fd < 0);
    }
    REQUIRE(child > 0);
    return child;
}

static void
check_writer(pid_t child)
{
    int status;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
test_bytes(void)
{
    struct gv_mapping mapping;
    int fd = open_mapped(&mapping);
    REQUIRE(gv_mapping_enter(&mapping));
    REQUIRE(gv_mapping_fetch(&mapping, 0, SIZE));
    for (size_t i = 0; i < SIZE; i += 1021) {
        CHECK_U(mapping.bytes[i], i / 4096 % 251);
        gv_mapping_drop(&mapping, i); /* pages that are gone come back when looked at */
    }
    CHECK_U(mapping.dropped, (uint64_t)16 << 20);
    REQUIRE(gv_mapping_fetch(&mapping, 12345, 1));
    CHECK_U(mapping.bytes[12345], 12345 / 4096);
    gv_mapping_leave(&mapping);
    close_mapped(&mapping, fd);
}

/* Others may write while nobody is inside, and not while somebody is. */
static void
test_others_wait(void)
{
    struct gv_mapping mapping;
    int fd = open_mapped(&mapping);
    int writer = open(path, O_WRONLY | O_NONBLOCK);
    REQUIRE(writer >= 0);
    close(writer);
    REQUIRE(gv_mapping_enter(&mapping));
    REQUIRE(gv_mapping_enter(&mapping));
    CHECK(open(path, O_WRONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK);
    gv_mapping_leave(&mapping);
    CHECK(open(path, O_WRONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK);
    /* They asked for it: nobody else gets in, and nothing more is fetched. */
    CHECK(!gv_mapping_fetch(&mapping, 0, SIZE));
    CHECK(!gv_mapping_enter(&mapping));
    gv_mapping_leave(&mapping);
    writer = open(path, O_WRONLY | O_NONBLOCK);
    CHECK(writer >= 0);
    close(writer);
    CHECK(!gv_mapping_enter(&mapping));
    close_mapped(&mapping, fd);
}

/* Who waits sends no signal that anybody would notice, and what was fetched can be looked at until
 * he is let in. */
static void
test_a_waiting_writer(void)
{
    struct gv_mapping mapping;
    for (int i = 0; i < 20; i++) {
        int fd = open_mapped(&mapping);
        REQUIRE(gv_mapping_enter(&mapping));
        REQUIRE(gv_mapping_fetch(&mapping, 0, SIZE));
        pid_t child = start_writer();
        while (gv_mapping_fetch(&mapping, 0, SIZE)) {
        }
        size_t wrong = 0;
        for (size_t at = 0; at < SIZE; at += 512) {
            wrong += mapping.bytes[at] != at / 4096 % 251;
        }
        CHECK_U(wrong, 0);
        gv_mapping_leave(&mapping);
        check_writer(child);
        CHECK(!gv_mapping_enter(&mapping));
        close_mapped(&mapping, fd);
        write_file();
    }
}

static void
test_refusals(void)
{
    struct gv_mapping mapping;
    int fd = open_mapped(&mapping);
    int writer = open(path, O_RDWR);
    CHECK(!gv_mapping_enter(&mapping));
    close(writer);
    CHECK(!gv_mapping_enter(&mapping));
    close_mapped(&mapping, fd);

    fd = open_mapped(&mapping);
    REQUIRE(truncate(path, SIZE - 1) == 0);
    CHECK(!gv_mapping_enter(&mapping));
    close_mapped(&mapping, fd);
    write_file();

    /* In a forked process the lease is not its own. */
    fd = open_mapped(&mapping);
    REQUIRE(gv_mapping_enter(&mapping));
    pid_t child = fork();
    if (child == 0) {
        _exit(gv_mapping_enter(&mapping));
    }
    check_writer(child);
    gv_mapping_leave(&mapping);
    close_mapped(&mapping, fd);
}

int
main(void)
{
    int fd = mkstemp(path);
    bool is_promised = gv_os_lease_take(fd) || errno == EAGAIN; /* it is open for writing */
    close(fd);
    if (!is_promised) {
        printf("no leases on this system: nothing is mapped here\n");
        unlink(path);
        return check_result();
    }
    write_file();
    test_bytes();
    test_others_wait();
    test_a_waiting_writer();
    test_refusals();
    unlink(path);
    return check_result();
}
