#include "gv_builder.h"

#include "gv_appearance.h"

struct gv_pool *
gv_builder_buffers(const struct gv_builder_options *options)
{
    struct gv_arena *arena = options->arena;
    return arena != NULL ? gv_arena_pool(gv_arena_root(arena), GV_POOL_BUFFERS) : NULL;
}

static bool
wants(const struct gv_builder *builder, enum gv_column column)
{
    return (builder->options.columns & GV_COLUMN_BIT(column)) != 0;
}

/* Whether error probabilities are summed: they take another look at each quality. */
static bool
sums_errors(const struct gv_builder *builder)
{
    return wants(builder, GV_COLUMN_ERROR_QUALITY) || builder->options.min_error_quality > 0.0;
}

void
gv_builder_init(struct gv_builder *builder, const struct gv_builder_options *options)
{
    assert(options->max_record_bytes >= GV_RECORD_CAP_LEAST &&
           options->max_record_bytes <= GV_RECORD_CAP_MOST);
    memset(builder, 0, sizeof *builder);
    builder->options = *options;
    if (sums_errors(builder)) {
        gv_scan_error_table(builder->error_table);
    }
    gv_builder_settle(builder, &options->placing);
    gv_particles_init(&builder->table, options->columns, options->memory_limit, options->arena);
}

void
gv_builder_settle(struct gv_builder *builder, const struct gv_placing *placing)
{
    struct gv_builder_options *options = &builder->options;
    assert(builder->reads == 0 && gv_placing_is_valid(placing));
    options->placing = *placing;
    const struct gv_layout *layout = placing->layout;
    bool places = wants(builder, GV_COLUMN_POSITION);
    bool wants_names = (options->columns & GV_COLUMNS_OF_NAMES) != 0;
    bool wants_comment = wants(builder, GV_COLUMN_READ) || wants(builder, GV_COLUMN_FILTERED) ||
                         wants(builder, GV_COLUMN_INDEX);
    builder->reads_names = wants_names || (places && layout->needs_names);
    builder->checks = options->is_strict ? wants_names || places : places && layout->is_bounded;
    gv_names_reader_init(&builder->names, placing->grammar, wants_comment);
}

void
gv_builder_deinit(struct gv_builder *builder)
{
    gv_particles_deinit(&builder->table);
}

bool
gv_builder_is_valid(const struct gv_builder *builder)
{
    return builder->table.pending == builder->block.rows && builder->block.rows <= GV_BLOCK_ROWS &&
           gv_particles_is_valid(&builder->table);
}

/* ---------------------------------------------------------------------------------------------
 * The block into the table
 * ------------------------------------------------------------------------------------------ */

static void
write_rounded(struct gv_particles *table, enum gv_column column, const double *values, size_t rows)
{
    float *out = gv_particles_pending(table, column);
    for (size_t i = 0; out != NULL && i < rows; i++) {
        out[i] = (float)values[i];
    }
}

static void
write_copy(struct gv_particles *table, enum gv_column column, const void *values, size_t size)
{
    void *out = gv_particles_pending(table, column);
    if (out != NULL) {
        memcpy(out, values, size);
    }
}

/* What a tile's number says, for each row. */
static void
write_tiles(struct gv_particles *table, const struct gv_block *block, enum gv_grammar grammar)
{
    uint8_t *surface = gv_particles_pending(table, GV_COLUMN_SURFACE);
    uint8_t *swath = gv_particles_pending(table, GV_COLUMN_SWATH);
    for (size_t i = 0; (surface != NULL || swath != NULL) && i < block->rows; i++) {
        struct gv_tile tile = gv_name_tile(grammar, block->names.tile[i]);
        if (surface != NULL) {
            surface[i] = tile.surface;
        }
        if (swath != NULL) {
            swath[i] = tile.swath;
        }
    }
}

/* The columns that names and order give. */
static void
write_names(struct gv_builder *builder)
{
    const struct gv_block *block = &builder->block;
    const struct gv_names *names = &block->names;
    struct gv_particles *table = &builder->table;
    size_t rows = block->rows;
    write_copy(table, GV_COLUMN_LANE, names->lane, rows * sizeof names->lane[0]);
    write_copy(table, GV_COLUMN_TILE, names->tile, rows * sizeof names->tile[0]);
    write_copy(table, GV_COLUMN_X, names->x, rows * sizeof names->x[0]);
    write_copy(table, GV_COLUMN_Y, names->y, rows * sizeof names->y[0]);
    write_copy(table, GV_COLUMN_READ, names->read, rows * sizeof names->read[0]);
    write_copy(table, GV_COLUMN_FILTERED, names->filtered, rows * sizeof names->filtered[0]);
    write_copy(table, GV_COLUMN_CHANNEL, names->channel, rows * sizeof names->channel[0]);
    write_copy(table, GV_COLUMN_START_TIME, names->start_time, rows * sizeof names->start_time[0]);
    write_copy(table, GV_COLUMN_ZMW, names->zmw, rows * sizeof names->zmw[0]);
    write_tiles(table, block, builder->options.placing.grammar);
    uint32_t *source = gv_particles_pending(table, GV_COLUMN_SOURCE);
    for (size_t i = 0; source != NULL && i < rows; i++) {
        source[i] = builder->source;
    }
}

/* Places the rows of the block.  Where that may be a fault, the first row at fault and all behind
 * it are dropped; why it is one is returned. */
static enum gv_lack
place_rows(struct gv_builder *builder)
{
    const struct gv_placing *placing = &builder->options.placing;
    struct gv_block *block = &builder->block;
    float (*places)[3] = gv_particles_pending(&builder->table, GV_COLUMN_POSITION);
    size_t unplaced = places != NULL ? placing->layout->place(placing, block, places) : 0;
    builder->unplaced += unplaced;
    bool checks_names = builder->options.is_strict && builder->reads_names &&
                        (builder->options.columns & GV_COLUMNS_OF_NAMES) != 0;
    if (!builder->checks || (unplaced == 0 && !checks_names)) {
        return GV_LACKS_NOTHING;
    }
    size_t lacking = 0;
    for (size_t row = 0; row < block->rows; row++) {
        bool is_placed = places == NULL || places[row][0] == places[row][0];
        enum gv_lack lack = GV_LACKS_NOTHING;
        if (checks_names && !block->names.is_known[row]) {
            lack = GV_LACKS_NAME;
        } else if (!is_placed) {
            const struct gv_layout *layout = placing->layout;
            lack = layout->lack != NULL ? layout->lack(placing, block, row) : layout->lacks;
        }
        if (lack != GV_LACKS_NOTHING && (builder->options.is_strict || lack == GV_LACKS_MODEL)) {
            builder->unplaced -= unplaced - lacking;
            gv_particles_drop(&builder->table, block->rows - row);
            block->rows = row;
            return lack;
        }
        lacking += !is_placed;
    }
    return GV_LACKS_NOTHING;
}

/* Computes what follows from the measures, while they are in L1, and writes the rows of the
 * columns that are wanted.  Returns why the first row that is not among them is a fault: where it
 * is, block.ordinal[block.rows] is its ordinal and block.names its name. */
static enum gv_lack
flush(struct gv_builder *builder, size_t *flushed)
{
    struct gv_block *block = &builder->block;
    struct gv_particles *table = &builder->table;
    if (block->rows > 0) {
        gv_block_derive(block);
    }
    enum gv_lack lack = block->rows > 0 ? place_rows(builder) : GV_LACKS_NOTHING;
    size_t rows = *flushed = block->rows;
    if (rows == 0) {
        return lack;
    }
    gv_block_sum(block, &builder->sums);
    builder->kept += rows;
    if (builder->reads_names || wants(builder, GV_COLUMN_SOURCE)) {
        write_names(builder);
    }
    void *out = gv_particles_pending(table, GV_COLUMN_COLOR);
    if (out != NULL) {
        gv_appearance_color(block->gc, rows, out);
    }
    out = gv_particles_pending(table, GV_COLUMN_SIZE);
    if (out != NULL) {
        gv_appearance_size(block->quality, rows, out);
    }
    write_copy(table, GV_COLUMN_METADATA, block->ordinal, rows * sizeof block->ordinal[0]);
    write_copy(table, GV_COLUMN_LENGTH, block->scanned.length, rows * sizeof(uint32_t));
    write_rounded(table, GV_COLUMN_GC, block->gc, rows);
    write_rounded(table, GV_COLUMN_QUALITY, block->quality, rows);
    out = gv_particles_pending(table, GV_COLUMN_ERROR_QUALITY);
    if (out != NULL) {
        gv_block_error_quality(block, out);
    }
    gv_particles_advance(table);
    block->rows = 0;
    return lack;
}

void
gv_builder_flush(struct gv_builder *builder)
{
    size_t flushed;
    enum gv_lack lack = flush(builder, &flushed);
    assert(lack == GV_LACKS_NOTHING); /* where there may be faults, no row waits in the block */
    (void)lack;
}

/* ---------------------------------------------------------------------------------------------
 * Records into the block
 * ------------------------------------------------------------------------------------------ */

/* Whether a read passes the thresholds; *error_sum is filled where errors are summed.  The means
 * of an empty read are NaN, which no threshold above zero lets pass. */
static bool
is_kept(const struct gv_builder *builder, uint64_t phred_sum, const uint8_t *qualities,
        uint64_t length, double *error_sum)
{
    const struct gv_builder_options *options = &builder->options;
    if (options->min_quality > 0.0 &&
        !(gv_mean_quality(phred_sum, length) >= options->min_quality)) {
        return false;
    }
    if (sums_errors(builder)) {
        *error_sum = options->ops->error(qualities, length, options->zero, builder->error_table);
    }
    return options->min_error_quality <= 0.0 ||
           gv_mean_error_quality(*error_sum, length) >= options->min_error_quality;
}

/* Makes the measures of row `from` those of row `to`, to <= from; offsets stay where they are. */
static void
move_row(struct gv_scanned *scanned, size_t from, size_t to)
{
    scanned->phred_sum[to] = scanned->phred_sum[from];
    scanned->length[to] = scanned->length[from];
    scanned->a[to] = scanned->a[from];
    scanned->c[to] = scanned->c[from];
    scanned->g[to] = scanned->g[from];
    scanned->t[to] = scanned->t[from];
}

/* The text of a record, while it is at hand. */
struct texts {
    const uint8_t *name, *sequence, *qualities;
    size_t name_size, readable; /* bytes of the name, and that may be looked at from its start */
};

/* Reads the name into row `row` of the block, and into *said. */
static void
read_name(struct gv_builder *builder, const struct texts *texts, size_t row, struct gv_name *said)
{
    gv_name_clear(said);
    if (builder->reads_names) {
        bool is_known = gv_names_reader_read(&builder->names, texts->name, texts->name_size,
                                             texts->readable, said);
        gv_names_put(&builder->block.names, row, said, is_known);
    }
}

/* Makes pending the row that stands next in the block: its ordinal, and its text. */
static enum gv_status
add_row(struct gv_builder *builder, const struct texts *record)
{
    const struct gv_placing *placing = &builder->options.placing;
    struct gv_block *block = &builder->block;
    size_t row = block->rows;
    size_t length = block->scanned.length[row];
    struct gv_name said;
    read_name(builder, record, row, &said);
    const uint8_t *const texts[GV_TEXT_COLUMNS] = {
        record->name, record->sequence, record->qualities, said.index.at, said.barcode.at,
    };
    const size_t sizes[GV_TEXT_COLUMNS] = {
        wants(builder, GV_COLUMN_NAME) ? record->name_size : 0,
        wants(builder, GV_COLUMN_SEQUENCE) ? length : 0,
        wants(builder, GV_COLUMN_QUALITIES) ? length : 0,
        wants(builder, GV_COLUMN_INDEX) ? said.index.size : 0,
        wants(builder, GV_COLUMN_BARCODE) ? said.barcode.size : 0,
    };
    if (placing->layout->look != NULL && wants(builder, GV_COLUMN_POSITION)) {
        placing->layout->look(placing, record->sequence, length, block->looked[row]);
    }
    enum gv_status status = gv_particles_reserve(&builder->table, sizes);
    if (status != GV_OK) {
        return status;
    }
    gv_particles_push_text(&builder->table, texts, sizes);
    block->ordinal[row] = builder->first + builder->reads;
    block->rows++;
    return GV_OK;
}

static enum gv_status
no_room(const struct gv_builder *builder, enum gv_status status, struct gv_error *error)
{
    const struct gv_builder_options *options = &builder->options;
    size_t limit = options->memory_limit;
    if (options->arena != NULL && status == GV_ARENA_FULL) {
        limit = gv_arena_capacity(options->arena);
    } else if (options->arena != NULL) {
        limit = gv_min_size(limit, gv_arena_capacity(gv_arena_root(options->arena)));
    }
    *error = (struct gv_error){
        .status = status,
        .detail = (int64_t)gv_builder_rows(builder),
        .expected = (int64_t)limit,
    };
    return status;
}

/* One record that the parser read. */
static enum gv_status
take_record(struct gv_builder *builder, const struct gv_record *record, struct gv_error *error)
{
    double *error_sum = &builder->block.error_sum[builder->block.rows];
    if (is_kept(builder, record->phred_sum, record->qualities, record->length, error_sum)) {
        /* Offsets serve scanned text alone: this record brings its own places. */
        gv_scan_put_row(&builder->block.scanned, builder->block.rows, 0, 0, record->length,
                        &record->bases, record->phred_sum);
        const struct texts texts = {
            .name = record->name,
            .sequence = record->sequence,
            .qualities = record->qualities,
            .name_size = record->name_size,
            .readable = record->name_size,
        };
        enum gv_status status = add_row(builder, &texts);
        if (status != GV_OK) {
            return no_room(builder, status, error);
        }
    }
    builder->reads++;
    return GV_OK;
}

/* The plainest case: every scanned record is kept, and the table has no use for its text beyond
 * what numbers its name holds. */
static void
take_all(struct gv_builder *builder, const uint8_t *text, size_t size, size_t n)
{
    struct gv_block *block = &builder->block;
    if (builder->reads_names) {
        gv_names_read(&block->names, &builder->names, &block->scanned, text, size, block->rows, n);
    }
    for (size_t i = 0; i < n; i++) {
        block->ordinal[block->rows + i] = builder->first + builder->reads + i;
    }
    block->rows += n;
    gv_particles_push(&builder->table, n);
    builder->reads += n;
}

/* Takes `n` records scanned into the block's next rows; returns how many, fewer where memory
 * refuses the next. */
static size_t
take_each(struct gv_builder *builder, const uint8_t *text, size_t size, size_t n)
{
    struct gv_scanned *scanned = &builder->block.scanned;
    size_t first = builder->block.rows;
    for (size_t i = 0; i < n; i++) {
        size_t from = first + i, to = builder->block.rows;
        const uint8_t *sequence = text + scanned->sequence[from];
        const uint8_t *qualities = sequence + scanned->length[from] + 3;
        if (is_kept(builder, scanned->phred_sum[from], qualities, scanned->length[from],
                    &builder->block.error_sum[to])) {
            move_row(scanned, from, to);
            const uint8_t *name = text + scanned->start[from] + 1;
            const struct texts texts = {
                .name = name,
                .sequence = sequence,
                .qualities = qualities,
                .name_size = (size_t)(sequence - name) - 1,
                .readable = (size_t)(text + size - name),
            };
            if (add_row(builder, &texts) != GV_OK) {
                return i;
            }
        }
        builder->reads++;
    }
    return n;
}

/* Whether the table can be filled from what a scan finds, and no record is left out. */
static bool
is_all_plain(const struct gv_builder *builder)
{
    const gv_column_set one_by_one =
        GV_COLUMN_BIT(GV_COLUMN_NAME) | GV_COLUMN_BIT(GV_COLUMN_SEQUENCE) |
        GV_COLUMN_BIT(GV_COLUMN_QUALITIES) | GV_COLUMN_BIT(GV_COLUMN_INDEX) |
        GV_COLUMN_BIT(GV_COLUMN_BARCODE) | GV_COLUMN_BIT(GV_COLUMN_ERROR_QUALITY);
    const struct gv_builder_options *options = &builder->options;
    bool looks = options->placing.layout->look != NULL && wants(builder, GV_COLUMN_POSITION);
    return (options->columns & one_by_one) == 0 && options->min_quality <= 0.0 &&
           options->min_error_quality <= 0.0 && !looks;
}

/* The record that the parser stands at has no place. */
static enum gv_status
no_place(const struct gv_builder *builder, enum gv_lack lack, size_t row, struct gv_error *error)
{
    const struct gv_block *block = &builder->block;
    bool is_outside = lack == GV_LACKS_MODEL;
    *error = (struct gv_error){
        .status = is_outside ? GV_OUT_OF_LAYOUT : GV_NO_PLACE,
        .field = GV_FIELD_HEADER,
        .detail = is_outside ? block->names.channel[row] : (int64_t)lack,
    };
    if (lack == GV_LACKS_BASES) {
        error->field = GV_FIELD_SEQUENCE;
    }
    return error->status;
}

/* Where records may be faults because of their place, none waits in the block: brings the rows of
 * the `n` records taken last, scanned into rows from 0 on and beginning with number `first` of all
 * reads, into the table.  *taken is how many of them precede the fault, if there is one. */
static enum gv_status
check_places(struct gv_builder *builder, uint64_t first, size_t n, size_t *taken,
             struct gv_error *error)
{
    size_t row;
    *taken = n;
    if (!builder->checks) {
        return GV_OK;
    }
    enum gv_lack lack = flush(builder, &row);
    if (lack == GV_LACKS_NOTHING) {
        return GV_OK;
    }
    builder->reads = builder->block.ordinal[row] - builder->first;
    builder->block.rows = 0;
    *taken = (size_t)(builder->reads - first);
    return no_place(builder, lack, row, error);
}

/* Takes plain records from text[from, size), a block of them at most; *next is where the next
 * record begins.  Anything but GV_OK is a fault of that one. */
static enum gv_status
take_plain(struct gv_builder *builder, struct gv_fastq *parser, const uint8_t *text, size_t from,
           size_t size, size_t most_rows, size_t *next, struct gv_error *error)
{
    const struct gv_builder_options *options = &builder->options;
    bool is_plainest = is_all_plain(builder);
    struct gv_scanned *scanned = &builder->block.scanned;
    size_t most =
        gv_min_size(GV_BLOCK_ROWS - builder->block.rows, most_rows - gv_builder_rows(builder));
    if (is_plainest) {
        most = gv_particles_room(&builder->table, most);
    }
    size_t end, taken, first = builder->block.rows;
    uint64_t reads = builder->reads;
    size_t n = options->ops->records(text, from, size, options->zero, options->max_record_bytes,
                                     scanned, first, most, &end);
    if (is_plainest) {
        take_all(builder, text, size, n);
        taken = n;
    } else {
        taken = take_each(builder, text, size, n);
    }
    enum gv_status status = check_places(builder, reads, taken, &taken, error);
    if (taken < n) {
        end = (size_t)scanned->start[first + taken];
    }
    gv_fastq_pass(parser, taken, end - from);
    *next = end;
    if (status != GV_OK) {
        error->line = parser->line;
        error->record = parser->record;
        error->offset = parser->offset;
    }
    return status;
}

/* Takes one record as the parser reads it; *taken is its bytes. */
static enum gv_status
take_parsed(struct gv_builder *builder, struct gv_fastq *parser, uint8_t *text, size_t size,
            bool at_end, size_t *taken, struct gv_error *error)
{
    const struct gv_fastq before = *parser;
    struct gv_record record;
    size_t ignored;
    uint64_t reads = builder->reads;
    enum gv_status status = gv_fastq_next(parser, text, size, at_end, &record, taken, error);
    if (status != GV_OK) {
        return status;
    }
    status = take_record(builder, &record, error);
    if (status == GV_OK) {
        status = check_places(builder, reads, 1, &ignored, error);
    }
    if (status != GV_OK) {
        error->line = record.line;
        error->record = parser->record - 1;
        error->offset = parser->offset - *taken;
        if (parser->mode == GV_FASTQ_FOUR_LINES) {
            *parser = before;
            *taken = 0;
        } else {
            parser->is_past_fault = true; /* drawn together, it cannot be read again */
            parser->fault_offset = before.offset;
            parser->fault_line = before.line;
        }
    }
    return status;
}

enum gv_status
gv_builder_take(struct gv_builder *builder, struct gv_fastq *parser, uint8_t *text, size_t size,
                bool at_end, size_t most_rows, size_t most_text, size_t *used,
                struct gv_error *error)
{
    bool may_be_plain = builder->options.alphabet == GV_ALPHABET_ANY;
    *used = 0;
    while (gv_builder_rows(builder) < most_rows && *used < most_text) {
        if (builder->block.rows == GV_BLOCK_ROWS) {
            gv_builder_flush(builder);
        }
        enum gv_status status;
        if (may_be_plain && gv_fastq_is_plain(parser)) {
            size_t from = *used;
            status = take_plain(builder, parser, text, from, size, most_rows, used, error);
            if (status != GV_OK) {
                return status;
            }
            if (*used > from) {
                continue;
            }
        }
        size_t taken;
        status = take_parsed(builder, parser, text + *used, size - *used, at_end, &taken, error);
        *used += taken;
        if (status != GV_OK && (status != GV_NEED_MORE || taken == 0)) {
            return status;
        }
    }
    return GV_OK;
}

enum gv_status
gv_builder_seal(struct gv_builder *builder, struct gv_sealed *sealed, struct gv_error *error)
{
    enum gv_status status = gv_particles_seal(&builder->table, sealed);
    return status == GV_OK ? status : no_room(builder, status, error);
}

bool
gv_builder_append(struct gv_builder *builder, const struct gv_builder *from)
{
    assert(from->block.rows == 0 && !builder->options.placing.layout->is_by_ordinal);
    gv_builder_flush(builder);
    size_t before = builder->table.rows;
    if (!gv_particles_append(&builder->table, &from->table)) {
        return false;
    }
    if (wants(builder, GV_COLUMN_METADATA)) {
        uint64_t *ordinals = gv_particles_rows(&builder->table, GV_COLUMN_METADATA);
        for (size_t row = before; row < builder->table.rows; row++) {
            ordinals[row] += builder->first + builder->reads;
        }
    }
    builder->reads += from->reads;
    builder->skipped += from->skipped;
    builder->kept += from->kept;
    builder->unplaced += from->unplaced;
    gv_block_sums_add(&builder->sums, &from->sums);
    return true;
}

void
gv_builder_clear(struct gv_builder *builder)
{
    gv_particles_clear(&builder->table);
    builder->block.rows = 0;
    builder->reads = builder->skipped = builder->kept = builder->unplaced = 0;
    builder->sums = (struct gv_block_sums){0};
}
