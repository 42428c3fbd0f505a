#include "gv_source.h"

#include "gv_os.h"

static enum gv_status
read_file(struct gv_source *source, uint8_t *out, size_t size, size_t *got, struct gv_error *error)
{
    int error_number = 0;
    enum gv_status status = gv_os_read(source->fd, out, size, got, &error_number);
    if (status == GV_READ_FAILED) {
        (void)gv_error_set(error, status, error_number);
        error->input_offset = source->bytes_read;
    }
    return status;
}

static enum gv_status
read_memory(struct gv_source *source, uint8_t *out, size_t size, size_t *got,
            struct gv_error *error)
{
    (void)error;
    *got = gv_min_size(size, (size_t)(source->size - source->bytes_read));
    if (*got > 0) {
        memcpy(out, source->memory + source->bytes_read, *got);
    }
    return GV_OK;
}

static enum gv_status
read_callback(struct gv_source *source, uint8_t *out, size_t size, size_t *got,
              struct gv_error *error)
{
    enum gv_status status = source->callback(source->context, out, size, got);
    if (status == GV_CALLBACK_FAILED) {
        (void)gv_error_set(error, status, 0);
        error->input_offset = source->bytes_read;
    }
    return status;
}

enum gv_status
gv_source_open_path(struct gv_source *source, const char *path, struct gv_error *error)
{
    int fd, error_number = 0;
    enum gv_status status = gv_os_open(path, &fd, &error_number);
    if (status == GV_OPEN_FAILED) {
        (void)gv_error_set(error, status, error_number);
    }
    if (status == GV_OK) {
        *source = (struct gv_source){.read = read_file, .fd = fd, .size = gv_os_file_size(fd)};
    }
    return status;
}

void
gv_source_open_memory(struct gv_source *source, const uint8_t *memory, size_t size)
{
    *source = (struct gv_source){.read = read_memory, .fd = -1, .memory = memory, .size = size};
}

void
gv_source_open_callback(struct gv_source *source, gv_callback_fn callback, void *context)
{
    *source = (struct gv_source){
        .read = read_callback, .fd = -1, .callback = callback, .context = context};
}

enum gv_status
gv_source_read(struct gv_source *source, uint8_t *out, size_t size, size_t *got,
               struct gv_error *error)
{
    assert(size > 0);
    enum gv_status status = source->read(source, out, size, got, error);
    if (status == GV_OK) {
        assert(*got <= size);
        source->bytes_read += *got;
    }
    return status;
}

enum gv_status
gv_source_seek(struct gv_source *source, uint64_t offset, struct gv_error *error)
{
    assert(source->callback == NULL);
    if (source->fd >= 0 && !gv_os_seek(source->fd, offset)) {
        return gv_error_set(error, GV_READ_FAILED, 0);
    }
    source->bytes_read = offset;
    return GV_OK;
}

void
gv_source_close(struct gv_source *source)
{
    if (source->read != NULL && source->fd >= 0) {
        gv_os_close(source->fd);
    }
    *source = (struct gv_source){.fd = -1};
}
