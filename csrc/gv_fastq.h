/* gv_fastq.h: finds and checks FASTQ records in a buffer of text.
 *
 * The format, as read here (docs/formats/fastq.md has the whole of it):
 *
 *   record     = '@' name EOL  sequence EOL  '+' [name] EOL  quality EOL
 *   name       = any bytes but '\n'
 *   sequence   = bytes 0x21..0x7e, perhaps none
 *   quality    = as many bytes 0x21..0x7e (Phred+64: 0x40..0x7e)
 *   EOL        = '\n' or '\r\n'; the last one of the input may be missing
 *   input      = record* blank-line*
 *
 *   "@r1\nACGT\n+\nIIII\n"   one record: name "r1", 4 bases, 4 x Q40
 *    0    4     9  11         offsets of its lines
 *
 * A record that is not four such lines is tried as a wrapped one, whose sequence and quality
 * stand on several lines (Cock et al. 2010); if it is one, and what follows bears it out, this
 * record and all that follow are read so.  If not, the fault that the four-line reading met is
 * the one reported.
 */
#ifndef GV_FASTQ_H
#define GV_FASTQ_H

#include "gv_scan.h"
#include "gv_status.h"

/* Which letters a sequence may hold. */
enum gv_alphabet {
    GV_ALPHABET_ANY,   /* every printable byte: what is not A C G T U counts as unknown */
    GV_ALPHABET_DNA,   /* A C G T N in either case */
    GV_ALPHABET_IUPAC, /* the nucleotide codes A C G T U R Y S W K M B D H V N, either case */
    GV_ALPHABET_COUNT
};

/* One record.  Borrows: its bytes, from the text given to gv_fastq_next().  Valid until: that
 * text moves or changes. */
struct gv_record {
    const uint8_t *name; /* what follows '@', without the line end */
    const uint8_t *sequence;
    const uint8_t *qualities;
    uint64_t line; /* of its header, from 1 */
    size_t name_size;
    size_t length; /* bases, and quality bytes */
    struct gv_bases bases;
    uint64_t phred_sum;
};

enum gv_fastq_mode { GV_FASTQ_FOUR_LINES, GV_FASTQ_WRAPPED, GV_FASTQ_BLANK_TAIL };

/* A record at fault while it is passed over: how far its lines may reach.  Blank lines are not
 * counted.  The first line is taken for its header, the first one after that (of four lines: after
 * the second) that begins with '+' for its separator.  It is over with the line by which it has as
 * many qualities as bases; without a separator, with its fourth line, or if records are wrapped,
 * never.  A line passed over behind that begins another one at fault. */
struct gv_fastq_passed {
    bool is_at_line; /* a line begins here */
    bool is_over;    /* what follows is no part of it */
    bool has_separator;
    uint64_t lines;
    uint64_t bases, qualities;
    uint64_t size;     /* of the line at hand, as far as it was passed over */
    uint8_t first;     /* its first byte */
    uint8_t last_byte; /* and its last one so far */
};

/* Where the parser stands.  Set up by gv_fastq_init(); read by whoever likes, written by the
 * parser alone. */
struct gv_fastq {
    const struct gv_scan_ops *ops;
    enum gv_alphabet alphabet;
    uint8_t zero;            /* the quality byte of Phred 0 */
    size_t max_record_bytes; /* a record longer than this is an error */

    enum gv_fastq_mode mode;
    bool only_four_lines;  /* anything else is a fault: no wrapped record, no blank line; set
                              after init by those who parse ahead of the parser that counts */
    bool only_look;        /* a wrapped record is not drawn together; set for a look ahead */
    bool wrapped;          /* a wrapped record was met */
    bool is_past_fault;    /* the record at fault was read, and lies behind: */
    uint64_t fault_offset; /* there it begins */
    uint64_t fault_line;
    struct gv_fastq_passed passed;
    struct gv_error first_blank; /* in a blank tail: what is reported should more follow */

    uint64_t offset; /* of the next record's first byte, from 0 */
    uint64_t line;   /* of that byte, from 1 */
    uint64_t record; /* the next record's number, from 1 */
};

/* A parser at the start of a source. `ops` must outlive it. */
void gv_fastq_init(struct gv_fastq *parser, const struct gv_scan_ops *ops, uint8_t zero,
                   enum gv_alphabet alphabet, size_t max_record_bytes);

/* Where a text begins, if it is the rest of another: what gv_fastq tells of itself there. */
struct gv_fastq_place {
    uint64_t offset, line, record;
    bool wrapped;
};

/* To the start of the next source, with the same settings. */
void gv_fastq_restart(struct gv_fastq *parser);

/* To the start of a text that is the rest of another. */
void gv_fastq_resume(struct gv_fastq *parser, const struct gv_fastq_place *place);

/* Where the next record begins, as far as it is settled: blank lines are not, until it is known
 * that nothing follows them, nor is a record at fault.  Not while it is being skipped. */
struct gv_fastq_place gv_fastq_place(const struct gv_fastq *parser);

/* Whether plain records (see gv_scan_ops.records) may be read without the parser's help. */
static inline bool
gv_fastq_is_plain(const struct gv_fastq *parser)
{
    return parser->mode == GV_FASTQ_FOUR_LINES;
}

/* Moves on past `records` plain records that take `size` bytes. */
static inline void
gv_fastq_pass(struct gv_fastq *parser, uint64_t records, uint64_t size)
{
    parser->offset += size;
    parser->line += 4 * records;
    parser->record += records;
}

/* Reads the record that begins at text[0].
 *
 *   GV_OK         *record is whole; it and its line ends take *used bytes
 *   GV_END        at_end, and no record is left; *used == size
 *   GV_NEED_MORE  the text ends inside a record: call again with text + *used and more after it
 *                 (*used > 0 only in the blank lines after the last record, which are passed over
 *                 at most max_record_bytes at a time, even at_end)
 *   else          a fault, said in *error
 *
 * A record is looked at together with what follows only where wrapping begins; if both do not fit
 * max_record_bytes, the fault of the four-line reading is reported.
 *
 * `at_end`: nothing follows text[size).  The answer for an input is the same however it is cut.
 * A wrapped record is unwrapped in place, so the text must be writable; it is left alone unless
 * GV_OK is returned. */
GV_NODISCARD enum gv_status gv_fastq_next(struct gv_fastq *parser, uint8_t *text, size_t size,
                                          bool at_end, struct gv_record *record, size_t *used,
                                          struct gv_error *error);

/* Whether a fault is one of a single record, so that the next one may be sound. */
bool gv_fastq_is_of_record(enum gv_status status);

/* Begins to pass over the record that gv_fastq_next() found a fault in. */
void gv_fastq_skip_begin(struct gv_fastq *parser);

/* Goes on to the next sound record, line by line: to the first line from which a whole sound record
 * can be read.  What is passed over counts as one record.
 *
 *   GV_OK         it begins at text + *used, and is still to be read
 *   GV_END        at_end, and there is none; *used == size
 *   GV_NEED_MORE  call again with text + *used and more after it
 *   GV_TRUNCATED  the input ends inside a record behind the one at fault: that is said in *error
 *
 * That a line of the record at fault looks like a header which the input ends behind is no
 * truncation (see struct gv_fastq_passed).  The text is not written to. */
GV_NODISCARD enum gv_status gv_fastq_skip(struct gv_fastq *parser, uint8_t *text, size_t size,
                                          bool at_end, size_t *used, struct gv_error *error);

#endif
