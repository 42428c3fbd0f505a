/* The Arena type: a budget for results, and arrays in it; and the process's own arena, by functions
 * of the module. */
#include "gvpy.h"

/* Owns: one hold on the arena. */
struct gvpy_arena {
    PyObject_HEAD
    struct gv_arena *arena;
};

struct gv_arena *
gvpy_arena_of(struct gvpy_state *state, PyObject *object)
{
    if (object == Py_None) {
        return state->arena;
    }
    if (!PyObject_TypeCheck(object, state->arena_type)) {
        PyErr_SetString(PyExc_TypeError, "arena must be an Arena or None");
        return NULL;
    }
    return ((struct gvpy_arena *)object)->arena;
}

/* A size, or `otherwise` for None; false with an exception set. */
static bool
parse_size(PyObject *object, size_t otherwise, size_t *size)
{
    *size = otherwise;
    if (object != Py_None) {
        *size = PyLong_AsSize_t(object);
    }
    return !PyErr_Occurred();
}

static PyObject *
arena_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"capacity", NULL};
    PyObject *capacity = Py_None;
    size_t size;
    struct gvpy_state *state = gvpy_state_of_type(type);
    if (state == NULL ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Arena", keywords, &capacity) ||
        !parse_size(capacity, GV_NO_LIMIT, &size)) {
        return NULL;
    }
    struct gvpy_arena *self = (struct gvpy_arena *)type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    self->arena = gv_arena_new(state->arena, size, 0);
    if (self->arena == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void
arena_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    struct gvpy_arena *self = (struct gvpy_arena *)object;
    if (self->arena != NULL) {
        gv_arena_release(self->arena);
    }
    type->tp_free(object);
    Py_DECREF(type);
}

/* ---------------------------------------------------------------------------------------------
 * What it holds
 * ------------------------------------------------------------------------------------------ */

/* The counts of an arena as a dict; its capacity is None where it has none. */
static PyObject *
arena_counts(const struct gv_arena *arena)
{
    struct gv_arena_stats stats = gv_arena_stats(arena);
    PyObject *capacity =
        stats.capacity == GV_NO_LIMIT ? Py_NewRef(Py_None) : PyLong_FromSize_t(stats.capacity);
    return Py_BuildValue("{sNsnsnsn}", "capacity", capacity, "used", (Py_ssize_t)stats.used, "peak",
                         (Py_ssize_t)stats.peak, "leases", (Py_ssize_t)stats.leases);
}

PyDoc_STRVAR(stats_doc, "stats($self, /)\n--\n\nThe counts: capacity, used, peak, leases.");

static PyObject *
arena_stats(PyObject *object, PyObject *unused)
{
    return arena_counts(((struct gvpy_arena *)object)->arena);
}

PyDoc_STRVAR(reset_doc, "reset($self, /)\n--\n\nForget the peak; refused while leases are alive.");

static PyObject *
arena_reset(PyObject *object, PyObject *unused)
{
    struct gv_arena *arena = ((struct gvpy_arena *)object)->arena;
    struct gv_error error;
    enum gv_status status = gv_arena_reset(arena);
    if (status == GV_OK) {
        Py_RETURN_NONE;
    }
    (void)gv_error_set(&error, status, (int64_t)gv_arena_stats(arena).leases);
    PyObject *label = PyUnicode_FromString("reset()");
    if (label != NULL) {
        (void)gvpy_raise(&error, label, NULL);
        Py_DECREF(label);
    }
    return NULL;
}

PyDoc_STRVAR(set_capacity_doc, "set_capacity($self, capacity, /)\n--\n\n"
                               "From now on; None for no bound but the process's.");

static PyObject *
arena_set_capacity(PyObject *object, PyObject *capacity)
{
    size_t size;
    if (!parse_size(capacity, GV_NO_LIMIT, &size)) {
        return NULL;
    }
    gv_arena_set_capacity(((struct gvpy_arena *)object)->arena, size);
    Py_RETURN_NONE;
}

/* ---------------------------------------------------------------------------------------------
 * Arrays
 * ------------------------------------------------------------------------------------------ */

static int
parse_kind(const char *name, enum gv_pool_kind *kind)
{
    for (int i = 0; i < GV_POOL_KINDS; i++) {
        if (strcmp(gv_pool_kind_name((enum gv_pool_kind)i), name) == 0) {
            *kind = (enum gv_pool_kind)i;
            return 0;
        }
    }
    PyErr_Format(PyExc_ValueError, "there is no pool '%s'", name);
    return -1;
}

/* A slab of `size` bytes as the end of an array's bases; NULL with an exception set. */
static PyObject *
take_slab(struct gvpy_state *state, struct gv_arena *arena, enum gv_pool_kind kind, size_t size,
          uint8_t **address)
{
    struct gv_lease *lease;
    struct gv_error error;
    enum gv_status status;
    Py_BEGIN_ALLOW_THREADS
    status = gv_lease_new_slab(arena, kind, gv_max_size(size, 1), &lease, address);
    Py_END_ALLOW_THREADS
    if (status == GV_OK) {
        return gvpy_lease_take(state, lease);
    }
    bool is_own = status == GV_ARENA_FULL;
    (void)gv_error_set(&error, status, -1); /* no number of reads */
    error.expected = (int64_t)gv_arena_capacity(is_own ? arena : gv_arena_root(arena));
    PyObject *label = PyUnicode_FromFormat("an array of %zu bytes", size);
    if (label != NULL) {
        (void)gvpy_raise(&error, label, NULL);
        Py_DECREF(label);
    }
    return NULL;
}

PyDoc_STRVAR(empty_doc, "empty($self, size, kind, /)\n--\n\n"
                        "A writable array of `size` bytes in a slab of that pool.");

static PyObject *
arena_empty(PyObject *object, PyObject *args)
{
    Py_ssize_t size;
    const char *name;
    enum gv_pool_kind kind;
    struct gvpy_state *state = gvpy_state_of_type(Py_TYPE(object));
    if (state == NULL || !PyArg_ParseTuple(args, "ns:empty", &size, &name) ||
        parse_kind(name, &kind) < 0) {
        return NULL;
    }
    if (size < 0 || kind == GV_POOL_EXTENTS) {
        PyErr_SetString(PyExc_ValueError, "empty() takes a size and a pool of slabs");
        return NULL;
    }
    uint8_t *address;
    PyObject *owner =
        take_slab(state, ((struct gvpy_arena *)object)->arena, kind, (size_t)size, &address);
    if (owner == NULL) {
        return NULL;
    }
    npy_intp shape = (npy_intp)size;
    PyObject *array = gvpy_array(owner, address, NPY_UINT8, 1, &shape);
    Py_DECREF(owner);
    return array;
}

/* ---------------------------------------------------------------------------------------------
 * The process's arena
 * ------------------------------------------------------------------------------------------ */

/* Four fifths: the rest of the process, and of the system, has room too. */
size_t
gvpy_default_limit(void)
{
    uint64_t memory = gv_os_memory_limit();
    return memory > 0 ? (size_t)(memory / 5 * 4) : GV_NO_LIMIT;
}

bool
gvpy_reclaim(void *context)
{
    struct gvpy_state *state = context;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    /* Not PyGC_Collect(), which does nothing where automatic collection is switched off. */
    PyObject *gc = PyImport_ImportModule("gc");
    PyObject *found = gc != NULL ? PyObject_CallMethod(gc, "collect", NULL) : NULL;
    if (found == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(found);
    Py_XDECREF(gc);
    PyErr_Restore(type, value, traceback);
    PyGILState_Release(gil);
    (void)gv_arena_trim(state->arena);
    return true;
}

static PyObject *
pool_counts(const struct gv_pool *pool)
{
    struct gv_pool_stats stats = gv_pool_stats(pool);
    return Py_BuildValue("{sKsKsKsKsnsnsnsn}", "gets", (unsigned long long)stats.gets, "hits",
                         (unsigned long long)stats.hits, "misses", (unsigned long long)stats.misses,
                         "puts", (unsigned long long)stats.puts, "in_use", (Py_ssize_t)stats.in_use,
                         "peak", (Py_ssize_t)stats.peak, "idle", (Py_ssize_t)stats.idle,
                         "idle_pieces", (Py_ssize_t)stats.idle_pieces);
}

PyObject *
gvpy_memory_stats(PyObject *module, PyObject *unused)
{
    struct gvpy_state *state = PyModule_GetState(module);
    PyObject *pools = PyDict_New();
    for (int i = 0; pools != NULL && i < GV_POOL_KINDS; i++) {
        enum gv_pool_kind kind = (enum gv_pool_kind)i;
        PyObject *counts = pool_counts(gv_arena_pool(state->arena, kind));
        if (counts == NULL || PyDict_SetItemString(pools, gv_pool_kind_name(kind), counts) < 0) {
            Py_CLEAR(pools);
        }
        Py_XDECREF(counts);
    }
    PyObject *stats = pools != NULL ? arena_counts(state->arena) : NULL;
    if (stats != NULL && PyDict_SetItemString(stats, "pools", pools) < 0) {
        Py_CLEAR(stats);
    }
    Py_XDECREF(pools);
    return stats;
}

PyObject *
gvpy_memory_trim(PyObject *module, PyObject *name)
{
    struct gvpy_state *state = PyModule_GetState(module);
    const char *text = name != Py_None ? PyUnicode_AsUTF8(name) : NULL;
    enum gv_pool_kind kind = GV_POOL_KINDS;
    if (name != Py_None && (text == NULL || parse_kind(text, &kind) < 0)) {
        return NULL;
    }
    size_t given_back;
    Py_BEGIN_ALLOW_THREADS
    given_back = kind == GV_POOL_KINDS ? gv_arena_trim(state->arena)
                                       : gv_pool_trim(gv_arena_pool(state->arena, kind));
    Py_END_ALLOW_THREADS
    return PyLong_FromSize_t(given_back);
}

PyObject *
gvpy_memory_set_limit(PyObject *module, PyObject *limit)
{
    struct gvpy_state *state = PyModule_GetState(module);
    size_t size;
    if (!parse_size(limit, gvpy_default_limit(), &size)) {
        return NULL;
    }
    gv_arena_set_capacity(state->arena, size);
    Py_RETURN_NONE;
}

static PyMethodDef arena_methods[] = {
    {"stats", arena_stats, METH_NOARGS, stats_doc},
    {"reset", arena_reset, METH_NOARGS, reset_doc},
    {"set_capacity", arena_set_capacity, METH_O, set_capacity_doc},
    {"empty", arena_empty, METH_VARARGS, empty_doc},
    {NULL},
};

PyDoc_STRVAR(arena_doc, "Arena(capacity=None)\n--\n\nA budget for results.");

static PyType_Slot arena_slots[] = {
    {Py_tp_new, arena_new},
    {Py_tp_dealloc, arena_dealloc},
    {Py_tp_methods, arena_methods},
    {Py_tp_doc, (void *)arena_doc},
    {0, NULL},
};

PyType_Spec gvpy_arena_spec = {
    .name = "genomevedic._core.Arena",
    .basicsize = sizeof(struct gvpy_arena),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = arena_slots,
};
