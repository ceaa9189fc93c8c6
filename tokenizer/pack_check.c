/* SPDX-License-Identifier: Apache-2.0
 *
 * Which options of oy-pack go together. */
#include <string.h>

#include "tokenizer/pack_internal.h"

static int has_rows(const struct pack_settings *settings)
{
    return settings->packing != PACK_CONCAT;
}

/* What the method and the export make of "auto". */
static void resolve(struct pack_settings *settings)
{
    const int is_text = settings->method == PACK_PRETRAIN;

    if (settings->packing == PACK_AUTO && settings->method == PACK_SFT)
        settings->packing = PACK_NONE;
    else if (settings->packing == PACK_AUTO && settings->export == PACK_JSONL)
        settings->packing = PACK_BEST_FIT;
    else if (settings->packing == PACK_AUTO)
        settings->packing = PACK_CONCAT;
    if (settings->overlong == PACK_OVERLONG_AUTO)
        settings->overlong = is_text && settings->packing == PACK_BEST_FIT
                                 ? PACK_SPLIT
                                 : PACK_TRUNCATE;
}

/* An option that says nothing to this method, or NULL. */
static const char *useless_option(const struct pack_settings *s)
{
    const int is_text = s->method == PACK_PRETRAIN;
    const int is_stream = is_text || s->method == PACK_SFT;

    if (is_text && s->chat_template)
        return "chat-template";
    if (is_text && s->system_prompts)
        return "system-prompts";
    if (is_text && s->date)
        return "date";
    if ((is_text || s->method == PACK_RL) && s->mask != PACK_MASK_AUTO)
        return "mask";
    if ((is_text || s->method == PACK_RL) && s->empty_think_ratio < 1.0)
        return "empty-think-ratio";
    if (s->method != PACK_RL && s->thinking_ratio >= 0.0)
        return "thinking-ratio";
    if (!is_text && s->bos)
        return "bos";
    if (!is_text && s->eos)
        return "eos";
    if (!is_stream && s->shuffle)
        return "shuffle";
    if (!is_stream && s->split_tokens)
        return "split-tokens";
    if (!is_stream && s->export != PACK_NO_EXPORT)
        return "export";
    if (!is_stream && s->packing != PACK_AUTO)
        return "packing";
    if (!is_stream && s->overlong == PACK_SPLIT)
        return "overlong split";
    return NULL;
}

static int check_export(const struct pack_settings *settings,
                        const struct oy_run *run, int has_file,
                        struct oy_error *err)
{
    const int kind = settings->export;

    if (settings->valid_fraction >= 0.0 && kind != PACK_NANOGPT &&
        kind != PACK_LLMC)
        return oy_fail(err, OY_USAGE,
                       "--valid-fraction needs --export nanogpt or llmc");
    if (kind == PACK_NO_EXPORT)
        return 0;
    if (settings->shuffle)
        return oy_fail(err, OY_USAGE, "--shuffle is no use to an export");
    if (kind == PACK_JSONL)
        return settings->split_tokens
                   ? oy_fail(err, OY_USAGE,
                             "--split-tokens is no use to --export jsonl")
                   : 0;
    if (settings->method != PACK_PRETRAIN || has_rows(settings))
        return oy_fail(err, OY_USAGE,
                       "this export has neither masks nor rows: only --method "
                       "pretrain with --packing concat");
    if (!has_file)
        return oy_fail(err, OY_USAGE, "--export needs -o: %s",
                       kind == PACK_NANOGPT ? "a folder"
                                            : "the prefix of its files");
    if (run->compress)
        return oy_fail(err, OY_USAGE, "an export cannot be compressed");
    if (settings->split_tokens && kind != PACK_LLMC)
        return oy_fail(err, OY_USAGE,
                       "--split-tokens is no use to this export");
    return 0;
}

int pack_check(struct pack_settings *settings, const struct oy_run *run,
               struct oy_error *err)
{
    const int has_file = run->output && strcmp(run->output, "-") != 0;
    const char *useless = useless_option(settings);

    if (!settings->tokenizer)
        return oy_fail(err, OY_USAGE, "a tokenizer must be named with -t");
    if (useless)
        return oy_fail(err, OY_USAGE, "--%s is no use to this method", useless);
    const int has_overlong = settings->overlong != PACK_OVERLONG_AUTO;
    resolve(settings);
    if (has_overlong && settings->method <= PACK_SFT && !has_rows(settings))
        return oy_fail(err, OY_USAGE,
                       "--overlong is no use to --packing concat: rows are cut "
                       "by the reader");
    if (check_export(settings, run, has_file, err))
        return -1;
    if (settings->shuffle && !has_file)
        return oy_fail(err, OY_USAGE,
                       "--shuffle needs -o: a pipe is read in its order");
    if (settings->split_tokens && !has_file)
        return oy_fail(err, OY_USAGE,
                       "--split-tokens needs -o: the prefix of the shards");
    if (settings->method <= PACK_SFT && has_rows(settings) &&
        settings->seq_len < 2)
        return oy_fail(err, OY_USAGE,
                       "rows need --seq-len N, their length, of 2 or more");
    if (oy_options_given(run->program, "system-ratio") &&
        !settings->system_prompts)
        return oy_fail(err, OY_USAGE, "--system-ratio needs --system-prompts");
    return 0;
}
