#define _GNU_SOURCE
#include "check.h"
#include "guard.h"
#include "gv.h"

#include <math.h>
#include <stdio.h>

#define LONGEST 300
#define ALIGNMENTS 64

static struct guard page;
static double table[94];

/* What the kernels must say, counted from the words of the header. */

static size_t
naive_sequence(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    size_t n = 0;
    for (; n < size && text[n] != '\n'; n++) {
        switch (text[n]) {
        case 'A':
        case 'a':
            bases->a++;
            break;
        case 'C':
        case 'c':
            bases->c++;
            break;
        case 'G':
        case 'g':
            bases->g++;
            break;
        case 'T':
        case 't':
        case 'U':
        case 'u':
            bases->t++;
            break;
        default:
            bases->bad += text[n] <= ' ' || text[n] >= 0x7f;
        }
    }
    return n;
}

static void
naive_quality(const uint8_t *text, size_t size, uint8_t zero, struct gv_qualities *out)
{
    for (size_t i = 0; i < size; i++) {
        out->sum += text[i];
        out->bad += text[i] < zero || text[i] > '~';
    }
}

static double
naive_error(const uint8_t *text, size_t size, uint8_t zero)
{
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum = sum + table[text[i] - zero];
    }
    return sum;
}

static void
check_sequence(const struct gv_scan_ops *ops, const uint8_t *text, size_t size)
{
    struct gv_bases got = {1000, 2000, 3000, 4000, 5000}, wanted = got;
    size_t n = ops->sequence(text, size, &got);
    CHECK_U(n, naive_sequence(text, size, &wanted));
    CHECK_U(got.a, wanted.a);
    CHECK_U(got.c, wanted.c);
    CHECK_U(got.g, wanted.g);
    CHECK_U(got.t, wanted.t);
    CHECK_U(got.bad, wanted.bad);
}

static void
check_quality(const struct gv_scan_ops *ops, const uint8_t *text, size_t size, uint8_t zero)
{
    struct gv_qualities got = {1000, 2000}, wanted = got;
    ops->quality(text, size, zero, &got);
    naive_quality(text, size, zero, &wanted);
    CHECK_U(got.sum, wanted.sum);
    CHECK_U(got.bad, wanted.bad);
    if (wanted.bad == 2000) {
        CHECK_F(ops->error(text, size, zero, table), naive_error(text, size, zero));
    }
}

static void
test_every_byte(const struct gv_scan_ops *ops)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        check_case("%s, byte 0x%02x", ops->name, byte);
        for (size_t at = 0; at < 70; at++) {
            uint8_t *text = page.end - 70;
            memset(text, 'N', 70);
            text[at] = (uint8_t)byte;
            check_sequence(ops, text, 70);
            check_quality(ops, text, 70, GV_PHRED33_ZERO);
            check_quality(ops, text, 70, GV_PHRED64_ZERO);
        }
        /* More of one kind than are counted at once. */
        memset(page.end - 3000, (int)byte, 3000);
        check_sequence(ops, page.end - 3000, 3000);
        check_quality(ops, page.end - 3000, 3000, GV_PHRED33_ZERO);
        check_sequence(ops, page.end - 300, 300);
        check_quality(ops, page.end - 300, 300, GV_PHRED33_ZERO);
        check_quality(ops, page.end - 300, 300, GV_PHRED64_ZERO);
    }
}

/* Puts known letters of every kind there. */
static void
write_letters(uint8_t *text, size_t size, uint64_t *random)
{
    for (size_t i = 0; i < size; i++) {
        text[i] = (uint8_t)"ACGTUacgtu"[check_random(random) % 10];
    }
}

/* One byte of any value among letters that are all known: those that share a nibble with a letter,
 * or differ from one in bit 5 or 7 alone, are no letters.  Lines of several vectors with and
 * without a rest, and of more than the 480 or 960 bytes that are counted at once. */
static void
test_one_among_letters(const struct gv_scan_ops *ops)
{
    static const size_t sizes[] = {40, 64, 65, 96, 150, 192, 481, 960, 961, 2500};
    uint64_t random = 3;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t size = sizes[s];
        uint8_t *text = page.end - size;
        write_letters(text, size, &random);
        check_case("%s, size %zu", ops->name, size);
        check_sequence(ops, text, size);
        for (size_t at = 0; at < size; at++) {
            uint8_t letter = text[at];
            unsigned step = size < 200 ? 1 : 61;
            for (unsigned byte = check_random(&random) % step; byte < 256; byte += step) {
                text[at] = (uint8_t)byte;
                check_sequence(ops, text, size);
            }
            text[at] = letter;
        }
    }
}

/* Every length at every alignment, once before the page that cannot be read and once after it;
 * the bytes around the text are ones that would be counted if they were read. */
static void
test_every_length(const struct gv_scan_ops *ops)
{
    static const char letters[] = "ACGTUacgtuNnRY@+!~.-";
    uint64_t seed = 1;
    for (size_t size = 0; size <= LONGEST; size++) {
        check_case("%s, size %zu", ops->name, size);
        for (size_t shift = 0; shift < ALIGNMENTS; shift++) {
            memset(page.end - LONGEST - ALIGNMENTS, 'G', LONGEST + ALIGNMENTS);
            uint8_t *text = page.end - shift - size;
            for (size_t i = 0; i < size; i++) {
                text[i] = (uint8_t)letters[check_below(&seed, sizeof letters - 1)];
            }
            check_sequence(ops, text, size);
            check_quality(ops, text, size, GV_PHRED33_ZERO);
            if (size > 0) {
                text[check_below(&seed, size)] = '\n';
                check_sequence(ops, text, size);
                check_quality(ops, text, size, GV_PHRED33_ZERO);
                text[check_below(&seed, size)] = (uint8_t)check_random(&seed);
                check_sequence(ops, text, size);
                check_quality(ops, text, size, GV_PHRED64_ZERO);
            }
        }
        memset(page.base, 'G', size);
        check_sequence(ops, page.base, size);
        check_quality(ops, page.base, size, GV_PHRED33_ZERO);
        memset(page.base, 'N', size);
        check_sequence(ops, page.base, size);
    }
}

static void
test_random_bytes(const struct gv_scan_ops *ops)
{
    uint64_t seed = 2;
    for (int round = 0; round < 300; round++) {
        check_case("%s, round %d", ops->name, round);
        size_t size = check_below(&seed, 3000);
        uint8_t *text = page.end - size;
        for (size_t i = 0; i < size; i++) {
            text[i] = (uint8_t)(round % 2 == 0 ? check_random(&seed) : 33 + check_below(&seed, 94));
        }
        check_sequence(ops, text, size);
        check_quality(ops, text, size, GV_PHRED33_ZERO);
        check_quality(ops, text, size, GV_PHRED64_ZERO);
    }
}

/* Sums that leave 8, 16 and 32 bits. */
static void
test_large_sums(const struct gv_scan_ops *ops)
{
    size_t size = (size_t)40 << 20;
    uint8_t *text = malloc(size);
    REQUIRE(text != NULL);
    memset(text, '~', size);
    struct gv_qualities qualities = {0};
    ops->quality(text, size, GV_PHRED33_ZERO, &qualities);
    CHECK_U(qualities.sum, (uint64_t)size * '~');
    CHECK_U(qualities.bad, 0);
    memset(text, 'g', size);
    struct gv_bases bases = {0};
    CHECK_U(ops->sequence(text, size, &bases), size);
    CHECK_U(bases.g, size);
    CHECK_U(bases.a + bases.c + bases.t + bases.bad, 0);
    free(text);
}

static void
test_table(void)
{
    for (int q = 0; q < 94; q++) {
        CHECK_F(table[q], pow(10.0, -q / 10.0));
    }
    CHECK_F(table[0], 1.0);
    CHECK(fabs(table[30] - 1e-3) < 1e-15);
}

static void
test_variants(void)
{
    const struct gv_scan_ops *const *variants = gv_scan_variants();
    size_t n = 0;
    for (; variants[n] != NULL; n++) {
        CHECK((gv_scan_find(variants[n]->name) == variants[n]) == variants[n]->is_supported());
    }
    REQUIRE(n > 0);
    CHECK_STRING(variants[n - 1]->name, "scalar");
    CHECK(gv_scan_find(NULL) != NULL);
    CHECK(gv_scan_find("no such") == NULL);
    CHECK(gv_scan_find("") == NULL);
}

/* Writes records to text[0, most) and returns their size.  `odd` of them, one in so many, are not
 * plain: a byte that is not sound, a CRLF, a repeated header, an empty line. */
static size_t
write_records(uint8_t *text, size_t most, uint64_t odd, uint64_t *random)
{
    size_t size = 0;
    size_t length = 1 + check_random(random) % 200;
    for (;;) {
        uint64_t draw = check_random(random);
        if (draw % 4 == 0) { /* otherwise as long as the one before */
            length = 1 + (draw >> 8) % 200;
        }
        if (size + 2 * length + 40 > most) {
            return size;
        }
        size_t at = size;
        at += (size_t)sprintf((char *)text + at, "@r%u\n", (unsigned)(draw >> 40));
        for (size_t i = 0; i < length; i++) {
            text[at++] = (uint8_t)"ACGTacgtUuN"[check_random(random) % (draw % 3 ? 4 : 11)];
        }
        at += (size_t)sprintf((char *)text + at, "\n+\n");
        for (size_t i = 0; i < length; i++) {
            text[at++] = (uint8_t)(33 + check_random(random) % 94);
        }
        text[at++] = '\n';
        if (odd > 0 && draw % odd == 0) {
            static const uint8_t bytes[] = {0, '\n', '\r', ' ', '@', '+', 0x7f, 0x80, 0xff};
            text[size + (draw >> 16) % (at - size)] = bytes[(draw >> 32) % sizeof bytes];
        }
        size = at;
    }
}

/* records() gives what the scalar variant gives, up to where the end of the text is too near, and
 * stops where it does. */
static void
check_records(const struct gv_scan_ops *ops, const uint8_t *text, size_t from, size_t size,
              uint8_t zero, size_t most_bytes, size_t most)
{
    static struct gv_scanned wanted, found;
    size_t wanted_used, used, first = GV_BLOCK_ROWS - most;
    size_t n = gv_scan_find("scalar")->records(text, from, size, zero, most_bytes, &wanted, 0, most,
                                               &wanted_used);
    memset(&found, 0xee, sizeof found);
    size_t m = ops->records(text, from, size, zero, most_bytes, &found, first, most, &used);
    CHECK(m <= n);
    /* What 64-byte vectors may leave: the ends of the text. */
    CHECK(m == n || size - wanted.start[m] < 640 || wanted.start[m] < 64);
    CHECK_U(used, m < n ? wanted.start[m] : wanted_used);
    for (size_t i = 0; i < m; i++) {
        CHECK_U(found.start[first + i], wanted.start[i]);
        CHECK_U(found.sequence[first + i], wanted.sequence[i]);
        CHECK_U(found.length[first + i], wanted.length[i]);
        CHECK_U(found.phred_sum[first + i], wanted.phred_sum[i]);
        CHECK_U(found.a[first + i], wanted.a[i]);
        CHECK_U(found.c[first + i], wanted.c[i]);
        CHECK_U(found.g[first + i], wanted.g[i]);
        CHECK_U(found.t[first + i], wanted.t[i]);
    }
}

/* The text ends where nothing can be read. */
static void
test_records(const struct gv_scan_ops *ops)
{
    struct guard room = guard_new(16384);
    uint64_t random = 11;
    for (int round = 0; round < 4000; round++) {
        uint8_t text[12000];
        size_t size = write_records(text, 200 + check_random(&random) % 11000,
                                    round % 3 == 0 ? 0 : 5, &random);
        size_t most_bytes = round % 7 == 0 ? 300 : SIZE_MAX;
        uint8_t zero = round % 5 == 0 ? 40 : 33;
        uint8_t *begin = room.end - size;
        memcpy(begin, text, size);
        const uint8_t *second = size > 1 ? memchr(begin + 1, '@', size - 1) : NULL;
        size_t from = round % 2 || second == NULL ? 0 : (size_t)(second - begin);
        check_case("%s, round %d", ops->name, round);
        check_records(ops, begin, from, size, zero, most_bytes,
                      1 + check_random(&random) % GV_BLOCK_ROWS);
    }
    guard_free(&room);
}

/* Records of one length, as a sequencer writes them, of known letters alone but for one byte in
 * the fifth of six: each place and each kind of byte. */
static void
test_records_alike(const struct gv_scan_ops *ops)
{
    static const size_t lengths[] = {1, 31, 32, 33, 64, 97, 150, 192, 193, 480, 481, 960, 961};
    static const uint8_t bytes[] = "\n\r @+ANaunQD!~\x01\x14\x7f\x80\xc1\xd4\xff";
    struct guard room = guard_new(16384);
    uint64_t random = 12;
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        size_t length = lengths[l], size = 0, fifth = 0;
        uint8_t text[6 * 2048];
        for (int i = 0; i < 6; i++) {
            fifth = i == 4 ? size : fifth;
            size += (size_t)sprintf((char *)text + size, "@%0*u\n",
                                    (int)(1 + check_random(&random) % 140), i);
            write_letters(text + size, length, &random);
            size += length;
            size += (size_t)sprintf((char *)text + size, "\n+\n");
            for (size_t j = 0; j < length; j++) {
                text[size++] = (uint8_t)(33 + check_random(&random) % 94);
            }
            text[size++] = '\n';
        }
        uint8_t *begin = room.end - size;
        memcpy(begin, text, size);
        check_case("%s, length %zu", ops->name, length);
        check_records(ops, begin, 0, size, GV_PHRED33_ZERO, SIZE_MAX, 6);
        memcpy(room.base, text, size); /* nor can the byte before be read */
        check_records(ops, room.base, 0, size, GV_PHRED33_ZERO, SIZE_MAX, 6);
        size_t step = length < 200 ? 1 : 1 + check_random(&random) % 40;
        for (size_t at = fifth; at < size; at += step) {
            uint8_t byte = begin[at];
            for (size_t i = 0; i < sizeof bytes; i++) {
                begin[at] = bytes[i];
                check_records(ops, begin, 0, size, GV_PHRED33_ZERO, SIZE_MAX, 6);
            }
            begin[at] = byte;
        }
    }
    guard_free(&room);
}

int
main(void)
{
    page = guard_new(4096);
    gv_scan_error_table(table);
    test_variants();
    test_table();
    for (const struct gv_scan_ops *const *ops = gv_scan_variants(); *ops != NULL; ops++) {
        if (!(*ops)->is_supported()) {
            continue;
        }
        test_every_byte(*ops);
        test_one_among_letters(*ops);
        test_every_length(*ops);
        test_random_bytes(*ops);
        test_large_sums(*ops);
        test_records(*ops);
        test_records_alike(*ops);
    }
    guard_free(&page);
    return check_result();
}
