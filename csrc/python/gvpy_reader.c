/* The Reader type: the core's reader over a list of Python sources.
 *
 * advance() leaves the GIL for as long as the core works; callbacks into file objects take it
 * back.  One thread at a time: `busy` is held by whoever is inside, and others are told so. */
#include "gvpy.h"

/* Owns: everything it points to.
 * Invariants: is_open iff held is in use and the core's reader has a source; next <= number of
 * sources; sources[next - 1] is the one that is open. */
struct gvpy_reader {
    PyObject_HEAD
    PyObject *module;             /* whose state the core's reader borrows from */
    struct gv_reader *reader;     /* NULL once closed */
    struct gv_reader_stats stats; /* as they were at close */
    PyObject *sources;            /* tuple of (label, object) */
    Py_ssize_t next;
    bool is_open;
    int64_t process;                  /* that opened it */
    double weights[GV_KMER_CODES][3]; /* of a layout that has them */
    struct gvpy_source held;
    atomic_bool busy;
};

/* ---------------------------------------------------------------------------------------------
 * Arguments
 * ------------------------------------------------------------------------------------------ */

static int
parse_columns(PyObject *names, gv_column_set *columns)
{
    *columns = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(names);
    for (Py_ssize_t i = 0; i < count; i++) {
        const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(names, i));
        if (name == NULL) {
            return -1;
        }
        enum gv_column column = gv_column_find(name);
        if (column == GV_COLUMN_COUNT) {
            PyErr_Format(PyExc_ValueError, "there is no column '%s'", name);
            return -1;
        }
        *columns |= GV_COLUMN_BIT(column);
    }
    return 0;
}

/* The sources are a tuple, not empty, of pairs (label, object). */
static int
check_sources(PyObject *sources)
{
    Py_ssize_t count = PyTuple_GET_SIZE(sources);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *pair = PyTuple_GET_ITEM(sources, i);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 ||
            !PyUnicode_Check(PyTuple_GET_ITEM(pair, 0))) {
            PyErr_SetString(PyExc_TypeError, "a source is a pair (label, object)");
            return -1;
        }
    }
    if (count == 0) {
        PyErr_SetString(PyExc_ValueError, "there are no sources");
        return -1;
    }
    return 0;
}

static int
parse_alphabet(const char *name, enum gv_alphabet *alphabet)
{
    static const char *const names[GV_ALPHABET_COUNT] = {
        [GV_ALPHABET_ANY] = "any",
        [GV_ALPHABET_DNA] = "dna",
        [GV_ALPHABET_IUPAC] = "iupac",
    };
    for (int i = 0; i < GV_ALPHABET_COUNT; i++) {
        if (strcmp(name, names[i]) == 0) {
            *alphabet = (enum gv_alphabet)i;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "there is no alphabet '%s'; there are 'dna' and 'iupac'", name);
    return -1;
}

static int
parse_encoding(const char *name, uint8_t *zero)
{
    if (strcmp(name, "phred33") == 0) {
        *zero = GV_PHRED33_ZERO;
        return 0;
    }
    if (strcmp(name, "phred64") == 0) {
        *zero = GV_PHRED64_ZERO;
        return 0;
    }
    PyErr_Format(PyExc_ValueError, "encoding is 'phred33' or 'phred64', not '%s'", name);
    return -1;
}

static int
parse_sizes(Py_ssize_t max_record_bytes, PyObject *memory_limit, struct gv_reader_options *options)
{
    if (max_record_bytes < (Py_ssize_t)GV_RECORD_CAP_LEAST ||
        max_record_bytes > (Py_ssize_t)GV_RECORD_CAP_MOST) {
        PyErr_Format(PyExc_ValueError, "max_record_bytes is %zd; it goes from %zu to %zu",
                     max_record_bytes, GV_RECORD_CAP_LEAST, GV_RECORD_CAP_MOST);
        return -1;
    }
    options->build.max_record_bytes = (size_t)max_record_bytes;
    options->build.memory_limit = GV_NO_LIMIT;
    if (memory_limit != Py_None) {
        options->build.memory_limit = PyLong_AsSize_t(memory_limit);
        if (PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

static PyObject *
reader_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"sources",          "columns",  "min_quality", "min_error_quality",
                               "encoding",         "alphabet", "threads",     "memory_limit",
                               "max_record_bytes", "simd",     "engine",      "arena",
                               "strict",           "begin",    NULL};
    PyObject *sources, *columns, *memory_limit = Py_None, *arena = Py_None;
    const char *encoding = "phred33", *alphabet = "any", *simd = NULL, *engine = NULL;
    Py_ssize_t max_record_bytes = (Py_ssize_t)1 << 30;
    int is_strict = 0, is_wrapped = 0;
    unsigned long long offset = 0, line = 1, record = 1, ordinal = 0;
    struct gv_reader_options options = {0};
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "O!O!|$ddssIOnzzOp(KKKKp):Reader", keywords, &PyTuple_Type, &sources,
            &PyTuple_Type, &columns, &options.build.min_quality, &options.build.min_error_quality,
            &encoding, &alphabet, &options.threads, &memory_limit, &max_record_bytes, &simd,
            &engine, &arena, &is_strict, &offset, &line, &record, &ordinal, &is_wrapped)) {
        return NULL;
    }
    struct gvpy_state *state = gvpy_state_of_type(type);
    if (state == NULL || check_sources(sources) < 0 ||
        parse_columns(columns, &options.build.columns) < 0 ||
        parse_alphabet(alphabet, &options.build.alphabet) < 0 ||
        parse_encoding(encoding, &options.build.zero) < 0 ||
        parse_sizes(max_record_bytes, memory_limit, &options) < 0) {
        return NULL;
    }
    options.build.arena = gvpy_arena_of(state, arena);
    if (options.build.arena == NULL) {
        return NULL;
    }
    options.begin = (struct gv_fastq_place){
        .offset = offset,
        .line = line,
        .record = record,
        .wrapped = is_wrapped,
    };
    options.first_ordinal = ordinal;
    options.crew = &state->crew;
    options.build.placing = gv_placing_of(gv_layouts()[0]);
    options.build.is_strict = is_strict;
    options.build.ops = gv_scan_find(simd);
    if (options.build.ops == NULL) {
        return PyErr_Format(PyExc_ValueError,
                            "there is no SIMD variant '%s' here; see genomevedic.show_config()",
                            simd);
    }
    options.engine = gvpy_engine_find(state, engine);
    if (options.engine == NULL) {
        return NULL;
    }
    struct gvpy_reader *self = (struct gvpy_reader *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    atomic_init(&self->busy, false);
    self->module = Py_NewRef(PyType_GetModuleByDef(type, &gvpy_module));
    self->sources = Py_NewRef(sources);
    self->process = gv_os_process();
    if (gv_reader_new(&options, &self->reader) != GV_OK) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

/* ---------------------------------------------------------------------------------------------
 * One at a time
 * ------------------------------------------------------------------------------------------ */

static bool
take_flag(struct gvpy_reader *self)
{
    if (atomic_exchange(&self->busy, true)) {
        PyErr_SetString(PyExc_RuntimeError,
                        "this reader is in use; a reader serves one thread at a time");
        return false;
    }
    return true;
}

static void
leave(struct gvpy_reader *self)
{
    atomic_store(&self->busy, false);
}

static bool
is_of_this_process(const struct gvpy_reader *self)
{
    if (self->process != gv_os_process()) {
        PyErr_SetString(PyExc_RuntimeError, "this reader was made before the process forked, and "
                                            "both would share its place in the file; make one "
                                            "here");
        return false;
    }
    return true;
}

/* Takes the flag of a reader that is open. */
static bool
enter(struct gvpy_reader *self)
{
    if (!take_flag(self)) {
        return false;
    }
    bool is_ready = is_of_this_process(self);
    if (is_ready && (self->reader == NULL || self->sources == NULL)) {
        PyErr_SetString(PyExc_ValueError, "this reader is closed");
        is_ready = false;
    }
    if (!is_ready) {
        leave(self);
    }
    return is_ready;
}

/* ---------------------------------------------------------------------------------------------
 * Sources, one after another
 * ------------------------------------------------------------------------------------------ */

/* The label of source i; borrowed. */
static PyObject *
label(const struct gvpy_reader *self, Py_ssize_t i)
{
    return PyTuple_GET_ITEM(PyTuple_GET_ITEM(self->sources, i), 0);
}

static void
close_source(struct gvpy_reader *self)
{
    if (self->is_open) {
        self->is_open = false;
        gv_reader_close(self->reader);
        gvpy_source_release(&self->held);
    }
}

/* A source at fault cannot be read on, and the order of the others would be lost: an exception is
 * set, which closing must not disturb. */
static void
give_up(struct gvpy_reader *self)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    close_source(self);
    self->next = PyTuple_GET_SIZE(self->sources);
    PyErr_Restore(type, value, traceback);
}

/* Opens the next source; -1 with an exception set. */
static int
open_source(struct gvpy_reader *self)
{
    struct gv_source source;
    struct gv_error error = {.status = GV_OK};
    PyObject *object = PyTuple_GET_ITEM(PyTuple_GET_ITEM(self->sources, self->next), 1);
    enum gv_status status;
    do {
        status = gvpy_source_open(&self->held, object, &source, &error);
        if (status == GV_INTERRUPTED && PyErr_CheckSignals() < 0) {
            return -1;
        }
    } while (status == GV_INTERRUPTED);
    if (status != GV_OK) {
        if (status != GV_CALLBACK_FAILED) {
            (void)gvpy_raise(&error, label(self, self->next), NULL);
        }
        return -1;
    }
    gv_reader_open(self->reader, source);
    self->is_open = true;
    self->next++;
    return 0;
}

/* Whether an exception says already what happened, and where: it is one of ours. */
static bool
is_ours(PyObject *exception)
{
    PyObject *errors = PyImport_ImportModule("genomevedic.errors");
    PyObject *base = errors ? PyObject_GetAttrString(errors, "GenomeVedicError") : NULL;
    int answer = base ? PyObject_IsInstance(exception, base) : -1;
    if (answer < 0) {
        PyErr_Clear();
    }
    Py_XDECREF(errors);
    Py_XDECREF(base);
    return answer > 0;
}

/* Makes the cause of an exception now set the one that a file object raised.  What is not an
 * Exception (KeyboardInterrupt, SystemExit), and what a remote source raised in our own words, is
 * raised as it is. */
static void
raise_from_callback(struct gvpy_reader *self, const struct gv_error *error)
{
    PyObject *cause = self->held.cause;
    self->held.cause = NULL;
    if (!PyObject_TypeCheck(cause, (PyTypeObject *)PyExc_Exception) || is_ours(cause)) {
        PyErr_SetObject((PyObject *)Py_TYPE(cause), cause);
        Py_DECREF(cause);
        return;
    }
    (void)gvpy_raise(error, label(self, self->next - 1), cause);
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (PyObject_TypeCheck(cause, (PyTypeObject *)PyExc_OSError)) {
        PyObject *number = PyObject_GetAttrString(cause, "errno");
        if (number == NULL || PyObject_SetAttrString(value, "errno", number) < 0) {
            PyErr_Clear();
        }
        Py_XDECREF(number);
    }
    PyException_SetCause(value, cause); /* takes the reference */
    PyErr_Restore(type, value, traceback);
}

/* Sets the exception for a fault of the source at hand. */
static void
raise_fault(struct gvpy_reader *self, enum gv_status status, const struct gv_error *error)
{
    if (status == GV_CALLBACK_FAILED && self->held.cause != NULL) {
        raise_from_callback(self, error);
    } else {
        (void)gvpy_raise(error, label(self, self->next - 1), NULL);
    }
}

/* 1: at the bounds; 0: every source is over; -1: an exception is set. */
static int
advance(struct gvpy_reader *self, size_t most_rows, size_t most_text)
{
    for (;;) {
        if (!self->is_open) {
            if (self->next == PyTuple_GET_SIZE(self->sources)) {
                return 0;
            }
            if (open_source(self) < 0) {
                return -1;
            }
        }
        struct gv_error error;
        enum gv_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gv_reader_advance(self->reader, most_rows, most_text, &error);
        Py_END_ALLOW_THREADS
        switch (status) {
        case GV_OK:
            return 1;
        case GV_END:
            close_source(self);
            if (self->next < PyTuple_GET_SIZE(self->sources)) {
                return 1; /* a moment for signals and progress, once a source */
            }
            break;
        case GV_INTERRUPTED:
            if (PyErr_CheckSignals() < 0) {
                return -1;
            }
            break;
        default:
            raise_fault(self, status, &error);
            /* skip() may pass over a record at fault, and room be made for more. */
            if (!gv_fastq_is_of_record(status) && !gv_status_is_memory(status)) {
                give_up(self);
            }
            return -1;
        }
    }
}

/* ---------------------------------------------------------------------------------------------
 * Methods
 * ------------------------------------------------------------------------------------------ */

PyDoc_STRVAR(advance_doc,
             "advance($self, most_rows, most_text, /)\n--\n\n"
             "Read until the table holds `most_rows` rows or about `most_text` bytes of text were\n"
             "read; False once every source is over.");

static PyObject *
reader_advance(PyObject *object, PyObject *args)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    Py_ssize_t most_rows, most_text;
    if (!PyArg_ParseTuple(args, "nn:advance", &most_rows, &most_text)) {
        return NULL;
    }
    if (most_rows < 0 || most_text < 0) {
        PyErr_SetString(PyExc_ValueError, "advance() takes no negative bounds");
        return NULL;
    }
    if (!enter(self)) {
        return NULL;
    }
    int more = advance(self, (size_t)most_rows, (size_t)most_text);
    leave(self);
    return more < 0 ? NULL : PyBool_FromLong(more);
}

/* Records that may be looked at in advance. */
#define LOOK_MOST 1000000

/* Whether nothing was read yet; else it leaves the reader, with an exception set. */
static bool
is_at_front(struct gvpy_reader *self)
{
    if (gv_reader_stats(self->reader).reads > 0) {
        leave(self);
        PyErr_SetString(PyExc_RuntimeError, "this reader has begun to read");
        return false;
    }
    return true;
}

/* Looks at the first source that holds more than line ends; 0 where none does, -1 with an exception
 * set. */
static int
look(struct gvpy_reader *self, size_t most_text, struct gvpy_looked *looked)
{
    for (;;) {
        if (!self->is_open) {
            if (self->next == PyTuple_GET_SIZE(self->sources)) {
                return 0;
            }
            if (open_source(self) < 0) {
                return -1;
            }
        }
        struct gv_error error = {.status = GV_OK};
        enum gv_status status;
        Py_BEGIN_ALLOW_THREADS
        looked->records = looked->size = 0;
        status = gv_reader_look(self->reader, looked->most_records, most_text, gvpy_looked_tell,
                                looked, &error);
        Py_END_ALLOW_THREADS
        if (looked->has_failed) {
            (void)PyErr_NoMemory();
            return -1;
        }
        if (status == GV_OK) {
            return 1;
        }
        if (status == GV_INTERRUPTED && PyErr_CheckSignals() == 0) {
            continue;
        }
        if (status == GV_END && advance(self, 1, SIZE_MAX) >= 0) {
            continue; /* read as any other without records: it is closed now */
        }
        if (!PyErr_Occurred()) {
            (void)gvpy_raise(&error, label(self, self->next - 1), NULL);
        }
        return -1;
    }
}

PyDoc_STRVAR(look_doc,
             "look($self, most_records, most_text, kmers=False, /)\n--\n\n"
             "Look at the first records before anything is read: (headers, counts), the headers\n"
             "as bytes without '@', the counts of their tetranucleotides (uint32, one row of 256\n"
             "a record) or None.  They are those of four sound lines in the first `most_text`\n"
             "bytes, or the first header alone.  None where no source holds a record.");

static PyObject *
reader_look(PyObject *object, PyObject *args)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    Py_ssize_t most_records, most_text;
    int kmers = 0;
    if (!PyArg_ParseTuple(args, "nn|p:look", &most_records, &most_text, &kmers)) {
        return NULL;
    }
    if (most_records < 1 || most_records > LOOK_MOST || most_text < 1) {
        return PyErr_Format(PyExc_ValueError, "look() takes 1 to %d records", LOOK_MOST);
    }
    if (!enter(self) || !is_at_front(self)) {
        return NULL;
    }
    struct gvpy_looked looked;
    PyObject *result = NULL;
    if (!gvpy_looked_init(&looked, (size_t)most_records, kmers)) {
        (void)PyErr_NoMemory();
    } else {
        int has_looked = look(self, (size_t)most_text, &looked);
        if (has_looked == 0) {
            result = Py_NewRef(Py_None);
        } else if (has_looked > 0) {
            result = gvpy_looked_objects(&looked);
        }
    }
    gvpy_looked_deinit(&looked);
    leave(self);
    return result;
}

PyDoc_STRVAR(settle_doc,
             "settle($self, layout, grammar, parameters, weights=None, /)\n--\n\n"
             "Settle, before anything is read, where particles stand and whose names are read.");

static PyObject *
reader_settle(PyObject *object, PyObject *args)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    const char *layout, *grammar;
    PyObject *parameters, *weights = Py_None;
    if (!PyArg_ParseTuple(args, "ssO!|O:settle", &layout, &grammar, &PyDict_Type, &parameters,
                          &weights)) {
        return NULL;
    }
    struct gv_placing placing = gv_placing_of(gv_layout_find(layout));
    if (placing.layout == NULL) {
        return PyErr_Format(PyExc_ValueError, "there is no layout '%s'", layout);
    }
    if (!enter(self)) {
        return NULL;
    }
    if (!is_at_front(self)) {
        return NULL;
    }
    if (gvpy_parse_grammar(grammar, &placing.grammar) == 0 &&
        gvpy_parse_parameters(parameters, &placing) == 0 &&
        gvpy_parse_weights(weights, self->weights, &placing) == 0) {
        if (gv_placing_is_valid(&placing)) {
            gv_reader_settle(self->reader, &placing);
        } else {
            PyErr_Format(PyExc_ValueError, "the layout '%s' cannot place with these parameters",
                         layout);
        }
    }
    leave(self);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
place_of(const struct gvpy_reader *self)
{
    struct gv_fastq_place place = gv_reader_place(self->reader);
    return Py_BuildValue("KKKO", (unsigned long long)place.offset, (unsigned long long)place.line,
                         (unsigned long long)place.record, place.wrapped ? Py_True : Py_False);
}

PyDoc_STRVAR(
    place_doc,
    "place($self, /)\n--\n\n"
    "(offset, line, record, wrapped) of where reading goes on in the text of the source at\n"
    "hand; a reader of the rest may `begin` there.");

static PyObject *
reader_place(PyObject *object, PyObject *unused)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    if (!enter(self)) {
        return NULL;
    }
    PyObject *place = place_of(self);
    leave(self);
    return place;
}

PyDoc_STRVAR(
    skip_doc,
    "skip($self, /)\n--\n\n"
    "Pass over the record that advance() met a fault in; place() of where reading goes on: the\n"
    "next sound record, or the end of its source.");

static PyObject *
reader_skip(PyObject *object, PyObject *unused)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    if (!enter(self)) {
        return NULL;
    }
    if (!self->is_open) {
        leave(self);
        PyErr_SetString(PyExc_RuntimeError, "there is no record to skip");
        return NULL;
    }
    struct gv_error error;
    enum gv_status status;
    do {
        Py_BEGIN_ALLOW_THREADS
        status = gv_reader_skip(self->reader, &error);
        Py_END_ALLOW_THREADS
    } while (status == GV_INTERRUPTED && PyErr_CheckSignals() == 0);
    PyObject *place = status == GV_OK ? place_of(self) : NULL;
    if (status != GV_OK) {
        if (!PyErr_Occurred()) {
            raise_fault(self, status, &error);
        }
        give_up(self);
    }
    leave(self);
    return place;
}

PyDoc_STRVAR(take_doc, "take($self, /)\n--\n\n"
                       "Seal the table and return its columns: {name: array}, or for text\n"
                       "{name: (offsets, data)}.  The next table begins.");

static PyObject *
reader_take(PyObject *object, PyObject *unused)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    struct gvpy_state *state = gvpy_state_of_type(Py_TYPE(object));
    if (state == NULL || !enter(self)) {
        return NULL;
    }
    struct gv_sealed sealed;
    struct gv_error error;
    enum gv_status status = gv_reader_seal(self->reader, &sealed, &error);
    Py_ssize_t last = self->next > 0 ? self->next - 1 : 0;
    leave(self);
    if (status != GV_OK) {
        return gvpy_raise(&error, label(self, last), NULL);
    }
    return gvpy_columns(state, &sealed);
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\nClose what is open; harmless when called again.");

static PyObject *
reader_close(PyObject *object, PyObject *unused)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    if (!take_flag(self)) {
        return NULL;
    }
    if (self->reader != NULL && is_of_this_process(self)) {
        close_source(self);
        self->stats = gv_reader_stats(self->reader);
        gv_reader_free(self->reader);
        self->reader = NULL;
    }
    leave(self);
    if (PyErr_Occurred()) {
        return NULL;
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(stats_doc, "stats($self, /)\n--\n\nThe counts so far, over all sources.");

static PyObject *
reader_stats(PyObject *object, PyObject *unused)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    if (!take_flag(self)) {
        return NULL;
    }
    struct gv_reader_stats stats = self->stats;
    if (self->reader != NULL && is_of_this_process(self)) {
        stats = gv_reader_stats(self->reader);
    }
    leave(self);
    if (PyErr_Occurred()) {
        return NULL;
    }
    return Py_BuildValue(
        "{sKsKsKsKsKsKsKsKsKsKsKsKsKsO}", "reads", (unsigned long long)stats.reads, "skipped",
        (unsigned long long)stats.skipped, "kept", (unsigned long long)stats.kept, "bases",
        (unsigned long long)stats.sums.bases, "known_bases",
        (unsigned long long)stats.sums.known_bases, "gc_bases",
        (unsigned long long)stats.sums.gc_bases, "phred_sum",
        (unsigned long long)stats.sums.phred_sum, "unknown_reads",
        (unsigned long long)stats.sums.unknown_reads, "unplaced",
        (unsigned long long)stats.unplaced, "bytes_in", (unsigned long long)stats.bytes_in,
        "text_bytes", (unsigned long long)stats.text_bytes, "sources",
        (unsigned long long)stats.sources, "missing_end_blocks",
        (unsigned long long)stats.missing_end_blocks, "wrapped",
        stats.wrapped ? Py_True : Py_False);
}

static PyObject *
reader_rows(PyObject *object, void *closure)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    if (!enter(self)) {
        return NULL;
    }
    size_t rows = gv_reader_rows(self->reader);
    leave(self);
    return PyLong_FromSize_t(rows);
}

static int
reader_traverse(PyObject *object, visitproc visit, void *arg)
{
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->module);
    Py_VISIT(self->sources);
    return gvpy_source_traverse(&self->held, visit, arg);
}

static int
reader_clear(PyObject *object)
{
    /* Unreachable, so nobody is inside; the core lets go of its source before its memory goes. */
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    close_source(self);
    Py_CLEAR(self->sources);
    Py_CLEAR(self->module);
    return 0;
}

static void
reader_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    struct gvpy_reader *self = (struct gvpy_reader *)object;
    PyObject_GC_UnTrack(object);
    (void)reader_clear(object);
    gv_reader_free(self->reader);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef reader_methods[] = {
    {"advance", reader_advance, METH_VARARGS, advance_doc},
    {"look", reader_look, METH_VARARGS, look_doc},
    {"settle", reader_settle, METH_VARARGS, settle_doc},
    {"place", reader_place, METH_NOARGS, place_doc},
    {"skip", reader_skip, METH_NOARGS, skip_doc},
    {"take", reader_take, METH_NOARGS, take_doc},
    {"close", reader_close, METH_NOARGS, close_doc},
    {"stats", reader_stats, METH_NOARGS, stats_doc},
    {NULL},
};

static PyGetSetDef reader_getset[] = {
    {"rows", reader_rows, NULL, PyDoc_STR("Rows in the table being built."), NULL},
    {NULL},
};

PyDoc_STRVAR(reader_doc,
             "Reader(sources, columns, *, min_quality=0.0, min_error_quality=0.0,\n"
             "       encoding='phred33', alphabet='any', threads=0, memory_limit=None, "
             "max_record_bytes=1073741824, simd=None,\n"
             "       engine=None, arena=None, strict=False, begin=(0, 1, 1, 0, False))\n--\n\n"
             "Reads FASTQ sources, given as (label, object), into tables of particles.");

static PyType_Slot reader_slots[] = {
    {Py_tp_new, reader_new},           {Py_tp_dealloc, reader_dealloc},
    {Py_tp_traverse, reader_traverse}, {Py_tp_clear, reader_clear},
    {Py_tp_methods, reader_methods},   {Py_tp_getset, reader_getset},
    {Py_tp_doc, (void *)reader_doc},   {0, NULL},
};

PyType_Spec gvpy_reader_spec = {
    .name = "genomevedic._core.Reader",
    .basicsize = sizeof(struct gvpy_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = reader_slots,
};
