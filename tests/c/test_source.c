#define _GNU_SOURCE
#include "check.h"
#include "gv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static const uint8_t text[] = "@r1\nACGT\n+\nIIII\n";
#define TEXT_SIZE (sizeof text - 1)

/* Reads all of a source, `step` bytes at a time. */
static void
check_reads_all(struct gv_source *source, size_t step)
{
    uint8_t out[64] = {0};
    size_t size = 0, got = 1;
    while (got > 0) {
        struct gv_error error;
        uint64_t before = source->bytes_read;
        REQUIRE(gv_source_read(source, out + size, step, &got, &error) == GV_OK);
        CHECK(got <= step);
        CHECK_U(source->bytes_read, before + got);
        size += got;
    }
    CHECK_U(size, TEXT_SIZE);
    CHECK_BYTES(out, text, TEXT_SIZE);
}

static void
test_memory(void)
{
    for (size_t step = 1; step < 20; step++) {
        struct gv_source source;
        gv_source_open_memory(&source, text, TEXT_SIZE);
        CHECK_U(source.size, TEXT_SIZE);
        check_reads_all(&source, step);
        gv_source_close(&source);
    }
    struct gv_source source;
    struct gv_error error;
    uint8_t out[4];
    size_t got = 7;
    gv_source_open_memory(&source, NULL, 0);
    CHECK_NAMES(gv_source_read(&source, out, 4, &got, &error), GV_OK);
    CHECK_U(got, 0);
    gv_source_close(&source);
    gv_source_close(&source);
}

static void
test_file(void)
{
    char path[] = "gv_test_source_XXXXXX";
    int made = mkstemp(path);
    REQUIRE(made >= 0);
    REQUIRE(write(made, text, TEXT_SIZE) == (ssize_t)TEXT_SIZE);
    REQUIRE(close(made) == 0);
    for (size_t step = 1; step < 20; step += 6) {
        struct gv_source source;
        struct gv_error error;
        REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
        CHECK_U(source.size, TEXT_SIZE);
        check_reads_all(&source, step);
        int fd = source.fd;
        gv_source_close(&source);
        CHECK(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
        CHECK_I(source.fd, -1);
        gv_source_close(&source);
    }
    REQUIRE(unlink(path) == 0);
}

static void
test_file_faults(void)
{
    struct gv_source source, before;
    struct gv_error error;
    memset(&source, 0x5a, sizeof source);
    before = source;
    CHECK_NAMES(gv_source_open_path(&source, "/no/such/file", &error), GV_OPEN_FAILED);
    CHECK_NAMES(error.status, GV_OPEN_FAILED);
    CHECK_I(error.detail, ENOENT);
    CHECK_BYTES(&source, &before, sizeof source);

    /* A directory can be opened and not be read. */
    REQUIRE(gv_source_open_path(&source, ".", &error) == GV_OK);
    uint8_t out[4];
    size_t got = 0;
    CHECK_NAMES(gv_source_read(&source, out, 4, &got, &error), GV_READ_FAILED);
    CHECK_NAMES(error.status, GV_READ_FAILED);
    CHECK_I(error.detail, EISDIR);
    CHECK_U(error.line, 0);
    CHECK_U(source.bytes_read, 0);
    CHECK_U(source.size, 0);
    gv_source_close(&source);
}

struct script {
    size_t at;
    unsigned calls;
};

/* Two bytes, then an interruption, then a failure at every fifth call. */
static enum gv_status
scripted(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct script *script = context;
    script->calls++;
    if (script->calls % 5 == 0) {
        return GV_CALLBACK_FAILED;
    }
    if (script->calls % 2 == 0) {
        return GV_INTERRUPTED;
    }
    *got = gv_min_size(gv_min_size(size, 2), TEXT_SIZE - script->at);
    memcpy(out, text + script->at, *got);
    script->at += *got;
    return GV_OK;
}

static void
test_callback(void)
{
    struct script script = {0};
    struct gv_source source;
    uint8_t out[64];
    size_t size = 0;
    unsigned interruptions = 0, failures = 0;
    gv_source_open_callback(&source, scripted, &script);
    CHECK_U(source.size, 0);
    for (;;) {
        struct gv_error error = {0};
        size_t got = 0;
        enum gv_status status = gv_source_read(&source, out + size, 8, &got, &error);
        if (status == GV_INTERRUPTED) {
            interruptions++;
            continue;
        }
        if (status == GV_CALLBACK_FAILED) {
            CHECK_NAMES(error.status, GV_CALLBACK_FAILED);
            CHECK_U(error.input_offset, size);
            CHECK_U(source.bytes_read, size);
            failures++;
            continue;
        }
        REQUIRE(status == GV_OK);
        if (got == 0) {
            break;
        }
        size += got;
        CHECK_U(source.bytes_read, size);
    }
    CHECK(interruptions > 0 && failures > 0);
    CHECK_U(size, TEXT_SIZE);
    CHECK_BYTES(out, text, TEXT_SIZE);
    gv_source_close(&source);
}

static void
on_signal(int number)
{
    (void)number;
}

/* Signals come again and again, so that none can fall into the moment before the wait alone. */
static void
start_signals(bool on)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART */
    struct itimerval timer = {{0, 0}, {0, 0}};
    if (on) {
        timer = (struct itimerval){{0, 20000}, {0, 20000}};
    }
    REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
    REQUIRE(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void
test_signals(void)
{
    char folder[] = "gv_test_source_XXXXXX", path[64];
    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(path, sizeof path, "%s/fifo", folder);
    REQUIRE(mkfifo(path, 0600) == 0);
    struct gv_source source;
    struct gv_error error;
    uint8_t out[64];
    size_t got = 0;

    start_signals(true);
    CHECK_NAMES(gv_source_open_path(&source, path, &error), GV_INTERRUPTED);
    start_signals(false);
    /* A descriptor for both ends lets the reader open without waiting. */
    int writer = open(path, O_RDWR);
    REQUIRE(writer >= 0);
    REQUIRE(gv_source_open_path(&source, path, &error) == GV_OK);
    CHECK_U(source.size, 0);
    start_signals(true);
    CHECK_NAMES(gv_source_read(&source, out, sizeof out, &got, &error), GV_INTERRUPTED);
    start_signals(false);
    CHECK_U(source.bytes_read, 0);
    REQUIRE(write(writer, text, TEXT_SIZE) == (ssize_t)TEXT_SIZE);
    REQUIRE(close(writer) == 0);
    check_reads_all(&source, 5);
    gv_source_close(&source);
    REQUIRE(unlink(path) == 0 && rmdir(folder) == 0);
}

int
main(void)
{
    test_memory();
    test_file();
    test_file_faults();
    test_callback();
    test_signals();
    return check_result();
}
