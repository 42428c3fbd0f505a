#define _GNU_SOURCE
#include "check.h"
#include "gv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static void
test_machine(void)
{
    size_t page = gv_os_page_size();
    CHECK(page >= 4096 && (page & (page - 1)) == 0);
    CHECK(gv_os_physical_memory() == 0 || gv_os_physical_memory() > page);
}

/* What the address space may hold is a bound too, where it is less than the machine has. */
static void
test_memory_limit(void)
{
    uint64_t before = gv_os_memory_limit();
    CHECK(before == 0 || gv_os_physical_memory() == 0 || before <= gv_os_physical_memory());
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return; /* their shadow alone is larger than any limit */
#endif
    struct rlimit found, limit;
    REQUIRE(getrlimit(RLIMIT_AS, &found) == 0);
    limit = found;
    limit.rlim_cur = ((rlim_t)100 << 20) + 4321;
    if (before > 0 && before < limit.rlim_cur) {
        return;
    }
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK_U(gv_os_memory_limit(), limit.rlim_cur);
    CHECK(gv_os_address_space_is_limited());
    REQUIRE(setrlimit(RLIMIT_AS, &found) == 0);
    CHECK_U(gv_os_memory_limit(), before);
}

static void
test_mapping(void)
{
    size_t page = gv_os_page_size();
    uint8_t *base = gv_os_map(4 * page);
    REQUIRE(base != NULL);
    CHECK_U((uintptr_t)base % page, 0);
    size_t sum = 0;
    for (size_t i = 0; i < 4 * page; i++) {
        sum += base[i];
        base[i] = (uint8_t)(i % 251);
    }
    CHECK_U(sum, 0);
    gv_os_advise_huge(base, 4 * page);
    base = gv_os_remap(base, 4 * page, 4096 * page);
    REQUIRE(base != NULL);
    size_t same = 0;
    for (size_t i = 0; i < 4 * page; i++) {
        same += base[i] == i % 251;
    }
    CHECK_U(same, 4 * page);
    CHECK_U(base[4096 * page - 1], 0);
    base = gv_os_remap(base, 4096 * page, 2 * page);
    REQUIRE(base != NULL);
    CHECK_U(base[2 * page - 1], (2 * page - 1) % 251);
    gv_os_unmap(base + page, page);
    CHECK_U(base[page - 1], (page - 1) % 251);
    gv_os_unmap(base, page);
}

static void
test_refusals(void)
{
    size_t page = gv_os_page_size();
    size_t far_too_much = ((size_t)1 << 62) / page * page;
    CHECK(gv_os_map(far_too_much) == NULL);
    uint8_t *base = gv_os_map(page);
    REQUIRE(base != NULL);
    base[7] = 7;
    CHECK(gv_os_remap(base, page, far_too_much) == NULL);
    CHECK_U(base[7], 7);
    gv_os_unmap(base, page);
}

/* A wish that cannot be granted is no error, not even in errno. */
static void
test_advice_keeps_errno(void)
{
    size_t page = gv_os_page_size();
    uint8_t *base = gv_os_map(page);
    REQUIRE(base != NULL);
    errno = EXDEV;
    gv_os_advise_huge(base + 1, page);
    CHECK_I(errno, EXDEV);
    gv_os_unmap(base, page);
}

static void
test_files(void)
{
    int fd = -7, error_number = 0;
    CHECK_NAMES(gv_os_open("/no/such/file", &fd, &error_number), GV_OPEN_FAILED);
    CHECK_I(error_number, ENOENT);
    CHECK_I(fd, -7);

    char path[] = "gv_test_os_XXXXXX";
    int made = mkstemp(path);
    REQUIRE(made >= 0);
    REQUIRE(write(made, "hello", 5) == 5);
    REQUIRE(close(made) == 0);
    CHECK_NAMES(gv_os_open(path, &fd, &error_number), GV_OK);
    CHECK_I(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    CHECK_U(gv_os_file_size(fd), 5);
    uint8_t out[8] = {0};
    size_t got = 99;
    CHECK_NAMES(gv_os_read(fd, out, 3, &got, &error_number), GV_OK);
    CHECK_U(got, 3);
    CHECK_NAMES(gv_os_read(fd, out + 3, 5, &got, &error_number), GV_OK);
    CHECK_U(got, 2);
    CHECK_BYTES(out, "hello", 5);
    CHECK_NAMES(gv_os_read(fd, out, 8, &got, &error_number), GV_OK);
    CHECK_U(got, 0);
    gv_os_close(fd);
    CHECK_NAMES(gv_os_read(fd, out, 8, &got, &error_number), GV_READ_FAILED);
    CHECK_I(error_number, EBADF);
    CHECK_U(gv_os_file_size(fd), 0);
    REQUIRE(unlink(path) == 0);

    int ends[2];
    REQUIRE(pipe(ends) == 0);
    CHECK_U(gv_os_file_size(ends[0]), 0);
    gv_os_close(ends[0]);
    gv_os_close(ends[1]);
}

int
main(void)
{
    test_machine();
    test_memory_limit();
    test_mapping();
    test_refusals();
    test_advice_keeps_errno();
    test_files();
    return check_result();
}
