/* replay.c: runs a fuzz target over files, once each, where there is no libFuzzer.
 *
 *   replay_fastq FILE-OR-FOLDER ...
 *
 * The name of each file is printed before it is run: the last one is that of a failure.
 */
#define _DEFAULT_SOURCE
#include "fuzz.h"

#include <dirent.h>

static unsigned long files;

/* False where it is no file that can be read. */
static bool
run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t size = 0, capacity = 4096, got;
    uint8_t *data = malloc(capacity);
    NEED(data != NULL);
    while (file != NULL && (got = fread(data + size, 1, capacity - size, file)) > 0) {
        size += got;
        if (size == capacity) {
            data = realloc(data, capacity *= 2);
            NEED(data != NULL);
        }
    }
    bool is_read = file != NULL && ferror(file) == 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (is_read) {
        /* No longer than the input, so that a read beyond it is seen. */
        data = realloc(data, size > 0 ? size : 1);
        NEED(data != NULL);
        (void)fprintf(stderr, "%s: %zu bytes\n", path, size);
        (void)LLVMFuzzerTestOneInput(data, size);
        files++;
    }
    free(data);
    return is_read;
}

static bool
run_folder(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char file[4096];
        int length = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        NEED(length > 0 && (size_t)length < sizeof file);
        if (entries[i]->d_name[0] != '.') {
            (void)run_file(file);
        }
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    return n >= 0;
}

int
main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        if (!run_folder(paths[i]) && !run_file(paths[i])) {
            (void)fprintf(stderr, "%s cannot be read\n", paths[i]);
            return EXIT_FAILURE;
        }
    }
    (void)fprintf(stderr, "%lu files\n", files);
    return files > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
