/* Grids: rows of columns added to arrays of counts and sums, without the GIL. */
#include "gvpy.h"

/* The arrays that a call works on.  Owns: references. */
struct arrays {
    PyArrayObject *held[2 * GV_VOXEL_AXES + 3 * GV_VOXEL_SUMS + 1];
    unsigned n;
};

static void
arrays_release(struct arrays *arrays)
{
    while (arrays->n > 0) {
        Py_DECREF(arrays->held[--arrays->n]);
    }
}

static PyArrayObject *
hold(struct arrays *arrays, PyObject *object)
{
    if (!PyArray_Check(object)) {
        PyErr_SetString(PyExc_TypeError, "grids are made of arrays");
        return NULL;
    }
    arrays->held[arrays->n++] = (PyArrayObject *)Py_NewRef(object);
    return (PyArrayObject *)object;
}

/* A column of numbers, by whatever stride. */
static int
parse_column(struct arrays *arrays, PyObject *object, npy_intp rows, struct gv_voxel_column *column)
{
    PyArrayObject *array = hold(arrays, object);
    if (array == NULL) {
        return -1;
    }
    switch (PyArray_TYPE(array)) {
    case NPY_FLOAT32:
        column->type = GV_VOXEL_F32;
        break;
    case NPY_FLOAT64:
        column->type = GV_VOXEL_F64;
        break;
    case NPY_UINT32:
        column->type = GV_VOXEL_U32;
        break;
    default:
        PyErr_SetString(PyExc_TypeError, "a grid's columns are float32, float64 or uint32");
        return -1;
    }
    if (PyArray_NDIM(array) != 1 || PyArray_DIM(array, 0) != rows || PyArray_ISBYTESWAPPED(array)) {
        PyErr_SetString(PyExc_ValueError, "a grid's columns have one dimension and one length");
        return -1;
    }
    column->data = PyArray_DATA(array);
    column->stride = PyArray_STRIDE(array, 0);
    return 0;
}

/* A contiguous array of `size` values; NULL with an exception set. */
static void *
parse_values(struct arrays *arrays, PyObject *object, int type, npy_intp size, bool is_written)
{
    PyArrayObject *array = hold(arrays, object);
    if (array == NULL) {
        return NULL;
    }
    if (PyArray_TYPE(array) != type || PyArray_SIZE(array) != size ||
        !PyArray_IS_C_CONTIGUOUS(array) || !PyArray_ISBEHAVED_RO(array) ||
        (is_written && !PyArray_ISWRITEABLE(array))) {
        PyErr_SetString(PyExc_ValueError, "an array of the grid has another type or size");
        return NULL;
    }
    return PyArray_DATA(array);
}

static int
parse_axis(struct arrays *arrays, PyObject *object, struct gv_voxel_axis *axis)
{
    if (!PyArray_Check(object) || PyArray_NDIM((PyArrayObject *)object) != 1 ||
        PyArray_SIZE((PyArrayObject *)object) < 2) {
        PyErr_SetString(PyExc_ValueError, "an axis has two edges or more");
        return -1;
    }
    npy_intp edges = PyArray_SIZE((PyArrayObject *)object);
    axis->edges = parse_values(arrays, object, NPY_FLOAT64, edges, false);
    axis->bins = (size_t)edges - 1;
    for (size_t i = 0; axis->edges != NULL && i < axis->bins; i++) {
        if (!(axis->edges[i] < axis->edges[i + 1]) || !isfinite(axis->edges[i]) ||
            !isfinite(axis->edges[i + 1])) {
            PyErr_SetString(PyExc_ValueError, "the edges of an axis must be finite and increase");
            return -1;
        }
    }
    return axis->edges != NULL ? 0 : -1;
}

static bool
is_tuple(PyObject *object, Py_ssize_t least, Py_ssize_t most)
{
    if (PyTuple_Check(object) && PyTuple_GET_SIZE(object) >= least &&
        PyTuple_GET_SIZE(object) <= most) {
        return true;
    }
    PyErr_Format(PyExc_ValueError, "a grid has 1 to %d axes and at most %d sums", GV_VOXEL_AXES,
                 GV_VOXEL_SUMS);
    return false;
}

/* Axes as (column, edges), sums as (column, sum, known). */
static int
parse_grid(struct arrays *arrays, PyObject *axes, PyObject *counts, PyObject *sums,
           struct gv_voxel_grid *grid, struct gv_voxel_column *coordinates,
           struct gv_voxel_column *values, npy_intp *rows)
{
    if (!is_tuple(axes, 1, GV_VOXEL_AXES) || !is_tuple(sums, 0, GV_VOXEL_SUMS)) {
        return -1;
    }
    grid->n_axes = (unsigned)PyTuple_GET_SIZE(axes);
    grid->n_sums = (unsigned)PyTuple_GET_SIZE(sums);
    for (unsigned i = 0; i < grid->n_axes; i++) {
        PyObject *column, *edges;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(axes, i), "OO", &column, &edges)) {
            return -1;
        }
        if (i == 0) {
            *rows = PyArray_Check(column) && PyArray_NDIM((PyArrayObject *)column) == 1
                        ? PyArray_DIM((PyArrayObject *)column, 0)
                        : -1;
        }
        if (parse_column(arrays, column, *rows, &coordinates[i]) < 0 ||
            parse_axis(arrays, edges, &grid->axes[i]) < 0) {
            return -1;
        }
    }
    size_t cells;
    if (!gv_voxel_cells(grid, &cells)) {
        PyErr_Format(PyExc_ValueError, "a grid has at most %zu cells", GV_VOXEL_CELLS_MOST);
        return -1;
    }
    grid->counts = parse_values(arrays, counts, NPY_UINT64, (npy_intp)cells, true);
    for (unsigned i = 0; grid->counts != NULL && i < grid->n_sums; i++) {
        PyObject *column, *sum, *known;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(sums, i), "OOO", &column, &sum, &known) ||
            parse_column(arrays, column, *rows, &values[i]) < 0) {
            return -1;
        }
        grid->sums[i].sum = parse_values(arrays, sum, NPY_FLOAT64, (npy_intp)cells, true);
        grid->sums[i].known = parse_values(arrays, known, NPY_UINT64, (npy_intp)cells, true);
        if (grid->sums[i].sum == NULL || grid->sums[i].known == NULL) {
            return -1;
        }
    }
    return grid->counts != NULL ? 0 : -1;
}

PyObject *
gvpy_voxel_add(PyObject *module, PyObject *args)
{
    struct gvpy_state *state = PyModule_GetState(module);
    PyObject *axes, *counts, *sums;
    unsigned threads;
    if (!PyArg_ParseTuple(args, "OOOI:voxel_add", &axes, &counts, &sums, &threads)) {
        return NULL;
    }
    struct arrays arrays = {.n = 0};
    struct gv_voxel_grid grid = {.n_axes = 0};
    struct gv_voxel_column coordinates[GV_VOXEL_AXES], values[GV_VOXEL_SUMS];
    npy_intp rows = 0;
    struct gv_pool *pool = gv_arena_pool(state->arena, GV_POOL_BUFFERS);
    struct gv_piece scratch = {0};
    PyObject *result = NULL;
    size_t scratch_size = GV_VOXEL_BLOCK * sizeof(int32_t);
    if (parse_grid(&arrays, axes, counts, sums, &grid, coordinates, values, &rows) < 0) {
        goto done;
    }
    if (!gv_pool_get(pool, scratch_size, &scratch)) {
        (void)PyErr_NoMemory();
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    gv_voxel_add(&grid, coordinates, values, (size_t)rows, (int32_t *)(void *)scratch.base,
                 threads > 0 ? threads : 1);
    Py_END_ALLOW_THREADS
    result =
        Py_BuildValue("KK", (unsigned long long)grid.outside, (unsigned long long)grid.unplaced);
done:
    gv_pool_put(pool, &scratch, scratch.capacity);
    arrays_release(&arrays);
    return result;
}
