// SPDX-License-Identifier: Apache-2.0
/* The log's lines, byte for byte but for the time, and which of them are written. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdk/src/log/logger.h"
#include "tests/unit/suite.h"

static int outputs[2];
static char path[] = "/tmp/weir-test-log-XXXXXX";

static void set_up(void)
{
    outputs[0] = mkstemp(path);
    ck_assert_int_ge(outputs[0], 0);
    ck_assert_int_eq(unlink(path), 0);
    setenv("TZ", "Test-02:30", 1);
    tzset();
}

static void tear_down(void)
{
    weir_logging_configure(&(struct weir_logging){ .level = WEIR_ERROR });
    close(outputs[0]);
}

static struct weir_logging to_file(bool json, const char *fields)
{
    return (struct weir_logging){
        .level = WEIR_INFO, .json = json, .descriptors = outputs, .descriptor_count = 1, .fields = fields,
    };
}

/* What was written since the last call, with each time 2026-11-21T13:40:44.559+0230 turned into TIME. */
static const char *written(void)
{
    static char raw[8192], text[8192];
    ssize_t length = pread(outputs[0], raw, sizeof raw - 1, 0);
    ck_assert_int_ge(length, 0);
    raw[length] = '\0';
    ck_assert_int_eq(ftruncate(outputs[0], 0), 0);
    ck_assert_int_eq(lseek(outputs[0], 0, SEEK_SET), 0);
    size_t out = 0;
    for (const char *c = raw; *c; c++) {
        static const char shape[] = "0000-00-00T00:00:00.000+0230";
        size_t i = 0; /* the zone's 0 is a digit, too, so 0 in the shape stands for any */
        while (shape[i] && (shape[i] == '0' ? c[i] >= '0' && c[i] <= '9' : c[i] == shape[i]))
            i++;
        if (shape[i] == '\0') {
            memcpy(text + out, "TIME", 4);
            out += 4;
            c += sizeof shape - 2;
        } else {
            text[out++] = *c;
        }
    }
    text[out] = '\0';
    return text;
}

START_TEST(console)
{
    struct weir_logging logging = to_file(false, "");
    weir_logging_configure(&logging);
    struct weir_logger *plain = weir_logger_new(NULL);
    weir_log(plain, WEIR_INFO, "Hello");
    ck_assert_str_eq(written(), "TIME\tinfo\tHello\n");
    struct weir_field own[] = { WEIR_F_TEXT("id", "otlp/a"), WEIR_F_END };
    struct weir_logger *logger = weir_logger_new(own);
    weir_log(logger, WEIR_WARN, "Sender failed", WEIR_F_TEXT("error", "no \"luck\"\n"), WEIR_F_INT("n", -5),
             WEIR_F_UINT("u", UINT64_MAX), WEIR_F_DOUBLE("d", 0.5), WEIR_F_BOOL("b", true));
    ck_assert_str_eq(written(), "TIME\twarn\tSender failed\t{\"id\": \"otlp/a\", \"error\": \"no \\\"luck\\\"\\n\", "
                                "\"n\": -5, \"u\": 18446744073709551615, \"d\": 0.5, \"b\": true}\n");
    weir_logger_free(plain);
    weir_logger_free(logger);
}
END_TEST

START_TEST(json)
{
    struct weir_logging logging = to_file(true, "\"resource\": {\"service.name\": \"weir\"}");
    weir_logging_configure(&logging);
    struct weir_logger *logger = weir_logger_new(NULL);
    weir_log(logger, WEIR_ERROR, "tab\there \"x\" \x01", WEIR_F_STR("none", WEIR_STR_NONE));
    ck_assert_str_eq(written(), "{\"level\": \"error\", \"ts\": \"TIME\", \"msg\": \"tab\\there \\\"x\\\" \\u0001\", "
                                "\"resource\": {\"service.name\": \"weir\"}, \"none\": \"\"}\n");
    weir_logger_free(logger);
}
END_TEST

/* Bytes of a peer in a message or a field cannot look like lines of ours. */
START_TEST(control_characters)
{
    struct weir_logging logging = to_file(false, "");
    weir_logging_configure(&logging);
    struct weir_logger *logger = weir_logger_new(NULL);
    weir_log(logger, WEIR_INFO, "a\rb\x1b[31mc", WEIR_F_TEXT("peer", "x\n2026\r\x1b[0m"));
    ck_assert_str_eq(written(), "TIME\tinfo\ta b [31mc\t{\"peer\": \"x\\n2026\\r\\u001b[0m\"}\n");
    weir_logger_free(logger);
}
END_TEST

START_TEST(levels)
{
    static const enum weir_log_level all[] = { WEIR_DEBUG, WEIR_INFO, WEIR_WARN, WEIR_ERROR };
    struct weir_logger *logger = weir_logger_new(NULL);
    for (size_t least = 0; least < 4; least++) {
        struct weir_logging logging = to_file(false, "");
        logging.level = all[least];
        weir_logging_configure(&logging);
        size_t lines = 0;
        for (size_t i = 0; i < 4; i++) {
            weir_log(logger, all[i], "x");
            ck_assert(weir_log_enabled(logger, all[i]) == (i >= least));
        }
        for (const char *c = written(); *c; c++)
            lines += *c == '\n';
        ck_assert_uint_eq(lines, 4 - least);
    }
    weir_log(NULL, WEIR_ERROR, "nobody's");
    ck_assert_str_eq(written(), "");
    weir_logger_free(logger);
}
END_TEST

START_TEST(several_outputs)
{
    int ends[2];
    char line[64] = "";
    ck_assert_int_eq(pipe(ends), 0);
    outputs[1] = ends[1];
    struct weir_logging logging = to_file(false, "");
    logging.descriptor_count = 2;
    weir_logging_configure(&logging);
    struct weir_logger *logger = weir_logger_new(NULL);
    weir_log(logger, WEIR_INFO, "twice");
    ck_assert_str_eq(written(), "TIME\tinfo\ttwice\n");
    ck_assert_int_gt(read(ends[0], line, sizeof line - 1), 0);
    ck_assert_ptr_nonnull(strstr(line, "\tinfo\ttwice\n"));
    weir_logger_free(logger);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(sampling)
{
    struct weir_logging logging = {
        .sampling = true, .sampling_tick = 1000, .sampling_initial = 2, .sampling_thereafter = 3,
    };
    static const bool expected[] = { true, true, false, false, true, false, false, true };
    for (size_t i = 0; i < WEIR_ARRAY_LENGTH(expected); i++)
        ck_assert(log_sample(WEIR_WARN, "same", &logging, 10) == expected[i]);
    ck_assert(log_sample(WEIR_WARN, "another", &logging, 10));
    ck_assert(log_sample(WEIR_ERROR, "same", &logging, 10));
    /* the next tick starts anew */
    ck_assert(log_sample(WEIR_WARN, "same", &logging, 1010));
    ck_assert(log_sample(WEIR_WARN, "same", &logging, 1011));
    ck_assert(!log_sample(WEIR_WARN, "same", &logging, 1012));
    logging.sampling_thereafter = 0;
    for (int i = 0; i < 20; i++)
        ck_assert(!log_sample(WEIR_WARN, "same", &logging, 1013));
    logging.sampling = false;
    ck_assert(log_sample(WEIR_WARN, "same", &logging, 1014));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines");
    tcase_add_checked_fixture(lines, set_up, tear_down);
    tcase_add_test(lines, console);
    tcase_add_test(lines, json);
    tcase_add_test(lines, control_characters);
    tcase_add_test(lines, levels);
    tcase_add_test(lines, several_outputs);
    tcase_add_test(lines, sampling);
    suite_add_tcase(suite, lines);
    return run_suite(suite);
}
