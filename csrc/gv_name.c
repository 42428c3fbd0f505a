/* The grammars, of names without the header's '@'.  A word ends at a space or a tab, in a Nanopore
 * name at any other white space too.
 *
 *   illumina-1.8     instrument:run:flowcell:lane:tile:x:y[UMI][/read]
 *                        [read:filtered:control:index]
 *                    the colons are counted from the left, for a UMI comes last:
 *                    ":ACGT", ":ACGT+ACGT", ":rACGT+rACGT", "_ACGT", "_ACGT_ACGT"
 *     "A00123:8:HABCDDSX2:2:1101:1063:1000 1:N:0:ACGT"    lane 2, tile 1101, x 1063, y 1000,
 *                                                          read 1, not filtered, index ACGT
 *   element          the same, where the instrument begins with "AV" and the lane is 1 or 2
 *     "AV224503:R-1:2418616238:1:10102:0012:4163 1:N:0:AC" lane 1, tile 10102, x 12, y 4163
 *   singular         the same, where the instrument begins with "G4-"
 *   illumina-1.3     instrument:lane:tile:x:y[#index][/read]     x and y may be negative
 *     "HWUSI-EAS100R:6:73:941:-19#0/1"                     lane 6, tile 73, x 941, y -19, read 1
 *   mgi              prefix L lane C column R row [_] ordinal [#index] [/read], from the right,
 *                    since the prefix may hold anything; three digits a column and a row
 *     "V350012345L1C002R0170000512/1"                      lane 1, tile 2017 (column 2, row 17)
 *   stereo-seq       an MGI name, then two hexadecimal words
 *   ultima           digits_digits-letter digits-digits
 *     "004733_1-X0003-1345904491"                          no coordinates
 *   nanopore-guppy   uuid key=value ...         in any order, any of them absent, the first counts
 *     "6f0a...-...  runid=.. ch=12 start_time=2020-01-01T00:00:00Z"
 *   nanopore-dorado  uuid tag:type:value ...    the same
 *     "6f0a...-...\tst:Z:2023-06-21T09:34:38.123+00:00\tch:i:12"
 *   pacbio           movie/zmw/ccs[/fwd or /rev], or movie/zmw/start_end; a movie is 'm', five
 *                    digits or more, and what follows
 *     "m64012_190920_173625/4194369/ccs"                   zmw 4194369
 *   pacbio-rs2       the same with a movie of the RS II: "m120601_074857_00126_c1_s1_p0"
 *
 *   renamed          SRR, ERR or DRR, digits, perhaps ".digits" and "/1", spaces or tabs, then one
 *                    of the above
 *     "SRR1234567.1 A00123:8:HABCDDSX2:2:1101:1063:1000 length=150"
 *
 * Bounds: lane 1..255; tile 1..99999 (Singular 999999); x and y at most nine digits; channel
 * 1..65535; zmw below 2^32 - 1.  A value of a Nanopore name out of bounds counts as absent.
 */
#include "gv_name.h"

#define MOST_DIGITS 9

static const struct gv_name nothing = {
    .filtered = GV_NO_FILTERED,
    .x = GV_NO_COORDINATE,
    .y = GV_NO_COORDINATE,
    .zmw = GV_NO_ZMW,
    .start_time = GV_NO_TIME,
};

/* ---------------------------------------------------------------------------------------------
 * Bytes and words
 * ------------------------------------------------------------------------------------------ */

static bool
is_digit(uint8_t byte)
{
    return (uint8_t)(byte - '0') < 10;
}

static bool
is_letter(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

static bool
is_hex(uint8_t byte)
{
    return is_digit(byte) || (uint8_t)((byte | 0x20) - 'a') < 6;
}

static bool
is_space(uint8_t byte)
{
    return byte == ' ' || ((uint8_t)(byte - '\t') < 5 && byte != '\n');
}

static bool
is_word_end(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

/* A cursor over one word or name. */
struct cursor {
    const uint8_t *at, *end;
};

static size_t
left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

static bool
is_over(const struct cursor *cursor)
{
    return cursor->at == cursor->end;
}

static bool
take(struct cursor *cursor, uint8_t byte)
{
    if (is_over(cursor) || *cursor->at != byte) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool
take_text(struct cursor *cursor, const char *text)
{
    size_t size = strlen(text);
    if (left(cursor) < size || memcmp(cursor->at, text, size) != 0) {
        return false;
    }
    cursor->at += size;
    return true;
}

/* Moves past the bytes that `belongs` takes; how many they are. */
static size_t
take_all(struct cursor *cursor, bool (*belongs)(uint8_t byte))
{
    const uint8_t *from = cursor->at;
    while (!is_over(cursor) && belongs(*cursor->at)) {
        cursor->at++;
    }
    return (size_t)(cursor->at - from);
}

/* A number of one digit or more, at most `most`; leading zeros count towards MOST_DIGITS. */
static bool
take_number(struct cursor *cursor, uint32_t most, uint32_t *out)
{
    uint64_t value = 0;
    const uint8_t *from = cursor->at;
    while (!is_over(cursor) && is_digit(*cursor->at) && cursor->at - from <= MOST_DIGITS) {
        value = 10 * value + (uint64_t)(*cursor->at++ - '0');
    }
    *out = (uint32_t)value;
    return cursor->at > from && cursor->at - from <= MOST_DIGITS && value <= most;
}

static bool
take_coordinate(struct cursor *cursor, bool may_be_negative, int32_t *out)
{
    bool is_negative = may_be_negative && take(cursor, '-');
    uint32_t value;
    if (!take_number(cursor, INT32_MAX, &value)) {
        return false;
    }
    *out = is_negative ? -(int32_t)value : (int32_t)value;
    return true;
}

static bool
is_field_byte(uint8_t byte)
{
    return byte != ':' && !is_word_end(byte);
}

/* "field:", with one byte or more before the colon. */
static bool
take_field(struct cursor *cursor)
{
    return take_all(cursor, is_field_byte) > 0 && take(cursor, ':');
}

/* "/1" or "/2" at the very end, if it is there. */
static void
take_read(struct cursor *cursor, uint8_t *read)
{
    if (left(cursor) == 2 && cursor->at[0] == '/' &&
        (cursor->at[1] == '1' || cursor->at[1] == '2')) {
        *read = cursor->at[1] - '0';
        cursor->at += 2;
    }
}

/* ---------------------------------------------------------------------------------------------
 * Illumina, and who writes as they do
 * ------------------------------------------------------------------------------------------ */

static bool
is_umi_byte(uint8_t byte)
{
    return is_digit(byte) || is_letter(byte) || byte == '+' || byte == '-';
}

static bool
is_colon_umi_byte(uint8_t byte)
{
    return is_umi_byte(byte) || byte == '_';
}

/* What may follow y in its word: a UMI, and the read. */
static bool
take_tail(struct cursor *word, uint8_t *read)
{
    if (take(word, ':')) {
        if (take_all(word, is_colon_umi_byte) == 0) {
            return false;
        }
    } else {
        while (take(word, '_')) {
            if (take_all(word, is_umi_byte) == 0) {
                return false;
            }
        }
    }
    take_read(word, read);
    return is_over(word);
}

static enum gv_grammar
maker(const uint8_t *instrument, size_t size, uint32_t lane)
{
    if (size >= 2 && memcmp(instrument, "AV", 2) == 0 && lane <= 2) {
        return GV_GRAMMAR_ELEMENT;
    }
    return size >= 3 && memcmp(instrument, "G4-", 3) == 0 ? GV_GRAMMAR_SINGULAR
                                                          : GV_GRAMMAR_ILLUMINA;
}

static uint32_t
most_tile(enum gv_grammar grammar)
{
    return grammar == GV_GRAMMAR_SINGULAR ? 999999 : 99999;
}

/* The word up to and with "tile:". */
static bool
take_place(struct cursor *word, struct gv_name *out)
{
    const uint8_t *from = word->at;
    uint32_t lane, tile;
    if (!take_field(word)) {
        return false;
    }
    size_t instrument = (size_t)(word->at - from) - 1;
    if (!take_field(word) || !take_field(word) || !take_number(word, UINT8_MAX, &lane) ||
        lane == 0 || !take(word, ':')) {
        return false;
    }
    out->grammar = maker(from, instrument, lane);
    if (!take_number(word, most_tile(out->grammar), &tile) || tile == 0 || !take(word, ':')) {
        return false;
    }
    out->lane = (uint8_t)lane;
    out->tile = tile;
    return true;
}

static bool
read_illumina(struct cursor word, struct gv_name *out)
{
    return take_place(&word, out) && take_coordinate(&word, false, &out->x) && take(&word, ':') &&
           take_coordinate(&word, false, &out->y) && take_tail(&word, &out->read);
}

size_t
gv_name_read_place(const uint8_t *name, size_t size, struct gv_name *out)
{
    struct cursor word = {name, name + size};
    return take_place(&word, out) ? (size_t)(word.at - name) : 0;
}

bool
gv_name_read_tail(const uint8_t *tail, size_t size, uint8_t *read)
{
    struct cursor word = {tail, tail + size};
    return take_tail(&word, read);
}

void
gv_name_read_comment(const uint8_t *text, size_t size, struct gv_name *out)
{
    struct cursor rest = {text, text + size};
    (void)take_all(&rest, is_word_end);
    struct cursor word = rest;
    while (!is_over(&rest) && !is_word_end(*rest.at)) {
        rest.at++;
    }
    word.end = rest.at;
    const uint8_t *read = word.at;
    if (!(take(&word, '1') || take(&word, '2')) || !take(&word, ':') || is_over(&word)) {
        return;
    }
    const uint8_t *flag = word.at++;
    if ((*flag != 'Y' && *flag != 'N') || !take(&word, ':') || take_all(&word, is_digit) == 0 ||
        !take(&word, ':')) {
        return;
    }
    out->read = *read - '0';
    out->filtered = *flag == 'Y';
    out->index = (struct gv_word){word.at, left(&word)};
}

static bool
read_illumina_old(struct cursor word, struct gv_name *out)
{
    uint32_t lane, tile;
    if (!take_field(&word) || !take_number(&word, UINT8_MAX, &lane) || lane == 0 ||
        !take(&word, ':') || !take_number(&word, most_tile(GV_GRAMMAR_ILLUMINA_OLD), &tile) ||
        tile == 0 || !take(&word, ':') || !take_coordinate(&word, true, &out->x) ||
        !take(&word, ':') || !take_coordinate(&word, true, &out->y)) {
        return false;
    }
    if (take(&word, '#')) {
        const uint8_t *from = word.at;
        while (!is_over(&word) && *word.at != '/') {
            word.at++;
        }
        out->index = (struct gv_word){from, (size_t)(word.at - from)};
    }
    take_read(&word, &out->read);
    out->grammar = GV_GRAMMAR_ILLUMINA_OLD;
    out->lane = (uint8_t)lane;
    out->tile = tile;
    return is_over(&word);
}

/* ---------------------------------------------------------------------------------------------
 * MGI, Stereo-seq, Ultima
 * ------------------------------------------------------------------------------------------ */

static bool
is_base(uint8_t byte)
{
    switch (byte & 0xdf) {
    case 'A':
    case 'C':
    case 'G':
    case 'T':
    case 'N':
        return true;
    default:
        return false;
    }
}

/* Takes "#ACGT" or "#ACGT+ACGT" off the end of a word, if it is there. */
static void
drop_index(struct cursor *word, struct gv_word *index)
{
    const uint8_t *at = word->end;
    bool has_plus = false, is_empty = true;
    while (at > word->at && (is_base(at[-1]) || (at[-1] == '+' && !has_plus && !is_empty))) {
        has_plus |= at[-1] == '+';
        is_empty = at[-1] == '+';
        at--;
    }
    if (!is_empty && at > word->at && at[-1] == '#') {
        *index = (struct gv_word){at, (size_t)(word->end - at)};
        word->end = at - 1;
    }
}

/* The field of view that the digits end in: "L1C002R017" at the end of the word. */
static bool
read_field(struct cursor word, struct gv_name *out)
{
    if (left(&word) < 10) {
        return false;
    }
    struct cursor field = {word.end - 10, word.end};
    struct cursor lane = {field.at + 1, field.at + 2};
    struct cursor column = {field.at + 3, field.at + 6}, row = {field.at + 7, field.at + 10};
    uint32_t numbers[3];
    if (field.at[0] != 'L' || field.at[2] != 'C' || field.at[6] != 'R' ||
        !take_number(&lane, 9, &numbers[0]) || numbers[0] == 0 ||
        !take_number(&column, 999, &numbers[1]) || !is_over(&column) ||
        !take_number(&row, 999, &numbers[2]) || !is_over(&row) || numbers[1] + numbers[2] == 0) {
        return false;
    }
    out->lane = (uint8_t)numbers[0];
    out->tile = 1000 * numbers[1] + numbers[2];
    return true;
}

static bool
read_mgi(struct cursor word, struct cursor rest, struct gv_name *out)
{
    if (left(&word) > 2) {
        struct cursor end = {word.end - 2, word.end};
        take_read(&end, &out->read);
        word.end -= out->read != 0 ? 2 : 0;
    }
    drop_index(&word, &out->index);
    const uint8_t *digits = word.end;
    while (digits > word.at && is_digit(digits[-1])) {
        digits--;
    }
    size_t n = (size_t)(word.end - digits);
    if (digits > word.at && digits[-1] == '_' && n >= 1) {
        word.end = digits - 1;
    } else if (n >= 4) {
        word.end = digits + 3; /* the row's; what follows is the ordinal */
    } else {
        return false;
    }
    if (!read_field(word, out)) {
        return false;
    }
    out->grammar = GV_GRAMMAR_MGI;
    if (take_all(&rest, is_word_end) > 0 && take_all(&rest, is_hex) > 0 &&
        take_all(&rest, is_word_end) > 0 && take_all(&rest, is_hex) > 0) {
        (void)take_all(&rest, is_word_end);
        if (is_over(&rest)) {
            out->grammar = GV_GRAMMAR_STEREO_SEQ;
        }
    }
    return true;
}

static bool
read_ultima(struct cursor word, struct gv_name *out)
{
    out->grammar = GV_GRAMMAR_ULTIMA;
    if (take_all(&word, is_digit) == 0 || !take(&word, '_') || take_all(&word, is_digit) == 0 ||
        !take(&word, '-') || is_over(&word) || *word.at < 'A' || *word.at > 'Z') {
        return false;
    }
    word.at++;
    return take_all(&word, is_digit) > 0 && take(&word, '-') && take_all(&word, is_digit) > 0 &&
           is_over(&word);
}

/* ---------------------------------------------------------------------------------------------
 * Nanopore
 * ------------------------------------------------------------------------------------------ */

/* Exactly n digits. */
static bool
take_digits(struct cursor *cursor, unsigned n, int64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < n; i++) {
        if (is_over(cursor) || !is_digit(*cursor->at)) {
            return false;
        }
        *out = 10 * *out + (*cursor->at++ - '0');
    }
    return true;
}

/* Days since 1970-01-01 of a day in the Gregorian calendar; the year is counted from March, so
 * that the leap day comes last (Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t
days_since_1970(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap);
}

/* Microseconds in ".123456789"; what is beyond them is cut off.  No fraction is 0. */
static bool
take_fraction(struct cursor *cursor, int64_t *out)
{
    *out = 0;
    if (!take(cursor, '.')) {
        return true;
    }
    int64_t unit = 100000;
    const uint8_t *from = cursor->at;
    while (!is_over(cursor) && is_digit(*cursor->at)) {
        *out += unit * (*cursor->at++ - '0');
        unit /= 10;
    }
    return cursor->at > from;
}

/* "Z", "+hh:mm", "-hh:mm", or nothing, which is taken as UTC; in seconds. */
static bool
take_zone(struct cursor *cursor, int64_t *out)
{
    *out = 0;
    if (is_over(cursor) || take(cursor, 'Z')) {
        return true;
    }
    bool is_west = *cursor->at == '-';
    int64_t hours, minutes;
    if (!(take(cursor, '+') || take(cursor, '-')) || !take_digits(cursor, 2, &hours) ||
        !take(cursor, ':') || !take_digits(cursor, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *out = (is_west ? -60 : 60) * (60 * hours + minutes);
    return true;
}

/* ISO 8601, "2020-01-31T23:59:59.25+01:00", in microseconds since 1970; GV_NO_TIME where it is
 * none. */
static int64_t
read_time(struct cursor word)
{
    int64_t year, month, day, hour, minute, second, fraction, zone;
    if (!take_digits(&word, 4, &year) || !take(&word, '-') || !take_digits(&word, 2, &month) ||
        !take(&word, '-') || !take_digits(&word, 2, &day) || !take(&word, 'T') ||
        !take_digits(&word, 2, &hour) || !take(&word, ':') || !take_digits(&word, 2, &minute) ||
        !take(&word, ':') || !take_digits(&word, 2, &second) || !take_fraction(&word, &fraction) ||
        !take_zone(&word, &zone) || !is_over(&word)) {
        return GV_NO_TIME;
    }
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
        hour > 23 || minute > 59 || second > 59) {
        return GV_NO_TIME;
    }
    int64_t seconds =
        ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - zone;
    return seconds * 1000000 + fraction;
}

static bool
is_uuid(struct cursor word)
{
    static const uint8_t sizes[] = {8, 4, 4, 4, 12};
    for (unsigned i = 0; i < 5; i++) {
        struct cursor part = {word.at, word.at + gv_min_size(sizes[i], left(&word))};
        word.at = part.end;
        if (take_all(&part, is_hex) != sizes[i] || (i < 4 && !take(&word, '-'))) {
            return false;
        }
    }
    return is_over(&word);
}

/* "ab:Z:value", a tag as SAM writes it. */
static bool
is_tag(struct cursor word)
{
    return left(&word) >= 5 && is_letter(word.at[0]) &&
           (is_letter(word.at[1]) || is_digit(word.at[1])) && word.at[2] == ':' &&
           memchr("AifZHB", word.at[3], 6) != NULL && word.at[4] == ':';
}

static uint16_t
read_channel(struct cursor word)
{
    uint32_t channel;
    return take_number(&word, UINT16_MAX, &channel) && is_over(&word) ? (uint16_t)channel : 0;
}

/* One part of a Nanopore name and where it is written. */
struct nanopore_keys {
    const char *channel, *start_time, *barcode, *flow_cell;
};

/* The first word that begins with the key gives the value; *is_met stays so. */
static bool
take_value(struct cursor *word, const char *key, bool *is_met)
{
    if (*is_met || key == NULL || !take_text(word, key)) {
        return false;
    }
    *is_met = true;
    return true;
}

static bool
next_word(struct cursor *rest, struct cursor *word)
{
    (void)take_all(rest, is_space);
    word->at = rest->at;
    while (!is_over(rest) && !is_space(*rest->at)) {
        rest->at++;
    }
    word->end = rest->at;
    return !is_over(word);
}

static void
read_nanopore(struct cursor rest, struct gv_name *out)
{
    static const struct nanopore_keys guppy = {"ch=", "start_time=", "barcode=", "flow_cell_id="};
    static const struct nanopore_keys dorado = {"ch:i:", "st:Z:", "BC:Z:", NULL};
    struct cursor word, all = rest;
    out->grammar = GV_GRAMMAR_GUPPY;
    while (next_word(&rest, &word)) {
        if (is_tag(word)) {
            out->grammar = GV_GRAMMAR_DORADO;
        }
    }
    const struct nanopore_keys *keys = out->grammar == GV_GRAMMAR_DORADO ? &dorado : &guppy;
    bool met[4] = {false};
    while (next_word(&all, &word)) {
        if (take_value(&word, keys->channel, &met[0])) {
            out->channel = read_channel(word);
        } else if (take_value(&word, keys->start_time, &met[1])) {
            out->start_time = read_time(word);
        } else if (take_value(&word, keys->barcode, &met[2])) {
            out->barcode = (struct gv_word){word.at, left(&word)};
        } else if (take_value(&word, keys->flow_cell, &met[3])) {
            out->flow_cell = (struct gv_word){word.at, left(&word)};
        }
    }
}

/* ---------------------------------------------------------------------------------------------
 * PacBio
 * ------------------------------------------------------------------------------------------ */

/* "m120601_..._s1_p0": six digits, an underscore, and the set and part at the end. */
static bool
is_rs2_movie(struct cursor movie)
{
    const uint8_t *end = movie.end;
    static const char *const parts[] = {"_p", "_s"};
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *digits = end;
        while (digits > movie.at && is_digit(digits[-1])) {
            digits--;
        }
        if (digits == end || digits - movie.at < 2 || memcmp(digits - 2, parts[i], 2) != 0) {
            return false;
        }
        end = digits - 2;
    }
    int64_t date;
    struct cursor head = {movie.at + 1, end};
    return end - movie.at >= 8 && take_digits(&head, 6, &date) && take(&head, '_');
}

static bool
is_movie_byte(uint8_t byte)
{
    return byte != '/';
}

static bool
read_pacbio(struct cursor word, struct gv_name *out)
{
    struct cursor movie = word;
    if (!take(&word, 'm') || take_all(&word, is_digit) < 5) {
        return false;
    }
    (void)take_all(&word, is_movie_byte);
    movie.end = word.at;
    const uint8_t *zmw = word.at + 1;
    uint64_t value = 0;
    if (!take(&word, '/') || take_all(&word, is_digit) == 0) {
        return false;
    }
    bool is_bounded = word.at - zmw <= 10;
    for (const uint8_t *at = zmw; is_bounded && at < word.at; at++) {
        value = 10 * value + (uint64_t)(*at - '0');
    }
    if (!is_bounded || value >= GV_NO_ZMW || !take(&word, '/')) {
        return false;
    }
    if (take_text(&word, "ccs")) {
        (void)(take_text(&word, "/fwd") || take_text(&word, "/rev"));
    } else if (take_all(&word, is_digit) == 0 || !take(&word, '_') ||
               take_all(&word, is_digit) == 0) {
        return false;
    }
    out->grammar = is_rs2_movie(movie) ? GV_GRAMMAR_PACBIO_RS2 : GV_GRAMMAR_PACBIO;
    out->zmw = (uint32_t)value;
    return is_over(&word);
}

/* ---------------------------------------------------------------------------------------------
 * Any name
 * ------------------------------------------------------------------------------------------ */

/* The word at the front of a name; what is left of it follows. */
static struct cursor
first_word(struct cursor *rest, bool (*ends)(uint8_t byte))
{
    struct cursor word = *rest;
    while (!is_over(rest) && !ends(*rest->at)) {
        rest->at++;
    }
    word.end = rest->at;
    return word;
}

/* "SRR1234567.1/1": whether the word is a number that an archive gave. */
static bool
is_accession(struct cursor word)
{
    uint8_t read = 0;
    if (!(take(&word, 'S') || take(&word, 'E') || take(&word, 'D')) || !take_text(&word, "RR") ||
        take_all(&word, is_digit) == 0) {
        return false;
    }
    while (take(&word, '.')) {
        if (take_all(&word, is_digit) == 0) {
            return false;
        }
    }
    take_read(&word, &read);
    return is_over(&word);
}

/* Moves past the number of an archive and the white space behind it, if they are there. */
static bool
skip_accession(struct cursor *name)
{
    struct cursor rest = *name;
    if (left(name) < 4 || name->at[1] != 'R' || name->at[2] != 'R' ||
        !is_accession(first_word(&rest, is_word_end))) {
        return false;
    }
    (void)take_all(&rest, is_word_end);
    *name = rest;
    return true;
}

static bool
read_original(struct cursor name, struct gv_name *out)
{
    struct cursor rest = name, nanopore_rest = name;
    struct cursor word = first_word(&rest, is_word_end);
    if (read_illumina(word, out)) {
        gv_name_read_comment(rest.at, left(&rest), out);
        return true;
    }
    *out = nothing;
    if (read_illumina_old(word, out)) {
        return true;
    }
    *out = nothing;
    if (is_uuid(first_word(&nanopore_rest, is_space))) {
        read_nanopore(nanopore_rest, out);
        return true;
    }
    if (read_pacbio(word, out)) {
        return true;
    }
    *out = nothing;
    if (read_mgi(word, rest, out)) {
        return true;
    }
    *out = nothing;
    return read_ultima(word, out);
}

void
gv_name_clear(struct gv_name *out)
{
    *out = nothing;
}

bool
gv_name_read(const uint8_t *name, size_t size, struct gv_name *out)
{
    struct cursor cursor = {name, name + size};
    *out = nothing;
    bool is_renamed = skip_accession(&cursor);
    if (!read_original(cursor, out)) {
        *out = nothing;
        return false;
    }
    out->is_renamed = is_renamed;
    return true;
}

/* ---------------------------------------------------------------------------------------------
 * What grammars mean
 * ------------------------------------------------------------------------------------------ */

/* Illumina's decode is InterOp's (model/metric_base/base_metric.h and logic on naming methods):
 *
 *   4 digits  SWNN    surface, swath, number             1101: surface 1, swath 1, number 1
 *   5 digits  SWCNN   surface, swath, camera, number
 *                     21305: surface 2, swath 1, camera 3, number 5
 *   fewer     NNN     older instruments, with one surface and swath
 *
 * AVITI's five digits are taken as surface, row, column (inferred: no maker says so); a G4's number
 * is a number and no more. */
struct gv_tile
gv_name_tile(enum gv_grammar grammar, uint32_t tile)
{
    switch (grammar) {
    case GV_GRAMMAR_ILLUMINA:
    case GV_GRAMMAR_ILLUMINA_OLD:
        if (tile >= 100000) {
            return (struct gv_tile){0, 0, 0, tile}; /* no instrument's */
        }
        if (tile >= 10000) {
            return (struct gv_tile){(uint8_t)(tile / 10000), (uint8_t)(tile / 1000 % 10),
                                    (uint8_t)(tile / 100 % 10), tile % 100};
        }
        if (tile >= 1000) {
            return (struct gv_tile){(uint8_t)(tile / 1000), (uint8_t)(tile / 100 % 10), 0,
                                    tile % 100};
        }
        return (struct gv_tile){tile > 0, tile > 0, 0, tile};
    case GV_GRAMMAR_ELEMENT:
        if (tile >= 10000 && tile < 100000) {
            return (struct gv_tile){(uint8_t)(tile / 10000), (uint8_t)(tile % 100), 0,
                                    tile / 100 % 100};
        }
        return (struct gv_tile){0, 0, 0, tile};
    case GV_GRAMMAR_SINGULAR:
        return (struct gv_tile){0, 0, 0, tile};
    default:
        return (struct gv_tile){0};
    }
}

static const struct {
    const char *name, *platform;
} grammars[GV_GRAMMAR_COUNT] = {
    [GV_GRAMMAR_NONE] = {"unknown", "unknown"},
    [GV_GRAMMAR_ILLUMINA] = {"illumina-1.8", "illumina"},
    [GV_GRAMMAR_ELEMENT] = {"element", "element"},
    [GV_GRAMMAR_SINGULAR] = {"singular", "singular"},
    [GV_GRAMMAR_ILLUMINA_OLD] = {"illumina-1.3", "illumina"},
    [GV_GRAMMAR_MGI] = {"mgi", "mgi"},
    [GV_GRAMMAR_STEREO_SEQ] = {"stereo-seq", "stereo-seq"},
    [GV_GRAMMAR_ULTIMA] = {"ultima", "ultima"},
    [GV_GRAMMAR_GUPPY] = {"nanopore-guppy", "nanopore"},
    [GV_GRAMMAR_DORADO] = {"nanopore-dorado", "nanopore"},
    [GV_GRAMMAR_PACBIO] = {"pacbio", "pacbio"},
    [GV_GRAMMAR_PACBIO_RS2] = {"pacbio-rs2", "pacbio"},
};

const char *
gv_grammar_name(enum gv_grammar grammar)
{
    return grammars[grammar].name;
}

const char *
gv_grammar_platform(enum gv_grammar grammar)
{
    return grammars[grammar].platform;
}
