/* SPDX-License-Identifier: Apache-2.0
 *
 * Arguments of completions read. */
#include "eval/completion.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static int fail(const char *name, struct oy_error *err)
{
    return oy_fail(err, OY_DATA, "gen: bad '%s'", name);
}

static int add_stop(const struct oy_json_value *value, struct oy_arena *arena,
                    const char **stop, size_t *n, struct oy_error *err)
{
    struct oy_text text;
    uint64_t repaired = 0;
    const char *why;

    if (value->kind != OY_JSON_STRING ||
        oy_json_text(value, arena, &text, &repaired, &why) ||
        memchr(text.at, '\0', text.len))
        return fail("until", err);
    if (text.len)
        stop[(*n)++] = oy_arena_copy(arena, text.at, text.len);
    return 0;
}

static int read_stop(const struct oy_json_value *until, const char *eos,
                     struct oy_arena *arena, struct generate_options *options,
                     struct oy_error *err)
{
    /* An element takes three bytes at the least. */
    const char **stop = oy_arena_array(arena, until->len / 3 + 2, sizeof *stop);
    struct oy_json_cursor cursor;
    struct oy_json_value item;
    size_t n = 0;

    if (until->kind == OY_JSON_ARRAY) {
        oy_json_enter(&cursor, until);
        while (oy_json_next_element(&cursor, &item) > 0) {
            if (add_stop(&item, arena, stop, &n, err))
                return -1;
        }
    } else if (until->kind && until->kind != OY_JSON_NULL &&
               add_stop(until, arena, stop, &n, err)) {
        return -1;
    }
    if (eos && *eos)
        stop[n++] = oy_arena_copy(arena, eos, strlen(eos));
    options->stop = stop;
    options->n_stop = n;
    return 0;
}

/* The first of these that is there; missing when none is. */
static struct oy_json_value first_of(const struct oy_json_value *gen,
                                     const char *const *name)
{
    struct oy_json_value value = {0};

    for (; *name; name++) {
        value = oy_json_member(gen, *name);
        if (value.kind && value.kind != OY_JSON_NULL)
            return value;
    }
    return (struct oy_json_value){0};
}

static int read_length(const struct oy_json_value *gen, int64_t *n,
                       struct oy_error *err)
{
    static const char *const name[] = {"max_gen_toks", "max_new_tokens",
                                       "max_tokens", "max_completion_tokens",
                                       NULL};
    const struct oy_json_value value = first_of(gen, name);

    *n = COMPLETION_TOKENS;
    if (!value.kind)
        return 0;
    return oy_json_int64(&value, n) || *n < 1 || *n > INT32_MAX
               ? fail("max_gen_toks", err)
               : 0;
}

struct number {
    const char *name;
    size_t offset; /* of the double in struct sampler_options */
    double low, high;
};

static const struct number numbers[] = {
    {"temperature", offsetof(struct sampler_options, temperature), 0, 1e6},
    {"top_p", offsetof(struct sampler_options, top_p), 0, 1},
    {"min_p", offsetof(struct sampler_options, min_p), 0, 1},
    {"typical_p", offsetof(struct sampler_options, typical_p), 0, 1},
    {"repetition_penalty", offsetof(struct sampler_options, repetition_penalty),
     1e-6, 1e6},
};

enum { N_NUMBER = sizeof numbers / sizeof *numbers };

static int read_number(const struct oy_json_value *value,
                       const struct number *number,
                       struct sampler_options *sampler, struct oy_error *err)
{
    double x;

    if (value->kind != OY_JSON_NUMBER || oy_json_double(value, &x) ||
        !(x >= number->low && x <= number->high))
        return fail(number->name, err);
    memcpy((char *)sampler + number->offset, &x, sizeof x);
    return 0;
}

/* One member; *sample: 1 or 0 as do_sample says. */
static int read_member(const struct oy_json_value *key,
                       const struct oy_json_value *value,
                       struct generate_options *options, int *sample,
                       struct oy_error *err)
{
    static const char *const elsewhere[] = {"until", "max_gen_toks",
                                            "max_new_tokens", "max_tokens",
                                            "max_completion_tokens"};
    int64_t seed;

    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        if (oy_json_equals(key, elsewhere[i]))
            return 0;
    }
    if (value->kind == OY_JSON_NULL)
        return 0;
    for (size_t i = 0; i < N_NUMBER; i++) {
        if (oy_json_equals(key, numbers[i].name))
            return read_number(value, &numbers[i], &options->sampler, err);
    }
    if (oy_json_equals(key, "do_sample"))
        return oy_json_bool(value, sample) ? fail("do_sample", err) : 0;
    if (oy_json_equals(key, "top_k"))
        return oy_json_int64(value, &options->sampler.top_k) ||
                       options->sampler.top_k < 0
                   ? fail("top_k", err)
                   : 0;
    if (!oy_json_equals(key, "seed"))
        return oy_fail(err, OY_DATA, "gen: %.*s is not understood",
                       (int)(key->len < 80 ? key->len : 80), key->at);
    if (oy_json_int64(value, &seed) || seed < 0)
        return fail("seed", err);
    options->seed = (uint64_t)seed;
    return 0;
}

int completion_read(const struct oy_json_value *gen, const char *eos,
                    struct oy_arena *arena, struct generate_options *options,
                    struct oy_error *err)
{
    const struct oy_json_value until = gen->kind == OY_JSON_OBJECT
                                           ? oy_json_member(gen, "until")
                                           : (struct oy_json_value){0};
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;
    int sample = -1;

    *options = (struct generate_options){.max_tokens = COMPLETION_TOKENS,
                                         .seed = COMPLETION_SEED};
    sampler_options_init(&options->sampler);
    options->sampler.temperature = NAN; /* not given */
    if (gen->kind && gen->kind != OY_JSON_OBJECT)
        return oy_fail(err, OY_DATA, "'gen' is not an object");
    if (read_stop(&until, eos, arena, options, err))
        return -1;
    if (gen->kind) {
        if (read_length(gen, &options->max_tokens, err))
            return -1;
        oy_json_enter(&cursor, gen);
        while (oy_json_next_member(&cursor, &key, &value) > 0) {
            if (read_member(&key, &value, options, &sample, err))
                return -1;
        }
    }
    if (isnan(options->sampler.temperature))
        options->sampler.temperature = sample > 0;
    if (sample == 0)
        options->sampler.temperature = 0;
    return 0;
}

const struct generate_options *completion_copy(
    const struct generate_options *from, struct oy_arena *arena)
{
    struct generate_options *to = oy_arena_alloc(arena, sizeof *to);
    const char **stop = oy_arena_array(arena, from->n_stop + 1, sizeof *stop);

    for (size_t i = 0; i < from->n_stop; i++)
        stop[i] = oy_arena_copy(arena, from->stop[i], strlen(from->stop[i]));
    *to = *from;
    to->stop = stop;
    return to;
}
