/* SPDX-License-Identifier: Apache-2.0
 *
 * Prompts equal to lm-eval's, for every number of shots that the goldens
 * have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/ask.h"
#include "golden_lines.h"
#include "tokenizer/template_value.h"

enum { MAX_RUN = 64 };

/* What was asked, kept: one list of [context, continuation] a document. */
struct asked {
    char task[100];
    int64_t num_fewshot, limit;
    struct oy_arena arena;
    struct template_value documents;
};

struct kept {
    struct asked run[MAX_RUN];
    size_t n_run;
    char *data;
};

static int drop_header(void *arg, const char *run, size_t len,
                       struct oy_error *err)
{
    (void)arg, (void)run, (void)len, (void)err;
    return 0;
}

static struct template_value copy(struct asked *asked, struct oy_text text)
{
    return template_string(oy_arena_copy(&asked->arena, text.at, text.len),
                           text.len);
}

static int keep_request(void *arg, const struct request *request,
                        struct oy_error *err)
{
    struct asked *asked = arg;
    struct template_value pair = template_new_list(&asked->arena);
    struct template_list *documents = asked->documents.list;

    (void)err;
    if (request->index == 0)
        template_push(&asked->documents, &asked->arena,
                      template_new_list(&asked->arena));
    assert_int_equal(request->doc_id, documents->n_item - 1);
    template_push(&pair, &asked->arena, copy(asked, request->context));
    template_push(&pair, &asked->arena, copy(asked, request->continuation));
    template_push(&documents->item[request->doc_id], &asked->arena, pair);
    return 0;
}

static struct asked *ask(struct kept *kept, const char *task,
                         int64_t num_fewshot, int64_t limit)
{
    struct asked *asked = kept->run;
    struct ask_options options;
    struct oy_error err = {0};

    for (; asked < kept->run + kept->n_run; asked++) {
        if (!strcmp(asked->task, task) && asked->num_fewshot == num_fewshot &&
            asked->limit == limit)
            return asked;
    }
    assert_in_range(kept->n_run, 0, MAX_RUN - 1);
    kept->n_run++;
    snprintf(asked->task, sizeof asked->task, "%s", task);
    asked->num_fewshot = num_fewshot;
    asked->limit = limit;
    asked->documents = template_new_list(&asked->arena);
    ask_options_init(&options);
    options.tasks = asked->task;
    options.data = kept->data;
    options.num_fewshot = num_fewshot;
    options.limit = (double)limit;
    const struct ask_sink sink = {drop_header, keep_request, asked};
    if (ask_run(&options, &sink, &err))
        fail_msg("%s: %s", task, err.message);
    return asked;
}

static void assert_text(const struct template_value *got,
                        const struct template_value *want, const char *task,
                        int64_t doc_id)
{
    if (!template_equal(got, want))
        fail_msg("%s, document %lld: '%.*s' is not '%.*s'", task,
                 (long long)doc_id, (int)got->text.len, got->text.at,
                 (int)want->text.len, want->text.at);
}

static void check_prompt(struct kept *kept, const struct template_value *line)
{
    const struct template_value *name = template_get(line, "task");
    const struct template_value *context = template_get(line, "context");
    const struct template_value *list = template_get(line, "continuations");
    const struct template_value *text = template_get(line, "text");
    const int64_t id = template_get(line, "doc_id")->integer;
    char task[100];

    snprintf(task, sizeof task, "%.*s", (int)name->text.len, name->text.at);
    const struct asked *asked =
        ask(kept, task, template_get(line, "num_fewshot")->integer,
            template_get(line, "limit")->integer);
    const struct template_list *requests = asked->documents.list->item[id].list;
    assert_int_equal(requests->n_item, list ? list->list->n_item : 1);
    for (size_t i = 0; i < requests->n_item; i++) {
        const struct template_value *pair = requests->item[i].list->item;
        if (context)
            assert_text(&pair[0], context, task, id);
        assert_text(&pair[1], text ? text : &list->list->item[i], task, id);
    }
}

static void check_file(struct kept *kept, const char *name)
{
    char *path = oy_asprintf("golden/eval/prompts_%s.jsonl", name);
    struct golden golden;
    struct oy_json_value object;
    struct template_value line;
    struct oy_arena arena = {0};
    const char *why;

    assert_int_equal(golden_open(&golden, path), 0);
    while (golden_next(&golden, &object)) {
        oy_arena_clear(&arena);
        assert_int_equal(template_from_json(&object, &arena, &line, &why), 0);
        check_prompt(kept, &line);
    }
    golden_close(&golden);
    oy_arena_release(&arena);
    oy_free(path);
}

static void golden_prompts(void **state)
{
    static const char *const file[] = {"arc_easy",       "arc_challenge",
                                       "mmlu",           "hellaswag",
                                       "lambada_openai", "wikitext"};
    const char *shared = getenv("OYSTER_SHARED");
    struct golden golden;
    struct kept *kept = oy_calloc(1, sizeof *kept);

    (void)state;
    if (golden_open(&golden, "golden/eval/prompts_arc_easy.jsonl")) {
        oy_free(kept);
        skip();
    }
    golden_close(&golden);
    kept->data =
        oy_asprintf("%s/golden/eval/data", shared ? shared : "../shared");
    for (size_t i = 0; i < sizeof file / sizeof *file; i++)
        check_file(kept, file[i]);
    for (size_t i = 0; i < kept->n_run; i++)
        oy_arena_release(&kept->run[i].arena);
    oy_free(kept->data);
    oy_free(kept);
}

static void seeds_are_one_or_four(void **state)
{
    int64_t seed[4];

    (void)state;
    assert_int_equal(ask_parse_seed("7", seed), 0);
    assert_int_equal(seed[3], 7);
    assert_int_equal(ask_parse_seed("0,1,2,3", seed), 0);
    assert_int_equal(seed[3], 3);
    assert_int_equal(ask_parse_seed("1,2", seed), -1);
    assert_int_equal(ask_parse_seed("1,2,3,4,5", seed), -1);
    assert_int_equal(ask_parse_seed("x", seed), -1);
    assert_int_equal(ask_parse_seed("", seed), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_are_one_or_four),
        cmocka_unit_test(golden_prompts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
