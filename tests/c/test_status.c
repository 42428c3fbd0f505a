#include "check.h"
#include "gv.h"

static void
test_names(void)
{
    for (unsigned i = 0; i < GV_STATUS_COUNT; i++) {
        const char *name = gv_status_name((enum gv_status)i);
        REQUIRE(name != NULL);
        CHECK(strncmp(name, "GV_", 3) == 0);
        for (unsigned j = 0; j < i; j++) {
            CHECK(strcmp(name, gv_status_name((enum gv_status)j)) != 0);
        }
    }
    CHECK_STRING(gv_status_name(GV_TRUNCATED), "GV_TRUNCATED");
    CHECK_STRING(gv_status_name(GV_READ_TOO_LONG), "GV_READ_TOO_LONG");
    for (unsigned i = 0; i < GV_FIELD_COUNT; i++) {
        const char *name = gv_field_name((enum gv_field)i);
        REQUIRE(name != NULL);
        CHECK((i == GV_FIELD_NONE) == (name[0] == '\0'));
        for (unsigned j = 0; j < i; j++) {
            CHECK(strcmp(name, gv_field_name((enum gv_field)j)) != 0);
        }
    }
    CHECK_STRING(gv_field_name(GV_FIELD_HEADER), "header");
    CHECK_STRING(gv_field_name(GV_FIELD_SEQUENCE), "sequence");
    CHECK_STRING(gv_field_name(GV_FIELD_SEPARATOR), "separator");
    CHECK_STRING(gv_field_name(GV_FIELD_QUALITY), "quality");
    CHECK_STRING(gv_foreign_name(GV_FOREIGN_BZIP2), "bzip2");
    for (unsigned i = 0; i < GV_FOREIGN_COUNT; i++) {
        CHECK(gv_foreign_name((enum gv_foreign_format)i) != NULL);
    }
}

static void
test_not_errors(void)
{
    CHECK_I(GV_OK, 0);
    CHECK(GV_END < GV_NO_MEMORY && GV_NEED_MORE < GV_NO_MEMORY && GV_INTERRUPTED < GV_NO_MEMORY);
}

static void
test_setting(void)
{
    struct gv_error error;
    memset(&error, 0xff, sizeof error);
    CHECK_NAMES(gv_error_set(&error, GV_READ_FAILED, 5), GV_READ_FAILED);
    CHECK_NAMES(error.status, GV_READ_FAILED);
    CHECK_I(error.detail, 5);
    CHECK(error.field == GV_FIELD_NONE && error.expected == 0);
    CHECK(error.line == 0 && error.record == 0 && error.offset == 0 && error.input_offset == 0);
}

int
main(void)
{
    test_names();
    test_not_errors();
    test_setting();
    return check_result();
}
