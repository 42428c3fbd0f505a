/* gv_source.h: where the bytes come from: a file, memory, or a function.
 *
 * A source hands out its bytes once, in order.  It belongs to one thread at a time.
 */
#ifndef GV_SOURCE_H
#define GV_SOURCE_H

#include "gv_status.h"

struct gv_source;

/* Reads at most `size` (> 0) bytes into `out`; *got == 0 means the end of the input.
 * GV_INTERRUPTED: nothing was read, call again.  Any other failure is said in *error. */
typedef enum gv_status (*gv_source_read_fn)(struct gv_source *source, uint8_t *out, size_t size,
                                            size_t *got, struct gv_error *error);

/* A caller's own read function: like gv_source_read_fn, with its context; it fails with
 * GV_CALLBACK_FAILED and keeps the reason itself. */
typedef enum gv_status (*gv_callback_fn)(void *context, uint8_t *out, size_t size, size_t *got);

/* Owns: the file descriptor of a file it opened.  Borrows: memory, and the callback's context.
 * Valid until: gv_source_close(). */
struct gv_source {
    gv_source_read_fn read;
    uint64_t bytes_read;
    uint64_t size; /* of the whole input; 0 where unknown */
    int fd;        /* -1 where there is none */
    const uint8_t *memory;
    gv_callback_fn callback;
    void *context;
};

/* Opens a file for reading.  GV_INTERRUPTED, or GV_OPEN_FAILED with errno as error->detail. */
GV_NODISCARD enum gv_status gv_source_open_path(struct gv_source *source, const char *path,
                                                struct gv_error *error);

/* Borrows `size` bytes of memory until the source is closed. */
void gv_source_open_memory(struct gv_source *source, const uint8_t *memory, size_t size);

/* Borrows the context until the source is closed. */
void gv_source_open_callback(struct gv_source *source, gv_callback_fn callback, void *context);

/* Reads on, as gv_source_read_fn says. */
GV_NODISCARD enum gv_status gv_source_read(struct gv_source *source, uint8_t *out, size_t size,
                                           size_t *got, struct gv_error *error);

/* To `offset` of a regular file or memory, from where the next read goes on. */
GV_NODISCARD enum gv_status gv_source_seek(struct gv_source *source, uint64_t offset,
                                           struct gv_error *error);

/* Closes what it opened; harmless when called again. */
void gv_source_close(struct gv_source *source);

#endif
