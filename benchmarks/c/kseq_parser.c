/* kseq_parser.c: `kseq_parser parse|measure`, FASTQ by htslib's copy of kseq.h (Debian's libhts-dev
 * has it) through zlib, as its documentation shows. `measure` is the same job as in the other
 * contenders; its columns keep their memory from file to file. */
#include "serve.h"

#include <stdint.h>
#include <zlib.h>

#include <htslib/kseq.h>

KSEQ_INIT(gzFile, gzread)

struct columns {
    uint32_t *length;
    float *gc;
    float *quality;
    size_t rows;
    size_t room;
};

static void
grow(struct columns *columns)
{
    columns->room = columns->room ? 2 * columns->room : 1 << 16;
    columns->length = realloc(columns->length, columns->room * sizeof *columns->length);
    columns->gc = realloc(columns->gc, columns->room * sizeof *columns->gc);
    columns->quality = realloc(columns->quality, columns->room * sizeof *columns->quality);
    if (!columns->length || !columns->gc || !columns->quality) {
        die("out of memory");
    }
}

static void
measure(const kseq_t *record, struct columns *columns)
{
    if (columns->rows == columns->room) {
        grow(columns);
    }
    size_t size = record->seq.l;
    uint32_t gc = 0;
    uint32_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        gc += (record->seq.s[i] == 'G') | (record->seq.s[i] == 'C');
    }
    for (size_t i = 0; i < size; i++) {
        sum += (uint8_t)record->qual.s[i];
    }
    columns->length[columns->rows] = (uint32_t)size;
    columns->gc[columns->rows] = (float)gc / (float)size;
    columns->quality[columns->rows] = (float)sum / (float)size - 33;
    columns->rows++;
}

static void
answer_measures(double seconds, const struct columns *columns)
{
    double bases = 0;
    double gc = 0;
    double quality = 0;
    for (size_t i = 0; i < columns->rows; i++) {
        bases += columns->length[i];
        gc += (double)columns->gc[i] * columns->length[i];
        quality += (double)columns->quality[i] * columns->length[i];
    }
    printf("{\"seconds\": %.9f, \"reads\": %zu, \"bases\": %.0f, \"gc\": %.17g, "
           "\"quality\": %.17g}\n",
           seconds, columns->rows, bases, gc, quality);
}

int
main(int count, char **arguments)
{
    if (count != 2) {
        die("usage: kseq_parser parse|measure");
    }
    int is_parse = !strcmp(arguments[1], "parse");
    struct columns columns = {0};
    char path[4096];
    ready();
    while (next_path(path)) {
        size_t reads = 0;
        size_t bases = 0;
        columns.rows = 0;
        double started = now();
        gzFile file = gzopen(path, "r");
        if (!file) {
            die("the file does not open");
        }
        kseq_t *record = kseq_init(file);
        while (kseq_read(record) >= 0) {
            if (is_parse) {
                reads++;
                bases += record->seq.l;
            } else {
                measure(record, &columns);
            }
        }
        kseq_destroy(record);
        gzclose(file);
        double seconds = now() - started;
        if (is_parse) {
            printf("{\"seconds\": %.9f, \"reads\": %zu, \"bases\": %zu}\n", seconds, reads, bases);
        } else {
            answer_measures(seconds, &columns);
        }
        fflush(stdout);
    }
    return 0;
}
