/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the engine: the same bytes for any number of threads, the first
 * failure told, bad records, shards, chains and passes. */
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
#include "core/filter.h"
#include "core/hash.h"

enum { N_RECORD = 30000 };

static const int thread_count[] = {1, 2, 7};

/* ---- a folder with an input ---- */

static char folder[] = "/tmp/oy-filter-XXXXXX";

static char *in_folder(const char *name)
{
    return oy_asprintf("%s/%s", folder, name);
}

static void write_text(const char *name, const char *text, size_t len)
{
    char *path = in_folder(name);
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
    oy_free(path);
}

static char *read_text(const char *name)
{
    struct oy_buffer text = {0};
    char *path = in_folder(name), block[4096];
    FILE *file = fopen(path, "rb");
    size_t n;

    oy_free(path);
    if (!file)
        return NULL;
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        oy_buffer_append(&text, block, n);
    fclose(file);
    oy_buffer_string(&text);
    return text.data;
}

/* Lines of very different lengths; about 4 MB in all. */
static void make_input(void)
{
    struct oy_buffer text = {0};

    for (int i = 0; i < N_RECORD; i++) {
        oy_buffer_append_format(&text, "{\"id\":%d,\"text\":\"", i);
        for (int k = 0; k < (i * 7919) % 23; k++)
            oy_buffer_append_format(&text, "word%d ", k);
        oy_buffer_append_string(&text, i % 3 ? "\"}\n" : "\\u00e9\"} \n");
        if (i == 20000) {
            oy_buffer_append_string(&text, "{\"id\":-1,\"text\":\"");
            for (int k = 0; k < 300000; k++)
                oy_buffer_append_string(&text, "long ");
            oy_buffer_append_string(&text, "\"}\r\n\n");
        }
    }
    write_text("in.jsonl", text.data, text.len);
    oy_buffer_release(&text);
}

static int setup_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    make_input();
    return 0;
}

static int remove_folder(void **state)
{
    char *command = oy_asprintf("rm -rf '%s'", folder);

    (void)state;
    const int status = system(command);
    oy_free(command);
    return status;
}

/* ---- a run ---- */

struct job {
    struct oy_run run;
    struct oy_program program;
    struct oy_error err;
    char *path[4];
};

/* A run over in.jsonl (or `input`) to out.jsonl, with words of a command
 * line. */
static void start_job(struct job *job, const char *input, const char *words)
{
    static const struct oy_option none[] = {{0}};
    char *argv[20] = {"oy-test"}, *text = oy_strdup(words);
    int argc = 1;

    memset(job, 0, sizeof *job);
    job->path[0] = in_folder(input ? input : "in.jsonl");
    job->path[1] = in_folder("out.jsonl");
    job->path[2] = in_folder("rejects.jsonl");
    job->path[3] = text;
    unlink(job->path[1]);
    unlink(job->path[2]);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "REJECTS") ? word : job->path[2];
    argv[argc++] = "-o";
    argv[argc++] = job->path[1];
    argv[argc++] = job->path[0];
    argv[argc] = NULL;
    oy_run_init(&job->run, "oy-test");
    job->program = (struct oy_program){.name = "oy-test", .option = none};
    assert_int_equal(
        oy_run_parse(&job->run, &job->program, argc, argv, &job->err), 0);
}

static void end_job(struct job *job)
{
    struct oy_error none = {0};

    assert_int_equal(oy_run_exit(&job->run, &none), 0);
    for (int i = 0; i < 4; i++)
        oy_free(job->path[i]);
}

static int run_filters(const struct oy_filter *filter, int n, int n_thread,
                       const char *input, const char *words, char **out,
                       struct oy_error *err)
{
    struct job job;

    start_job(&job, input, words);
    job.run.threads = n_thread;
    const int status = oy_filter_run(filter, n, &job.run, NULL, &job.err);
    *err = job.err;
    *out = read_text("out.jsonl");
    end_job(&job);
    return status;
}

/* ---- filters ---- */

/* Drops by a hash in judge() and by all that came before in settle(). */
struct history {
    uint64_t state;
    uint64_t n_merged;
    uint64_t n_seen[2];
};

struct scratch {
    uint64_t n_judged;
};

static void *scratch_new(void *self)
{
    (void)self;
    return oy_calloc(1, sizeof(struct scratch));
}

static void scratch_free(void *self, void *worker)
{
    (void)self;
    oy_free(worker);
}

static int judge_text(void *self, void *worker, struct oy_record *record,
                      int pass, struct oy_error *err)
{
    struct scratch *scratch = worker;
    uint64_t *blob = oy_arena_alloc(record->arena, sizeof *blob);

    (void)self;
    (void)pass;
    (void)err;
    scratch->n_judged++;
    *blob = oy_hash64(record->text.at, record->text.len);
    record->blob = blob;
    record->blob_len = sizeof *blob;
    if (*blob % 7 == 0) {
        record->fate = OY_DROP;
        record->reason = "seven";
    }
    if (*blob % 5 == 0)
        oy_record_set_text(record, 0, "five", 4);
    if (*blob % 11 == 0)
        oy_record_set_part(record, "test", "11", 2);
    return 0;
}

static int settle_text(void *self, struct oy_record *record,
                       struct oy_filter_context *context, struct oy_error *err)
{
    struct history *history = self;
    const uint64_t hash = *(const uint64_t *)record->blob;

    (void)err;
    history->n_seen[context->pass]++;
    history->state = history->state * 31 + hash + record->number;
    if (record->fate == OY_KEEP && history->state % 4 == 0) {
        record->fate = OY_DROP;
        record->reason = "history";
    }
    oy_counter_add(context->counter, "settled", 1);
    return 0;
}

static int merge_text(void *self, void *worker, int pass, struct oy_error *err)
{
    struct history *history = self;
    const struct scratch *scratch = worker;

    (void)pass;
    (void)err;
    history->n_merged += scratch->n_judged;
    return 0;
}

static struct oy_filter text_filter(struct history *history)
{
    *history = (struct history){0};
    return (struct oy_filter){
        .self = history,
        .wants_text = 1,
        .n_pass = 1,
        .writes_records = 1,
        .worker_new = scratch_new,
        .worker_free = scratch_free,
        .judge = judge_text,
        .settle = settle_text,
        .merge = merge_text,
    };
}

/* ---- tests ---- */

static void threads_do_not_change_the_output(void **state)
{
    char *first = NULL;

    (void)state;
    for (int settles = 0; settles < 2; settles++) {
        for (int i = 0; i < 3; i++) {
            struct history history;
            struct oy_error err;
            struct oy_filter filter = text_filter(&history);
            char *out;

            if (!settles)
                filter.settle = NULL;
            assert_int_equal(
                run_filters(&filter, 1, thread_count[i], NULL, "", &out, &err),
                0);
            assert_int_equal(history.n_merged, N_RECORD + 1);
            if (first)
                assert_string_equal(out, first);
            else
                first = oy_strdup(out);
            oy_free(out);
        }
        oy_free(first);
        first = NULL;
    }
}

/* Blank lines and carriage returns go, all else is as it was. */
static void nothing_to_do_copies(void **state)
{
    const struct oy_filter filter = {.n_pass = 1, .writes_records = 1};
    const char *in = "{\"a\":1}\r\n\n {\"b\" :2.50}\n  \n{\"c\":3}";
    struct oy_error err;
    char *out;

    (void)state;
    write_text("small.jsonl", in, strlen(in));
    assert_int_equal(run_filters(&filter, 1, 2, "small.jsonl", "", &out, &err),
                     0);
    assert_string_equal(out, "{\"a\":1}\n {\"b\" :2.50}\n{\"c\":3}\n");
    oy_free(out);
    write_text("small.jsonl", "", 0);
    assert_int_equal(run_filters(&filter, 1, 2, "small.jsonl", "", &out, &err),
                     0);
    assert_string_equal(out, "");
    oy_free(out);
}

/* The same failure for any number of threads: the first in the input. */
static void the_first_failure_is_told(void **state)
{
    char *text = read_text("in.jsonl");
    struct oy_error err;

    (void)state;
    for (const char *line = text; (line = strstr(line, "{\"id\":2")); line++)
        *(char *)(uintptr_t)line = line[7] == '9' ? '[' : '{';
    write_text("broken.jsonl", text, strlen(text));
    oy_free(text);
    for (int i = 0; i < 3; i++) {
        struct history history;
        const struct oy_filter filter = text_filter(&history);
        char *out;

        assert_int_equal(run_filters(&filter, 1, thread_count[i],
                                     "broken.jsonl", "", &out, &err),
                         -1);
        assert_int_equal(err.code, OY_DATA);
        assert_non_null(strstr(err.message, "broken.jsonl:30: "));
        assert_int_equal(history.n_seen[0], 29);
        assert_null(out);
    }
}

static void bad_records_are_skipped_and_told(void **state)
{
    const struct oy_filter filter = {
        .n_pass = 1, .writes_records = 1, .wants_text = 1};
    const char in[] = "{\"text\":\"a\"}\nnope\n{\"text\":3}\n{\"t\":\"x\"}\n"
                      "{\"text\":\"\\q\"}\n{\"text\":\"\xff\"} x\n"
                      "{\"text\":\"0123456789012345678901234567890\"}\n"
                      "{\"text\":\"b\xff\"}\n";
    struct oy_error err;
    char *out;

    (void)state;
    write_text("bad.jsonl", in, sizeof in - 1);
    assert_int_equal(run_filters(&filter, 1, 2, "bad.jsonl",
                                 "--bad skip --max-record 30 --rejects REJECTS",
                                 &out, &err),
                     0);
    assert_string_equal(out, "{\"text\":\"a\"}\n{\"text\":\"b\xff\"}\n");
    oy_free(out);
    out = read_text("rejects.jsonl");
    assert_non_null(strstr(out, ",\"line\":2,\"error\":"));
    assert_non_null(strstr(out, ",\"raw\":\"nope\"}\n"));
    assert_non_null(
        strstr(out, ",\"line\":3,\"error\":\"field 'text' is not a string\""));
    assert_non_null(
        strstr(out, ",\"line\":4,\"error\":\"missing field 'text'\""));
    assert_non_null(strstr(out, ",\"line\":5,"));
    assert_non_null(strstr(out, ",\"raw_base64\":\"eyJ0ZXh0Ijoi/yJ9IHg=\"}"));
    assert_non_null(strstr(out, "longer than --max-record (30 bytes)"));
    assert_null(strstr(out, ",\"line\":8,"));
    oy_free(out);
}

static void strict_refuses_more(void **state)
{
    const struct oy_filter filter = {
        .n_pass = 1, .writes_records = 1, .wants_text = 1};
    const char *const bad[] = {"{\"text\":\"b\xff\"}\n",
                               "{\"text\":\"b\\ud800\"}\n",
                               "{\"x\":[1,,2],\"text\":\"b\"}\n"};
    struct oy_error err;
    char *out;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        write_text("strict.jsonl", bad[i], strlen(bad[i]));
        assert_int_equal(
            run_filters(&filter, 1, 1, "strict.jsonl", "", &out, &err), 0);
        oy_free(out);
        assert_int_equal(
            run_filters(&filter, 1, 1, "strict.jsonl", "--strict", &out, &err),
            -1);
        assert_int_equal(err.code, OY_DATA);
        assert_non_null(strstr(err.message, "strict.jsonl:1: "));
        assert_null(out);
    }
}

static void shards_share_the_records(void **state)
{
    const struct oy_filter filter = {.n_pass = 1, .writes_records = 1};
    const char *in = "{\"a\":0}\n{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}\nbad\n";
    struct oy_error err;
    char *out;

    (void)state;
    write_text("shard.jsonl", in, strlen(in));
    assert_int_equal(
        run_filters(&filter, 1, 1, "shard.jsonl", "--shard 1/3", &out, &err),
        0);
    assert_string_equal(out, "{\"a\":0}\n{\"a\":3}\n");
    oy_free(out);
    assert_int_equal(
        run_filters(&filter, 1, 1, "shard.jsonl", "--shard 3/3", &out, &err),
        0);
    assert_string_equal(out, "{\"a\":2}\n");
    oy_free(out);
    assert_int_equal(
        run_filters(&filter, 1, 1, "shard.jsonl", "--shard 2/3", &out, &err),
        -1);
}

/* Notes the order of calls: a letter a call. */
struct trace {
    char name;
    char drops_at; /* 'j', 's' or 0, for the record with id 1 */
    struct oy_buffer *log;
};

static int has_id_1(const struct oy_record *record)
{
    int64_t id = 0;

    return !oy_json_int64(&record->found[1], &id) && id == 1;
}

static int judge_trace(void *self, void *worker, struct oy_record *record,
                       int pass, struct oy_error *err)
{
    const struct trace *trace = self;

    (void)worker;
    (void)pass;
    (void)err;
    oy_buffer_append_format(trace->log, "j%c%llu ", trace->name,
                            (unsigned long long)record->number);
    if (trace->drops_at == 'j' && has_id_1(record)) {
        record->fate = OY_DROP;
        record->reason = "judged";
    }
    return 0;
}

static int settle_trace(void *self, struct oy_record *record,
                        struct oy_filter_context *context, struct oy_error *err)
{
    const struct trace *trace = self;

    (void)context;
    (void)err;
    oy_buffer_append_format(trace->log, "s%c%llu%s ", trace->name,
                            (unsigned long long)record->number,
                            record->fate == OY_DROP ? "-" : "");
    if (trace->drops_at == 's' && has_id_1(record)) {
        record->fate = OY_DROP;
        record->reason = "settled";
    }
    return 0;
}

static void check_chain(char a_drops, char b_drops, const char *want)
{
    static const char *const field_a[] = {"id", NULL};
    static const char *const field_b[] = {"id", "other", NULL};
    const char *in = "{\"id\":0,\"text\":\"\"}\n{\"text\":\"\",\"id\":1}\n";
    struct oy_buffer log = {0};
    struct trace a = {'a', a_drops, &log}, b = {'b', b_drops, &log};
    struct oy_filter filter[2];
    struct oy_error err;
    char *out;

    filter[0] = (struct oy_filter){.self = &a,
                                   .field = field_a,
                                   .n_pass = 1,
                                   .writes_records = 1,
                                   .judge = judge_trace,
                                   .settle = settle_trace};
    filter[1] = filter[0];
    filter[1].self = &b;
    filter[1].field = field_b;
    write_text("chain.jsonl", in, strlen(in));
    assert_int_equal(run_filters(filter, 2, 1, "chain.jsonl", "", &out, &err),
                     0);
    assert_string_equal(oy_buffer_string(&log), want);
    oy_free(out);
    oy_buffer_release(&log);
}

static void chains_stop_where_a_record_is_dropped(void **state)
{
    (void)state;
    check_chain(0, 0, "ja0 jb0 ja1 jb1 sa0 sb0 sa1 sb1 ");
    check_chain('j', 0, "ja0 jb0 ja1 sa0 sb0 sa1- ");
    check_chain(0, 'j', "ja0 jb0 ja1 jb1 sa0 sb0 sa1 sb1- ");
    check_chain('s', 0, "ja0 jb0 ja1 jb1 sa0 sb0 sa1 ");
    check_chain('s', 'j', "ja0 jb0 ja1 jb1 sa0 sb0 sa1 ");
}

/* The second filter of a chain sees the text of the first. */
static int judge_rewrites(void *self, void *worker, struct oy_record *record,
                          int pass, struct oy_error *err)
{
    (void)worker;
    (void)pass;
    (void)err;
    if (self) {
        assert_memory_equal(record->text.at, "new", 3);
        assert_int_equal(record->text.len, 3);
    }
    oy_record_set_text(record, 0, self ? "newer" : "new", self ? 5 : 3);
    return 0;
}

static void texts_are_handed_on(void **state)
{
    const char *in = "{\"text\":\"old\"}\n";
    int second;
    const struct oy_filter filter[2] = {
        {.wants_text = 1,
         .n_pass = 1,
         .writes_records = 1,
         .judge = judge_rewrites},
        {.self = &second,
         .wants_text = 1,
         .n_pass = 1,
         .writes_records = 1,
         .judge = judge_rewrites},
    };
    struct oy_error err;
    char *out;

    (void)state;
    write_text("text.jsonl", in, strlen(in));
    assert_int_equal(run_filters(filter, 2, 1, "text.jsonl", "", &out, &err),
                     0);
    assert_string_equal(out, "{\"text\":\"newer\"}\n");
    oy_free(out);
}

static void two_passes_see_all_twice(void **state)
{
    char *first = NULL;

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct history history;
        struct oy_error err;
        struct oy_filter filter = text_filter(&history);
        char *out;

        filter.n_pass = 2;
        assert_int_equal(
            run_filters(&filter, 1, thread_count[i], NULL, "", &out, &err), 0);
        assert_int_equal(history.n_seen[0], N_RECORD + 1);
        assert_int_equal(history.n_seen[1], N_RECORD + 1);
        if (first)
            assert_string_equal(out, first);
        else
            first = oy_strdup(out);
        oy_free(out);
    }
    oy_free(first);
}

static int fail_at_700(void *self, struct oy_record *record,
                       struct oy_filter_context *context, struct oy_error *err)
{
    (void)self;
    (void)context;
    if (record->number == 700)
        return oy_fail(err, OY_DATA, "no more");
    return 0;
}

static void a_filter_may_end_the_run(void **state)
{
    const struct oy_filter filter = {
        .n_pass = 1, .writes_records = 1, .settle = fail_at_700};
    struct oy_error err;
    char *out;

    (void)state;
    assert_int_equal(run_filters(&filter, 1, 7, NULL, "", &out, &err), -1);
    assert_non_null(strstr(err.message, "in.jsonl:701: no more"));
    assert_null(out);
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(threads_do_not_change_the_output),
        cmocka_unit_test(nothing_to_do_copies),
        cmocka_unit_test(the_first_failure_is_told),
        cmocka_unit_test(bad_records_are_skipped_and_told),
        cmocka_unit_test(strict_refuses_more),
        cmocka_unit_test(shards_share_the_records),
        cmocka_unit_test(chains_stop_where_a_record_is_dropped),
        cmocka_unit_test(texts_are_handed_on),
        cmocka_unit_test(two_passes_see_all_twice),
        cmocka_unit_test(a_filter_may_end_the_run),
    };

    return cmocka_run_group_tests(test, setup_folder, remove_folder);
}
