/* gvpy.h: the object structs and the module state of the binding.
 *
 * The binding is thin: it turns Python objects into what the core takes, runs the core without
 * the GIL, and hands out its memory as arrays.  Words for errors are made in gvpy_error.c alone;
 * everything a person calls lives in the Python modules of genomevedic.
 *
 * Threads: nothing here needs the interpreter lock to be safe.  The module state is set once, or
 * atomic; a reader belongs to whoever holds its flag; an arena and a lease are the core's, which
 * are for any thread; a dict or a buffer that others may change is copied or locked first.
 */
#ifndef GVPY_H
#define GVPY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "gv.h"

/* One file of the binding imports the NumPy C API, the others share it. */
#define PY_ARRAY_UNIQUE_SYMBOL genomevedic_array_api
#ifndef GVPY_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

/* Owns: its objects, while the module lives. */
struct gvpy_state {
    PyTypeObject *lease_type;
    PyTypeObject *reader_type;
    PyTypeObject *arena_type;
    PyTypeObject *tally_type;
    struct gv_crew crew;    /* of threads, for all readers */
    struct gv_arena *arena; /* the process's: all memory is charged to it */
    atomic_int python_isal; /* whether isal is installed; see gvpy_inflate.c */
};

extern struct PyModuleDef gvpy_module;

/* The state of the module that defined `type`, or a base of it; NULL with an exception set. */
static inline struct gvpy_state *
gvpy_state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &gvpy_module);
    return module != NULL ? PyModule_GetState(module) : NULL;
}

/* gvpy_lease.c: the base object of every array over core memory.
 * Owns: one hold on the lease. */
struct gvpy_lease {
    PyObject_HEAD
    struct gv_lease *lease;
    PyObject *weakrefs;
};

extern PyType_Spec gvpy_lease_spec;

/* A Lease object that takes over the caller's hold, also when it fails. */
PyObject *gvpy_lease_take(struct gvpy_state *state, struct gv_lease *lease);

/* A writable array over memory that `owner` (borrowed; a Lease) keeps alive. */
PyObject *gvpy_array(PyObject *owner, void *data, int typenum, int ndim, const npy_intp *shape);

/* The hold behind an array: the lease at the end of its chain of bases, NULL (no exception)
 * where its memory is not a lease's.  Borrowed from the array. */
struct gv_lease *gvpy_lease_behind(struct gvpy_state *state, PyArrayObject *array);

/* A sealed table as a dict: name -> array, or (offsets, data) for text.  Takes over the table's
 * hold, also when it fails. */
PyObject *gvpy_columns(struct gvpy_state *state, struct gv_sealed *sealed);

/* gvpy_arena.c */
extern PyType_Spec gvpy_arena_spec;

/* The arena that `object` stands for (an Arena, or None: the process's), borrowed from it; NULL
 * with an exception set. */
struct gv_arena *gvpy_arena_of(struct gvpy_state *state, PyObject *object);

/* Frees what Python's collector and the pools can: a gv_reclaim_fn.  Takes the GIL. */
bool gvpy_reclaim(void *state);

/* What all results together may take, unless somebody says otherwise. */
size_t gvpy_default_limit(void);

/* Counts of the process's arena and of its pools; giving back what is idle; the limit. */
PyObject *gvpy_memory_stats(PyObject *module, PyObject *unused);
PyObject *gvpy_memory_trim(PyObject *module, PyObject *kind);
PyObject *gvpy_memory_set_limit(PyObject *module, PyObject *limit);

/* gvpy_error.c: raises the Python exception for a core status; `label` names the source, `cause`
 * (may be NULL) is an exception whose words end the message.  Always returns NULL. */
PyObject *gvpy_raise(const struct gv_error *error, PyObject *label, PyObject *cause);

/* The table behind it: {name of the status: name of the class}. */
PyObject *gvpy_error_table(PyObject *module, PyObject *unused);

/* gvpy_source.c: one source as Python gives it.
 * Owns: references, and the buffer while `has_view`. */
struct gvpy_source {
    PyObject *file;    /* the file object; NULL for a path or memory */
    PyObject *method;  /* its readinto, or its read */
    PyObject *scratch; /* a bytearray that readinto fills; NULL with read */
    Py_buffer view;
    bool has_view;
    PyObject *cause; /* the exception that a callback met, until it is raised */
};

/* Opens `object` (str path, bytes-like, or file object).  GV_CALLBACK_FAILED: an exception is
 * set.  `held` must be zeroed and live, at that address, until gvpy_source_release(). */
GV_NODISCARD enum gv_status gvpy_source_open(struct gvpy_source *held, PyObject *object,
                                             struct gv_source *source, struct gv_error *error);
void gvpy_source_release(struct gvpy_source *held);
int gvpy_source_traverse(struct gvpy_source *held, visitproc visit, void *arg);

/* gvpy_inflate.c: the inflate engines as Python sees them. */

/* The engine of that name, NULL with an exception set where there is none; NULL asks for the
 * best one.  Nothing is imported before the engine is opened. */
const struct gv_inflate_engine *gvpy_engine_find(struct gvpy_state *state, const char *name);

/* The names of the engines that can be used, best first; NULL with an exception set. */
PyObject *gvpy_engine_names(struct gvpy_state *state);
/* The format that the first bytes of an input tell, by name. */
PyObject *gvpy_input_format(PyObject *module, PyObject *head);

PyObject *gvpy_inflate(PyObject *module, PyObject *args, PyObject *kwargs);

/* gvpy_layout.c */

/* All that one name says, as a dict, or None. */
PyObject *gvpy_parse_name(PyObject *module, PyObject *header);

/* What a tile's number says in a grammar: (surface, swath, camera, number). */
PyObject *gvpy_tile_parts(PyObject *module, PyObject *args);

/* What is remembered of records that were looked at, until there are objects made of it.  Owns:
 * its memory. */
struct gvpy_looked {
    bool counts_kmers;
    bool has_failed; /* memory was refused */
    size_t records, most_records;
    size_t *ends; /* of the names */
    uint8_t *names;
    size_t size, capacity;
    uint32_t (*kmers)[GV_KMER_CODES];
};

GV_NODISCARD bool gvpy_looked_init(struct gvpy_looked *looked, size_t most_records,
                                   bool counts_kmers);
void gvpy_looked_deinit(struct gvpy_looked *looked);

/* A gv_look_fn whose context is a struct gvpy_looked; needs no GIL. */
void gvpy_looked_tell(void *context, const uint8_t *name, size_t name_size, const uint8_t *sequence,
                      size_t length);

/* (names, counts of tetranucleotides or None). */
PyObject *gvpy_looked_objects(const struct gvpy_looked *looked);

/* Each -1 with an exception set.  Parameters come from a dict; weights from an array of shape
 * (256, 3), copied to `store`, or None. */
int gvpy_parse_grammar(const char *name, enum gv_grammar *grammar);
int gvpy_parse_parameters(PyObject *parameters, struct gv_placing *placing);
int gvpy_parse_weights(PyObject *weights, double store[GV_KMER_CODES][3],
                       struct gv_placing *placing);

/* gvpy_voxel.c: rows added to the cells of a grid, and cells to cells. */
PyObject *gvpy_voxel_add(PyObject *module, PyObject *args);
PyObject *gvpy_voxel_merge(PyObject *module, PyObject *args);
PyObject *gvpy_voxel_extent(PyObject *module, PyObject *tuple);

/* gvpy_reader.c */
extern PyType_Spec gvpy_reader_spec;

/* gvpy_tally.c: sums over tiles, and digests of texts. */
extern PyType_Spec gvpy_tally_spec;
PyObject *gvpy_digest(PyObject *module, PyObject *args);

/* gvpy_arrow.c: a dict of columns as an Arrow struct array: (schema capsule, array capsule), or
 * the schema capsule alone. */
PyObject *gvpy_arrow_array(PyObject *module, PyObject *columns);
PyObject *gvpy_arrow_schema(PyObject *module, PyObject *columns);

#endif
