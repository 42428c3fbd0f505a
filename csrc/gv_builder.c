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

void
gv_builder_init(struct gv_builder *builder, const struct gv_builder_options *options)
{
    assert(options->max_record_bytes >= GV_RECORD_CAP_LEAST &&
           options->max_record_bytes <= GV_RECORD_CAP_MOST);
    memset(builder, 0, sizeof *builder);
    builder->options = *options;
    if (wants(builder, GV_COLUMN_ERROR_QUALITY)) {
        gv_scan_error_table(builder->error_table);
    }
    gv_particles_init(&builder->table, options->columns, options->memory_limit, options->arena);
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

/* Computes what follows from the measures, while they are in L1, and writes the rows of the
 * columns that are wanted. */
void
gv_builder_flush(struct gv_builder *builder)
{
    struct gv_block *block = &builder->block;
    struct gv_particles *table = &builder->table;
    size_t rows = block->rows;
    if (rows == 0) {
        return;
    }
    gv_block_derive(block);
    gv_block_sum(block, &builder->sums);
    builder->kept += rows;
    void *out = gv_particles_pending(table, GV_COLUMN_POSITION);
    if (out != NULL) {
        builder->unplaced += builder->options.layout->place(block, out);
    }
    out = gv_particles_pending(table, GV_COLUMN_COLOR);
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
}

/* ---------------------------------------------------------------------------------------------
 * Records into the block
 * ------------------------------------------------------------------------------------------ */

/* Whether a read passes min_quality.  The mean of an empty read is NaN, which no threshold above
 * zero lets pass. */
static bool
is_kept(const struct gv_builder *builder, uint64_t phred_sum, uint64_t length)
{
    double least = builder->options.min_quality;
    return least <= 0.0 || gv_mean_quality(phred_sum, length) >= least;
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

/* Makes pending the row that stands next in the block: its ordinal, and its text. */
static enum gv_status
add_row(struct gv_builder *builder, const uint8_t *name, size_t name_size, const uint8_t *sequence,
        const uint8_t *qualities)
{
    const struct gv_builder_options *options = &builder->options;
    size_t row = builder->block.rows;
    size_t length = builder->block.scanned.length[row];
    const uint8_t *const texts[GV_TEXT_COLUMNS] = {name, sequence, qualities};
    const size_t sizes[GV_TEXT_COLUMNS] = {
        wants(builder, GV_COLUMN_NAME) ? name_size : 0,
        wants(builder, GV_COLUMN_SEQUENCE) ? length : 0,
        wants(builder, GV_COLUMN_QUALITIES) ? length : 0,
    };
    enum gv_status status = gv_particles_reserve(&builder->table, sizes);
    if (status != GV_OK) {
        return status;
    }
    gv_particles_push_text(&builder->table, texts, sizes);
    builder->block.ordinal[row] = builder->reads;
    if (wants(builder, GV_COLUMN_ERROR_QUALITY)) {
        builder->block.error_sum[row] =
            options->ops->error(qualities, length, options->zero, builder->error_table);
    }
    builder->block.rows++;
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
    if (is_kept(builder, record->phred_sum, record->length)) {
        /* Offsets serve scanned text alone: this record brings its own places. */
        gv_scan_put_row(&builder->block.scanned, builder->block.rows, 0, 0, record->length,
                        &record->bases, record->phred_sum);
        enum gv_status status =
            add_row(builder, record->name, record->name_size, record->sequence, record->qualities);
        if (status != GV_OK) {
            return no_room(builder, status, error);
        }
    }
    builder->reads++;
    return GV_OK;
}

/* The plainest case: every scanned record is kept, and the table has no use for its text. */
static void
take_all(struct gv_builder *builder, size_t n)
{
    struct gv_block *block = &builder->block;
    for (size_t i = 0; i < n; i++) {
        block->ordinal[block->rows + i] = builder->reads + i;
    }
    block->rows += n;
    gv_particles_push(&builder->table, n);
    builder->reads += n;
}

/* Takes `n` records scanned into the block's next rows; returns how many, fewer where memory
 * refuses the next. */
static size_t
take_each(struct gv_builder *builder, const uint8_t *text, size_t n)
{
    struct gv_scanned *scanned = &builder->block.scanned;
    size_t first = builder->block.rows;
    for (size_t i = 0; i < n; i++) {
        size_t from = first + i, to = builder->block.rows;
        if (is_kept(builder, scanned->phred_sum[from], scanned->length[from])) {
            move_row(scanned, from, to);
            const uint8_t *name = text + scanned->start[from] + 1;
            const uint8_t *sequence = text + scanned->sequence[from];
            if (add_row(builder, name, (size_t)(sequence - name) - 1, sequence,
                        sequence + scanned->length[to] + 3) != GV_OK) {
                return i;
            }
        }
        builder->reads++;
    }
    return n;
}

/* Takes plain records from text[from, size), a block of them at most; returns where the next record
 * begins. */
static size_t
take_plain(struct gv_builder *builder, struct gv_fastq *parser, const uint8_t *text, size_t from,
           size_t size, size_t most_rows)
{
    const struct gv_builder_options *options = &builder->options;
    const gv_column_set one_by_one =
        GV_COLUMN_BIT(GV_COLUMN_NAME) | GV_COLUMN_BIT(GV_COLUMN_SEQUENCE) |
        GV_COLUMN_BIT(GV_COLUMN_QUALITIES) | GV_COLUMN_BIT(GV_COLUMN_ERROR_QUALITY);
    bool is_plainest = (options->columns & one_by_one) == 0 && options->min_quality <= 0.0;
    struct gv_scanned *scanned = &builder->block.scanned;
    size_t most =
        gv_min_size(GV_BLOCK_ROWS - builder->block.rows, most_rows - gv_builder_rows(builder));
    if (is_plainest) {
        most = gv_particles_room(&builder->table, most);
    }
    size_t end, first = builder->block.rows;
    size_t n = options->ops->records(text, from, size, options->zero, options->max_record_bytes,
                                     scanned, first, most, &end);
    if (is_plainest) {
        take_all(builder, n);
    } else {
        size_t taken = take_each(builder, text, n);
        if (taken < n) {
            end = (size_t)scanned->start[first + taken];
            n = taken;
        }
    }
    gv_fastq_pass(parser, n, end - from);
    return end;
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
        if (may_be_plain && gv_fastq_is_plain(parser)) {
            size_t from = *used;
            *used = take_plain(builder, parser, text, from, size, most_rows);
            if (*used > from) {
                continue;
            }
        }
        struct gv_record record;
        size_t taken;
        enum gv_status status =
            gv_fastq_next(parser, text + *used, size - *used, at_end, &record, &taken, error);
        if (status == GV_OK) {
            status = take_record(builder, &record, error);
            if (status != GV_OK) {
                error->line = record.line;
                error->record = parser->record - 1;
                error->offset = parser->offset - taken;
                return status;
            }
        }
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
    assert(from->block.rows == 0 && !builder->options.layout->is_by_ordinal);
    gv_builder_flush(builder);
    size_t before = builder->table.rows;
    if (!gv_particles_append(&builder->table, &from->table)) {
        return false;
    }
    if (wants(builder, GV_COLUMN_METADATA)) {
        uint64_t *ordinals = gv_particles_rows(&builder->table, GV_COLUMN_METADATA);
        for (size_t row = before; row < builder->table.rows; row++) {
            ordinals[row] += builder->reads;
        }
    }
    builder->reads += from->reads;
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
    builder->reads = builder->kept = builder->unplaced = 0;
    builder->sums = (struct gv_block_sums){0};
}
