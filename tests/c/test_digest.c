/* Digests: what must be equal is, what must differ does, and no byte outside is read. */
#define _GNU_SOURCE
#include "check.h"
#include "guard.h"
#include "gv.h"

static uint64_t
digest_text(const char *text)
{
    const int64_t offsets[2] = {0, (int64_t)strlen(text)};
    uint64_t out = 0;
    gv_digest_texts(offsets, (const uint8_t *)text, 1, &out);
    return out;
}

static uint64_t
digest_prefix(const char *text, size_t most)
{
    const int64_t offsets[2] = {0, (int64_t)strlen(text)};
    uint64_t out = 1;
    gv_digest_prefixes(offsets, (const uint8_t *)text, 1, most, &out);
    return out;
}

static void
test_texts(void)
{
    CHECK_U(digest_text("barcode01"), digest_text("barcode01"));
    CHECK(digest_text("barcode01") != digest_text("barcode02"));
    CHECK(digest_text("barcode01") != digest_text("Barcode01"));
    CHECK(digest_text("barcode0") != digest_text("barcode01"));
    CHECK(digest_text("") != digest_text("a"));
    CHECK(digest_text("aaaaaaaa") != digest_text("aaaaaaaaa"));
    const int64_t offsets[] = {0, 1, 3, 3, 11, 20};
    uint64_t out[5];
    gv_digest_texts(offsets, (const uint8_t *)"aa\0aaaaaaaaaaaaaaaa\0", 5, out);
    CHECK(out[0] != out[1]); /* a zero byte at the end counts */
    CHECK(out[3] != out[4]);
}

static void
test_prefixes(void)
{
    CHECK_U(digest_prefix("ACGTACGTAC", 8), digest_prefix("ACGTACGTGG", 8));
    CHECK(digest_prefix("ACGTACGTAC", 9) != digest_prefix("ACGTACGTGG", 9));
    CHECK_U(digest_prefix("acgtACgtn", 50), digest_prefix("ACGTACGTN", 50));
    /* Shorter than the prefix: equal to its like alone. */
    CHECK_U(digest_prefix("ACGTA", 8), digest_prefix("ACGTA", 100));
    CHECK(digest_prefix("ACGTA", 8) != digest_prefix("ACGTAC", 8));
    CHECK(digest_prefix("ACGTA", 8) != 0);
    static const char *const one_letter[] = {"", "G", "GGGG", "gGGGgggG", "NNNNNNNNN"};
    for (size_t i = 0; i < sizeof one_letter / sizeof *one_letter; i++) {
        check_case("%s", one_letter[i]);
        CHECK_U(digest_prefix(one_letter[i], 50), 0);
    }
    check_case("%s", "");
    CHECK_U(digest_prefix("GGGGGGGGGGA", 10), 0);
    CHECK(digest_prefix("GGGGGGGGGGA", 11) != 0);
    CHECK(digest_prefix("AGGGGGGG", 8) != 0);
    CHECK(digest_prefix("GGGGGGGA", 8) != 0);
    CHECK_U(digest_prefix("ACGT", 0), 0);
}

/* Two texts that differ in one place, whichever, have digests that differ in about half the bits.
 */
static void
test_each_byte_counts(void)
{
    uint64_t state = 7, bits = 0, pairs = 0;
    for (size_t n = 1; n <= 60; n++) {
        uint8_t text[60];
        for (size_t i = 0; i < n; i++) {
            text[i] = "ACGT"[check_below(&state, 4)];
        }
        const int64_t offsets[2] = {0, (int64_t)n};
        for (size_t i = 0; i < n; i++) {
            uint64_t before, after;
            gv_digest_texts(offsets, text, 1, &before);
            uint8_t kept = text[i];
            text[i] = kept == 'A' ? 'C' : 'A';
            gv_digest_texts(offsets, text, 1, &after);
            text[i] = kept;
            CHECK(before != after);
            bits += (uint64_t)__builtin_popcountll(before ^ after);
            pairs++;
        }
    }
    CHECK(bits > 31 * pairs && bits < 33 * pairs);
}

/* A row's digest depends on its own bytes alone, and the last one is read to its end and no more.
 */
static void
test_rows(void)
{
    static const char text[] = "ACGTACGTNACGTACGTN";
    size_t size = sizeof text - 1;
    struct guard guard = guard_new(size);
    uint8_t *at = guard.end - size;
    memcpy(at, text, size);
    const int64_t offsets[] = {0, 9, 9, 18};
    uint64_t out[4] = {0, 1, 2, 99};
    gv_digest_texts(offsets, at, 3, out);
    CHECK_U(out[0], out[2]);
    CHECK(out[0] != out[1]);
    gv_digest_prefixes(offsets, at, 3, 9, out);
    CHECK_U(out[0], out[2]);
    CHECK_U(out[1], 0);
    CHECK_U(out[3], 99);
    guard_free(&guard);
}

int
main(void)
{
    test_texts();
    test_prefixes();
    test_each_byte_counts();
    test_rows();
    return check_result();
}
