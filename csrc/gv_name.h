/* gv_name.h: what a read's name says: who wrote it, and where and when the read was made.
 *
 * A name is the header line without its '@' and line end.  It is recognised by one of the
 * grammars at the top of gv_name.c, or by none; nothing is guessed.  Numbers are bounded: one that
 * is too large, or a lane or tile of 0, makes the name one that no grammar knows.
 */
#ifndef GV_NAME_H
#define GV_NAME_H

#include "gv_base.h"

enum gv_grammar {
    GV_GRAMMAR_NONE = 0,
    GV_GRAMMAR_ILLUMINA,     /* 1.8 and later */
    GV_GRAMMAR_ELEMENT,      /* the same, from an AVITI */
    GV_GRAMMAR_SINGULAR,     /* the same, from a G4 */
    GV_GRAMMAR_ILLUMINA_OLD, /* before 1.8 */
    GV_GRAMMAR_MGI,
    GV_GRAMMAR_STEREO_SEQ,
    GV_GRAMMAR_ULTIMA,
    GV_GRAMMAR_GUPPY,
    GV_GRAMMAR_DORADO,
    GV_GRAMMAR_PACBIO,
    GV_GRAMMAR_PACBIO_RS2,
    GV_GRAMMAR_COUNT
};

/* What stands for a part that a name lacks; no name can give it.  Lane, tile, surface, swath, read
 * and channel count from 1: 0 is none. */
#define GV_NO_COORDINATE INT32_MIN
#define GV_NO_FILTERED UINT8_MAX
#define GV_NO_ZMW UINT32_MAX
#define GV_NO_TIME INT64_MIN /* NumPy's NaT */

/* Where a tile number is decoded to: surface, swath, camera and number count from 1, and are 0
 * where the grammar's numbers do not hold them. */
struct gv_tile {
    uint8_t surface, swath, camera;
    uint32_t number;
};

/* A part that is text.  Borrows: the name's bytes. */
struct gv_word {
    const uint8_t *at;
    size_t size;
};

/* All that one name says. */
struct gv_name {
    enum gv_grammar grammar;
    bool is_renamed; /* behind a number that an archive gave */
    uint8_t lane;
    uint8_t read;     /* 1 or 2 */
    uint8_t filtered; /* 0: passed, 1: did not */
    uint16_t channel;
    uint32_t tile; /* of MGI: 1000 times the column, and the row, of the field of view */
    int32_t x, y;
    uint32_t zmw;
    int64_t start_time; /* microseconds since 1970, UTC */
    struct gv_word index, barcode, flow_cell;
};

/* Reads one name.  False, with grammar NONE and every part lacking, where no grammar knows it. */
bool gv_name_read(const uint8_t *name, size_t size, struct gv_name *out);

/* Reads "1:N:0:ACGT" from what follows the first word of a name of Casava 1.8's grammar.  Anything
 * else says nothing. */
void gv_name_read_comment(const uint8_t *rest, size_t size, struct gv_name *out);

/* Makes every part one that is lacking. */
void gv_name_clear(struct gv_name *out);

/* How many bytes of a name, from its beginning, hold "instrument:run:flowcell:lane:tile:", and
 * what it says; 0 where it does not begin so. */
size_t gv_name_read_place(const uint8_t *name, size_t size, struct gv_name *out);

/* Whether this may follow y in an Illumina name's word: a UMI, and "/1" or "/2", which *read tells;
 * or nothing. */
bool gv_name_read_tail(const uint8_t *tail, size_t size, uint8_t *read);

/* What a tile's number says; all 0 for tile 0. */
struct gv_tile gv_name_tile(enum gv_grammar grammar, uint32_t tile);

/* The name of a grammar ("illumina-1.8"), and of the platform that writes it ("illumina"); of
 * NONE "unknown". */
const char *gv_grammar_name(enum gv_grammar grammar);
const char *gv_grammar_platform(enum gv_grammar grammar);

#endif
