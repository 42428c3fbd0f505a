#include "gv_inflate.h"

#include <stdlib.h>

#include "gv_span.h"
#include "inflate/engines.h"

const struct gv_inflate_engine *const *
gv_inflate_engines(void)
{
    static const struct gv_inflate_engine *const engines[] = {
#ifdef GV_HAVE_ISAL
        &gv_inflate_isal,
#endif
#ifdef GV_HAVE_LIBDEFLATE
        &gv_inflate_libdeflate,
#endif
#ifdef GV_HAVE_ZLIB
        &gv_inflate_zlib,
#endif
        NULL,
    };
    return engines;
}

const char *
gv_inflate_zlib_version(void)
{
#ifdef GV_HAVE_ZLIB
    return gv_inflate_zlib_linked();
#else
    return NULL;
#endif
}

/* Where the inflater stands in its input.
 *
 *   SNIFF -> PLAIN
 *         -> HEADER -> STREAM -> DEFLATE -> TRAILER -> BETWEEN -> HEADER ...
 *                   -> BLOCK  -> TEXT --------------->         -> ZEROS -> OVER
 *                             -> STREAM ...
 *
 * A BGZF block is inflated whole.  Where that does not work, for whatever reason, it is read as
 * any other member: so the faults of a block, and the text before them, are those of a member.
 */
enum stage { SNIFF, PLAIN, HEADER, BLOCK, TEXT, STREAM, DEFLATE, TRAILER, BETWEEN, ZEROS, OVER };

/* RFC 1952, 2.3.1 */
#define MAGIC_1 0x1f
#define MAGIC_2 0x8b
#define METHOD_DEFLATE 8
#define FLAG_HCRC 0x02
#define FLAG_EXTRA 0x04
#define FLAG_NAME 0x08
#define FLAG_COMMENT 0x10
#define FLAGS_RESERVED 0xe0
#define TRAILER_BYTES 8

/* Bytes of the source read at most without a byte of text before signals are looked at. */
#define PATIENCE ((uint64_t)32 << 20)

void
gv_inflater_init(struct gv_inflater *inflater, struct gv_source *source,
                 const struct gv_inflate_engine *engine)
{
    *inflater = (struct gv_inflater){.source = source, .engine = engine, .stage = SNIFF};
}

void
gv_inflater_deinit(struct gv_inflater *inflater)
{
    if (inflater->state != NULL) {
        inflater->engine->close(inflater->state);
    }
    free(inflater->buffer);
    free(inflater->block);
    *inflater = (struct gv_inflater){.stage = OVER};
}

static size_t
held(const struct gv_inflater *in)
{
    return in->end - in->begin;
}

/* The offset in the source of the next byte to be taken. */
static uint64_t
input_offset(const struct gv_inflater *in)
{
    return in->source->bytes_read - held(in);
}

static enum gv_status
fault(const struct gv_inflater *in, enum gv_status status, enum gv_field field,
      struct gv_error *error)
{
    *error = (struct gv_error){
        .status = status,
        .field = field,
        .offset = in->text_bytes,
        .input_offset = input_offset(in),
    };
    return status;
}

/* Bytes held before the format is known: plain text goes to the caller without this detour. */
#define HEAD_BYTES ((size_t)4 << 10)

/* Reads from the source until `wanted` bytes are held, or it ends. */
static enum gv_status
hold(struct gv_inflater *in, size_t wanted, struct gv_error *error)
{
    size_t most = in->stage == SNIFF ? HEAD_BYTES : GV_INPUT_BUFFER;
    assert(wanted <= most);
    if (in->capacity < most) {
        uint8_t *grown = realloc(in->buffer, most);
        if (grown == NULL) {
            return gv_error_set(error, GV_NO_MEMORY, 0);
        }
        in->buffer = grown;
        in->capacity = most;
    }
    while (held(in) < wanted && !in->source_ended) {
        if (in->failure.status != GV_OK) {
            *error = in->failure;
            return error->status;
        }
        if (in->begin > 0) {
            memmove(in->buffer, in->buffer + in->begin, held(in));
            in->end -= in->begin;
            in->begin = 0;
        }
        size_t got = 0;
        enum gv_status status =
            gv_source_read(in->source, in->buffer + in->end, most - in->end, &got, error);
        if (status != GV_OK) {
            return status;
        }
        in->source_ended = got == 0;
        in->end += got;
    }
    return GV_OK;
}

static bool
has_magic(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == MAGIC_1 && bytes[1] == MAGIC_2;
}

static enum gv_status
sniff(struct gv_inflater *in, struct gv_error *error)
{
    static const struct {
        enum gv_foreign_format format;
        size_t size;
        uint8_t magic[6];
    } foreign[] = {
        {GV_FOREIGN_BZIP2, 3, {'B', 'Z', 'h'}},
        {GV_FOREIGN_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
        {GV_FOREIGN_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}},
        {GV_FOREIGN_ZIP, 4, {'P', 'K', 3, 4}},
    };
    enum gv_status status = hold(in, sizeof foreign[0].magic, error);
    if (status != GV_OK) {
        return status;
    }
    const uint8_t *bytes = in->buffer + in->begin;
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        if (held(in) >= foreign[i].size && memcmp(bytes, foreign[i].magic, foreign[i].size) == 0) {
            return gv_error_set(error, GV_UNSUPPORTED_FORMAT, foreign[i].format);
        }
    }
    if (!has_magic(bytes, held(in))) {
        in->format = GV_INPUT_PLAIN;
        in->stage = PLAIN;
        return GV_OK;
    }
    if (in->engine == NULL) {
        return gv_error_set(error, GV_UNSUPPORTED_FORMAT, GV_FOREIGN_GZIP);
    }
    status = in->engine->open(in->engine, &in->state);
    if (status != GV_OK) {
        return gv_error_set(error, status, GV_FOREIGN_GZIP);
    }
    in->format = GV_INPUT_GZIP;
    in->stage = HEADER;
    return GV_OK;
}

/* Finds the compressed size in a BGZF header's extra field (SAM specification, 4.1); 0 where it
 * has none. */
static uint32_t
find_block_size(struct gv_span extra)
{
    uint16_t id, size;
    const uint8_t *data;
    while (gv_span_take_u16(&extra, &id) && gv_span_take_u16(&extra, &size) &&
           gv_span_take(&extra, size, &data)) {
        if (id == ('B' | 'C' << 8) && size == 2) {
            return (uint32_t)gv_load_u16(data) + 1;
        }
    }
    return 0;
}

struct member_header {
    size_t size; /* all of it */
    uint32_t block_size;
    bool has_checksum; /* in its last two bytes */
};

enum header_result { HEADER_WHOLE, HEADER_SHORT, HEADER_BAD };

/* Reads a member's header from the start of the bytes at hand. */
static enum header_result
parse_header(struct gv_span span, struct member_header *header)
{
    const uint8_t *start = span.at, *fixed, *extra;
    uint16_t extra_size, checksum;
    if (!gv_span_take(&span, 10, &fixed)) {
        return HEADER_SHORT;
    }
    uint8_t flags = fixed[3];
    if (fixed[0] != MAGIC_1 || fixed[1] != MAGIC_2 || fixed[2] != METHOD_DEFLATE ||
        (flags & FLAGS_RESERVED) != 0) {
        return HEADER_BAD;
    }
    header->block_size = 0;
    if (flags & FLAG_EXTRA) {
        if (!gv_span_take_u16(&span, &extra_size) || !gv_span_take(&span, extra_size, &extra)) {
            return HEADER_SHORT;
        }
        header->block_size = find_block_size((struct gv_span){extra, extra + extra_size});
    }
    if ((flags & FLAG_NAME) && !gv_span_skip_string(&span)) {
        return HEADER_SHORT;
    }
    if ((flags & FLAG_COMMENT) && !gv_span_skip_string(&span)) {
        return HEADER_SHORT;
    }
    header->has_checksum = (flags & FLAG_HCRC) != 0;
    if (header->has_checksum && !gv_span_take_u16(&span, &checksum)) {
        return HEADER_SHORT;
    }
    header->size = (size_t)(span.at - start);
    return HEADER_WHOLE;
}

/* FHCRC: the two low bytes of the CRC-32 of the header before it.  GV_BAD_GZIP where they differ.
 */
static enum gv_status
check_header(const struct gv_inflate_engine *engine, void *state, const uint8_t *start,
             const struct member_header *header)
{
    if (!header->has_checksum) {
        return GV_OK;
    }
    uint32_t crc = 0;
    size_t size = header->size - 2;
    enum gv_status status = engine->crc32(state, &crc, start, size);
    return status == GV_OK && (crc & 0xffff) != gv_load_u16(start + size) ? GV_BAD_GZIP : status;
}

/* A failure of the engine; that of the data lies in `field`. */
static enum gv_status
engine_fault(const struct gv_inflater *in, enum gv_status status, enum gv_field field,
             struct gv_error *error)
{
    return status == GV_BAD_GZIP ? fault(in, status, field, error) : gv_error_set(error, status, 0);
}

static enum gv_status
read_header(struct gv_inflater *in, struct gv_error *error)
{
    struct member_header header;
    size_t wanted = 10;
    in->member_start = input_offset(in);
    for (;;) {
        enum gv_status status = hold(in, wanted, error);
        if (status != GV_OK) {
            return status;
        }
        enum header_result result =
            parse_header((struct gv_span){in->buffer + in->begin, in->buffer + in->end}, &header);
        if (result == HEADER_WHOLE) {
            break;
        }
        if (result == HEADER_SHORT && in->source_ended) {
            return fault(in, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_HEADER, error);
        }
        if (result == HEADER_BAD || held(in) == GV_INPUT_BUFFER) {
            return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_HEADER, error);
        }
        wanted = gv_min_size(2 * held(in), GV_INPUT_BUFFER);
    }
    enum gv_status status = check_header(in->engine, in->state, in->buffer + in->begin, &header);
    if (status != GV_OK) {
        return engine_fault(in, status, GV_FIELD_GZIP_HEADER, error);
    }
    if (in->members == 0 && header.block_size > 0) {
        in->format = GV_INPUT_BGZF;
    }
    in->block_size = header.block_size;
    in->begin += header.size;
    in->stage = header.block_size > header.size + TRAILER_BYTES ? BLOCK : STREAM;
    return GV_OK;
}

/* ---------------------------------------------------------------------------------------------
 * Whole blocks
 * ------------------------------------------------------------------------------------------ */

/* A whole deflate stream by an engine that knows streams only.  Room of one byte beyond the text
 * lets the stream end, or shows that it is longer. */
static enum gv_status
inflate_as_stream(const struct gv_inflate_engine *engine, void *state, const uint8_t *in,
                  size_t in_size, uint8_t *out, size_t out_size)
{
    size_t taken = 0, made = 0;
    bool ended = false;
    enum gv_status status = engine->reset(state);
    while (status == GV_OK && !ended) {
        uint8_t beyond;
        bool is_full = made == out_size;
        size_t part = in_size - taken, room = is_full ? 1 : out_size - made;
        status = engine->inflate(state, in + taken, &part, is_full ? &beyond : out + made, &room,
                                 &ended);
        bool is_stuck = !ended && part == 0 && room == 0, is_longer = is_full && room > 0;
        if (status == GV_OK && (is_stuck || is_longer)) {
            status = GV_BAD_GZIP;
        }
        taken += part;
        made += room;
    }
    if (status == GV_OK && (taken != in_size || made != out_size)) {
        status = GV_BAD_GZIP;
    }
    return status;
}

/* What follows a block's header: deflate stream and trailer, which must hold out_size bytes. */
static enum gv_status
inflate_body(const struct gv_inflate_engine *engine, void *state, const uint8_t *body, size_t size,
             uint8_t *out, size_t out_size)
{
    uint32_t crc = 0;
    size_t deflate_size = size - TRAILER_BYTES;
    enum gv_status status =
        engine->whole != NULL ? engine->whole(state, body, deflate_size, out, out_size)
                              : inflate_as_stream(engine, state, body, deflate_size, out, out_size);
    if (status == GV_OK) {
        status = engine->crc32(state, &crc, out, out_size);
    }
    return status == GV_OK && crc != gv_load_u32(body + deflate_size) ? GV_BAD_GZIP : status;
}

enum gv_input_format
gv_input_format_of(const uint8_t *head, size_t size)
{
    if (!has_magic(head, size)) {
        return GV_INPUT_PLAIN;
    }
    return gv_bgzf_block_size(head, size) > 0 ? GV_INPUT_BGZF : GV_INPUT_GZIP;
}

size_t
gv_bgzf_block_size(const uint8_t *head, size_t size)
{
    struct member_header header;
    bool is_block = parse_header((struct gv_span){head, head + size}, &header) == HEADER_WHOLE &&
                    header.block_size > header.size + TRAILER_BYTES;
    return is_block ? header.block_size : 0;
}

size_t
gv_bgzf_text_size(const uint8_t *block, size_t block_size)
{
    assert(block_size >= TRAILER_BYTES);
    return gv_load_u32(block + block_size - 4);
}

enum gv_status
gv_bgzf_inflate(const struct gv_inflate_engine *engine, void *state, const uint8_t *block,
                size_t block_size, uint8_t *out)
{
    struct member_header header;
    if (parse_header((struct gv_span){block, block + block_size}, &header) != HEADER_WHOLE ||
        header.block_size != block_size || block_size <= header.size + TRAILER_BYTES ||
        gv_bgzf_text_size(block, block_size) > GV_BGZF_MOST) {
        return GV_BAD_GZIP;
    }
    enum gv_status status = check_header(engine, state, block, &header);
    return status != GV_OK
               ? status
               : inflate_body(engine, state, block + header.size, block_size - header.size, out,
                              gv_bgzf_text_size(block, block_size));
}

/* Holds the rest of the block at hand: true where all of it is there.  A failure of the source is
 * kept for later: the part of the block that came before it is text all the same. */
static enum gv_status
hold_block(struct gv_inflater *in, size_t size, bool *is_whole, struct gv_error *error)
{
    enum gv_status status = hold(in, size, error);
    *is_whole = status == GV_OK && held(in) >= size;
    if (status != GV_OK && status != GV_INTERRUPTED) {
        in->failure = *error;
        status = GV_OK;
    }
    return status;
}

/* Inflates the block at hand: straight to the caller where there is room for all of it. */
static enum gv_status
read_block(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got, struct gv_error *error)
{
    /* The header is taken already. */
    size_t body_size = in->block_size - (size_t)(input_offset(in) - in->member_start);
    bool is_whole;
    enum gv_status status = hold_block(in, body_size, &is_whole, error);
    if (status != GV_OK) {
        return status;
    }
    const uint8_t *body = in->buffer + in->begin;
    size_t text_size = is_whole ? gv_bgzf_text_size(body, body_size) : 0;
    if (!is_whole || text_size > GV_BGZF_MOST) {
        in->stage = STREAM;
        return GV_OK;
    }
    bool is_direct = text_size <= size;
    if (!is_direct && in->block == NULL) {
        in->block = malloc(GV_BGZF_MOST);
        if (in->block == NULL) {
            return gv_error_set(error, GV_NO_MEMORY, 0);
        }
    }
    status = inflate_body(in->engine, in->state, body, body_size, is_direct ? out : in->block,
                          text_size);
    if (status == GV_BAD_GZIP) {
        in->stage = STREAM;
        return GV_OK;
    }
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
    }
    in->begin += body_size;
    in->ends_with_block = text_size == 0;
    in->members++;
    in->stage = is_direct ? BETWEEN : TEXT;
    *got = is_direct ? text_size : 0;
    in->text_bytes += *got;
    in->block_begin = 0;
    in->block_end = is_direct ? 0 : text_size;
    return GV_OK;
}

/* Hands out what is left of a block's text. */
static void
read_text(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got)
{
    *got = gv_min_size(size, in->block_end - in->block_begin);
    memcpy(out, in->block + in->block_begin, *got);
    in->block_begin += *got;
    in->text_bytes += *got;
    if (in->block_begin == in->block_end) {
        in->stage = BETWEEN;
    }
}

/* ---------------------------------------------------------------------------------------------
 * Streams
 * ------------------------------------------------------------------------------------------ */

static enum gv_status
begin_stream(struct gv_inflater *in, struct gv_error *error)
{
    enum gv_status status = in->engine->reset(in->state);
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
    }
    in->crc = in->length = 0;
    in->has_more = false;
    in->stage = DEFLATE;
    return GV_OK;
}

static enum gv_status
read_deflate(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got, struct gv_error *error)
{
    /* An engine that filled the room may have more, without further input. */
    if (!in->has_more) {
        enum gv_status status = hold(in, 1, error);
        if (status != GV_OK) {
            return status;
        }
    }
    size_t taken = held(in);
    bool ended = false, was_idle = in->has_more && taken == 0;
    *got = size;
    enum gv_status status =
        in->engine->inflate(in->state, in->buffer + in->begin, &taken, out, got, &ended);
    if (status == GV_OK) {
        status = in->engine->crc32(in->state, &in->crc, out, *got);
    }
    if (status != GV_OK) {
        *got = 0;
        return engine_fault(in, status, GV_FIELD_GZIP_DEFLATE, error);
    }
    in->begin += taken;
    in->length += (uint32_t)*got;
    in->text_bytes += *got;
    in->has_more = !ended && *got == size;
    if (ended) {
        in->stage = TRAILER;
    } else if (taken == 0 && *got == 0 && !was_idle) {
        /* Nothing held moves the decompressor on: the stream goes on beyond the input's end. */
        return in->source_ended ? fault(in, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_DEFLATE, error)
                                : fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_DEFLATE, error);
    }
    return GV_OK;
}

static enum gv_status
read_trailer(struct gv_inflater *in, struct gv_error *error)
{
    enum gv_status status = hold(in, TRAILER_BYTES, error);
    if (status != GV_OK) {
        return status;
    }
    if (held(in) < TRAILER_BYTES) {
        return fault(in, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_CRC, error);
    }
    const uint8_t *trailer = in->buffer + in->begin;
    if (gv_load_u32(trailer) != in->crc) {
        return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_CRC, error);
    }
    if (gv_load_u32(trailer + 4) != in->length) {
        return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_LENGTH, error);
    }
    in->begin += TRAILER_BYTES;
    if (in->block_size > 0 && input_offset(in) - in->member_start != in->block_size) {
        return fault(in, GV_BAD_GZIP, GV_FIELD_BGZF_SIZE, error);
    }
    in->ends_with_block = in->block_size > 0 && in->length == 0;
    in->members++;
    in->stage = BETWEEN;
    return GV_OK;
}

/* After a member: another one, zero padding (as tapes leave it), or the end. */
static enum gv_status
read_between(struct gv_inflater *in, struct gv_error *error)
{
    enum gv_status status = hold(in, 2, error);
    if (status != GV_OK) {
        return status;
    }
    const uint8_t *bytes = in->buffer + in->begin;
    if (held(in) == 0) {
        in->stage = OVER;
    } else if (bytes[0] == 0) {
        in->stage = ZEROS;
    } else if (bytes[0] == MAGIC_1 && held(in) == 1) {
        return fault(in, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_HEADER, error);
    } else if (bytes[0] == MAGIC_1 && bytes[1] == MAGIC_2) {
        in->stage = HEADER;
    } else {
        return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_TAIL, error);
    }
    return GV_OK;
}

static enum gv_status
read_zeros(struct gv_inflater *in, struct gv_error *error)
{
    enum gv_status status = hold(in, 1, error);
    if (status != GV_OK) {
        return status;
    }
    for (; in->begin < in->end; in->begin++) {
        if (in->buffer[in->begin] != 0) {
            return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_TAIL, error);
        }
    }
    in->stage = in->source_ended ? OVER : ZEROS;
    return GV_OK;
}

/* Plain text goes from the source straight to the caller, after what sniffing took. */
static enum gv_status
read_plain(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got, struct gv_error *error)
{
    if (held(in) > 0) {
        *got = gv_min_size(size, held(in));
        memcpy(out, in->buffer + in->begin, *got);
        in->begin += *got;
    } else if (!in->source_ended) {
        enum gv_status status = gv_source_read(in->source, out, size, got, error);
        if (status != GV_OK) {
            return status;
        }
    }
    if (*got == 0) {
        in->stage = OVER;
    }
    in->text_bytes += *got;
    return GV_OK;
}

/* One step from the stage at hand; what it hands out is *got bytes. */
static enum gv_status
step(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got, struct gv_error *error)
{
    switch ((enum stage)in->stage) {
    case SNIFF:
        return sniff(in, error);
    case PLAIN:
        return read_plain(in, out, size, got, error);
    case HEADER:
        return read_header(in, error);
    case BLOCK:
        return read_block(in, out, size, got, error);
    case TEXT:
        read_text(in, out, size, got);
        break;
    case STREAM:
        return begin_stream(in, error);
    case DEFLATE:
        return read_deflate(in, out, size, got, error);
    case TRAILER:
        return read_trailer(in, error);
    case BETWEEN:
        return read_between(in, error);
    case ZEROS:
        return read_zeros(in, error);
    case OVER:
        break;
    }
    return GV_OK;
}

enum gv_status
gv_inflater_read(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got,
                 struct gv_error *error)
{
    assert(size > 0);
    enum gv_status status = GV_OK;
    uint64_t begin = in->source->bytes_read;
    *got = 0;
    while (status == GV_OK && *got == 0 && in->stage != OVER) {
        /* Empty blocks and padding give no text, and may be many. */
        if (in->source->bytes_read - begin > PATIENCE) {
            return GV_INTERRUPTED;
        }
        status = step(in, out, size, got, error);
    }
    return status;
}

bool
gv_inflater_is_between(const struct gv_inflater *in, uint64_t *offset)
{
    *offset = input_offset(in);
    return in->stage == PLAIN || (in->stage == BETWEEN && in->block_begin == in->block_end);
}

bool
gv_inflater_misses_end_block(const struct gv_inflater *inflater)
{
    return inflater->format == GV_INPUT_BGZF && !inflater->ends_with_block;
}

enum gv_status
gv_inflater_resume(struct gv_inflater *in, uint64_t text_bytes, uint64_t members,
                   bool ends_with_block)
{
    bool is_plain = in->format == GV_INPUT_PLAIN;
    if (!is_plain && in->state == NULL) {
        enum gv_status status = in->engine->open(in->engine, &in->state);
        if (status != GV_OK) {
            return status;
        }
    }
    in->begin = in->end = in->block_begin = in->block_end = 0;
    in->source_ended = false;
    in->failure = (struct gv_error){0};
    in->format = is_plain ? GV_INPUT_PLAIN : GV_INPUT_BGZF;
    in->stage = is_plain ? PLAIN : BETWEEN;
    in->text_bytes = text_bytes;
    in->members = members;
    in->ends_with_block = ends_with_block;
    return GV_OK;
}
