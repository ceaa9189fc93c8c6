/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-pack as a filter: records are encoded by many threads and written in
 * order. */
#include "tokenizer/pack.h"

#include <string.h>

#include "core/log.h"
#include "core/random.h"
#include "tokenizer/pack_internal.h"
#include "tokenizer/token_export.h"

static void *worker_new(void *self)
{
    const struct pack *pack = self;
    struct pack_worker *worker = oy_calloc(1, sizeof *worker);

    if (pack->chat)
        worker->chat = pack_chat_worker_new(pack->chat);
    else
        worker->worker = tokenizer_worker_new(pack->tokenizer);
    return worker;
}

static void worker_free(void *self, void *state)
{
    struct pack_worker *worker = state;

    (void)self;
    if (!worker)
        return;
    tokenizer_worker_free(worker->worker);
    token_ids_release(&worker->ids);
    pack_chat_worker_free(worker->chat);
    oy_buffer_release(&worker->line);
    oy_free(worker);
}

/* ---- documents ---- */

static int is_valid(const struct pack *pack, uint64_t number)
{
    struct oy_random random;

    if (pack->valid_fraction <= 0.0)
        return 0;
    random = oy_random_at((uint64_t)pack->run->seed, number);
    return oy_random_unit(&random) < pack->valid_fraction;
}

static int settle_document(void *self, struct oy_record *record,
                           struct oy_filter_context *context,
                           struct oy_error *err)
{
    struct pack *pack = self;
    const size_t n = (size_t)record->word[WORD_TOKENS];

    if (record->fate != OY_KEEP)
        return 0;
    pack->output->stream = context->output;
    pack->n_byte += record->word[WORD_BYTES];
    if (!n) {
        pack->n_empty++;
        return 0;
    }
    const struct pack_document document = {
        .id = record->blob,
        .loss = pack->info.has_mask
                    ? (const uint8_t *)record->blob + n * sizeof(int32_t)
                    : NULL,
        .n = n,
        .text_bytes = record->word[WORD_BYTES],
        .is_valid = is_valid(pack, record->number),
    };
    return pack_rows_add(pack->rows, &document, err);
}

static int finish_documents(void *self, struct oy_filter_context *context,
                            struct oy_error *err)
{
    struct pack *pack = self;

    pack->output->stream = context->output;
    if (pack_rows_finish(pack->rows, err))
        return -1;
    oy_counter_add(context->counter, "bytes", pack->n_byte);
    pack_rows_report(pack->rows, context->counter);
    if (pack->n_empty)
        oy_counter_add(context->counter, "empty_documents", pack->n_empty);
    return pack->output->finish(pack->output, context, err);
}

/* ---- pairs and prompts ---- */

static int settle_line(void *self, struct oy_record *record,
                       struct oy_filter_context *context, struct oy_error *err)
{
    struct pack *pack = self;

    if (record->fate != OY_KEEP)
        return 0;
    pack->n_byte += record->word[WORD_BYTES];
    pack->n_token += record->word[WORD_TOKENS];
    pack->n_cut += record->word[WORD_CUT];
    pack->n_cut_token += record->word[WORD_CUT_TOKENS];
    if (!record->blob_len)
        return 0;
    return oy_output_write(context->output, record->blob, record->blob_len,
                           err);
}

static int finish_lines(void *self, struct oy_filter_context *context,
                        struct oy_error *err)
{
    const struct pack *pack = self;

    (void)err;
    oy_counter_add(context->counter, "bytes", pack->n_byte);
    oy_counter_add(context->counter, "tokens", pack->n_token);
    if (!pack->n_cut)
        return 0;
    oy_counter_add(context->counter, "truncated_documents", pack->n_cut);
    oy_counter_add(context->counter, "truncated_tokens", pack->n_cut_token);
    return 0;
}

/* ---- framing ---- */

/* The id of a framing token: the option's, else the configuration's. */
static int find_frame(const struct pack *pack, const char *option,
                      int32_t configured, int32_t *id, struct oy_error *err)
{
    *id = configured;
    if (!option)
        return 0;
    *id = -1;
    if (!*option)
        return 0;
    *id = tokenizer_id(pack->tokenizer, option, strlen(option));
    if (*id < 0)
        return oy_fail(err, OY_USAGE, "token '%s' is not in the vocabulary",
                       option);
    return 0;
}

/* Without a configuration: the one token that nearly all tokenizers of that
 * kind (GPT-2's, oy-bpe's) keep between documents. */
static void guess_frame(struct pack *pack)
{
    static const char separator[] = "<|endoftext|>";
    const int32_t id =
        tokenizer_id(pack->tokenizer, separator, strlen(separator));

    if (id >= 0 && tokenizer_is_special(pack->tokenizer, id)) {
        pack->settings->bos = pack->settings->eos = separator;
        return;
    }
    oy_warn("%s names no bos_token and no eos_token: documents are not framed",
            pack->settings->tokenizer);
}

/* Where one token opens and closes: on both sides in rows; behind, as their
 * own scripts put it, for nanoGPT and Megatron; else in front. */
static void place_frame(struct pack *pack)
{
    const struct pack_settings *settings = pack->settings;

    pack->front = pack->info.bos;
    pack->back = pack->info.eos;
    if (pack->front != pack->back || settings->packing != PACK_CONCAT)
        return;
    if (settings->export == PACK_NANOGPT || settings->export == PACK_MEGATRON)
        pack->front = -1;
    else
        pack->back = -1;
}

static int prepare_frame(struct pack *pack, struct oy_error *err)
{
    struct pack_settings *settings = pack->settings;
    struct tokenizer *tokenizer = pack->tokenizer;
    const int is_text = settings->method == PACK_PRETRAIN;

    if (is_text && !settings->bos && !settings->eos &&
        tokenizer_bos(tokenizer) < 0 && tokenizer_eos(tokenizer) < 0)
        guess_frame(pack);
    if (find_frame(pack, settings->bos, tokenizer_bos(tokenizer),
                   &pack->info.bos, err) ||
        find_frame(pack, settings->eos, tokenizer_eos(tokenizer),
                   &pack->info.eos, err))
        return -1;
    pack->front = pack->back = -1;
    if (!is_text)
        return 0;
    /* The manifest tells the tokens that are used. */
    if (!settings->bos)
        settings->bos = tokenizer_bos_text(tokenizer);
    if (!settings->eos)
        settings->eos = tokenizer_eos_text(tokenizer);
    place_frame(pack);
    return 0;
}

/* ---- the run ---- */

static void fill_info(struct pack *pack)
{
    const struct pack_settings *settings = pack->settings;
    struct tokens_info *info = &pack->info;

    info->vocab_size = (uint32_t)tokenizer_size(pack->tokenizer);
    info->row_len = (uint32_t)settings->seq_len;
    info->has_rows = settings->packing != PACK_CONCAT;
    info->has_mask = settings->method == PACK_SFT;
    info->shuffle = settings->shuffle;
    info->seed = settings->shuffle ? (uint64_t)pack->run->seed : 0;
    info->tokenizer = tokenizer_hash(pack->tokenizer);
}

static int prepare_chat(struct pack *pack, struct oy_error *err)
{
    if (pack->settings->method == PACK_PRETRAIN)
        return 0;
    pack->chat = pack_chat_new(pack->settings, pack->tokenizer, pack->run, err);
    if (!pack->chat)
        return -1;
    pack->settings->mask = (int)pack_chat_mask(pack->chat);
    pack->own_field = oy_options_given(pack->run->program, "field");
    return 0;
}

static int check_width(const struct pack *pack, struct oy_error *err)
{
    if (pack->settings->export != PACK_NANOGPT ||
        pack->info.vocab_size <= UINT16_MAX + 1)
        return 0;
    return oy_fail(err, OY_DATA,
                   "%s: ids up to %u do not fit the 16 bits of --export "
                   "nanogpt",
                   pack->settings->tokenizer, pack->info.vocab_size - 1);
}

/* Where documents go, for the methods that have any. */
static int open_sinks(struct pack *pack, struct oy_error *err)
{
    const struct pack_settings *settings = pack->settings;
    const struct pack_rows_options options = {
        .packing = (enum pack_packing)settings->packing,
        .overlong = (enum pack_overlong)settings->overlong,
        .row_len = (size_t)settings->seq_len,
        .window = (size_t)settings->window,
        .back = pack->back,
    };

    if (settings->method > PACK_SFT)
        return 0;
    pack->valid_fraction = settings->valid_fraction;
    if (pack->valid_fraction < 0.0 && settings->export == PACK_NANOGPT)
        pack->valid_fraction = NANOGPT_VALID_FRACTION;
    if (settings->export == PACK_NO_EXPORT)
        pack->output = pack_stream_new(settings, pack->run, &pack->info);
    else if (settings->export == PACK_JSONL)
        pack->output = pack_lines_new();
    else
        pack->output = pack_export_new(settings, pack->run, &pack->info, err);
    if (!pack->output)
        return -1;
    pack->rows = pack_rows_new(&options, &pack->output->sink);
    return 0;
}

static int prepare(struct pack *pack, struct oy_error *err)
{
    pack->tokenizer = tokenizer_load(pack->settings->tokenizer, err);
    if (!pack->tokenizer ||
        oy_run_add_resource(pack->run, "tokenizer",
                            tokenizer_path(pack->tokenizer), err) ||
        prepare_frame(pack, err) || prepare_chat(pack, err))
        return -1;
    fill_info(pack);
    return check_width(pack, err) ? -1 : open_sinks(pack, err);
}

static struct oy_filter filter_for(struct pack *pack)
{
    const struct pack_settings *settings = pack->settings;
    const int is_text = settings->method == PACK_PRETRAIN;
    struct oy_filter filter = {
        .self = pack,
        .wants_text = is_text,
        .field = is_text ? NULL : pack_message_fields,
        .n_pass = 1,
        .output_kind = settings->export == PACK_JSONL ? "records" : "tokens",
        .opens_no_output =
            settings->split_tokens > 0 || settings->export == PACK_NANOGPT ||
            settings->export == PACK_LLMC || settings->export == PACK_MEGATRON,
        .worker_new = worker_new,
        .worker_free = worker_free,
        .judge = is_text ? pack_judge_text : pack_judge_sft,
        .settle = settle_document,
        .finish = finish_documents,
    };

    if (settings->method <= PACK_SFT)
        return filter;
    filter.output_kind = "records";
    filter.writes_records = settings->method == PACK_RL;
    filter.judge = settings->method == PACK_RL ? pack_judge_rl : pack_judge_dpo;
    filter.settle = settle_line;
    filter.finish = finish_lines;
    return filter;
}

static void release(struct pack *pack)
{
    pack_rows_free(pack->rows);
    if (pack->output)
        pack->output->free(pack->output);
    pack_chat_free(pack->chat);
    tokenizer_free(pack->tokenizer);
}

int pack_run(struct pack_settings *settings, struct oy_run *run,
             struct oy_error *err)
{
    struct pack pack = {.settings = settings, .run = run};
    int failed = -1;

    if (pack_check(settings, run, err))
        return -1;
    if (!prepare(&pack, err)) {
        const struct oy_filter filter = filter_for(&pack);
        failed = oy_filter_run(&filter, 1, run, NULL, err);
    }
    settings->bos = settings->eos = NULL; /* perhaps the tokenizer's own */
    release(&pack);
    return failed;
}
