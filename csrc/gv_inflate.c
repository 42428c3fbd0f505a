#include "gv_inflate.h"

#include <stdlib.h>

#include "gv_span.h"
#ifdef GV_HAVE_ZLIB
#include "inflate/gv_inflate_zlib.h"
#endif

const struct gv_inflate_engine *const *
gv_inflate_engines(void)
{
    static const struct gv_inflate_engine *const engines[] = {
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
 *         -> HEADER -> DEFLATE -> TRAILER -> BETWEEN -> HEADER ...
 *                                                    -> ZEROS -> OVER
 */
enum stage { SNIFF, PLAIN, HEADER, DEFLATE, TRAILER, BETWEEN, ZEROS, OVER };

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

/* Reads from the source until `wanted` bytes are held, or it ends. */
static enum gv_status
hold(struct gv_inflater *in, size_t wanted, struct gv_error *error)
{
    assert(wanted <= GV_INPUT_BUFFER);
    if (in->buffer == NULL) {
        in->buffer = malloc(GV_INPUT_BUFFER);
        if (in->buffer == NULL) {
            return gv_error_set(error, GV_NO_MEMORY, 0);
        }
    }
    while (held(in) < wanted && !in->source_ended) {
        if (in->begin > 0) {
            memmove(in->buffer, in->buffer + in->begin, held(in));
            in->end -= in->begin;
            in->begin = 0;
        }
        size_t got = 0;
        enum gv_status status = gv_source_read(in->source, in->buffer + in->end,
                                               GV_INPUT_BUFFER - in->end, &got, error);
        if (status != GV_OK) {
            return status;
        }
        in->source_ended = got == 0;
        in->end += got;
    }
    return GV_OK;
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
    if (held(in) < 2 || bytes[0] != MAGIC_1 || bytes[1] != MAGIC_2) {
        in->format = GV_INPUT_PLAIN;
        in->stage = PLAIN;
        return GV_OK;
    }
    if (in->engine == NULL) {
        return gv_error_set(error, GV_UNSUPPORTED_FORMAT, GV_FOREIGN_GZIP);
    }
    status = in->engine->open(in->engine, &in->state);
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
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

enum header_result { HEADER_WHOLE, HEADER_SHORT, HEADER_BAD };

/* Reads a member's header from the bytes held; *size is its length. */
static enum header_result
parse_header(const struct gv_inflater *in, size_t *size, uint32_t *block_size, bool *has_checksum)
{
    const uint8_t *start = in->buffer + in->begin;
    struct gv_span span = {start, in->buffer + in->end};
    const uint8_t *fixed, *extra;
    uint16_t extra_size, checksum;
    if (!gv_span_take(&span, 10, &fixed)) {
        return HEADER_SHORT;
    }
    uint8_t flags = fixed[3];
    if (fixed[0] != MAGIC_1 || fixed[1] != MAGIC_2 || fixed[2] != METHOD_DEFLATE ||
        (flags & FLAGS_RESERVED) != 0) {
        return HEADER_BAD;
    }
    *block_size = 0;
    if (flags & FLAG_EXTRA) {
        if (!gv_span_take_u16(&span, &extra_size) || !gv_span_take(&span, extra_size, &extra)) {
            return HEADER_SHORT;
        }
        *block_size = find_block_size((struct gv_span){extra, extra + extra_size});
    }
    if ((flags & FLAG_NAME) && !gv_span_skip_string(&span)) {
        return HEADER_SHORT;
    }
    if ((flags & FLAG_COMMENT) && !gv_span_skip_string(&span)) {
        return HEADER_SHORT;
    }
    *size = (size_t)(span.at - start);
    *has_checksum = (flags & FLAG_HCRC) != 0;
    if (*has_checksum && !gv_span_take_u16(&span, &checksum)) {
        return HEADER_SHORT;
    }
    return HEADER_WHOLE;
}

/* FHCRC: the two low bytes of the CRC-32 of the header before it. */
static enum gv_status
check_header(struct gv_inflater *in, size_t *size, struct gv_error *error)
{
    const uint8_t *start = in->buffer + in->begin;
    uint32_t crc = 0;
    enum gv_status status = in->engine->crc32(in->state, &crc, start, *size);
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
    }
    if ((crc & 0xffff) != gv_load_u16(start + *size)) {
        return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_HEADER, error);
    }
    *size += 2;
    return GV_OK;
}

static enum gv_status
read_header(struct gv_inflater *in, struct gv_error *error)
{
    size_t size = 0, wanted = 10;
    uint32_t block_size = 0;
    bool has_checksum = false;
    in->member_start = input_offset(in);
    for (;;) {
        enum gv_status status = hold(in, wanted, error);
        if (status != GV_OK) {
            return status;
        }
        enum header_result result = parse_header(in, &size, &block_size, &has_checksum);
        if (result == HEADER_WHOLE) {
            break;
        }
        if (result == HEADER_SHORT && in->source_ended) {
            return fault(in, GV_TRUNCATED_GZIP, GV_FIELD_GZIP_HEADER, error);
        }
        if (result == HEADER_BAD || held(in) == GV_INPUT_BUFFER) {
            return fault(in, GV_BAD_GZIP, GV_FIELD_GZIP_HEADER, error);
        }
        wanted = held(in) + 1;
    }
    if (has_checksum) {
        enum gv_status status = check_header(in, &size, error);
        if (status != GV_OK) {
            return status;
        }
    }
    enum gv_status status = in->engine->reset(in->state);
    if (status != GV_OK) {
        return gv_error_set(error, status, 0);
    }
    if (in->members == 0 && block_size > 0) {
        in->format = GV_INPUT_BGZF;
    }
    in->block_size = block_size;
    in->begin += size;
    in->crc = in->length = 0;
    in->stage = DEFLATE;
    return GV_OK;
}

static enum gv_status
read_deflate(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got, struct gv_error *error)
{
    enum gv_status status = hold(in, 1, error);
    if (status != GV_OK) {
        return status;
    }
    size_t taken = held(in);
    bool ended = false;
    *got = size;
    status = in->engine->inflate(in->state, in->buffer + in->begin, &taken, out, got, &ended);
    if (status == GV_OK) {
        status = in->engine->crc32(in->state, &in->crc, out, *got);
    }
    if (status != GV_OK) {
        *got = 0;
        return status == GV_BAD_GZIP ? fault(in, status, GV_FIELD_GZIP_DEFLATE, error)
                                     : gv_error_set(error, status, 0);
    }
    in->begin += taken;
    in->length += (uint32_t)*got;
    in->text_bytes += *got;
    if (ended) {
        in->stage = TRAILER;
    } else if (taken == 0 && *got == 0) {
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

enum gv_status
gv_inflater_read(struct gv_inflater *in, uint8_t *out, size_t size, size_t *got,
                 struct gv_error *error)
{
    assert(size > 0);
    enum gv_status status = GV_OK;
    *got = 0;
    while (status == GV_OK && *got == 0 && in->stage != OVER) {
        switch ((enum stage)in->stage) {
        case SNIFF:
            status = sniff(in, error);
            break;
        case PLAIN:
            status = read_plain(in, out, size, got, error);
            break;
        case HEADER:
            status = read_header(in, error);
            break;
        case DEFLATE:
            status = read_deflate(in, out, size, got, error);
            break;
        case TRAILER:
            status = read_trailer(in, error);
            break;
        case BETWEEN:
            status = read_between(in, error);
            break;
        case ZEROS:
            status = read_zeros(in, error);
            break;
        case OVER:
            break;
        }
    }
    return status;
}

bool
gv_inflater_misses_end_block(const struct gv_inflater *inflater)
{
    return inflater->format == GV_INPUT_BGZF && !inflater->ends_with_block;
}
