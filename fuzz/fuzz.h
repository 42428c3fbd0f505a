/* fuzz.h: what the fuzz targets share: sources cut in pieces, numbers drawn from the input.
 *
 * A target is a function of its input alone: it reads the same bytes in many ways, which must
 * agree, and aborts with the ways that do not.  libFuzzer calls it, or replay.c does.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the harness itself cannot do without. */
#define NEED(x)                                                                   \
    do {                                                                          \
        if (!(x)) {                                                               \
            (void)fprintf(stderr, "%s:%d: needed: %s\n", __FILE__, __LINE__, #x); \
            abort();                                                              \
        }                                                                         \
    } while (0)

/* A generator of the same numbers on every machine (splitmix64, Steele and others 2014). */
static inline uint64_t
draw(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A seed that every byte of the input has a part in (FNV-1a). */
static inline uint64_t
seed_of(const uint8_t *data, size_t size)
{
    uint64_t seed = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) {
        seed = (seed ^ data[i]) * 0x100000001b3u;
    }
    return seed;
}

/* How a source hands out its bytes: `first` of them, then `longest` at a time; between 1 and
 * SIZE_MAX, `longest` is the most, and how many there are, and whether an interruption comes before
 * them, is drawn.  A first of 0: the source is memory, whole. */
struct cut {
    size_t first, longest;
};

#define WHOLE ((struct cut){0, SIZE_MAX})

/* Inputs below this size are cut at every byte, longer ones at some. */
#define CUT_EVERYWHERE_BELOW 80
#define SOME_CUTS 6

static inline size_t
count_cuts(size_t size)
{
    return size < CUT_EVERYWHERE_BELOW ? size + 1 : SOME_CUTS;
}

/* Cut number i < count_cuts(size): the first is one byte at a time. */
static inline struct cut
draw_cut(size_t i, size_t size, uint64_t *random)
{
    if (i == 0) {
        return (struct cut){1, 1};
    }
    if (i < size && size < CUT_EVERYWHERE_BELOW) {
        return (struct cut){i, SIZE_MAX};
    }
    size_t first = 1 + (size_t)(draw(random) % size);
    return (struct cut){first, (size_t)2 << draw(random) % 12};
}

/* Borrows: the data.  Invariant: at <= size. */
struct pieces {
    const uint8_t *data;
    size_t size, at;
    struct cut cut;
    uint64_t random;
};

static inline enum gv_status
read_piece(void *context, uint8_t *out, size_t size, size_t *got)
{
    struct pieces *pieces = context;
    size_t most = pieces->at == 0 ? pieces->cut.first : pieces->cut.longest;
    if (pieces->at > 0 && most > 1 && most < SIZE_MAX) {
        uint64_t drawn = draw(&pieces->random);
        if (drawn >> 61 == 0) {
            return GV_INTERRUPTED;
        }
        most = 1 + (size_t)(drawn % most);
    }
    *got = gv_min_size(gv_min_size(size, most), pieces->size - pieces->at);
    if (*got > 0) {
        memcpy(out, pieces->data + pieces->at, *got);
    }
    pieces->at += *got;
    return GV_OK;
}

/* The source that hands out data[0, size) so cut.  Borrows: both, until it is closed. */
static inline struct gv_source
open_cut(const uint8_t *data, size_t size, struct cut cut, struct pieces *pieces)
{
    struct gv_source source;
    *pieces = (struct pieces){data, size, 0, cut, size};
    if (cut.first == 0) {
        gv_source_open_memory(&source, data, size);
    } else {
        gv_source_open_callback(&source, read_piece, pieces);
    }
    return source;
}

static inline void
print_cut(struct cut cut)
{
    if (cut.first == 0) {
        (void)fprintf(stderr, "whole");
    } else if (cut.longest == SIZE_MAX) {
        (void)fprintf(stderr, "cut at byte %zu", cut.first);
    } else {
        (void)fprintf(stderr, "cut at byte %zu, then every %zu or sooner", cut.first, cut.longest);
    }
}

static inline void
print_error(enum gv_status status, const struct gv_error *error)
{
    (void)fprintf(stderr, "%s", gv_status_name(status));
    if (status > GV_INTERRUPTED) {
        (void)fprintf(stderr,
                      " in %s, offset %" PRIu64 ", input offset %" PRIu64 ", line %" PRIu64
                      ", record %" PRIu64 ", detail %" PRId64 ", expected %" PRId64,
                      gv_field_name(error->field), error->offset, error->input_offset, error->line,
                      error->record, error->detail, error->expected);
    }
}

#endif
