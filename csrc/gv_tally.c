/* Each tile has a panel of narrow counters, one a cycle, which vectors fill without a sum across
 * lanes; it is emptied into the tile's sums before one of them could run over:
 *
 *   read 1    F  F  F  :         panel.quality   2F  2F  F+:  :
 *   read 2    F  F  :            panel.gc        1   2   0    1
 *                                panel.ends[4] = panel.ends[3] = 1
 */
#include "gv_tally.h"

#include <stdlib.h>

#include "gv_span.h"

/* Bytes handled at once: a constant number, so that the compiler makes vectors of it. */
#define BLOCK ((size_t)32)

/* Most cycles in a panel, so that those of all tiles stay small; longer reads, which no flow cell
 * with tiles gives, go through it a piece at a time. */
#define PANEL_CYCLES ((size_t)4096)

/* 255 reads fill a byte; 255 times 255 fits 16 bits. */
#define PANEL_READS 255

/* Tiles that a tally first has room for. */
#define FIRST_TILES ((size_t)64)

#define NO_TILE SIZE_MAX

/* The counters of one tile.  Borrows: the tally's memory.
 * Invariants: those from `cycles` on are 0, and ends[] behind it; reads <= PANEL_READS. */
struct panel {
    uint32_t *reads;
    uint32_t *cycles; /* of the longest */
    uint16_t *quality;
    uint8_t *known, *gc;
    uint8_t *ends; /* reads with so many cycles */
};

/* What a tally has room for: cycles of a panel, a multiple of BLOCK, and bins of a tile. */
struct room {
    size_t tiles, cycles, bins;
};

/* Invariants: n_tiles <= room.tiles; n_bins <= room.bins, both 0 without bins; slots are an open
 * table of 2 * room.tiles places, a power of two: 0 for none, else a tile's number from 1. */
struct gv_tally {
    struct gv_arena *arena;
    size_t charged;
    size_t cycles, tail, most_others; /* bases other than G in a poly-G tail */
    size_t n_tiles, n_bins, longest;
    uint64_t rows, unplaced; /* added; of these on no tile */
    struct room room;
    struct gv_tally_tile *tiles;
    struct gv_tally_sums *bins; /* tile by tile, room.bins each */
    uint8_t *panels;            /* tile by tile, panel_size() each */
    uint32_t *slots;
};

/* ---------------------------------------------------------------------------------------------
 * Panels
 * ------------------------------------------------------------------------------------------ */

/* Bytes of a panel: a block for its two numbers, the counters, and one more block of ends[]. */
static size_t
panel_size(size_t cycles)
{
    return BLOCK + cycles * (sizeof(uint16_t) + 3) + BLOCK;
}

static struct panel
panel_of(const struct gv_tally *tally, size_t tile)
{
    size_t cycles = tally->room.cycles;
    uint8_t *at = tally->panels + tile * panel_size(cycles);
    struct panel panel = {.reads = (uint32_t *)(void *)at, .cycles = (uint32_t *)(void *)at + 1};
    panel.quality = (uint16_t *)(void *)(at + BLOCK);
    panel.known = at + BLOCK + cycles * sizeof(uint16_t);
    panel.gc = panel.known + cycles;
    panel.ends = panel.gc + cycles;
    return panel;
}

static void
add_sums(struct gv_tally_sums *sums, const struct gv_tally_sums *more)
{
    sums->bases += more->bases;
    sums->known += more->known;
    sums->gc += more->gc;
    sums->quality += more->quality;
}

/* The sums of the cycles [begin, end) of a panel.  *covering: reads that have the cycle before
 * `begin`; then those that have the last one. */
static struct gv_tally_sums
sum_cycles(const struct panel *panel, size_t begin, size_t end, uint64_t *covering)
{
    struct gv_tally_sums sums = {0};
    for (size_t i = begin; i < end; i++) {
        *covering -= panel->ends[i];
        sums.bases += *covering;
        sums.known += panel->known[i];
        sums.gc += panel->gc[i];
        sums.quality += panel->quality[i];
    }
    return sums;
}

/* Empties a tile's panel, whose first cycle is number `first` from 0, into its sums. */
static void
flush(struct gv_tally *tally, size_t tile, size_t first)
{
    struct panel panel = panel_of(tally, tile);
    uint64_t covering = *panel.reads;
    size_t cycles = *panel.cycles, end;
    for (size_t begin = 0; begin < cycles; begin = end) {
        struct gv_tally_sums *bin = NULL;
        end = cycles;
        if (tally->cycles > 0) {
            size_t number = (first + begin) / tally->cycles;
            end = gv_min_size(end, (number + 1) * tally->cycles - first);
            bin = &tally->bins[tile * tally->room.bins + number];
        }
        struct gv_tally_sums sums = sum_cycles(&panel, begin, end, &covering);
        add_sums(&tally->tiles[tile].sums, &sums);
        if (bin != NULL) {
            add_sums(bin, &sums);
        }
    }
    memset(panel.quality, 0, cycles * sizeof *panel.quality);
    memset(panel.known, 0, cycles);
    memset(panel.gc, 0, cycles);
    memset(panel.ends, 0, cycles + 1);
    *panel.reads = *panel.cycles = 0;
}

void
gv_tally_settle(struct gv_tally *tally)
{
    for (size_t i = 0; i < tally->n_tiles; i++) {
        flush(tally, i, 0);
    }
}

/* ---------------------------------------------------------------------------------------------
 * Room
 * ------------------------------------------------------------------------------------------ */

/* The place in the open table of a tile, or the free one where it would stand. */
static size_t
find_slot(const struct gv_tally *tally, uint8_t lane, uint32_t tile)
{
    size_t mask = 2 * tally->room.tiles - 1;
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
    memset(tally->slots, 0, 2 * tally->room.tiles * sizeof *tally->slots);
    for (size_t i = 0; i < tally->n_tiles; i++) {
        size_t at = find_slot(tally, tally->tiles[i].lane, tally->tiles[i].tile);
        tally->slots[at] = (uint32_t)(i + 1);
    }
}

/* Bytes of a tally with that room; false where they cannot be counted, or tiles numbered. */
static bool
size_of(const struct room *room, size_t *size)
{
    size_t one, fixed = sizeof(struct gv_tally_tile) + 2 * sizeof(uint32_t);
    return room->tiles <= UINT32_MAX / 2 &&
           gv_mul_size(room->bins, sizeof(struct gv_tally_sums), &one) &&
           gv_add_size(one, fixed + panel_size(room->cycles), &one) &&
           gv_mul_size(room->tiles, one, size);
}

static void
free_memory(struct gv_tally *tally)
{
    free(tally->tiles);
    free(tally->bins);
    free(tally->panels);
    free(tally->slots);
}

/* Takes memory for that room, in a tally that has none; false where the system refuses. */
static bool
take_memory(struct gv_tally *tally, const struct room *room)
{
    tally->room = *room;
    tally->tiles = calloc(room->tiles, sizeof *tally->tiles);
    tally->bins = calloc(room->tiles, gv_max_size(room->bins, 1) * sizeof *tally->bins);
    tally->panels = calloc(room->tiles, panel_size(room->cycles));
    tally->slots = calloc(2 * room->tiles, sizeof *tally->slots);
    return tally->tiles != NULL && tally->bins != NULL && tally->panels != NULL &&
           tally->slots != NULL;
}

/* Gives the tally exactly that room, in nothing less than it has. */
static enum gv_status
set_room(struct gv_tally *tally, const struct room *room)
{
    size_t size;
    if (!size_of(room, &size)) {
        return GV_NO_MEMORY;
    }
    size_t more = size - tally->charged;
    if (tally->arena != NULL) {
        enum gv_status status = gv_arena_charge(tally->arena, more);
        if (status != GV_OK) {
            return status;
        }
    }
    struct gv_tally larger = *tally;
    if (!take_memory(&larger, room)) {
        free_memory(&larger);
        if (tally->arena != NULL) {
            gv_arena_discharge(tally->arena, more);
        }
        return GV_NO_MEMORY;
    }
    gv_tally_settle(tally); /* so that the panels are empty, and need not be moved */
    for (size_t i = 0; i < tally->n_tiles; i++) {
        larger.tiles[i] = tally->tiles[i];
        memcpy(larger.bins + i * room->bins, tally->bins + i * tally->room.bins,
               tally->n_bins * sizeof *tally->bins);
    }
    free_memory(tally);
    *tally = larger;
    tally->charged = size;
    fill_slots(tally);
    return GV_OK;
}

static size_t
bins_of(const struct gv_tally *tally, size_t length)
{
    return tally->cycles > 0 ? length / tally->cycles + (length % tally->cycles > 0) : 0;
}

/* Room for a read of that length.  Exactly what the first reads need, which all the others do
 * nearly always; half as much again where lengths go on growing. */
static enum gv_status
reserve_cycles(struct gv_tally *tally, size_t length)
{
    struct room room = tally->room;
    size_t bins = bins_of(tally, length);
    size_t cycles = (gv_min_size(length, PANEL_CYCLES) + BLOCK - 1) / BLOCK * BLOCK;
    if (bins > room.bins) {
        room.bins = gv_max_size(bins, room.bins + room.bins / 2);
    }
    if (cycles > room.cycles) {
        size_t half_more = (room.cycles + room.cycles / 2) / BLOCK * BLOCK;
        room.cycles = gv_min_size(gv_max_size(cycles, half_more), PANEL_CYCLES);
    }
    bool is_enough = room.bins == tally->room.bins && room.cycles == tally->room.cycles;
    return is_enough ? GV_OK : set_room(tally, &room);
}

/* Gives the tile of a row a number, unless it has one. */
static enum gv_status
add_tile(struct gv_tally *tally, uint8_t lane, uint32_t tile, size_t row)
{
    size_t at = find_slot(tally, lane, tile);
    if (GV_LIKELY(tally->slots[at] > 0)) {
        return GV_OK;
    }
    if (tally->n_tiles == tally->room.tiles) {
        struct room room = tally->room;
        room.tiles *= 2;
        enum gv_status status = set_room(tally, &room);
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

/* BLOCK bytes of ones, then as many of zeros. */
static const uint8_t ones_then_zeros[2 * BLOCK] = {
#define EIGHT 255, 255, 255, 255, 255, 255, 255, 255
    EIGHT, EIGHT, EIGHT, EIGHT
#undef EIGHT
};

/* Adds those of BLOCK cycles of one read that are ones in the mask.  A byte of 0 is no base. */
static inline void
add_block(uint16_t *restrict quality, uint8_t *restrict known, uint8_t *restrict gc,
          const uint8_t *restrict bases, const uint8_t *restrict scores,
          const uint8_t *restrict mask)
{
    for (size_t i = 0; i < BLOCK; i++) {
        quality[i] = (uint16_t)(quality[i] + (scores[i] & mask[i]));
    }
    for (size_t i = 0; i < BLOCK; i++) {
        /* Capitals become small letters, and nothing else becomes one of these. */
        uint8_t letter = (bases[i] | 0x20) & mask[i];
        uint8_t is_gc = (letter == 'g') | (letter == 'c');
        uint8_t is_at = (letter == 'a') | (letter == 't') | (letter == 'u');
        gc[i] = (uint8_t)(gc[i] + is_gc);
        known[i] = (uint8_t)(known[i] + (is_gc | is_at));
    }
}

/* Adds the first n <= room.cycles cycles of one read, of which `size` bytes can be looked at. */
GV_CLONES static void
add_to_panel(const struct panel *panel, const uint8_t *bases, const uint8_t *scores, size_t n,
             size_t size)
{
    size_t i = 0;
    for (; n - i >= BLOCK; i += BLOCK) {
        add_block(panel->quality + i, panel->known + i, panel->gc + i, bases + i, scores + i,
                  ones_then_zeros);
    }
    if (i < n) {
        const uint8_t *last_bases = bases + i, *last_scores = scores + i;
        uint8_t copies[2][BLOCK];
        if (GV_UNLIKELY(size - i < BLOCK)) {
            memset(copies, 0, sizeof copies);
            last_bases = memcpy(copies[0], last_bases, n - i);
            last_scores = memcpy(copies[1], last_scores, n - i);
        }
        add_block(panel->quality + i, panel->known + i, panel->gc + i, last_bases, last_scores,
                  ones_then_zeros + (BLOCK - (n - i)));
    }
    panel->ends[n]++;
    ++*panel->reads;
    *panel->cycles = (uint32_t)gv_max_size(*panel->cycles, n);
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

/* Adds a read, of whose texts `size` bytes can be looked at. */
static void
add_read(struct gv_tally *tally, size_t tile, const uint8_t *bases, const uint8_t *scores,
         size_t length, size_t size)
{
    tally->tiles[tile].reads++;
    tally->tiles[tile].poly_g += is_poly_g(tally, bases, length);
    struct panel panel = panel_of(tally, tile);
    if (*panel.reads == PANEL_READS || length > PANEL_CYCLES) {
        flush(tally, tile, 0);
    }
    size_t first = 0;
    for (; length - first > PANEL_CYCLES; first += PANEL_CYCLES) {
        add_to_panel(&panel, bases + first, scores + first, PANEL_CYCLES, size - first);
        flush(tally, tile, first);
    }
    add_to_panel(&panel, bases + first, scores + first, length - first, size - first);
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
            current = tally->slots[find_slot(tally, lane, tile)] - 1;
        }
        size_t base = (size_t)reads->sequence_offsets[i];
        size_t score = (size_t)reads->quality_offsets[i];
        size_t length = (size_t)reads->sequence_offsets[i + 1] - base;
        size_t size = gv_min_size(reads->sequence_size - base, reads->quality_size - score);
        add_read(tally, current, reads->sequence + base, reads->quality + score, length, size);
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
        status = reserve_cycles(tally, longest);
    }
    if (status != GV_OK) {
        forget_tiles(tally, before);
        return status;
    }
    tally->longest = longest;
    tally->n_bins = bins_of(tally, longest);
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
    const struct room room = {.tiles = FIRST_TILES};
    enum gv_status status = set_room(made, &room);
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
    free_memory(tally);
    free(tally);
}

bool
gv_tally_is_valid(const struct gv_tally *tally)
{
    bool holds = tally->n_tiles <= tally->room.tiles && tally->n_bins <= tally->room.bins;
    for (size_t i = 0; holds && i < tally->n_tiles; i++) {
        const struct gv_tally_tile *tile = &tally->tiles[i];
        const struct gv_tally_sums *sums = &tile->sums;
        holds = tile->lane > 0 && tile->tile > 0 && tile->poly_g <= tile->reads &&
                sums->gc <= sums->known && sums->known <= sums->bases &&
                *panel_of(tally, i).reads <= PANEL_READS &&
                *panel_of(tally, i).cycles <= tally->room.cycles &&
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
    return &tally->bins[tile * tally->room.bins];
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
