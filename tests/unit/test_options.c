/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the options table: command lines, config files, printed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/options.h"
#include "core/options_internal.h"

/* A program with one option of each type. */
struct fixture {
    int flag;
    int on;
    int64_t count;
    uint64_t size;
    double real;
    const char *text;
    const char *samples;
    int samples_flag;
    struct oy_list list;
    int choice;
    int64_t common;
    int64_t hidden_common;
    struct oy_list operand;
    struct oy_error err;
    struct oy_option option[11];
    struct oy_option table[3];
    struct oy_program program;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->on = 1;
    f->count = 7;
    f->size = 64 << 10;
    f->real = 0.5;
    f->text = "seven";
    f->choice = -1;
    f->common = 42;
    const struct oy_option option[] = {
        {"flag", 'f', OY_OPT_FLAG, &f->flag, NULL, NULL, 0, "A flag."},
        {"on", 0, OY_OPT_FLAG, &f->on, NULL, NULL, 0, "Is on."},
        {"the-count", 'n', OY_OPT_INT, &f->count, "N", "-5:2M",
         OY_OPT_IN_MANIFEST, "A count."},
        {"size", 0, OY_OPT_SIZE, &f->size, NULL, "1K:", 0, "Bytes."},
        {"real", 'r', OY_OPT_DOUBLE, &f->real, NULL, ":1", OY_OPT_IN_MANIFEST,
         "A number; the default is told here."},
        {"text", 't', OY_OPT_STRING, &f->text, NULL, NULL, 0, "A text."},
        {"log-samples", 0, OY_OPT_STRING, &f->samples, "DIR", NULL,
         OY_OPT_VALUE_OPTIONAL, "May be bare."},
        {"log_exact", 0, OY_OPT_FLAG, &f->samples_flag, NULL, NULL,
         OY_OPT_HIDDEN, "Spelled so."},
        {"list", 'l', OY_OPT_LIST, &f->list, NULL, NULL, OY_OPT_IN_MANIFEST,
         "Many."},
        {"choice", 0, OY_OPT_CHOICE, &f->choice, NULL, "one|two-b|three", 0,
         "One of."},
        {0},
    };
    const struct oy_option table[] = {
        {"common", 'c', OY_OPT_INT, &f->common, NULL, NULL, 0, "Shared."},
        {"text", 't', OY_OPT_INT, &f->hidden_common, NULL, NULL, 0, "Lost."},
        {0},
    };
    memcpy(f->option, option, sizeof option);
    memcpy(f->table, table, sizeof table);
    f->program = (struct oy_program){.name = "oy-test",
                                     .synopsis = "[OPTION]... [FILE]...",
                                     .summary = "Test things.",
                                     .option = f->option,
                                     .common = f->table};
}

static void teardown(struct fixture *f)
{
    oy_options_release(&f->program);
    oy_options_release(&f->program);
    oy_list_release(&f->operand);
}

/* Splits a line at spaces and parses it. */
static int parse(struct fixture *f, const char *line)
{
    static char text[1000];
    char *argv[40] = {"oy-test"};
    int argc = 1;

    snprintf(text, sizeof text, "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return oy_options_parse(&f->program, argc, argv, &f->operand, &f->err);
}

static void every_type_is_read(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_int_equal(parse(&f, "a -f --no-on --the_count 1.5K --size=2K - "
                               "-r1e-3 -t x=y -l p --list q --choice two_b -c3 "
                               "-- --flag"),
                     0);
    assert_int_equal(f.flag, 1);
    assert_int_equal(f.on, 0);
    assert_int_equal(f.count, 1500);
    assert_int_equal(f.size, 2048);
    assert_true(f.real > 0.000999 && f.real < 0.001001);
    assert_string_equal(f.text, "x=y");
    assert_int_equal(f.list.n_item, 2);
    assert_string_equal(f.list.item[1], "q");
    assert_int_equal(f.choice, 1);
    assert_int_equal(f.common, 3);
    assert_int_equal(f.operand.n_item, 3);
    assert_string_equal(f.operand.item[1], "-");
    assert_string_equal(f.operand.item[2], "--flag");
    teardown(&f);
}

static void defaults_stay(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_int_equal(parse(&f, "-fc 9"), 0);
    assert_int_equal(f.count, 7);
    assert_int_equal(f.common, 9);
    assert_int_equal(f.choice, -1);
    assert_true(oy_options_given(&f.program, "flag"));
    assert_true(oy_options_given(&f.program, "common"));
    assert_false(oy_options_given(&f.program, "the-count"));
    teardown(&f);
}

static void trouble_names_the_option(void **state)
{
    static const struct {
        const char *line, *part;
    } test[] = {
        {"--nope", "unknown option '--nope'"},
        {"--the-coun 3", "is '--the-count' meant?"},
        {"-x", "unknown option '-x'"},
        {"--the-count", "option '--the-count' needs a value"},
        {"-n", "option '--the-count' needs a value"},
        {"-n 3M", "option '--the-count': '3M' is not in -5 to 2M"},
        {"-n -6", "'-6' is not in"},
        {"-n 1.0005K", "is not a whole number"},
        {"-n 99999999999999999999", "is not a whole number"},
        {"--size 1", "option '--size': '1' is less than 1K"},
        {"--size x", "is not a size"},
        {"--real 2", "option '--real': '2' is more than 1"},
        {"--real nan", "is not a number"},
        {"--real 1x", "is not a number"},
        {"--flag=1", "option '--flag' takes no value"},
        {"--no-real", "unknown option '--no-real'"},
        {"--choice four", "'four' is not one of one|two-b|three"},
        {"--choice on", "is not one of"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        struct fixture f;
        setup(&f);
        assert_int_equal(parse(&f, test[i].line), -1);
        assert_int_equal(f.err.code, OY_USAGE);
        assert_non_null(strstr(f.err.message, test[i].part));
        teardown(&f);
    }
}

static void values_may_be_left_out(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_int_equal(parse(&f, "--log-samples dir"), 0);
    assert_string_equal(f.samples, "dir");
    teardown(&f);
    setup(&f);
    assert_int_equal(parse(&f, "--log_samples file --log_exact"), 0);
    assert_string_equal(f.samples, "");
    assert_int_equal(f.samples_flag, 1);
    assert_int_equal(f.operand.n_item, 1);
    teardown(&f);
    setup(&f);
    assert_int_equal(parse(&f, "--log-samples -f"), 0);
    assert_string_equal(f.samples, "");
    assert_int_equal(f.flag, 1);
    teardown(&f);
    setup(&f);
    assert_int_equal(parse(&f, "--log-samples"), 0);
    assert_string_equal(f.samples, "");
    teardown(&f);
}

static void write_config(char path[32], const char *text)
{
    strcpy(path, "/tmp/oy-test-XXXXXX");
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int parse_config(struct fixture *f, const char *config, const char *rest)
{
    char path[32], line[200];

    write_config(path, config);
    snprintf(line, sizeof line, "%s --config %s", rest, path);
    const int status = parse(f, line);
    unlink(path);
    return status;
}

static void a_config_fills_and_the_line_wins(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    assert_int_equal(
        parse_config(
            &f,
            "{\"the_count\": 5, \"real\": 0.25, \"text\": \"a\\u00e9\","
            " \"list\": [\"x\", \"y\"], \"flag\": true, \"on\": false,"
            " \"choice\": \"three\", \"size\": \"3K\", "
            "\"common\": null}",
            "-n 6 -l z"),
        0);
    assert_int_equal(f.count, 6);
    assert_true(f.real > 0.2 && f.real < 0.3);
    assert_string_equal(f.text, "a\xc3\xa9");
    assert_int_equal(f.list.n_item, 1);
    assert_string_equal(f.list.item[0], "z");
    assert_int_equal(f.flag, 1);
    assert_int_equal(f.on, 0);
    assert_int_equal(f.choice, 2);
    assert_int_equal(f.size, 3072);
    assert_int_equal(f.common, 42);
    teardown(&f);
}

static void a_bad_config_is_told(void **state)
{
    static const struct {
        const char *config, *part;
        int code;
    } test[] = {
        {"{\"nope\": 1}", "unknown option '--nope'", OY_USAGE},
        {"{\"flag\": 3}", "option '--flag': unfit value 3", OY_USAGE},
        {"{\"the-count\": [1]}", "unfit value", OY_USAGE},
        {"{\"the-count\": \"1\\u0000\"}", "unfit value", OY_USAGE},
        {"{\"flag\\u0000\": true}", "unfit name", OY_USAGE},
        {"{\"the-count\": 1e9}", "option '--the-count'", OY_USAGE},
        {"{\"config\": \"x\"}", "cannot stand here", OY_USAGE},
        {"[]", "not a JSON object", OY_DATA},
        {"{\"flag\": true", "at byte", OY_DATA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof test / sizeof *test; i++) {
        struct fixture f;
        setup(&f);
        assert_int_equal(parse_config(&f, test[i].config, ""), -1);
        assert_int_equal(f.err.code, test[i].code);
        assert_non_null(strstr(f.err.message, test[i].part));
        assert_non_null(strstr(f.err.message, "/tmp/oy-test-"));
        teardown(&f);
    }
    struct fixture f;
    setup(&f);
    assert_int_equal(parse(&f, "--config /nowhere/x.json"), -1);
    assert_int_equal(f.err.code, OY_NOINPUT);
    teardown(&f);
}

/* What is printed is a config that changes nothing. */
static void printed_values_read_back(void **state)
{
    struct fixture f;
    struct oy_buffer first = {0}, second = {0};

    (void)state;
    setup(&f);
    assert_int_equal(parse(&f, "-l a -l b --real 0.1 --size 1G"), 0);
    oy_options_put_json(&f.program, 0, &first);
    teardown(&f);
    setup(&f);
    assert_int_equal(parse_config(&f, oy_buffer_string(&first), ""), 0);
    oy_options_put_json(&f.program, 0, &second);
    assert_string_equal(oy_buffer_string(&first), oy_buffer_string(&second));
    teardown(&f);
    oy_buffer_release(&first);
    oy_buffer_release(&second);
}

static void a_manifest_lists_what_matters(void **state)
{
    struct fixture f;
    struct oy_buffer out = {0};

    (void)state;
    setup(&f);
    assert_int_equal(parse(&f, "-l a"), 0);
    oy_options_put_json(&f.program, 1, &out);
    assert_string_equal(oy_buffer_string(&out),
                        "{\n  \"the-count\": 7,\n  \"real\": 0.5,\n"
                        "  \"list\": [\"a\"]\n}");
    oy_buffer_release(&out);
    teardown(&f);
}

static void help_is_aligned_and_narrow(void **state)
{
    struct fixture f;
    struct oy_buffer out = {0};

    (void)state;
    setup(&f);
    oy_option_print_help(&f.program, &out);
    const char *text = oy_buffer_string(&out);
    assert_non_null(strstr(text, "Usage: oy-test [OPTION]... [FILE]...\n"));
    assert_non_null(strstr(text, "  -f, --flag  "));
    assert_non_null(strstr(text, "A count (default: 7).\n"));
    assert_non_null(strstr(text, "Bytes (default: 64K).\n"));
    assert_non_null(strstr(text, "--choice one|two-b|three"));
    assert_non_null(strstr(text, "--log-samples[=DIR]"));
    assert_null(strstr(text, "log_exact"));
    assert_null(strstr(text, "Lost"));
    for (const char *line = text; *line;) {
        const size_t len = strcspn(line, "\n");
        assert_true(len <= 79);
        line += len + 1;
    }
    oy_buffer_release(&out);
    teardown(&f);
}

static void sizes_and_counts(void **state)
{
    uint64_t size;
    int64_t count;

    (void)state;
    assert_int_equal(oy_parse_size("0", &size), 0);
    assert_int_equal(size, 0);
    assert_int_equal(oy_parse_size("16M", &size), 0);
    assert_int_equal(size, 16 << 20);
    assert_int_equal(oy_parse_size("0.1k", &size), 0);
    assert_int_equal(size, 102);
    assert_int_equal(oy_parse_size("18446744073709551615", &size), 0);
    assert_true(size == UINT64_MAX);
    assert_int_equal(oy_parse_size("18446744073709551616", &size), -1);
    assert_int_equal(oy_parse_size("20000000T", &size), -1);
    assert_int_equal(oy_parse_count("2.5T", &count), 0);
    assert_int_equal(count, 2500000000000LL);
    assert_int_equal(oy_parse_count("-3", &count), 0);
    assert_int_equal(count, -3);
    static const char *const bad[] = {"",    "K",     "1KK", "1Q",   " 1", "1 ",
                                      "--1", "1.2.3", ".",   "0x10", "1e3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(oy_parse_size(bad[i], &size), -1);
        assert_int_equal(oy_parse_count(bad[i], &count), -1);
    }
    assert_int_equal(oy_parse_size("-1", &size), -1);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(defaults_stay),
        cmocka_unit_test(trouble_names_the_option),
        cmocka_unit_test(values_may_be_left_out),
        cmocka_unit_test(a_config_fills_and_the_line_wins),
        cmocka_unit_test(a_bad_config_is_told),
        cmocka_unit_test(printed_values_read_back),
        cmocka_unit_test(a_manifest_lists_what_matters),
        cmocka_unit_test(help_is_aligned_and_narrow),
        cmocka_unit_test(sizes_and_counts),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
