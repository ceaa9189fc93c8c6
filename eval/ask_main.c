/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-ask: the questions of benchmarks, as a stream of requests. */

#include "core/output.h"
#include "core/run.h"
#include "eval/ask.h"
#include "eval/ask_chat.h"
#include "eval/ask_settings.h"
#include "eval/run_report.h"

static const char description[] =
    "Writes the requests of benchmark tasks, one JSON object a line: contexts,"
    " continuations and generation settings are lm-evaluation-harness's, byte"
    " for byte, so that a model scored on them (oy-score) and graded"
    " (oy-grade) has lm-eval's numbers.\n"
    "\n"
    "The first line tells of the run: tasks, versions, options, hashes of the"
    " data. The first request of a document also carries the document, the"
    " index of the right choice and the choices.\n"
    "\n"
    "    oy-ask --tasks arc_easy,wikitext --limit 2\n"
    "\n"
    "    oy-ask --tasks mmlu --num-fewshot 5 --data DIR | oy-score --model M |"
    " oy-grade -o results.json";

struct stream {
    struct oy_output *output;
    struct oy_buffer line;
    uint64_t n_line;
    uint64_t n_document;
};

static int write_line(struct stream *stream, struct oy_error *err)
{
    const int rc = oy_output_write(stream->output, stream->line.data,
                                   stream->line.len, err);

    oy_buffer_clear(&stream->line);
    return rc;
}

static int put_header(void *arg, const char *run, size_t len,
                      struct oy_error *err)
{
    struct stream *stream = arg;

    oy_buffer_append_string(&stream->line, "{\"oyster_run\": ");
    oy_buffer_append(&stream->line, run, len);
    oy_buffer_append_string(&stream->line, "}\n");
    return write_line(stream, err);
}

static int put_request(void *arg, const struct request *request,
                       struct oy_error *err)
{
    struct stream *stream = arg;

    stream->n_line++;
    stream->n_document += request->index == 0;
    request_write(request, &stream->line);
    return write_line(stream, err);
}

static int put_text(void *arg, const char *line, size_t len,
                    struct oy_error *err)
{
    struct stream *stream = arg;

    stream->n_line++;
    stream->n_document++;
    return oy_output_write(stream->output, line, len, err);
}

static int finish(const struct oy_run *run, struct stream *stream, int texts,
                  struct oy_error *err)
{
    struct run_report report = {0};
    int rc;

    oy_counter_add(&report.counter, "documents", stream->n_document);
    if (!texts)
        oy_counter_add(&report.counter, "requests", stream->n_line);
    run_report_output(&report, stream->output, run->output,
                      texts ? "records" : "requests",
                      stream->n_line + (uint64_t)!texts);
    rc = oy_output_commit(stream->output, err);
    if (rc == 0)
        rc = run_report_write(&report, run, err);
    run_report_release(&report);
    return rc;
}

static int run_ask(const struct oy_run *run, const struct ask_options *options,
                   int texts, struct oy_error *err)
{
    struct stream stream = {.output = oy_run_open_output(run, err)};
    const struct ask_sink sink = {put_header, put_request, &stream};
    int rc;

    if (!stream.output)
        return -1;
    rc = texts ? ask_texts(options, put_text, &stream, err)
               : ask_run(options, &sink, err);
    oy_buffer_release(&stream.line);
    if (rc == 0)
        return finish(run, &stream, texts, err);
    oy_output_discard(stream.output);
    return -1;
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct ask_settings settings;
    struct ask_options options;
    struct ask_chat chat = {0};
    const char *tokenizer = NULL;
    int texts = 0;
    struct oy_option option[ASK_N_OPTION + 3] = {0};
    struct oy_program program = {
        .name = "oy-ask",
        .synopsis = "--tasks LIST [OPTION]...",
        .summary = "ask the questions of benchmarks",
        .description = description,
        .option = option,
    };

    ask_settings_init(&settings);
    ask_settings_options(&settings, option);
    option[ASK_N_OPTION] = (struct oy_option){
        "texts",
        0,
        OY_OPT_FLAG,
        &texts,
        NULL,
        NULL,
        OY_OPT_IN_MANIFEST,
        "Write the benchmarks' texts, one record a document, instead of"
        " requests: what oy-decon compares with."};
    option[ASK_N_OPTION + 1] = (struct oy_option){
        "tokenizer",
        't',
        OY_OPT_STRING,
        &tokenizer,
        "DIR",
        NULL,
        0,
        "Model folder or tokenizer_config.json whose chat template is"
        " applied."};
    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err) &&
        !ask_settings_finish(&settings, &program, &run, &options, &err) &&
        !ask_chat_choose(&chat, settings.chat_template, tokenizer, &options,
                         &err))
        run_ask(&run, &options, texts, &err);
    ask_chat_release(&chat);
    return oy_run_exit(&run, &err);
}
