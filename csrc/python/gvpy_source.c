/* A source as Python gives it: a path, something with the buffer protocol, or a binary file
 * object.  A file object is read through its own readinto or read, never through its descriptor:
 * what it has buffered, or decompresses, would be passed over. */
#include "gvpy.h"

/* What is asked of a file object at a time. */
#define SCRATCH ((Py_ssize_t)256 << 10)

static void
keep_cause(struct gvpy_source *held)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    Py_XSETREF(held->cause, value);
}

/* readinto fills a bytearray of ours through a view of it, not the core's buffer: the object may
 * keep the view that it is given, and a bytearray outlives any view of it. */
static Py_ssize_t
call_readinto(struct gvpy_source *held, uint8_t *out, size_t size)
{
    Py_ssize_t wanted = (Py_ssize_t)gv_min_size(size, (size_t)SCRATCH);
    PyObject *whole = PyMemoryView_FromObject(held->scratch);
    PyObject *target = whole != NULL ? PySequence_GetSlice(whole, 0, wanted) : NULL;
    Py_XDECREF(whole);
    if (target == NULL) {
        return -1;
    }
    PyObject *answer = PyObject_CallOneArg(held->method, target);
    Py_DECREF(target);
    if (answer == NULL) {
        return -1;
    }
    if (answer == Py_None) {
        Py_DECREF(answer);
        PyErr_SetString(PyExc_BlockingIOError,
                        "the file object is non-blocking and has no data yet");
        return -1;
    }
    Py_ssize_t got = PyNumber_AsSsize_t(answer, PyExc_OverflowError);
    Py_DECREF(answer);
    if (got == -1 && PyErr_Occurred()) {
        return -1;
    }
    /* The object may have found the bytearray behind its view: a view of our own keeps its size. */
    Py_buffer filled;
    if (PyObject_GetBuffer(held->scratch, &filled, PyBUF_SIMPLE) < 0) {
        return -1;
    }
    if (got < 0 || got > wanted || got > filled.len) {
        PyErr_Format(PyExc_OSError, "readinto() answered %zd for a buffer of %zd bytes", got,
                     wanted);
        got = -1;
    } else {
        memcpy(out, filled.buf, (size_t)got);
    }
    PyBuffer_Release(&filled);
    return got;
}

static Py_ssize_t
call_read(struct gvpy_source *held, uint8_t *out, size_t size)
{
    Py_ssize_t wanted = (Py_ssize_t)gv_min_size(size, (size_t)SCRATCH);
    PyObject *answer = PyObject_CallFunction(held->method, "n", wanted);
    if (answer == NULL) {
        return -1;
    }
    Py_buffer view;
    if (answer == Py_None) {
        PyErr_SetString(PyExc_BlockingIOError,
                        "the file object is non-blocking and has no data yet");
        Py_DECREF(answer);
        return -1;
    }
    if (PyUnicode_Check(answer)) {
        PyErr_SetString(PyExc_TypeError,
                        "read() answered text; open the file in binary mode (\"rb\")");
        Py_DECREF(answer);
        return -1;
    }
    if (PyObject_GetBuffer(answer, &view, PyBUF_SIMPLE) < 0) {
        Py_DECREF(answer);
        return -1;
    }
    Py_ssize_t got = view.len;
    if (got > wanted) {
        PyErr_Format(PyExc_OSError, "read(%zd) answered %zd bytes", wanted, got);
        got = -1;
    } else {
        memcpy(out, view.buf, (size_t)got);
    }
    PyBuffer_Release(&view);
    Py_DECREF(answer);
    return got;
}

static enum gv_status
read_file_object(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct gvpy_source *held = context;
    PyGILState_STATE gil = PyGILState_Ensure();
    Py_ssize_t n =
        held->scratch != NULL ? call_readinto(held, out, size) : call_read(held, out, size);
    enum gv_status status = GV_OK;
    if (n >= 0) {
        *got = (size_t)n;
    } else {
        keep_cause(held);
        status = GV_CALLBACK_FAILED;
    }
    PyGILState_Release(gil);
    return status;
}

static int
open_file_object(struct gvpy_source *held, PyObject *object)
{
    static const char *const methods[] = {"readinto", "read"};
    for (int i = 0; i < 2; i++) {
        held->method = PyObject_GetAttrString(object, methods[i]);
        if (held->method != NULL) {
            held->file = Py_NewRef(object);
            if (i > 0) {
                return 0;
            }
            held->scratch = PyByteArray_FromStringAndSize(NULL, SCRATCH);
            if (held->scratch != NULL) {
                /* An object may answer a count without having written: that must not be heap. */
                memset(PyByteArray_AS_STRING(held->scratch), 0, (size_t)SCRATCH);
            }
            return held->scratch != NULL ? 0 : -1;
        }
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
    }
    PyErr_Format(PyExc_TypeError,
                 "a source is a path, bytes, a binary file object, or a list of these, not %.200s",
                 Py_TYPE(object)->tp_name);
    return -1;
}

enum gv_status
gvpy_source_open(struct gvpy_source *held, PyObject *object, struct gv_source *source,
                 struct gv_error *error)
{
    if (PyUnicode_Check(object)) {
        PyObject *path;
        if (!PyUnicode_FSConverter(object, &path)) {
            return GV_CALLBACK_FAILED;
        }
        const char *text = PyBytes_AS_STRING(path);
        enum gv_status status;
        Py_BEGIN_ALLOW_THREADS
        status = gv_source_open_path(source, text, error);
        Py_END_ALLOW_THREADS
        Py_DECREF(path);
        return status;
    }
    if (PyObject_CheckBuffer(object)) {
        if (PyObject_GetBuffer(object, &held->view, PyBUF_SIMPLE) < 0) {
            return GV_CALLBACK_FAILED;
        }
        held->has_view = true;
        gv_source_open_memory(source, held->view.buf, (size_t)held->view.len);
        return GV_OK;
    }
    if (open_file_object(held, object) < 0) {
        gvpy_source_release(held);
        return GV_CALLBACK_FAILED;
    }
    gv_source_open_callback(source, read_file_object, held);
    return GV_OK;
}

void
gvpy_source_release(struct gvpy_source *held)
{
    if (held->has_view) {
        held->has_view = false;
        PyBuffer_Release(&held->view);
    }
    Py_CLEAR(held->file);
    Py_CLEAR(held->method);
    Py_CLEAR(held->scratch);
    Py_CLEAR(held->cause);
}

int
gvpy_source_traverse(struct gvpy_source *held, visitproc visit, void *arg)
{
    Py_VISIT(held->file);
    Py_VISIT(held->method);
    Py_VISIT(held->scratch);
    Py_VISIT(held->cause);
    return 0;
}
