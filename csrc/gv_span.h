/* gv_span.h: a bounded cursor over bytes.  Every take is checked; a take that does not fit
 * leaves the cursor where it was and answers false.
 *
 * Borrows: the bytes.  Valid until: they move or change.
 */
#ifndef GV_SPAN_H
#define GV_SPAN_H

#include "gv_base.h"

struct gv_span {
    const uint8_t *at;
    const uint8_t *end; /* at <= end */
};

static inline size_t
gv_span_left(const struct gv_span *span)
{
    return (size_t)(span->end - span->at);
}

/* Borrows the next n bytes in *out and moves past them. */
static inline bool
gv_span_take(struct gv_span *span, size_t n, const uint8_t **out)
{
    if (gv_span_left(span) < n) {
        return false;
    }
    *out = span->at;
    span->at += n;
    return true;
}

static inline bool
gv_span_take_u16(struct gv_span *span, uint16_t *out)
{
    const uint8_t *p;
    if (!gv_span_take(span, 2, &p)) {
        return false;
    }
    *out = gv_load_u16(p);
    return true;
}

/* Whether the offsets of `rows` texts in [0, size), one offset more than there are texts, lie
 * inside it and never decrease. */
static inline bool
gv_span_offsets_are_valid(const int64_t *offsets, size_t rows, size_t size)
{
    bool holds = offsets[0] >= 0 && offsets[rows] >= 0 && (uint64_t)offsets[rows] <= size;
    for (size_t i = 0; i < rows; i++) {
        holds &= offsets[i] <= offsets[i + 1];
    }
    return holds;
}

/* Moves past the next zero byte. */
static inline bool
gv_span_skip_string(struct gv_span *span)
{
    size_t left = gv_span_left(span);
    const uint8_t *zero = left ? memchr(span->at, 0, left) : NULL;
    if (zero == NULL) {
        return false;
    }
    span->at = zero + 1;
    return true;
}

#endif
