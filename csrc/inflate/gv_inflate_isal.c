/* Raw deflate and CRC-32 by ISA-L. */
#include <stdlib.h>

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include "engines.h"

static enum gv_status
isal_open(const struct gv_inflate_engine *engine, void **state)
{
    (void)engine;
    struct inflate_state *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return GV_NO_MEMORY;
    }
    isal_inflate_init(stream);
    stream->crc_flag = ISAL_DEFLATE;
    *state = stream;
    return GV_OK;
}

static void
isal_close(void *state)
{
    free(state);
}

static enum gv_status
isal_reset(void *state)
{
    isal_inflate_reset(state);
    return GV_OK;
}

/* ISA-L loads up to eight bytes ahead into stream->read_in, which at the end of a stream are those
 * of the trailer.  They are handed back whenever the stream may end without further input, so that
 * none of them is of an earlier call then.
 *
 * While it waits for input, all that it loaded belongs to the stream; and where it keeps the start
 * of a block's header in tmp_in_buffer, those bytes come after read_in. */
static void
hand_back(struct inflate_state *stream)
{
    bool is_waiting = stream->avail_out > 0 && stream->block_state != ISAL_BLOCK_FINISH;
    if (is_waiting || stream->tmp_in_size > 0) {
        return;
    }
    uint32_t bytes = (uint32_t)stream->read_in_length / 8;
    stream->next_in -= bytes;
    stream->avail_in += bytes;
    stream->read_in_length %= 8;
    stream->read_in &= (1u << stream->read_in_length) - 1;
}

static enum gv_status
isal_inflate_part(void *state, const uint8_t *in, size_t *in_size, uint8_t *out, size_t *out_size,
                  bool *ended)
{
    struct inflate_state *stream = state;
    uint32_t in_offered = (uint32_t)gv_min_size(*in_size, UINT32_MAX);
    uint32_t out_offered = (uint32_t)gv_min_size(*out_size, UINT32_MAX);
    stream->next_in = (uint8_t *)(uintptr_t)in; /* not written to */
    stream->avail_in = in_offered;
    stream->next_out = out;
    stream->avail_out = out_offered;
    int result = isal_inflate(stream);
    if (result < 0) {
        return GV_BAD_GZIP;
    }
    hand_back(stream);
    assert(stream->avail_in <= in_offered);
    *in_size = in_offered - stream->avail_in;
    *out_size = out_offered - stream->avail_out;
    *ended = stream->block_state == ISAL_BLOCK_FINISH;
    return GV_OK;
}

/* Straight into `out`: a stream's first 64 KiB would go through a buffer of ISA-L's own. */
static enum gv_status
isal_whole(void *state, const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
    struct inflate_state *stream = state;
    isal_inflate_reset(stream);
    stream->next_in = (uint8_t *)(uintptr_t)in; /* not written to */
    stream->avail_in = (uint32_t)in_size;
    stream->next_out = out;
    stream->avail_out = (uint32_t)out_size;
    int result = isal_inflate_stateless(stream);
    bool is_whole = result == ISAL_DECOMP_OK && stream->avail_in == 0 && stream->avail_out == 0;
    return is_whole ? GV_OK : GV_BAD_GZIP;
}

static enum gv_status
isal_crc32(void *state, uint32_t *crc, const uint8_t *data, size_t size)
{
    (void)state;
    *crc = crc32_gzip_refl(*crc, data, size);
    return GV_OK;
}

const struct gv_inflate_engine gv_inflate_isal = {
    .name = "isal",
    .open = isal_open,
    .close = isal_close,
    .reset = isal_reset,
    .inflate = isal_inflate_part,
    .crc32 = isal_crc32,
    .whole = isal_whole,
};
