/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule `c4_badwords`: drops documents that hold a word of their language's
 * list. datatrove's C4BadWordsFilter (c4_filters.py, 0.10.1) with the user's
 * lists in the place of those that it downloads.
 *
 * `badwords` is a folder with a file for each language, named as the language
 * is ("en", "fr-CA"; other names are passed over), or one file, the list of
 * `default_language`. Entries are stripped and otherwise taken as they are:
 * the text is made lower-case, they are not.
 *
 * A share `keep_fraction` of the documents with such words is kept: each
 * draws, in the order of the input, the next number of numpy's
 * default_rng(seed). The peer's seed is None, another one each time. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/unicode.h"
#include "pipeline/borders.h"
#include "pipeline/needles.h"
#include "pipeline/numpy_random.h"
#include "pipeline/rule_internal.h"
#include "pipeline/text_list.h"

struct badwords_list {
    char *language;
    char *path;
    int has_borders; /* whether words stand apart in this language */
    struct needles words;
};

struct badwords_lists {
    struct badwords_list *item;
    size_t n, cap;
};

struct c4_badwords {
    const char *badwords;
    double keep_fraction;
    int fail_on_missing_language;
    int64_t seed;
    const char *default_language;
    const char *field;
    struct badwords_lists *lists;
};

static const struct c4_badwords defaults = {
    .badwords = "",
    .fail_on_missing_language = 1,
    .default_language = "en",
    .field = "language",
};

static const struct rule_param param[] = {
    RULE_PARAM(struct c4_badwords, RULE_TEXT, badwords),
    RULE_PARAM(struct c4_badwords, RULE_NUMBER, keep_fraction),
    RULE_PARAM(struct c4_badwords, RULE_BOOL, fail_on_missing_language),
    RULE_PARAM(struct c4_badwords, RULE_COUNT, seed),
    RULE_PARAM(struct c4_badwords, RULE_TEXT, default_language),
    RULE_PARAM(struct c4_badwords, RULE_TEXT, field),
    {0},
};

/* ---- judging ---- */

/* The list of the record's language, or of the default when it names none. */
static const struct badwords_list *list_of(const struct c4_badwords *p,
                                           struct document *document,
                                           struct oy_text *language)
{
    *language =
        (struct oy_text){p->default_language, strlen(p->default_language)};
    if (document->member && !document_member_text(document, language))
        *language = (struct oy_text){"", 0};
    for (size_t i = 0; i < p->lists->n; i++) {
        const struct badwords_list *list = &p->lists->item[i];
        if (strlen(list->language) == language->len &&
            !memcmp(list->language, language->at, language->len))
            return list;
    }
    return NULL;
}

/* As (?:\W|^)(WORD)(?:\W|$), or the word alone. */
struct place {
    const struct oy_buffer *text;
    int has_borders;
};

static int stands_alone(void *arg, size_t at, size_t len)
{
    const struct place *place = arg;
    const struct oy_buffer *text = place->text;

    return !place->has_borders ||
           (!border_word_at(text->data, text->len, at + len) &&
            !border_word_before(text->data, at));
}

static int has_badword(const struct badwords_list *list,
                       struct document *document)
{
    struct oy_buffer *lower = document_own_text(document);
    struct place place = {lower, list->has_borders};

    oy_buffer_clear(lower);
    oy_buffer_reserve(lower, document->text.len + 1);
    oy_py_lower(document->text.at, document->text.len, lower);
    return needles_find(&list->words, lower->data, lower->len, stands_alone,
                        &place);
}

static void fail_language(struct document *document, struct oy_text language)
{
    char *why = oy_asprintf("no list of bad words for language '%.*s'",
                            (int)(language.len < 100 ? language.len : 100),
                            language.at);

    document_fail(document, why);
    oy_free(why);
}

static const char *judge(const void *params, struct document *document,
                         struct measures *out)
{
    const struct c4_badwords *p = params;
    struct oy_text language;
    const struct badwords_list *list = list_of(p, document, &language);

    if (!list) {
        if (p->fail_on_missing_language)
            fail_language(document, language);
        return NULL;
    }
    const int is_bad = has_badword(list, document);
    measure_count(out, "has_badword", (size_t)is_bad);
    if (!is_bad)
        return NULL;
    if (p->keep_fraction > 0 &&
        numpy_random_unit((uint64_t)p->seed, (*document->turn)++) <
            p->keep_fraction)
        return NULL;
    return "document_removed_with_badwords";
}

/* ---- loading ---- */

/* The peer takes these out of every list: "each filters > 10 % of documents
 * of its language". */
static int is_allowed(const char *word, size_t len)
{
    static const char *const allowed[] = {
        "sm",                                   /* ja */
        "\xe3\x82\xb0\xe3\x83\xad",             /* ja */
        "\xe5\xa5\xb3\xe3\x81\xae\xe5\xad\x90", /* ja */
        "\xe6\x80\xa7",                         /* zh */
    };

    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        if (strlen(allowed[i]) == len && !memcmp(allowed[i], word, len))
            return 1;
    }
    return 0;
}

static void add_word(void *arg, const char *word, size_t len)
{
    if (!is_allowed(word, len))
        needles_add(arg, word, len);
}

/* Takes `path` over. */
static int add_list(struct c4_badwords *p, const char *language, char *path,
                    struct oy_run *run, struct oy_error *err)
{
    struct badwords_lists *lists = p->lists;

    OY_GROW(lists->item, lists->cap, lists->n + 1);
    struct badwords_list *list = &lists->item[lists->n++];
    *list = (struct badwords_list){
        .language = oy_strdup(language),
        .path = path,
        .has_borders = strcmp(language, "ja") && strcmp(language, "th") &&
                       strcmp(language, "zh"),
    };
    if (text_list_read(path, 1, run, add_word, &list->words, err))
        return -1;
    needles_finish(&list->words);
    return 0;
}

/* Two or three small letters, and what may stand behind a hyphen or bar. */
static int is_language(const char *name)
{
    const size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz");

    return (n == 2 || n == 3) &&
           (!name[n] || name[n] == '-' || name[n] == '_') && !strchr(name, '.');
}

static int filter_entry(const struct dirent *entry)
{
    return is_language(entry->d_name);
}

/* Not alphasort(), which asks for the locale. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(struct c4_badwords *p, struct oy_run *run,
                       struct oy_error *err)
{
    struct dirent **entry = NULL;
    const int n = scandir(p->badwords, &entry, filter_entry, compare_entries);
    int failed = 0;

    if (n < 0)
        return oy_fail(err, OY_NOINPUT, "%s: cannot be listed", p->badwords);
    if (n == 0)
        failed =
            oy_fail(err, OY_NOINPUT, "%s: no file in it is named as a language",
                    p->badwords);
    for (int i = 0; i < n; i++) {
        const char *name = entry[i]->d_name;
        failed =
            failed || add_list(p, name, oy_asprintf("%s/%s", p->badwords, name),
                               run, err);
        free(entry[i]);
    }
    free(entry);
    return failed ? -1 : 0;
}

static int load(void *params, struct oy_run *run, struct oy_error *err)
{
    struct c4_badwords *p = params;
    struct stat status;

    if (!*p->badwords)
        return oy_fail(err, OY_USAGE,
                       "'badwords' must name a list or a folder of lists");
    p->lists = oy_calloc(1, sizeof *p->lists);
    if (!stat(p->badwords, &status) && S_ISDIR(status.st_mode))
        return read_folder(p, run, err);
    return add_list(p, p->default_language, oy_strdup(p->badwords), run, err);
}

static void unload(void *params)
{
    struct c4_badwords *p = params;

    for (size_t i = 0; p->lists && i < p->lists->n; i++) {
        oy_free(p->lists->item[i].language);
        oy_free(p->lists->item[i].path);
        needles_release(&p->lists->item[i].words);
    }
    if (p->lists)
        oy_free(p->lists->item);
    oy_free(p->lists);
    p->lists = NULL;
}

static const char *field(const void *params)
{
    const struct c4_badwords *p = params;

    return p->field;
}

static int takes_turns(const void *params)
{
    const struct c4_badwords *p = params;

    return p->keep_fraction > 0;
}

const struct rule rule_c4_badwords = {
    .name = "c4_badwords",
    .params_size = sizeof(struct c4_badwords),
    .defaults = &defaults,
    .param = param,
    .load = load,
    .unload = unload,
    .field = field,
    .judge = judge,
    .takes_turns = takes_turns,
};
