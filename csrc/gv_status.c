#include "gv_status.h"

const char *
gv_status_name(enum gv_status status)
{
    static const char *const names[GV_STATUS_COUNT] = {
        [GV_OK] = "GV_OK",
        [GV_END] = "GV_END",
        [GV_NEED_MORE] = "GV_NEED_MORE",
        [GV_INTERRUPTED] = "GV_INTERRUPTED",
        [GV_NO_MEMORY] = "GV_NO_MEMORY",
        [GV_MEMORY_LIMIT] = "GV_MEMORY_LIMIT",
        [GV_ARENA_FULL] = "GV_ARENA_FULL",
        [GV_ARENA_IN_USE] = "GV_ARENA_IN_USE",
        [GV_OPEN_FAILED] = "GV_OPEN_FAILED",
        [GV_READ_FAILED] = "GV_READ_FAILED",
        [GV_CALLBACK_FAILED] = "GV_CALLBACK_FAILED",
        [GV_UNSUPPORTED_FORMAT] = "GV_UNSUPPORTED_FORMAT",
        [GV_BAD_GZIP] = "GV_BAD_GZIP",
        [GV_TRUNCATED_GZIP] = "GV_TRUNCATED_GZIP",
        [GV_BAD_HEADER] = "GV_BAD_HEADER",
        [GV_BLANK_LINE] = "GV_BLANK_LINE",
        [GV_BAD_BYTE] = "GV_BAD_BYTE",
        [GV_BAD_LETTER] = "GV_BAD_LETTER",
        [GV_BAD_SEPARATOR] = "GV_BAD_SEPARATOR",
        [GV_SEPARATOR_MISMATCH] = "GV_SEPARATOR_MISMATCH",
        [GV_LENGTH_MISMATCH] = "GV_LENGTH_MISMATCH",
        [GV_TRUNCATED] = "GV_TRUNCATED",
        [GV_RECORD_TOO_LONG] = "GV_RECORD_TOO_LONG",
        [GV_READ_TOO_LONG] = "GV_READ_TOO_LONG",
        [GV_NO_PLACE] = "GV_NO_PLACE",
        [GV_OUT_OF_LAYOUT] = "GV_OUT_OF_LAYOUT",
    };
    return names[status];
}

const char *
gv_field_name(enum gv_field field)
{
    static const char *const names[GV_FIELD_COUNT] = {
        [GV_FIELD_NONE] = "",
        [GV_FIELD_HEADER] = "header",
        [GV_FIELD_SEQUENCE] = "sequence",
        [GV_FIELD_SEPARATOR] = "separator",
        [GV_FIELD_QUALITY] = "quality",
        [GV_FIELD_GZIP_HEADER] = "gzip header",
        [GV_FIELD_GZIP_DEFLATE] = "compressed data",
        [GV_FIELD_GZIP_CRC] = "checksum",
        [GV_FIELD_GZIP_LENGTH] = "length",
        [GV_FIELD_BGZF_SIZE] = "BGZF block size",
        [GV_FIELD_GZIP_TAIL] = "trailing bytes",
    };
    return names[field];
}

const char *
gv_foreign_name(enum gv_foreign_format format)
{
    static const char *const names[GV_FOREIGN_COUNT] = {
        [GV_FOREIGN_GZIP] = "gzip", [GV_FOREIGN_BZIP2] = "bzip2", [GV_FOREIGN_XZ] = "xz",
        [GV_FOREIGN_ZSTD] = "zstd", [GV_FOREIGN_ZIP] = "zip",
    };
    return names[format];
}

enum gv_status
gv_error_set(struct gv_error *error, enum gv_status status, int64_t detail)
{
    *error = (struct gv_error){.status = status, .detail = detail};
    return status;
}
