/* Reads of one tile stand together in nearly every file, so they are first added cycle by cycle
 * into a panel of narrow counters, which vectors fill without a sum across lanes:
 *
 *   read 1    F  F  F  :         panel.quality   2F  2F  F+:  :      flushed to the tile's sums
 *   read 2    F  F  :            panel.gc        1   2   0    1      where the tile changes, or
 *                                panel.ends[4] = panel.ends[3] = 1   a counter could run over
 */
#include "gv_tally.h"

#include <stdlib.h>

#include "gv_span.h"

/* Cycles handled at once.  The counters stay in a first-level cache; longer reads, which no flow
 * cell with tiles gives, go through it a piece at a time. */
#define PANEL_CYCLES ((size_t)4096)

/* Bytes handled at once: a constant number, so that the compiler makes vectors of it. */
#define BLOCK ((size_t)32)

/* 255 reads fill a byte; 255 times 255 fits 16 bits. */
#define PANEL_READS 255

/* Tiles that a tally first has room for. */
#define FIRST_TILES ((size_t)64)

#define NO_TILE SIZE_MAX

/* Invariants: counters from `cycles` on are 0, and ends[] behind it; reads <= PANEL_READS. */
struct panel {
    size_t reads;
    size_t cycles; /* of the longest */
    uint16_t quality[PANEL_CYCLES];
    uint8_t known[PANEL_CYCLES], gc[PANEL_CYCLES];
    uint8_t ends[PANEL_CYCLES + 1]; /* reads with so many cycles */
};

/* Invariants: n_tiles <= tile_capacity; n_bins <= bin_capacity, both 0 without bins; slots are an
 * open table of 2 * tile_capacity places, a power of two: 0 for none, else a tile's number from 1;
 * between calls the panel is empty. */
struct gv_tally {
    struct gv_arena *arena;
    size_t charged;
    size_t cycles, tail, most_others; /* bases other than G in a poly-G tail */
    size_t n_tiles, tile_capacity;
    size_t n_bins, bin_capacity;
    size_t longest;
    uint64_t rows, unplaced; /* added; of these on no tile */
    struct gv_tally_tile *tiles;
    struct gv_tally_sums *bins; /* tile by tile, bin_capacity each */
    uint32_t *slots;
    struct panel panel;
};

/* ---------------------------------------------------------------------------------------------
 * Room
 * ------------------------------------------------------------------------------------------ */

/* The place in the open table of a tile, or the free one where it would stand. */
static size_t
find_slot(const struct gv_tally *tally, uint8_t lane, uint32_t tile)
{
    size_t mask = 2 * tally->tile_capacity - 1;
    uint64_t key = (uint64_t)lane << 32 | tile;
    size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & mask;
    for (;; at = (at + 1) & mask) {
        uint32_t number = tally->slots[at];
        if (number == 0) {
            return at;
        }
        const struct gv_tally_tile *found = &tally->tiles[number - 1];
        if (found->tile == tile && found->lane == lane) {
            return at;
        }
    }
}

static void
fill_slots(struct gv_tally *tally)
{
    memset(tally->slots, 0, 2 * tally->tile_capacity * sizeof *tally->slots);
    for (size_t i = 0; i < tally->n_tiles; i++) {
        size_t at = find_slot(tally, tally->tiles[i].lane, tally->tiles[i].tile);
        tally->slots[at] = (uint32_t)(i + 1);
    }
}

/* Bytes of a tally of that capacity; false where they cannot be counted, or tiles numbered. */
static bool
size_of(size_t tiles, size_t bins, size_t *size)
{
    size_t one;
    return tiles <= UINT32_MAX / 2 && gv_mul_size(bins, sizeof(struct gv_tally_sums), &one) &&
           gv_add_size(one, sizeof(struct gv_tally_tile) + 2 * sizeof(uint32_t), &one) &&
           gv_mul_size(tiles, one, size);
}

/* Gives the tally exactly that capacity, neither less than it has. */
static enum gv_status
set_capacity(struct gv_tally *tally, size_t tiles, size_t bins)
{
    size_t size;
    if (!size_of(tiles, bins, &size)) {
        return GV_NO_MEMORY;
    }
    size_t more = size - tally->charged;
    if (tally->arena != NULL) {
        enum gv_status status = gv_arena_charge(tally->arena, more);
        if (status != GV_OK) {
            return status;
        }
    }
    struct gv_tally_tile *new_tiles = calloc(tiles, sizeof *new_tiles);
    struct gv_tally_sums *new_bins = calloc(tiles * bins + 1, sizeof *new_bins);
    uint32_t *new_slots = calloc(2 * tiles, sizeof *new_slots);
    if (new_tiles == NULL || new_bins == NULL || new_slots == NULL) {
        free(new_tiles);
        free(new_bins);
        free(new_slots);
        if (tally->arena != NULL) {
            gv_arena_discharge(tally->arena, more);
        }
        return GV_NO_MEMORY;
    }
    for (size_t i = 0; i < tally->n_tiles; i++) {
        new_tiles[i] = tally->tiles[i];
        memcpy(new_bins + i * bins, tally->bins + i * tally->bin_capacity,
               tally->n_bins * sizeof *new_bins);
    }
    free(tally->tiles);
    free(tally->bins);
    free(tally->slots);
    tally->tiles = new_tiles;
    tally->bins = new_bins;
    tally->slots = new_slots;
    tally->tile_capacity = tiles;
    tally->bin_capacity = bins;
    tally->charged = size;
    fill_slots(tally);
    return GV_OK;
}

/* Room for the cycles of a read of that length. */
static enum gv_status
reserve_bins(struct gv_tally *tally, size_t length)
{
    size_t needed = tally->cycles > 0 ? length / tally->cycles + (length % tally->cycles > 0) : 0;
    if (needed <= tally->bin_capacity) {
        return GV_OK;
    }
    /* Exactly what the first reads need, which all the others do nearly always; half as much again
     * where lengths go on growing. */
    size_t bins = gv_max_size(needed, tally->bin_capacity + tally->bin_capacity / 2);
    return set_capacity(tally, tally->tile_capacity, bins);
}

/* Gives the tile of a row a number, unless it has one. */
static enum gv_status
add_tile(struct gv_tally *tally, uint8_t lane, uint32_t tile, size_t row)
{
    size_t at = find_slot(tally, lane, tile);
    if (GV_LIKELY(tally->slots[at] > 0)) {
        return GV_OK;
    }
    if (tally->n_tiles == tally->tile_capacity) {
        enum gv_status status = set_capacity(tally, 2 * tally->tile_capacity, tally->bin_capacity);
        if (status != GV_OK) {
            return status;
        }
        at = find_slot(tally, lane, tile);
    }
    tally->tiles[tally->n_tiles++] =
        (struct gv_tally_tile){.lane = lane, .tile = tile, .first = tally->rows + row};
    tally->slots[at] = (uint32_t)tally->n_tiles;
    return GV_OK;
}

/* Forgets the tiles from number `first` on, to which nothing was added. */
static void
forget_tiles(struct gv_tally *tally, size_t first)
{
    if (tally->n_tiles > first) {
        tally->n_tiles = first;
        fill_slots(tally);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Adding
 * ------------------------------------------------------------------------------------------ */

/* Adds BLOCK cycles of one read.  A byte of 0 is no base, and no quality. */
static inline void
add_block(uint16_t *restrict quality, uint8_t *restrict known, uint8_t *restrict gc,
          const uint8_t *restrict bases, const uint8_t *restrict scores)
{
    for (size_t i = 0; i < BLOCK; i++) {
        quality[i] = (uint16_t)(quality[i] + scores[i]);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        uint8_t letter = bases[i] | 0x20; /* either case; nothing else becomes a small letter of
                                             these */
        uint8_t is_gc = (letter == 'g') | (letter == 'c');
        uint8_t is_at = (letter == 'a') | (letter == 't') | (letter == 'u');
        gc[i] = (uint8_t)(gc[i] + is_gc);
        known[i] = (uint8_t)(known[i] + (is_gc | is_at));
    }
}

/* Adds the first n <= PANEL_CYCLES cycles of one read. */
GV_CLONES static void
add_to_panel(struct panel *panel, const uint8_t *bases, const uint8_t *scores, size_t n)
{
    size_t whole = n / BLOCK * BLOCK;
    for (size_t i = 0; i < whole; i += BLOCK) {
        add_block(panel->quality + i, panel->known + i, panel->gc + i, bases + i, scores + i);
    }
    if (whole < n) {
        uint8_t last_bases[BLOCK] = {0}, last_scores[BLOCK] = {0};
        memcpy(last_bases, bases + whole, n - whole);
        memcpy(last_scores, scores + whole, n - whole);
        add_block(panel->quality + whole, panel->known + whole, panel->gc + whole, last_bases,
                  last_scores);
    }
    panel->ends[n]++;
    panel->reads++;
    panel->cycles = gv_max_size(panel->cycles, n);
}

static void
add_sums(struct gv_tally_sums *sums, const struct gv_tally_sums *more)
{
    sums->bases += more->bases;
    sums->known += more->known;
    sums->gc += more->gc;
    sums->quality += more->quality;
}

/* Empties the panel, whose first cycle is number `first` from 0, into a tile's sums. */
static void
flush(struct gv_tally *tally, size_t tile, size_t first)
{
    struct panel *panel = &tally->panel;
    size_t covering = panel->reads, end;
    for (size_t begin = 0; begin < panel->cycles; begin = end) {
        struct gv_tally_sums sums = {0};
        size_t bin = tally->cycles > 0 ? (first + begin) / tally->cycles : 0;
        end = panel->cycles;
        if (tally->cycles > 0) {
            end = gv_min_size(end, (bin + 1) * tally->cycles - first);
        }
        for (size_t i = begin; i < end; i++) {
            covering -= panel->ends[i];
            sums.bases += covering;
            sums.known += panel->known[i];
            sums.gc += panel->gc[i];
            sums.quality += panel->quality[i];
        }
        add_sums(&tally->tiles[tile].sums, &sums);
        if (tally->cycles > 0) {
            add_sums(&tally->bins[tile * tally->bin_capacity + bin], &sums);
        }
    }
    memset(panel->quality, 0, panel->cycles * sizeof *panel->quality);
    memset(panel->known, 0, panel->cycles);
    memset(panel->gc, 0, panel->cycles);
    memset(panel->ends, 0, panel->cycles + 1);
    panel->reads = panel->cycles = 0;
}

static bool
is_poly_g(const struct gv_tally *tally, const uint8_t *bases, size_t length)
{
    size_t others = 0;
    if (length < tally->tail) {
        return false;
    }
    for (size_t i = 1; i <= tally->tail && others <= tally->most_others; i++) {
        others += (bases[length - i] | 0x20) != 'g';
    }
    return others <= tally->most_others;
}

static void
add_read(struct gv_tally *tally, size_t tile, const uint8_t *bases, const uint8_t *scores,
         size_t length)
{
    tally->tiles[tile].reads++;
    tally->tiles[tile].poly_g += is_poly_g(tally, bases, length);
    if (tally->panel.reads == PANEL_READS || length > PANEL_CYCLES) {
        flush(tally, tile, 0);
    }
    size_t first = 0;
    for (; length - first > PANEL_CYCLES; first += PANEL_CYCLES) {
        add_to_panel(&tally->panel, bases + first, scores + first, PANEL_CYCLES);
        flush(tally, tile, first);
    }
    add_to_panel(&tally->panel, bases + first, scores + first, length - first);
    if (first > 0) {
        flush(tally, tile, first);
    }
}

/* Adds reads for which there is room. */
static void
add_all(struct gv_tally *tally, const struct gv_tally_reads *reads)
{
    size_t current = NO_TILE;
    for (size_t i = 0; i < reads->rows; i++) {
        uint8_t lane = reads->lane[i];
        uint32_t tile = reads->tile[i];
        if (lane == 0 || tile == 0) {
            tally->unplaced++;
            continue;
        }
        if (current == NO_TILE || tally->tiles[current].tile != tile ||
            tally->tiles[current].lane != lane) {
            if (current != NO_TILE) {
                flush(tally, current, 0);
            }
            current = tally->slots[find_slot(tally, lane, tile)] - 1;
        }
        size_t start = (size_t)reads->sequence_offsets[i];
        size_t length = (size_t)reads->sequence_offsets[i + 1] - start;
        add_read(tally, current, reads->sequence + start,
                 reads->quality + reads->quality_offsets[i], length);
    }
    if (current != NO_TILE) {
        flush(tally, current, 0);
    }
}

enum gv_status
gv_tally_add(struct gv_tally *tally, const struct gv_tally_reads *reads)
{
    assert(gv_tally_reads_are_valid(reads));
    size_t before = tally->n_tiles, longest = tally->longest;
    uint32_t last_tile = 0;
    uint8_t last_lane = 0;
    enum gv_status status = GV_OK;
    for (size_t i = 0; i < reads->rows && status == GV_OK; i++) {
        uint8_t lane = reads->lane[i];
        uint32_t tile = reads->tile[i];
        if (lane == 0 || tile == 0) {
            continue;
        }
        int64_t length = reads->sequence_offsets[i + 1] - reads->sequence_offsets[i];
        longest = gv_max_size(longest, (size_t)length);
        if (tile != last_tile || lane != last_lane) {
            status = add_tile(tally, lane, tile, i);
            last_tile = tile;
            last_lane = lane;
        }
    }
    if (status == GV_OK) {
        status = reserve_bins(tally, longest);
    }
    if (status != GV_OK) {
        forget_tiles(tally, before);
        return status;
    }
    tally->longest = longest;
    if (tally->cycles > 0) {
        tally->n_bins = longest / tally->cycles + (longest % tally->cycles > 0);
    }
    add_all(tally, reads);
    tally->rows += reads->rows;
    assert(gv_tally_is_valid(tally));
    return GV_OK;
}

/* ---------------------------------------------------------------------------------------------
 * The rest
 * ------------------------------------------------------------------------------------------ */

enum gv_status
gv_tally_new(size_t cycles, size_t tail, struct gv_arena *arena, struct gv_tally **tally)
{
    assert(tail >= 1);
    struct gv_tally *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    made->cycles = cycles;
    made->tail = tail;
    made->most_others = gv_min_size(tail / 8, 5);
    made->arena = arena != NULL ? gv_arena_retain(arena) : NULL;
    enum gv_status status = set_capacity(made, FIRST_TILES, 0);
    if (status != GV_OK) {
        gv_tally_free(made);
        return status;
    }
    *tally = made;
    return GV_OK;
}

void
gv_tally_free(struct gv_tally *tally)
{
    if (tally->arena != NULL) {
        gv_arena_discharge(tally->arena, tally->charged);
        gv_arena_release(tally->arena);
    }
    free(tally->tiles);
    free(tally->bins);
    free(tally->slots);
    free(tally);
}

bool
gv_tally_is_valid(const struct gv_tally *tally)
{
    bool holds = tally->n_tiles <= tally->tile_capacity && tally->n_bins <= tally->bin_capacity &&
                 tally->panel.reads == 0 && tally->panel.cycles == 0;
    for (size_t i = 0; holds && i < tally->n_tiles; i++) {
        const struct gv_tally_tile *tile = &tally->tiles[i];
        const struct gv_tally_sums *sums = &tile->sums;
        holds = tile->lane > 0 && tile->tile > 0 && tile->poly_g <= tile->reads &&
                sums->gc <= sums->known && sums->known <= sums->bases &&
                tally->slots[find_slot(tally, tile->lane, tile->tile)] == i + 1;
    }
    return holds;
}

bool
gv_tally_reads_are_valid(const struct gv_tally_reads *reads)
{
    const int64_t *bases = reads->sequence_offsets, *scores = reads->quality_offsets;
    bool holds = gv_span_offsets_are_valid(bases, reads->rows, reads->sequence_size) &&
                 gv_span_offsets_are_valid(scores, reads->rows, reads->quality_size);
    for (size_t i = 0; holds && i < reads->rows; i++) {
        holds = bases[i + 1] - bases[i] == scores[i + 1] - scores[i];
    }
    return holds;
}

size_t
gv_tally_tiles(const struct gv_tally *tally)
{
    return tally->n_tiles;
}

size_t
gv_tally_bins(const struct gv_tally *tally)
{
    return tally->n_bins;
}

const struct gv_tally_tile *
gv_tally_tile_at(const struct gv_tally *tally, size_t tile)
{
    assert(tile < tally->n_tiles);
    return &tally->tiles[tile];
}

const struct gv_tally_sums *
gv_tally_bins_at(const struct gv_tally *tally, size_t tile)
{
    assert(tile < tally->n_tiles);
    return &tally->bins[tile * tally->bin_capacity];
}

size_t
gv_tally_longest(const struct gv_tally *tally)
{
    return tally->longest;
}

uint64_t
gv_tally_unplaced(const struct gv_tally *tally)
{
    return tally->unplaced;
}
