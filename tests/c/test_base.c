#include "check.h"
#include "gv.h"

static void
test_addition(void)
{
    size_t out = 7;
    CHECK(gv_add_size(0, 0, &out) && out == 0);
    CHECK(gv_add_size(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    CHECK(!gv_add_size(SIZE_MAX, 1, &out));
    CHECK(!gv_add_size(SIZE_MAX, SIZE_MAX, &out));
}

static void
test_multiplication(void)
{
    size_t out = 7;
    CHECK(gv_mul_size(SIZE_MAX, 0, &out) && out == 0);
    CHECK(gv_mul_size(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    CHECK(gv_mul_size((size_t)1 << 31, (size_t)1 << 32, &out) && out == (size_t)1 << 63);
    CHECK(!gv_mul_size((size_t)1 << 32, (size_t)1 << 32, &out));
    CHECK(!gv_mul_size(SIZE_MAX / 2 + 1, 2, &out));
}

static void
test_rounding(void)
{
    size_t out = 7;
    for (size_t n = 0; n < 300; n++) {
        REQUIRE(gv_round_up(n, 64, &out));
        CHECK(out % 64 == 0 && out >= n && out < n + 64);
        REQUIRE(gv_round_up(n, 1, &out));
        CHECK_U(out, n);
    }
    CHECK(gv_round_up(SIZE_MAX - 63, 64, &out) && out == SIZE_MAX - 63);
    CHECK(!gv_round_up(SIZE_MAX - 62, 64, &out));
    CHECK(!gv_round_up(SIZE_MAX, 2, &out));
    CHECK(gv_round_up(SIZE_MAX, 1, &out) && out == SIZE_MAX);
}

static void
test_bounds(void)
{
    CHECK_U(gv_min_size(3, 5), 3);
    CHECK_U(gv_min_size(5, 3), 3);
    CHECK_U(gv_max_size(3, 5), 5);
    CHECK_U(gv_max_size(5, 3), 5);
    CHECK_U(gv_max_size(0, SIZE_MAX), SIZE_MAX);
}

static void
test_loads(void)
{
    const uint8_t bytes[] = {0xff, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xff};
    CHECK_U(gv_load_u16(bytes + 1), 0x2301);
    CHECK_U(gv_load_u16(bytes + 2), 0x4523);
    CHECK_U(gv_load_u32(bytes + 1), 0x67452301);
    CHECK_U(gv_load_u32(bytes + 3), 0xab896745);
}

int
main(void)
{
    test_addition();
    test_multiplication();
    test_rounding();
    test_bounds();
    test_loads();
    return check_result();
}
