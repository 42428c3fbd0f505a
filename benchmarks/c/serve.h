/* serve.h: the protocol of benchmarks/server.py for the C programs. A path a line comes on standard
 * input, a line of JSON answers it. */
#ifndef BENCH_SERVE_H
#define BENCH_SERVE_H

#ifndef _GNU_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline void
ready(void)
{
    puts("{\"ready\": true}");
    fflush(stdout);
}

static inline int
next_path(char path[4096])
{
    if (!fgets(path, 4096, stdin)) {
        return 0;
    }
    path[strcspn(path, "\n")] = 0;
    return 1;
}

static inline double
now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static inline _Noreturn void
die(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

#endif
