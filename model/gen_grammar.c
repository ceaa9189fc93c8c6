/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammars of oy-gen: of the run, and of its records. */
#include "core/input.h"
#include "model/gen_internal.h"
#include "model/json_schema.h"

enum { MAX_SIZE = 16 << 20, KEPT = 32 };

int gen_grammar_check(int is_schema, const char *text, size_t len,
                      struct oy_buffer *out, struct oy_error *err)
{
    if (!is_schema)
        oy_buffer_append(out, text, len);
    else if (json_schema_write(text, len, out, err))
        return -1;
    struct grammar *grammar = grammar_read(out->data, out->len, err);
    const int failed = grammar ? 0 : -1;
    grammar_free(grammar);
    return failed;
}

int gen_grammar_open(struct gen *gen, struct oy_error *err)
{
    const struct gen_settings *settings = gen->settings;
    const char *path =
        settings->grammar ? settings->grammar : settings->json_schema;
    size_t len;

    if (!path)
        return 0;
    if (settings->grammar && settings->json_schema)
        return oy_fail(err, OY_USAGE,
                       "--grammar and --json-schema contradict each other");
    char *text = oy_input_slurp(path, MAX_SIZE, &len, err);
    if (!text)
        return -1;
    const int failed = gen_grammar_check(settings->json_schema != NULL, text,
                                         len, &gen->grammar_text, err);
    oy_free(text);
    if (failed)
        return oy_fail_at(err, "%s", path);
    gen->grammar =
        (struct oy_text){gen->grammar_text.data, gen->grammar_text.len};
    return 0;
}

static int open_walk(struct gen *gen, struct oy_error *err)
{
    if (gen->walk)
        return 0;
    if (!gen->tokenizer)
        return oy_fail(err, OY_NOINPUT, "a grammar needs a tokenizer");
    gen->walk = token_walk_new(gen->tokenizer,
                               engine_config(gen->engine)->n_vocab, err);
    return gen->walk ? 0 : -1;
}

struct constraint *gen_grammar_find(struct gen *gen, const struct oy_text *text,
                                    struct oy_error *err)
{
    const struct oy_hash128 hash = oy_hash128(text->at, text->len);
    const struct decoder_config *config = engine_config(gen->engine);
    int32_t end[DECODER_MAX_EOS];

    for (size_t i = 0; i < gen->n_in_use; i++) {
        if (gen->in_use[i].hash.low == hash.low &&
            gen->in_use[i].hash.high == hash.high)
            return gen->in_use[i].constraint;
    }
    if (open_walk(gen, err))
        return NULL;
    struct grammar *grammar = grammar_read(text->at, text->len, err);
    if (!grammar)
        return NULL;
    for (int i = 0; i < config->n_eos; i++)
        end[i] = config->eos_id[i];
    OY_GROW(gen->in_use, gen->cap_in_use, gen->n_in_use + 1);
    struct gen_grammar *new = &gen->in_use[gen->n_in_use++];
    *new = (struct gen_grammar){
        hash, constraint_new(grammar, gen->walk, end, (size_t)config->n_eos)};
    return new->constraint;
}

void gen_grammar_forget(struct gen *gen, int all)
{
    if (!all && gen->n_in_use <= KEPT)
        return;
    while (gen->n_in_use)
        constraint_free(gen->in_use[--gen->n_in_use].constraint);
}
