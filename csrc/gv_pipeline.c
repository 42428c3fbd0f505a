#include "gv_pipeline.h"

#include <stdlib.h>

/* The text buffer: chunks of this size stay in a second-level cache; a longer record grows it. */
#define TEXT_BUFFER ((size_t)256 << 10)

/* Owns: source, inflater, builder, text.
 * Invariants: begin <= end <= capacity; the text [begin, end) was read and not yet parsed. */
struct gv_reader {
    struct gv_reader_options options;
    struct gv_reader_stats stats; /* of the sources closed */

    bool is_open;
    bool at_end; /* the source gave its last byte into the text */
    struct gv_source source;
    struct gv_inflater inflater;
    struct gv_fastq parser;

    uint8_t *text;
    size_t begin, end, capacity;
    size_t wanted; /* bytes to hold before parsing is worth another try */

    struct gv_builder builder;
};

/* inline: assertions alone use it, and a release build has none. */
static inline bool
reader_is_valid(const struct gv_reader *reader)
{
    return reader->begin <= reader->end && reader->end <= reader->capacity &&
           gv_builder_is_valid(&reader->builder);
}

enum gv_status
gv_reader_new(const struct gv_reader_options *options, struct gv_reader **reader)
{
    struct gv_reader *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    made->options = *options;
    made->source.fd = -1;
    gv_builder_init(&made->builder, &options->build);
    *reader = made;
    return GV_OK;
}

void
gv_reader_free(struct gv_reader *reader)
{
    if (reader != NULL) {
        gv_reader_close(reader);
        gv_builder_deinit(&reader->builder);
        free(reader->text);
        free(reader);
    }
}

void
gv_reader_open(struct gv_reader *reader, struct gv_source source)
{
    assert(!reader->is_open);
    const struct gv_builder_options *build = &reader->options.build;
    reader->source = source;
    gv_inflater_init(&reader->inflater, &reader->source, reader->options.engine);
    gv_fastq_init(&reader->parser, build->ops, build->zero, build->alphabet,
                  build->max_record_bytes);
    reader->begin = reader->end = 0;
    reader->wanted = 1;
    reader->at_end = false;
    reader->is_open = true;
    reader->stats.sources++;
}

/* What the source at hand adds to the counts of those before it. */
static void
count_source(const struct gv_reader *reader, struct gv_reader_stats *stats)
{
    stats->bytes_in += reader->source.bytes_read;
    stats->text_bytes += reader->inflater.text_bytes;
    stats->wrapped |= reader->parser.wrapped;
    stats->missing_end_blocks += reader->at_end && gv_inflater_misses_end_block(&reader->inflater);
}

void
gv_reader_close(struct gv_reader *reader)
{
    if (!reader->is_open) {
        return;
    }
    count_source(reader, &reader->stats);
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
    size_t at_hand = text_left(reader), most = reader->options.build.max_record_bytes;
    reader->wanted = gv_min_size(gv_max_size(2 * at_hand, 1), most + 1);
    /* With more than the cap at hand the parser decides; blank lines alone are passed over. */
    reader->wanted = gv_max_size(reader->wanted, at_hand + 1);
}

/* Parses the text at hand, some `most_text` bytes of it. */
static enum gv_status
parse_text(struct gv_reader *reader, size_t most_rows, size_t *most_text, struct gv_error *error)
{
    size_t used;
    enum gv_status status =
        gv_builder_take(&reader->builder, &reader->parser, reader->text + reader->begin,
                        text_left(reader), reader->at_end, most_rows, *most_text, &used, error);
    reader->begin += used;
    *most_text -= gv_min_size(used, *most_text);
    return status;
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
    gv_builder_flush(&reader->builder);
    assert(reader_is_valid(reader));
    return status;
}

size_t
gv_reader_rows(const struct gv_reader *reader)
{
    return gv_builder_rows(&reader->builder);
}

enum gv_status
gv_reader_seal(struct gv_reader *reader, struct gv_sealed *sealed, struct gv_error *error)
{
    return gv_builder_seal(&reader->builder, sealed, error);
}

struct gv_reader_stats
gv_reader_stats(const struct gv_reader *reader)
{
    const struct gv_builder *builder = &reader->builder;
    struct gv_reader_stats stats = reader->stats;
    if (reader->is_open) {
        count_source(reader, &stats);
    }
    stats.reads = builder->reads;
    stats.kept = builder->kept;
    stats.unplaced = builder->unplaced;
    stats.sums = builder->sums;
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
