#include "gv_kmer.h"

const uint8_t gv_kmer_base_codes[32] = {
    4, 0, 4, 1, 4, 4, 4, 2, 4, 4, 4, 4, 4, 4, 4, 4, /* . A B C D E F G H I J K L M N O */
    4, 4, 4, 4, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, /* P Q R S T U V W X Y Z */
};

void
gv_kmer_count(const uint8_t *sequence, size_t length, uint32_t counts[GV_KMER_CODES])
{
    struct gv_kmer kmer = {0};
    for (size_t i = 0; i < length; i++) {
        if (gv_kmer_add(&kmer, sequence[i])) {
            counts[kmer.code]++;
        }
    }
}
