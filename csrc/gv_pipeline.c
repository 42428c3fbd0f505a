#include "gv_pipeline.h"

#include <stdlib.h>

#include "gv_os.h"

/* The text buffer: chunks of this size stay in a second-level cache; a longer record grows it. */
#define TEXT_BUFFER ((size_t)256 << 10)

/* Text read at most before signals are looked at, where no record ends. */
#define TEXT_PATIENCE ((size_t)64 << 20)

/* A source of fewer bytes is read sooner than a second thread is awake. */
#define SHARED_LEAST (4 * GV_SLICE_TEXT)

/* A file of fewer bytes is read sooner than it is mapped. */
#define MAPPED_LEAST ((uint64_t)1 << 20)

/* Text of a mapped file that is fetched and parsed before it is looked whether others wait. */
#define STRETCH ((uint64_t)2 << 20)

/* Owns: source, inflater, slices, mapping, builder, text.
 * Invariants: begin <= end <= text.capacity; the text [begin, end) was read and not yet parsed. */
struct gv_reader {
    struct gv_reader_options options;
    struct gv_reader_stats stats; /* of the sources closed */

    bool is_open;
    bool at_end;                      /* the source gave its last byte into the text */
    bool is_over;                     /* and its last record was taken */
    bool is_skipping;                 /* a record at fault is being passed over, */
    struct gv_fastq_place skips_from; /* which begins here */
    struct gv_error fault; /* met while reading; told when the text before it is parsed */
    struct gv_error stuck; /* memory was refused, and text or a record lost over it: it is told
                              again and again */
    struct gv_source source;
    struct gv_inflater inflater;
    struct gv_fastq parser;
    struct gv_slices *slices; /* NULL where one thread reads */
    unsigned crew_taken;      /* threads of the crew among those of the slices */
    bool may_share;           /* several threads have not been tried, or not in vain */
    bool may_map;             /* nor has mapping the file */
    bool is_mapped;           /* text is looked at in the mapping, by the slices if there are any */
    bool is_inside;           /* the mapping was entered */
    uint64_t fetched;         /* since then, up to this offset */
    struct gv_mapping mapping;

    struct gv_piece text;
    size_t begin, end;
    size_t wanted; /* bytes to hold before parsing is worth another try */

    struct gv_builder builder;
};

/* inline: assertions alone use it, and a release build has none. */
static inline bool
reader_is_valid(const struct gv_reader *reader)
{
    return reader->begin <= reader->end && reader->end <= reader->text.capacity &&
           gv_builder_is_valid(&reader->builder);
}

/* To the beginning of the next source. */
static void
init_parser(struct gv_reader *reader)
{
    const struct gv_reader_options *options = &reader->options;
    const struct gv_builder_options *build = &options->build;
    gv_fastq_init(&reader->parser, build->ops, build->zero, build->alphabet,
                  build->max_record_bytes);
    if (reader->stats.sources == 0 && options->begin.line > 0) {
        gv_fastq_resume(&reader->parser, &options->begin);
    }
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
    made->builder.first = options->first_ordinal;
    init_parser(made);
    *reader = made;
    return GV_OK;
}

static void
drop_text(struct gv_reader *reader)
{
    gv_pool_put(gv_builder_buffers(&reader->options.build), &reader->text, reader->text.capacity);
    reader->begin = reader->end = 0;
}

void
gv_reader_free(struct gv_reader *reader)
{
    if (reader != NULL) {
        gv_reader_close(reader);
        drop_text(reader);
        gv_builder_deinit(&reader->builder);
        free(reader);
    }
}

void
gv_reader_open(struct gv_reader *reader, struct gv_source source)
{
    assert(!reader->is_open);
    const struct gv_reader_options *options = &reader->options;
    reader->source = source;
    reader->builder.source = (uint32_t)reader->stats.sources;
    gv_inflater_init(&reader->inflater, &reader->source, options->engine);
    init_parser(reader);
    reader->begin = reader->end = 0;
    reader->wanted = 1;
    reader->at_end = reader->is_over = reader->is_skipping = false;
    reader->fault.status = reader->stuck.status = GV_OK;
    reader->may_share =
        options->threads != 1 && source.callback == NULL && source.size >= SHARED_LEAST;
    reader->may_map = source.fd >= 0 && source.size >= MAPPED_LEAST;
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
    stats->missing_end_blocks += reader->is_over && gv_inflater_misses_end_block(&reader->inflater);
}

static void
end_slices(struct gv_reader *reader)
{
    if (reader->slices != NULL) {
        gv_slices_free(reader->slices);
        reader->slices = NULL;
    }
    if (reader->crew_taken > 0) {
        gv_crew_give_back(reader->options.crew, reader->crew_taken);
        reader->crew_taken = 0;
    }
}

static void
leave_mapping(struct gv_reader *reader)
{
    if (reader->is_inside) {
        gv_mapping_leave(&reader->mapping);
        reader->is_inside = false;
    }
}

static void
end_mapping(struct gv_reader *reader)
{
    leave_mapping(reader);
    if (reader->is_mapped) {
        gv_mapping_close(&reader->mapping);
        reader->is_mapped = false;
    }
}

void
gv_reader_close(struct gv_reader *reader)
{
    if (!reader->is_open) {
        return;
    }
    count_source(reader, &reader->stats);
    end_slices(reader);
    end_mapping(reader);
    if (reader->text.capacity > TEXT_BUFFER) {
        drop_text(reader); /* one source's long records are not the next one's */
    }
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
    struct gv_piece old = reader->text;
    if (size > old.capacity) {
        struct gv_pool *pool = gv_builder_buffers(&reader->options.build);
        if (!gv_arena_get(reader->options.build.arena, GV_POOL_BUFFERS, size, &reader->text)) {
            reader->text = old;
            return GV_NO_MEMORY;
        }
        if (text_left(reader) > 0) {
            memcpy(reader->text.base, old.base + reader->begin, text_left(reader));
        }
        gv_pool_put(pool, &old, old.capacity);
    } else if (reader->begin > 0) {
        memmove(old.base, old.base + reader->begin, text_left(reader));
    }
    reader->end -= reader->begin;
    reader->begin = 0;
    return GV_OK;
}

/* Parses the text at hand, some `most_text` bytes of it. */
static enum gv_status
parse_text(struct gv_reader *reader, size_t most_rows, size_t *most_text, struct gv_error *error)
{
    size_t used;
    enum gv_status status =
        gv_builder_take(&reader->builder, &reader->parser, reader->text.base + reader->begin,
                        text_left(reader), reader->at_end, most_rows, *most_text, &used, error);
    reader->begin += used;
    *most_text -= gv_min_size(used, *most_text);
    return status;
}

/* Lets several threads read on from `offset`.  False where one is enough. */
static bool
share(struct gv_reader *reader, uint64_t offset)
{
    const struct gv_reader_options *options = &reader->options;
    unsigned threads = options->threads;
    if (threads == 0 && gv_os_address_space_is_limited()) {
        threads = 1; /* each thread's stack and heap take much of what is limited */
    } else if (threads == 0) {
        unsigned more = gv_os_cores() - 1;
        reader->crew_taken = options->crew != NULL ? gv_crew_take(options->crew, more) : 0;
        threads = 1 + (options->crew != NULL ? reader->crew_taken : more);
    }
    if (threads > 1) {
        struct gv_slices_input input = {
            .source = &reader->source,
            .mapping = reader->is_mapped ? &reader->mapping : NULL,
            .format = reader->inflater.format,
            .offset = offset,
            .number = reader->builder.source,
        };
        reader->slices = gv_slices_new(&options->build, options->engine, &input, threads);
    }
    if (reader->slices == NULL) {
        end_slices(reader);
    }
    return reader->slices != NULL;
}

/* Finds a quicker way to read on than through the inflater, once it stands between two blocks or
 * in plain text: several threads, or the file's mapping, or both.  False where there is none, for
 * now or for good. */
static bool
hurry(struct gv_reader *reader)
{
    const struct gv_inflater *inflater = &reader->inflater;
    uint64_t offset;
    bool is_plain = inflater->format == GV_INPUT_PLAIN;
    reader->may_map &= is_plain && gv_fastq_is_plain(&reader->parser);
    reader->may_share &=
        gv_fastq_is_plain(&reader->parser) &&
        !reader->options.build.placing.layout->is_by_ordinal &&
        (is_plain || (inflater->format == GV_INPUT_BGZF && !reader->options.engine->is_callback));
    if (!(reader->may_map || reader->may_share) || !gv_inflater_is_between(inflater, &offset)) {
        return false;
    }
    reader->is_mapped = reader->may_map &&
                        gv_mapping_open(&reader->mapping, reader->source.fd, reader->source.size);
    bool is_shared = reader->may_share && share(reader, offset);
    reader->may_map = reader->may_share = false;
    if (!is_shared && !reader->is_mapped) {
        return false;
    }
    /* What the inflater has fetched beyond is read again: from here on, by whichever way. */
    reader->source.bytes_read = offset;
    return true;
}

/* The inflater reads on from `offset`, behind what slices or the mapping gave. */
static enum gv_status
slow_down(struct gv_reader *reader, uint64_t offset, struct gv_error *error)
{
    struct gv_inflater *inflater = &reader->inflater;
    end_slices(reader);
    end_mapping(reader);
    enum gv_status status = gv_source_seek(&reader->source, offset, error);
    if (status == GV_OK) {
        status = gv_inflater_resume(inflater, inflater->text_bytes, inflater->members,
                                    inflater->ends_with_block);
        if (status != GV_OK) {
            (void)gv_error_set(error, status, 0);
        }
    }
    return status;
}

/* Adds text to what is to be parsed.  Where there is no room for it, it is lost, and the reader
 * stuck. */
static enum gv_status
add_text(struct gv_reader *reader, const uint8_t *text, size_t size, struct gv_error *error)
{
    enum gv_status status = make_room(reader, text_left(reader) + size);
    if (status != GV_OK) {
        (void)gv_error_set(&reader->stuck, status, 0);
        *error = reader->stuck;
        return status;
    }
    if (size > 0) {
        memcpy(reader->text.base + reader->end, text, size);
    }
    reader->end += size;
    return GV_OK;
}

/* Takes a slice over.  Its body is taken as it is if parsing what came before arrives exactly
 * there, and if its rows leave room for one more: where the table is to end with one of them, the
 * records after that one must stay unread.  Otherwise it is text like any other. */
static enum gv_status
take_slice(struct gv_reader *reader, const struct gv_slice *slice, size_t most_rows,
           size_t *most_text, struct gv_error *error)
{
    const struct gv_builder *body = slice->body;
    bool has_body = slice->body_end > slice->body_begin;
    enum gv_status status = add_text(reader, slice->text, slice->body_begin, error);
    /* What stands between two bodies is a record as a rule, less than was wanted.  More than a
     * slice of it is a long record, which is scanned when enough of it is there. */
    bool is_worth_it = text_left(reader) >= reader->wanted || text_left(reader) <= GV_SLICE_TEXT;
    if (status == GV_OK && has_body && is_worth_it) {
        status = parse_text(reader, most_rows, most_text, error);
    }
    size_t taken = slice->body_begin;
    if (status > GV_NEED_MORE) {
        /* Whoever passes over a record at fault, or tries again when there is more memory, finds
         * the next one in here. */
        struct gv_error refused;
        if (reader->stuck.status == GV_OK) {
            (void)add_text(reader, slice->text + taken, slice->size - taken, &refused);
        }
        return status;
    }
    if (has_body && text_left(reader) == 0 && gv_fastq_is_plain(&reader->parser) &&
        body->table.rows < most_rows - gv_builder_rows(&reader->builder) &&
        gv_builder_append(&reader->builder, body)) {
        taken = slice->body_end;
        gv_fastq_pass(&reader->parser, body->reads, taken - slice->body_begin);
        *most_text -= gv_min_size(taken - slice->body_begin, *most_text);
        reader->wanted = 0;
    }
    return add_text(reader, slice->text + taken, slice->size - taken, error);
}

/* Fetches the next slice and takes it over. */
static enum gv_status
read_slice(struct gv_reader *reader, size_t most_rows, size_t *most_text, struct gv_error *error)
{
    const struct gv_slice *slice;
    enum gv_status status = gv_slices_next(reader->slices, &slice);
    if (status != GV_OK) {
        return status;
    }
    struct gv_inflater *inflater = &reader->inflater;
    inflater->text_bytes += slice->size;
    inflater->members += slice->members;
    if (slice->members > 0) {
        inflater->ends_with_block = slice->ends_with_block;
    }
    reader->source.bytes_read = slice->input_end;
    reader->stats.in_place += slice->is_mapped ? slice->size : 0;
    size_t before = text_left(reader);
    status = take_slice(reader, slice, most_rows, most_text, error);
    bool is_odd = slice->is_odd || !gv_fastq_is_plain(&reader->parser);
    uint64_t input_end = slice->input_end;
    reader->at_end = slice->is_last;
    gv_slices_give_back(reader->slices);
    if (is_odd && !reader->at_end && reader->stuck.status == GV_OK) {
        /* Even after a fault: it may be passed over, or room be made, and no slice follows. */
        struct gv_error failed;
        enum gv_status slowed = slow_down(reader, input_end, &failed);
        if (slowed != GV_OK) {
            reader->fault = failed;
        }
    }
    if (status <= GV_NEED_MORE && text_left(reader) / TEXT_PATIENCE > before / TEXT_PATIENCE) {
        return GV_INTERRUPTED;
    }
    return status <= GV_NEED_MORE ? GV_OK : status;
}

/* Reads until reader->wanted bytes of text are held, or the source ends. */
static enum gv_status
fill(struct gv_reader *reader, struct gv_error *error)
{
    size_t capacity = gv_max_size(TEXT_BUFFER, reader->wanted);
    if (reader->text.base == NULL && reader->source.memory != NULL &&
        reader->source.size < TEXT_BUFFER) {
        /* For a few reads handed over in memory, a large buffer would cost more than they do. */
        capacity = (size_t)reader->source.size + 1;
    }
    enum gv_status status = make_room(reader, gv_max_size(capacity, reader->text.capacity));
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
    }
    size_t before = text_left(reader);
    while (!reader->at_end && text_left(reader) < reader->wanted) {
        /* A buffer grown for one long record is not filled for short ones. */
        size_t room = gv_max_size(TEXT_BUFFER, reader->wanted - text_left(reader));
        room = gv_min_size(room, TEXT_PATIENCE / 4);
        size_t got = 0;
        status =
            gv_inflater_read(&reader->inflater, reader->text.base + reader->end,
                             gv_min_size(room, reader->text.capacity - reader->end), &got, error);
        if (status == GV_INTERRUPTED) {
            return status;
        }
        if (status != GV_OK) {
            reader->fault = *error;
            break;
        }
        reader->end += got;
        reader->at_end = got == 0;
        if (!reader->at_end && hurry(reader)) {
            return GV_OK; /* what is wanted comes from there */
        }
        if (text_left(reader) - before > TEXT_PATIENCE && text_left(reader) < reader->wanted) {
            return GV_INTERRUPTED;
        }
    }
    reader->wanted = 0;
    return GV_OK;
}

/* A look ahead.  Borrows: all it points to. */
struct look {
    struct gv_fastq parser;
    size_t left;      /* records that may still be told of */
    size_t used;      /* bytes of the text at hand that lie behind */
    bool is_skipping; /* the first ones are at fault, and being passed over */
    gv_look_fn tell;
    void *context;
};

/* Passes over first records at fault that have no header to tell. */
static enum gv_status
look_beyond(const struct gv_reader *reader, struct look *look)
{
    struct gv_error ignored;
    size_t passed;
    enum gv_status status =
        gv_fastq_skip(&look->parser, reader->text.base + reader->begin + look->used,
                      text_left(reader) - look->used, reader->at_end, &passed, &ignored);
    look->used += passed;
    look->is_skipping = status == GV_NEED_MORE;
    return status <= GV_NEED_MORE ? status : GV_END;
}

/* Tells of the records in the text at hand, from the parser's place on.  GV_NEED_MORE where more of
 * them may follow, GV_END where there are enough, or none that can be told of. */
static enum gv_status
tell_records(const struct gv_reader *reader, struct look *look)
{
    enum gv_status status = look->is_skipping ? look_beyond(reader, look) : GV_OK;
    while (status == GV_OK && look->left > 0) {
        struct gv_record record;
        struct gv_error ignored;
        size_t taken;
        uint8_t *text = reader->text.base + reader->begin + look->used;
        size_t size = text_left(reader) - look->used;
        status =
            gv_fastq_next(&look->parser, text, size, reader->at_end, &record, &taken, &ignored);
        if (status == GV_OK) {
            look->tell(look->context, record.name, record.name_size, record.sequence,
                       record.length);
            look->used += taken;
            look->left--;
        } else if (gv_fastq_is_of_record(status) && look->used == 0 && text[0] != '@') {
            gv_fastq_skip_begin(&look->parser);
            status = look_beyond(reader, look);
        }
    }
    return status == GV_NEED_MORE ? status : GV_END;
}

/* Tells of the header that the text at hand begins with, if it is there, whole. */
static void
tell_header(const struct gv_reader *reader, gv_look_fn tell, void *context)
{
    size_t size = text_left(reader);
    const uint8_t *text = reader->text.base + reader->begin;
    const uint8_t *newline = size > 0 && text[0] == '@' ? memchr(text, '\n', size) : NULL;
    if (newline != NULL) {
        newline -= newline[-1] == '\r';
        tell(context, text + 1, (size_t)(newline - text) - 1, NULL, 0);
    }
}

/* Whether the text at hand is line ends alone, or nothing. */
static bool
is_blank(const struct gv_reader *reader)
{
    size_t at = reader->begin;
    while (at < reader->end && (reader->text.base[at] == '\n' || reader->text.base[at] == '\r')) {
        at++;
    }
    return at == reader->end;
}

enum gv_status
gv_reader_look(struct gv_reader *reader, size_t most_records, size_t most_text, gv_look_fn tell,
               void *context, struct gv_error *error)
{
    assert(reader->is_open && reader->builder.reads == 0);
    bool may_map = reader->may_map, may_share = reader->may_share;
    struct look look = {
        .parser = reader->parser,
        .left = most_records,
        .tell = tell,
        .context = context,
    };
    enum gv_status status = GV_NEED_MORE;
    look.parser.only_four_lines = true; /* none is drawn together, so nothing is written to */
    reader->may_map = reader->may_share = false;
    reader->wanted = gv_max_size(text_left(reader), 1);
    while (status == GV_NEED_MORE) {
        status = fill(reader, error);
        if (status == GV_OK) {
            status = is_blank(reader) ? GV_NEED_MORE : tell_records(reader, &look);
        }
        if (reader->at_end || reader->fault.status != GV_OK || text_left(reader) >= most_text) {
            break;
        }
        reader->wanted = gv_min_size(2 * text_left(reader), most_text);
    }
    reader->may_map = may_map;
    reader->may_share = may_share;
    reader->wanted = 1;
    if (status == GV_INTERRUPTED || status == GV_NO_MEMORY) {
        return status;
    }
    if (look.left == most_records) {
        tell_header(reader, tell, context);
    }
    bool is_whole = reader->at_end && reader->fault.status == GV_OK;
    return is_whole && is_blank(reader) ? GV_END : GV_OK;
}

void
gv_reader_settle(struct gv_reader *reader, const struct gv_placing *placing)
{
    reader->options.build.placing = *placing;
    gv_builder_settle(&reader->builder, placing);
}

/* Parses on in the file's mapping, from the first byte not yet parsed.  Whatever is not a record
 * of four lines, and the file's end, is left to those who read. */
static enum gv_status
look_on(struct gv_reader *reader, size_t most_rows, size_t *most_text, struct gv_error *error)
{
    struct gv_mapping *mapping = &reader->mapping;
    struct gv_fastq *parser = &reader->parser;
    uint64_t from = reader->source.bytes_read - text_left(reader);
    uint64_t until = (from + gv_max_size(reader->wanted, 1) + STRETCH - 1) / STRETCH * STRETCH;
    until = until < mapping->size ? until : mapping->size;
    reader->begin = reader->end = 0; /* the text at hand stands in the mapping too */
    reader->source.bytes_read = reader->inflater.text_bytes = from;
    if (!gv_fastq_is_plain(parser)) {
        return slow_down(reader, from, error);
    }
    if (!reader->is_inside) {
        reader->is_inside = gv_mapping_enter(mapping);
        reader->fetched = from;
    }
    if (!reader->is_inside || until < from || until - from > TEXT_PATIENCE ||
        (until > reader->fetched &&
         !gv_mapping_fetch(mapping, reader->fetched, (size_t)(until - reader->fetched)))) {
        return slow_down(reader, from, error);
    }
    reader->fetched = until;
    size_t used, size = (size_t)(until - from);
    parser->only_four_lines = true; /* none is drawn together, so nothing is written to */
    enum gv_status status =
        gv_builder_take(&reader->builder, parser, (uint8_t *)mapping->bytes + (size_t)from, size,
                        false, most_rows, *most_text, &used, error);
    parser->only_four_lines = false;
    from += used;
    *most_text -= gv_min_size(used, *most_text);
    reader->stats.in_place += used;
    reader->source.bytes_read = reader->inflater.text_bytes = from;
    reader->wanted = status == GV_NEED_MORE ? 2 * (size - used) + 1 : 1;
    gv_mapping_drop(mapping, from);
    if (status == GV_OK || gv_status_is_memory(status)) {
        return status;
    }
    return status == GV_NEED_MORE && until < mapping->size ? GV_OK : slow_down(reader, from, error);
}

/* Reads on by whichever way is open, and parses what is looked at in place. */
static enum gv_status
read_on(struct gv_reader *reader, size_t most_rows, size_t *most_text, struct gv_error *error)
{
    if (reader->slices != NULL) {
        return read_slice(reader, most_rows, most_text, error);
    }
    return reader->is_mapped ? look_on(reader, most_rows, most_text, error) : fill(reader, error);
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

enum gv_status
gv_reader_advance(struct gv_reader *reader, size_t most_rows, size_t most_text,
                  struct gv_error *error)
{
    assert(reader->is_open);
    if (reader->stuck.status != GV_OK) {
        *error = reader->stuck;
        error->detail = (int64_t)gv_reader_rows(reader);
        return error->status;
    }
    enum gv_status status = GV_OK;
    if (gv_reader_rows(reader) == 0) {
        gv_particles_plan(&reader->builder.table, most_rows);
    }
    if (reader->is_mapped && reader->slices != NULL) {
        /* Once for all slices of this call, instead of for each. */
        reader->is_inside = gv_mapping_enter(&reader->mapping);
    }
    while (status == GV_OK && gv_reader_rows(reader) < most_rows && most_text > 0) {
        if (text_left(reader) < reader->wanted && !reader->at_end) {
            if (reader->fault.status != GV_OK) {
                *error = reader->fault;
                status = error->status;
                break;
            }
            status = read_on(reader, most_rows, &most_text, error);
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
    leave_mapping(reader); /* who wants to write to the file does not wait for the next call */
    reader->is_over = status == GV_END;
    if (gv_status_is_memory(status)) {
        error->detail = (int64_t)gv_reader_rows(reader); /* a buffer may have been refused */
        if (!gv_fastq_is_plain(&reader->parser)) {
            reader->stuck = *error; /* a wrapped record was drawn together, and is gone */
        }
    }
    assert(reader_is_valid(reader));
    return status;
}

enum gv_status
gv_reader_skip(struct gv_reader *reader, struct gv_error *error)
{
    struct gv_fastq *parser = &reader->parser;
    enum gv_status status = GV_OK;
    size_t passed = 0;
    assert(reader->is_open);
    if (reader->stuck.status != GV_OK) {
        *error = reader->stuck;
        return error->status;
    }
    reader->may_map = reader->may_share = false;
    if (reader->slices != NULL || reader->is_mapped) {
        status = slow_down(reader, reader->source.bytes_read, error);
    }
    if (status == GV_OK && !reader->is_skipping) {
        reader->is_skipping = true;
        reader->skips_from = gv_fastq_place(parser);
        gv_fastq_skip_begin(parser);
    }
    while (status == GV_OK) {
        size_t used;
        status = gv_fastq_skip(parser, reader->text.base + reader->begin, text_left(reader),
                               reader->at_end, &used, error);
        reader->begin += used;
        passed += used;
        if (status != GV_NEED_MORE) {
            break;
        }
        if (reader->fault.status != GV_OK) {
            *error = reader->fault;
            return error->status;
        }
        want_more(reader);
        status = passed > TEXT_PATIENCE ? GV_INTERRUPTED : fill(reader, error);
    }
    if (status != GV_OK && status != GV_END) {
        return status;
    }
    reader->is_skipping = false;
    reader->wanted = 0;
    reader->builder.reads++;
    reader->builder.skipped++;
    return GV_OK;
}

struct gv_fastq_place
gv_reader_place(const struct gv_reader *reader)
{
    return reader->is_skipping ? reader->skips_from : gv_fastq_place(&reader->parser);
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
    stats.skipped = builder->skipped;
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
