#include "gv_pipeline.h"

#include <stdlib.h>

#include "gv_appearance.h"

/* The text buffer: chunks of this size stay in a second-level cache; a longer record grows it. */
#define TEXT_BUFFER ((size_t)256 << 10)

/* Owns: source, inflater, table, text.
 * Invariants: begin <= end <= capacity; the text [begin, end) was read and not yet parsed;
 * table.pending == block.rows. */
struct gv_reader {
    struct gv_reader_options options;
    double error_table[94];
    struct gv_reader_stats stats;

    bool is_open;
    bool at_end; /* the source gave its last byte into the text */
    struct gv_source source;
    struct gv_inflater inflater;
    struct gv_fastq parser;

    uint8_t *text;
    size_t begin, end, capacity;
    size_t wanted; /* bytes to hold before parsing is worth another try */

    struct gv_block block;
    struct gv_particles table;
};

/* inline: assertions alone use it, and a release build has none. */
static inline bool
reader_is_valid(const struct gv_reader *reader)
{
    return reader->begin <= reader->end && reader->end <= reader->capacity &&
           reader->table.pending == reader->block.rows && gv_particles_is_valid(&reader->table);
}

enum gv_status
gv_reader_new(const struct gv_reader_options *options, struct gv_reader **reader)
{
    assert(options->max_record_bytes >= GV_RECORD_CAP_LEAST &&
           options->max_record_bytes <= GV_RECORD_CAP_MOST);
    struct gv_reader *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    made->options = *options;
    made->source.fd = -1;
    gv_scan_error_table(made->error_table);
    gv_particles_init(&made->table, options->columns, options->memory_limit);
    *reader = made;
    return GV_OK;
}

void
gv_reader_free(struct gv_reader *reader)
{
    if (reader != NULL) {
        gv_reader_close(reader);
        gv_particles_deinit(&reader->table);
        free(reader->text);
        free(reader);
    }
}

void
gv_reader_open(struct gv_reader *reader, struct gv_source source)
{
    assert(!reader->is_open);
    const struct gv_reader_options *options = &reader->options;
    reader->source = source;
    gv_inflater_init(&reader->inflater, &reader->source, options->engine);
    gv_fastq_init(&reader->parser, options->ops, options->zero, options->alphabet,
                  options->max_record_bytes);
    reader->begin = reader->end = 0;
    reader->wanted = 1;
    reader->at_end = false;
    reader->is_open = true;
    reader->stats.sources++;
}

void
gv_reader_close(struct gv_reader *reader)
{
    if (!reader->is_open) {
        return;
    }
    reader->stats = gv_reader_stats(reader);
    gv_inflater_deinit(&reader->inflater);
    gv_source_close(&reader->source);
    reader->is_open = false;
}

/* ---------------------------------------------------------------------------------------------
 * Text
 * ------------------------------------------------------------------------------------------ */

static size_t
text_left(const struct gv_reader *reader)
{
    return reader->end - reader->begin;
}

/* Makes room for `size` bytes of text in all, what is not yet parsed at the front. */
static enum gv_status
make_room(struct gv_reader *reader, size_t size)
{
    if (reader->begin > 0) {
        memmove(reader->text, reader->text + reader->begin, text_left(reader));
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    if (size > reader->capacity) {
        uint8_t *grown = realloc(reader->text, size);
        if (grown == NULL) {
            return GV_NO_MEMORY;
        }
        reader->text = grown;
        reader->capacity = size;
    }
    return GV_OK;
}

/* Reads until reader->wanted bytes of text are held, or the source ends. */
static enum gv_status
fill(struct gv_reader *reader, struct gv_error *error)
{
    size_t capacity = gv_max_size(TEXT_BUFFER, reader->wanted);
    if (reader->text == NULL && reader->source.memory != NULL &&
        reader->source.size < TEXT_BUFFER) {
        /* For a few reads handed over in memory, a large buffer would cost more than they do. */
        capacity = (size_t)reader->source.size + 1;
    }
    enum gv_status status = make_room(reader, gv_max_size(capacity, reader->capacity));
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
    }
    while (!reader->at_end && text_left(reader) < reader->wanted) {
        size_t got = 0;
        status = gv_inflater_read(&reader->inflater, reader->text + reader->end,
                                  reader->capacity - reader->end, &got, error);
        if (status != GV_OK) {
            return status;
        }
        reader->end += got;
        reader->at_end = got == 0;
    }
    reader->wanted = 0;
    return GV_OK;
}

/* The parser needs more than is held.  It scans a record anew with each try, so the next try
 * waits for twice the text: all tries together cost no more than two scans of the record. */
static void
want_more(struct gv_reader *reader)
{
    size_t at_hand = text_left(reader), most = reader->options.max_record_bytes;
    reader->wanted = gv_min_size(gv_max_size(2 * at_hand, 1), most + 1);
    /* With more than the cap at hand the parser decides; blank lines alone are passed over. */
    reader->wanted = gv_max_size(reader->wanted, at_hand + 1);
}

/* ---------------------------------------------------------------------------------------------
 * Records into blocks, blocks into columns
 * ------------------------------------------------------------------------------------------ */

static void
write_rounded(struct gv_particles *table, enum gv_column column, const double *values, size_t rows)
{
    float *out = gv_particles_pending(table, column);
    for (size_t i = 0; out != NULL && i < rows; i++) {
        out[i] = (float)values[i];
    }
}

/* Computes what follows from the measures, while they are in L1, and writes the block's rows to
 * the columns that are wanted. */
static void
flush_block(struct gv_reader *reader)
{
    struct gv_block *block = &reader->block;
    struct gv_particles *table = &reader->table;
    size_t rows = block->rows;
    if (rows == 0) {
        return;
    }
    gv_block_derive(block);
    void *out = gv_particles_pending(table, GV_COLUMN_POSITION);
    if (out != NULL) {
        reader->stats.unplaced += reader->options.layout->place(block, out);
    }
    out = gv_particles_pending(table, GV_COLUMN_COLOR);
    if (out != NULL) {
        gv_appearance_color(block->gc, rows, out);
    }
    out = gv_particles_pending(table, GV_COLUMN_SIZE);
    if (out != NULL) {
        gv_appearance_size(block->quality, rows, out);
    }
    out = gv_particles_pending(table, GV_COLUMN_METADATA);
    if (out != NULL) {
        memcpy(out, block->ordinal, rows * sizeof block->ordinal[0]);
    }
    out = gv_particles_pending(table, GV_COLUMN_LENGTH);
    if (out != NULL) {
        memcpy(out, block->length, rows * sizeof block->length[0]);
    }
    write_rounded(table, GV_COLUMN_GC, block->gc, rows);
    write_rounded(table, GV_COLUMN_QUALITY, block->quality, rows);
    out = gv_particles_pending(table, GV_COLUMN_ERROR_QUALITY);
    if (out != NULL) {
        gv_block_error_quality(block, out);
    }
    gv_particles_advance(table);
    block->rows = 0;
}

/* One record more in the block, and its text in the table. */
static enum gv_status
push_record(struct gv_reader *reader, const struct gv_record *record)
{
    const struct gv_reader_options *options = &reader->options;
    struct gv_particles *table = &reader->table;
    struct gv_block *block = &reader->block;
    const uint8_t *const texts[GV_TEXT_COLUMNS] = {record->name, record->sequence,
                                                   record->qualities};
    const size_t sizes[GV_TEXT_COLUMNS] = {
        options->columns & GV_COLUMN_BIT(GV_COLUMN_NAME) ? record->name_size : 0,
        options->columns & GV_COLUMN_BIT(GV_COLUMN_SEQUENCE) ? record->length : 0,
        options->columns & GV_COLUMN_BIT(GV_COLUMN_QUALITIES) ? record->length : 0,
    };
    enum gv_status status = gv_particles_reserve(table, sizes);
    if (status != GV_OK) {
        return status;
    }
    gv_particles_push_text(table, texts, sizes);
    size_t row = block->rows++;
    block->ordinal[row] = reader->stats.reads;
    block->phred_sum[row] = record->phred_sum;
    block->length[row] = (uint32_t)record->length;
    block->a[row] = (uint32_t)record->bases.a;
    block->c[row] = (uint32_t)record->bases.c;
    block->g[row] = (uint32_t)record->bases.g;
    block->t[row] = (uint32_t)record->bases.t;
    if (options->columns & GV_COLUMN_BIT(GV_COLUMN_ERROR_QUALITY)) {
        block->error_sum[row] = options->ops->error(record->qualities, record->length,
                                                    options->zero, reader->error_table);
    }
    return GV_OK;
}

static void
count_kept(struct gv_reader_stats *stats, const struct gv_record *record)
{
    uint64_t gc = record->bases.g + record->bases.c;
    stats->kept++;
    stats->bases += record->length;
    stats->gc_bases += gc;
    stats->known_bases += gc + record->bases.a + record->bases.t;
    stats->phred_sum += record->phred_sum;
}

static enum gv_status
no_room(const struct gv_reader *reader, enum gv_status status, struct gv_error *error)
{
    *error = (struct gv_error){
        .status = status,
        .detail = (int64_t)gv_reader_rows(reader),
        .expected = (int64_t)reader->options.memory_limit,
    };
    return status;
}

static enum gv_status
take_record(struct gv_reader *reader, const struct gv_record *record, struct gv_error *error)
{
    double quality = gv_mean_quality(record->phred_sum, record->length);
    /* The mean of an empty read is NaN, which no threshold above zero lets pass. */
    double least = reader->options.min_quality;
    if (least <= 0.0 || quality >= least) {
        enum gv_status status = push_record(reader, record);
        if (status != GV_OK) {
            return no_room(reader, status, error);
        }
        count_kept(&reader->stats, record);
        if (reader->block.rows == GV_BLOCK_ROWS) {
            flush_block(reader);
        }
    }
    reader->stats.reads++;
    return GV_OK;
}

/* Parses the text at hand.  GV_NEED_MORE, GV_END, GV_OK at the bounds, or a fault. */
static enum gv_status
parse_text(struct gv_reader *reader, size_t most_rows, size_t *most_text, struct gv_error *error)
{
    struct gv_record record;
    size_t used;
    while (gv_reader_rows(reader) < most_rows && *most_text > 0) {
        enum gv_status status =
            gv_fastq_next(&reader->parser, reader->text + reader->begin, text_left(reader),
                          reader->at_end, &record, &used, error);
        if (GV_LIKELY(status == GV_OK)) {
            status = take_record(reader, &record, error);
            if (status != GV_OK) {
                error->line = record.line;
                error->record = reader->parser.record - 1;
                error->offset = reader->parser.offset - used;
                return status;
            }
        }
        reader->begin += used;
        *most_text -= gv_min_size(used, *most_text);
        if (GV_UNLIKELY(status != GV_OK) && (status != GV_NEED_MORE || used == 0)) {
            return status;
        }
    }
    return GV_OK;
}

enum gv_status
gv_reader_advance(struct gv_reader *reader, size_t most_rows, size_t most_text,
                  struct gv_error *error)
{
    assert(reader->is_open);
    enum gv_status status = GV_OK;
    while (status == GV_OK && gv_reader_rows(reader) < most_rows && most_text > 0) {
        if (text_left(reader) < reader->wanted && !reader->at_end) {
            status = fill(reader, error);
            continue;
        }
        status = parse_text(reader, most_rows, &most_text, error);
        if (status == GV_NEED_MORE) {
            assert(!reader->at_end);
            want_more(reader);
            status = GV_OK;
        }
    }
    flush_block(reader);
    assert(reader_is_valid(reader));
    return status;
}

size_t
gv_reader_rows(const struct gv_reader *reader)
{
    return reader->table.rows + reader->block.rows;
}

enum gv_status
gv_reader_seal(struct gv_reader *reader, struct gv_sealed *sealed, struct gv_error *error)
{
    enum gv_status status = gv_particles_seal(&reader->table, sealed);
    return status == GV_OK ? status : no_room(reader, status, error);
}

struct gv_reader_stats
gv_reader_stats(const struct gv_reader *reader)
{
    struct gv_reader_stats stats = reader->stats;
    if (reader->is_open) {
        stats.bytes_in += reader->source.bytes_read;
        stats.text_bytes += reader->inflater.text_bytes;
        stats.wrapped |= reader->parser.wrapped;
        stats.missing_end_blocks +=
            reader->at_end && gv_inflater_misses_end_block(&reader->inflater);
    }
    return stats;
}

enum gv_input_format
gv_reader_format(const struct gv_reader *reader)
{
    return reader->inflater.format;
}

uint64_t
gv_reader_source_size(const struct gv_reader *reader)
{
    return reader->source.size;
}

uint64_t
gv_reader_source_read(const struct gv_reader *reader)
{
    return reader->source.bytes_read;
}
