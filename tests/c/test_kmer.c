#include "check.h"
#include "gv.h"

static uint32_t counts[GV_KMER_CODES];

/* Counts a sequence that stands alone in its buffer; how many tetranucleotides it has. */
static uint32_t
count(const char *sequence)
{
    size_t length = strlen(sequence);
    uint8_t *buffer = malloc(length > 0 ? length : 1);
    REQUIRE(buffer != NULL);
    memcpy(buffer, sequence, length);
    memset(counts, 0, sizeof counts);
    check_case("%s", sequence);
    gv_kmer_count(buffer, length, counts);
    free(buffer);
    uint32_t sum = 0;
    for (size_t i = 0; i < GV_KMER_CODES; i++) {
        sum += counts[i];
    }
    return sum;
}

static void
test_codes(void)
{
    CHECK_U(count("ACGT"), 1);
    CHECK_U(counts[27], 1); /* 0b00011011, as in the header */
    CHECK_U(count("AAAA"), 1);
    CHECK_U(counts[0], 1);
    CHECK_U(count("TTTT"), 1);
    CHECK_U(counts[255], 1);
    CHECK_U(count("uUuU"), 1);
    CHECK_U(counts[255], 1);
    CHECK_U(count("acgtG"), 2);
    CHECK_U(counts[27], 1);
    CHECK_U(counts[0x6e], 1); /* CGTG: 01 10 11 10 */
}

static void
test_what_breaks_them(void)
{
    static const char *const none[] = {"", "A", "ACG", "ACGNACG", "NNNNNNNN", "AC-GT", "ACG\x01T"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        CHECK_U(count(none[i]), 0);
    }
    CHECK_U(count("AAANAAAA-TTTT"), 2);
    CHECK_U(counts[0], 1);
    CHECK_U(counts[255], 1);
    /* Bytes whose last five bits are those of a letter are none. */
    for (int byte = 0; byte < 256; byte++) {
        uint8_t sequence[4] = {'A', 'A', 'A', (uint8_t)byte};
        memset(counts, 0, sizeof counts);
        check_case("byte %d", byte);
        gv_kmer_count(sequence, 4, counts);
        bool is_known = byte != 0 && strchr("AaCcGgTtUu", byte) != NULL;
        CHECK_U(counts[0] + counts[1] + counts[2] + counts[3], is_known);
    }
}

static void
test_adding_counts(void)
{
    (void)count("AAAAA");
    gv_kmer_count((const uint8_t *)"AAAA", 4, counts);
    CHECK_U(counts[0], 3);
}

/* Against four bases looked up anew at each place. */
static void
test_random_sequences(void)
{
    static const char letters[] = "ACGTacgtUuNn";
    uint64_t seed = 3;
    for (int round = 0; round < 300; round++) {
        char sequence[64];
        uint32_t wanted[GV_KMER_CODES] = {0}, sum = 0;
        size_t length = check_below(&seed, sizeof sequence);
        for (size_t i = 0; i < length; i++) {
            sequence[i] = letters[check_below(&seed, sizeof letters - 1)];
        }
        sequence[length] = '\0';
        for (size_t i = 0; i + 4 <= length; i++) {
            unsigned code = 0;
            bool is_known = true;
            for (size_t k = i; k < i + 4; k++) {
                const char *at = strchr("AaCcGgTtUu", sequence[k]);
                is_known &= at != NULL;
                size_t base = at != NULL ? (size_t)(at - "AaCcGgTtUu") / 2 : 0;
                code = 4 * code + (unsigned)gv_min_size(base, 3);
            }
            wanted[code] += is_known;
            sum += is_known;
        }
        CHECK_U(count(sequence), sum);
        CHECK_BYTES(counts, wanted, sizeof counts);
    }
}

int
main(void)
{
    test_codes();
    test_what_breaks_them();
    test_adding_counts();
    test_random_sequences();
    return check_result();
}
