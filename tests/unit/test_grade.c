/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking and grading together: whole runs of lm-eval are repeated with its
 * own answers, and samples and results must be what it wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/input.h"
#include "eval/ask.h"
#include "eval/grade.h"
#include "tokenizer/template_value.h"

struct run {
    const char *name;
    const char *tasks; /* by commas */
    int num_fewshot;
    double limit;
};

/* The answers of one run, as lm-eval's samples have them. */
struct replay {
    struct grade *grade;
    struct oy_arena arena;
    struct template_value samples; /* task -> list of samples */
};

static char *shared_path(const char *relative)
{
    const char *shared = getenv("OYSTER_SHARED");

    return oy_asprintf("%s/%s", shared ? shared : "../shared", relative);
}

static struct template_value read_samples(struct replay *replay,
                                          const char *path)
{
    struct template_value list = template_new_list(&replay->arena);
    struct oy_error err = {0};
    size_t len;
    char *text = oy_input_slurp(path, SIZE_MAX / 4, &len, &err);
    const char *why;

    assert_non_null(text);
    char *kept = oy_arena_copy(&replay->arena, text, len);
    oy_free(text);
    for (char *line = kept; *line;) {
        const size_t n = strcspn(line, "\n");
        struct template_value sample;
        assert_int_equal(
            template_parse_json(line, n, &replay->arena, &sample, &why), 0);
        template_push(&list, &replay->arena, sample);
        line += n + (line[n] == '\n');
    }
    return list;
}

static double text_number(const struct template_value *value)
{
    char text[64];

    assert_int_equal(value->kind, TEMPLATE_STRING);
    snprintf(text, sizeof text, "%.*s", (int)value->text.len, value->text.at);
    return strtod(text, NULL);
}

/* resps[request][0]: a text, or [text, "True"]. */
static void answer(struct replay *replay, struct request *request)
{
    const struct template_value task =
        template_string(request->task.at, request->task.len);
    const struct template_value *list = template_find(&replay->samples, &task);
    const struct template_value *response = NULL;

    assert_non_null(list);
    for (size_t i = 0; i < list->list->n_item; i++) {
        const struct template_value *sample = &list->list->item[i];
        if (template_get(sample, "doc_id")->integer == request->doc_id)
            response = &template_get(sample, "resps")
                            ->list->item[request->index]
                            .list->item[0];
    }
    assert_non_null(response);
    request->answer.given = 1;
    if (response->kind == TEMPLATE_STRING) {
        request->answer.logprob = text_number(response);
        return;
    }
    request->answer.logprob = text_number(&response->list->item[0]);
    request->answer.is_greedy = response->list->item[1].text.at[0] == 'T';
}

static int take_header(void *arg, const char *run, size_t len,
                       struct oy_error *err)
{
    struct replay *replay = arg;

    return grade_begin(replay->grade, run, len, err);
}

static int take_request(void *arg, const struct request *request,
                        struct oy_error *err)
{
    struct replay *replay = arg;
    struct request answered = *request;

    answer(replay, &answered);
    return grade_add(replay->grade, &answered, err);
}

static void assert_same_files(const char *got_path, const char *want_path)
{
    struct oy_error err = {0};
    size_t got_len, want_len;
    char *got = oy_input_slurp(got_path, SIZE_MAX / 4, &got_len, &err);
    char *want = oy_input_slurp(want_path, SIZE_MAX / 4, &want_len, &err);

    assert_non_null(got);
    assert_non_null(want);
    if (got_len != want_len || memcmp(got, want, got_len))
        fail_msg("%s is not %s", got_path, want_path);
    oy_free(got);
    oy_free(want);
}

static void assert_near(const char *what, const struct template_value *got,
                        const struct template_value *want)
{
    if (!got)
        fail_msg("%s is missing", what);
    if (want->kind != TEMPLATE_FLOAT) {
        assert_true(template_equal(got, want));
        return;
    }
    assert_int_equal(got->kind, TEMPLATE_FLOAT);
    if (fabs(got->number - want->number) > 1e-9 * fabs(want->number))
        fail_msg("%s: %.17g is not %.17g", what, got->number, want->number);
}

/* Every figure that lm-eval reports. */
static void check_results(struct replay *replay, const char *folder)
{
    static const char *const table[] = {"versions",    "n-shot",
                                        "n-samples",   "higher_is_better",
                                        "task_hashes", "group_subtasks"};
    char *path = oy_asprintf("%s/results.json", folder);
    struct oy_error err = {0};
    struct oy_buffer out = {0};
    struct template_value got, want;
    const char *why;
    size_t len;
    char *text = oy_input_slurp(path, SIZE_MAX / 4, &len, &err);

    assert_non_null(text);
    grade_put_results(replay->grade, &out);
    oy_buffer_reserve(&out, OY_PADDING);
    assert_int_equal(
        template_parse_json(text, len, &replay->arena, &want, &why), 0);
    assert_int_equal(
        template_parse_json(out.data, out.len, &replay->arena, &got, &why), 0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(template_equal(template_get(&got, table[i]),
                                   template_get(&want, table[i])));
    const struct template_value *results = template_get(&want, "results");
    for (size_t t = 0; t < results->dict->n_entry; t++) {
        const struct template_entry *task = &results->dict->entry[t];
        const struct template_value *mine =
            template_find(template_get(&got, "results"), &task->key);
        assert_non_null(mine);
        for (size_t i = 0; i < task->value.dict->n_entry; i++) {
            const struct template_entry *entry = &task->value.dict->entry[i];
            assert_near(entry->key.text.at, template_find(mine, &entry->key),
                        &entry->value);
        }
    }
    oy_buffer_release(&out);
    oy_free(text);
    oy_free(path);
}

static void for_each_task(const char *tasks, struct replay *replay,
                          void (*use)(struct replay *, const char *,
                                      const char *, const char *),
                          const char *a, const char *b)
{
    while (*tasks) {
        const size_t n = strcspn(tasks, ",");
        char *name = oy_strndup(tasks, n);
        use(replay, name, a, b);
        oy_free(name);
        tasks += n + (tasks[n] == ',');
    }
}

static void load_task(struct replay *replay, const char *task,
                      const char *folder, const char *unused)
{
    char *path = oy_asprintf("%s/samples_%s.jsonl.zst", folder, task);

    (void)unused;
    template_put(
        &replay->samples, &replay->arena,
        template_string(oy_arena_copy(&replay->arena, task, strlen(task)),
                        strlen(task)),
        read_samples(replay, path));
    oy_free(path);
}

static void compare_task(struct replay *replay, const char *task,
                         const char *folder, const char *log)
{
    char *got = oy_asprintf("%s/samples_%s.jsonl", log, task);
    char *want = oy_asprintf("%s/samples_%s.jsonl.zst", folder, task);

    (void)replay;
    assert_same_files(got, want);
    unlink(got);
    oy_free(got);
    oy_free(want);
}

static void check_run(const struct run *run, const char *data)
{
    char *relative = oy_asprintf("golden/eval/runs/%s", run->name);
    char *folder = shared_path(relative);
    char log[] = "/tmp/oyster-grade-XXXXXX";
    struct oy_error err = {0};
    struct replay replay = {0};
    struct ask_options ask;
    struct grade_options options;
    const struct ask_sink sink = {take_header, take_request, &replay};

    assert_non_null(mkdtemp(log));
    replay.samples = template_new_dict(&replay.arena);
    for_each_task(run->tasks, &replay, load_task, folder, NULL);
    grade_options_init(&options);
    options.log_samples = log;
    replay.grade = grade_new(&options, &err);
    assert_non_null(replay.grade);
    ask_options_init(&ask);
    ask.tasks = run->tasks;
    ask.data = data;
    ask.num_fewshot = run->num_fewshot;
    ask.limit = run->limit;
    if (ask_run(&ask, &sink, &err) || grade_finish(replay.grade, &err))
        fail_msg("%s: %s", run->name, err.message);
    check_results(&replay, folder);
    for_each_task(run->tasks, &replay, compare_task, folder, log);
    rmdir(log);
    grade_free(replay.grade);
    oy_arena_release(&replay.arena);
    oy_free(folder);
    oy_free(relative);
}

static int have_goldens(void)
{
    char *path = shared_path("golden/eval/runs/v03_lambada/run.json");
    const int have = access(path, R_OK) == 0;

    if (!have)
        fprintf(stderr, "SKIPPED: no golden file %s\n", path);
    oy_free(path);
    return have;
}

static void golden_runs(void **state)
{
    static const struct run run[] = {
        {"v03_lambada", "lambada_openai", -1, 16},
        {"v05_wikitext512", "wikitext", -1, 1},
        {"v06_arc25", "arc_challenge", 25, 4},
        {"v07_hs10", "hellaswag", 10, 1},
        {"vs05_lambada", "lambada_openai", -1, 300},
        {"vs06_wikitext", "wikitext", -1, 12},
    };
    char *data;

    (void)state;
    if (!have_goldens())
        skip();
    data = shared_path("golden/eval/data");
    for (size_t i = 0; i < sizeof run / sizeof *run; i++)
        check_run(&run[i], data);
    oy_free(data);
}

/* The subjects of this run lie in two folders. */
static void golden_mmlu(void **state)
{
    static const struct run run = {
        "v02_mmlu5", "mmlu_abstract_algebra,mmlu_anatomy,mmlu_world_religions",
        5, 8};
    static const char *const source[][2] = {
        {"golden/eval/data/cais__mmlu/abstract_algebra", "abstract_algebra"},
        {"golden/eval/data/cais__mmlu/anatomy", "anatomy"},
        {"golden/eval/runs/data/cais__mmlu/world_religions", "world_religions"},
    };
    char data[] = "/tmp/oyster-data-XXXXXX";
    char *mmlu, *links[3];

    (void)state;
    if (!have_goldens())
        skip();
    assert_non_null(mkdtemp(data));
    mmlu = oy_asprintf("%s/cais__mmlu", data);
    assert_int_equal(mkdir(mmlu, 0777), 0);
    for (int i = 0; i < 3; i++) {
        char *from = shared_path(source[i][0]);
        char *real = realpath(from, NULL);
        links[i] = oy_asprintf("%s/%s", mmlu, source[i][1]);
        assert_int_equal(symlink(real, links[i]), 0);
        free(real);
        oy_free(from);
    }
    check_run(&run, data);
    for (int i = 0; i < 3; i++) {
        unlink(links[i]);
        oy_free(links[i]);
    }
    rmdir(mmlu);
    rmdir(data);
    oy_free(mmlu);
}

/* ---- without goldens ---- */

static const char run_text[] =
    "{\"tasks\":{\"t\":{\"task\":\"t\",\"dataset_path\":\"d\",\"test_split\":"
    "\"test\",\"output_type\":\"multiple_choice\",\"doc_to_text\":\"q\","
    "\"doc_to_target\":\"a\",\"doc_to_choice\":\"c\",\"metric_list\":"
    "[{\"metric\":\"acc\"}],\"num_fewshot\":0}},\"versions\":{\"t\":1.0},"
    "\"n-samples\":{\"t\":{\"original\":9,\"effective\":2}}}"
    "                                                                ";

struct small {
    struct grade *grade;
    struct oy_arena arena;
    struct oy_error err;
};

static void begin(struct small *small)
{
    struct grade_options options;

    *small = (struct small){0};
    grade_options_init(&options);
    small->grade = grade_new(&options, &small->err);
    assert_int_equal(
        grade_begin(small->grade, run_text, strlen(run_text), &small->err), 0);
}

static int add(struct small *small, const char *line)
{
    char *padded = oy_arena_alloc(&small->arena, strlen(line) + OY_PADDING);
    struct request request;

    strcpy(padded, line);
    assert_int_equal(request_parse(padded, strlen(line), &small->arena,
                                   &request, &small->err),
                     0);
    return grade_add(small->grade, &request, &small->err);
}

static void end(struct small *small)
{
    grade_free(small->grade);
    oy_arena_release(&small->arena);
}

#define FIRST(id, logprob)                                                     \
    "{\"task\":\"t\",\"doc_id\":" #id ",\"request\":0,\"context\":\"q\","      \
    "\"continuation\":\" x\",\"doc\":{\"q\":\"q\"},\"target\":1,\"choices\":"  \
    "[\"x\",\"y\"],\"logprob\":" #logprob ",\"is_greedy\":false}"
#define SECOND(id, logprob)                                                    \
    "{\"task\":\"t\",\"doc_id\":" #id ",\"request\":1,\"context\":\"q\","      \
    "\"continuation\":\" y\",\"logprob\":" #logprob ",\"is_greedy\":false}"

static void a_small_stream(void **state)
{
    struct small small;
    struct oy_buffer table = {0};

    (void)state;
    begin(&small);
    assert_int_equal(add(&small, FIRST(0, -2)), 0);
    assert_int_equal(add(&small, SECOND(0, -1)), 0);
    assert_int_equal(add(&small, FIRST(5, -1)), 0);
    assert_int_equal(add(&small, SECOND(5, -2)), 0);
    assert_int_equal(grade_finish(small.grade, &small.err), 0);
    grade_put_table(small.grade, &table);
    assert_string_equal(
        oy_buffer_string(&table),
        "|Tasks|Version|Filter|n-shot|Metric|   |Value|   |Stderr|\n"
        "|-----|------:|------|-----:|------|---|----:|---|-----:|\n"
        "|t    |      1|none  |     0|acc   |\u2191  |  0.5|\u00b1  |   "
        "0.5|\n");
    oy_buffer_release(&table);
    end(&small);
}

static void assert_refused(struct small *small, int rc, const char *why)
{
    assert_int_equal(rc, -1);
    assert_int_equal(small->err.code, OY_DATA);
    if (!strstr(small->err.message, why))
        fail_msg("'%s' is not about '%s'", small->err.message, why);
    end(small);
}

static void broken_streams_are_refused(void **state)
{
    struct small small;

    (void)state;
    begin(&small);
    assert_refused(&small, add(&small, SECOND(0, -1)), "without 'doc'");
    begin(&small);
    add(&small, FIRST(0, -1));
    assert_refused(&small, add(&small, FIRST(0, -1)), "is missing");
    begin(&small);
    add(&small, FIRST(1, -1));
    assert_refused(&small, add(&small, FIRST(2, -1)), "as many requests");
    begin(&small);
    add(&small, FIRST(1, -1));
    add(&small, SECOND(1, -1));
    assert_refused(&small, add(&small, FIRST(0, -1)), "out of order");
    begin(&small);
    add(&small, FIRST(1, -1));
    add(&small, SECOND(1, -1));
    assert_refused(&small, grade_finish(small.grade, &small.err), "short");
    begin(&small);
    assert_refused(&small,
                   add(&small, "{\"task\":\"u\",\"continuation\":\"\"}"),
                   "not in the header");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_stream),
        cmocka_unit_test(broken_streams_are_refused),
        cmocka_unit_test(golden_runs),
        cmocka_unit_test(golden_mmlu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
