#include "gv_particle.h"

_Static_assert(GV_COLUMN_COUNT + GV_TEXT_COLUMNS <= GV_SLOTS, "a slot per column");

/* Rows and text bytes claimed at least beyond the row that is needed, so that memory is asked for
 * once for many records. */
#define ROWS_AHEAD ((size_t)256)
#define TEXT_AHEAD ((size_t)64 << 10)

void
gv_particles_init(struct gv_particles *table, gv_column_set columns, size_t limit,
                  struct gv_arena *arena)
{
    *table = (struct gv_particles){.columns = columns};
    gv_slots_init(&table->slots, limit, arena);
}

void
gv_particles_deinit(struct gv_particles *table)
{
    gv_slots_deinit(&table->slots);
    *table = (struct gv_particles){0};
}

static bool
is_selected(const struct gv_particles *table, unsigned column)
{
    return (table->columns & GV_COLUMN_BIT(column)) != 0;
}

bool
gv_particles_is_valid(const struct gv_particles *table)
{
    if (table->rows > table->capacity || table->pending > table->capacity - table->rows) {
        return false;
    }
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        if (table->text_used[i] > table->text_capacity[i]) {
            return false;
        }
    }
    return gv_slots_is_valid(&table->slots);
}

/* The bytes that each slot holds for `rows` rows with text of those sizes; false on overflow. */
static bool
slot_sizes(const struct gv_particles *table, size_t rows, const size_t text[GV_TEXT_COLUMNS],
           size_t sizes[GV_SLOTS])
{
    memset(sizes, 0, GV_SLOTS * sizeof *sizes);
    for (unsigned column = 0; column < GV_COLUMN_COUNT; column++) {
        if (!is_selected(table, column)) {
            continue;
        }
        bool fits;
        if (column < GV_COLUMN_FIRST_TEXT) {
            fits = gv_mul_size(rows, gv_column_spec(column)->row_bytes, &sizes[column]);
        } else {
            fits = rows < SIZE_MAX && gv_mul_size(rows + 1, sizeof(int64_t), &sizes[column]);
            sizes[GV_TEXT_SLOT(column)] = text[column - GV_COLUMN_FIRST_TEXT];
        }
        if (!fits) {
            return false;
        }
    }
    return true;
}

typedef enum gv_status (*claim_fn)(struct gv_slots *slots, const size_t sizes[GV_SLOTS]);

/* Claims memory for exactly that many rows and bytes of text. */
static enum gv_status
claim(struct gv_particles *table, claim_fn claim_slots, size_t rows,
      const size_t text[GV_TEXT_COLUMNS])
{
    size_t sizes[GV_SLOTS];
    if (!slot_sizes(table, rows, text, sizes)) {
        return GV_NO_MEMORY;
    }
    enum gv_status status = claim_slots(&table->slots, sizes);
    if (status == GV_OK) {
        table->capacity = rows;
        memcpy(table->text_capacity, text, sizeof table->text_capacity);
    }
    return status;
}

/* A batch larger than this grows like any other result: its slab would be kept idle whole. */
#define SLAB_MOST ((size_t)64 << 20)

void
gv_particles_plan(struct gv_particles *table, size_t rows)
{
    const struct gv_slots *slots = &table->slots;
    table->planned =
        slots->arena != NULL && slots->limit == GV_NO_LIMIT && rows <= SLAB_MOST ? rows : 0;
}

/* Lays the columns of an empty table that is planned into a slab, with room beside it for as much
 * text as the batch before had. */
static bool
lay(struct gv_particles *table)
{
    static const size_t no_text[GV_TEXT_COLUMNS] = {0};
    size_t sizes[GV_SLOTS], total = 0;
    assert(table->capacity == 0);
    /* A refused seal of no rows leaves its claim. */
    if (table->planned == 0 || table->slots.claimed_total > 0 ||
        !slot_sizes(table, table->planned, no_text, sizes)) {
        return false;
    }
    for (unsigned i = 0; i < GV_SLOTS; i++) {
        total += sizes[i];
    }
    if (total == 0 || total > SLAB_MOST ||
        gv_slots_lay(&table->slots, GV_POOL_PARTICLES, sizes) != GV_OK) {
        table->planned = 0;
        return false;
    }
    table->capacity = table->planned;
    (void)claim(table, gv_slots_try_claim, table->planned, table->text_before);
    return true;
}

/* Claims the rows and text needed, and beyond them one part in `divisor` (so that the number of
 * growths is logarithmic) and a fixed number of each. */
static enum gv_status
claim_ahead(struct gv_particles *table, size_t rows, const size_t text[GV_TEXT_COLUMNS],
            size_t divisor)
{
    size_t ahead[GV_TEXT_COLUMNS] = {0};
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        if (is_selected(table, GV_COLUMN_FIRST_TEXT + i) &&
            !gv_add_size(text[i], text[i] / divisor + TEXT_AHEAD, &ahead[i])) {
            return GV_NO_MEMORY;
        }
    }
    /* Where text alone has outgrown its room, the rows keep theirs. */
    size_t wanted = rows + rows / divisor + ROWS_AHEAD;
    return claim(table, gv_slots_try_claim, rows <= table->capacity ? table->capacity : wanted,
                 ahead);
}

enum gv_status
gv_particles_reserve(struct gv_particles *table, const size_t text_sizes[GV_TEXT_COLUMNS])
{
    size_t rows = table->rows + table->pending + 1;
    size_t text[GV_TEXT_COLUMNS];
    bool fits = rows <= table->capacity;
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        if (!gv_add_size(table->text_used[i], text_sizes[i], &text[i])) {
            return GV_NO_MEMORY;
        }
        fits = fits && text[i] <= table->text_capacity[i];
    }
    if (GV_LIKELY(fits)) {
        return GV_OK;
    }
    if (table->capacity == 0 && lay(table)) {
        return gv_particles_reserve(table, text_sizes);
    }
    /* Near the limit there is room for less and less ahead; whether the row itself fits must
     * not depend on that room. */
    if (claim_ahead(table, rows, text, 2) == GV_OK ||
        claim_ahead(table, rows, text, SIZE_MAX) == GV_OK) {
        return GV_OK;
    }
    return claim(table, gv_slots_claim, rows, text);
}

size_t
gv_particles_room(struct gv_particles *table, size_t wanted)
{
    static const size_t no_text[GV_TEXT_COLUMNS] = {0};
    assert(wanted <= ROWS_AHEAD);
    size_t rows = table->rows + table->pending;
    if (table->capacity == 0) {
        (void)lay(table);
    }
    if (table->capacity == rows && wanted > 0 &&
        claim_ahead(table, rows + 1, no_text, 2) != GV_OK) {
        (void)claim_ahead(table, rows + 1, no_text, SIZE_MAX);
    }
    return gv_min_size(table->capacity - rows, wanted);
}

void
gv_particles_push(struct gv_particles *table, size_t n)
{
    table->pending += n;
    assert(gv_particles_is_valid(table));
}

void
gv_particles_push_text(struct gv_particles *table, const uint8_t *const texts[GV_TEXT_COLUMNS],
                       const size_t text_sizes[GV_TEXT_COLUMNS])
{
    size_t row = table->rows + table->pending;
    assert(row < table->capacity);
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        unsigned column = GV_COLUMN_FIRST_TEXT + i;
        if (!is_selected(table, column)) {
            continue;
        }
        int64_t *offsets = (int64_t *)(void *)gv_slots_at(&table->slots, column);
        uint8_t *bytes = gv_slots_at(&table->slots, GV_TEXT_SLOT(column));
        if (text_sizes[i] > 0) {
            memcpy(bytes + table->text_used[i], texts[i], text_sizes[i]);
        }
        offsets[row] = (int64_t)table->text_used[i];
        table->text_used[i] += text_sizes[i];
        offsets[row + 1] = (int64_t)table->text_used[i];
    }
    table->pending++;
    assert(gv_particles_is_valid(table));
}

void
gv_particles_drop(struct gv_particles *table, size_t n)
{
    assert(n <= table->pending);
    table->pending -= n;
    for (unsigned i = 0; i < GV_TEXT_COLUMNS && n > 0; i++) {
        if (is_selected(table, GV_COLUMN_FIRST_TEXT + i)) {
            const uint8_t *slot = gv_slots_at(&table->slots, GV_COLUMN_FIRST_TEXT + i);
            const int64_t *offsets = (const int64_t *)(const void *)slot;
            table->text_used[i] = (size_t)offsets[table->rows + table->pending];
        }
    }
    assert(gv_particles_is_valid(table));
}

bool
gv_particles_append(struct gv_particles *table, const struct gv_particles *from)
{
    assert(table->columns == from->columns && table->pending == 0 && from->pending == 0);
    size_t rows = table->rows + from->rows;
    size_t text[GV_TEXT_COLUMNS];
    bool fits = rows <= table->capacity;
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        text[i] = table->text_used[i] + from->text_used[i];
        fits = fits && text[i] <= table->text_capacity[i];
    }
    if (table->capacity == 0 && lay(table)) {
        return gv_particles_append(table, from);
    }
    if (!fits && claim_ahead(table, rows, text, 2) != GV_OK &&
        claim(table, gv_slots_claim, rows, text) != GV_OK) {
        return false;
    }
    for (unsigned column = 0; column < GV_COLUMN_COUNT && from->rows > 0; column++) {
        if (!is_selected(table, column)) {
            continue;
        }
        uint8_t *to = gv_slots_at(&table->slots, column);
        const uint8_t *source = gv_slots_at(&from->slots, column);
        if (column < GV_COLUMN_FIRST_TEXT) {
            size_t row_bytes = gv_column_spec((enum gv_column)column)->row_bytes;
            memcpy(to + table->rows * row_bytes, source, from->rows * row_bytes);
            continue;
        }
        unsigned i = column - GV_COLUMN_FIRST_TEXT;
        int64_t *offsets = (int64_t *)(void *)to + table->rows;
        const int64_t *source_offsets = (const int64_t *)(const void *)source;
        for (size_t row = 0; row <= from->rows; row++) {
            offsets[row] = (int64_t)table->text_used[i] + source_offsets[row];
        }
        if (from->text_used[i] > 0) {
            memcpy(gv_slots_at(&table->slots, GV_TEXT_SLOT(column)) + table->text_used[i],
                   gv_slots_at(&from->slots, GV_TEXT_SLOT(column)), from->text_used[i]);
        }
        table->text_used[i] = text[i];
    }
    table->rows = rows;
    assert(gv_particles_is_valid(table));
    return true;
}

void
gv_particles_clear(struct gv_particles *table)
{
    table->rows = table->pending = 0;
    memset(table->text_used, 0, sizeof table->text_used);
}

void *
gv_particles_pending(const struct gv_particles *table, enum gv_column column)
{
    assert(column < GV_COLUMN_FIRST_TEXT);
    if (!is_selected(table, column)) {
        return NULL;
    }
    uint8_t *base = gv_slots_at(&table->slots, column);
    return base + table->rows * gv_column_spec(column)->row_bytes;
}

void *
gv_particles_rows(const struct gv_particles *table, enum gv_column column)
{
    assert(column < GV_COLUMN_FIRST_TEXT && is_selected(table, column));
    return gv_slots_at(&table->slots, column);
}

void
gv_particles_advance(struct gv_particles *table)
{
    table->rows += table->pending;
    table->pending = 0;
    assert(gv_particles_is_valid(table));
}

enum gv_status
gv_particles_seal(struct gv_particles *table, struct gv_sealed *sealed)
{
    assert(table->pending == 0);
    size_t sizes[GV_SLOTS];
    uint8_t *addresses[GV_SLOTS];
    bool fits = slot_sizes(table, table->rows, table->text_used, sizes);
    assert(fits); /* the claims are at least as large */
    (void)fits;
    if (table->capacity == 0) {
        /* Not one row was reserved.  A text column of 0 rows still has its first offset. */
        enum gv_status status = claim(table, gv_slots_claim, 0, table->text_used);
        if (status != GV_OK) {
            return status;
        }
    }
    if (table->rows == 0) {
        for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
            unsigned column = GV_COLUMN_FIRST_TEXT + i;
            if (is_selected(table, column)) {
                memset(gv_slots_at(&table->slots, column), 0, sizeof(int64_t));
            }
        }
    }
    struct gv_sealed made = {.columns = table->columns, .rows = table->rows};
    enum gv_status status = gv_slots_seal(&table->slots, sizes, &made.lease, addresses);
    if (status != GV_OK) {
        return status;
    }
    memcpy(made.data, addresses, sizeof made.data);
    memcpy(made.text, addresses + GV_COLUMN_COUNT, sizeof made.text);
    memcpy(made.text_size, table->text_used, sizeof made.text_size);
    *sealed = made;
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        size_t used = table->text_used[i], before = table->text_before[i];
        if (used > before || used < before / 2) {
            /* Some more, and then the same for all: batches that differ a little ask the pool for
             * one size, which it has. */
            table->text_before[i] = used + used / 8;
        }
    }
    table->rows = table->capacity = 0;
    memset(table->text_used, 0, sizeof table->text_used);
    memset(table->text_capacity, 0, sizeof table->text_capacity);
    return GV_OK;
}
