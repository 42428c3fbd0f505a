#include "gv_names.h"

/* Bytes that are looked at behind a prefix: two numbers of seven digits at the most and what ends
 * each. */
#define AHEAD 16

void
gv_names_reader_init(struct gv_names_reader *reader, enum gv_grammar grammar, bool wants_comment)
{
    *reader = (struct gv_names_reader){.grammar = grammar, .wants_comment = wants_comment};
}

static bool
is_nanopore(enum gv_grammar grammar)
{
    return grammar == GV_GRAMMAR_GUPPY || grammar == GV_GRAMMAR_DORADO;
}

static bool
is_casava(enum gv_grammar grammar)
{
    return grammar == GV_GRAMMAR_ILLUMINA || grammar == GV_GRAMMAR_ELEMENT ||
           grammar == GV_GRAMMAR_SINGULAR;
}

static uint64_t
load(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

/* Whether two stretches of `size` bytes, 8 or more, are alike; none is looked at beyond its end. */
static bool
are_alike(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint64_t differ = load(a + size - 8) ^ load(b + size - 8);
    for (size_t at = 0; at + 8 < size; at += 8) {
        differ |= load(a + at) ^ load(b + at);
    }
    return differ == 0;
}

/* A number of one to seven digits in the first of eight bytes, and how many they are.  False where
 * there are none, or eight. */
static bool
read_digits(const uint8_t *bytes, size_t *digits, int32_t *out)
{
    uint64_t word = load(bytes) ^ 0x3030303030303030; /* digits are 0..9 now */
    uint64_t others = ((word & 0x7f7f7f7f7f7f7f7f) + 0x7676767676767676) | word;
    others &= 0x8080808080808080; /* the top bit of each byte that is no digit */
    if (others == 0 || (others & 0x80) != 0) {
        return false;
    }
    unsigned bit = (unsigned)__builtin_ctzll(others) & ~7u;
    *digits = bit / 8;
    /* Zeros go in front, and neighbours are joined: by two, by four, by eight. */
    word <<= 64 - bit;
    word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ff;
    word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffff;
    *out = (int32_t)((word * 10000 + (word >> 32)) & 0xffffffff);
    return true;
}

/* Where the word that holds name[at] ends. */
static size_t
word_end(const uint8_t *name, size_t size, size_t at)
{
    while (at < size && name[at] != ' ' && name[at] != '\t') {
        at++;
    }
    return at;
}

/* x and y behind the prefix that the name shares with the one before: *used is where the word ends.
 * False where the name has to be read as any other. */
static bool
read_alike(const struct gv_names_reader *reader, const uint8_t *name, size_t size, size_t readable,
           int32_t *x, int32_t *y, uint8_t *read, size_t *used)
{
    size_t at = reader->prefix_size, digits;
    if (at < 8 || readable < at + AHEAD || size < at || !are_alike(name, reader->prefix, at) ||
        !read_digits(name + at, &digits, x) || name[at + digits] != ':') {
        return false;
    }
    at += digits + 1;
    /* Seven digits and a colon leave eight of the bytes ahead. */
    if (!read_digits(name + at, &digits, y) || at + digits > size) {
        return false;
    }
    at += digits;
    *read = 0;
    *used = at;
    if (at == size || name[at] == ' ' || name[at] == '\t') {
        return true;
    }
    *used = word_end(name, size, at);
    return gv_name_read_tail(name + at, *used - at, read);
}

/* Remembers how the name begins. */
static void
keep_prefix(struct gv_names_reader *reader, const uint8_t *name, size_t size)
{
    struct gv_name said;
    size_t prefix = gv_name_read_place(name, size, &said);
    reader->prefix_size = 0;
    if (prefix > 0 && prefix <= GV_NAMES_PREFIX_MOST) {
        memcpy(reader->prefix, name, prefix);
        reader->prefix_size = prefix;
        reader->lane = said.lane;
        reader->tile = said.tile;
    }
}

bool
gv_names_reader_read(struct gv_names_reader *reader, const uint8_t *name, size_t size,
                     size_t readable, struct gv_name *out)
{
    size_t used;
    int32_t x, y;
    uint8_t read;
    if (reader->prefix_size > 0 && read_alike(reader, name, size, readable, &x, &y, &read, &used)) {
        gv_name_clear(out);
        out->grammar = reader->grammar;
        out->lane = reader->lane;
        out->tile = reader->tile;
        out->x = x;
        out->y = y;
        out->read = read;
        if (reader->wants_comment) {
            gv_name_read_comment(name + used, size - used, out);
        }
        return true;
    }
    bool is_known = reader->grammar != GV_GRAMMAR_NONE && gv_name_read(name, size, out) &&
                    (out->grammar == reader->grammar ||
                     (is_nanopore(out->grammar) && is_nanopore(reader->grammar)));
    if (!is_known) {
        gv_name_clear(out);
    } else if (is_casava(reader->grammar) && !out->is_renamed) {
        keep_prefix(reader, name, size);
    }
    return is_known;
}

void
gv_names_put(struct gv_names *names, size_t row, const struct gv_name *name, bool is_known)
{
    names->is_known[row] = is_known;
    names->lane[row] = name->lane;
    names->read[row] = name->read;
    names->filtered[row] = name->filtered;
    names->channel[row] = name->channel;
    names->tile[row] = name->tile;
    names->zmw[row] = name->zmw;
    names->x[row] = name->x;
    names->y[row] = name->y;
    names->start_time[row] = name->start_time;
}

void
gv_names_read(struct gv_names *names, struct gv_names_reader *reader,
              const struct gv_scanned *scanned, const uint8_t *text, size_t size, size_t first,
              size_t n)
{
    for (size_t row = first; row < first + n; row++) {
        const uint8_t *name = text + scanned->start[row] + 1;
        size_t name_size = (size_t)(scanned->sequence[row] - scanned->start[row]) - 2;
        size_t used;
        /* Of most names the place is all that is asked for, and it is written as it is read. */
        if (!reader->wants_comment && reader->prefix_size > 0 &&
            read_alike(reader, name, name_size, size - (size_t)scanned->start[row] - 1,
                       &names->x[row], &names->y[row], &names->read[row], &used)) {
            names->is_known[row] = true;
            names->lane[row] = reader->lane;
            names->tile[row] = reader->tile;
            names->filtered[row] = GV_NO_FILTERED;
            names->channel[row] = 0;
            names->zmw[row] = GV_NO_ZMW;
            names->start_time[row] = GV_NO_TIME;
            continue;
        }
        struct gv_name said;
        bool is_known = gv_names_reader_read(reader, name, name_size,
                                             size - (size_t)scanned->start[row] - 1, &said);
        gv_names_put(names, row, &said, is_known);
    }
}
