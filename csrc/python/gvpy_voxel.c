/* Grids: rows of columns added to their cells, and cells to those of other grids, without the GIL.
 *
 * All cells of a grid are one array of uint64: its first row has the counts, and each sum has two
 * rows more, of its float64s and of how many values are missing. */
#include "gvpy.h"

/* ---------------------------------------------------------------------------------------------
 * Columns
 * ------------------------------------------------------------------------------------------ */

/* Columns of one length.  Owns: the arrays. */
struct columns {
    PyObject *arrays[GV_VOXEL_AXES + GV_VOXEL_SUMS];
    struct gv_voxel_column of[GV_VOXEL_AXES + GV_VOXEL_SUMS];
    unsigned n;
    npy_intp rows;
};

static void
columns_release(struct columns *columns)
{
    while (columns->n > 0) {
        Py_DECREF(columns->arrays[--columns->n]);
    }
}

static bool
find_type(int typenum, enum gv_voxel_type *type)
{
    static const struct {
        int typenum;
        enum gv_voxel_type type;
    } types[] = {
        {NPY_FLOAT32, GV_VOXEL_F32},    {NPY_FLOAT64, GV_VOXEL_F64},
        {NPY_BOOL, GV_VOXEL_U8},        {NPY_INT8, GV_VOXEL_I8},
        {NPY_UINT8, GV_VOXEL_U8},       {NPY_INT16, GV_VOXEL_I16},
        {NPY_UINT16, GV_VOXEL_U16},     {NPY_INT32, GV_VOXEL_I32},
        {NPY_UINT32, GV_VOXEL_U32},     {NPY_INT64, GV_VOXEL_I64},
        {NPY_UINT64, GV_VOXEL_U64},     {NPY_LONGLONG, GV_VOXEL_I64},
        {NPY_ULONGLONG, GV_VOXEL_U64},  {NPY_DATETIME, GV_VOXEL_TIME},
        {NPY_TIMEDELTA, GV_VOXEL_TIME},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].typenum == typenum) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

/* Takes one column more; -1 with an exception set. */
static int
take_column(struct columns *columns, PyObject *object)
{
    PyObject *made = PyArray_FROM_OF(object, NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED);
    if (made == NULL) {
        return -1;
    }
    PyArrayObject *array = (PyArrayObject *)made;
    struct gv_voxel_column *column = &columns->of[columns->n];
    if (PyArray_NDIM(array) != 1 || !find_type(PyArray_TYPE(array), &column->type)) {
        PyErr_SetString(PyExc_TypeError, "a grid's columns are arrays of one dimension, of whole "
                                         "numbers, float32, float64 or times");
        Py_DECREF(made);
        return -1;
    }
    if (columns->n > 0 && PyArray_DIM(array, 0) != columns->rows) {
        PyErr_SetString(PyExc_ValueError, "a grid's columns have one length");
        Py_DECREF(made);
        return -1;
    }
    column->data = (const uint8_t *)PyArray_BYTES(array);
    column->stride = (ptrdiff_t)PyArray_STRIDE(array, 0);
    columns->rows = PyArray_DIM(array, 0);
    columns->arrays[columns->n++] = made;
    return 0;
}

static bool
is_tuple_of(PyObject *object, Py_ssize_t least, Py_ssize_t most)
{
    if (PyTuple_Check(object) && PyTuple_GET_SIZE(object) >= least &&
        PyTuple_GET_SIZE(object) <= most) {
        return true;
    }
    PyErr_Format(PyExc_ValueError, "a grid has 1 to %d axes and at most %d sums", GV_VOXEL_AXES,
                 GV_VOXEL_SUMS);
    return false;
}

PyObject *
gvpy_voxel_extent(PyObject *module, PyObject *tuple)
{
    struct columns columns = {.n = 0};
    double low[GV_VOXEL_AXES], high[GV_VOXEL_AXES];
    bool is_found = false, is_taken = is_tuple_of(tuple, 1, GV_VOXEL_AXES);
    for (Py_ssize_t i = 0; is_taken && i < PyTuple_GET_SIZE(tuple); i++) {
        is_taken = take_column(&columns, PyTuple_GET_ITEM(tuple, i)) == 0;
    }
    if (is_taken) {
        Py_BEGIN_ALLOW_THREADS
        is_found = gv_voxel_extent(columns.of, columns.n, (size_t)columns.rows, low, high);
        Py_END_ALLOW_THREADS
    }
    unsigned n = columns.n;
    columns_release(&columns);
    if (!is_taken || !is_found) {
        return is_taken ? Py_NewRef(Py_None) : NULL;
    }
    PyObject *extents = PyTuple_New(n);
    for (unsigned i = 0; extents != NULL && i < n; i++) {
        PyObject *extent = Py_BuildValue("dd", low[i], high[i]);
        if (extent == NULL) {
            Py_CLEAR(extents);
            break;
        }
        PyTuple_SET_ITEM(extents, i, extent);
    }
    return extents;
}

/* ---------------------------------------------------------------------------------------------
 * Grids
 * ------------------------------------------------------------------------------------------ */

/* Lays the cells of a grid, whose axes and sums are known, into an array; -1 with an exception. */
static int
take_cells(PyObject *object, struct gv_voxel_grid *grid)
{
    size_t cells;
    if (!gv_voxel_cells(grid, &cells)) {
        PyErr_SetString(PyExc_ValueError, "a grid has no cells, or too many");
        return -1;
    }
    npy_intp each = (npy_intp)cells + GV_VOXEL_BEHIND;
    PyArrayObject *array = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_TYPE(array) != NPY_UINT64 || PyArray_NDIM(array) != 2 ||
        PyArray_DIM(array, 0) != 1 + 2 * (npy_intp)grid->n_sums || PyArray_DIM(array, 1) != each ||
        !PyArray_ISCARRAY(array)) {
        PyErr_SetString(PyExc_ValueError, "the cells of the grid have another type or shape");
        return -1;
    }
    uint64_t *at = PyArray_DATA(array);
    grid->counts = at;
    for (unsigned i = 0; i < grid->n_sums; i++) {
        grid->sums[i].sum = (double *)(void *)(at += each);
        grid->sums[i].missing = at += each;
    }
    return 0;
}

/* The edges of an axis.  Borrows: the array, which the caller's tuple holds. */
static int
take_axis(PyObject *object, struct gv_voxel_axis *axis)
{
    PyArrayObject *edges = (PyArrayObject *)object;
    if (!PyArray_Check(object) || PyArray_NDIM(edges) != 1 || PyArray_TYPE(edges) != NPY_FLOAT64 ||
        PyArray_SIZE(edges) < 2 || !PyArray_ISCARRAY_RO(edges)) {
        PyErr_SetString(PyExc_ValueError, "the edges of an axis are two float64 or more in a row");
        return -1;
    }
    axis->edges = PyArray_DATA(edges);
    axis->bins = (size_t)PyArray_SIZE(edges) - 1;
    if (axis->bins > GV_VOXEL_BINS_MOST || !gv_voxel_are_edges(axis->edges, axis->bins)) {
        PyErr_SetString(PyExc_ValueError, "the edges of an axis are finite and increase");
        return -1;
    }
    return 0;
}

static void
add_rows(struct gvpy_state *state, struct gv_voxel_grid *grid, const struct columns *columns,
         unsigned threads)
{
    struct gv_pool *pool = gv_arena_pool(state->arena, GV_POOL_BUFFERS);
    unsigned taken = 0;
    Py_BEGIN_ALLOW_THREADS
    if (threads == 0) {
        taken = gv_crew_take(&state->crew, gv_os_cores() - 1);
    }
    gv_voxel_add(grid, columns->of, columns->of + grid->n_axes, (size_t)columns->rows, pool,
                 threads == 0 ? 1 + taken : threads);
    if (taken > 0) {
        gv_crew_give_back(&state->crew, taken);
    }
    Py_END_ALLOW_THREADS
}

PyObject *
gvpy_voxel_add(PyObject *module, PyObject *args)
{
    PyObject *cells, *edges, *axes, *values;
    unsigned threads;
    int is_finite;
    if (!PyArg_ParseTuple(args, "OOOOIp:voxel_add", &cells, &edges, &axes, &values, &threads,
                          &is_finite) ||
        !is_tuple_of(edges, 1, GV_VOXEL_AXES) ||
        !is_tuple_of(axes, PyTuple_GET_SIZE(edges), PyTuple_GET_SIZE(edges)) ||
        !is_tuple_of(values, 0, GV_VOXEL_SUMS)) {
        return NULL;
    }
    struct columns columns = {.n = 0};
    struct gv_voxel_grid grid = {
        .n_axes = (unsigned)PyTuple_GET_SIZE(edges),
        .n_sums = (unsigned)PyTuple_GET_SIZE(values),
        .is_finite = is_finite != 0,
    };
    for (unsigned i = 0; i < grid.n_axes; i++) {
        if (take_axis(PyTuple_GET_ITEM(edges, i), &grid.axes[i]) < 0 ||
            take_column(&columns, PyTuple_GET_ITEM(axes, i)) < 0) {
            columns_release(&columns);
            return NULL;
        }
    }
    bool is_taken = take_cells(cells, &grid) == 0;
    for (unsigned i = 0; is_taken && i < grid.n_sums; i++) {
        is_taken = take_column(&columns, PyTuple_GET_ITEM(values, i)) == 0;
    }
    if (is_taken) {
        add_rows(PyModule_GetState(module), &grid, &columns, threads);
    }
    columns_release(&columns);
    return is_taken ? Py_NewRef(Py_None) : NULL;
}

/* One number an axis; false with an exception set. */
static bool
take_sizes(PyObject *tuple, unsigned n_axes, size_t least, size_t sizes[GV_VOXEL_AXES])
{
    if (!is_tuple_of(tuple, n_axes, n_axes)) {
        return false;
    }
    for (unsigned i = 0; i < n_axes; i++) {
        sizes[i] = PyLong_AsSize_t(PyTuple_GET_ITEM(tuple, i));
        if (PyErr_Occurred() || sizes[i] < least || sizes[i] > GV_VOXEL_BINS_MOST) {
            PyErr_SetString(PyExc_ValueError, "a number of bins makes no sense");
            return false;
        }
    }
    return true;
}

PyObject *
gvpy_voxel_merge(PyObject *module, PyObject *args)
{
    PyObject *cells[2], *shapes[2], *tuples[2];
    size_t shifts[GV_VOXEL_AXES], factors[GV_VOXEL_AXES], bins[GV_VOXEL_AXES];
    struct gv_voxel_grid grids[2] = {{.n_axes = 0}, {.n_axes = 0}};
    if (!PyArg_ParseTuple(args, "OOOOOO:voxel_merge", &cells[0], &shapes[0], &cells[1], &shapes[1],
                          &tuples[0], &tuples[1]) ||
        !is_tuple_of(shapes[0], 1, GV_VOXEL_AXES)) {
        return NULL;
    }
    unsigned n_axes = (unsigned)PyTuple_GET_SIZE(shapes[0]);
    npy_intp n_sums = PyArray_Check(cells[0]) && PyArray_NDIM((PyArrayObject *)cells[0]) == 2
                          ? (PyArray_DIM((PyArrayObject *)cells[0], 0) - 1) / 2
                          : -1;
    if (n_sums < 0 || n_sums > GV_VOXEL_SUMS || !take_sizes(tuples[0], n_axes, 0, shifts) ||
        !take_sizes(tuples[1], n_axes, 1, factors)) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_ValueError, "these are no cells");
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!take_sizes(shapes[i], n_axes, 1, bins)) {
            return NULL;
        }
        grids[i].n_axes = n_axes;
        grids[i].n_sums = (unsigned)n_sums;
        for (unsigned axis = 0; axis < n_axes; axis++) {
            grids[i].axes[axis].bins = bins[axis];
        }
        if (take_cells(cells[i], &grids[i]) < 0) {
            return NULL;
        }
    }
    for (unsigned i = 0; i < n_axes; i++) {
        if ((grids[1].axes[i].bins - 1 + shifts[i]) / factors[i] >= grids[0].axes[i].bins) {
            return PyErr_Format(PyExc_ValueError, "the cells do not go into those of the grid");
        }
    }
    Py_BEGIN_ALLOW_THREADS
    gv_voxel_merge(&grids[0], &grids[1], shifts, factors);
    Py_END_ALLOW_THREADS
    return Py_NewRef(Py_None);
}
