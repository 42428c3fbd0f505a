/* check.h: what the C tests are written with.
 *
 * A failed CHECK prints file, line, expression and values, is counted, and lets the test go on;
 * a failed REQUIRE ends the program, for what the rest of it could not do without.  main() ends
 * with `return check_result();`.  One thread alone may check.
 */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Failures beyond these are counted and not printed: one fault in a loop shows soon enough. */
#define CHECK_PRINTED 25

static unsigned long check_count, check_failures;
static char check_note[256];

/* Names the case at hand; printed with each failure until the next note. */
__attribute__((format(printf, 1, 2))) static inline void
check_case(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(check_note, sizeof check_note, format, arguments);
    va_end(arguments);
}

__attribute__((format(printf, 4, 5))) static inline bool
check_that(bool holds, const char *file, int line, const char *format, ...)
{
    check_count++;
    if (!holds && check_failures++ < CHECK_PRINTED) {
        va_list arguments;
        (void)fprintf(stderr, "%s:%d: ", file, line);
        va_start(arguments, format);
        (void)vfprintf(stderr, format, arguments);
        va_end(arguments);
        (void)fprintf(stderr, "%s%s\n", check_note[0] != '\0' ? "   in case: " : "", check_note);
    }
    return holds;
}

static inline bool
check_unsigned(uint64_t a, uint64_t b, const char *file, int line, const char *text)
{
    return check_that(a == b, file, line, "%s: %" PRIu64 " != %" PRIu64, text, a, b);
}

static inline bool
check_signed(int64_t a, int64_t b, const char *file, int line, const char *text)
{
    return check_that(a == b, file, line, "%s: %" PRId64 " != %" PRId64, text, a, b);
}

/* Equal, with every NaN equal to every NaN and -0.0 different from 0.0. */
static inline bool
check_double(double a, double b, const char *file, int line, const char *text)
{
    bool same = (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0;
    return check_that(same, file, line, "%s: %.17g != %.17g", text, a, b);
}

static inline bool
check_string(const char *a, const char *b, const char *file, int line, const char *text)
{
    bool same = a != NULL && b != NULL && strcmp(a, b) == 0;
    return check_that(same, file, line, "%s: \"%s\" != \"%s\"", text, a != NULL ? a : "(null)",
                      b != NULL ? b : "(null)");
}

static inline bool
check_bytes(const void *a, const void *b, size_t size, const char *file, int line, const char *text)
{
    const uint8_t *x = a, *y = b;
    size_t i = 0;
    while (i < size && x[i] == y[i]) {
        i++;
    }
    return i == size ? check_that(true, file, line, "%s", text)
                     : check_that(false, file, line, "%s: byte %zu of %zu: 0x%02x != 0x%02x", text,
                                  i, size, x[i], y[i]);
}

static inline int
check_result(void)
{
    (void)fprintf(stderr, "%lu checks, %lu failed\n", check_count, check_failures);
    return check_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define CHECK(x) check_that((x), __FILE__, __LINE__, "%s", #x)
#define CHECK_U(a, b) check_unsigned((uint64_t)(a), (uint64_t)(b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_I(a, b) check_signed((int64_t)(a), (int64_t)(b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_F(a, b) check_double((a), (b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_STRING(a, b) check_string((a), (b), __FILE__, __LINE__, #a " == " #b)
#define CHECK_BYTES(a, b, size) check_bytes((a), (b), (size), __FILE__, __LINE__, #a " == " #b)
#define CHECK_NAMES(a, b) CHECK_STRING(gv_status_name(a), gv_status_name(b))
#define REQUIRE(x)                \
    do {                          \
        if (!CHECK(x)) {          \
            exit(check_result()); \
        }                         \
    } while (0)

/* A generator of the same numbers on every machine (splitmix64, Steele and others 2014). */
static inline uint64_t
check_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number in 0..bound-1. */
static inline size_t
check_below(uint64_t *state, size_t bound)
{
    return (size_t)(check_random(state) % bound);
}

#endif
