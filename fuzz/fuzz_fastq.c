/* fuzz_fastq.c: every variant of the kernels gives the same of the same text, however it is cut.
 *
 * An input that begins with '@' is FASTQ text, read with the usual settings.  Any other begins with
 * two bytes of settings, a digit each or what follows '9' in ASCII, of whose bits
 *
 *   the first has   1, 2 the alphabet          4 Phred+64    8 reads below Q20 left out
 *   the second has  1, 2 the rows in a batch   4, 8 the longest record
 *
 * and 0x40 ('p' for '0') in the first a limit on memory, in the second only those columns for which
 * records are not looked at one by one.
 *
 *   "0?@r\nA\n+\nI\n"   as "@r\nA\n+\nI\n", in batches of 300 rows, records of at most 300 bytes
 *
 * What the scalar variant reads of a text that is whole, in memory, is what all must read, whole or
 * cut: the same columns to the last bit, the same end, fault and counts.  A text with a record at
 * fault is read once more in all these ways, with such records passed over.  And what a reader
 * tells of its place after a batch must let another one go on from there with the same.  The buffer
 * for a text in memory is one byte longer than the text, so that AddressSanitizer sees a kernel
 * read beyond it.
 */
#include "fuzz.h"

#define ALL_COLUMNS (GV_COLUMN_BIT(GV_COLUMN_COUNT) - 1)
#define ONE_BY_ONE                                                       \
    (GV_COLUMN_BIT(GV_COLUMN_NAME) | GV_COLUMN_BIT(GV_COLUMN_SEQUENCE) | \
     GV_COLUMN_BIT(GV_COLUMN_QUALITIES) | GV_COLUMN_BIT(GV_COLUMN_ERROR_QUALITY))

/* Bits of the first and of the second byte of settings. */
enum { ALPHABET = 3, PHRED64 = 4, BEST = 8, LIMIT = 0x40 };
enum { ROWS = 3, CAP = 12, NUMBERS = 0x40 };

struct settings {
    struct gv_reader_options options;
    size_t most_rows;
    bool skips; /* records at fault are passed over */
};

/* What came of a reading.  Owns: the columns, one after another, batch by batch, and before what
 * follows them the faults passed over and the places where reading went on. */
struct reading {
    uint8_t *columns;
    size_t size, capacity;
    size_t first_batch;          /* of them until the end of the first batch that is no last one */
    struct gv_fastq_place place; /* there; line 0: there was no such batch */
    uint64_t reads;              /* up to there */
    enum gv_status status;       /* GV_END, or that of the fault */
    struct gv_error error;
    struct gv_reader_stats stats;
};

static struct settings
choose(uint8_t first, uint8_t second)
{
    static const enum gv_alphabet alphabets[] = {GV_ALPHABET_ANY, GV_ALPHABET_DNA,
                                                 GV_ALPHABET_IUPAC, GV_ALPHABET_ANY};
    static const size_t rows[] = {SIZE_MAX, 1, 2, 300};
    static const size_t caps[] = {(size_t)1 << 30, GV_RECORD_CAP_LEAST, 48, 300};
    return (struct settings){
        .most_rows = rows[second & ROWS],
        .options.build =
            {
                .placing = gv_placing_of(gv_layout_find("composition")),
                .columns = second & NUMBERS ? ALL_COLUMNS & ~ONE_BY_ONE : ALL_COLUMNS,
                .min_quality = first & BEST ? 20.0 : 0.0,
                .zero = first & PHRED64 ? GV_PHRED64_ZERO : GV_PHRED33_ZERO,
                .alphabet = alphabets[first & ALPHABET],
                .max_record_bytes = caps[(second & CAP) / 4],
                .memory_limit = first & LIMIT ? 1000 : GV_NO_LIMIT,
            },
    };
}

static void
keep(struct reading *reading, const void *data, size_t size)
{
    if (reading->size + size > reading->capacity) {
        reading->capacity = 2 * (reading->size + size);
        reading->columns = realloc(reading->columns, reading->capacity);
        NEED(reading->columns != NULL);
    }
    if (size > 0) {
        memcpy(reading->columns + reading->size, data, size);
        reading->size += size;
    }
}

/* Seals the batch at hand and keeps its columns. */
static void
keep_batch(struct reading *reading, struct gv_reader *reader)
{
    struct gv_sealed sealed;
    struct gv_error error;
    NEED(gv_reader_seal(reader, &sealed, &error) == GV_OK);
    keep(reading, &sealed.rows, sizeof sealed.rows);
    for (unsigned i = 0; i < GV_COLUMN_COUNT; i++) {
        enum gv_column column = (enum gv_column)i;
        if ((sealed.columns & GV_COLUMN_BIT(i)) == 0) {
            continue;
        }
        if (column < GV_COLUMN_FIRST_TEXT) {
            keep(reading, sealed.data[i], sealed.rows * gv_column_spec(column)->row_bytes);
        } else {
            unsigned text = i - GV_COLUMN_FIRST_TEXT;
            keep(reading, sealed.data[i], (sealed.rows + 1) * sizeof(int64_t));
            keep(reading, sealed.text[text], sealed.text_size[text]);
        }
    }
    gv_lease_release(sealed.lease);
}

/* Passes over the record at fault; the fault, and where reading goes on, are kept. */
static enum gv_status
skip(struct reading *reading, struct gv_reader *reader)
{
    enum gv_status status;
    keep(reading, &reading->error, sizeof reading->error);
    do {
        status = gv_reader_skip(reader, &reading->error);
    } while (status == GV_INTERRUPTED);
    struct gv_fastq_place place = gv_reader_place(reader);
    const uint64_t numbers[] = {place.offset, place.line, place.record, place.wrapped};
    keep(reading, numbers, sizeof numbers);
    return status;
}

static struct reading
read_text(const struct settings *settings, const struct gv_scan_ops *ops, const uint8_t *text,
          size_t size, struct cut cut)
{
    struct reading reading = {.status = GV_OK};
    struct gv_reader_options options = settings->options;
    struct gv_reader *reader;
    struct pieces pieces;
    options.build.ops = ops;
    NEED(gv_reader_new(&options, &reader) == GV_OK);
    gv_reader_open(reader, open_cut(text, size, cut, &pieces));
    do {
        reading.status = gv_reader_advance(reader, settings->most_rows, SIZE_MAX, &reading.error);
        if (settings->skips && gv_fastq_is_of_record(reading.status)) {
            reading.status = skip(&reading, reader);
        } else if (reading.status == GV_OK) {
            keep_batch(&reading, reader);
            if (reading.place.line == 0) {
                reading.first_batch = reading.size;
                reading.place = gv_reader_place(reader);
                reading.reads = gv_reader_stats(reader).reads;
            }
        }
    } while (reading.status == GV_OK || reading.status == GV_INTERRUPTED);
    keep_batch(&reading, reader);
    reading.stats = gv_reader_stats(reader);
    gv_reader_free(reader);
    return reading;
}

/* The first thing in which two readings differ, NULL where there is none. */
static const char *
difference(const struct reading *a, const struct reading *b)
{
    const struct gv_reader_stats *x = &a->stats, *y = &b->stats;
    const struct {
        const char *what;
        bool is_same;
    } parts[] = {
        {"end", a->status == b->status},
        {"fault", a->status == GV_END || memcmp(&a->error, &b->error, sizeof a->error) == 0},
        {"size of the columns", a->size == b->size},
        {"columns", a->size == b->size && memcmp(a->columns, b->columns, a->size) == 0},
        {"reads", x->reads == y->reads},
        {"skipped", x->skipped == y->skipped},
        {"kept", x->kept == y->kept},
        {"unplaced", x->unplaced == y->unplaced},
        {"wrapped", x->wrapped == y->wrapped},
        {"sources", x->sources == y->sources},
        {"missing end blocks", x->missing_end_blocks == y->missing_end_blocks},
        {"bases", x->sums.bases == y->sums.bases},
        {"known bases", x->sums.known_bases == y->sums.known_bases},
        {"GC bases", x->sums.gc_bases == y->sums.gc_bases},
        {"sum of Phred scores", x->sums.phred_sum == y->sums.phred_sum},
        /* Behind a fault, what was read ahead depends on the cut. */
        {"bytes read", a->status != GV_END || x->bytes_in == y->bytes_in},
        {"bytes of text", a->status != GV_END || x->text_bytes == y->text_bytes},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].is_same) {
            return parts[i].what;
        }
    }
    return NULL;
}

static void
check(const struct reading *wanted, const struct settings *settings, const struct gv_scan_ops *ops,
      const uint8_t *text, size_t size, struct cut cut)
{
    struct reading found = read_text(settings, ops, text, size, cut);
    const char *what = difference(wanted, &found);
    if (what != NULL) {
        (void)fprintf(stderr, "fuzz_fastq: variant %s, text ", ops->name);
        print_cut(cut);
        (void)fprintf(stderr, ": another %s: %" PRIu64 " reads, ", what, found.stats.reads);
        print_error(found.status, &found.error);
        (void)fprintf(stderr, "; not as scalar, text whole: %" PRIu64 " reads, ",
                      wanted->stats.reads);
        print_error(wanted->status, &wanted->error);
        (void)fprintf(stderr, "\n");
        abort();
    }
    free(found.columns);
}

/* A reader of the rest, from where the first batch ended, must read the same as the one before. */
static void
check_rest(const struct reading *whole, const struct settings *settings,
           const struct gv_scan_ops *ops, const uint8_t *text, size_t size)
{
    struct settings resumed = *settings;
    resumed.options.begin = whole->place;
    resumed.options.first_ordinal = whole->reads;
    size_t offset = (size_t)whole->place.offset;
    struct reading rest = read_text(&resumed, ops, text + offset, size - offset, WHOLE);
    size_t left = whole->size - whole->first_batch;
    bool is_same =
        rest.status == whole->status && rest.size == left &&
        (left == 0 || memcmp(rest.columns, whole->columns + whole->first_batch, left) == 0) &&
        rest.stats.reads + whole->reads == whole->stats.reads &&
        (rest.status == GV_END || memcmp(&rest.error, &whole->error, sizeof rest.error) == 0);
    if (!is_same) {
        (void)fprintf(stderr,
                      "fuzz_fastq: variant %s: from byte %zu on it reads other than all at once\n",
                      ops->name, offset);
        abort();
    }
    free(rest.columns);
}

/* Reads the text in all ways.  Whether it has a record at fault. */
static bool
check_all(const struct settings *settings, const uint8_t *text, size_t size)
{
    struct reading wanted = read_text(settings, gv_scan_find("scalar"), text, size, WHOLE);
    for (const struct gv_scan_ops *const *ops = gv_scan_variants(); *ops != NULL; ops++) {
        if (!(*ops)->is_supported()) {
            continue;
        }
        uint64_t random = seed_of(text, size);
        check(&wanted, settings, *ops, text, size, WHOLE);
        if (wanted.place.line > 0) {
            check_rest(&wanted, settings, *ops, text, size);
        }
        for (size_t i = 0; i < count_cuts(size); i++) {
            check(&wanted, settings, *ops, text, size, draw_cut(i, size, &random));
        }
    }
    free(wanted.columns);
    return gv_fastq_is_of_record(wanted.status);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_usual = size < 2 || data[0] == '@';
    struct settings settings = is_usual ? choose('0', '0') : choose(data[0], data[1]);
    const uint8_t *text = is_usual ? data : data + 2;
    size -= is_usual ? 0 : 2;
    if (check_all(&settings, text, size)) {
        settings.skips = true;
        (void)check_all(&settings, text, size);
    }
    return 0;
}
