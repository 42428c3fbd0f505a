#include "check.h"
#include "gv.h"

static void
test_takes(void)
{
    const uint8_t bytes[] = {1, 2, 3, 4, 5};
    struct gv_span span = {bytes, bytes + sizeof bytes};
    const uint8_t *out = NULL;
    uint16_t word = 0;
    CHECK_U(gv_span_left(&span), 5);
    CHECK(!gv_span_take(&span, 6, &out) && span.at == bytes && out == NULL);
    CHECK(gv_span_take(&span, 0, &out) && out == bytes && span.at == bytes);
    CHECK(gv_span_take(&span, 2, &out) && out == bytes && span.at == bytes + 2);
    CHECK(gv_span_take_u16(&span, &word) && word == 0x0403);
    word = 7;
    CHECK(!gv_span_take_u16(&span, &word) && word == 7 && span.at == bytes + 4);
    CHECK(!gv_span_take(&span, SIZE_MAX, &out) && span.at == bytes + 4);
    CHECK(gv_span_take(&span, 1, &out) && out == bytes + 4);
    CHECK_U(gv_span_left(&span), 0);
    CHECK(!gv_span_take(&span, 1, &out));
    CHECK(gv_span_take(&span, 0, &out));
}

static void
test_strings(void)
{
    const uint8_t bytes[] = {'a', 'b', 0, 0, 'c'};
    struct gv_span span = {bytes, bytes + sizeof bytes};
    CHECK(gv_span_skip_string(&span) && span.at == bytes + 3);
    CHECK(gv_span_skip_string(&span) && span.at == bytes + 4);
    CHECK(!gv_span_skip_string(&span) && span.at == bytes + 4);
    struct gv_span empty = {bytes, bytes};
    CHECK(!gv_span_skip_string(&empty) && empty.at == bytes);
}

int
main(void)
{
    test_takes();
    test_strings();
    return check_result();
}
