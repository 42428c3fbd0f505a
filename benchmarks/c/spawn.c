/* spawn.c: `spawn PROGRAM ARGUMENT...` runs an installed program once for each path, which takes
 * the place of the argument {path}; what the program prints goes nowhere. Linux counts what a
 * process held before it became another program towards that program's memory, and this one holds
 * next to nothing. */
#define _GNU_SOURCE
#include "serve.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void
become(char **arguments, char *path)
{
    int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= 2; fd++) {
        dup2(nowhere, fd);
    }
    for (char **each = arguments; *each; each++) {
        if (!strcmp(*each, "{path}")) {
            *each = path;
        }
    }
    execvp(arguments[0], arguments);
    _exit(127);
}

int
main(int count, char **arguments)
{
    char path[4096];
    if (count < 2) {
        die("usage: spawn PROGRAM ARGUMENT...");
    }
    ready();
    while (next_path(path)) {
        struct rusage usage;
        int status;
        double started = now();
        pid_t child = fork();
        if (child == 0) {
            become(arguments + 1, path);
        }
        if (child < 0 || wait4(child, &status, 0, &usage) != child) {
            die("the program cannot be run");
        }
        double seconds = now() - started;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            printf("{\"unavailable\": \"ended with wait status %d\"}\n", status);
        } else {
            printf("{\"seconds\": %.9f, \"peak\": %lld}\n", seconds, 1024LL * usage.ru_maxrss);
        }
        fflush(stdout);
    }
    return 0;
}
