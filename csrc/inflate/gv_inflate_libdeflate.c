/* Whole streams of raw deflate by libdeflate, which knows no others: those are left to STREAMS. */
#include <stdlib.h>

#include <libdeflate.h>

#include "engines.h"

#ifdef GV_HAVE_ISAL
#define STREAMS gv_inflate_isal
#else
#define STREAMS gv_inflate_zlib
#endif

/* Owns: both. */
struct deflate_state {
    struct libdeflate_decompressor *decompressor;
    void *stream; /* of STREAMS; NULL before the first stream */
};

static enum gv_status
deflate_open(const struct gv_inflate_engine *engine, void **state)
{
    (void)engine;
    struct deflate_state *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return GV_NO_MEMORY;
    }
    made->decompressor = libdeflate_alloc_decompressor();
    if (made->decompressor == NULL) {
        free(made);
        return GV_NO_MEMORY;
    }
    *state = made;
    return GV_OK;
}

static void
deflate_close(void *state)
{
    struct deflate_state *self = state;
    if (self->stream != NULL) {
        STREAMS.close(self->stream);
    }
    libdeflate_free_decompressor(self->decompressor);
    free(self);
}

static enum gv_status
deflate_reset(void *state)
{
    struct deflate_state *self = state;
    if (self->stream == NULL) {
        enum gv_status status = STREAMS.open(&STREAMS, &self->stream);
        if (status != GV_OK) {
            return status;
        }
    }
    return STREAMS.reset(self->stream);
}

static enum gv_status
deflate_inflate(void *state, const uint8_t *in, size_t *in_size, uint8_t *out, size_t *out_size,
                bool *ended)
{
    struct deflate_state *self = state;
    return STREAMS.inflate(self->stream, in, in_size, out, out_size, ended);
}

static enum gv_status
deflate_whole(void *state, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
    struct deflate_state *self = state;
    size_t taken, made;
    enum libdeflate_result result = libdeflate_deflate_decompress_ex(
        self->decompressor, in, in_size, out, out_size, &taken, &made);
    bool is_whole = result == LIBDEFLATE_SUCCESS && taken == in_size && made == out_size;
    return is_whole ? GV_OK : GV_BAD_GZIP;
}

static enum gv_status
deflate_crc32(void *state, uint32_t *crc, const uint8_t *data, size_t size)
{
    (void)state;
    *crc = libdeflate_crc32(*crc, data, size);
    return GV_OK;
}

const struct gv_inflate_engine gv_inflate_libdeflate = {
    .name = "libdeflate",
    .open = deflate_open,
    .close = deflate_close,
    .reset = deflate_reset,
    .inflate = deflate_inflate,
    .crc32 = deflate_crc32,
    .whole = deflate_whole,
};
