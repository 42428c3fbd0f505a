/* The inflate engines as Python sees them, and one more: Python's own zlib module behind the
 * core's interface, so that a core built without zlib's headers reads gzip all the same. */
#include "gvpy.h"

/* Owns: its references.  One decompressor over raw deflate. */
struct python_zlib {
    PyObject *module;
    PyObject *decompressor; /* NULL before the first stream */
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

static enum gv_status
python_open(const struct gv_inflate_engine *engine, void **state)
{
    (void)engine;
    PyGILState_STATE gil = PyGILState_Ensure();
    enum gv_status status = GV_NO_MEMORY;
    struct python_zlib *made = PyMem_RawCalloc(1, sizeof *made);
    if (made != NULL) {
        made->module = PyImport_ImportModule("zlib");
        if (made->module != NULL) {
            *state = made;
            status = GV_OK;
        } else {
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
    struct python_zlib *self = state;
    Py_XDECREF(self->decompressor);
    Py_XDECREF(self->module);
    PyMem_RawFree(self);
    PyGILState_Release(gil);
}

static enum gv_status
python_reset(void *state)
{
    struct python_zlib *self = state;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *made = PyObject_CallMethod(self->module, "decompressobj", "i", -15);
    enum gv_status status = made != NULL ? GV_OK : status_of_exception(self->module);
    if (made != NULL) {
        Py_XSETREF(self->decompressor, made);
    }
    PyGILState_Release(gil);
    return status;
}

/* The length of a bytes attribute of the decompressor, -1 with an exception set. */
static Py_ssize_t
left_over(PyObject *decompressor, const char *attribute)
{
    PyObject *bytes = PyObject_GetAttrString(decompressor, attribute);
    Py_ssize_t size = bytes != NULL ? PyBytes_Size(bytes) : -1;
    Py_XDECREF(bytes);
    return size;
}

/* Writes what decompress() answered; -1 with an exception set. */
static int
take_output(struct python_zlib *self, PyObject *made, size_t *in_size, uint8_t *out,
            size_t *out_size, bool *ended)
{
    char *bytes;
    Py_ssize_t size;
    if (PyBytes_AsStringAndSize(made, &bytes, &size) < 0) {
        return -1;
    }
    PyObject *eof = PyObject_GetAttrString(self->decompressor, "eof");
    int is_over = eof != NULL ? PyObject_IsTrue(eof) : -1;
    Py_XDECREF(eof);
    /* At the end of the stream what is left may stand in both attributes. */
    Py_ssize_t left =
        is_over < 0 ? -1
                    : left_over(self->decompressor, is_over ? "unused_data" : "unconsumed_tail");
    if (left < 0) {
        return -1;
    }
    memcpy(out, bytes, (size_t)size); /* at most the max_length asked for */
    *out_size = (size_t)size;
    *in_size -= (size_t)left;
    *ended = is_over != 0;
    return 0;
}

static enum gv_status
python_inflate(void *state, const uint8_t *in, size_t *in_size, uint8_t *out, size_t *out_size,
               bool *ended)
{
    struct python_zlib *self = state;
    PyGILState_STATE gil = PyGILState_Ensure();
    enum gv_status status = GV_OK;
    PyObject *made = PyObject_CallMethod(self->decompressor, "decompress", "y#n", (const char *)in,
                                         (Py_ssize_t)*in_size, (Py_ssize_t)*out_size);
    if (made == NULL || take_output(self, made, in_size, out, out_size, ended) < 0) {
        status = status_of_exception(self->module);
    }
    Py_XDECREF(made);
    PyGILState_Release(gil);
    return status;
}

static enum gv_status
python_crc32(void *state, uint32_t *crc, const uint8_t *data, size_t size)
{
    struct python_zlib *self = state;
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

void
gvpy_inflate_init(struct gv_inflate_engine *python_zlib)
{
    *python_zlib = (struct gv_inflate_engine){
        .name = "python-zlib",
        .open = python_open,
        .close = python_close,
        .reset = python_reset,
        .inflate = python_inflate,
        .crc32 = python_crc32,
    };
}

const struct gv_inflate_engine *
gvpy_engine_find(const struct gvpy_state *state, const char *name)
{
    const struct gv_inflate_engine *const *engine = gv_inflate_engines();
    for (; *engine != NULL; engine++) {
        if (name == NULL || strcmp((*engine)->name, name) == 0) {
            return *engine;
        }
    }
    if (name == NULL || strcmp(state->python_zlib.name, name) == 0) {
        return &state->python_zlib;
    }
    PyErr_Format(PyExc_ValueError, "no inflate engine is named '%s'; see genomevedic.show_config()",
                 name);
    return NULL;
}

PyObject *
gvpy_engine_names(const struct gvpy_state *state)
{
    PyObject *names = PyList_New(0);
    const struct gv_inflate_engine *const *engine = gv_inflate_engines();
    while (names != NULL) {
        bool is_last = *engine == NULL;
        PyObject *name = PyUnicode_FromString(is_last ? state->python_zlib.name : (*engine)->name);
        if (name == NULL || PyList_Append(names, name) < 0) {
            Py_CLEAR(names);
        }
        Py_XDECREF(name);
        if (is_last) {
            break;
        }
        engine++;
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
        if (status != GV_OK) {
            Py_DECREF(bytes);
            return gvpy_raise(&error, label);
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
