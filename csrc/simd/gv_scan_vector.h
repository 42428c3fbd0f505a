/* gv_scan_vector.h: the kernels, written once over 32- or 64-byte vectors and instantiated for
 * each instruction set by the file that includes this one, after defining
 *
 *   VARIANT           prefix of the functions' names
 *   TARGET            attribute that lets the compiler use the instruction set, may be empty
 *   WIDTH             bytes in a vector, 32 or 64
 *   vector            the type
 *   LOAD(p)           WIDTH bytes from p, unaligned
 *   SPLAT(byte)       that byte everywhere
 *   TABLE(p)          the 16 bytes from p, for LOOKUP
 *   HELD(v)           v, of which the compiler does not know what it is
 *   AND(v, w)         bitwise
 *   ADD(v, w)         per byte, modulo 256
 *   SUB(v, w)         per byte, modulo 256
 *   HIGHER(v, w)      the higher of both, per byte, unsigned
 *   LOOKUP(table, v)  per byte, the table's byte of that low nibble; 0 where bit 7 is set
 *   DIFFER(d, v, w)   d, and every bit set in which v and w differ
 *   IS_BELOW(v, most) whether no byte of v exceeds that of most
 *   HAS_NONE(v, bits) whether no bit of v is set of those in bits
 *   EQUAL(v, w)       uint64_t with bit i set where byte i is equal
 *   sums              the type of running sums, in lanes of 64 bits
 *   SUMS_ZERO, ADD_BYTES(sums, v), SUMS_TOTAL(sums)   sums of bytes
 *   PLUS(s, t), SHIFT(sums, n)                        per lane; SHIFT by n bits to the left
 *   KEEP_LAST(v, n)   v with all but its last n bytes zero, 0 < n <= WIDTH
 *
 * Nothing outside [text, text + size) is read: the last stretch of a line is read by a vector that
 * ends where the text ends, with the bytes that were counted already masked away.
 *
 * HELD is for speed alone: gcc 12 makes a constant anew wherever it is used, and loads twice what
 * is used twice; 8 % of the time of records().
 */
#include "variants.h"

#define CONCAT_(a, b) a##_##b
#define CONCAT(a, b) CONCAT_(a, b)
#define KERNEL(name) CONCAT(VARIANT, name)

#define ALL_BITS (UINT64_MAX >> (64 - WIDTH))

/* Asks for the cache line 2 KiB past p, which need not be within the text, for it is no read.
 * Where the text streams from memory, as from a file that is mapped, it makes 50 ns a record 34;
 * half as far ahead 39, twice as far no better.  Cached text does not notice. */
#define AHEAD(p) __builtin_prefetch((const void *)((uintptr_t)(p) + 2048))

/* Bit i: whether the '\n' is at p[i], of 64 bytes. */
#if WIDTH == 64
#define LINE_ENDS(p) EQUAL(LOAD(p), HELD(SPLAT('\n')))
#else
#define LINE_ENDS(p) \
    (EQUAL(LOAD(p), HELD(SPLAT('\n'))) | EQUAL(LOAD((p) + WIDTH), HELD(SPLAT('\n'))) << WIDTH)
#endif

/* Known letters are told by their low nibbles, which differ: A 1, C 3, G 7, T 4, U 5.  What the
 * table gives for one, 0x40 or 0x50, agrees with the letter in all LETTER_BITS: the high nibble but
 * for the case.  0x80, for other nibbles, never agrees: no byte with bit 7 set finds it.  The bits
 * that tell C, G and T are two apart, so that three letters can be added together: C bits 0 and 1,
 * G bits 2 and 3, T or U bits 4 and 5.  A is the rest of the length, where all are known. */
#define LETTER_BITS 0xd0

/* Groups of three vectors whose counts four bits can hold, and the bytes in them. */
#define GROUPS 5
#define BLOCK (GROUPS * 3 * WIDTH)

struct letters {
    vector sum;    /* of what the table gave, three vectors at most */
    vector differ; /* a bit of LETTER_BITS is set where a letter was not known */
    sums total;    /* C from bit 20, G from bit 34, T from bit 52, as TOTAL_C, _G, _T read them */
};

/* A block has at most 960 letters: the highest are 960 * 16 in the 16 bits from bit 48, 960 * 4
 * in those from bit 32 and 960 in the 12 from bit 20, above scores of at most 960 * 255. */
#define TOTAL_SCORE(total) ((total) & 0xfffff)
#define TOTAL_C(total) ((total) >> 20 & 0xfff)
#define TOTAL_G(total) ((total) >> 34 & 0x3fff)
#define TOTAL_T(total) ((total) >> 52)

TARGET static inline void
KERNEL(add_letters)(const uint8_t *text, vector table, struct letters *letters)
{
    vector v = HELD(LOAD(text)), letter = LOOKUP(table, v);
    letters->sum = ADD(letters->sum, letter);
    letters->differ = DIFFER(letters->differ, letter, v);
    AHEAD(text);
}

/* Counts text[0, size), 0 < size <= BLOCK; WIDTH bytes before its end may be read. */
TARGET static inline struct letters
KERNEL(letters)(const uint8_t *text, size_t size)
{
    static const uint8_t known[16] = {
        0x80, 0x40, 0x80, 0x41, 0x50, 0x50, 0x80, 0x44,
        0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    };
    vector table = TABLE(known);
    size_t whole = (size - 1) / WIDTH, left = size - whole * WIDTH;
    vector v = LOAD(text + size - WIDTH);
    struct letters letters;
    letters.sum = KEEP_LAST(LOOKUP(table, v), left);
    letters.differ = DIFFER(SPLAT(0), letters.sum, KEEP_LAST(v, left));
    AHEAD(text + size - WIDTH);
    size_t some = whole % 3;
    if (some > 0) {
        KERNEL(add_letters)(text, table, &letters);
    }
    if (some > 1) {
        KERNEL(add_letters)(text + WIDTH, table, &letters);
    }
    text += some * WIDTH;
    /* Nibbles that hold C and T, and bytes that hold four times G. */
    vector c_and_t = AND(letters.sum, HELD(SPLAT(0x33)));
    vector g = AND(letters.sum, HELD(SPLAT(0x0c)));
    for (size_t groups = whole / 3; groups > 0; groups--) {
        letters.sum = SPLAT(0);
        for (size_t i = 0; i < 3; i++, text += WIDTH) {
            KERNEL(add_letters)(text, table, &letters);
        }
        c_and_t = ADD(c_and_t, AND(letters.sum, HELD(SPLAT(0x33))));
        g = ADD(g, AND(letters.sum, HELD(SPLAT(0x0c))));
    }
    sums c_lanes = ADD_BYTES(SUMS_ZERO, AND(c_and_t, HELD(SPLAT(0x0f))));
    sums g_lanes = ADD_BYTES(SUMS_ZERO, g);
    sums t_lanes = ADD_BYTES(SUMS_ZERO, AND(c_and_t, HELD(SPLAT(0xf0))));
    letters.total = PLUS(SHIFT(c_lanes, 20), PLUS(SHIFT(g_lanes, 32), SHIFT(t_lanes, 48)));
    return letters;
}

/* Adds up what letters() found in `size` bytes; false where not all were known, then nothing is
 * added.  `total` may hold scores below. */
TARGET static inline bool
KERNEL(take_letters)(const struct letters *letters, uint64_t total, size_t size,
                     struct gv_bases *bases)
{
    if (GV_UNLIKELY(!HAS_NONE(letters->differ, HELD(SPLAT(LETTER_BITS))))) {
        return false;
    }
    uint64_t c = TOTAL_C(total), g = TOTAL_G(total), t = TOTAL_T(total);
    bases->a += size - c - g - t;
    bases->c += c;
    bases->g += g;
    bases->t += t;
    return true;
}

TARGET static inline bool
KERNEL(count_known)(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    struct letters letters = KERNEL(letters)(text, size);
    return KERNEL(take_letters)(&letters, SUMS_TOTAL(letters.total), size, bases);
}

/* Adds the letters among the bytes of v whose bit in `counted` is set. */
TARGET static inline void
KERNEL(count)(vector v, uint64_t counted, struct gv_bases *bases)
{
    /* 0xdf folds the case; T and U differ in bit 0 from nothing else that is a letter's. */
    vector upper = AND(v, SPLAT(0xdf));
    vector t_or_u = AND(v, SPLAT(0xde));
    bases->a += (uint64_t)__builtin_popcountll(EQUAL(upper, SPLAT('A')) & counted);
    bases->c += (uint64_t)__builtin_popcountll(EQUAL(upper, SPLAT('C')) & counted);
    bases->g += (uint64_t)__builtin_popcountll(EQUAL(upper, SPLAT('G')) & counted);
    bases->t += (uint64_t)__builtin_popcountll(EQUAL(t_or_u, SPLAT('T')) & counted);
}

/* Adds the letters of text[0, size), known or not; up to WIDTH - 1 bytes after may be read.  Not
 * inlined: it is called from loops that have no register to spare. */
TARGET static __attribute__((noinline)) void
KERNEL(count_any)(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    size_t at = 0;
    for (; at + WIDTH <= size; at += WIDTH) {
        KERNEL(count)(LOAD(text + at), ALL_BITS, bases);
    }
    if (at < size) {
        KERNEL(count)(LOAD(text + at), (1ull << (size - at)) - 1, bases);
    }
}

/* The offset of the first '\n' in text[from, size), SIZE_MAX where no whole vector shows one. */
TARGET static inline size_t
KERNEL(line_end)(const uint8_t *text, size_t from, size_t size)
{
    for (size_t at = from; at + WIDTH <= size; at += WIDTH) {
        uint64_t found = EQUAL(LOAD(text + at), SPLAT('\n'));
        if (found != 0) {
            return at + (size_t)__builtin_ctzll(found);
        }
    }
    return SIZE_MAX;
}

struct scores {
    vector highest;
    sums total;
};

/* What the bytes of text[end - size, end) exceed `least` by, size > 0.  WIDTH bytes before `end`
 * may be read. */
TARGET static inline struct scores
KERNEL(scores)(const uint8_t *end, size_t size, uint8_t least)
{
    vector base = HELD(SPLAT(least));
    vector score = KEEP_LAST(SUB(LOAD(end - WIDTH), base), (size - 1) % WIDTH + 1);
    struct scores scores = {score, ADD_BYTES(SUMS_ZERO, score)};
    AHEAD(end - WIDTH);
    const uint8_t *p = end - size;
    /* Two scores that are not too high, of 126 at most, fit a byte together. */
    for (; p + 2 * WIDTH < end; p += 2 * WIDTH) {
        vector one = SUB(LOAD(p), base), two = SUB(LOAD(p + WIDTH), base);
        scores.highest = HIGHER(scores.highest, HIGHER(one, two));
        scores.total = ADD_BYTES(scores.total, ADD(one, two));
        AHEAD(p);
        AHEAD(p + WIDTH);
    }
    if (p + WIDTH < end) {
        score = SUB(LOAD(p), base);
        scores.highest = HIGHER(scores.highest, score);
        scores.total = ADD_BYTES(scores.total, score);
        AHEAD(p);
    }
    return scores;
}

/* Whether text[end - size, end) lies in least..most; if so, *sum is the sum of what exceeds least.
 * WIDTH bytes before `end` may be read. */
TARGET static inline bool
KERNEL(sum_line)(const uint8_t *end, size_t size, uint8_t least, uint8_t most, uint64_t *sum)
{
    struct scores scores = KERNEL(scores)(end, size, least);
    *sum = SUMS_TOTAL(scores.total);
    return IS_BELOW(scores.highest, SPLAT(most - least));
}

/* Whether all bytes of a line of sequence may stand there, as far as vectors can tell, given the
 * letters counted in it: where all are known they can. */
TARGET static inline bool
KERNEL(is_sound)(const uint8_t *line, size_t size, const struct gv_bases *counted)
{
    uint64_t ignored;
    return counted->a + counted->c + counted->g + counted->t == size ||
           (size >= WIDTH &&
            KERNEL(sum_line)(line + size, size, GV_SEQUENCE_LEAST, GV_SEQUENCE_MOST, &ignored));
}

TARGET static size_t
KERNEL(sequence)(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    struct gv_bases own = {0};
    size_t n = 0, end = SIZE_MAX;
    bool is_known = true; /* of all letters so far; once it is not, the rest is counted as any */
    while (end == SIZE_MAX && n + WIDTH <= size) {
        size_t most = size - n < BLOCK ? size - n : BLOCK;
        /* A line end is no known letter: past the first block, nearly all that follow have none
         * and need no search. */
        bool is_tried = is_known && n > 0;
        if (is_tried && KERNEL(count_known)(text + n, most, &own)) {
            n += most;
            continue;
        }
        end = KERNEL(line_end)(text, n, n + most);
        size_t last = end != SIZE_MAX ? end : n + most / WIDTH * WIDTH;
        is_known = is_known && last - n >= WIDTH && !(is_tried && last - n == most) &&
                   KERNEL(count_known)(text + n, last - n, &own);
        if (!is_known) {
            KERNEL(count_any)(text + n, last - n, &own);
        }
        n = last;
    }
    if (end == SIZE_MAX && n < size) {
        n += gv_scan_scalar_sequence(text + n, size - n, &own);
    }
    if (GV_UNLIKELY(!KERNEL(is_sound)(text, n, &own))) {
        /* Those that the scalar kernel found above are among them. */
        struct gv_bases exact = {0};
        (void)gv_scan_scalar_sequence(text, n, &exact);
        own.bad = exact.bad;
    }
    bases->a += own.a;
    bases->c += own.c;
    bases->g += own.g;
    bases->t += own.t;
    bases->bad += own.bad;
    return n;
}

TARGET static void
KERNEL(quality)(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *qualities)
{
    uint64_t sum;
    if (size < WIDTH || !KERNEL(sum_line)(text + size, size, zero, GV_PHRED_MOST, &sum)) {
        gv_scan_scalar_quality(text, size, zero, qualities);
        return;
    }
    qualities->sum += sum + (uint64_t)zero * size;
}

/* Where the sequence begins of the record at `at`; SIZE_MAX where that cannot be told. */
TARGET static inline size_t
KERNEL(sequence_start)(const uint8_t *text, size_t at, size_t size)
{
    if (at + 1 + 64 > size || text[at] != '@') {
        return SIZE_MAX;
    }
    AHEAD(text + at);
    uint64_t found = LINE_ENDS(text + at + 1);
    size_t start = at + 2;
    if (GV_LIKELY(found != 0)) {
        start += (size_t)__builtin_ctzll(found);
    } else {
        size_t name_end = KERNEL(line_end)(text, at + 1 + 64, size);
        if (name_end == SIZE_MAX) {
            return SIZE_MAX;
        }
        start = name_end + 1;
    }
    return text[start - 2] == '\r' ? SIZE_MAX : start;
}

struct record {
    size_t sequence, length;
    struct gv_bases bases;
    uint64_t phred_sum;
};

/* Reads the record at `at`; false where it is not plain or that cannot be told. */
TARGET static bool
KERNEL(record)(const uint8_t *text, size_t at, size_t size, uint8_t zero, struct record *record)
{
    size_t sequence = KERNEL(sequence_start)(text, at, size);
    if (sequence == SIZE_MAX) {
        return false;
    }
    *record = (struct record){.sequence = sequence};
    size_t length = KERNEL(sequence)(text + sequence, size - sequence, &record->bases);
    size_t end = sequence + length;
    record->length = length;
    if (length == 0 || length > UINT32_MAX || record->bases.bad > 0 || end + length + 3 >= size ||
        end < WIDTH) {
        return false;
    }
    const uint8_t *separator = text + end + 1, *quality_end = separator + 2 + length;
    return separator[0] == '+' && separator[1] == '\n' && *quality_end == '\n' &&
           KERNEL(sum_line)(quality_end, length, zero, GV_PHRED_MOST, &record->phred_sum);
}

/* How far records() has come. */
struct place {
    size_t at, row;
};

/* Reads records as long as they have `length` bases, 0 < length <= BLOCK, into rows below
 * `row_end`; stops before the first that is another or is not plain.  WIDTH bytes lie before the
 * first line end to be.
 *
 * A line end where it would be if the sequence were that long, and no other before, as all letters
 * are known or at least all bytes sound, proves the length: no search for the sequence's end
 * delays the next record.  The next header's end is looked for before the lines of this record are
 * measured, for what depends on it is all that follows: it must not queue behind them. */
TARGET static __attribute__((noinline)) struct place
KERNEL(records_alike)(const uint8_t *text, struct place place, size_t size, uint8_t zero,
                      size_t most_bytes, size_t length, struct gv_scanned *rows, size_t row_end)
{
    vector range = SPLAT(GV_PHRED_MOST - zero);
    size_t sequence = KERNEL(sequence_start)(text, place.at, size);
    while (place.row < row_end && sequence != SIZE_MAX) {
        size_t next = sequence + 2 * length + 4;
        if (next + WIDTH > size || next - place.at > most_bytes) {
            break;
        }
        size_t next_sequence = KERNEL(sequence_start)(text, next, size);
        const uint8_t *sequence_end = text + sequence + length, *quality_end = text + next - 1;
        if (sequence_end[0] != '\n' || sequence_end[1] != '+' || sequence_end[2] != '\n' ||
            *quality_end != '\n') {
            break;
        }
        struct letters letters = KERNEL(letters)(text + sequence, length);
        struct scores scores = KERNEL(scores)(quality_end, length, zero);
        if (!IS_BELOW(scores.highest, range)) {
            break;
        }
        uint64_t total = SUMS_TOTAL(PLUS(letters.total, scores.total));
        struct gv_bases bases = {0};
        if (!KERNEL(take_letters)(&letters, total, length, &bases)) {
            struct gv_bases any = {0};
            KERNEL(count_any)(text + sequence, length, &any);
            if (!KERNEL(is_sound)(text + sequence, length, &any)) {
                break;
            }
            bases = any;
        }
        gv_scan_put_row(rows, place.row, place.at, sequence, length, &bases, TOTAL_SCORE(total));
        place.at = next;
        place.row++;
        sequence = next_sequence;
    }
    return place;
}

TARGET static size_t
KERNEL(records)(const uint8_t *text, size_t from, size_t size, uint8_t zero, size_t most_bytes,
                struct gv_scanned *rows, size_t first, size_t most, size_t *end)
{
    struct place place = {from, first};
    size_t last = 0;
    struct record record;
    while (place.row < first + most && KERNEL(record)(text, place.at, size, zero, &record)) {
        size_t length = record.length, next = record.sequence + 2 * length + 4;
        if (next - place.at > most_bytes) {
            break;
        }
        gv_scan_put_row(rows, place.row++, place.at, record.sequence, length, &record.bases,
                        record.phred_sum);
        place.at = next;
        if (length == last && length <= BLOCK) {
            place = KERNEL(records_alike)(text, place, size, zero, most_bytes, length, rows,
                                          first + most);
        }
        last = length;
    }
    *end = place.at;
    return place.row - first;
}
