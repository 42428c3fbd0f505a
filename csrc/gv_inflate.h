/* gv_inflate.h: from the bytes of a source to text: plain, gzip or BGZF, told by magic bytes.
 *
 * The gzip framing (RFC 1952) is read here, once; what an engine supplies is raw deflate and
 * CRC-32.  A gzip input is any number of members:
 *
 *   member = 1f 8b 08 FLG MTIME*4 XFL OS [extra] [name] [comment] [CRC16]  deflate  CRC32 ISIZE
 *   input  = member+ zero-byte*
 *
 *   1f 8b 08 04 00000000 00 ff 0600 42 43 0200 1b00 0300 00000000 00000000     the BGZF end block
 *            FEXTRA           XLEN  B  C  2    BSIZE  deflate CRC32  ISIZE
 *
 * BGZF is gzip whose every member (block) says its own compressed size less 1 (BSIZE) in an extra
 * field "BC", and whose last one is the empty end block; its absence is how a cut file shows.
 * Every member's CRC-32 and length are verified, and BSIZE where given.
 */
#ifndef GV_INFLATE_H
#define GV_INFLATE_H

#include "gv_source.h"

/* What decompresses raw deflate.  `context` is the engine's own; state is one decompressor, used
 * by one thread at a time.  Engines fail with GV_NO_MEMORY, GV_BAD_GZIP or GV_CALLBACK_FAILED;
 * open() with GV_UNSUPPORTED_FORMAT where the decoder is missing. Every engine serves streams and
 * whole blocks, with the same bytes and the same verdicts. */
struct gv_inflate_engine {
    const char *name;
    void *context;
    bool is_callback; /* it calls back into the caller's own threads: other threads must not use
                         it */
    enum gv_status (*open)(const struct gv_inflate_engine *engine, void **state);
    void (*close)(void *state);

    /* To the start of the next deflate stream. */
    enum gv_status (*reset)(void *state);

    /* Inflates from in[0, *in_size) to out[0, *out_size); afterwards *in_size bytes were taken
     * and *out_size made.  *ended: the deflate stream is over.  With input and room at hand it
     * takes or makes at least one byte, or ends. */
    enum gv_status (*inflate)(void *state, const uint8_t *in, size_t *in_size, uint8_t *out,
                              size_t *out_size, bool *ended);

    /* Continues the CRC-32 of RFC 1952; 0 to start. */
    enum gv_status (*crc32)(void *state, uint32_t *crc, const uint8_t *data, size_t size);

    /* Inflates the whole deflate stream in[0, in_size) to out[0, out_size), neither of them longer
     * than a BGZF block.  GV_BAD_GZIP where it is damaged, or takes or makes another number of
     * bytes.  Independent of reset() and of the stream at hand, which it may spoil.  NULL where the
     * engine has no quicker way than inflate(), which then serves. */
    enum gv_status (*whole)(void *state, const uint8_t *in, size_t in_size, uint8_t *out,
                            size_t out_size);
};

/* The engines built in, best first, ended by NULL; none where no library was found. */
const struct gv_inflate_engine *const *gv_inflate_engines(void);

/* The version of the zlib linked in, NULL where there is none. */
const char *gv_inflate_zlib_version(void);

enum gv_input_format { GV_INPUT_UNKNOWN, GV_INPUT_PLAIN, GV_INPUT_GZIP, GV_INPUT_BGZF };

/* Owns: its buffers and the engine's state.  Borrows: source and engine, until deinit.
 * Invariants: begin <= end <= capacity <= GV_INPUT_BUFFER; block_begin <= block_end <=
 * GV_BGZF_MOST. */
struct gv_inflater {
    struct gv_source *source;
    const struct gv_inflate_engine *engine;
    void *state;
    uint8_t *buffer; /* compressed bytes [begin, end); NULL until needed */
    size_t begin, end, capacity;
    bool source_ended;
    struct gv_error failure; /* of the source, told once what came before it is handed out */

    enum gv_input_format format;
    int stage; /* enum in gv_inflate.c */
    uint32_t crc, length;
    bool has_more;         /* the engine may have text at hand without further input */
    uint64_t member_start; /* offset of the member at hand in the source */
    uint32_t block_size;   /* BGZF: compressed size of the member at hand; 0 where not said */
    uint8_t *block;        /* the text [block_begin, block_end) of a block that the caller had no
                              room for; NULL until needed */
    size_t block_begin, block_end;
    bool ends_with_block; /* the last whole member was a BGZF end block */
    uint64_t members;     /* whole ones so far */
    uint64_t text_bytes;  /* handed out */
};

/* The format that the first bytes of an input tell, of which there should be a few hundred: BGZF
 * shows in a whole header. */
enum gv_input_format gv_input_format_of(const uint8_t *head, size_t size);

/* Compressed bytes held at a time, and so the longest gzip header. */
#define GV_INPUT_BUFFER ((size_t)256 << 10)

/* The engine may be NULL: then a compressed input is GV_UNSUPPORTED_FORMAT. */
void gv_inflater_init(struct gv_inflater *inflater, struct gv_source *source,
                      const struct gv_inflate_engine *engine);
void gv_inflater_deinit(struct gv_inflater *inflater);

/* Hands out at most `size` (> 0) bytes of text; *got == 0 means the end, whole.  GV_INTERRUPTED:
 * nothing is lost, call again (a signal came, or much was read that held no text).  A fault is said
 * in *error: error->offset is the length of the text handed out before it, error->input_offset the
 * first byte of the source that was not taken (the header or trailer at fault, the byte after a
 * block of the wrong size). */
GV_NODISCARD enum gv_status gv_inflater_read(struct gv_inflater *inflater, uint8_t *out,
                                             size_t size, size_t *got, struct gv_error *error);

/* At the end of the input: it is BGZF and its end block is missing. */
bool gv_inflater_misses_end_block(const struct gv_inflater *inflater);

/* Whether all that was taken from the source so far has been handed out as text, so that somebody
 * else may read on at *offset of the source: anywhere in plain text, between members otherwise. */
bool gv_inflater_is_between(const struct gv_inflater *inflater, uint64_t *offset);

/* Restarts an inflater in the middle of a plain or a BGZF input, after `members` whole ones that
 * hold `text_bytes` of text; `ends_with_block`: the last of them is an end block.  Its source
 * stands at the start of a member or at the end (in plain text anywhere), source->bytes_read saying
 * where; what the inflater held of it is dropped.  Fails as the engine's open() does, and leaves
 * the inflater unchanged then. */
GV_NODISCARD enum gv_status gv_inflater_resume(struct gv_inflater *inflater, uint64_t text_bytes,
                                               uint64_t members, bool ends_with_block);

/* ---------------------------------------------------------------------------------------------
 * Single BGZF blocks, for those who share them out among threads.  Whatever is unusual about a
 * block is left to the inflater above, which says what it is.
 * ------------------------------------------------------------------------------------------ */

/* No block is longer than this, nor its text (SAM specification, 4.1). */
#define GV_BGZF_MOST ((size_t)65536)

/* The size of the BGZF block whose header begins at head[0, size), <= GV_BGZF_MOST; 0 where these
 * bytes are not a whole header, or it announces less than a block takes. */
size_t gv_bgzf_block_size(const uint8_t *head, size_t size);

/* The size of the text that the trailer of a whole block announces.  Above GV_BGZF_MOST no text
 * may be expected: gv_bgzf_inflate() refuses the block. */
size_t gv_bgzf_text_size(const uint8_t *block, size_t block_size);

/* Inflates one whole block to out[0, gv_bgzf_text_size()); its header's checksum, CRC-32 and both
 * sizes are verified.  `state` is one that engine->open() made.  GV_BAD_GZIP where anything at all
 * is odd (what `out` then holds is unspecified, within that size); else it fails as the engine
 * does. */
GV_NODISCARD enum gv_status gv_bgzf_inflate(const struct gv_inflate_engine *engine, void *state,
                                            const uint8_t *block, size_t block_size, uint8_t *out);

#endif
