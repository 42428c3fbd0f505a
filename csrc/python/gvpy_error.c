/* The only place that makes an exception from a core status: one row a status, with the class in
 * genomevedic.errors that it becomes and the words for it.  tests/python/test_errors.py checks
 * that the table is complete. */
#include "gvpy.h"

#include <errno.h>

/* The sentence after "where: ", a new reference. */
typedef PyObject *(*sentence_fn)(const struct gv_error *error);

static PyObject *
no_memory(const struct gv_error *error)
{
    return PyUnicode_FromString("the system has no more memory to give");
}

static PyObject *
memory_limit(const struct gv_error *error)
{
    if (error->detail < 0) {
        return PyUnicode_FromFormat("it would pass the limit on memory (%lld bytes); see "
                                    "gv.memory.set_limit()",
                                    (long long)error->expected);
    }
    return PyUnicode_FromFormat(
        "the columns would pass the limit on memory (%lld bytes); %lld reads fitted. Raise "
        "memory_limit or gv.memory.set_limit(), name fewer columns, or go through the file in "
        "batches with scan_fastq",
        (long long)error->expected, (long long)error->detail);
}

static PyObject *
arena_full(const struct gv_error *error)
{
    if (error->detail < 0) {
        return PyUnicode_FromFormat("the arena is full (%lld bytes); let go of what is in it, or "
                                    "make it larger",
                                    (long long)error->expected);
    }
    return PyUnicode_FromFormat(
        "the arena is full (%lld bytes); %lld reads fitted. Let go of what is in it, make it "
        "larger, name fewer columns, or go through the file in batches with scan_fastq",
        (long long)error->expected, (long long)error->detail);
}

static PyObject *
arena_in_use(const struct gv_error *error)
{
    return PyUnicode_FromFormat("%lld results are alive in this arena", (long long)error->detail);
}

static PyObject *
system_message(const char *what, const struct gv_error *error)
{
    return PyUnicode_FromFormat("%s: %s", what, strerror((int)error->detail));
}

static PyObject *
open_failed(const struct gv_error *error)
{
    return system_message("the file could not be opened", error);
}

static PyObject *
read_failed(const struct gv_error *error)
{
    return system_message("reading failed", error);
}

static PyObject *
callback_failed(const struct gv_error *error)
{
    return PyUnicode_FromString("reading from the file object failed");
}

static PyObject *
unsupported_format(const struct gv_error *error)
{
    return PyUnicode_FromFormat(
        "the file is packed as %s, which is not read; unpack it first, or pack it as gzip",
        gv_foreign_name((enum gv_foreign_format)error->detail));
}

static PyObject *
bad_gzip(const struct gv_error *error)
{
    const char *reason = "its compressed data are damaged";
    switch (error->field) {
    case GV_FIELD_GZIP_HEADER:
        reason = "the header of a gzip member is damaged";
        break;
    case GV_FIELD_GZIP_CRC:
        reason = "the checksum of a gzip member does not match its contents";
        break;
    case GV_FIELD_GZIP_LENGTH:
        reason = "a gzip member does not have the length it announces";
        break;
    case GV_FIELD_BGZF_SIZE:
        reason = "a BGZF block does not have the size it announces";
        break;
    case GV_FIELD_GZIP_TAIL:
        reason = "bytes that are not gzip follow the last gzip member";
        break;
    default:
        break;
    }
    return PyUnicode_FromFormat(
        "the gzip file is damaged near byte %llu of the compressed file: %s. Fetch or make the "
        "file again",
        (unsigned long long)error->input_offset, reason);
}

static PyObject *
truncated_gzip(const struct gv_error *error)
{
    return PyUnicode_FromFormat(
        "the gzip file is cut short: it ends inside a member, at byte %llu of the compressed "
        "file. Fetch or make the file again",
        (unsigned long long)error->input_offset);
}

/* A byte as people would name it: 'A', or 0x0a where it has no face. */
static PyObject *
name_byte(int64_t byte)
{
    return byte >= 0x21 && byte <= 0x7e ? PyUnicode_FromFormat("'%c'", (int)byte)
                                        : PyUnicode_FromFormat("0x%02x", (unsigned)byte);
}

/* `format` has one %U, for the byte found. */
static PyObject *
with_byte(const char *format, const struct gv_error *error)
{
    PyObject *byte = name_byte(error->detail);
    if (byte == NULL) {
        return NULL;
    }
    PyObject *sentence = PyUnicode_FromFormat(format, byte);
    Py_DECREF(byte);
    return sentence;
}

static PyObject *
bad_header(const struct gv_error *error)
{
    if (error->detail == '>' && error->record == 1) {
        return PyUnicode_FromString("a FASTQ record begins with '@', but this one begins with "
                                    "'>': the file looks like FASTA, which has no qualities");
    }
    if (error->offset == 0) {
        return with_byte("a FASTQ record begins with '@', but the file begins with %U: it is not "
                         "FASTQ, or its beginning is missing",
                         error);
    }
    return with_byte("a record must begin with '@', but this line begins with %U. The file is "
                     "damaged here, or a line is missing or too many before it",
                     error);
}

static PyObject *
blank_line(const struct gv_error *error)
{
    return PyUnicode_FromString("a blank line stands where a record or its sequence should go "
                                "on; blank lines may only follow the last record");
}

static PyObject *
bad_byte(const struct gv_error *error)
{
    if (error->field == GV_FIELD_SEQUENCE) {
        return with_byte("the sequence holds the byte %U; only printable characters without "
                         "spaces can stand there",
                         error);
    }
    return with_byte("the quality line holds the byte %U, which is no quality score in this "
                     "encoding",
                     error);
}

static PyObject *
bad_letter(const struct gv_error *error)
{
    return with_byte("the sequence holds %U, which is not in the alphabet asked for", error);
}

static PyObject *
bad_separator(const struct gv_error *error)
{
    return with_byte("the line after the sequence must begin with '+', but this one begins with "
                     "%U. A line may be missing before it",
                     error);
}

static PyObject *
separator_mismatch(const struct gv_error *error)
{
    return PyUnicode_FromString("the '+' line repeats another name than the record's own: lines "
                                "of two records may be mixed up here");
}

static PyObject *
length_mismatch(const struct gv_error *error)
{
    return PyUnicode_FromFormat("the quality line has %lld characters for %lld bases; each base "
                                "has exactly one",
                                (long long)error->detail, (long long)error->expected);
}

static PyObject *
truncated(const struct gv_error *error)
{
    return PyUnicode_FromFormat("the input ends in the middle of a record (in its %s): the file "
                                "is cut short. Fetch or make it again",
                                gv_field_name(error->field));
}

static PyObject *
record_too_long(const struct gv_error *error)
{
    return PyUnicode_FromFormat("a record is longer than max_record_bytes (%lld). Raise it if "
                                "the reads are truly that long; otherwise this is not FASTQ",
                                (long long)error->expected);
}

static PyObject *
read_too_long(const struct gv_error *error)
{
    return PyUnicode_FromString("a read of 2^32 bases or more does not fit the length column");
}

static PyObject *
no_place(const struct gv_error *error)
{
    switch ((enum gv_lack)error->detail) {
    case GV_LACKS_CHANNEL:
        return PyUnicode_FromString("the read's name holds no channel, and so no place on the "
                                    "chip. unplaced=\"nan\" lets such reads be");
    case GV_LACKS_TIME:
        return PyUnicode_FromString("the read's name holds no start time, as the first one does. "
                                    "unplaced=\"nan\" lets such reads be");
    case GV_LACKS_BASES:
        return PyUnicode_FromString("the read has too few known bases for a place. "
                                    "unplaced=\"nan\" lets such reads be");
    case GV_LACKS_RANGE:
        return PyUnicode_FromString("the read's place lies beyond 2^24 units, which float32 does "
                                    "not hold exactly. unplaced=\"nan\" lets such reads be");
    default:
        return PyUnicode_FromString("the read's name is not one of the platform that the first "
                                    "one is of, and holds no place. unplaced=\"nan\" lets such "
                                    "reads be");
    }
}

static PyObject *
out_of_layout(const struct gv_error *error)
{
    return PyUnicode_FromFormat("channel %lld is not on this flow cell's model; say which it is "
                                "with layout=gv.layouts.Nanopore(model=...)",
                                (long long)error->detail);
}

static const struct {
    const char *type; /* in genomevedic.errors */
    sentence_fn sentence;
} rows[GV_STATUS_COUNT] = {
    [GV_NO_MEMORY] = {"MemoryAllocationError", no_memory},
    [GV_MEMORY_LIMIT] = {"MemoryLimitError", memory_limit},
    [GV_ARENA_FULL] = {"ArenaFullError", arena_full},
    [GV_ARENA_IN_USE] = {"ArenaInUseError", arena_in_use},
    [GV_OPEN_FAILED] = {"SourceReadError", open_failed},
    [GV_READ_FAILED] = {"SourceReadError", read_failed},
    [GV_CALLBACK_FAILED] = {"SourceReadError", callback_failed},
    [GV_UNSUPPORTED_FORMAT] = {"FastqFormatError", unsupported_format},
    [GV_BAD_GZIP] = {"BadGzipError", bad_gzip},
    [GV_TRUNCATED_GZIP] = {"TruncatedFileError", truncated_gzip},
    [GV_BAD_HEADER] = {"FastqFormatError", bad_header},
    [GV_BLANK_LINE] = {"FastqFormatError", blank_line},
    [GV_BAD_BYTE] = {"FastqFormatError", bad_byte},
    [GV_BAD_LETTER] = {"FastqFormatError", bad_letter},
    [GV_BAD_SEPARATOR] = {"FastqFormatError", bad_separator},
    [GV_SEPARATOR_MISMATCH] = {"FastqFormatError", separator_mismatch},
    [GV_LENGTH_MISMATCH] = {"QualityMismatchError", length_mismatch},
    [GV_TRUNCATED] = {"TruncatedFileError", truncated},
    [GV_RECORD_TOO_LONG] = {"RecordTooLongError", record_too_long},
    [GV_READ_TOO_LONG] = {"RecordTooLongError", read_too_long},
    [GV_NO_PLACE] = {"NoCoordinatesError", no_place},
    [GV_OUT_OF_LAYOUT] = {"OutOfBoundsError", out_of_layout},
};

/* "reads.fastq, line 7 (record 2, byte 130): " */
static PyObject *
place(const struct gv_error *error, PyObject *label)
{
    if (error->line == 0) {
        return PyUnicode_FromFormat("%U: ", label);
    }
    return PyUnicode_FromFormat("%U, line %llu (record %llu, byte %llu): ", label,
                                (unsigned long long)error->line, (unsigned long long)error->record,
                                (unsigned long long)error->offset);
}

static int
set_number(PyObject *dict, const char *key, uint64_t number)
{
    PyObject *value = PyLong_FromUnsignedLongLong(number);
    int result = value != NULL ? PyDict_SetItemString(dict, key, value) : -1;
    Py_XDECREF(value);
    return result;
}

/* What the exception class takes by keyword: where the fault lies, and the numbers behind it. */
static PyObject *
details(const struct gv_error *error, PyObject *label)
{
    PyObject *dict = PyDict_New();
    if (dict == NULL || PyDict_SetItemString(dict, "path", label) < 0) {
        goto fail;
    }
    bool is_system = error->status == GV_OPEN_FAILED || error->status == GV_READ_FAILED;
    bool is_gzip = error->status == GV_BAD_GZIP || error->status == GV_TRUNCATED_GZIP;
    if (is_system && set_number(dict, "errno", (uint64_t)error->detail) < 0) {
        goto fail;
    }
    if (is_gzip && set_number(dict, "input_offset", error->input_offset) < 0) {
        goto fail;
    }
    bool is_limit = error->status == GV_MEMORY_LIMIT || error->status == GV_ARENA_FULL;
    if (is_limit && error->detail >= 0 && set_number(dict, "reads", (uint64_t)error->detail) < 0) {
        goto fail;
    }
    if (is_limit && set_number(dict, "limit", (uint64_t)error->expected) < 0) {
        goto fail;
    }
    if ((error->line > 0 || is_gzip) && set_number(dict, "offset", error->offset) < 0) {
        goto fail;
    }
    if (error->line > 0 && (set_number(dict, "line", error->line) < 0 ||
                            set_number(dict, "record", error->record) < 0)) {
        goto fail;
    }
    if (error->field != GV_FIELD_NONE) {
        PyObject *field = PyUnicode_FromString(gv_field_name(error->field));
        int result = field != NULL ? PyDict_SetItemString(dict, "field", field) : -1;
        Py_XDECREF(field);
        if (result < 0) {
            goto fail;
        }
    }
    return dict;
fail:
    Py_XDECREF(dict);
    return NULL;
}

/* "where: sentence.", or "where: sentence: words of the cause." */
static PyObject *
make_message(const struct gv_error *error, PyObject *label, PyObject *cause)
{
    PyObject *where = place(error, label);
    PyObject *sentence = where ? rows[error->status].sentence(error) : NULL;
    PyObject *message = NULL;
    if (sentence != NULL && cause != NULL) {
        message = PyUnicode_FromFormat("%U%U: %S.", where, sentence, cause);
    } else if (sentence != NULL) {
        message = PyUnicode_FromFormat("%U%U.", where, sentence);
    }
    Py_XDECREF(where);
    Py_XDECREF(sentence);
    return message;
}

PyObject *
gvpy_raise(const struct gv_error *error, PyObject *label, PyObject *cause)
{
    assert(error->status < GV_STATUS_COUNT && rows[error->status].type != NULL);
    PyObject *errors = PyImport_ImportModule("genomevedic.errors");
    PyObject *maker = errors ? PyObject_GetAttrString(errors, "_make") : NULL;
    PyObject *message = maker ? make_message(error, label, cause) : NULL;
    PyObject *dict = message ? details(error, label) : NULL;
    PyObject *exception =
        dict ? PyObject_CallFunction(maker, "sOO", rows[error->status].type, message, dict) : NULL;
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    }
    Py_XDECREF(errors);
    Py_XDECREF(maker);
    Py_XDECREF(message);
    Py_XDECREF(dict);
    Py_XDECREF(exception);
    return NULL;
}

PyObject *
gvpy_error_table(PyObject *module, PyObject *unused)
{
    PyObject *table = PyDict_New();
    for (int i = GV_NO_MEMORY; table != NULL && i < GV_STATUS_COUNT; i++) {
        PyObject *type = rows[i].type != NULL ? PyUnicode_FromString(rows[i].type) : Py_None;
        if (type == NULL ||
            PyDict_SetItemString(table, gv_status_name((enum gv_status)i), type) < 0) {
            Py_CLEAR(table);
        }
        if (type != Py_None) {
            Py_XDECREF(type);
        }
    }
    return table;
}
