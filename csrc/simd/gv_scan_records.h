/* gv_scan_records.h: reads plain records by the sequence() and quality() of a variant that has
 * no vectors; instantiated by the file that includes this one, after defining RECORDS, SEQUENCE
 * and QUALITY as the names of the three functions.
 */
#include "variants.h"

static size_t
RECORDS(const uint8_t *text, size_t from, size_t size, uint8_t zero, size_t most_bytes,
        struct gv_scanned *rows, size_t first, size_t most, size_t *end)
{
    size_t at = from, row = first;
    for (; row < first + most && at < size && text[at] == '@'; row++) {
        const uint8_t *name_end = memchr(text + at, '\n', size - at);
        if (name_end == NULL || name_end[-1] == '\r') {
            break;
        }
        size_t sequence = (size_t)(name_end + 1 - text);
        struct gv_bases bases = {0};
        size_t length = SEQUENCE(text + sequence, size - sequence, &bases);
        size_t separator = sequence + length + 1;
        if (length == 0 || length > UINT32_MAX || bases.bad > 0 || separator + 2 + length >= size ||
            text[separator] != '+' || text[separator + 1] != '\n' ||
            text[separator + 2 + length] != '\n') {
            break;
        }
        struct gv_qualities qualities = {0};
        QUALITY(text + separator + 2, length, zero, &qualities);
        size_t next = separator + 2 + length + 1;
        if (qualities.bad > 0 || next - at > most_bytes) {
            break;
        }
        gv_scan_put_row(rows, row, at, sequence, length, &bases,
                        qualities.sum - (uint64_t)zero * length);
        at = next;
    }
    *end = at;
    return row - first;
}
