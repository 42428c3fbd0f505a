/* gv_slices.h: reads a source ahead in slices of about 1 MiB of text, shared out among threads.
 *
 *     text   ...@r1 ACGT + IIII @r2 AC|GT + IIII @r3 ACGT + IIII @r4 A|CGT + IIII ...
 *     slice                           |tail of r2|       body        |head|
 *
 * Where the first record of a slice begins is a guess: the first line that begins with '@' while
 * the second one after it begins with '+'.  What follows the guess, up to the last whole record of
 * four lines, is the slice's body: parsed by whichever thread took the slice, into a table of its
 * own.  The reader joins the slices in their order: it parses what lies between two bodies itself,
 * and takes a body over only if it arrives, by itself, exactly where the body begins; otherwise it
 * parses the slice as text.  So a wrong guess costs time and changes nothing.
 *
 * Everything unusual is left to the reader too.  A slice ends before input that could not be read
 * or a BGZF block that is not sound (is_odd): reading on from there in the plain way meets the
 * fault again and says what it is.
 *
 * The text of a plain file is looked at in its mapping where there is one, by threads while they
 * parse it and by the reader while it has the slice.
 */
#ifndef GV_SLICES_H
#define GV_SLICES_H

#include <stdatomic.h>

#include "gv_builder.h"
#include "gv_inflate.h"
#include "gv_mapping.h"

/* The threads that the readers of a process have started of their own accord: together they are
 * no more than the processors have use for.  Zeroed to begin with; a process that is forked begins
 * with none. */
struct gv_crew {
    atomic_uint busy;
    atomic_llong process; /* that they are of */
};

/* Takes as many of `most` threads as are not busy, and returns how many. */
unsigned gv_crew_take(struct gv_crew *crew, unsigned most);
void gv_crew_give_back(struct gv_crew *crew, unsigned threads);

/* Text in a slice of a plain source; blocks in one of a BGZF source. */
#define GV_SLICE_TEXT ((size_t)1 << 20)
#define GV_SLICE_BLOCKS ((size_t)16)

/* One slice.  Borrows: everything, from the slices.  Valid until: it is given back. */
struct gv_slice {
    const uint8_t *text; /* in a buffer, or in the file's mapping */
    bool is_mapped;
    size_t size;
    size_t body_begin, body_end; /* of the text that is in the table of `body` */
    const struct gv_builder *body;
    uint64_t input_end;   /* offset in the source of what follows the slice */
    uint64_t members;     /* BGZF blocks in it */
    bool ends_with_block; /* the last of them is an end block */
    bool is_last;         /* the source ends with it */
    bool is_odd;          /* what follows must be read in the plain way */
};

struct gv_slices;

/* What to read ahead.  Borrows: all of it, until gv_slices_free(); nobody else may read from the
 * source meanwhile. */
struct gv_slices_input {
    const struct gv_source *source; /* a regular file or memory */
    struct gv_mapping *mapping;     /* of that file, if it is plain; may be NULL */
    enum gv_input_format format;    /* GV_INPUT_PLAIN or GV_INPUT_BGZF */
    uint64_t offset;                /* where to begin; of a block, if it is BGZF */
    uint32_t number;                /* of the source, among all that are read, from 0 */
};

/* Starts threads - 1 threads that read ahead; the caller is the remaining one whenever it asks for
 * a slice.  The options are borrowed until gv_slices_free().  NULL where the system refuses memory
 * or threads. */
struct gv_slices *gv_slices_new(const struct gv_builder_options *options,
                                const struct gv_inflate_engine *engine,
                                const struct gv_slices_input *input, unsigned threads);

/* Ends the threads; a slice not yet given back is gone. */
void gv_slices_free(struct gv_slices *slices);

/* The next slice in order, parsing while it is not there yet.  GV_INTERRUPTED: nothing came for a
 * while; look at signals and call again.  Not to be called after a slice that is last or odd. */
GV_NODISCARD enum gv_status gv_slices_next(struct gv_slices *slices, const struct gv_slice **slice);

/* Gives the slice back that gv_slices_next() gave; only then may the next be asked for. */
void gv_slices_give_back(struct gv_slices *slices);

#endif
