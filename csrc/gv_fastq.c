#include "gv_fastq.h"

void
gv_fastq_init(struct gv_fastq *parser, const struct gv_scan_ops *ops, uint8_t zero,
              enum gv_alphabet alphabet, size_t max_record_bytes)
{
    *parser = (struct gv_fastq){
        .ops = ops,
        .zero = zero,
        .alphabet = alphabet,
        .max_record_bytes = max_record_bytes,
    };
    gv_fastq_restart(parser);
}

void
gv_fastq_restart(struct gv_fastq *parser)
{
    parser->mode = GV_FASTQ_FOUR_LINES;
    parser->wrapped = parser->is_past_fault = false;
    parser->offset = 0;
    parser->line = parser->record = 1;
}

void
gv_fastq_resume(struct gv_fastq *parser, const struct gv_fastq_place *place)
{
    gv_fastq_restart(parser);
    parser->mode = place->wrapped ? GV_FASTQ_WRAPPED : GV_FASTQ_FOUR_LINES;
    parser->wrapped = place->wrapped;
    parser->offset = place->offset;
    parser->line = place->line;
    parser->record = place->record;
}

struct gv_fastq_place
gv_fastq_place(const struct gv_fastq *parser)
{
    struct gv_fastq_place place = {
        .offset = parser->offset,
        .line = parser->line,
        .record = parser->record,
        .wrapped = parser->wrapped,
    };
    if (parser->mode == GV_FASTQ_BLANK_TAIL) {
        place.offset = parser->first_blank.offset;
        place.line = parser->first_blank.line;
    } else if (parser->is_past_fault) {
        place.offset = parser->fault_offset;
        place.line = parser->fault_line;
        place.record--;
    }
    return place;
}

/* ---------------------------------------------------------------------------------------------
 * A reading: one attempt at one record, a line at a time
 * ------------------------------------------------------------------------------------------ */

/* Invariant: start <= at <= end; `line` line ends stand in [start, at). */
struct reading {
    const struct gv_fastq *parser;
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    bool at_end; /* nothing follows `end` */
    uint64_t line;
    struct gv_error *error;
};

static size_t
left(const struct reading *r)
{
    return (size_t)(r->end - r->at);
}

static enum gv_status
fault(const struct reading *r, enum gv_status status, enum gv_field field, const uint8_t *where,
      uint64_t detail, uint64_t expected)
{
    *r->error = (struct gv_error){
        .status = status,
        .field = field,
        .offset = r->parser->offset + (uint64_t)(where - r->start),
        .line = r->parser->line + r->line,
        .record = r->parser->record,
        .detail = (int64_t)detail,
        .expected = (int64_t)expected,
    };
    return status;
}

/* The text ends before the line at hand is whole. */
static enum gv_status
ends_early(const struct reading *r, enum gv_field field)
{
    return r->at_end ? fault(r, GV_TRUNCATED, field, r->end, 0, 0) : GV_NEED_MORE;
}

/* The first byte outside least..most; there must be one. */
static enum gv_status
bad_byte(const struct reading *r, enum gv_field field, uint8_t least, uint8_t most)
{
    const uint8_t *p = r->at;
    while (*p >= least && *p <= most) {
        p++;
    }
    return fault(r, GV_BAD_BYTE, field, p, *p, 0);
}

/* Moves past a line whose text takes `size` bytes before its '\n' (or before the end). */
static void
pass_line(struct reading *r, size_t size)
{
    r->at += size;
    if (r->at < r->end) {
        r->at++;
        r->line++;
    }
}

/* Bytes before the line's '\n', all that is left where there is none. */
static size_t
line_size(const struct reading *r)
{
    const uint8_t *newline = left(r) > 0 ? memchr(r->at, '\n', left(r)) : NULL;
    return newline != NULL ? (size_t)(newline - r->at) : left(r);
}

/* 1 where the line of that size ends in '\r', which belongs to the line end. */
static size_t
has_return(const struct reading *r, size_t size)
{
    return size > 0 && r->at[size - 1] == '\r';
}

/* The bytes of the blank line at text[0], 0 where the line is not blank, UNDECIDED where more
 * text must tell. */
#define UNDECIDED SIZE_MAX
static size_t
blank_line(const uint8_t *text, size_t size, bool at_end)
{
    if (text[0] != '\r') {
        return text[0] == '\n';
    }
    if (size > 1) {
        return text[1] == '\n' ? 2 : 0;
    }
    return at_end ? 1 : UNDECIDED;
}

static enum gv_status
read_header(struct reading *r, struct gv_record *record)
{
    if (left(r) == 0) {
        return ends_early(r, GV_FIELD_HEADER);
    }
    if (*r->at != '@') {
        return fault(r, GV_BAD_HEADER, GV_FIELD_HEADER, r->at, *r->at, 0);
    }
    size_t size = line_size(r);
    if (size == left(r)) {
        return ends_early(r, GV_FIELD_HEADER);
    }
    record->name = r->at + 1;
    record->name_size = size - 1 - (size > 1 && has_return(r, size));
    pass_line(r, size);
    return GV_OK;
}

/* Bit GV_ALPHABET_DNA, GV_ALPHABET_IUPAC: the letter is in that alphabet. */
#define IUPAC (1u << GV_ALPHABET_IUPAC)
#define BOTH (IUPAC | 1u << GV_ALPHABET_DNA)
static const uint8_t alphabets[256] = {
    ['A'] = BOTH,  ['B'] = IUPAC, ['C'] = BOTH,  ['D'] = IUPAC, ['G'] = BOTH,  ['H'] = IUPAC,
    ['K'] = IUPAC, ['M'] = IUPAC, ['N'] = BOTH,  ['R'] = IUPAC, ['S'] = IUPAC, ['T'] = BOTH,
    ['U'] = IUPAC, ['V'] = IUPAC, ['W'] = IUPAC, ['Y'] = IUPAC, ['a'] = BOTH,  ['b'] = IUPAC,
    ['c'] = BOTH,  ['d'] = IUPAC, ['g'] = BOTH,  ['h'] = IUPAC, ['k'] = IUPAC, ['m'] = IUPAC,
    ['n'] = BOTH,  ['r'] = IUPAC, ['s'] = IUPAC, ['t'] = BOTH,  ['u'] = IUPAC, ['v'] = IUPAC,
    ['w'] = IUPAC, ['y'] = IUPAC,
};

static enum gv_status
check_alphabet(const struct reading *r, size_t size)
{
    for (const uint8_t *p = r->at; p < r->at + size; p++) {
        if ((alphabets[*p] & 1u << r->parser->alphabet) == 0) {
            return fault(r, GV_BAD_LETTER, GV_FIELD_SEQUENCE, p, *p, 0);
        }
    }
    return GV_OK;
}

/* One whole line of sequence; its letters are added to the record. */
static enum gv_status
read_sequence_line(struct reading *r, struct gv_record *record, size_t *letters)
{
    struct gv_bases bases = record->bases;
    size_t size = r->parser->ops->sequence(r->at, left(r), &bases);
    size_t returns = has_return(r, size);
    if (GV_UNLIKELY(bases.bad > returns)) {
        return bad_byte(r, GV_FIELD_SEQUENCE, GV_SEQUENCE_LEAST, GV_SEQUENCE_MOST);
    }
    bool is_open = size == left(r);
    if (GV_UNLIKELY(is_open && !r->at_end)) {
        return GV_NEED_MORE;
    }
    *letters = size - returns;
    if (r->parser->alphabet != GV_ALPHABET_ANY) {
        enum gv_status status = check_alphabet(r, *letters);
        if (status != GV_OK) {
            return status;
        }
    }
    if (GV_UNLIKELY(is_open)) {
        return ends_early(r, GV_FIELD_SEQUENCE);
    }
    if (GV_UNLIKELY(record->length + *letters > UINT32_MAX)) {
        return fault(r, GV_READ_TOO_LONG, GV_FIELD_SEQUENCE, r->at, 0, UINT32_MAX);
    }
    bases.bad = 0;
    record->bases = bases;
    record->length += *letters;
    pass_line(r, size);
    return GV_OK;
}

static enum gv_status
read_separator(struct reading *r, const struct gv_record *record)
{
    if (left(r) == 0) {
        return ends_early(r, GV_FIELD_SEPARATOR);
    }
    if (*r->at != '+') {
        return fault(r, GV_BAD_SEPARATOR, GV_FIELD_SEPARATOR, r->at, *r->at, 0);
    }
    if (GV_LIKELY(left(r) > 1 && r->at[1] == '\n')) {
        pass_line(r, 1);
        return GV_OK;
    }
    size_t size = line_size(r);
    bool is_open = size == left(r);
    if (is_open && !r->at_end) {
        return GV_NEED_MORE;
    }
    size_t name_size = size - 1 - (size > 1 && has_return(r, size));
    bool is_prefix =
        name_size <= record->name_size && memcmp(r->at + 1, record->name, name_size) == 0;
    if (!is_prefix || (name_size != 0 && name_size != record->name_size && !is_open)) {
        return fault(r, GV_SEPARATOR_MISMATCH, GV_FIELD_SEPARATOR, r->at, 0, 0);
    }
    if (is_open) {
        return ends_early(r, GV_FIELD_SEPARATOR);
    }
    pass_line(r, size);
    return GV_OK;
}

/* One line of quality, of which at most `wanted` bytes may come; *got are there.  `is_last`: it
 * must bring all of them. */
static enum gv_status
read_quality_line(struct reading *r, struct gv_qualities *sum, uint64_t length, size_t wanted,
                  bool is_last, size_t *got)
{
    const struct gv_fastq *parser = r->parser;
    struct gv_qualities own = {0};
    if (GV_LIKELY(is_last && left(r) > wanted && r->at[wanted] == '\n' && wanted > 0)) {
        /* The line is jumped over, not searched: a line end inside it counts as a bad byte. */
        parser->ops->quality(r->at, wanted, parser->zero, &own);
        if (GV_LIKELY(own.bad == 0)) {
            sum->sum += own.sum;
            *got = wanted;
            pass_line(r, wanted);
            return GV_OK;
        }
    }
    size_t size = line_size(r);
    bool is_open = size == left(r);
    size_t here = gv_min_size(size - has_return(r, size), wanted);
    own = (struct gv_qualities){0};
    parser->ops->quality(r->at, here, parser->zero, &own);
    if (own.bad > 0) {
        return bad_byte(r, GV_FIELD_QUALITY, parser->zero, GV_PHRED_MOST);
    }
    if (is_open && (!r->at_end || here < wanted)) {
        return ends_early(r, GV_FIELD_QUALITY);
    }
    size_t bytes = size - has_return(r, size);
    bool is_short = bytes < wanted && (is_last || bytes == 0);
    if (bytes > wanted || is_short) {
        uint64_t found = length - wanted + bytes;
        return fault(r, GV_LENGTH_MISMATCH, GV_FIELD_QUALITY, r->at + here, found, length);
    }
    sum->sum += own.sum;
    *got = bytes;
    pass_line(r, size);
    return GV_OK;
}

/* ---------------------------------------------------------------------------------------------
 * The two shapes of a record
 * ------------------------------------------------------------------------------------------ */

static enum gv_status
read_four_lines(struct reading *r, struct gv_record *record)
{
    enum gv_status status = read_header(r, record);
    if (status != GV_OK) {
        return status;
    }
    size_t letters, got;
    record->sequence = r->at;
    status = read_sequence_line(r, record, &letters);
    if (status != GV_OK) {
        return status;
    }
    status = read_separator(r, record);
    if (status != GV_OK) {
        return status;
    }
    struct gv_qualities sum = {0};
    record->qualities = r->at;
    status = read_quality_line(r, &sum, letters, letters, true, &got);
    record->phred_sum = sum.sum - (uint64_t)r->parser->zero * letters;
    return status;
}

/* Draws the lines in text[0, size) together, without their line ends, at its front. */
static void
unwrap(uint8_t *text, size_t size)
{
    const uint8_t *end = text + size;
    uint8_t *to = text;
    for (const uint8_t *line = text; line < end;) {
        const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));
        const uint8_t *line_end = newline != NULL ? newline : end;
        size_t kept = (size_t)(line_end - line);
        kept -= kept > 0 && line[kept - 1] == '\r';
        memmove(to, line, kept);
        to += kept;
        line = newline != NULL ? newline + 1 : end;
    }
}

static enum gv_status
read_wrapped_sequence(struct reading *r, struct gv_record *record, size_t *lines)
{
    bool has_blank = false;
    for (*lines = 0;; ++*lines) {
        if (left(r) == 0) {
            return ends_early(r, GV_FIELD_SEQUENCE);
        }
        if (*r->at == '+') {
            return GV_OK;
        }
        if (*r->at == '@') {
            /* The next record's header: this one has no '+' line. */
            return fault(r, GV_BAD_SEPARATOR, GV_FIELD_SEQUENCE, r->at, *r->at, 0);
        }
        size_t blank = blank_line(r->at, left(r), r->at_end);
        if (blank == UNDECIDED) {
            return GV_NEED_MORE;
        }
        if (*lines > 0 && (has_blank || blank > 0)) {
            /* An empty line stands for an empty sequence, and for nothing else. */
            return fault(r, GV_BLANK_LINE, GV_FIELD_SEQUENCE, r->at, 0, 0);
        }
        has_blank = blank > 0;
        size_t letters;
        enum gv_status status = read_sequence_line(r, record, &letters);
        if (status != GV_OK) {
            return status;
        }
    }
}

/* Over how many lines a wrapped record goes, and where its parts stand. */
struct wrapping {
    const uint8_t *sequence, *separator, *qualities, *end;
    size_t sequence_lines, quality_lines;
};

static enum gv_status
read_wrapped(struct reading *r, struct gv_record *record, struct wrapping *found)
{
    enum gv_status status = read_header(r, record);
    if (status != GV_OK) {
        return status;
    }
    found->sequence = r->at;
    status = read_wrapped_sequence(r, record, &found->sequence_lines);
    if (status != GV_OK) {
        return status;
    }
    found->separator = r->at;
    status = read_separator(r, record);
    if (status != GV_OK) {
        return status;
    }
    struct gv_qualities sum = {0};
    size_t wanted = record->length, got = 0;
    found->qualities = r->at;
    found->quality_lines = 0;
    do {
        status = read_quality_line(r, &sum, record->length, wanted, wanted == 0, &got);
        if (status != GV_OK) {
            return status;
        }
        wanted -= got;
        found->quality_lines++;
    } while (wanted > 0);
    found->end = r->at;
    record->phred_sum = sum.sum - (uint64_t)r->parser->zero * record->length;
    return GV_OK;
}

/* Whether a wrapped reading can be believed, where the four-line reading met a fault.  A short
 * quality line may swallow the next header and seem whole: so either the lines of sequence and
 * quality correspond, or what follows must be sound: a whole record, or nothing but blank lines.
 * GV_NEED_MORE; GV_OK; else it cannot. */
static enum gv_status
believe(const struct reading *r, const struct wrapping *found)
{
    if (found->sequence_lines > 1 && found->quality_lines == found->sequence_lines) {
        return GV_OK;
    }
    struct gv_error unused;
    struct reading ahead = *r;
    ahead.error = &unused;
    while (left(&ahead) > 0) {
        size_t blank = blank_line(ahead.at, left(&ahead), ahead.at_end);
        if (blank == UNDECIDED) {
            return GV_NEED_MORE;
        }
        if (blank == 0) {
            struct gv_record next = {0};
            struct wrapping its;
            return ahead.at == r->at ? read_wrapped(&ahead, &next, &its) : GV_BLANK_LINE;
        }
        ahead.at += blank;
    }
    return ahead.at_end ? GV_OK : GV_NEED_MORE;
}

/* ---------------------------------------------------------------------------------------------
 * The parser
 * ------------------------------------------------------------------------------------------ */

static struct reading
reading_begin(const struct gv_fastq *parser, const uint8_t *text, size_t size, bool at_end,
              struct gv_error *error)
{
    return (struct reading){
        .parser = parser,
        .start = text,
        .at = text,
        .end = text + size,
        .at_end = at_end,
        .error = error,
    };
}

/* Blank lines: nothing but more of them may follow. */
static enum gv_status
read_blank_tail(struct gv_fastq *parser, const uint8_t *text, size_t size, bool at_end,
                size_t *used, struct gv_error *error)
{
    while (*used < size) {
        size_t blank = blank_line(text + *used, size - *used, at_end);
        if (blank == UNDECIDED) {
            return GV_NEED_MORE;
        }
        if (blank == 0) {
            *error = parser->first_blank;
            return GV_BLANK_LINE;
        }
        *used += blank;
        parser->offset += blank;
        parser->line++;
    }
    return at_end ? GV_END : GV_NEED_MORE;
}

/* One record, by whichever shape it has.  `is_capped`: the text was cut at the cap, so that
 * needing more of it is a failure. */
static enum gv_status
read_record(struct gv_fastq *parser, uint8_t *text, bool is_capped, struct gv_record *record,
            struct reading *r)
{
    const struct reading start = *r;
    *record = (struct gv_record){0};
    enum gv_status fault_status = GV_OK;
    if (parser->mode == GV_FASTQ_FOUR_LINES) {
        enum gv_status status = read_four_lines(r, record);
        /* A text that ends too early has nothing in it that speaks against four lines. */
        if (GV_LIKELY(status <= GV_NEED_MORE || status == GV_TRUNCATED) ||
            parser->only_four_lines) {
            return status;
        }
        fault_status = status;
    }
    struct gv_error as_wrapped;
    struct wrapping found;
    *r = start;
    r->error = &as_wrapped;
    *record = (struct gv_record){0};
    enum gv_status status = read_wrapped(r, record, &found);
    if (status == GV_OK && fault_status != GV_OK) {
        status = believe(r, &found);
    }
    r->error = start.error;
    if (status == GV_NEED_MORE && !(is_capped && fault_status != GV_OK)) {
        return status;
    }
    if (status != GV_OK) {
        if (fault_status != GV_OK) {
            return fault_status; /* *r->error is what the four-line reading said */
        }
        *r->error = as_wrapped;
        return status;
    }
    parser->mode = GV_FASTQ_WRAPPED;
    parser->wrapped = true;
    record->sequence = found.sequence;
    record->qualities = found.qualities;
    if (parser->only_look) {
        return GV_OK;
    }
    unwrap(text + (found.sequence - text), (size_t)(found.separator - found.sequence));
    unwrap(text + (found.qualities - text), (size_t)(found.end - found.qualities));
    return GV_OK;
}

enum gv_status
gv_fastq_next(struct gv_fastq *parser, uint8_t *text, size_t size, bool at_end,
              struct gv_record *record, size_t *used, struct gv_error *error)
{
    *used = 0;
    if (size == 0) {
        return at_end ? GV_END : GV_NEED_MORE;
    }
    /* What lies beyond the cap is not looked at, so the answer does not depend on how much of
     * it is at hand. */
    bool is_capped = size > parser->max_record_bytes;
    if (is_capped) {
        size = parser->max_record_bytes;
        at_end = false;
    }
    struct reading r = reading_begin(parser, text, size, at_end, error);
    if (parser->mode != GV_FASTQ_BLANK_TAIL) {
        size_t blank = blank_line(text, size, at_end);
        if (blank == UNDECIDED) {
            return GV_NEED_MORE;
        }
        if (blank > 0) {
            (void)fault(&r, GV_BLANK_LINE, GV_FIELD_HEADER, text, 0, 0);
            if (parser->only_four_lines) {
                return GV_BLANK_LINE;
            }
            parser->first_blank = *error;
            parser->mode = GV_FASTQ_BLANK_TAIL;
        }
    }
    if (parser->mode == GV_FASTQ_BLANK_TAIL) {
        return read_blank_tail(parser, text, size, at_end, used, error);
    }
    enum gv_status status = read_record(parser, text, is_capped, record, &r);
    if (GV_LIKELY(status == GV_OK)) {
        *used = (size_t)(r.at - r.start);
        record->line = parser->line;
        parser->offset += *used;
        parser->line += r.line;
        parser->record++;
    } else if (status == GV_NEED_MORE && is_capped) {
        r = reading_begin(parser, text, size, at_end, error);
        return fault(&r, GV_RECORD_TOO_LONG, GV_FIELD_NONE, text, 0, parser->max_record_bytes);
    }
    return status;
}

/* ---------------------------------------------------------------------------------------------
 * Past a fault
 * ------------------------------------------------------------------------------------------ */

/* Lines of a record, where nothing speaks for more, and where the separator is among them. */
#define RECORD_LINES 4
#define SEPARATOR_INDEX 2

bool
gv_fastq_is_of_record(enum gv_status status)
{
    switch (status) {
    case GV_BAD_HEADER:
    case GV_BLANK_LINE:
    case GV_BAD_BYTE:
    case GV_BAD_LETTER:
    case GV_BAD_SEPARATOR:
    case GV_SEPARATOR_MISMATCH:
    case GV_LENGTH_MISMATCH:
    case GV_RECORD_TOO_LONG:
    case GV_READ_TOO_LONG:
    case GV_NO_PLACE:
    case GV_OUT_OF_LAYOUT:
        return true;
    default:
        return false;
    }
}

void
gv_fastq_skip_begin(struct gv_fastq *parser)
{
    /* Blank lines are passed already, and so is a record that was drawn together. */
    bool is_over = parser->mode == GV_FASTQ_BLANK_TAIL || parser->is_past_fault;
    parser->passed = (struct gv_fastq_passed){.is_at_line = is_over, .is_over = is_over};
    parser->record -= parser->is_past_fault;
    parser->is_past_fault = false;
    parser->mode = parser->wrapped ? GV_FASTQ_WRAPPED : GV_FASTQ_FOUR_LINES;
}

/* The line at hand was passed over, up to its '\n'. */
static void
count_line(struct gv_fastq_passed *passed, bool is_wrapped)
{
    uint64_t size = passed->size - (passed->size > 0 && passed->last_byte == '\r');
    passed->size = 0;
    passed->is_at_line = true;
    if (size == 0) {
        return;
    }
    if (passed->is_over) {
        *passed = (struct gv_fastq_passed){.is_at_line = true};
    }
    uint64_t index = passed->lines++;
    if (passed->has_separator) {
        passed->qualities += size;
        passed->is_over = passed->qualities >= passed->bases;
    } else if (passed->first == '+' && index >= (is_wrapped ? 1 : SEPARATOR_INDEX)) {
        passed->has_separator = true;
    } else {
        passed->bases += index > 0 ? size : 0;
        passed->is_over = !is_wrapped && passed->lines == RECORD_LINES;
    }
}

/* Passes over the line at hand, or what there is of it. */
static size_t
pass_over(struct gv_fastq *parser, const uint8_t *text, size_t size)
{
    struct gv_fastq_passed *passed = &parser->passed;
    const uint8_t *newline = size > 0 ? memchr(text, '\n', size) : NULL;
    size_t line = newline != NULL ? (size_t)(newline - text) : size;
    if (line > 0) {
        passed->first = passed->size == 0 ? text[0] : passed->first;
        passed->last_byte = text[line - 1];
        passed->size += line;
        passed->is_at_line = false;
    }
    if (newline != NULL) {
        count_line(passed, parser->mode == GV_FASTQ_WRAPPED);
        parser->line++;
    }
    line += newline != NULL;
    parser->offset += line;
    return line;
}

enum gv_status
gv_fastq_skip(struct gv_fastq *parser, uint8_t *text, size_t size, bool at_end, size_t *used,
              struct gv_error *error)
{
    for (*used = 0; *used < size;) {
        size_t left = size - *used;
        if (parser->passed.is_at_line && text[*used] == '@') {
            struct gv_fastq ahead = *parser;
            struct gv_record record;
            size_t taken;
            ahead.only_look = true;
            ahead.record++; /* the one at fault lies behind */
            enum gv_status status =
                gv_fastq_next(&ahead, text + *used, left, at_end, &record, &taken, error);
            bool is_cut = status == GV_TRUNCATED && parser->passed.is_over;
            if (status == GV_NEED_MORE || is_cut) {
                return status;
            }
            if (status == GV_OK) {
                parser->record++;
                return GV_OK;
            }
        }
        *used += pass_over(parser, text + *used, left);
    }
    parser->record += at_end;
    return at_end ? GV_END : GV_NEED_MORE;
}
