/* The scalar kernels: the specification that every other variant is tested against. */
#include "gv_cpu.h"
#include "variants.h"

/* The class of a byte in a sequence.  Known letters have a class each, so that counting is one
 * table look-up and one addition; N is any letter that is taken but not known (N itself, IUPAC
 * codes and everything else printable), _ a byte that no sequence holds. */
enum { _, N, A, C, G, T, CLASSES };

/* clang-format off */
static const uint8_t class_of[256] = {
    _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, /* 0x00 */
    _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, /* 0x10 */
    _, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, /* 0x20 */
    N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, N, /* 0x30 */
    N, A, N, C, N, N, N, G, N, N, N, N, N, N, N, N, /* 0x40 */
    N, N, N, N, T, T, N, N, N, N, N, N, N, N, N, N, /* 0x50 */
    N, A, N, C, N, N, N, G, N, N, N, N, N, N, N, N, /* 0x60 */
    N, N, N, N, T, T, N, N, N, N, N, N, N, N, N, _, /* 0x70 */
    /* 0x80 and above: _, which is 0 */
};
/* clang-format on */

size_t
gv_scan_scalar_sequence(const uint8_t *text, size_t size, struct gv_bases *bases)
{
    uint64_t counts[CLASSES] = {0};
    size_t n = 0;
    while (n < size && text[n] != '\n') {
        counts[class_of[text[n]]]++;
        n++;
    }
    bases->a += counts[A];
    bases->c += counts[C];
    bases->g += counts[G];
    bases->t += counts[T];
    bases->bad += counts[_];
    return n;
}

void
gv_scan_scalar_quality(const uint8_t *text, size_t size, uint8_t zero,
                       struct gv_qualities *qualities)
{
    uint64_t sum = 0, bad = 0;
    for (size_t i = 0; i < size; i++) {
        sum += text[i];
        bad += text[i] < zero || text[i] > GV_PHRED_MOST;
    }
    qualities->sum += sum;
    qualities->bad += bad;
}

double
gv_scan_scalar_error(const uint8_t *text, size_t size, uint8_t zero, const double table[94])
{
    double sum = 0;
    for (size_t i = 0; i < size; i++) {
        sum += table[text[i] - zero];
    }
    return sum;
}

#define RECORDS scalar_records
#define SEQUENCE gv_scan_scalar_sequence
#define QUALITY gv_scan_scalar_quality
#include "gv_scan_records.h"

const struct gv_scan_ops gv_scan_scalar = {
    .name = "scalar",
    .is_supported = gv_cpu_has_nothing_special,
    .sequence = gv_scan_scalar_sequence,
    .quality = gv_scan_scalar_quality,
    .records = scalar_records,
    .error = gv_scan_scalar_error,
};
