/* members.h: gzip members made by hand, and an engine that inflates them.
 *
 * A stored deflate block needs no compressor, so framing is tested where there is no zlib at all.
 *
 *   01 0300 fcff 41 43 47      the last block (bit 0), stored (bits 1, 2: 00): "ACG"
 *      LEN  ~LEN
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "check.h"
#include "gv.h"

/* Bytes that grow. */
struct bytes {
    uint8_t *data;
    size_t size, capacity;
};

static inline void
put(struct bytes *to, const void *data, size_t size)
{
    if (to->size + size > to->capacity) {
        to->capacity = 2 * (to->size + size);
        to->data = realloc(to->data, to->capacity);
        REQUIRE(to->data != NULL);
    }
    if (size > 0) {
        memcpy(to->data + to->size, data, size);
        to->size += size;
    }
}

static inline void
put_u16(struct bytes *to, unsigned value)
{
    put(to, (const uint8_t[]){(uint8_t)value, (uint8_t)(value >> 8)}, 2);
}

static inline void
put_u32(struct bytes *to, uint32_t value)
{
    put_u16(to, value & 0xffff);
    put_u16(to, value >> 16);
}

/* CRC-32 of RFC 1952, bit by bit; it is the measure of the engines' own, so it takes no table. */
static inline uint32_t
crc_of(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

/* Stored blocks of at most `block` bytes (<= 65535), the last one marked. */
static inline void
put_stored(struct bytes *to, const uint8_t *text, size_t size, size_t block)
{
    size_t at = 0;
    do {
        size_t part = gv_min_size(size - at, block);
        uint8_t last = at + part == size;
        put(to, &last, 1);
        put_u16(to, (unsigned)part);
        put_u16(to, (unsigned)part ^ 0xffff);
        put(to, text + at, part);
        at += part;
    } while (at < size);
}

enum { MEMBER_HCRC = 2, MEMBER_EXTRA = 4, MEMBER_NAME = 8, MEMBER_COMMENT = 16, MEMBER_BGZF = 256 };

/* One member with those parts in its header; MEMBER_BGZF puts another subfield before BC. */
static inline void
put_member(struct bytes *to, const uint8_t *text, size_t size, size_t block, unsigned parts)
{
    size_t start = to->size, size_at = 0;
    uint8_t flags = parts & 0x1f;
    flags |= parts & MEMBER_BGZF ? MEMBER_EXTRA : 0;
    put(to, (const uint8_t[]){0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3}, 10);
    if (flags & MEMBER_EXTRA) {
        bool is_bgzf = (parts & MEMBER_BGZF) != 0;
        put_u16(to, is_bgzf ? 13 : 7);
        put(to, "XY\3\0abc", 7);
        if (is_bgzf) {
            put(to, "BC\2\0", 4);
            size_at = to->size;
            put_u16(to, 0);
        }
    }
    if (flags & MEMBER_NAME) {
        put(to, "name", 5);
    }
    if (flags & MEMBER_COMMENT) {
        put(to, "a comment", 10);
    }
    size_t blocks = size == 0 ? 1 : (size + block - 1) / block;
    if (size_at > 0) {
        size_t whole = to->size - start + 5 * blocks + size + 8 + (flags & MEMBER_HCRC ? 2 : 0);
        REQUIRE(whole <= 65536);
        to->data[size_at] = (uint8_t)(whole - 1);
        to->data[size_at + 1] = (uint8_t)((whole - 1) >> 8);
    }
    if (flags & MEMBER_HCRC) {
        put_u16(to, crc_of(0, to->data + start, to->size - start) & 0xffff);
    }
    put_stored(to, text, size, block);
    put_u32(to, crc_of(0, text, size));
    put_u32(to, (uint32_t)size);
}

/* The end block of a BGZF file, as the SAM specification prints it. */
static const uint8_t bgzf_end_block[28] = {0x1f, 0x8b, 8,  4, 0, 0, 0, 0, 0, 0xff, 6, 0, 'B', 'C',
                                           2,    0,    27, 0, 3, 0, 0, 0, 0, 0,    0, 0, 0,   0};

/* Raw deflate of stored blocks; of the others only the empty block of fixed codes, two bytes, as
 * the end block has it. */
struct stored_state {
    uint8_t head[5];
    size_t held, left;
    bool is_last, in_block, ended;
};

/* How often the engine fails by design, and what was opened and not closed. */
struct stored_context {
    int open_states;
    unsigned calls, fail_at; /* the inflate call that fails; 0: none does */
    enum gv_status fail_open, fail_with;
};

struct stored_engine_state {
    struct stored_state stream;
    struct stored_context *context;
};

static inline enum gv_status
stored_open(const struct gv_inflate_engine *engine, void **state)
{
    struct stored_context *context = engine->context;
    if (context->fail_open != GV_OK) {
        return context->fail_open;
    }
    struct stored_engine_state *made = calloc(1, sizeof *made);
    REQUIRE(made != NULL);
    made->context = context;
    context->open_states++;
    *state = made;
    return GV_OK;
}

static inline void
stored_close(void *state)
{
    ((struct stored_engine_state *)state)->context->open_states--;
    free(state);
}

static inline enum gv_status
stored_reset(void *state)
{
    ((struct stored_engine_state *)state)->stream = (struct stored_state){0};
    return GV_OK;
}

static inline enum gv_status
stored_inflate(void *state, const uint8_t *in, size_t *in_size, uint8_t *out, size_t *out_size,
               bool *ended)
{
    struct stored_state *s = &((struct stored_engine_state *)state)->stream;
    struct stored_context *context = ((struct stored_engine_state *)state)->context;
    size_t taken = 0, made = 0;
    if (++context->calls == context->fail_at) {
        return context->fail_with;
    }
    while (!s->ended) {
        if (s->in_block && s->left == 0) {
            s->in_block = false;
            s->held = 0;
            s->ended = s->is_last;
        } else if (s->in_block) {
            size_t n = gv_min_size(s->left, gv_min_size(*in_size - taken, *out_size - made));
            if (n == 0) {
                break;
            }
            memcpy(out + made, in + taken, n);
            taken += n;
            made += n;
            s->left -= n;
        } else if (taken == *in_size) {
            break;
        } else {
            s->head[s->held++] = in[taken++];
            if (s->held == 2 && s->head[0] == 3 && s->head[1] == 0) {
                s->ended = true;
            } else if (s->held == 1 && s->head[0] > 1 && s->head[0] != 3) {
                return GV_BAD_GZIP;
            } else if (s->held == 5) {
                s->is_last = s->head[0] == 1;
                s->left = gv_load_u16(s->head + 1);
                if (s->left != (gv_load_u16(s->head + 3) ^ 0xffffu) || s->head[0] > 1) {
                    return GV_BAD_GZIP;
                }
                s->in_block = true;
            }
        }
    }
    *in_size = taken;
    *out_size = made;
    *ended = s->ended;
    return GV_OK;
}

static inline enum gv_status
stored_crc32(void *state, uint32_t *crc, const uint8_t *data, size_t size)
{
    (void)state;
    *crc = crc_of(*crc, data, size);
    return GV_OK;
}

static struct stored_context stored_context;
static const struct gv_inflate_engine stored_engine = {
    .name = "stored",
    .context = &stored_context,
    .open = stored_open,
    .close = stored_close,
    .reset = stored_reset,
    .inflate = stored_inflate,
    .crc32 = stored_crc32,
};

/* A source that hands out a few bytes at a time and is interrupted now and then. */
struct drip {
    const uint8_t *data;
    size_t size, at, step;
    unsigned calls, interrupted_every; /* 0: never */
};

static inline enum gv_status
drip_read(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct drip *drip = context;
    if (drip->interrupted_every > 0 && ++drip->calls % drip->interrupted_every == 0) {
        return GV_INTERRUPTED;
    }
    *got = gv_min_size(gv_min_size(size, drip->step), drip->size - drip->at);
    if (*got > 0) {
        memcpy(out, drip->data + drip->at, *got);
    }
    drip->at += *got;
    return GV_OK;
}

/* The same, failing where it has no more. */
static inline enum gv_status
fails_after_all(void *context, uint8_t *out, size_t size, size_t *got)
{
    enum gv_status status = drip_read(context, out, size, got);
    return *got == 0 ? GV_CALLBACK_FAILED : status;
}

static inline void
open_drip(struct gv_reader *reader, struct drip *drip)
{
    struct gv_source source;
    gv_source_open_callback(&source, drip_read, drip);
    gv_reader_open(reader, source);
}

#endif
