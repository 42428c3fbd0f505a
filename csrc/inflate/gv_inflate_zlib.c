/* Raw deflate and CRC-32 by zlib. */
#include "engines.h"

#include <limits.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

static enum gv_status
zlib_open(const struct gv_inflate_engine *engine, void **state)
{
    (void)engine;
    z_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return GV_NO_MEMORY;
    }
    if (inflateInit2(stream, -MAX_WBITS) != Z_OK) {
        free(stream);
        return GV_NO_MEMORY;
    }
    *state = stream;
    return GV_OK;
}

static void
zlib_close(void *state)
{
    z_stream *stream = state;
    (void)inflateEnd(stream);
    free(stream);
}

static enum gv_status
zlib_reset(void *state)
{
    z_stream *stream = state;
    return inflateReset(stream) == Z_OK ? GV_OK : GV_BAD_GZIP;
}

static enum gv_status
zlib_inflate(void *state, const uint8_t *in, size_t *in_size, uint8_t *out, size_t *out_size,
             bool *ended)
{
    z_stream *stream = state;
    uInt in_offered = (uInt)gv_min_size(*in_size, UINT_MAX);
    uInt out_offered = (uInt)gv_min_size(*out_size, UINT_MAX);
    stream->next_in = in;
    stream->avail_in = in_offered;
    stream->next_out = out;
    stream->avail_out = out_offered;
    int result = inflate(stream, Z_NO_FLUSH);
    *in_size = in_offered - stream->avail_in;
    *out_size = out_offered - stream->avail_out;
    *ended = result == Z_STREAM_END;
    switch (result) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR: /* no progress was possible with what was offered */
        return GV_OK;
    case Z_MEM_ERROR:
        return GV_NO_MEMORY;
    default:
        return GV_BAD_GZIP;
    }
}

static enum gv_status
zlib_crc32(void *state, uint32_t *crc, const uint8_t *data, size_t size)
{
    (void)state;
    uLong running = *crc;
    for (size_t done = 0; done < size;) {
        uInt part = (uInt)gv_min_size(size - done, UINT_MAX);
        running = crc32(running, data + done, part);
        done += part;
    }
    *crc = (uint32_t)running;
    return GV_OK;
}

const struct gv_inflate_engine gv_inflate_zlib = {
    .name = "zlib",
    .open = zlib_open,
    .close = zlib_close,
    .reset = zlib_reset,
    .inflate = zlib_inflate,
    .crc32 = zlib_crc32,
};

const char *
gv_inflate_zlib_linked(void)
{
    return zlibVersion();
}
