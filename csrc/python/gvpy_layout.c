/* Names and layouts as Python sees them: one name parsed, the first records looked at, and a
 * layout's parameters. */
#include "gvpy.h"

/* ---------------------------------------------------------------------------------------------
 * One name
 * ------------------------------------------------------------------------------------------ */

/* Takes over `value`, which may be NULL with an exception set. */
static int
set(PyObject *dict, const char *key, PyObject *value)
{
    int result = value != NULL ? PyDict_SetItemString(dict, key, value) : -1;
    Py_XDECREF(value);
    return result;
}

/* A number, or None where the name lacks it. */
static int
set_number(PyObject *dict, const char *key, bool is_there, long long value)
{
    return set(dict, key, is_there ? PyLong_FromLongLong(value) : Py_NewRef(Py_None));
}

static int
set_word(PyObject *dict, const char *key, const struct gv_word *word)
{
    PyObject *value =
        word->at != NULL ? PyBytes_FromStringAndSize((const char *)word->at, (Py_ssize_t)word->size)
                         : Py_NewRef(Py_None);
    return set(dict, key, value);
}

static int
set_parts(PyObject *dict, const struct gv_name *name)
{
    struct gv_tile tile = gv_name_tile(name->grammar, name->tile);
    const char *grammar = gv_grammar_name(name->grammar);
    const char *platform = gv_grammar_platform(name->grammar);
    bool failed =
        set(dict, "grammar", PyUnicode_FromString(grammar)) < 0 ||
        set(dict, "platform", PyUnicode_FromString(platform)) < 0 ||
        set(dict, "renamed", PyBool_FromLong(name->is_renamed)) < 0 ||
        set_number(dict, "lane", name->lane > 0, name->lane) < 0 ||
        set_number(dict, "tile", name->tile > 0, name->tile) < 0 ||
        set_number(dict, "surface", tile.surface > 0, tile.surface) < 0 ||
        set_number(dict, "swath", tile.swath > 0, tile.swath) < 0 ||
        set_number(dict, "camera", tile.camera > 0, tile.camera) < 0 ||
        set_number(dict, "number", tile.number > 0, tile.number) < 0 ||
        set_number(dict, "x", name->x != GV_NO_COORDINATE, name->x) < 0 ||
        set_number(dict, "y", name->y != GV_NO_COORDINATE, name->y) < 0 ||
        set_number(dict, "read", name->read > 0, name->read) < 0 ||
        set_number(dict, "filtered", name->filtered != GV_NO_FILTERED, name->filtered) < 0 ||
        set_word(dict, "index", &name->index) < 0 ||
        set_number(dict, "channel", name->channel > 0, name->channel) < 0 ||
        set_number(dict, "start_time", name->start_time != GV_NO_TIME, name->start_time) < 0 ||
        set_word(dict, "barcode", &name->barcode) < 0 ||
        set_word(dict, "flow_cell", &name->flow_cell) < 0 ||
        set_number(dict, "zmw", name->zmw != GV_NO_ZMW, name->zmw) < 0;
    return failed ? -1 : 0;
}

PyObject *
gvpy_parse_name(PyObject *module, PyObject *header)
{
    Py_buffer view;
    if (PyObject_GetBuffer(header, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    struct gv_name name;
    PyObject *parts = NULL;
    if (!gv_name_read(view.buf, (size_t)view.len, &name)) {
        parts = Py_NewRef(Py_None);
    } else {
        parts = PyDict_New();
        if (parts != NULL && set_parts(parts, &name) < 0) {
            Py_CLEAR(parts);
        }
    }
    PyBuffer_Release(&view);
    return parts;
}

PyObject *
gvpy_tile_parts(PyObject *module, PyObject *args)
{
    const char *name;
    unsigned tile;
    enum gv_grammar grammar;
    if (!PyArg_ParseTuple(args, "sI:tile_parts", &name, &tile) ||
        gvpy_parse_grammar(name, &grammar) < 0) {
        return NULL;
    }
    struct gv_tile parts = gv_name_tile(grammar, tile);
    return Py_BuildValue("IIII", (unsigned)parts.surface, (unsigned)parts.swath,
                         (unsigned)parts.camera, (unsigned)parts.number);
}

/* ---------------------------------------------------------------------------------------------
 * The first records
 * ------------------------------------------------------------------------------------------ */

static bool
remember_name(struct gvpy_looked *looked, const uint8_t *name, size_t size)
{
    size_t needed = looked->size + size;
    if (needed > looked->capacity || looked->names == NULL) {
        size_t capacity = gv_max_size(needed + needed / 2, GV_ALIGNMENT);
        uint8_t *names = PyMem_RawRealloc(looked->names, capacity);
        if (names == NULL) {
            return false;
        }
        looked->names = names;
        looked->capacity = capacity;
    }
    memcpy(looked->names + looked->size, name, size);
    looked->size = needed;
    looked->ends[looked->records] = needed;
    return true;
}

void
gvpy_looked_tell(void *context, const uint8_t *name, size_t name_size, const uint8_t *sequence,
                 size_t length)
{
    struct gvpy_looked *looked = context;
    if (looked->has_failed || looked->records == looked->most_records ||
        !remember_name(looked, name, name_size)) {
        looked->has_failed = true;
        return;
    }
    if (looked->counts_kmers) {
        memset(looked->kmers[looked->records], 0, sizeof looked->kmers[0]);
        gv_kmer_count(sequence, sequence != NULL ? length : 0, looked->kmers[looked->records]);
    }
    looked->records++;
}

bool
gvpy_looked_init(struct gvpy_looked *looked, size_t most_records, bool counts_kmers)
{
    *looked = (struct gvpy_looked){.counts_kmers = counts_kmers, .most_records = most_records};
    looked->ends = PyMem_RawCalloc(most_records, sizeof *looked->ends);
    if (counts_kmers) {
        looked->kmers = PyMem_RawMalloc(most_records * sizeof *looked->kmers);
    }
    return looked->ends != NULL && (!counts_kmers || looked->kmers != NULL);
}

void
gvpy_looked_deinit(struct gvpy_looked *looked)
{
    PyMem_RawFree(looked->ends);
    PyMem_RawFree(looked->names);
    PyMem_RawFree(looked->kmers);
}

PyObject *
gvpy_looked_objects(const struct gvpy_looked *looked)
{
    PyObject *names = PyList_New((Py_ssize_t)looked->records);
    for (size_t i = 0; names != NULL && i < looked->records; i++) {
        size_t begin = i > 0 ? looked->ends[i - 1] : 0;
        PyObject *name = PyBytes_FromStringAndSize((const char *)looked->names + begin,
                                                   (Py_ssize_t)(looked->ends[i] - begin));
        if (name == NULL) {
            Py_CLEAR(names);
            break;
        }
        PyList_SET_ITEM(names, (Py_ssize_t)i, name);
    }
    PyObject *kmers = NULL;
    if (names != NULL && looked->counts_kmers) {
        npy_intp shape[2] = {(npy_intp)looked->records, GV_KMER_CODES};
        kmers = PyArray_SimpleNew(2, shape, NPY_UINT32);
        if (kmers != NULL) {
            memcpy(PyArray_DATA((PyArrayObject *)kmers), looked->kmers,
                   looked->records * sizeof *looked->kmers);
        }
    } else if (names != NULL) {
        kmers = Py_NewRef(Py_None);
    }
    PyObject *pair = kmers != NULL ? PyTuple_Pack(2, names, kmers) : NULL;
    Py_XDECREF(names);
    Py_XDECREF(kmers);
    return pair;
}

/* ---------------------------------------------------------------------------------------------
 * A layout's parameters
 * ------------------------------------------------------------------------------------------ */

int
gvpy_parse_parameters(PyObject *parameters, struct gv_placing *placing)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    while (PyDict_Next(parameters, &at, &key, &value)) {
        const char *name = PyUnicode_AsUTF8(key);
        double number = name != NULL ? PyFloat_AsDouble(value) : -1;
        if (number == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (!gv_placing_set(placing, name, number)) {
            PyErr_Format(PyExc_ValueError, "the layout '%s' takes no parameter %R of %R",
                         placing->layout->name, key, value);
            return -1;
        }
    }
    return 0;
}

int
gvpy_parse_weights(PyObject *weights, double store[GV_KMER_CODES][3], struct gv_placing *placing)
{
    if (weights == Py_None) {
        return 0;
    }
    PyArrayObject *array =
        (PyArrayObject *)PyArray_FROMANY(weights, NPY_FLOAT64, 2, 2, NPY_ARRAY_IN_ARRAY);
    if (array == NULL) {
        return -1;
    }
    int result = -1;
    if (PyArray_DIM(array, 0) != GV_KMER_CODES || PyArray_DIM(array, 1) != 3) {
        PyErr_SetString(PyExc_ValueError, "weights have 256 rows of 3");
    } else {
        memcpy(store, PyArray_DATA(array), GV_KMER_CODES * sizeof *store);
        placing->weights = (const double (*)[3])store;
        result = 0;
    }
    Py_DECREF(array);
    return result;
}

int
gvpy_parse_grammar(const char *name, enum gv_grammar *grammar)
{
    for (int i = 0; i < GV_GRAMMAR_COUNT; i++) {
        if (strcmp(gv_grammar_name((enum gv_grammar)i), name) == 0) {
            *grammar = (enum gv_grammar)i;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "there is no grammar '%s'", name);
    return -1;
}
