/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-conv: reads a model, and has it written. */
#include "model/conv.h"

#include <string.h>

#include "model/config.h"
#include "model/conv_internal.h"

static int is_gguf_name(const char *path)
{
    const size_t len = strlen(path);

    return len > 5 && !strcmp(path + len - 5, ".gguf");
}

static int is_tied(const struct conv_source *source)
{
    return !conv_source_find(source, "lm_head.weight");
}

/* Merged into the embedding, an adapter would change a tied head too. */
static int check_tied(struct conv_settings *settings,
                      const struct conv_source *source,
                      const struct conv_maker *maker, struct oy_error *err)
{
    if (!is_tied(source))
        settings->untie = 0;
    if (!maker->lora || settings->untie || !is_tied(source) ||
        !conv_lora_has(maker->lora, "model.embed_tokens.weight"))
        return 0;
    return oy_fail(err, OY_DATA,
                   "%s: the adapter changes the embedding, and the head is "
                   "tied to it: --untie makes the head a tensor of its own",
                   settings->merge);
}

static int print_report(const struct conv_report *report,
                        const struct oy_run *run, struct oy_error *err)
{
    if (run->quiet || !report->text.len)
        return 0;
    struct oy_output *output = oy_run_open_output(run, err);
    if (!output)
        return -1;
    if (!oy_output_write(output, report->text.data, report->text.len, err))
        return oy_output_commit(output, err);
    oy_output_discard(output);
    return -1;
}

static int convert(struct conv_settings *settings, struct conv_source *source,
                   struct oy_run *run, struct oy_error *err)
{
    struct conv_maker maker = {0};
    struct conv_report report = {0};
    struct conv_lora *lora = NULL;
    int status = 0;

    if (settings->merge) {
        lora = conv_lora_open(settings->merge, source, err);
        maker.lora = lora;
        status = lora ? check_tied(settings, source, &maker, err) : -1;
    } else {
        settings->untie = settings->untie && is_tied(source);
    }
    if (!status)
        status =
            is_gguf_name(settings->out)
                ? conv_write_gguf(settings, source, &maker, &report, err)
                : conv_write_folder(settings, source, &maker, &report, err);
    if (!status)
        status = print_report(&report, run, err);
    oy_buffer_release(&report.text);
    conv_maker_release(&maker);
    conv_lora_free(lora);
    return status;
}

/* IN and OUT, or IN alone with --info. */
static int take_operands(struct conv_settings *settings,
                         const struct oy_run *run, struct oy_error *err)
{
    const size_t wanted = settings->info ? 1 : 2;

    if (run->input.n_item != wanted)
        return oy_fail(err, OY_USAGE, "%s",
                       settings->info ? "--info takes one IN"
                                      : "IN and OUT are wanted");
    settings->in = run->input.item[0];
    settings->out = settings->info ? NULL : run->input.item[1];
    if (settings->to && !quant_by_name(settings->to))
        return oy_fail(err, OY_USAGE, "--to %s: not a type that can be written",
                       settings->to);
    return 0;
}

int conv_run(struct conv_settings *settings, struct oy_run *run,
             struct oy_error *err)
{
    struct conv_source source = {0};
    struct decoder_config config;

    if (take_operands(settings, run, err))
        return -1;
    if (settings->info)
        return conv_info(settings, run, err);
    int status = config_read(&config, settings->in, err) ||
                 conv_source_open(&source, settings->in, err);
    if (!status)
        status = convert(settings, &source, run, err);
    conv_source_close(&source);
    return status ? -1 : 0;
}
