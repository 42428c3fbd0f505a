#define _GNU_SOURCE
#include "check.h"
#include "gv.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* A pool, and the count of what is idle. */
static struct gv_pool *
new_pool(atomic_size_t *idle, size_t idle_limit)
{
    atomic_init(idle, 0);
    struct gv_pool *pool = gv_pool_new(idle, idle_limit);
    REQUIRE(pool != NULL);
    return pool;
}

static struct gv_piece
get(struct gv_pool *pool, size_t size)
{
    struct gv_piece piece = {0};
    REQUIRE(gv_pool_get(pool, size, &piece));
    CHECK(piece.base != NULL && piece.capacity >= size);
    CHECK_U((uintptr_t)piece.base % GV_ALIGNMENT, 0);
    return piece;
}

static void
put(struct gv_pool *pool, struct gv_piece *piece)
{
    gv_pool_put(pool, piece, piece->capacity);
    CHECK(piece->base == NULL && piece->capacity == 0);
}

static struct gv_piece
extent(size_t size)
{
    struct gv_piece piece = {.base = gv_os_map(size), .capacity = size, .mapped = true};
    REQUIRE(piece.base != NULL);
    return piece;
}

/* The counts agree with each other, and with `idle`, that of this pool alone. */
static void
check_counts(const struct gv_pool *pool, const atomic_size_t *idle)
{
    struct gv_pool_stats stats = gv_pool_stats(pool);
    CHECK_U(stats.gets, stats.hits + stats.misses);
    CHECK_U(stats.idle, atomic_load(idle));
    CHECK((stats.idle == 0) == (stats.idle_pieces == 0));
    CHECK(stats.in_use <= stats.peak);
}

/* ---------------------------------------------------------------------------------------------
 * Which piece one gets
 * ------------------------------------------------------------------------------------------ */

static void
test_taking_the_largest_first(void)
{
    size_t page = gv_os_page_size();
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 100 * page);
    struct gv_piece piece;
    CHECK(!gv_pool_take(pool, &piece));
    for (size_t i = 0; i < 3; i++) {
        static const size_t pages[] = {2, 3, 1};
        struct gv_piece put = extent(pages[i] * page);
        put.base[0] = (uint8_t)pages[i];
        gv_pool_put(pool, &put, 0);
        CHECK(put.base == NULL);
    }
    CHECK_U(gv_pool_stats(pool).idle, 6 * page);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 3);
    for (size_t pages = 3; pages >= 1; pages--) {
        REQUIRE(gv_pool_take(pool, &piece));
        CHECK_U(piece.capacity, pages * page);
        CHECK(piece.mapped);
        CHECK_U(piece.base[0], pages); /* warm: the bytes are those of its last use */
        gv_piece_free(&piece);
        CHECK(piece.base == NULL && piece.capacity == 0);
    }
    struct gv_pool_stats stats = gv_pool_stats(pool);
    CHECK_U(stats.gets, 4);
    CHECK_U(stats.hits, 3);
    CHECK_U(stats.misses, 1);
    CHECK_U(stats.puts, 3);
    CHECK_U(stats.in_use, 0); /* that is for the taker to say */
    check_counts(pool, &idle);
    gv_pool_free(pool);
    CHECK_U(atomic_load(&idle), 0);
}

/* A taker resizes what it is handed out, which heap does not allow. */
static void
test_taking_pages_alone(void)
{
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 10 * MIB);
    struct gv_piece heap = get(pool, GV_MAPPED_LEAST / 2), pages = get(pool, GV_MAPPED_LEAST), got;
    CHECK(!heap.mapped && pages.mapped);
    put(pool, &heap);
    CHECK(!gv_pool_take(pool, &got));
    put(pool, &pages);
    REQUIRE(gv_pool_take(pool, &got));
    CHECK(got.mapped);
    gv_piece_free(&got);
    CHECK(!gv_pool_take(pool, &got));
    gv_pool_free(pool);
    CHECK_U(atomic_load(&idle), 0);
}

static void
test_getting_the_best_fit(void)
{
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 100 * MIB);
    static const size_t sizes[] = {3 * MIB, MIB, 8 * MIB, 2 * MIB};
    struct gv_piece pieces[4];
    for (size_t i = 0; i < 4; i++) {
        pieces[i] = get(pool, sizes[i]);
        CHECK_U(pieces[i].capacity, sizes[i]); /* a power of two, or near one */
    }
    for (size_t i = 0; i < 4; i++) {
        put(pool, &pieces[i]);
    }
    static const struct {
        size_t size, capacity;
    } wishes[] = {
        {MIB + 1, 2 * MIB}, /* the smallest that is large enough */
        {MIB, MIB},
        {4 * MIB, 8 * MIB}, /* up to twice what is needed */
        {3 * MIB, 3 * MIB},
    };
    for (size_t i = 0; i < 4; i++) {
        check_case("wish %zu", i);
        pieces[i] = get(pool, wishes[i].size);
        CHECK_U(pieces[i].capacity, wishes[i].capacity);
        CHECK_U(gv_pool_stats(pool).hits, i + 1);
    }
    check_case("%s", "more than twice");
    put(pool, &pieces[2]);
    pieces[2] = get(pool, 4 * MIB - 1);
    CHECK(pieces[2].capacity < 8 * MIB);
    CHECK_U(gv_pool_stats(pool).misses, 5);
    CHECK_U(gv_pool_stats(pool).idle, 8 * MIB);
    check_case("%s", "");
    for (size_t i = 0; i < 4; i++) {
        put(pool, &pieces[i]);
    }
    check_counts(pool, &idle);
    gv_pool_free(pool);
}

/* Needs that differ by less than an eighth are met by the same pieces. */
static void
test_needs_that_differ_a_little(void)
{
    static const size_t sizes[] = {100, 3000, 100 * KIB, 300 * KIB, 5 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        atomic_size_t idle;
        struct gv_pool *pool = new_pool(&idle, 100 * MIB);
        check_case("size %zu", sizes[i]);
        struct gv_piece piece = get(pool, sizes[i]);
        CHECK(piece.capacity <= gv_max_size(sizes[i] + sizes[i] / 8, sizes[i] + GV_ALIGNMENT));
        size_t capacity = piece.capacity;
        for (size_t size = sizes[i]; size <= capacity; size += gv_max_size(capacity / 50, 1)) {
            put(pool, &piece);
            piece = get(pool, size);
        }
        CHECK_U(gv_pool_stats(pool).misses, 1);
        put(pool, &piece);
        gv_pool_free(pool);
    }
    check_case("%s", "");
}

static void
test_heap_and_pages(void)
{
    size_t page = gv_os_page_size();
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 100 * MIB);
    static const size_t sizes[] = {1,
                                   63,
                                   64,
                                   65,
                                   100 * KIB,
                                   GV_MAPPED_LEAST - 1,
                                   GV_MAPPED_LEAST,
                                   GV_MAPPED_LEAST + 1,
                                   GV_HUGE_LEAST};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_case("size %zu", sizes[i]);
        struct gv_piece piece = get(pool, sizes[i]);
        CHECK(piece.mapped == (piece.capacity >= GV_MAPPED_LEAST));
        CHECK(sizes[i] < GV_MAPPED_LEAST || piece.mapped);
        CHECK_U(piece.capacity % (piece.mapped ? page : GV_ALIGNMENT), 0);
        CHECK(piece.huge == (piece.capacity >= GV_HUGE_LEAST));
        memset(piece.base, 1, piece.capacity);
        put(pool, &piece);
    }
    check_case("%s", "");
    gv_pool_free(pool);
}

/* ---------------------------------------------------------------------------------------------
 * What is kept
 * ------------------------------------------------------------------------------------------ */

static void
test_counts(void)
{
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 100 * MIB);
    struct gv_piece pieces[3];
    size_t in_use = 0;
    for (size_t i = 0; i < 3; i++) {
        pieces[i] = get(pool, (i + 1) * MIB);
        in_use += pieces[i].capacity;
    }
    CHECK_U(gv_pool_stats(pool).in_use, in_use);
    CHECK_U(gv_pool_stats(pool).peak, in_use);
    CHECK_U(gv_pool_stats(pool).misses, 3);
    put(pool, &pieces[0]);
    put(pool, &pieces[2]);
    struct gv_pool_stats stats = gv_pool_stats(pool);
    CHECK_U(stats.in_use, pieces[1].capacity);
    CHECK_U(stats.peak, in_use);
    CHECK_U(stats.idle, in_use - pieces[1].capacity);
    CHECK_U(stats.idle_pieces, 2);
    CHECK_U(stats.puts, 2);
    pieces[0] = get(pool, MIB);
    CHECK_U(gv_pool_stats(pool).hits, 1);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 1);
    gv_pool_count(pool, 5 * MIB, 0); /* an extent that grew */
    CHECK_U(gv_pool_stats(pool).peak, 3 * MIB + 5 * MIB);
    gv_pool_count(pool, MIB, 6 * MIB);
    CHECK_U(gv_pool_stats(pool).in_use, 3 * MIB);
    put(pool, &pieces[0]);
    put(pool, &pieces[1]);
    stats = gv_pool_stats(pool);
    CHECK_U(stats.in_use, 0);
    CHECK_U(stats.puts, stats.gets);
    CHECK_U(stats.idle, in_use);
    check_counts(pool, &idle);
    CHECK_U(gv_pool_trim(pool), in_use);
    CHECK_U(gv_pool_trim(pool), 0);
    CHECK_U(gv_pool_stats(pool).idle, 0);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 0);
    CHECK_U(gv_pool_stats(pool).puts, stats.puts);
    struct gv_piece none = {0};
    gv_pool_put(pool, &none, 0);
    CHECK_U(gv_pool_stats(pool).puts, stats.puts);
    check_counts(pool, &idle);
    gv_pool_free(pool);
    gv_pool_free(NULL);
}

static void
test_what_is_kept_is_bounded(void)
{
    size_t page = gv_os_page_size();
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 5 * page);
    for (size_t i = 0; i < 4; i++) {
        struct gv_piece piece = extent(2 * page);
        gv_pool_put(pool, &piece, 0);
        CHECK(piece.base == NULL);
    }
    CHECK_U(gv_pool_stats(pool).idle, 4 * page);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 2);
    CHECK_U(gv_pool_stats(pool).puts, 4);
    struct gv_piece piece = extent(page); /* a smaller one still fits */
    gv_pool_put(pool, &piece, 0);
    CHECK_U(gv_pool_stats(pool).idle, 5 * page);
    CHECK_U(gv_pool_trim(pool), 5 * page);
    piece = extent(6 * page);
    gv_pool_put(pool, &piece, 0);
    CHECK_U(gv_pool_stats(pool).idle, 0);
    check_counts(pool, &idle);
    gv_pool_free(pool);

    pool = new_pool(&idle, 0); /* one that keeps nothing */
    piece = get(pool, 100);
    put(pool, &piece);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 0);
    gv_pool_free(pool);
}

static void
test_a_bound_that_is_shared(void)
{
    atomic_size_t idle;
    struct gv_pool *a = new_pool(&idle, 3 * MIB), *b = gv_pool_new(&idle, 3 * MIB);
    REQUIRE(b != NULL);
    struct gv_piece pieces[4];
    for (size_t i = 0; i < 4; i++) {
        pieces[i] = get(i % 2 ? b : a, MIB);
    }
    for (size_t i = 0; i < 4; i++) {
        put(i % 2 ? b : a, &pieces[i]);
    }
    CHECK_U(gv_pool_stats(a).idle, 2 * MIB);
    CHECK_U(gv_pool_stats(b).idle, MIB); /* its second had no room */
    CHECK_U(atomic_load(&idle), 3 * MIB);
    pieces[0] = get(a, MIB);
    pieces[1] = get(b, MIB);
    CHECK_U(gv_pool_stats(a).hits + gv_pool_stats(b).hits, 2);
    CHECK_U(atomic_load(&idle), MIB);
    put(b, &pieces[1]);
    CHECK_U(gv_pool_trim(b), MIB);
    CHECK_U(atomic_load(&idle), MIB);
    put(a, &pieces[0]);
    gv_pool_free(a);
    CHECK_U(atomic_load(&idle), 0);
    gv_pool_free(b);
}

static void
test_more_pieces_than_places(void)
{
    enum { PIECES = 1000 };
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, SIZE_MAX);
    static struct gv_piece pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = get(pool, 4096);
        memset(pieces[i].base, (int)i, 4096);
    }
    for (size_t i = 0; i < PIECES; i++) {
        put(pool, &pieces[i]);
    }
    struct gv_pool_stats stats = gv_pool_stats(pool);
    CHECK_U(stats.misses, PIECES);
    CHECK_U(stats.puts, PIECES);
    CHECK_U(stats.in_use, 0);
    CHECK(stats.idle_pieces >= 16 && stats.idle_pieces < PIECES);
    CHECK_U(stats.idle, stats.idle_pieces * 4096);
    check_counts(pool, &idle);
    for (size_t i = 0; i < stats.idle_pieces; i++) {
        pieces[i] = get(pool, 4096);
    }
    CHECK_U(gv_pool_stats(pool).hits, stats.idle_pieces);
    CHECK_U(gv_pool_stats(pool).idle, 0);
    for (size_t i = 0; i < stats.idle_pieces; i++) {
        put(pool, &pieces[i]);
    }
    gv_pool_free(pool);
    CHECK_U(atomic_load(&idle), 0);
}

static void
test_no_pool(void)
{
    static const size_t sizes[] = {1, 1000, MIB, 5 * MIB};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gv_piece piece = get(NULL, sizes[i]);
        memset(piece.base, 3, sizes[i]);
        put(NULL, &piece);
        put(NULL, &piece);
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* A size that no machine has is answered with NULL, as it is everywhere else. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *
__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#endif

static void
test_sizes_that_nobody_has(void)
{
    static const size_t sizes[] = {SIZE_MAX,        SIZE_MAX - 1,          SIZE_MAX - 63,
                                   SIZE_MAX - 4096, SIZE_MAX / 16 * 15,    SIZE_MAX / 2 + 1,
                                   SIZE_MAX / 2,    SIZE_MAX / 2 - 5000,   SIZE_MAX / 4,
                                   (size_t)1 << 62, ((size_t)1 << 60) + 1, (size_t)1 << 56};
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, SIZE_MAX);
    struct gv_piece piece = get(pool, 5 * MIB);
    put(pool, &piece); /* which is of no use for them */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_case("size %zx", sizes[i]);
        struct gv_piece none = {0};
        CHECK(!gv_pool_get(pool, sizes[i], &none));
        CHECK(none.base == NULL);
        CHECK(!gv_pool_get(NULL, sizes[i], &none));
        CHECK(none.base == NULL);
        CHECK_U(gv_pool_stats(pool).in_use, 0);
        check_counts(pool, &idle);
    }
    check_case("%s", "");
    CHECK(gv_heap_new(SIZE_MAX) == NULL);
    CHECK(gv_heap_new((size_t)1 << 62) == NULL);
    gv_pool_free(pool);
}

/* ---------------------------------------------------------------------------------------------
 * Threads
 * ------------------------------------------------------------------------------------------ */

enum { THREADS = 4, HOLDS = 3, ROUNDS = 20000 };

/* What each thread holds.  A thread writes down what it got before it looks at what the others
 * have, so that of two that hold one piece at least one sees the other. */
static atomic_uintptr_t held[THREADS][HOLDS];

struct worker {
    struct gv_pool *pool;
    unsigned number;
    uint64_t gets, takes, wrong;
};

static bool
somebody_else_has(uintptr_t base, unsigned number)
{
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned k = 0; i != number && k < HOLDS; k++) {
            if (atomic_load(&held[i][k]) == base) {
                return true;
            }
        }
    }
    return false;
}

/* A piece by get() or take(), marked as this thread's. */
static bool
work_get(struct worker *worker, unsigned hold, size_t size, struct gv_piece *piece)
{
    bool got = false;
    if (size == 0) {
        got = gv_pool_take(worker->pool, piece);
        worker->takes++;
        if (!got) {
            return false;
        }
        gv_pool_count(worker->pool, piece->capacity, 0);
    } else {
        got = gv_pool_get(worker->pool, size, piece);
        worker->gets++;
        worker->wrong += !got || piece->capacity < size;
    }
    atomic_store(&held[worker->number][hold], (uintptr_t)piece->base);
    worker->wrong += somebody_else_has((uintptr_t)piece->base, worker->number);
    memset(piece->base, (int)(worker->number + 1), 64);
    piece->base[piece->capacity - 1] = (uint8_t)(worker->number + 1);
    return got;
}

static void
work_put(struct worker *worker, unsigned hold, struct gv_piece *piece)
{
    for (size_t i = 0; i < 64; i++) {
        worker->wrong += piece->base[i] != worker->number + 1;
    }
    worker->wrong += piece->base[piece->capacity - 1] != worker->number + 1;
    atomic_store(&held[worker->number][hold], 0);
    gv_pool_put(worker->pool, piece, piece->capacity);
}

static void *
work(void *context)
{
    static const size_t sizes[] = {0, 100, 100, 3000, 5000, 300 * KIB, 310 * KIB};
    struct worker *worker = context;
    struct gv_piece pieces[HOLDS] = {{0}};
    uint64_t random = worker->number;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned hold = round % HOLDS;
        if (pieces[hold].base != NULL) {
            work_put(worker, hold, &pieces[hold]);
        }
        size_t size = sizes[check_below(&random, sizeof sizes / sizeof *sizes)];
        if (!work_get(worker, hold, size, &pieces[hold])) {
            pieces[hold] = (struct gv_piece){0};
        }
        if (round % 1000 == 999) {
            (void)gv_pool_trim(worker->pool);
        }
    }
    for (unsigned hold = 0; hold < HOLDS; hold++) {
        if (pieces[hold].base != NULL) {
            work_put(worker, hold, &pieces[hold]);
        }
    }
    return NULL;
}

static void
test_threads(void)
{
    /* Room for all that is idle, and for next to nothing. */
    static const size_t limits[] = {100 * MIB, 400 * KIB};
    for (size_t i = 0; i < 2; i++) {
        atomic_size_t idle;
        struct gv_pool *pool = new_pool(&idle, limits[i]);
        pthread_t threads[THREADS];
        struct worker workers[THREADS];
        uint64_t asked = 0, takes = 0;
        check_case("limit %zu", limits[i]);
        for (unsigned t = 0; t < THREADS; t++) {
            workers[t] = (struct worker){.pool = pool, .number = t};
            REQUIRE(pthread_create(&threads[t], NULL, work, &workers[t]) == 0);
        }
        for (unsigned t = 0; t < THREADS; t++) {
            REQUIRE(pthread_join(threads[t], NULL) == 0);
            CHECK_U(workers[t].wrong, 0);
            asked += workers[t].gets + workers[t].takes;
            takes += workers[t].takes;
        }
        struct gv_pool_stats stats = gv_pool_stats(pool);
        CHECK_U(stats.gets, asked);
        CHECK(stats.puts <= asked && stats.puts >= asked - takes);
        CHECK_U(stats.in_use, 0);
        CHECK(stats.hits > 0 && stats.peak > 0);
        CHECK(stats.idle <= limits[i]);
        check_counts(pool, &idle);
        CHECK_U(gv_pool_trim(pool), stats.idle);
        CHECK_U(atomic_load(&idle), 0);
        gv_pool_free(pool);
    }
    check_case("%s", "");
}

/* ---------------------------------------------------------------------------------------------
 * Forks
 * ------------------------------------------------------------------------------------------ */

static bool
is_all(const struct gv_piece *piece, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (piece->base[i] != value) {
            return false;
        }
    }
    return true;
}

/* In the child: what was idle is there, what was held still is, and both may be written to. */
static int
run_in_child(struct gv_pool *pool, atomic_size_t *idle, struct gv_piece *in_hand)
{
    check_count = check_failures = 0;
    CHECK(is_all(in_hand, 300 * KIB, 1));
    memset(in_hand->base, 11, 300 * KIB);
    struct gv_piece piece = get(pool, 300 * KIB);
    CHECK(is_all(&piece, 300 * KIB, 2));
    memset(piece.base, 12, 300 * KIB);
    put(pool, &piece);
    put(pool, in_hand);
    CHECK_U(gv_pool_stats(pool).in_use, 0);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 2);
    check_counts(pool, idle);
    gv_pool_free(pool);
    return check_failures == 0 ? EXIT_SUCCESS : check_result();
}

static void
wait_for(pid_t child)
{
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static void
test_fork(void)
{
    atomic_size_t idle;
    struct gv_pool *pool = new_pool(&idle, 100 * MIB);
    struct gv_piece in_hand = get(pool, 300 * KIB), other = get(pool, 300 * KIB);
    memset(in_hand.base, 1, 300 * KIB);
    memset(other.base, 2, 300 * KIB);
    put(pool, &other);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        _exit(run_in_child(pool, &idle, &in_hand));
    }
    wait_for(child);
    CHECK(is_all(&in_hand, 300 * KIB, 1));
    other = get(pool, 300 * KIB);
    CHECK_U(gv_pool_stats(pool).hits, 1);
    CHECK(is_all(&other, 300 * KIB, 2));
    put(pool, &other);
    put(pool, &in_hand);
    CHECK_U(gv_pool_stats(pool).idle_pieces, 2);
    check_counts(pool, &idle);
    gv_pool_free(pool);
}

struct busy {
    struct gv_pool *pool;
    atomic_bool must_stop;
};

static void *
keep_busy(void *context)
{
    struct busy *busy = context;
    while (!atomic_load(&busy->must_stop)) {
        struct gv_piece piece;
        if (gv_pool_get(busy->pool, 300 * KIB, &piece)) {
            piece.base[0] = 7;
            gv_pool_put(busy->pool, &piece, piece.capacity);
        }
    }
    return NULL;
}

/* In the child of a process whose threads were at it: nobody is waited for, and whatever is handed
 * out is handed out once. */
static int
run_in_child_of_threads(struct gv_pool *pool)
{
    enum { PIECES = 40 };
    struct gv_piece pieces[PIECES];
    check_count = check_failures = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < PIECES; i++) {
            pieces[i] = get(pool, 300 * KIB);
            memset(pieces[i].base, (int)i, 4096);
        }
        for (unsigned i = 0; i < PIECES; i++) {
            CHECK(is_all(&pieces[i], 4096, (uint8_t)i));
            put(pool, &pieces[i]);
        }
    }
    (void)gv_pool_trim(pool);
    return check_failures == 0 ? EXIT_SUCCESS : check_result();
}

static void
test_fork_while_threads_are_busy(void)
{
#ifdef __SANITIZE_THREAD__
    return; /* its own locks are held by whichever thread was in them, and the child waits */
#endif
    enum { BUSY = 3, FORKS = 60 };
    atomic_size_t idle;
    struct busy busy = {.pool = new_pool(&idle, 100 * MIB)};
    pthread_t threads[BUSY];
    for (unsigned i = 0; i < BUSY; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, keep_busy, &busy) == 0);
    }
    for (unsigned i = 0; i < FORKS; i++) {
        pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            _exit(run_in_child_of_threads(busy.pool));
        }
        wait_for(child);
    }
    atomic_store(&busy.must_stop, true);
    for (unsigned i = 0; i < BUSY; i++) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    }
    CHECK_U(gv_pool_stats(busy.pool).in_use, 0);
    CHECK_U(gv_pool_stats(busy.pool).gets, gv_pool_stats(busy.pool).puts);
    check_counts(busy.pool, &idle);
    gv_pool_free(busy.pool);
}

int
main(void)
{
    test_taking_the_largest_first();
    test_taking_pages_alone();
    test_getting_the_best_fit();
    test_needs_that_differ_a_little();
    test_heap_and_pages();
    test_counts();
    test_what_is_kept_is_bounded();
    test_a_bound_that_is_shared();
    test_more_pieces_than_places();
    test_no_pool();
    test_sizes_that_nobody_has();
    test_threads();
    test_fork();
    test_fork_while_threads_are_busy();
    return check_result();
}
