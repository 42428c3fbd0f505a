#include "check.h"
#include "gv.h"

#include <math.h>

static void
check_color(double gc, float r, float g, float b)
{
    float out[1][4];
    check_case("gc %.17g", gc);
    gv_appearance_color(&gc, 1, out);
    CHECK_F(out[0][0], r);
    CHECK_F(out[0][1], g);
    CHECK_F(out[0][2], b);
    CHECK_F(out[0][3], 1.0f);
}

static void
test_color_at_knots(void)
{
    check_color(0.0, 0, 0, 1);
    check_color(0.4, 0, 1, 1);
    check_color(0.5, 0, 1, 0);
    check_color(0.6, 1, 1, 0);
    check_color(1.0, 1, 0, 0);
    check_color((double)NAN, 0.5f, 0.5f, 0.5f);
    check_color(-(double)NAN, 0.5f, 0.5f, 0.5f);
}

static void
test_color_between_knots(void)
{
    check_color(0.2, 0, 0.5f, 1);
    check_color(0.1, 0, 0.25f, 1);
    check_color(0.8, 1, 0.5f, 0);
    check_color(0.75, 1, 0.625f, 0);
    check_color(0.4375, 0, 1, 0.625f);
    check_color(0.5625, 0.625f, 1, 0);
}

/* The colours of the header's table, interpolated the slow way. */
static void
test_color_is_piecewise_linear(void)
{
    static const double knots[] = {0, 0.4, 0.5, 0.6, 1};
    static const double colors[][3] = {{0, 0, 1}, {0, 1, 1}, {0, 1, 0}, {1, 1, 0}, {1, 0, 0}};
    for (int i = 0; i <= 1000; i++) {
        double gc = i / 1000.0;
        int k = 0;
        while (k < 3 && gc > knots[k + 1]) {
            k++;
        }
        double share = (gc - knots[k]) / (knots[k + 1] - knots[k]);
        float out[1][4];
        check_case("gc %.17g", gc);
        gv_appearance_color(&gc, 1, out);
        for (int c = 0; c < 3; c++) {
            double wanted = colors[k][c] + share * (colors[k + 1][c] - colors[k][c]);
            CHECK(fabs((double)out[0][c] - wanted) < 1e-6);
            CHECK(out[0][c] >= 0.0f && out[0][c] <= 1.0f && !signbit(out[0][c]));
        }
    }
}

static void
check_size(double quality, float size)
{
    float out = -1;
    check_case("quality %.17g", quality);
    gv_appearance_size(&quality, 1, &out);
    CHECK_F(out, size);
}

static void
test_size(void)
{
    check_size(0, 0.5f);
    check_size(10, 0.75f);
    check_size(30, 1.5f);
    check_size(40, 2.0f);
    check_size(5, 0.625f);
    check_size(20, 1.125f);
    check_size(35, 1.75f);
    check_size(41, 2.0f);
    check_size(93, 2.0f);
    check_size(-5, 0.5f);
    check_size(-0.0, 0.5f);
    check_size((double)NAN, 0.5f);
    check_size(-(double)NAN, 0.5f);
}

static void
test_many_at_once(void)
{
    enum { N = 1000 };
    static double values[N];
    static float colors[N + 1][4], sizes[N + 1];
    memset(colors[N], 0x55, sizeof colors[N]);
    memset(&sizes[N], 0x55, sizeof sizes[N]);
    for (int i = 0; i < N; i++) {
        values[i] = i % 7 == 0 ? (double)NAN : i / (double)N;
    }
    gv_appearance_color(values, N, colors);
    for (int i = 0; i < N; i++) {
        float one[1][4];
        gv_appearance_color(&values[i], 1, one);
        CHECK_BYTES(one[0], colors[i], sizeof one[0]);
        values[i] *= 50;
    }
    gv_appearance_size(values, N, sizes);
    for (int i = 0; i < N; i++) {
        float one;
        gv_appearance_size(&values[i], 1, &one);
        CHECK_F(one, sizes[i]);
    }
    static const uint8_t untouched[16] = {0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
                                          0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55};
    CHECK_BYTES(colors[N], untouched, sizeof colors[N]);
    CHECK_BYTES(&sizes[N], untouched, sizeof sizes[N]);
}

int
main(void)
{
    test_color_at_knots();
    test_color_between_knots();
    test_color_is_piecewise_linear();
    test_size();
    check_case("%s", "");
    test_many_at_once();
    return check_result();
}
