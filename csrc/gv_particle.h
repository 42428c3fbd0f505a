/* gv_particle.h: the particle table: built row by row, then sealed.
 *
 *   init -> { reserve, write rows and text, advance }* -> seal -> (the next table)
 *
 * Columns may move at every reserve and never after seal.  A table belongs to one thread.
 */
#ifndef GV_PARTICLE_H
#define GV_PARTICLE_H

#include "gv_column.h"
#include "gv_slots.h"

/* The slot of a column; a text column's bytes stand in the slot after those of all
 * columns, its offsets in the column's own. */
#define GV_TEXT_SLOT(column) (GV_COLUMN_COUNT + ((column) - GV_COLUMN_FIRST_TEXT))

/* Owns: its slots.
 * Invariants: rows + pending <= capacity; every selected fixed column has room for capacity
 * rows, every selected text column for capacity + 1 offsets; text_used[i] <= text_capacity[i];
 * the text of rows + pending rows stands in text_used[i] bytes. */
struct gv_particles {
    struct gv_slots slots;
    gv_column_set columns;
    size_t rows;    /* rows whose every column is written */
    size_t pending; /* rows after them whose text alone is written */
    size_t capacity;
    size_t planned; /* rows that the table will have at most; 0: nobody knows */
    size_t text_used[GV_TEXT_COLUMNS];
    size_t text_capacity[GV_TEXT_COLUMNS];
    size_t text_before[GV_TEXT_COLUMNS]; /* text_used of tables before, and some more */
};

/* A sealed table.  Owns: one hold on the lease.  Borrows: the addresses, from the lease.
 * data[c] of a column that was not selected is not to be used; of a text column it holds
 * rows + 1 offsets, and text[] its bytes. */
struct gv_sealed {
    struct gv_lease *lease;
    gv_column_set columns;
    size_t rows;
    uint8_t *data[GV_COLUMN_COUNT];
    uint8_t *text[GV_TEXT_COLUMNS];
    size_t text_size[GV_TEXT_COLUMNS];
};

/* `limit`: most bytes that the columns may hold together, or GV_NO_LIMIT; `arena`: where they are
 * charged and pooled, NULL for a table that is not to be sealed. */
void gv_particles_init(struct gv_particles *table, gv_column_set columns, size_t limit,
                       struct gv_arena *arena);
void gv_particles_deinit(struct gv_particles *table);
bool gv_particles_is_valid(const struct gv_particles *table);

/* Says of an empty table how many rows it will have at most (SIZE_MAX: nobody knows), so that a
 * batch can be laid into a slab.  Should there be more, the table grows all the same. */
void gv_particles_plan(struct gv_particles *table, size_t rows);

/* Room for one more pending row whose text takes text_sizes[i] bytes in text column i (0 for a
 * column that is not selected).  GV_MEMORY_LIMIT exactly when the columns with that row would
 * hold more bytes than the limit; else it fails as gv_slots_claim() does.  On failure the rows are
 * as before. */
GV_NODISCARD enum gv_status gv_particles_reserve(struct gv_particles *table,
                                                 const size_t text_sizes[GV_TEXT_COLUMNS]);

/* Room for rows without text: how many of `wanted` more pending rows there is room for.  0
 * says no more than that gv_particles_reserve() knows why. */
size_t gv_particles_room(struct gv_particles *table, size_t wanted);

/* Makes n rows pending, for which there is room; the table has no text columns. */
void gv_particles_push(struct gv_particles *table, size_t n);

/* Adds all rows of `from`, a table of the same columns, after the rows of `table`; neither has
 * pending rows.  False, and nothing changed, where there is no room. */
bool gv_particles_append(struct gv_particles *table, const struct gv_particles *from);

/* Forgets all rows; the memory stays for the next ones. */
void gv_particles_clear(struct gv_particles *table);

/* Writes the text of the next pending row, for which room was reserved, and makes it pending. */
void gv_particles_push_text(struct gv_particles *table, const uint8_t *const texts[GV_TEXT_COLUMNS],
                            const size_t text_sizes[GV_TEXT_COLUMNS]);

/* Forgets the last n pending rows. */
void gv_particles_drop(struct gv_particles *table, size_t n);

/* Where pending row 0 of a fixed column is to be written, NULL where it is not selected.  Valid
 * until: the next reserve or seal. */
void *gv_particles_pending(const struct gv_particles *table, enum gv_column column);

/* The first row of a selected fixed column.  Valid until: the next reserve or seal. */
void *gv_particles_rows(const struct gv_particles *table, enum gv_column column);

/* Makes all pending rows rows: their fixed columns are written. */
void gv_particles_advance(struct gv_particles *table);

/* Seals the rows (there must be none pending) and begins an empty table.  On GV_NO_MEMORY, or
 * GV_MEMORY_LIMIT where the one offset of an empty text column is too much, nothing changed. */
GV_NODISCARD enum gv_status gv_particles_seal(struct gv_particles *table, struct gv_sealed *sealed);

#endif
