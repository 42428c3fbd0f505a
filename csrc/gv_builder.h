/* gv_builder.h: from text to columns: records into a block of measures, blocks into the table.
 *
 *   text -> records -> block (in L1) -> derived, appearance, layout -> columns of the table
 *
 * Nothing is allocated per record.  A builder belongs to one thread at a time.
 */
#ifndef GV_BUILDER_H
#define GV_BUILDER_H

#include "gv_fastq.h"
#include "gv_layout.h"
#include "gv_particle.h"

/* The least and the greatest cap on a record's bytes. */
#define GV_RECORD_CAP_LEAST ((size_t)16)
#define GV_RECORD_CAP_MOST ((size_t)1 << 40)

/* What to make of records; fixed before the first one. */
struct gv_builder_options {
    const struct gv_scan_ops *ops;
    struct gv_placing placing;
    bool is_strict; /* a record without a place, or a name without what is read from it, is a fault
                     */
    gv_column_set columns;
    double min_quality;       /* reads with a lower mean Phred are left out */
    double min_error_quality; /* and reads whose mean error probability has a lower score */
    uint8_t zero;             /* GV_PHRED33_ZERO or GV_PHRED64_ZERO */
    enum gv_alphabet alphabet;
    size_t max_record_bytes; /* GV_RECORD_CAP_LEAST..GV_RECORD_CAP_MOST */
    size_t memory_limit;     /* bytes of columns in one table, or GV_NO_LIMIT */
    struct gv_arena *arena;  /* where columns are charged and pooled; NULL for scratch */
};

/* The pool that buffers for text come from; NULL without an arena.  They are the process's,
 * whatever the arena, and are not charged. */
struct gv_pool *gv_builder_buffers(const struct gv_builder_options *options);

/* Owns: the table.  Borrows: what the options point to.
 * Invariant: table.pending == block.rows. */
struct gv_builder {
    struct gv_builder_options options;
    double error_table[94]; /* filled where error_quality is a column */
    struct gv_names_reader names;
    bool reads_names;          /* for places or columns */
    bool checks;               /* places or names may be faults */
    uint32_t source;           /* the number of the source at hand, from 0 */
    uint64_t first;            /* ordinal of the first record; set after init */
    uint64_t reads;            /* records seen */
    uint64_t skipped;          /* of them passed over because of a fault */
    uint64_t kept;             /* rows made */
    uint64_t unplaced;         /* of them without a place; counted where position is a column */
    struct gv_block_sums sums; /* over the rows made */
    struct gv_block block;
    struct gv_particles table;
};

void gv_builder_init(struct gv_builder *builder, const struct gv_builder_options *options);
void gv_builder_deinit(struct gv_builder *builder);
bool gv_builder_is_valid(const struct gv_builder *builder);

/* Rows in the table, those of the block at hand among them. */
static inline size_t
gv_builder_rows(const struct gv_builder *builder)
{
    return builder->table.rows + builder->block.rows;
}

/* Takes records from text[0, size) until the table holds most_rows rows, most_text bytes were
 * used (or a block of records more), the text is used up, or something is met.  `parser` stands at
 * text[0]; both move on, past *used bytes.
 *
 *   GV_OK         at most_rows or most_text
 *   GV_END        at_end, and no record is left
 *   GV_NEED_MORE  the text ends inside a record
 *   else          a fault, said in *error; the rows before it are in the table
 *
 * Of faults that gv_status_is_memory(), error->detail is the number of rows that fitted and
 * error->expected the limit or the capacity that would be passed; line, record and offset are those
 * of the first read that did not. */
GV_NODISCARD enum gv_status gv_builder_take(struct gv_builder *builder, struct gv_fastq *parser,
                                            uint8_t *text, size_t size, bool at_end,
                                            size_t most_rows, size_t most_text, size_t *used,
                                            struct gv_error *error);

/* Settles, before the first record, where particles stand and whose names are read. */
void gv_builder_settle(struct gv_builder *builder, const struct gv_placing *placing);

/* Brings the rows of the block into the table. */
void gv_builder_flush(struct gv_builder *builder);

/* Adds the rows and the counts of `from`, flushed, which read on where `builder` stands, as if
 * `builder` had taken its records itself.  False, and nothing changed, where there is no room.
 * Only for layouts that do not place by ordinal. */
bool gv_builder_append(struct gv_builder *builder, const struct gv_builder *from);

/* To an empty table and no counts; the memory stays, and what was settled. */
void gv_builder_clear(struct gv_builder *builder);

/* Seals the flushed table and begins the next one; fails as gv_particles_seal() does. */
GV_NODISCARD enum gv_status gv_builder_seal(struct gv_builder *builder, struct gv_sealed *sealed,
                                            struct gv_error *error);

#endif
