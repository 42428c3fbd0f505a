#include "check.h"
#include "gv.h"

#define ALL_COLUMNS (GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1)
#define MOST_ROWS 3000
#define MOST_TEXT ((size_t)4 << 20)

/* What a table should hold: rows by number, each byte of it known from its number. */
struct model {
    gv_column_set columns;
    uint64_t first; /* the number of row 0 */
    size_t rows, pending;
    size_t text_size[GV_TEXT_COLUMNS];
    size_t text_ends[GV_TEXT_COLUMNS][MOST_ROWS];
};

static bool
is_selected(gv_column_set columns, unsigned column)
{
    return (columns & GV_COLUMN_BIT(column)) != 0;
}

static uint8_t
cell_byte(uint64_t row, unsigned column, size_t at)
{
    return (uint8_t)(row * 167 + column * 59 + at * 3 + (row >> 8));
}

/* Bytes that the columns of that many rows hold; the budget's own arithmetic, done apart. */
static size_t
bytes_of(gv_column_set columns, size_t rows, const size_t text[GV_TEXT_COLUMNS])
{
    static const size_t row_bytes[] = {12, 16, 4, 8, 4, 4, 4, 4, 1, 4,
                                       1,  1,  4, 4, 1, 1, 2, 8, 4, 4};
    size_t sum = 0;
    for (unsigned c = 0; c < GV_COLUMN_FIRST_TEXT; c++) {
        sum += is_selected(columns, c) ? rows * row_bytes[c] : 0;
    }
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        sum += is_selected(columns, GV_COLUMN_FIRST_TEXT + i) ? (rows + 1) * 8 + text[i] : 0;
    }
    return sum;
}

static uint8_t *text_room;

static enum gv_status
reserve_and_push(struct gv_particles *table, struct model *model,
                 const size_t sizes[GV_TEXT_COLUMNS])
{
    enum gv_status status = gv_particles_reserve(table, sizes);
    CHECK(gv_particles_is_valid(table));
    if (status != GV_OK) {
        return status;
    }
    uint64_t row = model->first + model->rows + model->pending;
    const uint8_t *texts[GV_TEXT_COLUMNS];
    uint8_t *at = text_room;
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        texts[i] = sizes[i] > 0 ? at : NULL;
        for (size_t k = 0; k < sizes[i]; k++) {
            *at++ = cell_byte(row, GV_COLUMN_FIRST_TEXT + i, k);
        }
        model->text_size[i] += sizes[i];
        model->text_ends[i][model->rows + model->pending] = model->text_size[i];
    }
    gv_particles_push_text(table, texts, sizes);
    model->pending++;
    return GV_OK;
}

static void
write_pending_and_advance(struct gv_particles *table, struct model *model)
{
    for (unsigned c = 0; c < GV_COLUMN_FIRST_TEXT; c++) {
        uint8_t *out = gv_particles_pending(table, (enum gv_column)c);
        if (!is_selected(model->columns, c)) {
            CHECK(out == NULL);
            continue;
        }
        size_t width = gv_column_spec((enum gv_column)c)->row_bytes;
        for (size_t row = 0; row < model->pending; row++) {
            for (size_t k = 0; k < width; k++) {
                out[row * width + k] = cell_byte(model->first + model->rows + row, c, k);
            }
        }
    }
    gv_particles_advance(table);
    model->rows += model->pending;
    model->pending = 0;
    CHECK(gv_particles_is_valid(table));
    CHECK_U(table->rows, model->rows);
    CHECK_U(table->pending, 0);
}

static bool
cells_are_right(const uint8_t *data, size_t width, uint64_t first, size_t rows, unsigned column)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < width; k++) {
            if (data[i * width + k] != cell_byte(first + i, column, k)) {
                return false;
            }
        }
    }
    return true;
}

static void
check_sealed(const struct gv_sealed *sealed, const struct model *model)
{
    CHECK_U(sealed->rows, model->rows);
    CHECK_U(sealed->columns, model->columns);
    for (unsigned c = 0; c < GV_COLUMN_FIRST_TEXT; c++) {
        if (is_selected(model->columns, c)) {
            REQUIRE(sealed->data[c] != NULL);
            CHECK_U((uintptr_t)sealed->data[c] % GV_ALIGNMENT, 0);
            CHECK(cells_are_right(sealed->data[c], gv_column_spec((enum gv_column)c)->row_bytes,
                                  model->first, model->rows, c));
        }
    }
    for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
        unsigned c = GV_COLUMN_FIRST_TEXT + i;
        if (!is_selected(model->columns, c)) {
            continue;
        }
        REQUIRE(sealed->data[c] != NULL && sealed->text[i] != NULL);
        const int64_t *offsets = (const int64_t *)(const void *)sealed->data[c];
        CHECK_I(offsets[0], 0);
        CHECK_U(sealed->text_size[i], model->text_size[i]);
        bool right = true;
        for (size_t row = 0; row < model->rows && right; row++) {
            size_t end = model->text_ends[i][row];
            right = offsets[row + 1] == (int64_t)end &&
                    cells_are_right(sealed->text[i] + offsets[row], end - (size_t)offsets[row],
                                    model->first + row, 1, c);
        }
        CHECK(right);
    }
}

enum { KEPT = 8 };

/* Random rows against the model; sealed tables live on beside the ones built after them. */
static void
test_random_sequences(gv_column_set columns, uint64_t seed)
{
    static struct model models[KEPT];
    struct gv_sealed sealed[KEPT];
    struct gv_particles table;
    uint64_t number = 0;
    gv_particles_init(&table, columns, GV_NO_LIMIT, NULL);
    for (unsigned t = 0; t < KEPT; t++) {
        struct model *model = &models[t];
        *model = (struct model){.columns = columns, .first = number};
        size_t rows = t == 3 ? 0 : check_below(&seed, t % 2 == 0 ? 50 : MOST_ROWS);
        check_case("columns 0x%x, table %u", columns, t);
        while (model->rows + model->pending < rows) {
            size_t sizes[GV_TEXT_COLUMNS] = {0};
            size_t most = check_below(&seed, 500) == 0 ? 200000 : 40;
            for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
                if (is_selected(columns, GV_COLUMN_FIRST_TEXT + i)) {
                    sizes[i] = check_below(&seed, most);
                }
            }
            REQUIRE(reserve_and_push(&table, model, sizes) == GV_OK);
            if (model->pending == GV_BLOCK_ROWS || check_below(&seed, 40) == 0) {
                write_pending_and_advance(&table, model);
            }
        }
        write_pending_and_advance(&table, model);
        REQUIRE(gv_particles_seal(&table, &sealed[t]) == GV_OK);
        CHECK(gv_particles_is_valid(&table));
        CHECK_U(table.rows, 0);
        number += rows;
    }
    gv_particles_deinit(&table);
    for (unsigned t = 0; t < KEPT; t++) {
        check_case("columns 0x%x, table %u", columns, t);
        check_sealed(&sealed[t], &models[t]);
        gv_lease_release(sealed[t].lease);
    }
}

/* Rows are taken exactly while their bytes fit, and a refusal changes nothing. */
static void
test_limit(gv_column_set columns, size_t limit, uint64_t seed)
{
    static struct model model;
    struct gv_particles table;
    model = (struct model){.columns = columns, .first = 9};
    gv_particles_init(&table, columns, limit, NULL);
    size_t refused = 0;
    while (refused < 20 && model.rows + model.pending < MOST_ROWS) {
        size_t sizes[GV_TEXT_COLUMNS] = {0}, text[GV_TEXT_COLUMNS];
        for (unsigned i = 0; i < GV_TEXT_COLUMNS; i++) {
            if (is_selected(columns, GV_COLUMN_FIRST_TEXT + i)) {
                sizes[i] = check_below(&seed, 60);
            }
            text[i] = model.text_size[i] + sizes[i];
        }
        size_t rows = model.rows + model.pending + 1, needed = bytes_of(columns, rows, text);
        check_case("columns 0x%x, limit %zu, row %zu", columns, limit, rows);
        enum gv_status status = reserve_and_push(&table, &model, sizes);
        CHECK_NAMES(status, needed <= limit ? GV_OK : GV_MEMORY_LIMIT);
        refused += status != GV_OK;
        if (model.pending == GV_BLOCK_ROWS || check_below(&seed, 100) == 0) {
            write_pending_and_advance(&table, &model);
        }
    }
    CHECK(refused > 0 || columns == 0);
    write_pending_and_advance(&table, &model);
    struct gv_sealed sealed;
    REQUIRE(gv_particles_seal(&table, &sealed) == GV_OK);
    check_sealed(&sealed, &model);
    /* The budget is for one table. */
    model = (struct model){.columns = columns, .first = 12};
    const size_t none[GV_TEXT_COLUMNS] = {0};
    CHECK_NAMES(reserve_and_push(&table, &model, none), GV_OK);
    gv_lease_release(sealed.lease);
    gv_particles_deinit(&table);
}

static void
test_limit_to_the_byte(void)
{
    const gv_column_set columns = GV_COLUMN_BIT(GV_COLUMN_POSITION) |
                                  GV_COLUMN_BIT(GV_COLUMN_NAME) |
                                  GV_COLUMN_BIT(GV_COLUMN_QUALITIES);
    const size_t sizes[GV_TEXT_COLUMNS] = {5, 0, 7};
    /* 12 of the position, two offsets in each column of text, and the text. */
    const size_t needed = 12 + 2 * 16 + 12;
    for (size_t limit = needed - 1; limit <= needed; limit++) {
        struct gv_particles table;
        gv_particles_init(&table, columns, limit, NULL);
        check_case("limit %zu", limit);
        CHECK_NAMES(gv_particles_reserve(&table, sizes), limit >= needed ? GV_OK : GV_MEMORY_LIMIT);
        gv_particles_deinit(&table);
    }
}

/* A text that no address space holds, by its size and by its sum with what is there. */
static void
test_impossible_text(void)
{
    struct gv_particles table;
    static struct model model;
    const gv_column_set columns = GV_COLUMN_BIT(GV_COLUMN_NAME) | GV_COLUMN_BIT(GV_COLUMN_LENGTH);
    const size_t some[GV_TEXT_COLUMNS] = {3}, all[GV_TEXT_COLUMNS] = {SIZE_MAX},
                 most[GV_TEXT_COLUMNS] = {SIZE_MAX - 3};
    model = (struct model){.columns = columns};
    check_case("%s", "impossible text");
    gv_particles_init(&table, columns, GV_NO_LIMIT, NULL);
    CHECK_NAMES(gv_particles_reserve(&table, all), GV_NO_MEMORY);
    CHECK_NAMES(reserve_and_push(&table, &model, some), GV_OK);
    CHECK_NAMES(gv_particles_reserve(&table, all), GV_NO_MEMORY);
    CHECK_NAMES(gv_particles_reserve(&table, most), GV_NO_MEMORY);
    CHECK_NAMES(reserve_and_push(&table, &model, some), GV_OK);
    write_pending_and_advance(&table, &model);
    struct gv_sealed sealed;
    REQUIRE(gv_particles_seal(&table, &sealed) == GV_OK);
    check_sealed(&sealed, &model);
    gv_lease_release(sealed.lease);
    gv_particles_deinit(&table);
}

static void
test_empty_tables(void)
{
    static struct model model;
    for (unsigned reserved = 0; reserved < 2; reserved++) {
        struct gv_particles table;
        const size_t none[GV_TEXT_COLUMNS] = {0};
        check_case("empty, reserved %u", reserved);
        gv_particles_init(&table, ALL_COLUMNS, 1000, NULL);
        model = (struct model){.columns = ALL_COLUMNS};
        if (reserved > 0) {
            CHECK_NAMES(gv_particles_reserve(&table, none), GV_OK);
        }
        for (int i = 0; i < 2; i++) {
            struct gv_sealed sealed;
            REQUIRE(gv_particles_seal(&table, &sealed) == GV_OK);
            check_sealed(&sealed, &model);
            gv_lease_release(sealed.lease);
        }
        gv_particles_deinit(&table);
    }
}

int
main(void)
{
    static const gv_column_set sets[] = {
        ALL_COLUMNS,
        0x7f, /* the seven defaults */
        GV_COLUMN_BIT(GV_COLUMN_GC),
        GV_COLUMN_BIT(GV_COLUMN_SEQUENCE),
        GV_COLUMN_BIT(GV_COLUMN_METADATA) | GV_COLUMN_BIT(GV_COLUMN_NAME) |
            GV_COLUMN_BIT(GV_COLUMN_QUALITIES),
        0,
    };
    text_room = malloc(MOST_TEXT);
    REQUIRE(text_room != NULL);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        test_random_sequences(sets[i], i);
        test_limit(sets[i], 4000, i);
        test_limit(sets[i], 4003 + i, i);
    }
    test_limit(ALL_COLUMNS, 300000, 7);
    test_limit_to_the_byte();
    test_impossible_text();
    test_empty_tables();
    free(text_room);
    return check_result();
}
