/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks turned into a stream of requests. */
#include "eval/ask.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/hash.h"
#include "core/input.h"
#include "eval/fewshot.h"
#include "eval/prompt.h"
#include "eval/task.h"
#include "eval/task_data.h"

enum { MAX_SAMPLES = 64 << 20 };

/* A task with its data and which of its documents are asked. */
struct asked {
    struct task *task;
    struct task_data data;
    struct fewshot fewshot;
    size_t *row; /* documents that are asked, ascending */
    size_t n_row;
    int64_t num_fewshot;
};

struct run {
    const struct ask_options *options;
    struct task_set set;
    struct asked *asked;   /* [set.n_task] */
    struct oy_arena arena; /* of the run */
    struct template_value samples;
    struct template_value gen_kwargs; /* a dict, or none */
    uint64_t n_document;              /* asked so far, by all shards */
    struct oy_error *err;
};

void ask_options_init(struct ask_options *options)
{
    *options = (struct ask_options){
        .num_fewshot = -1,
        .seed = {0, 1234, 1234, 1234},
        .shard_count = 1,
        .fewshot_as_multiturn = 1,
    };
}

int ask_parse_seed(const char *text, int64_t seed[4])
{
    int n = 0;

    for (; n < 4; n++) {
        char *end;
        seed[n] = strtoll(text, &end, 10);
        if (end == text || (*end && *end != ','))
            return -1;
        text = end + (*end == ',');
        if (!*end) {
            n++;
            break;
        }
    }
    if (*text || (n != 1 && n != 4))
        return -1;
    if (n == 1)
        seed[1] = seed[2] = seed[3] = seed[0];
    return 0;
}

/* ---- which documents ---- */

static int read_samples(struct run *run)
{
    const char *given = run->options->samples;
    const char *why = "not an object";
    size_t len;
    char *text;

    if (!given)
        return 0;
    if (run->options->limit > 0)
        return oy_fail(run->err, OY_USAGE, "--samples contradicts --limit");
    if (*given == '{') {
        len = strlen(given);
        text = oy_strdup(given);
    } else {
        text = oy_input_slurp(given, MAX_SAMPLES, &len, run->err);
    }
    if (!text)
        return -1;
    const char *kept = oy_arena_copy(&run->arena, text, len);
    oy_free(text);
    if (template_parse_json(kept, len, &run->arena, &run->samples, &why) ||
        run->samples.kind != TEMPLATE_DICT)
        return oy_fail(run->err, OY_DATA, "--samples: %s", why);
    return 0;
}

/* lm-eval's reading of a value: a truth, a number, else a text (utils.py,
 * handle_arg_string). `text` is kept. */
static struct template_value argument_value(const char *text, size_t len)
{
    struct oy_json_value json;
    const char *why;
    int64_t integer;
    double number;

    if (len == 4 && !strncasecmp(text, "true", 4))
        return template_bool(1);
    if (len == 5 && !strncasecmp(text, "false", 5))
        return template_bool(0);
    if (len && !oy_json_value_of(text, len, &json, &why) &&
        json.kind == OY_JSON_NUMBER) {
        if (!memchr(text, '.', len) && !oy_json_int64(&json, &integer))
            return template_int(integer);
        if (!oy_json_double(&json, &number))
            return template_float(number);
    }
    return template_string(text, len);
}

static int read_gen_kwargs(struct run *run)
{
    const char *given = run->options->gen_kwargs;
    const char *why = "not an object", *at;

    if (!given || !*given)
        return 0;
    at = oy_arena_copy(&run->arena, given, strlen(given));
    if (*at == '{') {
        if (template_parse_json(at, strlen(at), &run->arena, &run->gen_kwargs,
                                &why) ||
            run->gen_kwargs.kind != TEMPLATE_DICT)
            return oy_fail(run->err, OY_USAGE, "--gen-kwargs: %s", why);
        return 0;
    }
    run->gen_kwargs = template_new_dict(&run->arena);
    for (size_t len; *at; at += len + (at[len] == ',')) {
        len = strcspn(at, ",");
        const char *equal = memchr(at, '=', len);
        if (!equal)
            return oy_fail(run->err, OY_USAGE, "--gen-kwargs: no '=' in '%.*s'",
                           (int)len, at);
        const char *value = oy_arena_copy(&run->arena, equal + 1,
                                          (size_t)(at + len - equal - 1));
        template_put(&run->gen_kwargs, &run->arena,
                     template_string(at, (size_t)(equal - at)),
                     argument_value(value, strlen(value)));
    }
    return 0;
}

static void merge(struct run *run, const struct template_value *from,
                  struct template_value *to)
{
    for (size_t i = 0;
         from && from->kind == TEMPLATE_DICT && i < from->dict->n_entry; i++)
        template_put(to, &run->arena, from->dict->entry[i].key,
                     from->dict->entry[i].value);
}

/* Puts --gen-kwargs over what the task says; the task's own values, which
 * tasks may share, stay as they are. */
static void apply_gen_kwargs(struct run *run, struct task *task)
{
    struct template_value gen = template_new_dict(&run->arena);
    struct template_value config = template_new_dict(&run->arena);

    if (run->gen_kwargs.kind != TEMPLATE_DICT || task->output != TASK_GENERATE)
        return;
    merge(run, template_get(&task->config, "generation_kwargs"), &gen);
    merge(run, &run->gen_kwargs, &gen);
    merge(run, &task->config, &config);
    template_put_name(&config, &run->arena, "generation_kwargs", gen);
    task->config = config;
}

static size_t limited(double limit, size_t n)
{
    double rows = limit < 1 ? ceil((double)n * limit) : floor(limit);

    return limit > 0 && rows < (double)n ? (size_t)rows : n;
}

/* Rows that --samples names for this task: a list of numbers. */
static int pick_samples(struct run *run, struct asked *asked,
                        const struct template_value *list)
{
    unsigned char *wanted = oy_calloc(asked->data.n_row + 1, 1);
    int rc = list->kind == TEMPLATE_LIST ? 0 : -1;

    for (size_t i = 0; rc == 0 && i < list->list->n_item; i++) {
        const struct template_value *item = &list->list->item[i];
        if (item->kind != TEMPLATE_INT || item->integer < 0 ||
            (uint64_t)item->integer >= asked->data.n_row)
            rc = -1;
        else
            wanted[item->integer] = 1;
    }
    for (size_t i = 0; rc == 0 && i < asked->data.n_row; i++) {
        if (wanted[i])
            asked->row[asked->n_row++] = i;
    }
    oy_free(wanted);
    if (rc)
        return oy_fail(run->err, OY_USAGE,
                       "--samples: task '%s': not numbers of its %zu documents",
                       asked->task->name, asked->data.n_row);
    return 0;
}

static int choose_rows(struct run *run, struct asked *asked)
{
    const struct template_value *list =
        run->options->samples ? template_get(&run->samples, asked->task->name)
                              : NULL;

    asked->row = oy_alloc_array(asked->data.n_row + 1, sizeof *asked->row);
    if (list)
        return pick_samples(run, asked, list);
    asked->n_row = limited(run->options->limit, asked->data.n_row);
    for (size_t i = 0; i < asked->n_row; i++)
        asked->row[i] = i;
    return 0;
}

/* The command line wins, unless the task insists on none. */
static int64_t shot_count(const struct task *task, int64_t wanted)
{
    if (wanted < 0 || task->num_fewshot == 0)
        return task->num_fewshot > 0 ? task->num_fewshot : 0;
    return wanted;
}

static int open_task(struct run *run, struct asked *asked, struct task *task)
{
    const struct ask_options *options = run->options;
    size_t k;

    asked->task = task;
    asked->num_fewshot = shot_count(task, options->num_fewshot);
    k = task->output == TASK_ROLLING ? 0 : (size_t)asked->num_fewshot;
    if (task_data_open(&asked->data, options->data, task, task_eval_split(task),
                       run->err) ||
        choose_rows(run, asked) ||
        fewshot_open(&asked->fewshot, task, options->data, k, options->seed[3],
                     run->err))
        return -1;
    return 0;
}

static int open_run(struct run *run, const struct ask_options *options,
                    struct oy_error *err)
{
    *run = (struct run){.options = options, .err = err};
    if (!options->tasks)
        return oy_fail(err, OY_USAGE, "no tasks given: --tasks LIST");
    run->gen_kwargs = template_none();
    if (read_samples(run) || read_gen_kwargs(run) ||
        task_select(options->tasks, &run->set, err))
        return -1;
    run->asked = oy_calloc(run->set.n_task, sizeof *run->asked);
    for (size_t i = 0; i < run->set.n_task; i++) {
        apply_gen_kwargs(run, &run->set.task[i]);
        if (open_task(run, &run->asked[i], &run->set.task[i]))
            return -1;
    }
    return 0;
}

static void close_run(struct run *run)
{
    for (size_t i = 0; run->asked && i < run->set.n_task; i++) {
        task_data_release(&run->asked[i].data);
        fewshot_release(&run->asked[i].fewshot);
        oy_free(run->asked[i].row);
    }
    oy_free(run->asked);
    task_set_release(&run->set);
    oy_arena_release(&run->arena);
}

/* ---- the header ---- */

static struct template_value text_or_none(const char *text)
{
    return text ? template_literal(text) : template_none();
}

static void put(struct run *run, struct template_value *dict, const char *key,
                struct template_value value)
{
    template_put_name(dict, &run->arena, key, value);
}

static struct template_value hash_or_none(struct run *run, const char *text)
{
    unsigned char digest[32];
    char hex[65];

    if (!text)
        return template_none();
    oy_sha256(text, strlen(text), digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return template_string(oy_arena_copy(&run->arena, hex, 64), 64);
}

static struct template_value header_options(struct run *run)
{
    static const char *const seed_name[] = {"random_seed", "numpy_seed",
                                            "torch_seed", "fewshot_seed"};
    const struct ask_options *o = run->options;
    struct template_value options = template_new_dict(&run->arena);

    put(run, &options, "num_fewshot",
        o->num_fewshot < 0 ? template_none() : template_int(o->num_fewshot));
    put(run, &options, "limit",
        o->limit > 0 ? template_float(o->limit) : template_none());
    put(run, &options, "samples", o->samples ? run->samples : template_none());
    if (run->gen_kwargs.kind == TEMPLATE_DICT)
        put(run, &options, "gen_kwargs", run->gen_kwargs);
    for (int i = 0; i < 4; i++)
        put(run, &options, seed_name[i], template_int(o->seed[i]));
    put(run, &options, "system_instruction",
        text_or_none(o->system_instruction));
    put(run, &options, "system_instruction_sha",
        hash_or_none(run, o->system_instruction));
    put(run, &options, "fewshot_as_multiturn",
        o->chat ? template_bool(o->fewshot_as_multiturn) : template_none());
    put(run, &options, "chat_template",
        o->chat ? text_or_none(o->chat_template) : template_none());
    put(run, &options, "chat_template_sha",
        hash_or_none(run, o->chat ? o->chat_template : NULL));
    return options;
}

static struct template_value sample_counts(struct run *run,
                                           const struct asked *asked)
{
    struct template_value counts = template_new_dict(&run->arena);

    put(run, &counts, "original", template_int((int64_t)asked->data.n_row));
    put(run, &counts, "effective", template_int((int64_t)asked->n_row));
    return counts;
}

static void put_data(struct run *run, struct template_value *data,
                     const struct task *task, const char *split,
                     const struct task_data *file)
{
    char *name;

    if (!file->path)
        return;
    name =
        oy_asprintf("%s/%s/%s", task->dataset_path,
                    task->dataset_name ? task->dataset_name : "default", split);
    template_put(
        data, &run->arena,
        template_string(oy_arena_copy(&run->arena, name, strlen(name)),
                        strlen(name)),
        template_string(oy_arena_copy(&run->arena, file->hash, 32), 32));
    oy_free(name);
}

static void put_tasks(struct run *run, struct template_value *header)
{
    struct template_value tasks = template_new_dict(&run->arena);
    struct template_value versions = template_new_dict(&run->arena);
    struct template_value counts = template_new_dict(&run->arena);
    struct template_value data = template_new_dict(&run->arena);

    for (size_t i = 0; i < run->set.n_task; i++) {
        const struct asked *asked = &run->asked[i];
        const struct task *task = asked->task;
        const struct template_value *metadata =
            template_get(&task->config, "metadata");
        const struct template_value *version =
            metadata ? template_get(metadata, "version") : NULL;
        put(run, &tasks, task->name,
            task_config(task, asked->num_fewshot, &run->arena));
        put(run, &versions, task->name,
            version ? *version : template_literal("Yaml"));
        put(run, &counts, task->name, sample_counts(run, asked));
        put_data(run, &data, task, task_eval_split(task), &asked->data);
        put_data(run, &data, task, task_shot_split(task), &asked->fewshot.pool);
    }
    put(run, header, "tasks", tasks);
    put(run, header, "versions", versions);
    put(run, header, "n-samples", counts);
    put(run, header, "data", data);
}

static int send_header(struct run *run, const struct ask_sink *sink)
{
    const struct template_json_style style = {.indent = -1};
    struct template_value header = template_new_dict(&run->arena);
    struct template_value groups = template_new_dict(&run->arena);
    struct oy_buffer json = {0};
    int rc;

    put(run, &header, "version", template_literal(OYSTER_VERSION));
    put_tasks(run, &header);
    for (size_t i = 0; i < run->set.n_group; i++)
        put(run, &groups, run->set.group[i].name, run->set.group[i].config);
    put(run, &header, "groups", groups);
    put(run, &header, "options", header_options(run));
    template_put_json(&header, &style, &json);
    rc = sink->header(sink->arg, json.data, json.len, run->err);
    oy_buffer_release(&json);
    return rc;
}

/* ---- requests ---- */

/* A value as JSON in the arena, to be pointed to. */
static struct oy_json_value as_json(const struct template_value *value,
                                    struct oy_arena *arena)
{
    const struct template_json_style style = {.indent = -1};
    struct oy_json_value json = {0};
    struct oy_buffer text = {0};
    const char *why;

    template_put_json(value, &style, &text);
    const char *kept = oy_arena_copy(arena, text.data, text.len);
    OY_ASSERT(oy_json_value_of(kept, text.len, &json, &why) == 0);
    oy_buffer_release(&text);
    return json;
}

static enum request_type type_of(const struct task *task)
{
    if (task->output == TASK_ROLLING)
        return REQUEST_ROLLING;
    return task->output == TASK_GENERATE ? REQUEST_GENERATE
                                         : REQUEST_LOGLIKELIHOOD;
}

static void describe(struct request *request,
                     const struct template_value *document,
                     const struct prompt *prompt, struct oy_arena *arena)
{
    request->doc = as_json(document, arena);
    request->target = as_json(&prompt->target, arena);
    if (prompt->choices.kind == TEMPLATE_LIST)
        request->choices = as_json(&prompt->choices, arena);
}

static int send_prompt(struct run *run, const struct asked *asked, size_t row,
                       const struct prompt *prompt,
                       const struct template_value *document,
                       struct oy_arena *arena, const struct ask_sink *sink)
{
    const struct task *task = asked->task;
    const struct template_value *gen =
        template_get(&task->config, "generation_kwargs");

    const int generate = type_of(task) == REQUEST_GENERATE;
    const size_t n = generate ? task_repeats(task) : prompt->n_request;

    for (size_t i = 0; i < n; i++) {
        struct request request = {
            .task = {task->name, strlen(task->name)},
            .doc_id = (int64_t)row,
            .index = (int64_t)i,
            .type = type_of(task),
            .context = prompt->context[generate ? 0 : i],
        };
        if (!generate)
            request.continuation = prompt->continuation[i];
        else if (gen)
            request.gen = as_json(gen, arena);
        if (i == 0)
            describe(&request, document, prompt, arena);
        if (sink->request(sink->arg, &request, run->err))
            return -1;
    }
    return 0;
}

static int ask_document(struct run *run, struct asked *asked, size_t row,
                        struct prompt_maker *maker, struct oy_arena *arena,
                        const struct ask_sink *sink)
{
    struct template_value document;
    struct prompt prompt;

    oy_arena_clear(arena);
    if (task_data_read(&asked->data, row, asked->task, arena, &document,
                       run->err))
        return -1;
    if (prompt_build(maker, &document, arena, &prompt, run->err))
        return oy_fail_at(run->err, "task '%s': %s: row %zu", asked->task->name,
                          asked->data.path, row + 1);
    /* Prompts of other shards are made too: examples are drawn in order. */
    if (run->n_document++ % run->options->shard_count !=
        run->options->shard_index)
        return 0;
    return send_prompt(run, asked, row, &prompt, &document, arena, sink);
}

static int ask_task(struct run *run, struct asked *asked,
                    const struct ask_sink *sink)
{
    const struct ask_options *o = run->options;
    const struct prompt_options options = {
        .system_instruction = o->system_instruction,
        .fewshot_as_multiturn = o->fewshot_as_multiturn,
        .chat = o->chat,
        .chat_arg = o->chat_arg,
    };
    struct prompt_maker maker;
    struct oy_arena arena = {0};
    int rc = 0;

    prompt_maker_init(&maker, asked->task, &options, &asked->fewshot);
    for (size_t i = 0; rc == 0 && i < asked->n_row; i++)
        rc = ask_document(run, asked, asked->row[i], &maker, &arena, sink);
    prompt_maker_release(&maker);
    oy_arena_release(&arena);
    return rc;
}

int ask_run(const struct ask_options *options, const struct ask_sink *sink,
            struct oy_error *err)
{
    struct run run;
    int rc = open_run(&run, options, err);

    if (rc == 0)
        rc = send_header(&run, sink);
    for (size_t i = 0; rc == 0 && i < run.set.n_task; i++)
        rc = ask_task(&run, &run.asked[i], sink);
    close_run(&run);
    return rc;
}

/* ---- texts ---- */

struct texts {
    int64_t target; /* request of the document that is kept */
    int (*put)(void *arg, const char *line, size_t len, struct oy_error *err);
    void *arg;
};

static int ignore_header(void *arg, const char *run, size_t len,
                         struct oy_error *err)
{
    (void)arg, (void)run, (void)len, (void)err;
    return 0;
}

static void put_text_line(const struct request *request, struct oy_buffer *line)
{
    struct oy_buffer text = {0};

    oy_buffer_append(&text, request->context.at, request->context.len);
    oy_buffer_append(&text, request->continuation.at,
                     request->continuation.len);
    oy_buffer_append_format(
        line, "{\"id\": \"%.*s/%lld\", \"text\": ", (int)request->task.len,
        request->task.at, (long long)request->doc_id);
    oy_json_put_string(line, text.data, text.len);
    oy_buffer_append_string(line, ", \"task\": ");
    oy_json_put_string(line, request->task.at, request->task.len);
    oy_buffer_append_string(line, "}\n");
    oy_buffer_release(&text);
}

/* Of several right ones the first; 0 for a reference. */
static int64_t right_index(const struct request *request)
{
    struct oy_json_value first = request->target;
    struct oy_json_cursor cursor;
    int64_t index;

    if (first.kind == OY_JSON_ARRAY) {
        oy_json_enter(&cursor, &request->target);
        oy_json_next_element(&cursor, &first);
    }
    return oy_json_int64(&first, &index) ? 0 : index;
}

/* The request of the right answer is a document's text. */
static int put_text(void *arg, const struct request *request,
                    struct oy_error *err)
{
    struct texts *texts = arg;
    struct oy_buffer line = {0};
    int rc;

    if (request->index == 0)
        texts->target = right_index(request);
    if (request->index != texts->target)
        return 0;
    put_text_line(request, &line);
    rc = texts->put(texts->arg, line.data, line.len, err);
    oy_buffer_release(&line);
    return rc;
}

int ask_texts(const struct ask_options *options,
              int (*put_line)(void *arg, const char *line, size_t len,
                              struct oy_error *err),
              void *arg, struct oy_error *err)
{
    struct texts texts = {0, put_line, arg};
    struct ask_options plain = *options;
    const struct ask_sink sink = {ignore_header, put_text, &texts};

    plain.num_fewshot = 0;
    plain.chat = NULL;
    plain.system_instruction = NULL;
    return ask_run(&plain, &sink, err);
}
