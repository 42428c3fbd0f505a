/* The Lease type: the base object of every array over core memory, and the arrays themselves.
 *
 *   view of a view -> array -> Lease -> struct gv_lease -> extents or heap block
 *
 * NumPy keeps the chain alive from the left; the last view gone releases the hold. */
#include "gvpy.h"

#include <structmember.h>

/* Freeing less than this is quicker than leaving the GIL for it. */
#define LARGE ((size_t)1 << 20)

PyObject *
gvpy_lease_take(struct gvpy_state *state, struct gv_lease *lease)
{
    struct gvpy_lease *self =
        (struct gvpy_lease *)state->lease_type->tp_alloc(state->lease_type, 0);
    if (self == NULL) {
        gv_lease_release(lease);
        return NULL;
    }
    self->lease = lease;
    return (PyObject *)self;
}

static void
lease_dealloc(PyObject *object)
{
    struct gvpy_lease *self = (struct gvpy_lease *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_ClearWeakRefs(object);
    struct gv_lease *lease = self->lease;
    type->tp_free(object);
    Py_DECREF(type);
    if (lease != NULL && gv_lease_size(lease) >= LARGE) {
        Py_BEGIN_ALLOW_THREADS
        gv_lease_release(lease);
        Py_END_ALLOW_THREADS
    } else if (lease != NULL) {
        gv_lease_release(lease);
    }
}

static PyObject *
lease_nbytes(PyObject *self, void *closure)
{
    return PyLong_FromSize_t(gv_lease_size(((struct gvpy_lease *)self)->lease));
}

static PyObject *
lease_pieces(PyObject *self, void *closure)
{
    return PyLong_FromSize_t(gv_lease_pieces(((struct gvpy_lease *)self)->lease));
}

static PyGetSetDef lease_getset[] = {
    {"nbytes", lease_nbytes, NULL, PyDoc_STR("Bytes of memory kept alive."), NULL},
    {"pieces", lease_pieces, NULL,
     PyDoc_STR("Pieces of memory held; 0 where all is one heap block."), NULL},
    {NULL},
};

static PyMemberDef lease_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(struct gvpy_lease, weakrefs), READONLY, NULL},
    {NULL},
};

PyDoc_STRVAR(lease_doc, "A hold on the memory of one result; the end of its arrays' bases.");

static PyType_Slot lease_slots[] = {
    {Py_tp_dealloc, lease_dealloc},
    {Py_tp_getset, lease_getset},
    {Py_tp_members, lease_members},
    {Py_tp_doc, (void *)lease_doc},
    {0, NULL},
};

PyType_Spec gvpy_lease_spec = {
    .name = "genomevedic._core.Lease",
    .basicsize = sizeof(struct gvpy_lease),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = lease_slots,
};

struct gv_lease *
gvpy_lease_behind(struct gvpy_state *state, PyArrayObject *array)
{
    PyObject *base = (PyObject *)array;
    while (base != NULL && PyArray_Check(base)) {
        base = PyArray_BASE((PyArrayObject *)base);
    }
    if (base == NULL || !Py_IS_TYPE(base, state->lease_type)) {
        return NULL;
    }
    return ((struct gvpy_lease *)base)->lease;
}

PyObject *
gvpy_array(PyObject *owner, void *data, int typenum, int ndim, const npy_intp *shape)
{
    PyArray_Descr *descr = PyArray_DescrFromType(typenum);
    if (descr == NULL) {
        return NULL;
    }
    PyObject *array =
        PyArray_NewFromDescr(&PyArray_Type, descr, ndim, shape, NULL, data, NPY_ARRAY_CARRAY, NULL);
    if (array == NULL) {
        return NULL;
    }
    Py_INCREF(owner);
    if (PyArray_SetBaseObject((PyArrayObject *)array, owner) < 0) {
        Py_DECREF(array);
        return NULL;
    }
    return array;
}

static PyObject *
fixed_column(PyObject *owner, const struct gv_sealed *sealed, enum gv_column column)
{
    static const int typenums[] = {
        [GV_TYPE_F32] = NPY_FLOAT32, [GV_TYPE_U8] = NPY_UINT8,   [GV_TYPE_U16] = NPY_UINT16,
        [GV_TYPE_U32] = NPY_UINT32,  [GV_TYPE_U64] = NPY_UINT64, [GV_TYPE_I32] = NPY_INT32,
        [GV_TYPE_TIME] = NPY_INT64,
    };
    const struct gv_column_spec *spec = gv_column_spec(column);
    npy_intp shape[2] = {(npy_intp)sealed->rows, (npy_intp)spec->width};
    return gvpy_array(owner, sealed->data[column], typenums[spec->type], spec->width > 1 ? 2 : 1,
                      shape);
}

static PyObject *
text_column(PyObject *owner, const struct gv_sealed *sealed, enum gv_column column)
{
    unsigned i = column - GV_COLUMN_FIRST_TEXT;
    npy_intp n_offsets = (npy_intp)sealed->rows + 1;
    npy_intp n_bytes = (npy_intp)sealed->text_size[i];
    PyObject *offsets = gvpy_array(owner, sealed->data[column], NPY_INT64, 1, &n_offsets);
    PyObject *bytes = gvpy_array(owner, sealed->text[i], NPY_UINT8, 1, &n_bytes);
    PyObject *pair = NULL;
    if (offsets != NULL && bytes != NULL) {
        pair = PyTuple_Pack(2, offsets, bytes);
    }
    Py_XDECREF(offsets);
    Py_XDECREF(bytes);
    return pair;
}

PyObject *
gvpy_columns(struct gvpy_state *state, struct gv_sealed *sealed)
{
    PyObject *owner = gvpy_lease_take(state, sealed->lease);
    PyObject *columns = owner != NULL ? PyDict_New() : NULL;
    for (unsigned i = 0; columns != NULL && i < GV_COLUMN_COUNT; i++) {
        if ((sealed->columns & GV_COLUMN_BIT(i)) == 0) {
            continue;
        }
        enum gv_column column = (enum gv_column)i;
        PyObject *value = column < GV_COLUMN_FIRST_TEXT ? fixed_column(owner, sealed, column)
                                                        : text_column(owner, sealed, column);
        if (value == NULL ||
            PyDict_SetItemString(columns, gv_column_spec(column)->name, value) < 0) {
            Py_CLEAR(columns);
        }
        Py_XDECREF(value);
    }
    Py_XDECREF(owner);
    return columns;
}
