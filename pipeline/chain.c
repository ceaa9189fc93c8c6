/* SPDX-License-Identifier: Apache-2.0
 *
 * Presets, --rules and --set into one list of rules. */
#include "pipeline/chain.h"

#include <string.h>
#include <unistd.h>

#include "core/input.h"

enum { MAX_PRESET_SIZE = 16 << 20 };

void chain_release(struct chain *chain)
{
    for (size_t i = 0; i < chain->n_step; i++) {
        if (chain->step[i].rule->unload)
            chain->step[i].rule->unload(chain->step[i].params);
    }
    oy_free(chain->step);
    oy_arena_release(&chain->arena);
    *chain = (struct chain){0};
}

int chain_needs_words(const struct chain *chain)
{
    for (size_t i = 0; i < chain->n_step; i++) {
        if (chain->step[i].rule->needs_words)
            return 1;
    }
    return 0;
}

int chain_needs_language_model(const struct chain *chain)
{
    for (size_t i = 0; i < chain->n_step; i++) {
        if (chain->step[i].rule->needs_language_model)
            return 1;
    }
    return 0;
}

int chain_load(struct chain *chain, struct oy_run *run, struct oy_error *err)
{
    for (size_t i = 0; i < chain->n_step; i++) {
        const struct chain_step *step = &chain->step[i];
        if (step->rule->load && step->rule->load(step->params, run, err))
            return oy_fail_at(err, "rule '%s'", step->label);
    }
    return 0;
}

/* ---- steps ---- */

static const char *make_label(struct chain *chain, const char *name, int number)
{
    char *label = NULL;
    const char *kept;

    if (number == 1)
        return name;
    label = oy_asprintf("%s#%d", name, number);
    kept = oy_arena_copy(&chain->arena, label, strlen(label));
    oy_free(label);
    return kept;
}

static struct chain_step *add_step(struct chain *chain, const struct rule *rule)
{
    int number = 1;

    for (size_t i = 0; i < chain->n_step; i++)
        number += chain->step[i].rule == rule;
    OY_GROW(chain->step, chain->cap_step, chain->n_step + 1);
    struct chain_step *step = &chain->step[chain->n_step++];
    step->rule = rule;
    step->number = number;
    step->label = make_label(chain, rule->name, number);
    step->params =
        oy_arena_copy(&chain->arena, rule->defaults, rule->params_size);
    return step;
}

/* The names of all rules, for a message. */
static int fail_unknown(const char *name, int code, struct oy_error *err)
{
    struct oy_buffer names = {0};

    for (size_t i = 0; rule_row(i); i++) {
        oy_buffer_append_string(&names, i ? ", " : "");
        oy_buffer_append_string(&names, rule_row(i)->name);
    }
    oy_fail(err, code, "no rule '%s' (there are %s)", name,
            oy_buffer_string(&names));
    oy_buffer_release(&names);
    return -1;
}

/* ---- presets ---- */

/* A string value as a C string in the chain's arena; NULL when it is none. */
static const char *take_string(struct chain *chain,
                               const struct oy_json_value *value)
{
    struct oy_text text;
    uint64_t n_repaired = 0;
    const char *why;

    if (oy_json_text(value, &chain->arena, &text, &n_repaired, &why))
        return NULL;
    return oy_arena_copy(&chain->arena, text.at, text.len);
}

static int read_params(struct chain *chain, struct chain_step *step,
                       const struct oy_json_value *object, struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value key, value;

    oy_json_enter(&cursor, object);
    while (oy_json_next_member(&cursor, &key, &value) == 1) {
        const char *name = take_string(chain, &key);
        if (!name || !strcmp(name, "rule"))
            continue;
        if (rule_set(step->rule, step->params, name, &value, &chain->arena,
                     OY_DATA, err))
            return -1;
    }
    return 0;
}

/* What the object or string of a preset names: a regular expression of the
 * user's needs no name. */
static const char *name_of_rule(struct chain *chain,
                                const struct oy_json_value *value)
{
    struct oy_json_value named = *value;

    if (value->kind == OY_JSON_OBJECT)
        named = oy_json_member(value, "rule");
    if (named.kind == OY_JSON_MISSING &&
        oy_json_member(value, "match").kind != OY_JSON_MISSING)
        return "match";
    return take_string(chain, &named);
}

static int read_rule(struct chain *chain, const struct oy_json_value *value,
                     struct oy_error *err)
{
    const char *name = name_of_rule(chain, value);

    if (!name)
        return oy_fail(err, OY_DATA, "a rule has no name");
    const struct rule *rule = rule_find(name);
    if (!rule)
        return fail_unknown(name, OY_DATA, err);
    struct chain_step *step = add_step(chain, rule);
    if (value->kind != OY_JSON_OBJECT)
        return 0;
    return read_params(chain, step, value, err);
}

static int read_words(struct chain *chain, const struct oy_json_value *value,
                      struct oy_error *err)
{
    const char *name = take_string(chain, value);
    const enum words_splitter words =
        name ? words_splitter_of(name) : WORDS_NONE;

    if (words == WORDS_NONE)
        return oy_fail(err, OY_DATA, "'words' must name a splitter");
    if (chain->words != WORDS_NONE) {
        chain->words_differ |= chain->words != words;
        return 0;
    }
    chain->words = words;
    return 0;
}

static int read_rules(struct chain *chain, const struct oy_json_value *list,
                      struct oy_error *err)
{
    struct oy_json_cursor cursor;
    struct oy_json_value value;

    if (list->kind != OY_JSON_ARRAY)
        return oy_fail(err, OY_DATA, "'rules' must be a list");
    oy_json_enter(&cursor, list);
    while (oy_json_next_element(&cursor, &value) == 1) {
        if (read_rule(chain, &value, err))
            return -1;
    }
    return 0;
}

static int read_preset(struct chain *chain, const char *text, size_t len,
                       struct oy_error *err)
{
    struct oy_json_value preset, words, rules;
    const char *why;
    size_t where;

    if (oy_json_validate(text, len, &why, &where) ||
        oy_json_value_of(text, len, &preset, &why))
        return oy_fail(err, OY_DATA, "not JSON: %s", why);
    words = oy_json_member(&preset, "words");
    rules = oy_json_member(&preset, "rules");
    if (words.kind != OY_JSON_MISSING && read_words(chain, &words, err))
        return -1;
    return read_rules(chain, &rules, err);
}

/* A path is a file; a bare name is looked for among the presets first. */
static char *find_preset(const char *name)
{
    char *relative, *path;

    if (strchr(name, '/'))
        return oy_strdup(name);
    relative = oy_asprintf("pipeline/presets/%s.json", name);
    path = oy_find_data(relative);
    oy_free(relative);
    return path || access(name, F_OK) ? path : oy_strdup(name);
}

int chain_add_preset(struct chain *chain, struct oy_run *run, const char *name,
                     struct oy_error *err)
{
    char *found = find_preset(name), *text = NULL;
    const char *path;
    size_t len;
    int result;

    if (!found)
        return oy_fail(err, OY_NOINPUT, "no preset '%s'", name);
    path = oy_arena_copy(&chain->arena, found, strlen(found));
    oy_free(found);
    text = oy_input_slurp(path, MAX_PRESET_SIZE, &len, err);
    if (!text)
        return -1;
    result = read_preset(chain, text, len, err);
    oy_free(text);
    if (result)
        return oy_fail_at(err, "%s", path);
    return run ? oy_run_add_resource(run, "preset", path, err) : 0;
}

/* ---- options ---- */

/* What an earlier list gave the number-th instance of a rule. */
static void inherit_params(const struct chain_step *old, size_t n_old,
                           struct chain_step *step)
{
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].rule == step->rule && old[i].number == step->number)
            memcpy(step->params, old[i].params, step->rule->params_size);
    }
}

int chain_set_rules(struct chain *chain, const char *list, struct oy_error *err)
{
    struct chain_step *old = chain->step;
    const size_t n_old = chain->n_step;
    int result = 0;

    chain->step = NULL;
    chain->n_step = chain->cap_step = 0;
    if (!strcmp(list, "none")) {
        oy_free(old);
        return 0;
    }
    while (!result) {
        const size_t len = strcspn(list, ",");
        const char *name = oy_arena_copy(&chain->arena, list, len);
        const struct rule *rule = rule_find(name);
        if (rule)
            inherit_params(old, n_old, add_step(chain, rule));
        else
            result = fail_unknown(name, OY_USAGE, err);
        if (!list[len])
            break;
        list += len + 1;
    }
    oy_free(old);
    return result;
}

/* The value as JSON, padded: itself if it parses, else a string of it. */
static const char *as_json(struct chain *chain, const char *text, size_t *len)
{
    struct oy_buffer quoted = {0};
    const char *why, *json;
    size_t where;

    *len = strlen(text);
    json = oy_arena_copy(&chain->arena, text, *len);
    if (!oy_json_validate(json, *len, &why, &where))
        return json;
    oy_json_put_string(&quoted, text, *len);
    *len = quoted.len;
    json = oy_arena_copy(&chain->arena, quoted.data, quoted.len);
    oy_buffer_release(&quoted);
    return json;
}

int chain_set_param(struct chain *chain, const char *setting,
                    struct oy_error *err)
{
    const char *equals = strchr(setting, '=');
    const char *point = strchr(setting, '.');
    struct oy_json_value value;
    const char *why;
    size_t len;

    if (!equals || !point || point > equals)
        return oy_fail(err, OY_USAGE, "--set wants RULE.PARAM=VALUE, not '%s'",
                       setting);
    const char *label =
        oy_arena_copy(&chain->arena, setting, (size_t)(point - setting));
    const char *name =
        oy_arena_copy(&chain->arena, point + 1, (size_t)(equals - point - 1));
    const char *json = as_json(chain, equals + 1, &len);
    if (oy_json_value_of(json, len, &value, &why))
        return oy_fail(err, OY_USAGE, "--set %s: %s", setting, why);
    for (size_t i = 0; i < chain->n_step; i++) {
        const struct chain_step *step = &chain->step[i];
        if (!strcmp(step->label, label))
            return rule_set(step->rule, step->params, name, &value,
                            &chain->arena, OY_USAGE, err);
    }
    return oy_fail(err, OY_USAGE, "--set %s: no such rule in the list",
                   setting);
}

int chain_keep_languages(struct chain *chain, const char *list,
                         struct oy_error *err)
{
    struct oy_buffer json = {0};
    struct oy_json_value value;
    const char *why;
    int n = 0, failed = 0;

    oy_json_put_string(&json, list, strlen(list));
    oy_buffer_reserve(&json, OY_PADDING);
    failed = oy_json_value_of(json.data, json.len, &value, &why);
    for (size_t i = 0; i < chain->n_step && !failed; i++) {
        const struct chain_step *step = &chain->step[i];
        if (!step->rule->needs_language_model)
            continue;
        n++;
        failed = rule_set(step->rule, step->params, "keep", &value,
                          &chain->arena, OY_USAGE, err);
    }
    oy_buffer_release(&json);
    if (!n)
        return oy_fail(err, OY_USAGE,
                       "--keep-lang needs the rule 'language' in the list");
    return failed;
}
