/* The module: what it holds, and how it comes and goes. */
#define GVPY_IMPORTS_NUMPY
#include "gvpy.h"

static PyObject *
string_or_none(const char *text)
{
    return text != NULL ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

/* Appends `text` to a list; -1 with an exception set. */
static int
append(PyObject *list, const char *text)
{
    PyObject *string = PyUnicode_FromString(text);
    int result = string != NULL ? PyList_Append(list, string) : -1;
    Py_XDECREF(string);
    return result;
}

PyDoc_STRVAR(config_doc, "config($module, /)\n--\n\n"
                         "What was built in: version, compiler, zlib, inflate engines, SIMD.");

static PyObject *
config(PyObject *module, PyObject *unused)
{
    PyObject *variants = PyList_New(0);
    const struct gv_scan_ops *const *variant = gv_scan_variants();
    for (; variants != NULL && *variant != NULL; variant++) {
        if ((*variant)->is_supported() && append(variants, (*variant)->name) < 0) {
            Py_CLEAR(variants);
        }
    }
    if (variants == NULL) {
        return NULL;
    }
    return Py_BuildValue("{sssssNsNsssN}", "version", GV_VERSION, "compiler", GV_COMPILER, "zlib",
                         string_or_none(gv_inflate_zlib_version()), "inflate_engines",
                         gvpy_engine_names(PyModule_GetState(module)), "simd",
                         gv_scan_find(NULL)->name, "simd_variants", variants);
}

PyDoc_STRVAR(inflate_doc, "inflate($module, /, data, engine=None)\n--\n\n"
                          "The text of a plain, gzip or BGZF input, as the reader would see it.");

PyDoc_STRVAR(
    voxel_add_doc,
    "voxel_add($module, cells, edges, axes, values, threads, is_finite, /)\n--\n\n"
    "Add rows to the cells of a grid: a column an axis and a column a sum.  0 threads: as\n"
    "many as there are processors that others leave free.");

PyDoc_STRVAR(voxel_merge_doc,
             "voxel_merge($module, into, into_shape, cells, shape, shifts, factors, /)\n--\n\n"
             "Add cells to those of another grid: bin i to (i + shift) // factor.");

PyDoc_STRVAR(voxel_extent_doc,
             "voxel_extent($module, columns, /)\n--\n\n"
             "(low, high) of each column over the rows where all are finite; None where none is.");

PyDoc_STRVAR(
    tile_parts_doc,
    "tile_parts($module, grammar, tile, /)\n--\n\n"
    "What a tile's number says: (surface, swath, camera, number), 0 for what it does not.");

PyDoc_STRVAR(parse_name_doc,
             "parse_name($module, header, /)\n--\n\n"
             "What a read's name says, as a dict with None for what it lacks; None where no\n"
             "grammar knows it.");

PyDoc_STRVAR(format_doc, "input_format($module, head, /)\n--\n\n"
                         "'plain', 'gzip' or 'bgzf', by the first bytes of an input.");

PyDoc_STRVAR(arrow_doc, "arrow_array($module, columns, /)\n--\n\n"
                        "(schema capsule, array capsule) of the columns as one struct array.");

PyDoc_STRVAR(schema_doc, "arrow_schema($module, columns, /)\n--\n\n"
                         "The schema capsule alone.");

PyDoc_STRVAR(digest_doc, "digest($module, text, most, /)\n--\n\n"
                         "64 bits for each row of (offsets, data): of all its bytes for None, else "
                         "of its\nfirst `most` bases, in either case, and 0 where they are one "
                         "letter.");

PyDoc_STRVAR(memory_stats_doc, "memory_stats($module, /)\n--\n\n"
                               "The counts of the process's arena and of its pools.");

PyDoc_STRVAR(memory_trim_doc, "memory_trim($module, kind, /)\n--\n\n"
                              "Give back what is idle in the pool of that name, None: in all;\n"
                              "the number of bytes.");

PyDoc_STRVAR(memory_limit_doc, "memory_set_limit($module, limit, /)\n--\n\n"
                               "Set what all results may take; None: the share of the machine.");

PyDoc_STRVAR(table_doc, "error_table($module, /)\n--\n\n"
                        "{core status: name of its class in genomevedic.errors}.");

static PyMethodDef methods[] = {
    {"config", config, METH_NOARGS, config_doc},
    {"inflate", (PyCFunction)(void (*)(void))gvpy_inflate, METH_VARARGS | METH_KEYWORDS,
     inflate_doc},
    {"input_format", gvpy_input_format, METH_O, format_doc},
    {"voxel_add", gvpy_voxel_add, METH_VARARGS, voxel_add_doc},
    {"voxel_merge", gvpy_voxel_merge, METH_VARARGS, voxel_merge_doc},
    {"voxel_extent", gvpy_voxel_extent, METH_O, voxel_extent_doc},
    {"tile_parts", gvpy_tile_parts, METH_VARARGS, tile_parts_doc},
    {"parse_name", gvpy_parse_name, METH_O, parse_name_doc},
    {"arrow_array", gvpy_arrow_array, METH_O, arrow_doc},
    {"arrow_schema", gvpy_arrow_schema, METH_O, schema_doc},
    {"digest", gvpy_digest, METH_VARARGS, digest_doc},
    {"memory_stats", gvpy_memory_stats, METH_NOARGS, memory_stats_doc},
    {"memory_trim", gvpy_memory_trim, METH_O, memory_trim_doc},
    {"memory_set_limit", gvpy_memory_set_limit, METH_O, memory_limit_doc},
    {"error_table", gvpy_error_table, METH_NOARGS, table_doc},
    {NULL},
};

/* Adds a tuple of names as a constant; -1 with an exception set. */
static int
add_names(PyObject *module, const char *constant, PyObject *names)
{
    PyObject *tuple = names != NULL ? PyList_AsTuple(names) : NULL;
    int result = tuple != NULL ? PyModule_AddObjectRef(module, constant, tuple) : -1;
    Py_XDECREF(tuple);
    Py_XDECREF(names);
    return result;
}

static PyObject *
column_names(bool default_only)
{
    PyObject *names = PyList_New(0);
    for (unsigned i = 0; names != NULL && i < GV_COLUMN_COUNT; i++) {
        const struct gv_column_spec *spec = gv_column_spec((enum gv_column)i);
        if ((spec->is_default || !default_only) && append(names, spec->name) < 0) {
            Py_CLEAR(names);
        }
    }
    return names;
}

static PyObject *
layout_names(void)
{
    PyObject *names = PyList_New(0);
    const struct gv_layout *const *layout = gv_layouts();
    while (names != NULL && *layout != NULL) {
        if (append(names, (*layout++)->name) < 0) {
            Py_CLEAR(names);
        }
    }
    return names;
}

static PyTypeObject *
add_type(PyObject *module, PyType_Spec *spec)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && PyModule_AddType(module, type) < 0) {
        Py_CLEAR(type);
    }
    return type;
}

/* What is kept warm: enough for the columns of ten million reads, and on a small machine no more
 * than a sixteenth of its memory, or of what its control group leaves. */
static size_t
idle_limit(void)
{
    uint64_t share = gv_os_memory_limit() / 16;
    size_t most = (size_t)512 << 20;
    return share > 0 && share < most ? (size_t)share : most;
}

static int
module_exec(PyObject *module)
{
    /* Not import_array(): it puts an ImportError in the place of a KeyboardInterrupt. */
    if (PyArray_ImportNumPyAPI() < 0) {
        return -1;
    }
    struct gvpy_state *state = PyModule_GetState(module);
    atomic_init(&state->crew.busy, 0);
    atomic_init(&state->crew.process, (long long)gv_os_process());
    state->arena = gv_arena_new(NULL, gvpy_default_limit(), idle_limit());
    if (state->arena == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    gv_arena_on_full(state->arena, gvpy_reclaim, state);
    state->lease_type = add_type(module, &gvpy_lease_spec);
    state->reader_type = add_type(module, &gvpy_reader_spec);
    state->arena_type = add_type(module, &gvpy_arena_spec);
    state->tally_type = add_type(module, &gvpy_tally_spec);
    if (state->lease_type == NULL || state->reader_type == NULL || state->arena_type == NULL ||
        state->tally_type == NULL || add_names(module, "COLUMNS", column_names(false)) < 0 ||
        add_names(module, "DEFAULT_COLUMNS", column_names(true)) < 0 ||
        add_names(module, "LAYOUTS", layout_names()) < 0) {
        return -1;
    }
    return 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct gvpy_state *state = PyModule_GetState(module);
    Py_VISIT(state->lease_type);
    Py_VISIT(state->reader_type);
    Py_VISIT(state->arena_type);
    Py_VISIT(state->tally_type);
    return 0;
}

static int
module_clear(PyObject *module)
{
    struct gvpy_state *state = PyModule_GetState(module);
    Py_CLEAR(state->lease_type);
    Py_CLEAR(state->reader_type);
    Py_CLEAR(state->arena_type);
    Py_CLEAR(state->tally_type);
    return 0;
}

static void
module_free(void *module)
{
    (void)module_clear(module);
    struct gvpy_state *state = PyModule_GetState(module);
    if (state->arena != NULL) {
        gv_arena_on_full(state->arena, NULL, NULL); /* leases may hold it on */
        gv_arena_release(state->arena);
        state->arena = NULL;
    }
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    /* As NumPy declares itself. */
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#ifdef Py_mod_gil
    /* What threads share is counted by atomics, or belongs to whoever is inside: gvpy.h. */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

PyDoc_STRVAR(module_doc, "The C core of genomevedic; use it through genomevedic.");

struct PyModuleDef gvpy_module = {
    PyModuleDef_HEAD_INIT,         .m_name = "genomevedic._core",
    .m_doc = module_doc,           .m_size = sizeof(struct gvpy_state),
    .m_methods = methods,          .m_slots = slots,
    .m_traverse = module_traverse, .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&gvpy_module);
}
