/* Tallies against sums made one byte at a time, whatever the order of reads and the batches. */
#define _GNU_SOURCE
#include "check.h"
#include "guard.h"
#include "gv.h"

#define MOST_READS 3000
#define TILES 5
#define LONGEST 9000

/* Reads side by side, as columns. */
struct reads {
    size_t rows;
    uint8_t lane[MOST_READS];
    uint32_t tile[MOST_READS];
    int64_t offsets[MOST_READS + 1];
    uint8_t *sequence, *quality;
};

static struct reads
reads_new(size_t bytes)
{
    struct reads reads = {.sequence = malloc(bytes), .quality = malloc(bytes)};
    REQUIRE(reads.sequence != NULL && reads.quality != NULL);
    return reads;
}

static void
reads_free(struct reads *reads)
{
    free(reads->sequence);
    free(reads->quality);
}

static void
add_read(struct reads *reads, uint8_t lane, uint32_t tile, const char *sequence,
         const char *quality)
{
    size_t row = reads->rows++, length = strlen(sequence);
    reads->lane[row] = lane;
    reads->tile[row] = tile;
    reads->offsets[row + 1] = reads->offsets[row] + (int64_t)length;
    memcpy(reads->sequence + reads->offsets[row], sequence, length);
    memcpy(reads->quality + reads->offsets[row], quality, length);
}

/* Rows [first, first + rows) as a batch. */
static struct gv_tally_reads
batch(const struct reads *reads, size_t first, size_t rows)
{
    size_t size = (size_t)reads->offsets[reads->rows];
    return (struct gv_tally_reads){
        .rows = rows,
        .lane = reads->lane + first,
        .tile = reads->tile + first,
        .sequence_offsets = reads->offsets + first,
        .quality_offsets = reads->offsets + first,
        .sequence = reads->sequence,
        .quality = reads->quality,
        .sequence_size = size,
        .quality_size = size,
    };
}

static struct gv_tally *
tally_new(size_t cycles, size_t tail, struct gv_arena *arena)
{
    struct gv_tally *tally = NULL;
    REQUIRE(gv_tally_new(cycles, tail, arena, &tally) == GV_OK);
    return tally;
}

static const struct gv_tally_tile *
find(const struct gv_tally *tally, uint8_t lane, uint32_t tile, size_t *number)
{
    for (size_t i = 0; i < gv_tally_tiles(tally); i++) {
        const struct gv_tally_tile *found = gv_tally_tile_at(tally, i);
        if (found->lane == lane && found->tile == tile) {
            *number = i;
            return found;
        }
    }
    return NULL;
}

static void
check_sums(const struct gv_tally_sums *sums, const struct gv_tally_sums *expected)
{
    CHECK_U(sums->bases, expected->bases);
    CHECK_U(sums->known, expected->known);
    CHECK_U(sums->gc, expected->gc);
    CHECK_U(sums->quality, expected->quality);
}

static void
add_base(struct gv_tally_sums *sums, uint8_t letter, uint8_t quality)
{
    sums->bases++;
    sums->known += letter != 0 && strchr("ACGTUacgtu", letter) != NULL;
    sums->gc += letter != 0 && strchr("GCgc", letter) != NULL;
    sums->quality += quality;
}

/* The oracle: one tile, one byte at a time. */
static void
check_tile(const struct gv_tally *tally, const struct reads *reads, size_t cycles, uint8_t lane,
           uint32_t tile)
{
    static struct gv_tally_sums bins[LONGEST + 1];
    struct gv_tally_sums all = {0};
    uint64_t count = 0;
    memset(bins, 0, sizeof bins);
    for (size_t i = 0; i < reads->rows; i++) {
        if (reads->lane[i] != lane || reads->tile[i] != tile) {
            continue;
        }
        count++;
        for (int64_t at = reads->offsets[i]; at < reads->offsets[i + 1]; at++) {
            size_t cycle = (size_t)(at - reads->offsets[i]);
            add_base(&all, reads->sequence[at], reads->quality[at]);
            add_base(&bins[cycles > 0 ? cycle / cycles : 0], reads->sequence[at],
                     reads->quality[at]);
        }
    }
    size_t number = 0;
    const struct gv_tally_tile *found = find(tally, lane, tile, &number);
    if (count == 0) {
        CHECK(found == NULL);
        return;
    }
    REQUIRE(found != NULL);
    CHECK_U(found->reads, count);
    check_sums(&found->sums, &all);
    for (size_t k = 0; k < gv_tally_bins(tally); k++) {
        check_sums(&gv_tally_bins_at(tally, number)[k], &bins[k]);
    }
}

/* Tiles were numbered in the order in which they came, and say where. */
static void
check_first(const struct gv_tally *tally, const struct reads *reads)
{
    size_t known = 0;
    for (size_t i = 0; i < reads->rows; i++) {
        size_t number;
        const struct gv_tally_tile *tile = find(tally, reads->lane[i], reads->tile[i], &number);
        if (tile != NULL && number == known) {
            known++;
            CHECK_U(tile->first, i);
        }
        CHECK(tile == NULL || number < known);
    }
    CHECK_U(known, gv_tally_tiles(tally));
}

static void
test_the_example(void)
{
    struct reads reads = reads_new(100);
    add_read(&reads, 1, 1101, "ACGTN", "FFFF#");
    add_read(&reads, 1, 1101, "GGG", "FF:");
    struct gv_tally *tally = tally_new(2, 3, NULL);
    const struct gv_tally_reads all = batch(&reads, 0, 2);
    CHECK_NAMES(gv_tally_add(tally, &all), GV_OK);
    gv_tally_settle(tally);
    CHECK_U(gv_tally_tiles(tally), 1);
    CHECK_U(gv_tally_bins(tally), 3);
    CHECK_U(gv_tally_longest(tally), 5);
    const struct gv_tally_tile *tile = gv_tally_tile_at(tally, 0);
    CHECK_U(tile->reads, 2);
    CHECK_U(tile->poly_g, 1);
    check_sums(&tile->sums, &(struct gv_tally_sums){8, 7, 5, 6 * 'F' + '#' + ':'});
    const struct gv_tally_sums *bins = gv_tally_bins_at(tally, 0);
    check_sums(&bins[0], &(struct gv_tally_sums){4, 4, 3, 4 * 'F'});
    check_sums(&bins[1], &(struct gv_tally_sums){3, 3, 2, 2 * 'F' + ':'});
    check_sums(&bins[2], &(struct gv_tally_sums){1, 0, 0, '#'});
    gv_tally_free(tally);
    reads_free(&reads);
}

static size_t
random_length(uint64_t *state)
{
    static const size_t edges[] = {0, 1, 31, 32, 33, 64, 4095, 4096, 4097, 8192, LONGEST};
    size_t pick = check_below(state, 60);
    return pick < sizeof edges / sizeof *edges ? edges[pick] : check_below(state, 200);
}

static void
fill(struct reads *reads, uint64_t *state, bool is_sorted)
{
    static const char letters[] = "ACGTUNacgtun.-GgCc@[`{";
    for (size_t i = 0; i < MOST_READS; i++) {
        size_t pick = is_sorted ? i * TILES / MOST_READS : check_below(state, TILES);
        size_t length = random_length(state);
        reads->lane[i] = (uint8_t)(pick % 2 + (pick < 4)); /* pick 4: no lane */
        reads->tile[i] = pick == 3 ? 0 : 1101 + (uint32_t)(pick / 2);
        reads->offsets[i + 1] = reads->offsets[i] + (int64_t)length;
        for (int64_t at = reads->offsets[i]; at < reads->offsets[i + 1]; at++) {
            reads->sequence[at] = (uint8_t)letters[check_below(state, sizeof letters - 1)];
            reads->quality[at] = (uint8_t)(check_below(state, 4) > 0 ? 255 : check_random(state));
        }
    }
    reads->rows = MOST_READS;
}

static void
test_against_single_bytes(void)
{
    uint64_t state = 1;
    struct reads reads = reads_new((size_t)MOST_READS * LONGEST);
    static const size_t widths[] = {0, 1, 10, 4097, SIZE_MAX / 4};
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        fill(&reads, &state, w % 2 == 0);
        for (size_t step = MOST_READS; step > 0; step = step * 2 / 7) {
            check_case("bins of %zu, batches of %zu", widths[w], step);
            struct gv_tally *tally = tally_new(widths[w], 10, NULL);
            for (size_t first = 0; first < reads.rows; first += step) {
                const struct gv_tally_reads part =
                    batch(&reads, first, gv_min_size(step, reads.rows - first));
                REQUIRE(gv_tally_add(tally, &part) == GV_OK);
                if (first % 5 == 4) { /* half-way, too */
                    gv_tally_settle(tally);
                }
            }
            gv_tally_settle(tally);
            CHECK(gv_tally_is_valid(tally));
            uint64_t none = 0;
            for (size_t i = 0; i < reads.rows; i++) {
                none += reads.lane[i] == 0 || reads.tile[i] == 0;
            }
            CHECK(none > 0);
            CHECK_U(gv_tally_unplaced(tally), none);
            for (uint8_t lane = 1; lane <= 3; lane++) {
                check_tile(tally, &reads, widths[w], lane, 1101);
                check_tile(tally, &reads, widths[w], lane, 1102);
            }
            check_first(tally, &reads);
            gv_tally_free(tally);
        }
    }
    check_case("%s", "");
    reads_free(&reads);
}

/* Reads whose every byte counts most, up to where a counter could run over and beyond. */
static void
test_full_counters(void)
{
    struct reads reads = reads_new((size_t)MOST_READS * 40);
    char sequence[41] = {0}, quality[41] = {0};
    memset(sequence, 'G', 40);
    memset(quality, 255, 40);
    struct gv_tally *tally = tally_new(1, 10, NULL);
    for (size_t i = 0; i < 700; i++) {
        add_read(&reads, 1, 1101, sequence, quality);
        const struct gv_tally_reads one = batch(&reads, i, 1);
        REQUIRE(gv_tally_add(tally, &one) == GV_OK);
    }
    gv_tally_settle(tally);
    check_tile(tally, &reads, 1, 1, 1101);
    gv_tally_free(tally);
    tally = tally_new(1, 10, NULL);
    const struct gv_tally_reads all = batch(&reads, 0, 700);
    REQUIRE(gv_tally_add(tally, &all) == GV_OK);
    gv_tally_settle(tally);
    check_tile(tally, &reads, 1, 1, 1101);
    gv_tally_free(tally);
    reads_free(&reads);
}

static uint64_t
poly_g_of(const char *sequence, size_t tail)
{
    struct reads reads = reads_new(200);
    add_read(&reads, 1, 1, sequence, sequence);
    const struct gv_tally_reads all = batch(&reads, 0, 1);
    struct gv_tally *tally = tally_new(0, tail, NULL);
    REQUIRE(gv_tally_add(tally, &all) == GV_OK);
    uint64_t found = gv_tally_tile_at(tally, 0)->poly_g;
    gv_tally_free(tally);
    reads_free(&reads);
    return found;
}

static void
test_poly_g(void)
{
    CHECK_U(poly_g_of("ACGTACGTGGGGGGGGGG", 10), 1);
    CHECK_U(poly_g_of("ACGTACGTGGGGGGGGGg", 10), 1);
    CHECK_U(poly_g_of("GGGGGGGGGG", 10), 1);
    CHECK_U(poly_g_of("GGGGGGGGG", 10), 0);      /* too short */
    CHECK_U(poly_g_of("ACGTGGGGGGGAGG", 10), 1); /* one other in ten */
    CHECK_U(poly_g_of("ACGTGGGGNGGAGG", 10), 0); /* two */
    CHECK_U(poly_g_of("GGGGGGGGGGACGT", 10), 0); /* not at the end */
    CHECK_U(poly_g_of("GGGGGGC", 7), 0);         /* one in eight, so none in seven */
    CHECK_U(poly_g_of("GGGGGGGC", 8), 1);
    CHECK_U(poly_g_of("", 1), 0);
    CHECK_U(poly_g_of("AG", 1), 1);
    char many[101];
    memset(many, 'G', 100);
    many[100] = '\0';
    memset(many + 20, 'A', 5);
    CHECK_U(poly_g_of(many, 100), 1);
    many[50] = 'A'; /* six in a hundred: one too many for any length */
    CHECK_U(poly_g_of(many, 100), 0);
}

static void
test_what_is_not_valid(void)
{
    struct reads reads = reads_new(100);
    add_read(&reads, 1, 1101, "ACGT", "FFFF");
    add_read(&reads, 1, 1101, "ACG", "FFF");
    struct gv_tally_reads all = batch(&reads, 0, 2);
    CHECK(gv_tally_reads_are_valid(&all));
    static const int64_t wrong[][3] = {{-1, 4, 7}, {0, 4, 8}, {0, 5, 4}, {0, 3, 7},
                                       {0, 4, -1}, {1, 4, 7}, {0, 8, 7}, {0, INT64_MIN, 7}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        check_case("offsets %zu", i);
        all.sequence_offsets = wrong[i];
        CHECK(!gv_tally_reads_are_valid(&all));
        all.sequence_offsets = reads.offsets;
        all.quality_offsets = wrong[i];
        CHECK(!gv_tally_reads_are_valid(&all));
        all.quality_offsets = reads.offsets;
    }
    check_case("%s", "");
    all.rows = 0;
    all.sequence_offsets = all.quality_offsets = (const int64_t[]){7};
    CHECK(gv_tally_reads_are_valid(&all));
    reads_free(&reads);
}

static void
test_the_end_of_the_text(void)
{
    struct guard sequence = guard_new(77), quality = guard_new(77);
    for (size_t length = 0; length <= 77; length++) {
        memset(sequence.end - length, 'G', length);
        memset(quality.end - length, 'F', length);
        const int64_t offsets[2] = {0, (int64_t)length};
        const struct gv_tally_reads one = {
            .rows = 1,
            .lane = (const uint8_t[]){1},
            .tile = (const uint32_t[]){1101},
            .sequence_offsets = offsets,
            .quality_offsets = offsets,
            .sequence = sequence.end - length,
            .quality = quality.end - length,
            .sequence_size = length,
            .quality_size = length,
        };
        struct gv_tally *tally = tally_new(1, 10, NULL);
        REQUIRE(gv_tally_add(tally, &one) == GV_OK);
        gv_tally_settle(tally);
        CHECK_U(gv_tally_tile_at(tally, 0)->sums.gc, length);
        CHECK_U(gv_tally_tile_at(tally, 0)->sums.quality, length * 'F');
        gv_tally_free(tally);
    }
    guard_free(&sequence);
    guard_free(&quality);
}

/* Where the arena is full nothing was added, and the tally goes on with what fits. */
static void
test_a_full_arena(void)
{
    struct gv_arena *arena = gv_arena_new(NULL, GV_NO_LIMIT, 0);
    REQUIRE(arena != NULL);
    struct gv_tally *tally = tally_new(1, 10, arena);
    struct reads reads = reads_new(20000);
    add_read(&reads, 1, 1101, "ACGT", "FFFF");
    for (uint32_t i = 0; i < 1000; i++) {
        add_read(&reads, 2, 1101 + i, "ACGTAC", "FFFFFF");
    }
    const struct gv_tally_reads one = batch(&reads, 0, 1), all = batch(&reads, 0, reads.rows);
    CHECK_NAMES(gv_tally_add(tally, &one), GV_OK);
    size_t used = gv_arena_stats(arena).used;
    CHECK(used > 0);
    for (size_t room = 0; room < 60000; room += 10000) {
        gv_arena_set_capacity(arena, used + room);
        CHECK_NAMES(gv_tally_add(tally, &all), GV_MEMORY_LIMIT);
        CHECK(gv_tally_is_valid(tally));
        CHECK_U(gv_tally_tiles(tally), 1);
        CHECK_U(gv_tally_bins(tally), 4);
        CHECK_U(gv_tally_tile_at(tally, 0)->reads, 1);
        CHECK_NAMES(gv_tally_add(tally,
                                 &(struct gv_tally_reads){
                                     .sequence_offsets = (const int64_t[]){0},
                                     .quality_offsets = (const int64_t[]){0},
                                 }),
                    GV_OK);
    }
    gv_arena_set_capacity(arena, GV_NO_LIMIT);
    CHECK_NAMES(gv_tally_add(tally, &all), GV_OK);
    gv_tally_settle(tally);
    CHECK_U(gv_tally_tiles(tally), 1001);
    CHECK_U(gv_tally_bins(tally), 6);
    check_tile(tally, &reads, 1, 2, 2100);
    size_t number = 0;
    CHECK_U(find(tally, 1, 1101, &number)->reads, 2);
    CHECK_U(gv_tally_bins_at(tally, number)[3].bases, 2);
    gv_tally_free(tally);
    CHECK_U(gv_arena_stats(arena).used, 0);
    gv_arena_release(arena);
    reads_free(&reads);
}

int
main(void)
{
    test_the_example();
    test_against_single_bytes();
    test_full_counters();
    test_poly_g();
    test_what_is_not_valid();
    test_the_end_of_the_text();
    test_a_full_arena();
    return check_result();
}
