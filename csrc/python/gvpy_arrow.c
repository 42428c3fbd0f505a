/* The Arrow PyCapsule interface: the columns as one struct array, without a copy where they stand
 * in core memory.
 *
 *   column                    Arrow type
 *   (N,) f4, u1, u2, u4, u8   float, uint8, uint16, uint32, uint64
 *   (N,) i4                   int32
 *   (N,) datetime64[us]       timestamp[us], null where it is NaT
 *   (N,3), (N,4) f4           fixed_size_list<float>[3], [4]
 *   (offsets, data) text      large_string, or large_binary for qualities and for texts of which
 *                             one is not UTF-8
 *
 * Every exported array holds the lease of its memory itself, so a consumer may move children out,
 * and may release them on any thread: no release touches Python.  Columns that NumPy owns (made
 * by a mask, or unpickled) are copied once, into a lease of their own. */
#include "gvpy.h"

#include <stdlib.h>

/* The Arrow C data interface, https://arrow.apache.org/docs/format/CDataInterface.html */

#define ARROW_FLAG_NULLABLE 2

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

/* What an exported array owns: the memory of its buffers (NULL where there is none) and its
 * children, both here and as the pointers that the interface wants. */
struct array_private {
    struct gv_lease *holds[2];
    const void *buffers[3];
    struct ArrowArray **children;
};

struct schema_private {
    char *format;
    char *name;
    struct ArrowSchema **children;
};

/* ---------------------------------------------------------------------------------------------
 * Release: any thread, no GIL
 * ------------------------------------------------------------------------------------------ */

static void
array_release(struct ArrowArray *array)
{
    struct array_private *owned = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = owned->children[i];
        if (child != NULL && child->release != NULL) {
            child->release(child);
        }
        free(child);
    }
    for (int i = 0; i < 2; i++) {
        if (owned->holds[i] != NULL) {
            gv_lease_release(owned->holds[i]);
        }
    }
    free(owned->children);
    free(owned);
    array->release = NULL;
}

static void
schema_release(struct ArrowSchema *schema)
{
    struct schema_private *owned = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = owned->children[i];
        if (child != NULL && child->release != NULL) {
            child->release(child);
        }
        free(child);
    }
    free(owned->format);
    free(owned->name);
    free(owned->children);
    free(owned);
    schema->release = NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Making nodes
 * ------------------------------------------------------------------------------------------ */

/* An empty array of n children, released by array_release() from here on; NULL with an exception
 * set. */
static struct ArrowArray *
array_new(int64_t length, int64_t n_buffers, size_t n_children)
{
    struct ArrowArray *array = calloc(1, sizeof *array);
    struct array_private *owned = calloc(1, sizeof *owned);
    struct ArrowArray **children = calloc(n_children + 1, sizeof *children);
    if (array == NULL || owned == NULL || children == NULL) {
        free(array);
        free(owned);
        free(children);
        PyErr_NoMemory();
        return NULL;
    }
    owned->children = children;
    *array = (struct ArrowArray){
        .length = length,
        .n_buffers = n_buffers,
        .n_children = (int64_t)n_children,
        .buffers = owned->buffers,
        .children = children,
        .release = array_release,
        .private_data = owned,
    };
    return array;
}

static struct ArrowSchema *
schema_new(const char *format, const char *name, size_t n_children)
{
    struct ArrowSchema *schema = calloc(1, sizeof *schema);
    struct schema_private *owned = calloc(1, sizeof *owned);
    struct ArrowSchema **children = calloc(n_children + 1, sizeof *children);
    char *own_format = strdup(format), *own_name = strdup(name);
    if (schema == NULL || owned == NULL || children == NULL || own_format == NULL ||
        own_name == NULL) {
        free(schema);
        free(owned);
        free(children);
        free(own_format);
        free(own_name);
        PyErr_NoMemory();
        return NULL;
    }
    *owned = (struct schema_private){.format = own_format, .name = own_name, .children = children};
    *schema = (struct ArrowSchema){
        .format = own_format,
        .name = own_name,
        .n_children = (int64_t)n_children,
        .children = children,
        .release = schema_release,
        .private_data = owned,
    };
    return schema;
}

static void
array_free(struct ArrowArray *array)
{
    if (array != NULL) {
        array->release(array);
        free(array);
    }
}

static void
schema_free(struct ArrowSchema *schema)
{
    if (schema != NULL) {
        schema->release(schema);
        free(schema);
    }
}

/* Makes buffer i of an array the memory of a NumPy array: held where it is a lease's and
 * contiguous, copied otherwise.  -1 with an exception set. */
static int
hold_buffer(struct gvpy_state *state, struct ArrowArray *array, int i, int hold,
            PyArrayObject *values)
{
    struct array_private *owned = array->private_data;
    size_t size = (size_t)PyArray_NBYTES(values);
    struct gv_lease *lease = gvpy_lease_behind(state, values);
    if (lease != NULL && PyArray_IS_C_CONTIGUOUS(values)) {
        owned->holds[hold] = gv_lease_retain(lease);
        owned->buffers[i] = PyArray_DATA(values);
        return 0;
    }
    uint8_t *copy;
    if (gv_lease_new(NULL, size, &owned->holds[hold], &copy) != GV_OK) {
        owned->holds[hold] = NULL;
        PyErr_NoMemory();
        return -1;
    }
    PyArrayObject *contiguous = PyArray_GETCONTIGUOUS(values);
    if (contiguous == NULL) {
        return -1;
    }
    if (size > 0) {
        memcpy(copy, PyArray_DATA(contiguous), size);
    }
    Py_DECREF(contiguous);
    owned->buffers[i] = copy;
    return 0;
}

/* Whether the values are datetime64[us]. */
static bool
are_times(PyArrayObject *values)
{
    if (PyArray_TYPE(values) != NPY_DATETIME || PyArray_NDIM(values) != 1) {
        return false;
    }
    const PyArray_DatetimeDTypeMetaData *data =
        (const PyArray_DatetimeDTypeMetaData *)PyDataType_C_METADATA(PyArray_DESCR(values));
    return data->meta.base == NPY_FR_us && data->meta.num == 1;
}

static const char *
format_of(PyArrayObject *values)
{
    switch (PyArray_TYPE(values)) {
    case NPY_FLOAT32:
        return "f";
    case NPY_UINT8:
        return "C";
    case NPY_UINT16:
        return "S";
    case NPY_UINT32:
        return "I";
    case NPY_UINT64:
        return "L";
    case NPY_INT32:
        return "i";
    default:
        if (are_times(values)) {
            return "tsu:";
        }
        PyErr_SetString(PyExc_TypeError, "only float32, uint8, uint16, uint32, uint64, int32 and "
                                         "datetime64[us] columns are exported");
        return NULL;
    }
}

/* ---------------------------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------------------------ */

/* Marks the times that are none; where all are there, nothing is made.  -1 with an exception set.
 */
static int
mark_missing(struct ArrowArray *array, PyArrayObject *times)
{
    struct array_private *owned = array->private_data;
    npy_intp rows = PyArray_DIM(times, 0);
    int64_t missing = 0;
    for (npy_intp row = 0; row < rows; row++) {
        missing += *(npy_datetime *)PyArray_GETPTR1(times, row) == NPY_DATETIME_NAT;
    }
    if (missing == 0) {
        return 0;
    }
    uint8_t *bits;
    size_t size = ((size_t)rows + 7) / 8;
    if (gv_lease_new(NULL, size, &owned->holds[1], &bits) != GV_OK) {
        owned->holds[1] = NULL;
        PyErr_NoMemory();
        return -1;
    }
    memset(bits, 0, size);
    for (npy_intp row = 0; row < rows; row++) {
        bool is_there = *(npy_datetime *)PyArray_GETPTR1(times, row) != NPY_DATETIME_NAT;
        bits[row / 8] |= (uint8_t)(is_there << row % 8);
    }
    owned->buffers[0] = bits;
    array->null_count = missing;
    return 0;
}

static struct ArrowArray *
fixed_array(struct gvpy_state *state, PyArrayObject *values)
{
    int64_t rows = PyArray_DIM(values, 0);
    int64_t width = PyArray_NDIM(values) > 1 ? PyArray_DIM(values, 1) : 1;
    struct ArrowArray *leaf = array_new(rows * width, 2, 0);
    if (leaf == NULL || hold_buffer(state, leaf, 1, 0, values) < 0 ||
        (are_times(values) && mark_missing(leaf, values) < 0)) {
        array_free(leaf);
        return NULL;
    }
    if (PyArray_NDIM(values) == 1) {
        return leaf;
    }
    struct ArrowArray *list = array_new(rows, 1, 1);
    if (list == NULL) {
        array_free(leaf);
        return NULL;
    }
    list->children[0] = leaf;
    return list;
}

static struct ArrowSchema *
fixed_schema(const char *name, PyArrayObject *values)
{
    const char *format = format_of(values);
    if (format == NULL || PyArray_NDIM(values) == 1) {
        struct ArrowSchema *schema = format != NULL ? schema_new(format, name, 0) : NULL;
        if (schema != NULL && are_times(values)) {
            schema->flags = ARROW_FLAG_NULLABLE;
        }
        return schema;
    }
    char list_format[32];
    (void)snprintf(list_format, sizeof list_format, "+w:%lld", (long long)PyArray_DIM(values, 1));
    struct ArrowSchema *list = schema_new(list_format, name, 1);
    struct ArrowSchema *item = list != NULL ? schema_new(format, "item", 0) : NULL;
    if (item == NULL) {
        schema_free(list);
        return NULL;
    }
    list->children[0] = item;
    return list;
}

static struct ArrowArray *
text_array(struct gvpy_state *state, PyArrayObject *offsets, PyArrayObject *bytes)
{
    struct ArrowArray *array = array_new(PyArray_DIM(offsets, 0) - 1, 3, 0);
    if (array == NULL || hold_buffer(state, array, 1, 0, offsets) < 0 ||
        hold_buffer(state, array, 2, 1, bytes) < 0) {
        array_free(array);
        return NULL;
    }
    return array;
}

/* Whether every row is UTF-8, which is what a large_string must be: -1 with an exception set. */
static int
is_utf8(PyArrayObject *offsets, PyArrayObject *bytes)
{
    npy_intp rows = PyArray_DIM(offsets, 0) - 1;
    const char *data = PyArray_DATA(bytes);
    for (npy_intp row = 0; row < rows; row++) {
        int64_t begin = *(int64_t *)PyArray_GETPTR1(offsets, row);
        int64_t end = *(int64_t *)PyArray_GETPTR1(offsets, row + 1);
        uint8_t all = 0;
        for (int64_t i = begin; i < end; i++) {
            all |= (uint8_t)data[i];
        }
        if (all < 0x80) {
            continue; /* ASCII, as nearly every name is */
        }
        PyObject *text = PyUnicode_DecodeUTF8(data + begin, (Py_ssize_t)(end - begin), NULL);
        if (text == NULL) {
            if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
                return -1;
            }
            PyErr_Clear();
            return 0;
        }
        Py_DECREF(text);
    }
    return 1;
}

static struct ArrowSchema *
text_schema(const char *name, PyArrayObject *offsets, PyArrayObject *bytes)
{
    bool is_bytes = strcmp(name, gv_column_spec(GV_COLUMN_QUALITIES)->name) == 0;
    int is_text = is_bytes ? 0 : is_utf8(offsets, bytes);
    return is_text < 0 ? NULL : schema_new(is_text ? "U" : "Z", name, 0);
}

/* The offsets never decrease and lie inside the bytes; views may have been written through. */
static bool
offsets_fit(PyArrayObject *offsets, PyArrayObject *bytes)
{
    int64_t before = 0;
    for (npy_intp i = 0; i < PyArray_DIM(offsets, 0); i++) {
        int64_t offset = *(int64_t *)PyArray_GETPTR1(offsets, i);
        if (offset < before) {
            return false;
        }
        before = offset;
    }
    return before <= PyArray_DIM(bytes, 0);
}

static bool
is_text_column(PyArrayObject *offsets, PyArrayObject *bytes)
{
    return PyArray_NDIM(offsets) == 1 && PyArray_DIM(offsets, 0) > 0 &&
           PyArray_TYPE(offsets) == NPY_INT64 && PyArray_ISBEHAVED_RO(offsets) &&
           PyArray_NDIM(bytes) == 1 && PyArray_TYPE(bytes) == NPY_UINT8 &&
           PyArray_IS_C_CONTIGUOUS(bytes) && offsets_fit(offsets, bytes);
}

/* A column as it stands in the dict: one array, or two for text, of *rows rows, the same for all
 * columns (-1 before the first).  -1 with an exception set. */
static int
unpack(PyObject *value, PyArrayObject **first, PyArrayObject **second, npy_intp *rows)
{
    npy_intp here = -1;
    *second = NULL;
    if (PyArray_Check(value)) {
        *first = (PyArrayObject *)value;
        int ndim = PyArray_NDIM(*first);
        if ((ndim == 1 || ndim == 2) && PyArray_ISBEHAVED_RO(*first)) {
            here = PyArray_DIM(*first, 0);
        }
    } else if (PyTuple_Check(value) && PyTuple_GET_SIZE(value) == 2 &&
               PyArray_Check(PyTuple_GET_ITEM(value, 0)) &&
               PyArray_Check(PyTuple_GET_ITEM(value, 1))) {
        *first = (PyArrayObject *)PyTuple_GET_ITEM(value, 0);
        *second = (PyArrayObject *)PyTuple_GET_ITEM(value, 1);
        if (is_text_column(*first, *second)) {
            here = PyArray_DIM(*first, 0) - 1;
        }
    }
    if (here < 0) {
        PyErr_SetString(PyExc_TypeError, "a column is an aligned array of one or two dimensions "
                                         "in native byte order, or (offsets, data) as in a "
                                         "TextColumn");
        return -1;
    }
    if (*rows >= 0 && here != *rows) {
        PyErr_SetString(PyExc_ValueError, "the columns are not of one length");
        return -1;
    }
    *rows = here;
    return 0;
}

/* The struct over all columns.  A struct's children hold the data; it has no buffer but an
 * absent validity bitmap. */
static struct ArrowSchema *
struct_schema(PyObject *columns)
{
    struct ArrowSchema *root = schema_new("+s", "", (size_t)PyDict_GET_SIZE(columns));
    PyObject *key, *value;
    Py_ssize_t at = 0;
    npy_intp rows = -1;
    for (int64_t i = 0; root != NULL && PyDict_Next(columns, &at, &key, &value); i++) {
        PyArrayObject *first, *second;
        const char *name = PyUnicode_AsUTF8(key);
        if (name != NULL && unpack(value, &first, &second, &rows) == 0) {
            root->children[i] =
                second != NULL ? text_schema(name, first, second) : fixed_schema(name, first);
        }
        if (root->children[i] == NULL) {
            schema_free(root);
            return NULL;
        }
    }
    return root;
}

static struct ArrowArray *
struct_array(struct gvpy_state *state, PyObject *columns)
{
    struct ArrowArray *root = array_new(0, 1, (size_t)PyDict_GET_SIZE(columns));
    PyObject *key, *value;
    Py_ssize_t at = 0;
    npy_intp rows = -1;
    for (int64_t i = 0; root != NULL && PyDict_Next(columns, &at, &key, &value); i++) {
        PyArrayObject *first, *second;
        if (unpack(value, &first, &second, &rows) == 0) {
            root->children[i] =
                second != NULL ? text_array(state, first, second) : fixed_array(state, first);
        }
        if (root->children[i] == NULL) {
            array_free(root);
            return NULL;
        }
        root->length = root->children[i]->length;
    }
    return root;
}

/* ---------------------------------------------------------------------------------------------
 * Capsules
 * ------------------------------------------------------------------------------------------ */

static void
schema_capsule_free(PyObject *capsule)
{
    struct ArrowSchema *schema = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (schema->release != NULL) {
        schema->release(schema);
    }
    free(schema);
}

static void
array_capsule_free(PyObject *capsule)
{
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (array->release != NULL) {
        array->release(array);
    }
    free(array);
}

static PyObject *
schema_capsule(PyObject *columns)
{
    struct ArrowSchema *schema = struct_schema(columns);
    if (schema == NULL) {
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(schema, "arrow_schema", schema_capsule_free);
    if (capsule == NULL) {
        schema_free(schema);
    }
    return capsule;
}

static PyObject *
array_capsule(struct gvpy_state *state, PyObject *columns)
{
    struct ArrowArray *array = struct_array(state, columns);
    if (array == NULL) {
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(array, "arrow_array", array_capsule_free);
    if (capsule == NULL) {
        array_free(array);
    }
    return capsule;
}

/* A dict of our own: copying a column may let other threads run, and they must not change it. */
static PyObject *
own_dict(PyObject *columns)
{
    if (!PyDict_Check(columns)) {
        PyErr_SetString(PyExc_TypeError, "columns must be a dict");
        return NULL;
    }
    return PyDict_Copy(columns);
}

PyObject *
gvpy_arrow_schema(PyObject *module, PyObject *columns)
{
    PyObject *own = own_dict(columns);
    PyObject *schema = own != NULL ? schema_capsule(own) : NULL;
    Py_XDECREF(own);
    return schema;
}

PyObject *
gvpy_arrow_array(PyObject *module, PyObject *columns)
{
    PyObject *own = own_dict(columns);
    PyObject *schema = own != NULL ? schema_capsule(own) : NULL;
    PyObject *array = schema != NULL ? array_capsule(PyModule_GetState(module), own) : NULL;
    Py_XDECREF(own);
    if (array == NULL) {
        Py_XDECREF(schema);
        return NULL;
    }
    return Py_BuildValue("NN", schema, array);
}
