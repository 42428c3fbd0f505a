/* gv_scan_vector.h: the kernels, written once over 32- or 64-byte vectors and instantiated for
 * each instruction set by the file that includes this one, after defining
 *
 *   VARIANT           prefix of the functions' names
 *   TARGET            attribute that lets the compiler use the instruction set, may be empty
 *   WIDTH             bytes in a vector, 32 or 64
 *   vector            the type
 *   LOAD(p)           WIDTH bytes from p, unaligned
 *   SPLAT(byte)       that byte everywhere
 *   AND(v, w)         bitwise
 *   SUB(v, w)         per byte, modulo 256
 *   HIGHER(v, w)      the higher of both, per byte, unsigned
 *   IS_BELOW(v, most) whether no byte of v exceeds that of most
 *   EQUAL(v, w)       uint64_t with bit i set where byte i is equal
 *   sums              the type of running sums
 *   SUMS_ZERO, ADD_BYTES(sums, v), SUMS_TOTAL(sums)   sums of bytes
 *   KEEP_LAST(v, n)   v with all but its last n bytes zero, 0 < n <= WIDTH
 *
 * Nothing outside [text, text + size) is read: the last stretch of a line is read by a vector that
 * ends where the text ends, with the bytes that were counted already masked away.
 */
#include "variants.h"

#define CONCAT_(a, b) a##_##b
#define CONCAT(a, b) CONCAT_(a, b)
#define KERNEL(name) CONCAT(VARIANT, name)

#define ALL_BITS (UINT64_MAX >> (64 - WIDTH))

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

TARGET static size_t
KERNEL(sequence)(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    struct gv_bases own = {0};
    size_t n = 0;
    uint64_t line_end = 0;
    while (n + WIDTH <= size) {
        vector v = LOAD(text + n);
        line_end = EQUAL(v, SPLAT('\n'));
        if (line_end != 0) {
            size_t length = (size_t)__builtin_ctzll(line_end);
            KERNEL(count)(v, (1ull << length) - 1, &own);
            n += length;
            break;
        }
        KERNEL(count)(v, ALL_BITS, &own);
        n += WIDTH;
    }
    if (line_end == 0 && n < size) {
        n += gv_scan_scalar_sequence(text + n, size - n, &own);
    }
    gv_scan_add_line(text, n, &own, bases);
    return n;
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

/* The same for a line of sequence, whose letters are counted on the way. */
TARGET static inline size_t
KERNEL(count_line)(const uint8_t *text, size_t from, size_t size, struct gv_bases *bases)
{
    for (size_t at = from; at + WIDTH <= size; at += WIDTH) {
        vector v = LOAD(text + at);
        uint64_t found = EQUAL(v, SPLAT('\n'));
        if (found != 0) {
            /* All bits below the line end: found ^ (found - 1) has them and the line end's. */
            KERNEL(count)(v, (found ^ (found - 1)) >> 1, bases);
            return at + (size_t)__builtin_ctzll(found);
        }
        KERNEL(count)(v, ALL_BITS, bases);
    }
    return SIZE_MAX;
}

/* Whether text[end - size, end) lies in least..most; sums what exceeds least.  WIDTH bytes before
 * `end` may be read. */
TARGET static inline bool
KERNEL(sum_line)(const uint8_t *end, size_t size, uint8_t least, uint8_t most, uint64_t *sum)
{
    vector base = SPLAT(least), range = SPLAT(most - least), highest = SPLAT(0);
    sums total = SUMS_ZERO;
    const uint8_t *p = end - size;
    for (; p + WIDTH <= end; p += WIDTH) {
        vector score = SUB(LOAD(p), base);
        highest = HIGHER(highest, score);
        total = ADD_BYTES(total, score);
    }
    if (p < end) {
        vector score = KEEP_LAST(SUB(LOAD(end - WIDTH), base), (size_t)(end - p));
        highest = HIGHER(highest, score);
        total = ADD_BYTES(total, score);
    }
    *sum = SUMS_TOTAL(total);
    return IS_BELOW(highest, range);
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

/* Counts the letters of text[0, size), up to WIDTH - 1 bytes after which may be read. */
TARGET static inline void
KERNEL(count_bytes)(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    size_t at = 0;
    for (; at + WIDTH <= size; at += WIDTH) {
        KERNEL(count)(LOAD(text + at), ALL_BITS, bases);
    }
    if (at < size) {
        KERNEL(count)(LOAD(text + at), (1ull << (size - at)) - 1, bases);
    }
}

/* Finds where the sequence that begins at `from` ends, counting its letters; SIZE_MAX where that
 * cannot be told.  `guess` is the length it would have if it were like those before it: taken as
 * true as soon as a line end stands there, it frees the processor from waiting for the search
 * before it goes on to the next record.  All letters known, or at least all bytes sound, is what
 * proves it: then no line end stands before.  *is_sound: every byte may stand in a sequence. */
TARGET static inline size_t
KERNEL(sequence_end)(const uint8_t *text, size_t from, size_t size, size_t guess,
                     struct gv_bases *bases, bool *is_sound)
{
    uint64_t ignored;
    if (guess > 0 && size - from > guess + WIDTH && from >= WIDTH && text[from + guess] == '\n') {
        KERNEL(count_bytes)(text + from, guess, bases);
        *is_sound = bases->a + bases->c + bases->g + bases->t == guess ||
                    KERNEL(sum_line)(text + from + guess, guess, GV_SEQUENCE_LEAST,
                                     GV_SEQUENCE_MOST, &ignored);
        if (GV_LIKELY(*is_sound)) {
            return from + guess;
        }
        *bases = (struct gv_bases){0};
    }
    size_t end = KERNEL(count_line)(text, from, size, bases);
    if (end != SIZE_MAX) {
        *is_sound = bases->a + bases->c + bases->g + bases->t == end - from ||
                    (end >= WIDTH && KERNEL(sum_line)(text + end, end - from, GV_SEQUENCE_LEAST,
                                                      GV_SEQUENCE_MOST, &ignored));
    }
    return end;
}

TARGET static size_t
KERNEL(records)(const uint8_t *text, size_t from, size_t size, uint8_t zero, size_t most_bytes,
                struct gv_scanned *rows, size_t first, size_t most, size_t *end)
{
    size_t at = from, row = first, last = 0, guess = 0;
    for (; row < first + most && at < size && text[at] == '@'; row++) {
        struct gv_bases bases = {0};
        bool is_sound = false;
        size_t name_end = KERNEL(line_end)(text, at + 1, size);
        if (name_end == SIZE_MAX || text[name_end - 1] == '\r') {
            break;
        }
        size_t sequence = name_end + 1;
        size_t sequence_end = KERNEL(sequence_end)(text, sequence, size, guess, &bases, &is_sound);
        size_t length = sequence_end - sequence;
        /* SIZE_MAX fails the first test; past it, every sum below is at most 2 * size + 3. */
        if (sequence_end >= size || !is_sound || length == 0 || length > UINT32_MAX ||
            sequence_end + length + 3 >= size || sequence_end < WIDTH) {
            break;
        }
        const uint8_t *separator = text + sequence_end + 1;
        const uint8_t *quality_end = separator + 2 + length;
        uint64_t sum;
        if (separator[0] != '+' || separator[1] != '\n' || *quality_end != '\n' ||
            !KERNEL(sum_line)(quality_end, length, zero, GV_PHRED_MOST, &sum)) {
            break;
        }
        size_t next = (size_t)(quality_end + 1 - text);
        if (next - at > most_bytes) {
            break;
        }
        gv_scan_put_row(rows, row, at, sequence, length, &bases, sum);
        at = next;
        guess = length == last ? length : 0;
        last = length;
    }
    *end = at;
    return row - first;
}
