#define _GNU_SOURCE
#include "check.h"
#include "gv.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

#ifdef __SANITIZE_ADDRESS__
/* A size that no machine has is answered with NULL, as it is everywhere else. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#endif

#define N GV_SLOTS
#define MIB ((size_t)1 << 20)

/* The byte that stands at that place of that slot of that result. */
static uint8_t
pattern(unsigned result, unsigned slot, size_t at)
{
    return (uint8_t)(at * 7 + (at >> 8) * 13 + slot * 31 + result * 101 + 1);
}

static void
write_pattern(uint8_t *base, unsigned result, unsigned slot, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        base[i] = pattern(result, slot, i);
    }
}

static bool
has_pattern(const uint8_t *base, unsigned result, unsigned slot, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (base[i] != pattern(result, slot, i)) {
            return false;
        }
    }
    return true;
}

static void
fill(struct gv_slots *slots, unsigned result, const size_t sizes[N])
{
    REQUIRE(gv_slots_claim(slots, sizes) == GV_OK);
    for (unsigned i = 0; i < N; i++) {
        write_pattern(gv_slots_at(slots, i), result, i, 0, sizes[i]);
    }
}

static void
check_addresses(uint8_t *const addresses[N], unsigned result, const size_t sizes[N])
{
    for (unsigned i = 0; i < N; i++) {
        CHECK(addresses[i] != NULL);
        CHECK_U((uintptr_t)addresses[i] % GV_ALIGNMENT, 0);
        CHECK(has_pattern(addresses[i], result, i, sizes[i]));
    }
}

static void
test_new_slots(void)
{
    struct gv_slots slots;
    gv_slots_init(&slots, 0, NULL);
    CHECK(gv_slots_is_valid(&slots));
    CHECK((slots.reservation == 0) ==
          (gv_os_address_space_is_limited() || gv_os_physical_memory() == 0));
    for (unsigned i = 0; i < N; i++) {
        CHECK(gv_slots_at(&slots, i) == NULL);
    }
    const size_t nothing[N] = {0}, one[N] = {1};
    CHECK_NAMES(gv_slots_claim(&slots, nothing), GV_OK);
    CHECK_NAMES(gv_slots_claim(&slots, one), GV_MEMORY_LIMIT);
    gv_slots_deinit(&slots);
    gv_slots_deinit(&slots);
}

static void
test_limit_is_exact(void)
{
    struct gv_slots slots;
    gv_slots_init(&slots, 1000, NULL);
    size_t sizes[N] = {[0] = 400, [3] = 600};
    fill(&slots, 1, sizes);
    CHECK_U(slots.claimed_total, 1000);
    uint8_t *before = gv_slots_at(&slots, 3);
    for (unsigned i = 0; i < N; i++) {
        size_t more[N];
        memcpy(more, sizes, sizeof more);
        more[i]++;
        CHECK_NAMES(gv_slots_claim(&slots, more), GV_MEMORY_LIMIT);
        CHECK_U(slots.claimed_total, 1000);
        CHECK_U(slots.claimed[i], sizes[i]);
        CHECK(gv_slots_is_valid(&slots));
    }
    CHECK(gv_slots_at(&slots, 3) == before);
    /* What one slot gives back another may have. */
    size_t other[N] = {[0] = 100, [3] = 600, [15] = 300};
    CHECK_NAMES(gv_slots_claim(&slots, other), GV_OK);
    CHECK(has_pattern(gv_slots_at(&slots, 0), 1, 0, 100));
    CHECK(has_pattern(gv_slots_at(&slots, 3), 1, 3, 600));
    /* The budget is one result's: after a seal all of it is there again. */
    struct gv_lease *lease;
    uint8_t *addresses[N];
    REQUIRE(gv_slots_seal(&slots, other, &lease, addresses) == GV_OK);
    CHECK_U(slots.claimed_total, 0);
    CHECK_NAMES(gv_slots_claim(&slots, sizes), GV_OK);
    gv_lease_release(lease);
    gv_slots_deinit(&slots);
}

static void
test_impossible_claims(void)
{
    if (RUNNING_ON_VALGRIND) {
        return; /* its own mremap ends the program at such sizes */
    }
    static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 63, (size_t)1 << 62, SIZE_MAX / 2};
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    const size_t sizes[N] = {[0] = 100, [1] = 300000, [2] = 5 * MIB};
    fill(&slots, 2, sizes);
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        for (unsigned slot = 0; slot < 4; slot++) {
            size_t more[N];
            check_case("%zu in slot %u", impossible[i], slot);
            memcpy(more, sizes, sizeof more);
            more[slot] = impossible[i];
            CHECK_NAMES(gv_slots_claim(&slots, more), GV_NO_MEMORY);
            CHECK_BYTES(slots.claimed, sizes, sizeof sizes);
            CHECK(gv_slots_is_valid(&slots));
            CHECK(has_pattern(gv_slots_at(&slots, slot), 2, slot, sizes[slot]));
        }
    }
    check_case("%s", "");
    size_t overflow[N] = {SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1};
    CHECK_NAMES(gv_slots_claim(&slots, overflow), GV_NO_MEMORY);
    gv_slots_deinit(&slots);
}

/* Slots grow past each threshold, on their own and together, with and without a reservation. */
static void
test_growth(bool reserve)
{
    static const size_t steps[] = {1,
                                   63,
                                   64,
                                   65,
                                   1000,
                                   100000,
                                   GV_MAPPED_LEAST - 1,
                                   GV_MAPPED_LEAST,
                                   GV_MAPPED_LEAST + 1,
                                   MIB,
                                   3 * MIB,
                                   GV_HUGE_LEAST - 1,
                                   GV_HUGE_LEAST,
                                   GV_HUGE_LEAST + 1,
                                   9 * MIB,
                                   20 * MIB};
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    if (!reserve) {
        slots.reservation = 0;
    }
    size_t sizes[N] = {0};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (unsigned slot = 0; slot < 3; slot++) {
            size_t old = sizes[slot];
            struct gv_piece before = slots.slots[slot];
            sizes[slot] = slot < 2 ? steps[i] : steps[i] / 1000;
            check_case("reserve %d, step %zu, slot %u", reserve, i, slot);
            REQUIRE(gv_slots_claim(&slots, sizes) == GV_OK);
            CHECK(gv_slots_is_valid(&slots));
            CHECK_U((uintptr_t)gv_slots_at(&slots, slot) % GV_ALIGNMENT, 0);
            CHECK(has_pattern(gv_slots_at(&slots, slot), 3, slot, old));
            CHECK(sizes[slot] > before.capacity || gv_slots_at(&slots, slot) == before.base);
            CHECK(slots.slots[slot].mapped == (sizes[slot] >= GV_MAPPED_LEAST) ||
                  sizes[slot] <= before.capacity);
            write_pattern(gv_slots_at(&slots, slot), 3, slot, old, sizes[slot]);
        }
    }
    uint8_t *places[3] = {gv_slots_at(&slots, 0), gv_slots_at(&slots, 1), gv_slots_at(&slots, 2)};
    struct gv_lease *lease;
    uint8_t *addresses[N];
    REQUIRE(gv_slots_seal(&slots, sizes, &lease, addresses) == GV_OK);
    check_addresses(addresses, 3, sizes);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(addresses[i] == places[i]);
    }
    CHECK(gv_lease_pieces(lease) > 0);
    /* The tails were given back, the reservation first of all. */
    CHECK(gv_lease_size(lease) >= 40 * MIB && gv_lease_size(lease) <= 42 * MIB);
    check_case("%s", "");
    gv_slots_deinit(&slots);
    check_addresses(addresses, 3, sizes);
    gv_lease_release(lease);
}

static void
test_seal_as_block(void)
{
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    size_t sizes[N];
    for (unsigned i = 0; i < N; i++) {
        sizes[i] = i * 37;
    }
    struct gv_lease *leases[3];
    uint8_t *addresses[3][N];
    for (unsigned result = 0; result < 3; result++) {
        fill(&slots, result, sizes);
        REQUIRE(gv_slots_seal(&slots, sizes, &leases[result], addresses[result]) == GV_OK);
        CHECK(gv_slots_is_valid(&slots));
        CHECK_U(slots.claimed_total, 0);
        CHECK_U(gv_lease_pieces(leases[result]), 0);
        CHECK(gv_lease_size(leases[result]) >= 120 * 37);
    }
    for (unsigned result = 0; result < 3; result++) {
        check_addresses(addresses[result], result, sizes);
    }
    /* Writing to one slot of a result must not reach another slot. */
    for (unsigned i = 0; i < N; i++) {
        memset(addresses[1][i], (int)i, sizes[i]);
    }
    for (unsigned i = 0; i < N; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            CHECK_U(addresses[1][i][k], i);
        }
    }
    check_addresses(addresses[0], 0, sizes);
    check_addresses(addresses[2], 2, sizes);
    gv_slots_deinit(&slots);
    gv_lease_release(leases[1]);
    check_addresses(addresses[0], 0, sizes);
    gv_lease_release(leases[0]);
    gv_lease_release(leases[2]);
}

static void
test_seal_threshold(void)
{
    for (size_t total = GV_BLOCK_MOST - 1; total <= GV_BLOCK_MOST; total++) {
        struct gv_slots slots;
        gv_slots_init(&slots, GV_NO_LIMIT, NULL);
        const size_t sizes[N] = {[1] = 1000, [2] = total - 1500, [9] = 500};
        check_case("total %zu", total);
        fill(&slots, 4, sizes);
        struct gv_lease *lease;
        uint8_t *addresses[N];
        REQUIRE(gv_slots_seal(&slots, sizes, &lease, addresses) == GV_OK);
        CHECK((gv_lease_pieces(lease) > 0) == (total >= GV_BLOCK_MOST));
        CHECK(gv_lease_size(lease) >= total);
        check_addresses(addresses, 4, sizes);
        gv_lease_release(lease);
        gv_slots_deinit(&slots);
    }
    check_case("%s", "");
}

/* What is sealed may be less than what was claimed, down to nothing. */
static void
test_seal_of_a_part(void)
{
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    const size_t claimed[N] = {[0] = 8 * MIB, [1] = 2 * MIB, [2] = 100};
    const size_t parts[][N] = {
        {[0] = 5 * MIB + 1, [1] = 0, [2] = 7}, {[0] = 10, [1] = 20, [2] = 0}, {0}};
    for (unsigned i = 0; i < 3; i++) {
        check_case("part %u", i);
        fill(&slots, 5 + i, claimed);
        struct gv_lease *lease;
        uint8_t *addresses[N];
        uint8_t *kept = gv_slots_at(&slots, 1);
        REQUIRE(gv_slots_seal(&slots, parts[i], &lease, addresses) == GV_OK);
        CHECK(gv_slots_is_valid(&slots));
        check_addresses(addresses, 5 + i, parts[i]);
        /* The unused slot stays with the slots for the next result. */
        CHECK(gv_slots_at(&slots, 1) == kept);
        CHECK(gv_lease_size(lease) < 6 * MIB);
        gv_lease_release(lease);
    }
    check_case("%s", "");
    gv_slots_deinit(&slots);
}

static void
test_seal_of_nothing(void)
{
    struct gv_slots slots;
    gv_slots_init(&slots, 0, NULL);
    const size_t sizes[N] = {0};
    struct gv_lease *lease;
    uint8_t *addresses[N] = {NULL};
    REQUIRE(gv_slots_seal(&slots, sizes, &lease, addresses) == GV_OK);
    check_addresses(addresses, 0, sizes);
    gv_lease_release(gv_lease_retain(lease));
    gv_lease_release(lease);
    gv_slots_deinit(&slots);
}

static void
test_seal_and_reuse(void)
{
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    enum { RESULTS = 12 };
    struct gv_lease *leases[RESULTS];
    uint8_t *addresses[RESULTS][N];
    size_t sizes[RESULTS][N];
    uint64_t seed = 3;
    for (unsigned r = 0; r < RESULTS; r++) {
        for (unsigned i = 0; i < N; i++) {
            static const size_t most[] = {1, 100, 100000, 1000000};
            sizes[r][i] = check_below(&seed, most[check_below(&seed, r % 2 ? 4 : 3)]);
        }
        fill(&slots, r, sizes[r]);
        REQUIRE(gv_slots_seal(&slots, sizes[r], &leases[r], addresses[r]) == GV_OK);
    }
    for (unsigned r = 0; r < RESULTS; r++) {
        check_case("result %u", r);
        check_addresses(addresses[r], r, sizes[r]);
        gv_lease_release(leases[r]);
    }
    check_case("%s", "");
    gv_slots_deinit(&slots);
}

static void
test_fresh_leases(void)
{
    static const size_t sizes[] = {0, 1, 64, 1000, 3000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gv_lease *lease;
        uint8_t *address;
        REQUIRE(gv_lease_new(NULL, sizes[i], &lease, &address) == GV_OK);
        CHECK(address != NULL);
        CHECK_U((uintptr_t)address % GV_ALIGNMENT, 0);
        memset(address, 1, sizes[i]);
        CHECK(gv_lease_size(lease) >= sizes[i]);
        CHECK_U(gv_lease_pieces(lease), 0);
        CHECK(gv_lease_retain(lease) == lease);
        gv_lease_release(lease);
        memset(address, 2, sizes[i]);
        gv_lease_release(lease);
    }
    struct gv_lease *lease = NULL;
    uint8_t *address = NULL;
    CHECK_NAMES(gv_lease_new(NULL, SIZE_MAX, &lease, &address), GV_NO_MEMORY);
    CHECK_NAMES(gv_lease_new(NULL, (size_t)1 << 62, &lease, &address), GV_NO_MEMORY);
    CHECK(lease == NULL && address == NULL);
}

/* More results than the 65,530 mappings that Linux lets a process have. */
static void
test_many_small_results(void)
{
    enum { RESULTS = 100000 };
    struct gv_lease **leases = malloc(RESULTS * sizeof *leases);
    uint64_t **values = malloc(RESULTS * sizeof *values);
    REQUIRE(leases != NULL && values != NULL);
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    const size_t sizes[N] = {[0] = 12, [3] = 8, [4] = 4};
    for (size_t r = 0; r < RESULTS; r++) {
        uint8_t *addresses[N];
        if (gv_slots_claim(&slots, sizes) != GV_OK) {
            REQUIRE(false);
        }
        *(uint64_t *)(void *)gv_slots_at(&slots, 3) = r * 3;
        if (gv_slots_seal(&slots, sizes, &leases[r], addresses) != GV_OK) {
            REQUIRE(false);
        }
        values[r] = (uint64_t *)(void *)addresses[3];
    }
    size_t right = 0;
    for (size_t r = 0; r < RESULTS; r++) {
        right += *values[r] == r * 3;
        gv_lease_release(leases[r]);
    }
    CHECK_U(right, RESULTS);
    gv_slots_deinit(&slots);
    free(values);
    free(leases);
}

struct holder {
    struct gv_lease *lease;
    const uint8_t *bytes;
    size_t size;
    size_t wrong;
};

static void *
hold_and_let_go(void *argument)
{
    struct holder *holder = argument;
    for (unsigned round = 0; round < 50000; round++) {
        (void)gv_lease_retain(holder->lease);
        size_t at = round * 61 % holder->size;
        holder->wrong += holder->bytes[at] != pattern(6, 0, at);
        gv_lease_release(holder->lease);
    }
    gv_lease_release(holder->lease);
    return NULL;
}

static void
test_threads(void)
{
    enum { THREADS = 4 };
    for (size_t size = 1000; size <= 2000000; size *= 2000) {
        struct gv_slots slots;
        gv_slots_init(&slots, GV_NO_LIMIT, NULL);
        const size_t sizes[N] = {size};
        fill(&slots, 6, sizes);
        struct gv_lease *lease;
        uint8_t *addresses[N];
        REQUIRE(gv_slots_seal(&slots, sizes, &lease, addresses) == GV_OK);
        pthread_t threads[THREADS];
        struct holder holders[THREADS];
        for (int i = 0; i < THREADS; i++) {
            holders[i] = (struct holder){gv_lease_retain(lease), addresses[0], size, 0};
            REQUIRE(pthread_create(&threads[i], NULL, hold_and_let_go, &holders[i]) == 0);
        }
        /* One of the threads, not this one, is the last holder. */
        gv_lease_release(lease);
        for (int i = 0; i < THREADS; i++) {
            REQUIRE(pthread_join(threads[i], NULL) == 0);
            CHECK_U(holders[i].wrong, 0);
        }
        gv_slots_deinit(&slots);
    }
}

/* Scratch memory comes from a pool and goes back to it, whatever its size, and is counted as
 * nobody's. */
static void
test_scratch(void)
{
    atomic_size_t idle = 0;
    struct gv_pool *pool = gv_pool_new(&idle, 64 * MIB);
    REQUIRE(pool != NULL);
    struct gv_pool_stats first = {0}, stats;
    for (unsigned round = 0; round < 3; round++) {
        struct gv_slots slots;
        size_t sizes[N] = {0};
        gv_slots_init(&slots, GV_NO_LIMIT, NULL);
        gv_slots_set_scratch(&slots, pool);
        for (size_t step = 0; step < 40; step++) {
            size_t more[N];
            memcpy(more, sizes, sizeof more);
            more[0] += 100;
            more[1] += 30000;
            more[2] += step == 20 ? 3 * MIB : 0;
            REQUIRE(gv_slots_claim(&slots, more) == GV_OK);
            CHECK(gv_slots_is_valid(&slots));
            for (unsigned i = 0; i < 3; i++) {
                write_pattern(gv_slots_at(&slots, i), round, i, sizes[i], more[i]);
            }
            memcpy(sizes, more, sizeof sizes);
        }
        for (unsigned i = 0; i < 3; i++) {
            CHECK(has_pattern(gv_slots_at(&slots, i), round, i, sizes[i]));
        }
        const size_t too_much[N] = {SIZE_MAX / 2 + 1};
        CHECK_NAMES(gv_slots_claim(&slots, too_much), GV_NO_MEMORY);
        gv_slots_deinit(&slots);
        stats = gv_pool_stats(pool);
        CHECK_U(stats.in_use, 0);
        CHECK_U(stats.puts + round + 1, stats.gets); /* one each time is too much */
        first = round == 0 ? stats : first;
        CHECK_U(stats.idle, first.idle);
    }
    CHECK_U(stats.misses, first.misses + 2);
    CHECK(stats.hits >= 2 * (stats.gets / 3 - 1));
    gv_pool_free(pool);
    CHECK_U(atomic_load(&idle), 0);
}

static size_t
address_space_used(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%zu", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(file);
    }
    return pages * gv_os_page_size();
}

/* In a child process: slots grow until the system refuses. */
static int
run_in_little_space(size_t room)
{
    check_count = check_failures = 0;
    struct rlimit limit = {.rlim_cur = address_space_used() + room, .rlim_max = RLIM_INFINITY};
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(gv_os_address_space_is_limited());
    struct gv_slots slots;
    gv_slots_init(&slots, GV_NO_LIMIT, NULL);
    CHECK_U(slots.reservation, 0);
    size_t sizes[N] = {0}, step = 100000;
    enum gv_status status = GV_OK;
    while (status == GV_OK && sizes[0] < 2 * room) {
        for (unsigned i = 0; i < 4 && status == GV_OK; i++) {
            size_t more[N];
            memcpy(more, sizes, sizeof more);
            more[i] += step;
            status = gv_slots_claim(&slots, more);
            if (status == GV_OK) {
                write_pattern(gv_slots_at(&slots, i), 7, i, sizes[i], more[i]);
                sizes[i] = more[i];
            }
        }
        step = sizes[0] / 3 + 100000;
    }
    CHECK_NAMES(status, GV_NO_MEMORY);
    CHECK(gv_slots_is_valid(&slots));
    CHECK_BYTES(slots.claimed, sizes, sizeof sizes);
    /* Most of the room was of use: nothing was reserved ahead. */
    CHECK(slots.claimed_total > room / 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(has_pattern(gv_slots_at(&slots, i), 7, i, sizes[i]));
    }

    /* A block that cannot be had leaves the slots as it was. */
    void *volatile taken;
    for (size_t size = room; size >= 1000; size /= 2) {
        do {
            taken = malloc(size);
        } while (taken != NULL);
    }
    const size_t small[N] = {[0] = 900000, [1] = 100000};
    struct gv_lease *lease = NULL;
    uint8_t *addresses[N] = {NULL};
    CHECK_NAMES(gv_slots_seal(&slots, small, &lease, addresses), GV_NO_MEMORY);
    REQUIRE(lease == NULL);
    CHECK_BYTES(slots.claimed, sizes, sizeof sizes);
    limit.rlim_cur = RLIM_INFINITY;
    REQUIRE(setrlimit(RLIMIT_AS, &limit) == 0);
    REQUIRE(gv_slots_seal(&slots, sizes, &lease, addresses) == GV_OK);
    check_addresses(addresses, 7, sizes);
    gv_lease_release(lease);
    gv_slots_deinit(&slots);
    return check_result();
}

static void
test_limited_address_space(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return; /* their shadow alone is larger than any limit */
#endif
    if (RUNNING_ON_VALGRIND || address_space_used() == 0) {
        return;
    }
    CHECK(!gv_os_address_space_is_limited());
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        _exit(run_in_little_space(64 * MIB));
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

int
main(void)
{
    test_new_slots();
    test_limit_is_exact();
    test_impossible_claims();
    test_growth(true);
    test_growth(false);
    test_seal_as_block();
    test_seal_threshold();
    test_seal_of_a_part();
    test_seal_of_nothing();
    test_seal_and_reuse();
    test_fresh_leases();
    test_many_small_results();
    test_threads();
    test_scratch();
    test_limited_address_space();
    return check_result();
}
