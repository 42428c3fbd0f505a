/* gv_pipeline.h: the reader: bytes in, particle columns out.
 *
 *   source -> inflate -> lines -> record -> measure -> appearance, layout -> columns
 *
 * One reader goes through any number of sources, one after another, with one running ordinal.
 *
 *   new -> { open -> advance* -> close } * -> free,   with seal wherever a table is wanted
 *
 * Large plain and BGZF files, and memory, are read by several threads (gv_slices.h), and plain
 * files are looked at in place where the system lets them (gv_mapping.h); what comes out is the
 * same, bit for bit and in order.  A reader belongs to one caller at a time.  Nothing is allocated
 * per record: the text buffer, the block of measures and the table are reused.
 */
#ifndef GV_PIPELINE_H
#define GV_PIPELINE_H

#include "gv_builder.h"
#include "gv_inflate.h"
#include "gv_slices.h"

/* What to read and how; all of it fixed before the first record. */
struct gv_reader_options {
    struct gv_builder_options build;
    const struct gv_inflate_engine *engine; /* NULL: no compressed input */
    unsigned threads;     /* that may read plain and BGZF files, the caller's among them; 0: as many
                             as there are processors for this process that the crew leaves free */
    struct gv_crew *crew; /* of all readers whose `threads` is 0; may be NULL */
    struct gv_fastq_place begin; /* of the first source, if it is the rest of a text: line > 0 */
    uint64_t first_ordinal;      /* of the first record */
};

/* What has been read so far, over all sources. */
struct gv_reader_stats {
    uint64_t reads;              /* records */
    uint64_t skipped;            /* of them passed over because of a fault */
    uint64_t kept;               /* records that became particles */
    struct gv_block_sums sums;   /* over those kept */
    uint64_t unplaced;           /* of them without a place; counted where position is a column */
    uint64_t bytes_in;           /* read from the sources */
    uint64_t text_bytes;         /* after decompression */
    uint64_t sources;            /* begun */
    uint64_t missing_end_blocks; /* BGZF sources that ended without their end block */
    bool wrapped;                /* some source had wrapped records */
    uint64_t in_place;           /* bytes of the text that were looked at in mapped files */
};

struct gv_reader;

GV_NODISCARD enum gv_status gv_reader_new(const struct gv_reader_options *options,
                                          struct gv_reader **reader);
void gv_reader_free(struct gv_reader *reader);

/* Begins a source, which the reader owns from now on; the one before must be closed. */
void gv_reader_open(struct gv_reader *reader, struct gv_source source);

/* Closes the source at hand, if there is one. */
void gv_reader_close(struct gv_reader *reader);

/* What is told of a record that was looked at.  `sequence` is NULL where the header alone is told;
 * all of it is borrowed, for this call. */
typedef void (*gv_look_fn)(void *context, const uint8_t *name, size_t name_size,
                           const uint8_t *sequence, size_t length);

/* Looks at the first records of the source just opened, of which nothing has been read yet, and
 * tells of each: up to `most_records`, as far as they lie in the first `most_text` bytes of text,
 * are of four lines and sound.  Of a first record that is not, its header alone is told, if that is
 * there; if it has none, it is passed over, for whoever skips it.  They are still to be read.
 *
 *   GV_OK           so it is; perhaps none was told of
 *   GV_END          the source holds nothing but line ends
 *   GV_INTERRUPTED  a signal came: look at it and begin again
 *   GV_NO_MEMORY    for the text */
GV_NODISCARD enum gv_status gv_reader_look(struct gv_reader *reader, size_t most_records,
                                           size_t most_text, gv_look_fn tell, void *context,
                                           struct gv_error *error);

/* Settles, before the first record was read, where particles stand and whose names are read,
 * instead of what the options said. */
void gv_reader_settle(struct gv_reader *reader, const struct gv_placing *placing);

/* Reads on until the table holds `most_rows` rows or about `most_text` bytes of text were read.
 *
 *   GV_OK           so it is; call again for more
 *   GV_END          the source is over, whole: close it
 *   GV_INTERRUPTED  a signal came: look at it and call again
 *   else            a fault, said in *error; the rows before it are in the table, and the source
 *                   cannot be read on: close it
 *
 * Faults that gv_status_is_memory() are told as gv_builder_take() tells them.  Nothing is lost over
 * one: the same call may be made again when there is more room, and meets the same fault where that
 * cannot be.
 */
GV_NODISCARD enum gv_status gv_reader_advance(struct gv_reader *reader, size_t most_rows,
                                              size_t most_text, struct gv_error *error);

/* After a fault of a record (gv_fastq_is_of_record()): passes over it to the next sound record,
 * from which gv_reader_advance() reads on.  It counts as one record.  The rest of the source is
 * read by one thread, which does not look at it in place.
 *
 *   GV_OK           so it is, or the source has no sound record any more
 *   GV_INTERRUPTED  a signal came: look at it and call again
 *   else            a fault, said in *error, as gv_reader_advance() tells it: close the source */
GV_NODISCARD enum gv_status gv_reader_skip(struct gv_reader *reader, struct gv_error *error);

/* Where the source at hand is read on for good: a reader of the text from there, told so by its
 * options, goes on as this one would.  While a record at fault is being skipped it is that one's
 * beginning. */
struct gv_fastq_place gv_reader_place(const struct gv_reader *reader);

/* Rows in the table being built. */
size_t gv_reader_rows(const struct gv_reader *reader);

/* Seals the table and begins the next one; fails as gv_particles_seal() does. */
GV_NODISCARD enum gv_status gv_reader_seal(struct gv_reader *reader, struct gv_sealed *sealed,
                                           struct gv_error *error);

struct gv_reader_stats gv_reader_stats(const struct gv_reader *reader);

/* Of the source at hand: its format (GV_INPUT_UNKNOWN before its first bytes), its size in bytes
 * (0 where unknown) and how many of them were read. */
enum gv_input_format gv_reader_format(const struct gv_reader *reader);
uint64_t gv_reader_source_size(const struct gv_reader *reader);
uint64_t gv_reader_source_read(const struct gv_reader *reader);

#endif
