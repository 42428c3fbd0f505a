/* What tables are made of: the Tally type, sums over tiles, and the digests of texts.
 *
 * Both take columns as arrays, check them, and leave the GIL while the core works.  One thread at
 * a time: `busy` is held by whoever is inside a tally, and others are told so. */
#include "gvpy.h"

/* Owns: its tally. */
struct gvpy_tally {
    PyObject_HEAD
    struct gv_tally *tally;
    atomic_bool busy;
};

/* ---------------------------------------------------------------------------------------------
 * Arguments
 * ------------------------------------------------------------------------------------------ */

/* `object` as an array of that type in one dimension, in order; NULL with an exception set. */
static PyArrayObject *
column(PyObject *object, int typenum, const char *name)
{
    PyArrayObject *array = (PyArrayObject *)PyArray_FROM_OTF(object, typenum, NPY_ARRAY_IN_ARRAY);
    if (array != NULL && PyArray_NDIM(array) != 1) {
        PyErr_Format(PyExc_ValueError, "the column %s must have one dimension", name);
        Py_CLEAR(array);
    }
    return array;
}

/* A column of text. */
struct text {
    PyArrayObject *offsets, *data;
};

static void
text_release(struct text *text)
{
    Py_CLEAR(text->offsets);
    Py_CLEAR(text->data);
}

/* Takes a pair (offsets, data); -1 with an exception set. */
static int
text_take(PyObject *pair, const char *name, struct text *text)
{
    PyObject *offsets, *data;
    if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "OO:a column of text", &offsets, &data)) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_TypeError, "a column of text is a pair (offsets, data)");
        }
        return -1;
    }
    text->offsets = column(offsets, NPY_INT64, name);
    text->data = text->offsets != NULL ? column(data, NPY_UINT8, name) : NULL;
    if (text->data == NULL) {
        text_release(text);
        return -1;
    }
    if (PyArray_SIZE(text->offsets) == 0) {
        PyErr_Format(PyExc_ValueError, "the column %s has no offsets", name);
        text_release(text);
        return -1;
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------------
 * One at a time
 * ------------------------------------------------------------------------------------------ */

static bool
enter(struct gvpy_tally *self)
{
    if (atomic_exchange(&self->busy, true)) {
        PyErr_SetString(PyExc_RuntimeError, "this tally is in use by another thread");
        return false;
    }
    return true;
}

static void
leave(struct gvpy_tally *self)
{
    atomic_store(&self->busy, false);
}

/* Raises what a status says of the process's memory; always NULL. */
static PyObject *
raise_status(struct gvpy_state *state, enum gv_status status)
{
    struct gv_error error;
    (void)gv_error_set(&error, status, -1); /* no number of reads */
    error.expected = (int64_t)gv_arena_capacity(state->arena);
    PyObject *label = PyUnicode_FromString("the table of tiles");
    if (label != NULL) {
        (void)gvpy_raise(&error, label, NULL);
        Py_DECREF(label);
    }
    return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * The type
 * ------------------------------------------------------------------------------------------ */

static PyObject *
tally_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"cycles", "tail", NULL};
    Py_ssize_t cycles, tail;
    struct gvpy_state *state = gvpy_state_of_type(type);
    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "nn:Tally", keywords, &cycles, &tail)) {
        return NULL;
    }
    if (cycles < 0 || tail < 1) {
        PyErr_SetString(PyExc_ValueError, "Tally() takes cycles of 0 or more, and a tail of 1 or "
                                          "more");
        return NULL;
    }
    struct gvpy_tally *self = (struct gvpy_tally *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    atomic_init(&self->busy, false);
    enum gv_status status = gv_tally_new((size_t)cycles, (size_t)tail, state->arena, &self->tally);
    if (status != GV_OK) {
        Py_DECREF(self);
        return raise_status(state, status);
    }
    return (PyObject *)self;
}

static void
tally_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    struct gvpy_tally *self = (struct gvpy_tally *)object;
    if (self->tally != NULL) {
        gv_tally_free(self->tally);
    }
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(add_doc, "add($self, lane, tile, sequence, qualities, /)\n--\n\n"
                      "Add a batch: two arrays, and two pairs (offsets, data).");

/* Adds columns that are arrays of their types; -1 with an exception set. */
static int
add_columns(struct gvpy_tally *self, PyArrayObject *lane, PyArrayObject *tile,
            const struct text *sequence, const struct text *qualities)
{
    npy_intp rows = PyArray_SIZE(lane);
    if (PyArray_SIZE(tile) != rows || PyArray_SIZE(sequence->offsets) - 1 != rows ||
        PyArray_SIZE(qualities->offsets) - 1 != rows) {
        PyErr_SetString(PyExc_ValueError, "the columns differ in length");
        return -1;
    }
    const struct gv_tally_reads reads = {
        .rows = (size_t)rows,
        .lane = PyArray_DATA(lane),
        .tile = PyArray_DATA(tile),
        .sequence_offsets = PyArray_DATA(sequence->offsets),
        .quality_offsets = PyArray_DATA(qualities->offsets),
        .sequence = PyArray_DATA(sequence->data),
        .quality = PyArray_DATA(qualities->data),
        .sequence_size = (size_t)PyArray_SIZE(sequence->data),
        .quality_size = (size_t)PyArray_SIZE(qualities->data),
    };
    struct gvpy_state *state = gvpy_state_of_type(Py_TYPE((PyObject *)self));
    if (state == NULL || !enter(self)) {
        return -1;
    }
    bool is_valid;
    enum gv_status status = GV_OK;
    Py_BEGIN_ALLOW_THREADS
    is_valid = gv_tally_reads_are_valid(&reads);
    if (is_valid) {
        status = gv_tally_add(self->tally, &reads);
    }
    Py_END_ALLOW_THREADS
    leave(self);
    if (!is_valid) {
        PyErr_SetString(PyExc_ValueError, "offsets lie outside their text, or a read has another "
                                          "number of qualities than of bases");
        return -1;
    }
    if (status != GV_OK) {
        (void)raise_status(state, status);
        return -1;
    }
    return 0;
}

static PyObject *
tally_add(PyObject *object, PyObject *args)
{
    PyObject *lanes, *tiles, *sequences, *scores, *result = NULL;
    PyArrayObject *lane = NULL, *tile = NULL;
    struct text sequence = {0}, qualities = {0};
    if (!PyArg_ParseTuple(args, "OOOO:add", &lanes, &tiles, &sequences, &scores)) {
        return NULL;
    }
    lane = column(lanes, NPY_UINT8, "lane");
    tile = lane != NULL ? column(tiles, NPY_UINT32, "tile") : NULL;
    if (tile != NULL && text_take(sequences, "sequence", &sequence) == 0 &&
        text_take(scores, "qualities", &qualities) == 0 &&
        add_columns((struct gvpy_tally *)object, lane, tile, &sequence, &qualities) == 0) {
        result = Py_NewRef(Py_None);
    }
    text_release(&sequence);
    text_release(&qualities);
    Py_XDECREF(lane);
    Py_XDECREF(tile);
    return result;
}

/* A new array of n values, put into the dict under that name; NULL with an exception set. */
static void *
new_column(PyObject *dict, const char *name, int typenum, int ndim, const npy_intp *shape)
{
    PyObject *array = PyArray_SimpleNew(ndim, shape, typenum);
    void *data = NULL;
    if (array != NULL && PyDict_SetItemString(dict, name, array) == 0) {
        data = PyArray_DATA((PyArrayObject *)array);
    }
    Py_XDECREF(array); /* the dict holds it */
    return data;
}

/* What sums are called in both results. */
struct sum_columns {
    uint64_t *bases, *known, *gc, *quality;
};

static bool
new_sums(PyObject *dict, int ndim, const npy_intp *shape, struct sum_columns *columns)
{
    return (columns->bases = new_column(dict, "bases", NPY_UINT64, ndim, shape)) != NULL &&
           (columns->known = new_column(dict, "known", NPY_UINT64, ndim, shape)) != NULL &&
           (columns->gc = new_column(dict, "gc", NPY_UINT64, ndim, shape)) != NULL &&
           (columns->quality = new_column(dict, "quality", NPY_UINT64, ndim, shape)) != NULL;
}

static void
put_sums(const struct sum_columns *columns, size_t at, const struct gv_tally_sums *sums)
{
    columns->bases[at] = sums->bases;
    columns->known[at] = sums->known;
    columns->gc[at] = sums->gc;
    columns->quality[at] = sums->quality;
}

static PyObject *
make_tiles(struct gv_tally *tally)
{
    gv_tally_settle(tally);
    PyObject *dict = PyDict_New();
    npy_intp n = (npy_intp)gv_tally_tiles(tally);
    struct sum_columns sums;
    uint8_t *lane = dict != NULL ? new_column(dict, "lane", NPY_UINT8, 1, &n) : NULL;
    uint32_t *tile = lane != NULL ? new_column(dict, "tile", NPY_UINT32, 1, &n) : NULL;
    uint64_t *first = tile != NULL ? new_column(dict, "first", NPY_UINT64, 1, &n) : NULL;
    uint64_t *reads = first != NULL ? new_column(dict, "reads", NPY_UINT64, 1, &n) : NULL;
    uint64_t *poly_g = reads != NULL ? new_column(dict, "poly_g", NPY_UINT64, 1, &n) : NULL;
    if (poly_g == NULL || !new_sums(dict, 1, &n, &sums)) {
        Py_XDECREF(dict);
        return NULL;
    }
    for (npy_intp i = 0; i < n; i++) {
        const struct gv_tally_tile *from = gv_tally_tile_at(tally, (size_t)i);
        lane[i] = from->lane;
        tile[i] = from->tile;
        first[i] = from->first;
        reads[i] = from->reads;
        poly_g[i] = from->poly_g;
        put_sums(&sums, (size_t)i, &from->sums);
    }
    return dict;
}

static PyObject *
make_bins(struct gv_tally *tally)
{
    gv_tally_settle(tally);
    PyObject *dict = PyDict_New();
    const npy_intp shape[2] = {(npy_intp)gv_tally_tiles(tally), (npy_intp)gv_tally_bins(tally)};
    struct sum_columns sums;
    if (dict == NULL || !new_sums(dict, 2, shape, &sums)) {
        Py_XDECREF(dict);
        return NULL;
    }
    for (npy_intp i = 0; i < shape[0]; i++) {
        const struct gv_tally_sums *from = gv_tally_bins_at(tally, (size_t)i);
        for (npy_intp k = 0; k < shape[1]; k++) {
            put_sums(&sums, (size_t)(i * shape[1] + k), &from[k]);
        }
    }
    return dict;
}

static PyObject *
with_tally(PyObject *object, PyObject *(*make)(struct gv_tally *tally))
{
    struct gvpy_tally *self = (struct gvpy_tally *)object;
    if (!enter(self)) {
        return NULL;
    }
    PyObject *result = make(self->tally);
    leave(self);
    return result;
}

PyDoc_STRVAR(tiles_doc, "tiles($self, /)\n--\n\n"
                        "The sums of each tile, in the order in which they came: {name: array}.");

static PyObject *
tally_tiles(PyObject *object, PyObject *unused)
{
    return with_tally(object, make_tiles);
}

PyDoc_STRVAR(bins_doc, "bins($self, /)\n--\n\n"
                       "The sums of each bin of cycles: {name: array of tiles x bins}.");

static PyObject *
tally_bins(PyObject *object, PyObject *unused)
{
    return with_tally(object, make_bins);
}

static PyObject *
make_counts(struct gv_tally *tally)
{
    return Py_BuildValue("{snsnsK}", "tiles", (Py_ssize_t)gv_tally_tiles(tally), "longest",
                         (Py_ssize_t)gv_tally_longest(tally), "unplaced",
                         (unsigned long long)gv_tally_unplaced(tally));
}

PyDoc_STRVAR(counts_doc, "counts($self, /)\n--\n\n"
                         "How many tiles there are, cycles of the longest read on one, and reads\n"
                         "on none.");

static PyObject *
tally_counts(PyObject *object, PyObject *unused)
{
    return with_tally(object, make_counts);
}

static PyMethodDef tally_methods[] = {
    {"add", tally_add, METH_VARARGS, add_doc},
    {"tiles", tally_tiles, METH_NOARGS, tiles_doc},
    {"bins", tally_bins, METH_NOARGS, bins_doc},
    {"counts", tally_counts, METH_NOARGS, counts_doc},
    {NULL},
};

PyDoc_STRVAR(tally_doc, "Tally(cycles, tail)\n--\n\nSums over the reads of each tile.");

static PyType_Slot tally_slots[] = {
    {Py_tp_new, tally_new},
    {Py_tp_dealloc, tally_dealloc},
    {Py_tp_methods, tally_methods},
    {Py_tp_doc, (void *)tally_doc},
    {0, NULL},
};

PyType_Spec gvpy_tally_spec = {
    .name = "genomevedic._core.Tally",
    .basicsize = sizeof(struct gvpy_tally),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = tally_slots,
};

/* ---------------------------------------------------------------------------------------------
 * Digests
 * ------------------------------------------------------------------------------------------ */

PyObject *
gvpy_digest(PyObject *module, PyObject *args)
{
    PyObject *pair, *limit, *result = NULL;
    struct text text = {0};
    if (!PyArg_ParseTuple(args, "OO:digest", &pair, &limit)) {
        return NULL;
    }
    size_t most = limit != Py_None ? PyLong_AsSize_t(limit) : 0;
    if (PyErr_Occurred() || text_take(pair, "text", &text) < 0) {
        return NULL;
    }
    npy_intp rows = PyArray_SIZE(text.offsets) - 1;
    const int64_t *offsets = PyArray_DATA(text.offsets);
    const uint8_t *data = PyArray_DATA(text.data);
    if (!gv_span_offsets_are_valid(offsets, (size_t)rows, (size_t)PyArray_SIZE(text.data))) {
        PyErr_SetString(PyExc_ValueError, "offsets lie outside their text");
    } else {
        result = PyArray_SimpleNew(1, &rows, NPY_UINT64);
    }
    if (result != NULL) {
        uint64_t *out = PyArray_DATA((PyArrayObject *)result);
        Py_BEGIN_ALLOW_THREADS
        if (limit == Py_None) {
            gv_digest_texts(offsets, data, (size_t)rows, out);
        } else {
            gv_digest_prefixes(offsets, data, (size_t)rows, most, out);
        }
        Py_END_ALLOW_THREADS
    }
    text_release(&text);
    return result;
}
