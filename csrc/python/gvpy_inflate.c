/* The inflate engines as Python sees them, and two more: the modules isal.isal_zlib and zlib behind
 * the core's interface.  So a core built without ISA-L is fast where the isal wheel is installed,
 * and one built without zlib's headers reads gzip all the same.
 *
 * Both modules answer with bytes objects of their own, and neither says how much of its input it
 * took: only what was left at the end of the stream.  So a stream is given in pieces, each inflated
 * whole, however much text that makes (1032 times as much at the most); the text is kept and handed
 * out as there is room. */
#include "gvpy.h"

/* Compressed bytes given at once: enough that the calls cost little beside the decoding, and few
 * enough that the most that a piece can hold, 33 MB, does no harm. */
#define PIECE ((size_t)32 << 10)

/* Owns: its references.  One decompressor over raw deflate. */
struct python_state {
    PyObject *module;
    PyObject *decompressor; /* NULL before the first stream */
    PyObject *text;         /* bytes, handed out up to `at`; NULL before the first piece */
    Py_ssize_t at;
    bool ended; /* the stream, with this text */
};

/* Turns the exception at hand into a status. */
static enum gv_status
status_of_exception(PyObject *module)
{
    enum gv_status status = GV_NO_MEMORY;
    if (!PyErr_ExceptionMatches(PyExc_MemoryError)) {
        PyObject *kept[3];
        PyErr_Fetch(&kept[0], &kept[1], &kept[2]);
        PyObject *zlib_error = PyObject_GetAttrString(module, "error");
        bool is_damage = zlib_error != NULL && kept[0] != NULL &&
                         PyErr_GivenExceptionMatches(kept[0], zlib_error);
        Py_XDECREF(zlib_error);
        PyErr_Restore(kept[0], kept[1], kept[2]);
        status = is_damage ? GV_BAD_GZIP : GV_CALLBACK_FAILED;
    }
    PyErr_Clear();
    return status;
}

/* decompressobj(-15): raw deflate. */
static PyObject *
new_decompressor(PyObject *module)
{
    return PyObject_CallMethod(module, "decompressobj", "i", -15);
}

/* The whole of `in`, but no more text than `most` bytes where that is not 0; NULL with an exception
 * set.  *left: the bytes after the end of the stream; -1 where it has not ended. */
static PyObject *
decompress(PyObject *decompressor, const uint8_t *in, size_t in_size, size_t most, Py_ssize_t *left)
{
    PyObject *eof = NULL, *unused = NULL, *text = NULL;
    PyObject *view =
        PyMemoryView_FromMemory((char *)(uintptr_t)in, (Py_ssize_t)in_size, PyBUF_READ);
    if (view != NULL) {
        text = PyObject_CallMethod(decompressor, "decompress", "On", view, (Py_ssize_t)most);
        Py_DECREF(view);
    }
    if (text != NULL) {
        eof = PyObject_GetAttrString(decompressor, "eof");
        unused = eof != NULL ? PyObject_GetAttrString(decompressor, "unused_data") : NULL;
    }
    if (unused != NULL) {
        *left = eof == Py_True ? PyBytes_Size(unused) : -1;
    }
    if (unused == NULL || !PyBytes_Check(text) || PyErr_Occurred()) {
        Py_CLEAR(text);
    }
    Py_XDECREF(unused);
    Py_XDECREF(eof);
    return text;
}

/* Whether the module tells what is left where a stream ends in the last bytes given.  isal before
 * 1.9 has up to eight of them in a register then, and shows none. */
static bool
tells_what_is_left(PyObject *module)
{
    static const uint8_t empty[] = {3, 0, 'l', 'e', 'f', 't'};
    Py_ssize_t left = -1;
    PyObject *decompressor = new_decompressor(module);
    PyObject *text =
        decompressor != NULL ? decompress(decompressor, empty, sizeof empty, 0, &left) : NULL;
    Py_XDECREF(text);
    Py_XDECREF(decompressor);
    return left == 4;
}

/* The module that the engine is named for; zlib where that cannot be used. */
static PyObject *
import_decoder(const struct gv_inflate_engine *engine)
{
    PyObject *module = PyImport_ImportModule(engine->context);
    if (module == NULL || !tells_what_is_left(module)) {
        PyErr_Clear();
        Py_XSETREF(module, PyImport_ImportModule("zlib"));
    }
    return module;
}

static enum gv_status
python_open(const struct gv_inflate_engine *engine, void **state)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    enum gv_status status = GV_NO_MEMORY;
    struct python_state *made = PyMem_RawCalloc(1, sizeof *made);
    if (made != NULL) {
        made->module = import_decoder(engine);
        if (made->module != NULL) {
            *state = made;
            status = GV_OK;
        } else {
            if (PyErr_ExceptionMatches(PyExc_ImportError)) {
                status = GV_UNSUPPORTED_FORMAT;
            }
            PyErr_Clear();
            PyMem_RawFree(made);
        }
    }
    PyGILState_Release(gil);
    return status;
}

static void
python_close(void *state)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    struct python_state *self = state;
    Py_XDECREF(self->text);
    Py_XDECREF(self->decompressor);
    Py_XDECREF(self->module);
    PyMem_RawFree(self);
    PyGILState_Release(gil);
}

static enum gv_status
python_reset(void *state)
{
    struct python_state *self = state;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *made = new_decompressor(self->module);
    enum gv_status status = made != NULL ? GV_OK : status_of_exception(self->module);
    if (made != NULL) {
        Py_XSETREF(self->decompressor, made);
        Py_CLEAR(self->text);
        self->at = 0;
        self->ended = false;
    }
    PyGILState_Release(gil);
    return status;
}

/* Inflates the next piece of in[0, *in_size) and says in *in_size how much of it was taken. */
static enum gv_status
next_text(struct python_state *self, const uint8_t *in, size_t *in_size)
{
    Py_ssize_t left = -1;
    size_t piece = gv_min_size(*in_size, PIECE);
    PyObject *text = decompress(self->decompressor, in, piece, 0, &left);
    if (text == NULL) {
        return status_of_exception(self->module);
    }
    Py_XSETREF(self->text, text);
    self->at = 0;
    self->ended = left >= 0;
    *in_size = self->ended ? piece - (size_t)left : piece;
    return GV_OK;
}

static size_t
text_left(const struct python_state *self)
{
    return self->text != NULL ? (size_t)(PyBytes_GET_SIZE(self->text) - self->at) : 0;
}

static enum gv_status
python_inflate(void *state, const uint8_t *in, size_t *in_size, uint8_t *out, size_t *out_size,
               bool *ended)
{
    struct python_state *self = state;
    PyGILState_STATE gil = PyGILState_Ensure();
    enum gv_status status = GV_OK;
    if (text_left(self) == 0 && !self->ended && *in_size > 0) {
        status = next_text(self, in, in_size);
    } else {
        *in_size = 0;
    }
    *out_size = gv_min_size(*out_size, text_left(self));
    if (status == GV_OK && *out_size > 0) {
        memcpy(out, PyBytes_AS_STRING(self->text) + self->at, *out_size);
        self->at += (Py_ssize_t)*out_size;
    }
    *ended = self->ended && text_left(self) == 0;
    PyGILState_Release(gil);
    return status;
}

/* A byte more than there should be is asked for, so that a stream of the right length ends. */
static enum gv_status
python_whole(void *state, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
    struct python_state *self = state;
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_ssize_t left = -1;
    PyObject *decompressor = new_decompressor(self->module);
    PyObject *text =
        decompressor != NULL ? decompress(decompressor, in, in_size, out_size + 1, &left) : NULL;
    enum gv_status status = GV_OK;
    if (text == NULL) {
        status = status_of_exception(self->module);
    } else if (left != 0 || PyBytes_GET_SIZE(text) != (Py_ssize_t)out_size) {
        status = GV_BAD_GZIP;
    } else if (out_size > 0) {
        memcpy(out, PyBytes_AS_STRING(text), out_size);
    }
    Py_XDECREF(text);
    Py_XDECREF(decompressor);
    PyGILState_Release(gil);
    return status;
}

static enum gv_status
python_crc32(void *state, uint32_t *crc, const uint8_t *data, size_t size)
{
    struct python_state *self = state;
    PyGILState_STATE gil = PyGILState_Ensure();
    enum gv_status status = GV_OK;
    PyObject *view = PyMemoryView_FromMemory((char *)(uintptr_t)data, (Py_ssize_t)size, PyBUF_READ);
    PyObject *answer =
        view != NULL ? PyObject_CallMethod(self->module, "crc32", "OI", view, (unsigned int)*crc)
                     : NULL;
    unsigned long value = answer != NULL ? PyLong_AsUnsignedLong(answer) : 0;
    if (PyErr_Occurred()) {
        status = status_of_exception(self->module);
    } else {
        *crc = (uint32_t)value;
    }
    Py_XDECREF(answer);
    Py_XDECREF(view);
    PyGILState_Release(gil);
    return status;
}

#define PYTHON_ENGINE(engine_name, module) \
    {                                      \
        .name = engine_name,               \
        .context = (void *)module,         \
        .is_callback = true,               \
        .open = python_open,               \
        .close = python_close,             \
        .reset = python_reset,             \
        .inflate = python_inflate,         \
        .crc32 = python_crc32,             \
        .whole = python_whole,             \
    }

static const struct gv_inflate_engine python_zlib = PYTHON_ENGINE("python-zlib", "zlib");
static const struct gv_inflate_engine python_isal = PYTHON_ENGINE("python-isal", "isal.isal_zlib");

/* state->python_isal */
enum { ISAL_UNKNOWN, ISAL_MISSING, ISAL_INSTALLED };

/* Looks whether the isal package is installed, and does not import it: that is for those who open
 * a compressed input.  -1 with an exception set where memory ran out, or somebody asked to stop. */
static int
find_isal(struct gvpy_state *state)
{
    PyObject *util = PyImport_ImportModule("importlib.util");
    PyObject *spec = util != NULL ? PyObject_CallMethod(util, "find_spec", "s", "isal") : NULL;
    bool is_installed = spec != NULL && spec != Py_None;
    Py_XDECREF(spec);
    Py_XDECREF(util);
    if (PyErr_Occurred() &&
        (PyErr_ExceptionMatches(PyExc_MemoryError) || !PyErr_ExceptionMatches(PyExc_Exception))) {
        return -1;
    }
    PyErr_Clear(); /* a package that cannot be looked for is not there */
    atomic_store(&state->python_isal, is_installed ? ISAL_INSTALLED : ISAL_MISSING);
    return is_installed;
}

/* Those of the core, ISA-L, libdeflate and zlib, and the two above. */
#define MOST_ENGINES 5

static bool
core_has_isal(void)
{
    const struct gv_inflate_engine *best = gv_inflate_engines()[0];
    return best != NULL && strcmp(best->name, "isal") == 0;
}

/* Lists the engines that can be used, best first: ISA-L, be it the core's or Python's, is; and
 * Python's is quicker than zlib in any case. */
static size_t
usable_engines(const struct gvpy_state *state, bool has_isal,
               const struct gv_inflate_engine *list[MOST_ENGINES])
{
    size_t n = 0;
    const struct gv_inflate_engine *const *engine = gv_inflate_engines();
    for (; *engine != NULL; engine++) {
        if (has_isal && (!core_has_isal() || strcmp((*engine)->name, "zlib") == 0)) {
            list[n++] = &python_isal;
            has_isal = false;
        }
        assert(n + 1 < MOST_ENGINES);
        list[n++] = *engine;
    }
    if (has_isal) {
        list[n++] = &python_isal;
    }
    list[n++] = &python_zlib;
    return n;
}

const struct gv_inflate_engine *
gvpy_engine_find(struct gvpy_state *state, const char *name)
{
    if (name == NULL && core_has_isal()) {
        return gv_inflate_engines()[0];
    }
    const struct gv_inflate_engine *list[MOST_ENGINES];
    int known = atomic_load(&state->python_isal);
    int has_isal = known == ISAL_UNKNOWN ? find_isal(state) : known == ISAL_INSTALLED;
    if (has_isal < 0) {
        return NULL;
    }
    size_t n = usable_engines(state, has_isal, list);
    for (size_t i = 0; i < n; i++) {
        if (name == NULL || strcmp(list[i]->name, name) == 0) {
            return list[i];
        }
    }
    PyErr_Format(PyExc_ValueError, "no inflate engine is named '%s'; see genomevedic.show_config()",
                 name);
    return NULL;
}

PyObject *
gvpy_engine_names(struct gvpy_state *state)
{
    const struct gv_inflate_engine *list[MOST_ENGINES];
    int has_isal = find_isal(state);
    if (has_isal < 0) {
        return NULL;
    }
    size_t n = usable_engines(state, has_isal, list);
    PyObject *names = PyList_New((Py_ssize_t)n);
    for (size_t i = 0; names != NULL && i < n; i++) {
        PyObject *name = PyUnicode_FromString(list[i]->name);
        if (name == NULL) {
            Py_CLEAR(names);
        } else {
            PyList_SET_ITEM(names, (Py_ssize_t)i, name);
        }
    }
    return names;
}

/* Inflates all of an open inflater into a bytes object; NULL with an exception set. */
static PyObject *
inflate_all(struct gv_inflater *inflater, PyObject *label)
{
    size_t size = 0;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)GV_INPUT_BUFFER);
    while (bytes != NULL) {
        uint8_t *out = (uint8_t *)PyBytes_AS_STRING(bytes) + size;
        size_t room = (size_t)PyBytes_GET_SIZE(bytes) - size, got = 0;
        struct gv_error error;
        enum gv_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gv_inflater_read(inflater, out, room, &got, &error);
        Py_END_ALLOW_THREADS
        if (status == GV_INTERRUPTED) {
            if (PyErr_CheckSignals() < 0) {
                Py_DECREF(bytes);
                return NULL;
            }
            continue;
        }
        if (status != GV_OK) {
            Py_DECREF(bytes);
            return gvpy_raise(&error, label, NULL);
        }
        size += got;
        if (got == 0) {
            _PyBytes_Resize(&bytes, (Py_ssize_t)size);
            break;
        }
        if (got == room && _PyBytes_Resize(&bytes, 2 * PyBytes_GET_SIZE(bytes)) < 0) {
            return NULL;
        }
    }
    return bytes;
}

PyObject *
gvpy_inflate(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *keywords[] = {"data", "engine", NULL};
    Py_buffer data;
    const char *name = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|z:inflate", keywords, &data, &name)) {
        return NULL;
    }
    PyObject *bytes = NULL, *label = PyUnicode_FromString("<bytes>");
    const struct gv_inflate_engine *engine = gvpy_engine_find(PyModule_GetState(module), name);
    if (label != NULL && engine != NULL) {
        struct gv_source source;
        struct gv_inflater inflater;
        gv_source_open_memory(&source, data.buf, (size_t)data.len);
        gv_inflater_init(&inflater, &source, engine);
        bytes = inflate_all(&inflater, label);
        gv_inflater_deinit(&inflater);
        gv_source_close(&source);
    }
    Py_XDECREF(label);
    PyBuffer_Release(&data);
    return bytes;
}

PyObject *
gvpy_input_format(PyObject *module, PyObject *head)
{
    static const char *const names[] = {
        [GV_INPUT_UNKNOWN] = "unknown",
        [GV_INPUT_PLAIN] = "plain",
        [GV_INPUT_GZIP] = "gzip",
        [GV_INPUT_BGZF] = "bgzf",
    };
    Py_buffer view;
    if (PyObject_GetBuffer(head, &view, PyBUF_SIMPLE) < 0) {
        return NULL;
    }
    enum gv_input_format format = gv_input_format_of(view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return PyUnicode_FromString(names[format]);
}
