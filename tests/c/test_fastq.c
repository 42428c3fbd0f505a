#define _GNU_SOURCE
#include "check.h"
#include "guard.h"
#include "gv.h"

#include <stdlib.h>

#define TEXT(literal) (literal), sizeof(literal) - 1
#define NO_CAP ((size_t)1 << 30)

struct settings {
    uint8_t zero;
    enum gv_alphabet alphabet;
    size_t cap;
};

static const struct settings phred33 = {GV_PHRED33_ZERO, GV_ALPHABET_ANY, NO_CAP};
static const struct settings phred64 = {GV_PHRED64_ZERO, GV_ALPHABET_ANY, NO_CAP};
static const struct settings dna = {GV_PHRED33_ZERO, GV_ALPHABET_DNA, NO_CAP};
static const struct settings iupac = {GV_PHRED33_ZERO, GV_ALPHABET_IUPAC, NO_CAP};

/* All that a text gave: its records as "name|sequence|qualities;", and how it ended. */
struct outcome {
    uint8_t log[4096];
    size_t log_size;
    size_t records;
    enum gv_status status;
    struct gv_error error;
    bool wrapped;
};

static struct guard room;

static void
append(struct outcome *outcome, const uint8_t *bytes, size_t size, char after)
{
    REQUIRE(outcome->log_size + size + 1 <= sizeof outcome->log);
    memcpy(outcome->log + outcome->log_size, bytes, size);
    outcome->log[outcome->log_size + size] = (uint8_t)after;
    outcome->log_size += size + 1;
}

static void
check_measures(const struct gv_record *record, uint8_t zero)
{
    struct gv_bases bases = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < record->length; i++) {
        uint8_t letter = record->sequence[i] | 0x20;
        bases.a += letter == 'a';
        bases.c += letter == 'c';
        bases.g += letter == 'g';
        bases.t += letter == 't' || letter == 'u';
        sum += (uint64_t)record->qualities[i] - zero;
    }
    CHECK_U(record->bases.a, bases.a);
    CHECK_U(record->bases.c, bases.c);
    CHECK_U(record->bases.g, bases.g);
    CHECK_U(record->bases.t, bases.t);
    CHECK_U(record->bases.bad, 0);
    CHECK_U(record->phred_sum, sum);
}

/* Parses with `at_hand` bytes of the text to begin with and `step` more whenever more are asked
 * for; the end is told only when asked for beyond the last byte, or at once with step 0.  The
 * text stands before a page that cannot be read. */
static void
parse(struct gv_fastq *parser, const uint8_t *text, size_t size, size_t at_hand, size_t step,
      struct outcome *outcome)
{
    size_t begin = 0;
    bool at_end = step == 0;
    *outcome = (struct outcome){.status = GV_OK};
    for (;;) {
        struct gv_record record;
        size_t held = at_hand - begin, used = SIZE_MAX;
        uint8_t *copy = room.end - held;
        memcpy(copy, text + begin, held);
        enum gv_status status =
            gv_fastq_next(parser, copy, held, at_end, &record, &used, &outcome->error);
        REQUIRE(used <= held);
        if (status == GV_OK) {
            CHECK(used > 0);
            CHECK_BYTES(copy + used, text + begin + used, held - used);
            append(outcome, record.name, record.name_size, '|');
            append(outcome, record.sequence, record.length, '|');
            append(outcome, record.qualities, record.length, ';');
            check_measures(&record, parser->zero);
            outcome->records++;
        } else {
            CHECK_BYTES(copy, text + begin, held);
        }
        begin += used;
        if (status == GV_NEED_MORE) {
            /* A blank tail longer than the cap is passed over in steps. */
            CHECK(!at_end || used > 0);
            at_end = at_end || at_hand == size;
            at_hand = gv_min_size(size, at_hand + step);
        } else if (status != GV_OK) {
            outcome->status = status;
            break;
        }
    }
    if (outcome->status == GV_END) {
        outcome->error = (struct gv_error){0};
        CHECK(at_end);
        CHECK_U(begin, size);
        CHECK_U(parser->offset, size);
    } else {
        CHECK_NAMES(outcome->error.status, outcome->status);
        CHECK_U(outcome->error.input_offset, 0);
    }
    CHECK_U(parser->record, outcome->records + 1);
    outcome->wrapped = parser->wrapped;
}

static void
check_same(const struct outcome *a, const struct outcome *b)
{
    CHECK_NAMES(a->status, b->status);
    CHECK_U(a->records, b->records);
    CHECK(a->wrapped == b->wrapped);
    CHECK_U(a->log_size, b->log_size);
    CHECK_BYTES(a->log, b->log, gv_min_size(a->log_size, b->log_size));
    CHECK_STRING(gv_field_name(a->error.field), gv_field_name(b->error.field));
    CHECK_U(a->error.offset, b->error.offset);
    CHECK_U(a->error.line, b->error.line);
    CHECK_U(a->error.record, b->error.record);
    CHECK_I(a->error.detail, b->error.detail);
    CHECK_I(a->error.expected, b->error.expected);
}

static void
show(const char *what, const uint8_t *text, size_t size, size_t cut)
{
    char shown[160];
    size_t n = 0;
    for (size_t i = 0; i < size && n < sizeof shown - 5; i++) {
        n += (size_t)snprintf(shown + n, sizeof shown - n,
                              text[i] >= ' ' && text[i] < 0x7f ? "%c" : "\\x%02x", text[i]);
    }
    shown[n] = '\0';
    check_case("%s \"%s\" cut at %zu", what, shown, cut);
}

/* The outcome of a text, the same however it is cut and by whichever kernels. */
static void
parse_every_way(const char *what, const uint8_t *text, size_t size, const struct settings *settings,
                struct outcome *outcome)
{
    struct gv_fastq parser;
    for (const struct gv_scan_ops *const *ops = gv_scan_variants(); *ops != NULL; ops++) {
        gv_fastq_init(&parser, *ops, settings->zero, settings->alphabet, settings->cap);
        show(what, text, size, size);
        parse(&parser, text, size, size, 0, outcome);
        for (size_t cut = 0; cut <= size; cut++) {
            struct outcome other;
            show(what, text, size, cut);
            gv_fastq_restart(&parser);
            parse(&parser, text, size, cut, size, &other);
            check_same(&other, outcome);
        }
        struct outcome other;
        gv_fastq_restart(&parser);
        parse(&parser, text, size, 0, 1, &other);
        check_same(&other, outcome);
    }
    show(what, text, size, size);
}

static void
check_records(const char *text, size_t size, const char *records, size_t records_size,
              const struct settings *settings, bool wrapped)
{
    struct outcome outcome;
    parse_every_way("sound", (const uint8_t *)text, size, settings, &outcome);
    CHECK_NAMES(outcome.status, GV_END);
    CHECK_U(outcome.log_size, records_size);
    CHECK_BYTES(outcome.log, records, gv_min_size(outcome.log_size, records_size));
    CHECK(outcome.wrapped == wrapped);
}

/* Four-line texts that are sound, and what they hold. */
static void
test_four_lines(void)
{
    static const struct {
        const char *text;
        size_t size;
        const char *records;
        size_t records_size;
    } cases[] = {
        {TEXT(""), TEXT("")},
        {TEXT("@r1\nACGT\n+\nIIII\n"), TEXT("r1|ACGT|IIII;")},
        {TEXT("@a\nAC\n+\nIH\n@b\nGTT\n+\n!~5\n"), TEXT("a|AC|IH;b|GTT|!~5;")},
        {TEXT("@a\r\nAC\r\n+\r\nIH\r\n@b\r\nG\r\n+\r\n!\r\n"), TEXT("a|AC|IH;b|G|!;")},
        {TEXT("@a\nAC\r\n+\nIH\r\n@b\r\nG\n+\r\n!\n"), TEXT("a|AC|IH;b|G|!;")},
        {TEXT("@a\nAC\n+\nIH"), TEXT("a|AC|IH;")},
        {TEXT("@a\nAC\n+\nIH\r"), TEXT("a|AC|IH;")},
        /* the header again */
        {TEXT("@a b\nAC\n+a b\nIH\n@b\nG\n+\n!\n"), TEXT("a b|AC|IH;b|G|!;")},
        {TEXT("@a b\r\nAC\n+a b\nIH\n"), TEXT("a b|AC|IH;")},
        {TEXT("@a b\nAC\n+a b\r\nIH\n"), TEXT("a b|AC|IH;")},
        /* names of any bytes, and of none */
        {TEXT("@\nAC\n+\nIH\n"), TEXT("|AC|IH;")},
        {TEXT("@\r\nAC\n+\r\nIH\n"), TEXT("|AC|IH;")},
        {TEXT("@a\0\xff\t\r b\r\r\nAC\n+\nIH\n"), TEXT("a\0\xff\t\r b\r|AC|IH;")},
        {TEXT("@@a\nAC\n+@a\nIH\n"), TEXT("@a|AC|IH;")},
        {TEXT("@a\nAC\n+\nIH\n@a\nAC\n+\nIH\n"), TEXT("a|AC|IH;a|AC|IH;")},
        /* empty reads */
        {TEXT("@a\n\n+\n\n"), TEXT("a||;")},
        {TEXT("@a\n\n+\n"), TEXT("a||;")},
        {TEXT("@a\r\n\r\n+\r\n\r\n"), TEXT("a||;")},
        {TEXT("@a\n\n+\n\r"), TEXT("a||;")},
        {TEXT("@a\n\n+\n\n@b\nG\n+\n!\n"), TEXT("a||;b|G|!;")},
        {TEXT("@b\nG\n+\n!\n@a\n\n+a\n"), TEXT("b|G|!;a||;")},
        /* lines are told apart by their count */
        {TEXT("@a\n@AC\n+\n@@@\n"), TEXT("a|@AC|@@@;")},
        {TEXT("@a\n+AC\n+\n+++\n"), TEXT("a|+AC|+++;")},
        {TEXT("@a\n+\n+\n+\n@b\n@\n+\n@\n"), TEXT("a|+|+;b|@|@;")},
        /* blank lines after the last record */
        {TEXT("\n"), TEXT("")},
        {TEXT("\r"), TEXT("")},
        {TEXT("\r\n\n\r\n"), TEXT("")},
        {TEXT("@a\nAC\n+\nIH\n\n\r\n\n"), TEXT("a|AC|IH;")},
        {TEXT("@a\nAC\n+\nIH\n\r"), TEXT("a|AC|IH;")},
        {TEXT("@a\nAC\n+\nIH\n\n\n\r"), TEXT("a|AC|IH;")},
        {TEXT("@a\n\n+\n\n\n"), TEXT("a||;")},
        /* every byte that a line may hold */
        {TEXT("@a\n!\"#$%&'()*,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklm"
              "nopqrstuvwxyz{|}~+@\n+\n!\"#$%&'()*,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ"
              "[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~+@\n"),
         TEXT("a|!\"#$%&'()*,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmno"
              "pqrstuvwxyz{|}~+@|!\"#$%&'()*,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`"
              "abcdefghijklmnopqrstuvwxyz{|}~+@;")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_records(cases[i].text, cases[i].size, cases[i].records, cases[i].records_size,
                      &phred33, false);
    }
}

static void
test_wrapped(void)
{
    static const struct {
        const char *text;
        size_t size;
        const char *records;
        size_t records_size;
    } cases[] = {
        {TEXT("@a\nAC\nG\n+\nIH\n5\n"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\nAC\nG\n+\nIH\n5"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\nAC\nG\n+\nIH\n5\r"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\r\nAC\r\nG\r\n+\r\nIH\r\n5\r\n"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\r\nAC\nG\r\n+a\nI\r\nH\n5\r\n@b\nA\nA\r\n+b\r\nII\n"),
         TEXT("a|ACG|IH5;b|AA|II;")},
        /* sequence and quality broken at different places, or one of them not at all */
        {TEXT("@a\nA\nC\nG\n+\nIH5\n"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\nACG\n+\nI\nH\n5\n"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\nACG\n+\nIH\n5\n@b\nA\n+\nI\n"), TEXT("a|ACG|IH5;b|A|I;")},
        /* after a four-line record, and before one */
        {TEXT("@z\nAA\n+\nII\n@a\nAC\nG\n+\nIH\n5\n@y\nAA\n+y\nII\n"),
         TEXT("z|AA|II;a|ACG|IH5;y|AA|II;")},
        /* a quality line is taken for what it is by its length alone */
        {TEXT("@a\nAC\nGT\n+\n@b\n+I\n"), TEXT("a|ACGT|@b+I;")},
        /* empty reads: an empty line, or none */
        {TEXT("@a\nA\nC\n+\nI\nI\n@b\n\n+\n\n@c\nA\n+\nI\n"), TEXT("a|AC|II;b||;c|A|I;")},
        {TEXT("@a\nA\nC\n+\nI\nI\n@b\n\n+\n"), TEXT("a|AC|II;b||;")},
        {TEXT("@a\nA\nC\n+\nI\nI\n@b\n+\n\n@c\nA\n+\nI\n"), TEXT("a|AC|II;b||;c|A|I;")},
        {TEXT("@a\nA\nC\n+\nI\nI\n@b\n+\n"), TEXT("a|AC|II;b||;")},
        {TEXT("@b\n+\n\n"), TEXT("b||;")},
        {TEXT("@b\n+\n\n@c\nA\n+\nI\n"), TEXT("b||;c|A|I;")},
        {TEXT("@a\nA\nC\n+\nI\nI\n\n\r\n\r"), TEXT("a|AC|II;")},
        /* believed for what follows, or for nothing following */
        {TEXT("@a\nACG\n+\nIH\n5\n\n\r\n\r"), TEXT("a|ACG|IH5;")},
        {TEXT("@a\nACG\n+\nIH\n5\n@b\nACG\n+\nIH\n5\n@c\nA\nC\n+\nII\n"),
         TEXT("a|ACG|IH5;b|ACG|IH5;c|AC|II;")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_records(cases[i].text, cases[i].size, cases[i].records, cases[i].records_size,
                      &phred33, true);
    }
}

static void
test_encodings_and_alphabets(void)
{
    check_records(TEXT("@a\nACGTN\n+\n@Ah}~\n"), TEXT("a|ACGTN|@Ah}~;"), &phred64, false);
    check_records(TEXT("@a\nACGTNacgtn\n+\nIIIIIIIIII\n"), TEXT("a|ACGTNacgtn|IIIIIIIIII;"), &dna,
                  false);
    check_records(TEXT("@a\nACGTURYSWKMBDHVN\n+\nIIIIIIIIIIIIIIII\n"
                       "@b\nacgturyswkmbdhvn\n+\nIIIIIIIIIIIIIIII\n"),
                  TEXT("a|ACGTURYSWKMBDHVN|IIIIIIIIIIIIIIII;"
                       "b|acgturyswkmbdhvn|IIIIIIIIIIIIIIII;"),
                  &iupac, false);
    check_records(TEXT("@a\nAC\nGT\n+\nIIII\n"), TEXT("a|ACGT|IIII;"), &dna, true);
    check_records(TEXT("@a\n\n+\n\n"), TEXT("a||;"), &dna, false);
}

/* Which letters an alphabet takes, of all bytes that a sequence can hold. */
static void
test_every_letter(void)
{
    static const char *const letters[] = {[GV_ALPHABET_DNA] = "ACGTNacgtn",
                                          [GV_ALPHABET_IUPAC] = "ACGTURYSWKMBDHVNacgturyswkmbdhvn"};
    for (unsigned byte = 0x21; byte <= 0x7e; byte++) {
        for (unsigned alphabet = 0; alphabet < GV_ALPHABET_COUNT; alphabet++) {
            char text[] = "@r\nA?C\n+\nIII\n";
            struct gv_fastq parser;
            struct outcome outcome;
            text[4] = (char)byte;
            check_case("letter 0x%02x, alphabet %u", byte, alphabet);
            gv_fastq_init(&parser, gv_scan_find(NULL), 33, (enum gv_alphabet)alphabet, NO_CAP);
            parse(&parser, (const uint8_t *)text, sizeof text - 1, sizeof text - 1, 0, &outcome);
            bool is_sound =
                alphabet == GV_ALPHABET_ANY || strchr(letters[alphabet], (int)byte) != NULL;
            CHECK_NAMES(outcome.status, is_sound ? GV_END : GV_BAD_LETTER);
            CHECK_I(outcome.error.detail, is_sound ? 0 : byte);
        }
    }
}

struct fault_case {
    const char *text;
    size_t size;
    const struct settings *settings;
    enum gv_status status;
    enum gv_field field;
    uint64_t line, record, offset;
    int64_t detail, expected;
    bool wrapped;
};

static void
check_faults(const char *what, const struct fault_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct fault_case *c = &cases[i];
        struct outcome outcome;
        parse_every_way(what, (const uint8_t *)c->text, c->size, c->settings, &outcome);
        CHECK_NAMES(outcome.status, c->status);
        CHECK_STRING(gv_field_name(outcome.error.field), gv_field_name(c->field));
        CHECK_U(outcome.error.line, c->line);
        CHECK_U(outcome.error.record, c->record);
        CHECK_U(outcome.error.offset, c->offset);
        CHECK_I(outcome.error.detail, c->detail);
        CHECK_I(outcome.error.expected, c->expected);
        CHECK(outcome.wrapped == c->wrapped);
    }
}

#define CHECK_FAULTS(cases) check_faults(#cases, cases, sizeof(cases) / sizeof *(cases))
#define H GV_FIELD_HEADER
#define S GV_FIELD_SEQUENCE
#define P GV_FIELD_SEPARATOR
#define Q GV_FIELD_QUALITY

static void
test_faults(void)
{
    static const struct fault_case headers[] = {
        {TEXT("r\nA\n+\nI\n"), &phred33, GV_BAD_HEADER, H, 1, 1, 0, 'r', 0, 0},
        {TEXT(">r\nACGT\n"), &phred33, GV_BAD_HEADER, H, 1, 1, 0, '>', 0, 0},
        {TEXT(" @r\nA\n+\nI\n"), &phred33, GV_BAD_HEADER, H, 1, 1, 0, ' ', 0, 0},
        {TEXT("\r@r\nA\n+\nI\n"), &phred33, GV_BAD_HEADER, H, 1, 1, 0, '\r', 0, 0},
        {TEXT("\0"), &phred33, GV_BAD_HEADER, H, 1, 1, 0, 0, 0, 0},
        {TEXT("\xef\xbb\xbf@r\nA\n+\nI\n"), &phred33, GV_BAD_HEADER, H, 1, 1, 0, 0xef, 0, 0},
        {TEXT("@r\nA\n+\nI\nx"), &phred33, GV_BAD_HEADER, H, 5, 2, 9, 'x', 0, 0},
        {TEXT("@r\nA\n+\nI\nII\n"), &phred33, GV_BAD_HEADER, H, 5, 2, 9, 'I', 0, 0},
        {TEXT("\n@r\nA\n+\nI\n"), &phred33, GV_BLANK_LINE, H, 1, 1, 0, 0, 0, 0},
        {TEXT("@r\nA\n+\nI\n\n\r\n\n@s\nA\n+\nI\n"), &phred33, GV_BLANK_LINE, H, 5, 2, 9, 0, 0, 0},
        {TEXT("@r\nA\n+\nI\n\r\nx"), &phred33, GV_BLANK_LINE, H, 5, 2, 9, 0, 0, 0},
        {TEXT("@r\nA\n+\nI\n\n\rx"), &phred33, GV_BLANK_LINE, H, 5, 2, 9, 0, 0, 0},
    };
    static const struct fault_case sequences[] = {
        {TEXT("@r\nAC G\n+\nIIII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 5, ' ', 0, 0},
        {TEXT("@r\nAC\tG\n+\nIIII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 5, '\t', 0, 0},
        {TEXT("@r\n\0ACG\n+\nIIII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 3, 0, 0, 0},
        {TEXT("@r\nACG\x7f\n+\nIIII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 6, 0x7f, 0, 0},
        {TEXT("@r\nAC\x80\xffG\n+\nIIIII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 5, 0x80, 0, 0},
        {TEXT("@r\nAC\rG\n+\nIIII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 5, '\r', 0, 0},
        {TEXT("@r\nAC\r\r\n+\nII\n"), &phred33, GV_BAD_BYTE, S, 2, 1, 5, '\r', 0, 0},
        {TEXT("@r\rA\r+\rI\r\n \n"), &phred33, GV_BAD_BYTE, S, 2, 1, 10, ' ', 0, 0},
        {TEXT("@r\nA\n+\nI\n@s\nA \n"), &phred33, GV_BAD_BYTE, S, 6, 2, 13, ' ', 0, 0},
        {TEXT("@r\nACXT\n+\nIIII\n"), &dna, GV_BAD_LETTER, S, 2, 1, 5, 'X', 0, 0},
        {TEXT("@r\nACU\r\n+\nIII\n"), &dna, GV_BAD_LETTER, S, 2, 1, 5, 'U', 0, 0},
        {TEXT("@r\nAC@T\n+\nIIII\n"), &iupac, GV_BAD_LETTER, S, 2, 1, 5, '@', 0, 0},
        /* bytes come before letters */
        {TEXT("@r\nAXC G\n+\nIIIII\n"), &dna, GV_BAD_BYTE, S, 2, 1, 6, ' ', 0, 0},
    };
    static const struct fault_case separators[] = {
        {TEXT("@r\nACGT\n-\nIIII\n"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 8, '-', 0, 0},
        {TEXT("@r\nACGT\n\nIIII\n"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 8, '\n', 0, 0},
        {TEXT("@r\nACGT\nIIII\n"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 8, 'I', 0, 0},
        {TEXT("@r\nACGT\n@s\nIIII\n"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 8, '@', 0, 0},
        {TEXT("@r1\nAC\n+r2\nII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 7, 0, 0, 0},
        {TEXT("@r1\nAC\n+r\nII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 7, 0, 0, 0},
        {TEXT("@r1\nAC\n+r1x\nII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 7, 0, 0, 0},
        {TEXT("@r1\nAC\n+ \nII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 7, 0, 0, 0},
        {TEXT("@r1\nAC\n+r1\r\r\nII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 7, 0, 0, 0},
        {TEXT("@\nAC\n+x\nII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 5, 0, 0, 0},
    };
    static const struct fault_case qualities[] = {
        {TEXT("@r\nACGT\n+\nII I\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 12, ' ', 0, 0},
        {TEXT("@r\nACGT\n+\n\x7fIII\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 10, 0x7f, 0, 0},
        {TEXT("@r\nACGT\n+\nIII\x80\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 13, 0x80, 0, 0},
        {TEXT("@r\nACGT\n+\nI\0II\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 11, 0, 0, 0},
        {TEXT("@r\nACGT\n+\nI\rII\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 11, '\r', 0, 0},
        {TEXT("@r\nACGT\n+\nhh?h\n"), &phred64, GV_BAD_BYTE, Q, 4, 1, 12, '?', 0, 0},
        /* bytes come before the length, but not those beyond it */
        {TEXT("@r\nACGT\n+\nI I\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 11, ' ', 0, 0},
        {TEXT("@r\nACGT\n+\nI III II\n"), &phred33, GV_BAD_BYTE, Q, 4, 1, 11, ' ', 0, 0},
        {TEXT("@r\nACGT\n+\nIIII I\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 14, 6, 4, 0},
        {TEXT("@r\nACGT\n+\nIII\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 13, 3, 4, 0},
        {TEXT("@r\nACGT\n+\nIII\r\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 13, 3, 4, 0},
        {TEXT("@r\nACGT\n+\n\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 10, 0, 4, 0},
        {TEXT("@r\nACGT\n+\nIIIII\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 14, 5, 4, 0},
        {TEXT("@r\nACGT\n+\nIIIII"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 14, 5, 4, 0},
        {TEXT("@r\nACGT\n+\nIIIII\r"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 14, 5, 4, 0},
        {TEXT("@r\n\n+\nI\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 6, 1, 0, 0},
        {TEXT("@r\n\n+\n@s\nA\n+\nI\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 6, 2, 0, 0},
        {TEXT("@r\nAC\n+\nI\n@s\nA\n+\nI\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 9, 1, 2, 0},
    };
    CHECK_FAULTS(headers);
    CHECK_FAULTS(sequences);
    CHECK_FAULTS(separators);
    CHECK_FAULTS(qualities);
}

static void
test_cut_inputs(void)
{
    static const struct fault_case cut[] = {
        {TEXT("@"), &phred33, GV_TRUNCATED, H, 1, 1, 1, 0, 0, 0},
        {TEXT("@r"), &phred33, GV_TRUNCATED, H, 1, 1, 2, 0, 0, 0},
        {TEXT("@r\r"), &phred33, GV_TRUNCATED, H, 1, 1, 3, 0, 0, 0},
        {TEXT("@r\n"), &phred33, GV_TRUNCATED, S, 2, 1, 3, 0, 0, 0},
        {TEXT("@r\nAC"), &phred33, GV_TRUNCATED, S, 2, 1, 5, 0, 0, 0},
        {TEXT("@r\nAC\r"), &phred33, GV_TRUNCATED, S, 2, 1, 6, 0, 0, 0},
        {TEXT("@r\nAC\n"), &phred33, GV_TRUNCATED, P, 3, 1, 6, 0, 0, 0},
        {TEXT("@r\nAC\n+"), &phred33, GV_TRUNCATED, P, 3, 1, 7, 0, 0, 0},
        {TEXT("@r\nAC\n+\r"), &phred33, GV_TRUNCATED, P, 3, 1, 8, 0, 0, 0},
        {TEXT("@rs\nAC\n+r"), &phred33, GV_TRUNCATED, P, 3, 1, 9, 0, 0, 0},
        {TEXT("@rs\nAC\n+rs"), &phred33, GV_TRUNCATED, P, 3, 1, 10, 0, 0, 0},
        {TEXT("@r\nAC\n+\n"), &phred33, GV_TRUNCATED, Q, 4, 1, 8, 0, 0, 0},
        {TEXT("@r\nAC\n+\nI"), &phred33, GV_TRUNCATED, Q, 4, 1, 9, 0, 0, 0},
        {TEXT("@r\nAC\n+\nI\r"), &phred33, GV_TRUNCATED, Q, 4, 1, 10, 0, 0, 0},
        {TEXT("@r\n\n+"), &phred33, GV_TRUNCATED, P, 3, 1, 5, 0, 0, 0},
        {TEXT("@r\nA\n+\nI\n@s\nACG\n+\nII"), &phred33, GV_TRUNCATED, Q, 8, 2, 20, 0, 0, 0},
        /* A sequence "+" whose separator is cut off; the wrapped reading would make an empty
         * record of it and lose a base. */
        {TEXT("@r\n+\n"), &phred33, GV_TRUNCATED, P, 3, 1, 5, 0, 0, 0},
        {TEXT("@r\n+r\n"), &phred33, GV_TRUNCATED, P, 3, 1, 6, 0, 0, 0},
        /* What is wrong before the cut comes first. */
        {TEXT("@r\nA C"), &phred33, GV_BAD_BYTE, S, 2, 1, 4, ' ', 0, 0},
        {TEXT("@r\nAC\nA"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 6, 'A', 0, 0},
        {TEXT("@r\nACG\n+\nI "), &phred33, GV_BAD_BYTE, Q, 4, 1, 10, ' ', 0, 0},
    };
    /* The same for a fault that only the rest of a line could have undone, but cannot. */
    static const struct fault_case cut_letters[] = {
        {TEXT("@r\nAXC"), &dna, GV_BAD_LETTER, S, 2, 1, 4, 'X', 0, 0},
    };
    static const struct fault_case cut_separators[] = {
        {TEXT("@r\nAC\n+s"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 6, 0, 0, 0},
        {TEXT("@r\nAC\n+rs"), &phred33, GV_SEPARATOR_MISMATCH, P, 3, 1, 6, 0, 0, 0},
    };
    CHECK_FAULTS(cut);
    CHECK_FAULTS(cut_letters);
    CHECK_FAULTS(cut_separators);
}

/* A first record that shows beyond doubt that the text is wrapped; it ends with line 6, byte 17. */
#define WRAPPED "@w\nAC\nGT\n+\nII\nII\n"

/* One that may as well be a four-line record with a short quality line; 5 lines, 16 bytes. */
#define DOUBTFUL "@u\nACGT\n+\nII\nII\n"

static void
test_wrapped_faults(void)
{
    static const struct fault_case confirmed[] = {
        {TEXT(WRAPPED "x"), &phred33, GV_BAD_HEADER, H, 7, 2, 17, 'x', 0, 1},
        {TEXT(WRAPPED "\n@r\nA\n+\nI\n"), &phred33, GV_BLANK_LINE, H, 7, 2, 17, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n\nG\n+\nIII\n"), &phred33, GV_BLANK_LINE, S, 9, 2, 23, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n\r\nG\n+\nIII\n"), &phred33, GV_BLANK_LINE, S, 9, 2, 23, 0, 0, 1},
        {TEXT(WRAPPED "@r\n\nAC\n+\nII\n"), &phred33, GV_BLANK_LINE, S, 9, 2, 21, 0, 0, 1},
        {TEXT(WRAPPED "@r\n\n\n+\n\n"), &phred33, GV_BLANK_LINE, S, 9, 2, 21, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\nG T\n"), &phred33, GV_BAD_BYTE, S, 9, 2, 24, ' ', 0, 1},
        {TEXT(WRAPPED "@r\nAC\nGX\n+\n"), &dna, GV_BAD_LETTER, S, 9, 2, 24, 'X', 0, 1},
        {TEXT(WRAPPED "@r\nAC\nG\n+x\nIII\n"), &phred33, GV_SEPARATOR_MISMATCH, P, 10, 2, 25, 0, 0,
         1},
        {TEXT(WRAPPED "@r\nAC\nG\n+\nI I\n"), &phred33, GV_BAD_BYTE, Q, 11, 2, 28, ' ', 0, 1},
        {TEXT(WRAPPED "@r\nAC\nG\n+\nII\nII\n"), &phred33, GV_LENGTH_MISMATCH, Q, 12, 2, 31, 4, 3,
         1},
        {TEXT(WRAPPED "@r\nAC\nG\n+\nII\n\nI\n"), &phred33, GV_LENGTH_MISMATCH, Q, 12, 2, 30, 2, 3,
         1},
        {TEXT(WRAPPED "@r\n+\nI\n"), &phred33, GV_LENGTH_MISMATCH, Q, 9, 2, 22, 1, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n@s\nAC\n+\nII\n"), &phred33, GV_BAD_SEPARATOR, S, 9, 2, 23, '@', 0,
         1},
        {TEXT(WRAPPED "@r"), &phred33, GV_TRUNCATED, H, 7, 2, 19, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC"), &phred33, GV_TRUNCATED, S, 8, 2, 22, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n"), &phred33, GV_TRUNCATED, S, 9, 2, 23, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n+"), &phred33, GV_TRUNCATED, P, 9, 2, 24, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n+\nI"), &phred33, GV_TRUNCATED, Q, 10, 2, 26, 0, 0, 1},
        {TEXT(WRAPPED "@r\nAC\n+\nI\n"), &phred33, GV_TRUNCATED, Q, 11, 2, 27, 0, 0, 1},
    };
    /* The four-line fault, unless what follows is sound. */
    static const struct fault_case doubtful[] = {
        {TEXT(DOUBTFUL "x"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 12, 2, 4, 0},
        {TEXT(DOUBTFUL "@r\nA C\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 12, 2, 4, 0},
        {TEXT(DOUBTFUL "@r\nAC\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 12, 2, 4, 0},
        {TEXT(DOUBTFUL "@r\nAC\n@s\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 12, 2, 4, 0},
        {TEXT(DOUBTFUL "\n@r\nAC\n+\nII\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 12, 2, 4, 0},
        {TEXT(DOUBTFUL WRAPPED "x"), &phred33, GV_BAD_HEADER, H, 12, 3, 33, 'x', 0, 1},
        {TEXT(DOUBTFUL DOUBTFUL "x"), &phred33, GV_BAD_HEADER, H, 11, 3, 32, 'x', 0, 1},
        /* a quality line one too short takes the next header with it */
        {TEXT("@u\nACGT\n+\nI\n@r\nAC\n+\nII\n"), &phred33, GV_LENGTH_MISMATCH, Q, 4, 1, 11, 1, 4,
         0},
    };
    static const struct fault_case never_wrapped[] = {
        {TEXT("@r\nAC\nGT\n+\nII\n"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 6, 'G', 0, 0},
        {TEXT("@r\nAC\nGT\n+\nII\nI"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 6, 'G', 0, 0},
        {TEXT("@r\nAC\nGT\n+\nII\nIII\n"), &phred33, GV_BAD_SEPARATOR, P, 3, 1, 6, 'G', 0, 0},
    };
    CHECK_FAULTS(confirmed);
    CHECK_FAULTS(doubtful);
    CHECK_FAULTS(never_wrapped);
}

/* A record with its line ends may take as many bytes as the cap, whatever follows it. */
static void
test_cap(void)
{
    static const struct settings cap14 = {33, GV_ALPHABET_ANY, 14},
                                 cap15 = {33, GV_ALPHABET_ANY, 15},
                                 cap16 = {33, GV_ALPHABET_ANY, 16},
                                 cap17 = {33, GV_ALPHABET_ANY, 17};
    check_records(TEXT("@r\nACGT\n+\nIIII\n"), TEXT("r|ACGT|IIII;"), &cap15, false);
    check_records(TEXT("@r\nACGT\n+\nIIII\n@s\nACGT\n+\nIIII\n"), TEXT("r|ACGT|IIII;s|ACGT|IIII;"),
                  &cap15, false);
    check_records(TEXT("@r\nACGT\n+\nIIII"), TEXT("r|ACGT|IIII;"), &cap14, false);
    check_records(TEXT(WRAPPED WRAPPED), TEXT("w|ACGT|IIII;w|ACGT|IIII;"), &cap17, true);
    /* blank lines are no record */
    check_records(TEXT("@r\nACGT\n+\nIIII\n\n\n\n\n\n\r\n\n\n\n\n\n\n\r\n\n\n\n\n\n\n\r"),
                  TEXT("r|ACGT|IIII;"), &cap15, false);
    static const struct fault_case too_long[] = {
        {TEXT("@r\nACGT\n+\nIIII\n"), &cap14, GV_RECORD_TOO_LONG, GV_FIELD_NONE, 1, 1, 0, 0, 14, 0},
        {TEXT("@r\nACGTA\n+\nIIIII"), &cap15, GV_RECORD_TOO_LONG, GV_FIELD_NONE, 1, 1, 0, 0, 15, 0},
        {TEXT("@r\nA\n+\nI\n@s\nACGTACGTACGT"), &cap14, GV_RECORD_TOO_LONG, GV_FIELD_NONE, 5, 2, 9,
         0, 14, 0},
        {TEXT("@rrrrrrrrrrrrrrrrrrrrrrrrr"), &cap14, GV_RECORD_TOO_LONG, GV_FIELD_NONE, 1, 1, 0, 0,
         14, 0},
        {TEXT(WRAPPED "@r\nACG\nACG\n+\nIIIIII\n"), &cap17, GV_RECORD_TOO_LONG, GV_FIELD_NONE, 7, 2,
         17, 0, 17, 1},
        /* a fault counts where it lies within the cap, and not where it lies beyond it */
        {TEXT("@r\nACGTACGTAC T"), &cap14, GV_BAD_BYTE, S, 2, 1, 13, ' ', 0, 0},
        {TEXT("@r\nACGTACGTACG T"), &cap14, GV_RECORD_TOO_LONG, GV_FIELD_NONE, 1, 1, 0, 0, 14, 0},
        /* a four-line fault that wrapping does not explain within the cap */
        {TEXT(WRAPPED), &cap16, GV_BAD_SEPARATOR, P, 3, 1, 6, 'G', 0, 0},
    };
    CHECK_FAULTS(too_long);
}

/* Short texts of the bytes that matter, most of them wrong: no answer may depend on the cut. */
static void
test_random_texts(void)
{
    static const char *const pieces[] = {"@",     "+",  "\n",   "\n",    "\r\n",   "\r",
                                         "A",     "AC", "I",    "II",    " ",      "@r\n",
                                         "\n+\n", "X",  "\n\n", WRAPPED, DOUBTFUL, "@r\nA\n+\nI\n"};
    static const struct settings settings[] = {{33, GV_ALPHABET_ANY, NO_CAP},
                                               {33, GV_ALPHABET_DNA, NO_CAP},
                                               {33, GV_ALPHABET_ANY, 12},
                                               {64, GV_ALPHABET_ANY, NO_CAP}};
    uint64_t seed = 5;
    for (int round = 0; round < 4000; round++) {
        uint8_t text[256];
        size_t size = 0;
        for (size_t n = 1 + check_below(&seed, 12); n > 0; n--) {
            const char *piece = pieces[check_below(&seed, sizeof pieces / sizeof *pieces)];
            memcpy(text + size, piece, strlen(piece));
            size += strlen(piece);
        }
        struct outcome outcome;
        parse_every_way("random", text, size, &settings[round % 4], &outcome);
    }
}

static void
test_restart(void)
{
    static const char wrapped[] = WRAPPED "@r\nAC\n\n";
    static const char four_lines[] = "@a\n@C\n+\nII\n\n";
    struct gv_fastq parser;
    struct outcome outcome;
    check_case("%s", "restart");
    gv_fastq_init(&parser, gv_scan_find(NULL), 33, GV_ALPHABET_ANY, NO_CAP);
    CHECK(parser.offset == 0 && parser.line == 1 && parser.record == 1 && !parser.wrapped);
    for (int i = 0; i < 2; i++) {
        parse(&parser, (const uint8_t *)wrapped, sizeof wrapped - 1, sizeof wrapped - 1, 0,
              &outcome);
        CHECK_NAMES(outcome.status, GV_BLANK_LINE);
        CHECK_U(outcome.error.line, 9);
        gv_fastq_restart(&parser);
        CHECK(parser.offset == 0 && parser.line == 1 && parser.record == 1 && !parser.wrapped);
        parse(&parser, (const uint8_t *)four_lines, sizeof four_lines - 1, sizeof four_lines - 1, 0,
              &outcome);
        CHECK_NAMES(outcome.status, GV_END);
        CHECK_U(outcome.records, 1);
        gv_fastq_restart(&parser);
    }
}

/* Kernels that know their text: one line of sequence, one of quality, both too long to write. */
static size_t line_length;

static size_t
known_sequence(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    (void)text;
    bases->a += line_length;
    return gv_min_size(line_length, size);
}

static void
known_quality(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *qualities)
{
    (void)text;
    qualities->sum += (uint64_t)size * zero;
}

static void
test_reads_of_many_bases(void)
{
    static const struct gv_scan_ops ops = {
        .name = "known", .sequence = known_sequence, .quality = known_quality};
    size_t most = UINT32_MAX, mapped = 2 * most + 4096;
    uint8_t *text = mmap(NULL, mapped, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (text == MAP_FAILED) {
        return; /* a machine that has no such address space to give has no such read either */
    }
    for (line_length = most; line_length <= most + 1; line_length++) {
        check_case("%zu bases", line_length);
        size_t size = 0;
        memcpy(text, "@r\n", 3);
        memcpy(text + 3 + line_length, "\n+\n", 3);
        text[6 + 2 * line_length] = '\n';
        size = 7 + 2 * line_length;
        struct gv_fastq parser;
        struct gv_record record;
        struct gv_error error = {0};
        size_t used = 0;
        gv_fastq_init(&parser, &ops, 33, GV_ALPHABET_ANY, (size_t)1 << 40);
        enum gv_status status = gv_fastq_next(&parser, text, size, true, &record, &used, &error);
        if (line_length == most) {
            CHECK_NAMES(status, GV_OK);
            CHECK_U(record.length, UINT32_MAX);
            CHECK_U(record.bases.a, UINT32_MAX);
            CHECK_U(used, size);
        } else {
            CHECK_NAMES(status, GV_READ_TOO_LONG);
            CHECK_NAMES(error.status, GV_READ_TOO_LONG);
            CHECK_U(error.line, 2);
            CHECK_U(error.record, 1);
            CHECK_STRING(gv_field_name(error.field), "sequence");
        }
        memset(text + 3 + line_length, 0, 3);
        text[6 + 2 * line_length] = 0;
    }
    (void)munmap(text, mapped);
}

static uint64_t scanned_bytes;

static size_t
counting_sequence(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    size_t length = gv_scan_find("scalar")->sequence(text, size, bases);
    scanned_bytes += length;
    return length;
}

static void
counting_quality(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *qualities)
{
    scanned_bytes += size;
    gv_scan_find("scalar")->quality(text, size, zero, qualities);
}

/* Before the fix, a line of quality was taken for all that was still to come of it whenever a line
 * end happened to stand there, and a record of n short lines was scanned n times. */
static void
test_wrapped_records_are_scanned_once(void)
{
    for (size_t width = 1; width <= 80; width += 79) {
        size_t lines = 4000, size = 3 + 2 * lines * (width + 1) + 2;
        uint8_t *text = malloc(size);
        REQUIRE(text != NULL);
        memcpy(text, "@r\n", 3);
        uint8_t *at = text + 3;
        for (size_t line = 0; line < 2 * lines; line++) {
            if (line == lines) {
                memcpy(at, "+\n", 2);
                at += 2;
            }
            memset(at, line < lines ? 'A' : 'I', width);
            at[width] = '\n';
            at += width + 1;
        }
        struct gv_scan_ops ops = *gv_scan_find("scalar");
        ops.sequence = counting_sequence;
        ops.quality = counting_quality;
        struct gv_fastq parser;
        struct gv_record record;
        struct gv_error error;
        size_t used;
        scanned_bytes = 0;
        gv_fastq_init(&parser, &ops, 33, GV_ALPHABET_ANY, (size_t)1 << 40);
        CHECK_NAMES(gv_fastq_next(&parser, text, size, true, &record, &used, &error), GV_OK);
        CHECK_U(record.length, lines * width);
        CHECK(scanned_bytes <= 2 * size);
        free(text);
    }
}

int
main(void)
{
    room = guard_new(4096);
    test_four_lines();
    test_wrapped();
    test_encodings_and_alphabets();
    test_every_letter();
    test_faults();
    test_cut_inputs();
    test_wrapped_faults();
    test_cap();
    test_random_texts();
    test_restart();
    test_reads_of_many_bases();
    test_wrapped_records_are_scanned_once();
    guard_free(&room);
    return check_result();
}
