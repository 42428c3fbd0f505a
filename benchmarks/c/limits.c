/* limits.c: `limits read|zlib|isal|blocks-zlib|blocks-isal|blocks-libdeflate`, what no reader of
 * the file can beat: reading it into a reused buffer, inflating a gzip stream to nowhere, inflating
 * the blocks of a BGZF file one by one (raw deflate, no checksums) to nowhere.
 * HAVE_ISAL and HAVE_LIBDEFLATE say which libraries the program is linked with. */
#include "serve.h"

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif

enum { IN_SIZE = 512 * 1024, OUT_SIZE = 256 * 1024, BLOCK_SIZE = 64 * 1024 };

static uint8_t in[IN_SIZE];
static uint8_t out[OUT_SIZE];

static size_t
read_some(int fd, uint8_t *to, size_t room)
{
    ssize_t size = read(fd, to, room);
    if (size < 0) {
        die("the file cannot be read");
    }
    return (size_t)size;
}

static uint64_t
read_through(int fd)
{
    uint64_t text = 0;
    for (size_t size; (size = read_some(fd, in, IN_SIZE)) > 0;) {
        text += size;
    }
    return text;
}

/* ---------------------------------------------------------------------------------------------
 * gzip streams of one member
 * ------------------------------------------------------------------------------------------- */

static uint64_t
inflate_by_zlib(int fd)
{
    z_stream stream = {0};
    uint64_t text = 0;
    int status = inflateInit2(&stream, 15 + 16);
    while (status == Z_OK) {
        if (stream.avail_in == 0) {
            stream.next_in = in;
            stream.avail_in = (uInt)read_some(fd, in, IN_SIZE);
        }
        stream.next_out = out;
        stream.avail_out = OUT_SIZE;
        status = inflate(&stream, Z_NO_FLUSH);
        text += OUT_SIZE - stream.avail_out;
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) {
        die("zlib finds no whole gzip member");
    }
    return text;
}

#ifdef HAVE_ISAL
static uint64_t
inflate_by_isal(int fd)
{
    static struct inflate_state state;
    uint64_t text = 0;
    isal_inflate_init(&state);
    state.crc_flag = ISAL_GZIP;
    while (state.block_state != ISAL_BLOCK_FINISH) {
        if (state.avail_in == 0) {
            state.next_in = in;
            state.avail_in = (uint32_t)read_some(fd, in, IN_SIZE);
            if (state.avail_in == 0) {
                die("ISA-L finds no whole gzip member");
            }
        }
        state.next_out = out;
        state.avail_out = OUT_SIZE;
        if (isal_inflate(&state) != ISAL_DECOMP_OK) {
            die("ISA-L cannot inflate this");
        }
        text += OUT_SIZE - state.avail_out;
    }
    return text;
}
#endif

/* ---------------------------------------------------------------------------------------------
 * BGZF: each block is a gzip member with its size less one in bytes 16 and 17
 * ------------------------------------------------------------------------------------------- */

enum { HEADER_SIZE = 18, FOOTER_SIZE = 8 };

typedef size_t (*inflate_block)(const uint8_t *from, size_t size);

static size_t
block_by_zlib(const uint8_t *from, size_t size)
{
    static z_stream stream;
    static int is_made;
    if (is_made) {
        inflateReset(&stream);
    } else {
        is_made = inflateInit2(&stream, -15) == Z_OK;
    }
    stream.next_in = (uint8_t *)from;
    stream.avail_in = (uInt)size;
    stream.next_out = out;
    stream.avail_out = BLOCK_SIZE;
    if (inflate(&stream, Z_FINISH) != Z_STREAM_END) {
        die("zlib cannot inflate a block");
    }
    return BLOCK_SIZE - stream.avail_out;
}

#ifdef HAVE_ISAL
static size_t
block_by_isal(const uint8_t *from, size_t size)
{
    static struct inflate_state state;
    isal_inflate_init(&state);
    state.next_in = (uint8_t *)from;
    state.avail_in = (uint32_t)size;
    state.next_out = out;
    state.avail_out = BLOCK_SIZE;
    if (isal_inflate_stateless(&state) != ISAL_DECOMP_OK) {
        die("ISA-L cannot inflate a block");
    }
    return BLOCK_SIZE - state.avail_out;
}
#endif

#ifdef HAVE_LIBDEFLATE
static size_t
block_by_libdeflate(const uint8_t *from, size_t size)
{
    static struct libdeflate_decompressor *decompressor;
    size_t text = 0;
    if (!decompressor) {
        decompressor = libdeflate_alloc_decompressor();
    }
    if (libdeflate_deflate_decompress(decompressor, from, size, out, BLOCK_SIZE, &text) !=
        LIBDEFLATE_SUCCESS) {
        die("libdeflate cannot inflate a block");
    }
    return text;
}
#endif

static uint64_t
inflate_blocks(int fd, inflate_block inflate_one)
{
    uint64_t text = 0;
    size_t begin = 0;
    size_t end = 0;
    for (;;) {
        size_t left = end - begin;
        size_t block = left < HEADER_SIZE ? 0 : (in[begin + 16] | in[begin + 17] << 8) + 1u;
        if (block == 0 || block > left) {
            memmove(in, in + begin, left);
            size_t more = read_some(fd, in + left, IN_SIZE - left);
            begin = 0;
            end = left + more;
            if (more == 0) {
                break;
            }
            continue;
        }
        text += inflate_one(in + begin + HEADER_SIZE, block - HEADER_SIZE - FOOTER_SIZE);
        begin += block;
    }
    if (begin != end) {
        die("the file ends inside a block");
    }
    return text;
}

static uint64_t
run(const char *what, int fd)
{
    if (!strcmp(what, "read")) {
        return read_through(fd);
    }
    if (!strcmp(what, "zlib")) {
        return inflate_by_zlib(fd);
    }
    if (!strcmp(what, "blocks-zlib")) {
        return inflate_blocks(fd, block_by_zlib);
    }
#ifdef HAVE_ISAL
    if (!strcmp(what, "isal")) {
        return inflate_by_isal(fd);
    }
    if (!strcmp(what, "blocks-isal")) {
        return inflate_blocks(fd, block_by_isal);
    }
#endif
#ifdef HAVE_LIBDEFLATE
    if (!strcmp(what, "blocks-libdeflate")) {
        return inflate_blocks(fd, block_by_libdeflate);
    }
#endif
    die("not linked with the library for that");
}

int
main(int count, char **arguments)
{
    char path[4096];
    if (count != 2) {
        die("usage: limits read|zlib|isal|blocks-zlib|blocks-isal|blocks-libdeflate");
    }
    ready();
    while (next_path(path)) {
        double started = now();
        int fd = open(path, O_RDONLY);
        if (fd < 0) {
            die("the file does not open");
        }
        uint64_t text = run(arguments[1], fd);
        close(fd);
        printf("{\"seconds\": %.9f, \"text\": %llu}\n", now() - started, (unsigned long long)text);
        fflush(stdout);
    }
    return 0;
}
