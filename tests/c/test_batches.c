/* Batches after each other, as a stream is read: what the pools make of them. */
#define _GNU_SOURCE
#include "check.h"
#include "gv.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

#define MIB ((size_t)1 << 20)
#define DEFAULT_COLUMNS ((gv_column_set)0x7f)
#define ALL_COLUMNS (GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1)

/* What the sanitizers slow down is done on fewer rows, the same number of times. */
#if defined(__SANITIZE_THREAD__)
#define LESS 25
#elif defined(__SANITIZE_ADDRESS__)
#define LESS 8
#else
#define LESS 1
#endif

/* ---------------------------------------------------------------------------------------------
 * A source that is long and takes little memory: a text that stands in memory many times over
 * ------------------------------------------------------------------------------------------ */

struct replay {
    const uint8_t *text;
    size_t size;         /* of all of it */
    size_t round, reads; /* bytes and reads in one round of it */
};

/* Reads of at most `longest` bases, the last one of as many as fill the text up to its size. */
static size_t
write_text(uint8_t *text, size_t size, size_t longest)
{
    uint64_t random = longest;
    size_t at = 0, reads = 0;
    while (at < size) {
        size_t left = size - at, length = 1 + check_below(&random, longest);
        char *name = (char *)text + at;
        size_t name_size = (size_t)sprintf(name, "@r:%zu\n", reads++);
        if (left < 4 * longest + 100) {
            if ((left - name_size) % 2 == 1) {
                name_size = (size_t)sprintf(name, "@r:%zu \n", reads - 1);
            }
            length = (left - name_size - 4) / 2;
        }
        uint8_t *sequence = text + at + name_size, *qualities = sequence + length + 3;
        for (size_t i = 0; i < length; i++) {
            uint64_t draw = check_random(&random);
            sequence[i] = (uint8_t)"ACGTN"[draw % 5];
            qualities[i] = (uint8_t)(33 + draw / 5 % 42);
        }
        memcpy(sequence + length, "\n+\n", 3);
        qualities[length] = '\n';
        at += name_size + 2 * length + 4;
    }
    REQUIRE(at == size);
    return reads;
}

/* A text of `round` bytes, a multiple of the page size, `rounds` times. */
static struct replay
new_replay(size_t round, size_t rounds, size_t longest)
{
    struct replay replay = {.size = rounds * round, .round = round};
    uint8_t *base = mmap(NULL, replay.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FILE *file = tmpfile();
    REQUIRE(base != MAP_FAILED && file != NULL && ftruncate(fileno(file), (off_t)round) == 0);
    for (size_t i = 0; i < rounds; i++) {
        void *at = mmap(base + i * round, round, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                        fileno(file), 0);
        REQUIRE(at == base + i * round);
    }
    (void)fclose(file);
    replay.text = base;
    replay.reads = write_text(base, round, longest);
    return replay;
}

static void
free_replay(struct replay *replay)
{
    (void)munmap((void *)(uintptr_t)replay->text, replay->size);
}

/* ---------------------------------------------------------------------------------------------
 * Reading
 * ------------------------------------------------------------------------------------------ */

static struct gv_reader *
open_reader(const struct replay *replay, gv_column_set columns, unsigned threads,
            struct gv_arena *arena)
{
    struct gv_reader_options options = {
        .threads = threads,
        .build =
            {
                .ops = gv_scan_find(NULL),
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = columns,
                .zero = GV_PHRED33_ZERO,
                .max_record_bytes = GV_RECORD_CAP_MOST,
                .memory_limit = GV_NO_LIMIT,
                .arena = arena,
            },
    };
    struct gv_reader *reader = NULL;
    struct gv_source source;
    if (gv_reader_new(&options, &reader) == GV_OK) {
        gv_source_open_memory(&source, replay->text, replay->size);
        gv_reader_open(reader, source);
    }
    return reader;
}

/* The next batch; false where it could not be had, or is not what it must be. */
static bool
next_batch(struct gv_reader *reader, size_t rows, struct gv_sealed *sealed)
{
    struct gv_error error;
    enum gv_status status;
    uint64_t before = gv_reader_stats(reader).reads;
    do {
        status = gv_reader_advance(reader, rows, SIZE_MAX, &error);
    } while (status == GV_INTERRUPTED);
    if (status != GV_OK || gv_reader_seal(reader, sealed, &error) != GV_OK) {
        return false;
    }
    const uint64_t *ordinals = (const uint64_t *)(const void *)sealed->data[GV_COLUMN_METADATA];
    return sealed->rows == rows && ordinals[0] == before && ordinals[rows - 1] == before + rows - 1;
}

static uint64_t
hash_bytes(uint64_t hash, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, gv_min_size(size - i, sizeof word));
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return hash;
}

/* Of all that a table holds. */
static uint64_t
hash_of(const struct gv_sealed *sealed)
{
    uint64_t hash = sealed->rows;
    for (unsigned i = 0; i < GV_COLUMN_COUNT; i++) {
        size_t size = gv_column_spec((enum gv_column)i)->row_bytes * sealed->rows;
        if ((sealed->columns & GV_COLUMN_BIT(i)) == 0) {
            continue;
        }
        if (i >= GV_COLUMN_FIRST_TEXT) {
            unsigned t = i - GV_COLUMN_FIRST_TEXT;
            hash = hash_bytes(hash, sealed->text[t], sealed->text_size[t]);
            size = (sealed->rows + 1) * sizeof(int64_t);
        }
        hash = hash_bytes(hash, sealed->data[i], size);
    }
    return hash;
}

/* ---------------------------------------------------------------------------------------------
 * Steady state
 * ------------------------------------------------------------------------------------------ */

struct run {
    gv_column_set columns;
    unsigned threads;
    size_t rows, batches;
    unsigned held; /* batches before the last one that somebody still looks at */
};

/* The pools that batches use, added up. */
static struct gv_pool_stats
pool_stats(struct gv_arena *arena)
{
    struct gv_pool_stats sum = {0};
    for (unsigned kind = 0; kind < GV_POOL_KINDS; kind++) {
        struct gv_pool_stats stats = gv_pool_stats(gv_arena_pool(arena, (enum gv_pool_kind)kind));
        sum.gets += stats.gets;
        sum.hits += stats.hits;
        sum.misses += stats.misses;
        sum.puts += stats.puts;
        sum.in_use += stats.in_use;
        sum.idle += stats.idle;
    }
    return sum;
}

/* Calls to the system for memory, where somebody counts them. */
static size_t
calls_so_far(void)
{
#ifdef HAVE_WRAP
    return atomic_load(&calls.all);
#else
    return 0;
#endif
}

/* The end of the heap: libraries move it too, by themselves. */
static const void *
heap_end(void)
{
#ifdef HAVE_WRAP
    return __real_sbrk(0);
#else
    return NULL;
#endif
}

static void
check_balanced(struct gv_arena *root)
{
    struct gv_pool_stats stats = pool_stats(root);
    CHECK_U(stats.in_use, 0);
    CHECK_U(stats.gets, stats.hits + stats.misses);
    CHECK_U(gv_arena_stats(root).used, 0);
    CHECK_U(gv_arena_stats(root).leases, 0);
    CHECK_U(gv_arena_stats(root).idle, stats.idle);
}

/* After the first batches none is missed by its pool, and nothing is asked of the system. */
static void
check_steady_state(const struct replay *replay, const struct run *run)
{
    enum { HELD_MOST = 8 };
    struct gv_lease *ring[HELD_MOST] = {NULL};
    struct gv_arena *root = gv_arena_new(NULL, GV_NO_LIMIT, 256 * MIB);
    struct gv_arena *arena = root != NULL ? gv_arena_new(root, GV_NO_LIMIT, 0) : NULL;
    REQUIRE(arena != NULL && run->held < HELD_MOST);
    struct gv_reader *reader = open_reader(replay, run->columns, run->threads, arena);
    REQUIRE(reader != NULL);
    /* Every part of the text has been in every thread's tables. */
    size_t warm_up = 20 + 20 * replay->reads / run->rows, calls_before = 0;
    const void *end_before = NULL;
    struct gv_pool_stats before = {0};
    check_case("columns 0x%x, %u threads, %zu rows, %u held", run->columns, run->threads, run->rows,
               run->held);
    for (size_t i = 0; i < warm_up + run->batches; i++) {
        if (i == warm_up) {
            before = pool_stats(root);
            end_before = heap_end();
            calls_before = calls_so_far();
        }
        struct gv_sealed sealed;
        REQUIRE(next_batch(reader, run->rows, &sealed));
        if (ring[i % (run->held + 1)] != NULL) {
            gv_lease_release(ring[i % (run->held + 1)]);
        }
        ring[i % (run->held + 1)] = sealed.lease;
    }
    CHECK_U(calls_so_far() - calls_before, 0);
    CHECK(heap_end() == end_before);
    struct gv_pool_stats after = pool_stats(root);
    uint64_t gets = after.gets - before.gets, hits = after.hits - before.hits;
    CHECK(gets >= run->batches);
    CHECK(hits * 100 >= gets * 99);
    gv_reader_free(reader);
    for (unsigned i = 0; i < HELD_MOST; i++) {
        if (ring[i] != NULL) {
            gv_lease_release(ring[i]);
        }
    }
    check_balanced(root);
    check_case("%s", "");
    gv_arena_release(arena);
    gv_arena_release(root);
}

static void
test_steady_state(void)
{
    /* Slabs of the heap, then of pages; with text beside them, then without. */
    static const struct run runs[] = {
        {DEFAULT_COLUMNS, 1, 1000 / LESS, 10000, 0}, {DEFAULT_COLUMNS, 1, 1000 / LESS, 2000, 3},
        {DEFAULT_COLUMNS, 1, 8000 / LESS, 500, 3},   {DEFAULT_COLUMNS, 3, 1000 / LESS, 2500, 3},
        {ALL_COLUMNS, 1, 200 / LESS, 10000, 0},      {ALL_COLUMNS, 1, 1000 / LESS, 1000, 3},
        {ALL_COLUMNS, 1, 20000 / LESS, 100, 3},      {ALL_COLUMNS, 3, 1000 / LESS, 1000, 3},
        {ALL_COLUMNS, 3, 20000 / LESS, 100, 3},
    };
    struct replay replay = new_replay(MIB, 700, 30);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        check_steady_state(&replay, &runs[i]);
    }
    free_replay(&replay);
}

/* Reads so long that a batch takes over what the threads parsed ahead. */
static void
test_steady_state_of_long_reads(void)
{
    static const struct run runs[] = {
        {DEFAULT_COLUMNS, 1, 1000, 200 / LESS, 0},
        {DEFAULT_COLUMNS, 3, 1000, 300 / LESS, 3},
        {ALL_COLUMNS, 1, 1000, 100 / LESS, 3},
        {ALL_COLUMNS, 3, 1000, 100 / LESS, 3},
    };
    struct replay replay = new_replay(2 * MIB + MIB / 4, 600, 2000);
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        check_steady_state(&replay, &runs[i]);
    }
    free_replay(&replay);
}

/* Sources after each other in one reader: text, and the tables of the threads, come from pools
 * too, whatever the columns.  What is left is a constant for each source and thread. */
static void
check_sources(const struct replay *replay, gv_column_set columns, unsigned threads)
{
    enum { WARM_UP = 10, SOURCES = 12 };
    /* The input of a source, had and given back; and where there are threads, the two halves of a
     * lock, they themselves, and three lists of what they have, had and given back. */
    size_t per_source = 2 + (threads > 1 ? 2 + (threads - 1) + 3 + 3 : 0);
    /* At times more threads than before need a piece of one size at once. */
    size_t by_chance = threads > 1 ? SOURCES : 0;
    struct gv_arena *root = gv_arena_new(NULL, GV_NO_LIMIT, 256 * MIB);
    REQUIRE(root != NULL);
    struct gv_reader *reader = open_reader(replay, columns, threads, root);
    REQUIRE(reader != NULL);
    check_case("sources, columns 0x%x, %u threads", columns, threads);
    size_t calls_before = 0;
    struct gv_pool_stats before = {0};
    for (size_t i = 0; i < WARM_UP + SOURCES; i++) {
        if (i == WARM_UP) {
            before = pool_stats(root);
            calls_before = calls_so_far();
        }
        struct gv_sealed sealed;
        struct gv_error error;
        enum gv_status status = GV_OK;
        while (status != GV_END) {
            status = gv_reader_advance(reader, 2000, SIZE_MAX, &error);
            REQUIRE(status == GV_OK || status == GV_END || status == GV_INTERRUPTED);
            if (status != GV_INTERRUPTED) {
                REQUIRE(gv_reader_seal(reader, &sealed, &error) == GV_OK);
                gv_lease_release(sealed.lease);
            }
        }
        gv_reader_close(reader);
        struct gv_source source;
        gv_source_open_memory(&source, replay->text, replay->size);
        gv_reader_open(reader, source);
    }
    CHECK(calls_so_far() - calls_before <= SOURCES * per_source + by_chance);
    CHECK_U(gv_reader_stats(reader).reads,
            (WARM_UP + SOURCES) * replay->reads * (replay->size / replay->round));
    struct gv_pool_stats after = pool_stats(root);
    uint64_t gets = after.gets - before.gets, hits = after.hits - before.hits;
    CHECK(gets > SOURCES);
    CHECK(hits + by_chance >= gets);
    gv_reader_free(reader);
    check_balanced(root);
    check_case("%s", "");
    gv_arena_release(root);
}

static void
test_sources(void)
{
    struct replay replay = new_replay(MIB, 5, 30), longer = new_replay(MIB, 5, 2000);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
        check_sources(&replay, DEFAULT_COLUMNS, threads);
        check_sources(&replay, ALL_COLUMNS, threads);
        check_sources(&longer, ALL_COLUMNS, threads);
    }
    free_replay(&replay);
    free_replay(&longer);
}

/* ---------------------------------------------------------------------------------------------
 * Views
 * ------------------------------------------------------------------------------------------ */

struct view {
    struct gv_sealed sealed;
    uint64_t hash;
};

static void
let_go(struct view *view)
{
    CHECK_U(hash_of(&view->sealed), view->hash);
    gv_lease_release(view->sealed.lease);
    *view = (struct view){0};
}

/* A result of a size that nobody knows before it is read. */
static bool
next_result(struct gv_reader *reader, size_t most_text, struct gv_sealed *sealed)
{
    struct gv_error error;
    enum gv_status status = gv_reader_advance(reader, SIZE_MAX, most_text, &error);
    return (status == GV_OK || status == GV_INTERRUPTED) &&
           gv_reader_seal(reader, sealed, &error) == GV_OK;
}

/* However often the pools hand out what others are done with, a batch that somebody looks at stays
 * as it is.  Now and then there are a few rows only, or a result of no known size. */
static void
check_views(const struct replay *replay, gv_column_set columns, unsigned threads, size_t rows)
{
    enum { VIEWS = 12, BATCHES = 1500 };
    struct view views[VIEWS] = {{{0}, 0}};
    struct gv_arena *root = gv_arena_new(NULL, GV_NO_LIMIT, 256 * MIB);
    REQUIRE(root != NULL);
    struct gv_reader *reader = open_reader(replay, columns, threads, root);
    REQUIRE(reader != NULL);
    uint64_t random = threads;
    check_case("views of columns 0x%x, %u threads, %zu rows", columns, threads, rows);
    for (size_t i = 0; i < BATCHES; i++) {
        struct view *view = &views[check_below(&random, VIEWS)];
        if (view->sealed.lease != NULL && check_below(&random, 10) > 0) {
            let_go(view);
        }
        struct view made;
        switch (check_below(&random, 40)) {
        case 0:
            REQUIRE(next_batch(reader, 1 + check_below(&random, 2 * rows), &made.sealed));
            break;
        case 1:
            REQUIRE(
                next_result(reader, check_below(&random, 4 * MIB / (LESS / 8 + 1)), &made.sealed));
            break;
        default:
            REQUIRE(next_batch(reader, rows, &made.sealed));
        }
        made.hash = hash_of(&made.sealed);
        if (view->sealed.lease != NULL) {
            gv_lease_release(made.sealed.lease); /* nobody looks at this one */
        } else {
            *view = made;
        }
        if (i % 300 == 299) {
            (void)gv_arena_trim(root);
        }
    }
    CHECK(gv_pool_stats(gv_arena_pool(root, GV_POOL_PARTICLES)).hits >= 1000);
    gv_reader_free(reader);
    for (size_t i = 0; i < VIEWS; i++) {
        if (views[i].sealed.lease != NULL) {
            let_go(&views[i]);
        }
    }
    check_balanced(root);
    check_case("%s", "");
    gv_arena_release(root);
}

static void
test_views(void)
{
    struct replay replay = new_replay(MIB, 700, 30);
    check_views(&replay, DEFAULT_COLUMNS, 1, 500 / LESS);
    check_views(&replay, ALL_COLUMNS, 1, 300 / LESS);
    check_views(&replay, ALL_COLUMNS, 3, 300 / LESS);
    check_views(&replay, DEFAULT_COLUMNS, 3, 500 / LESS);
    free_replay(&replay);
}

/* ---------------------------------------------------------------------------------------------
 * Threads that read, and threads that look at what was read
 * ------------------------------------------------------------------------------------------ */

enum { QUEUE = 8, LOOKERS = 2, READERS = 2 };

/* Invariant, with the lock held: views[taken .. given), modulo QUEUE, wait for somebody. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct view views[QUEUE];
    size_t given, taken;
    bool is_over;
    size_t wrong;
};

static void
give(struct queue *queue, const struct view *view)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->given - queue->taken == QUEUE) {
        (void)pthread_cond_wait(&queue->changed, &queue->lock);
    }
    queue->views[queue->given++ % QUEUE] = *view;
    (void)pthread_cond_broadcast(&queue->changed);
    (void)pthread_mutex_unlock(&queue->lock);
}

static bool
take(struct queue *queue, struct view *view)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->given == queue->taken && !queue->is_over) {
        (void)pthread_cond_wait(&queue->changed, &queue->lock);
    }
    bool is_there = queue->given > queue->taken;
    if (is_there) {
        *view = queue->views[queue->taken++ % QUEUE];
        (void)pthread_cond_broadcast(&queue->changed);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return is_there;
}

/* Looks at each batch, writes to it, which is allowed, and lets it go. */
static void *
look(void *context)
{
    struct queue *queue = context;
    struct view view;
    size_t wrong = 0;
    while (take(queue, &view)) {
        wrong += hash_of(&view.sealed) != view.hash;
        memset(view.sealed.data[GV_COLUMN_METADATA], 0xff, view.sealed.rows * sizeof(uint64_t));
        gv_lease_release(view.sealed.lease);
    }
    (void)pthread_mutex_lock(&queue->lock);
    queue->wrong += wrong;
    (void)pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* A reader on a thread of its own. */
struct stream {
    const struct replay *replay;
    struct gv_arena *arena;
    struct queue *queue;
    gv_column_set columns;
    unsigned threads;
    size_t wrong;
};

static void *
stream(void *context)
{
    enum { BATCHES = 600 };
    struct stream *stream = context;
    struct gv_reader *reader =
        open_reader(stream->replay, stream->columns, stream->threads, stream->arena);
    for (size_t i = 0; reader != NULL && i < BATCHES; i++) {
        struct view view;
        if (!next_batch(reader, i % 7 == 0 ? 700 / LESS : 300 / LESS, &view.sealed)) {
            stream->wrong++;
            break;
        }
        view.hash = hash_of(&view.sealed);
        give(stream->queue, &view);
    }
    stream->wrong += reader == NULL;
    gv_reader_free(reader);
    return NULL;
}

static void
test_threads(void)
{
    struct replay replay = new_replay(MIB, 20, 30);
    struct gv_arena *root = gv_arena_new(NULL, GV_NO_LIMIT, 64 * MIB);
    struct queue queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct stream streams[READERS];
    pthread_t readers[READERS], lookers[LOOKERS];
    REQUIRE(root != NULL);
    for (unsigned i = 0; i < LOOKERS; i++) {
        REQUIRE(pthread_create(&lookers[i], NULL, look, &queue) == 0);
    }
    for (unsigned i = 0; i < READERS; i++) {
        streams[i] = (struct stream){.replay = &replay,
                                     .arena = gv_arena_new(root, GV_NO_LIMIT, 0),
                                     .queue = &queue,
                                     .columns = i % 2 ? ALL_COLUMNS : DEFAULT_COLUMNS,
                                     .threads = 1 + i};
        REQUIRE(streams[i].arena != NULL);
        REQUIRE(pthread_create(&readers[i], NULL, stream, &streams[i]) == 0);
    }
    for (unsigned i = 0; i < READERS; i++) {
        REQUIRE(pthread_join(readers[i], NULL) == 0);
        CHECK_U(streams[i].wrong, 0);
        gv_arena_release(streams[i].arena); /* its batches may live on */
    }
    (void)pthread_mutex_lock(&queue.lock);
    queue.is_over = true;
    (void)pthread_cond_broadcast(&queue.changed);
    (void)pthread_mutex_unlock(&queue.lock);
    for (unsigned i = 0; i < LOOKERS; i++) {
        REQUIRE(pthread_join(lookers[i], NULL) == 0);
    }
    CHECK_U(queue.wrong, 0);
    CHECK_U(queue.taken, queue.given);
    check_balanced(root);
    gv_arena_release(root);
    free_replay(&replay);
}

int
main(void)
{
    test_steady_state();
    test_steady_state_of_long_reads();
    test_sources();
    test_views();
    test_threads();
    return check_result();
}
