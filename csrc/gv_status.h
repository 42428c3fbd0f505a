/* gv_status.h: what a call answers, and where in the input a fault lies.
 *
 * Every call that can fail returns enum gv_status.  The first four are not errors.  Where the
 * fault belongs to the input, a struct gv_error says where; the words are made by the binding
 * alone (python/gvpy_error.c), from the table that maps each status to a Python type.
 */
#ifndef GV_STATUS_H
#define GV_STATUS_H

#include "gv_base.h"

enum gv_status {
    GV_OK = 0,
    GV_END,         /* the input is over, whole */
    GV_NEED_MORE,   /* the bytes at hand end inside a record: give more */
    GV_INTERRUPTED, /* a signal came while waiting for input: look at it and call again */

    GV_NO_MEMORY,    /* the system has no more memory to give */
    GV_MEMORY_LIMIT, /* a limit on memory would be passed: the caller's own, or the process's */
    GV_ARENA_FULL,   /* the capacity of an arena would be passed */
    GV_ARENA_IN_USE, /* an arena with leases that are alive */

    GV_OPEN_FAILED,        /* detail: errno */
    GV_READ_FAILED,        /* detail: errno */
    GV_CALLBACK_FAILED,    /* the caller's own read function failed; it keeps the reason */
    GV_UNSUPPORTED_FORMAT, /* detail: enum gv_foreign_format */

    GV_BAD_GZIP,       /* field says which part is damaged */
    GV_TRUNCATED_GZIP, /* the input ends inside a gzip member */

    GV_BAD_HEADER,         /* a record does not begin with '@'; detail: the byte found */
    GV_BLANK_LINE,         /* a blank line with records after it */
    GV_BAD_BYTE,           /* a byte that sequence or quality cannot hold; detail: the byte */
    GV_BAD_LETTER,         /* a sequence letter outside the alphabet asked for; detail: it */
    GV_BAD_SEPARATOR,      /* the third line does not begin with '+'; detail: the byte found */
    GV_SEPARATOR_MISMATCH, /* the '+' line repeats another header than the record's */
    GV_LENGTH_MISMATCH,    /* detail: length of the quality line; expected: of the sequence */
    GV_TRUNCATED,          /* the input ends inside a record */
    GV_RECORD_TOO_LONG,    /* expected: the cap in bytes */
    GV_READ_TOO_LONG,      /* 2^32 bases or more do not fit the length column */

    GV_NO_PLACE,      /* a record without a place where each must have one; detail: enum gv_lack */
    GV_OUT_OF_LAYOUT, /* a place outside the layout's parameters; detail: the channel; expected: the
                         last one that the model has */

    GV_STATUS_COUNT
};

/* The part of the input that a fault lies in. */
enum gv_field {
    GV_FIELD_NONE = 0,
    GV_FIELD_HEADER,
    GV_FIELD_SEQUENCE,
    GV_FIELD_SEPARATOR,
    GV_FIELD_QUALITY,
    GV_FIELD_GZIP_HEADER,  /* magic, method, flags or header checksum */
    GV_FIELD_GZIP_DEFLATE, /* the compressed data themselves */
    GV_FIELD_GZIP_CRC,     /* CRC-32 of the decompressed bytes */
    GV_FIELD_GZIP_LENGTH,  /* their number modulo 2^32 */
    GV_FIELD_BGZF_SIZE,    /* the block size that a BGZF header announces */
    GV_FIELD_GZIP_TAIL,    /* bytes after the last member that are neither member nor zeros */
    GV_FIELD_COUNT
};

enum gv_foreign_format {
    GV_FOREIGN_GZIP, /* only where there is no inflate engine */
    GV_FOREIGN_BZIP2,
    GV_FOREIGN_XZ,
    GV_FOREIGN_ZSTD,
    GV_FOREIGN_ZIP,
    GV_FOREIGN_COUNT
};

/* Why a record has no place. */
enum gv_lack {
    GV_LACKS_NOTHING = 0,
    GV_LACKS_NAME,    /* no name of the layout's platform */
    GV_LACKS_CHANNEL, /* a Nanopore name without a channel */
    GV_LACKS_TIME,    /* and without a start time */
    GV_LACKS_BASES,   /* no known base, or too few in a row */
    GV_LACKS_RANGE,   /* a place beyond what float32 holds exactly */
    GV_LACKS_MODEL,   /* a channel that the flow cell's model does not have */
    GV_LACK_COUNT
};

/* Where and what.  line and record count from 1 within the source; offset counts from 0 in the
 * decompressed text; input_offset counts from 0 in the bytes of the source itself.  line and
 * record are 0 where the fault is not in a record (gzip framing, reading). */
struct gv_error {
    enum gv_status status;
    enum gv_field field;
    uint64_t offset;
    uint64_t input_offset;
    uint64_t line;
    uint64_t record;
    int64_t detail;
    int64_t expected;
};

/* The name of a status, field or foreign format, for people ("GV_TRUNCATED", "quality",
 * "bzip2"); never NULL for a value of the enum. */
const char *gv_status_name(enum gv_status status);
const char *gv_field_name(enum gv_field field);
const char *gv_foreign_name(enum gv_foreign_format format);

/* Whether a status says that there is no room for more. */
static inline bool
gv_status_is_memory(enum gv_status status)
{
    return status == GV_NO_MEMORY || status == GV_MEMORY_LIMIT || status == GV_ARENA_FULL;
}

/* Fills *error with a status that lies in no record, and returns that status. */
enum gv_status gv_error_set(struct gv_error *error, enum gv_status status, int64_t detail);

#endif
