/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-clean: keeps the records that rules of quality let pass. */
#include <string.h>

#include "core/run.h"
#include "pipeline/clean.h"

static const char description[] =
    "Each record's text goes through a list of rules in the order given; the "
    "first that fails drops the record and gives the reason. The rules, "
    "their parameters, defaults and reasons are those of the tools that "
    "people use today (datatrove's GopherQualityFilter, "
    "GopherRepetitionFilter, C4QualityFilter, C4ParagraphFilter, "
    "FineWebQualityFilter), document by document.\n"
    "\n"
    "Rules, by where they come from:\n"
    "\n"
    "datatrove: gopher_quality, gopher_repetition, c4_quality, c4_paragraph, "
    "fineweb_quality, symbol_lines, pii, fix_text, language, url.\n"
    "\n"
    "DCLM: dclm_FUNCTION, the name of a filter (dclm_stop_word_filter) or of a "
    "modifier of lines (dclm_counter_line_modifier).\n"
    "\n"
    "dolma: dolma_TAGGER (dolma_gopher_v2, dolma_c4_v2, dolma_pii_regex_v2 and "
    "others); they only measure. RedPajama: redpajama, which only measures. "
    "BigCode: code. Our own: length, value, match, nfc, nfkc.\n"
    "\n"
    "The same rule may be given twice; the second instance is called RULE#2. "
    "Presets are JSON files in pipeline/presets: basic, c4, code, dclm, "
    "fineweb, fineweb2-LANGUAGE (arb, deu, fra, jpn, zho), gopher, "
    "minimind.\n"
    "\n"
    "c4_quality drops lines (with split_paragraph=false sentences) and writes "
    "the text anew from those that stay; the rules behind it see that text. "
    "It counts sentences as its parameter `sentences` says: spacy (spaCy's "
    "sentencizer) or regex (datatrove's expression for other languages). "
    "symbol_lines keeps every document and takes out its lines of symbols "
    "alone (datatrove's SymbolLinesFormatter); pii puts stand-ins in the place "
    "of e-mail and public IP addresses (datatrove's PIIFormatter), which take "
    "turns within a record or, with pii.cycle=run, through the run; nfc and "
    "nfkc put texts into "
    "Unicode's normal forms.\n"
    "\n"
    "What a word is decides more documents than any threshold, so it must be "
    "chosen: ws (between white space), uax29 (Unicode's word boundaries, "
    "where punctuation marks are words), spacy (the tokens of spaCy's "
    "English model, which datatrove counts), jieba (Chinese words by a "
    "dictionary, which datatrove counts for cmn_Hani) or icu (the dictionaries "
    "of the ICU library, for Japanese, Thai, Khmer and the like; its version "
    "stands in the manifest). A preset may choose.\n"
    "\n"
    "    oy-clean --preset gopher -o clean.jsonl.zst web.jsonl.zst\n"
    "\n"
    "    oy-clean --rules length,gopher_quality --words ws --set "
    "length.min=200 --annotate web.jsonl\n"
    "\n"
    "url drops records by their URL, as datatrove's URLFilter does, with lists "
    "of the user's: files with an entry a line (`#` begins a comment) named by "
    "domains (registered domains and hosts), urls, banned_words, "
    "soft_banned_words (soft_word_threshold of them, 2) and banned_subwords. "
    "The registered domain is told by the public suffix list of libpsl, or of "
    "the file public_suffix_list.\n"
    "\n"
    "match is a rule of one's own: a regular expression (of PCRE2, where \\d, "
    "\\w and \\s are ASCII unless it begins with (*UCP)) with `on` (text, line "
    "or url, which is the member `field`) and `action`. drop drops the record "
    "where it matches, or that line, keep where it does not; replace puts "
    "`with` in the place of every match, in which $1 to $9 are its groups, $0 "
    "the match and $$ a dollar sign. A line goes with its line feed, and a "
    "record that lost all its lines is dropped; one without url is dropped as "
    "no_url. `reason` is what is said, else match. A search that takes too "
    "many steps makes the record a bad one (--bad). In a preset the rule's "
    "name may be left out: {\"match\": \"^Share$\", \"on\": \"line\"}.\n"
    "\n"
    "    oy-clean --rules match --set 'match.match=^(Share|Print)$' --set "
    "match.on=line web.jsonl\n"
    "\n"
    "With --annotate every record is kept and gets oyster.clean: {keep, rule, "
    "reason, rewritten, measured{...}, splitter}: splitter is what --words or "
    "a preset chose. Where a peer's rule raises an error on an empty text, "
    "the reason is `empty`.";

struct settings {
    struct oy_list preset;
    struct oy_list set;
    const char *rules;
    const char *words;
    char words_label[WORDS_LABEL];
    const char *keep_lang;
    struct clean_options clean;
};

/* Leaves what was chosen, by a preset too, in the option for the manifest. */
static int choose_words(struct settings *settings, const struct chain *chain,
                        struct clean_options *clean, struct oy_error *err)
{
    if (chain->words_differ && !settings->words)
        return oy_fail(err, OY_USAGE,
                       "presets want different words: choose with --words");
    clean->words = chain->words;
    if (settings->words) {
        clean->words = words_splitter_of(settings->words);
        if (clean->words == WORDS_NONE)
            return oy_fail(err, OY_USAGE,
                           "--words must be one of " WORDS_NAMES ", not '%s'",
                           settings->words);
    }
    if (clean->words == WORDS_NONE &&
        (clean->print_words || chain_needs_words(chain)))
        return oy_fail(err, OY_USAGE,
                       "choose what a word is with --words " WORDS_NAMES);
    if (clean->words != WORDS_NONE)
        settings->words = words_label(clean->words, settings->words_label);
    return words_check(clean->words, err);
}

static int choose_languages(const struct settings *settings,
                            struct chain *chain, struct oy_error *err)
{
    if (settings->keep_lang &&
        chain_keep_languages(chain, settings->keep_lang, err))
        return -1;
    if (chain_needs_language_model(chain) && !settings->clean.language_model)
        return oy_fail(err, OY_USAGE,
                       "the rule 'language' needs --lang-model FILE");
    return 0;
}

static int build_chain(const struct settings *settings, struct oy_run *run,
                       struct chain *chain, struct oy_error *err)
{
    if (!settings->preset.n_item && !settings->rules)
        return oy_fail(err, OY_USAGE, "give --preset or --rules");
    for (size_t i = 0; i < settings->preset.n_item; i++) {
        if (chain_add_preset(chain, run, settings->preset.item[i], err))
            return -1;
    }
    if (settings->rules && chain_set_rules(chain, settings->rules, err))
        return -1;
    for (size_t i = 0; i < settings->set.n_item; i++) {
        if (chain_set_param(chain, settings->set.item[i], err))
            return -1;
    }
    return chain_load(chain, run, err);
}

/* Where dropped records and the output go under the options' wishes. */
static int choose_outputs(struct oy_run *run, struct clean_options *clean,
                          struct oy_error *err)
{
    if (clean->n_sample && !run->dropped)
        return oy_fail(err, OY_USAGE, "--sample-dropped needs --dropped FILE");
    clean->tell_dropped = run->dropped != NULL;
    if (clean->n_sample) {
        clean->sample = run->dropped;
        run->dropped = NULL;
    }
    if (clean->dry_run) {
        clean->n_sample = 0;
        run->dropped = NULL;
        run->output = "/dev/null";
    }
    return 0;
}

static int clean_main(struct settings *settings, struct oy_run *run,
                      struct chain *chain, struct oy_error *err)
{
    if (build_chain(settings, run, chain, err) ||
        choose_words(settings, chain, &settings->clean, err) ||
        choose_languages(settings, chain, err) ||
        choose_outputs(run, &settings->clean, err))
        return -1;
    return clean_run(chain, &settings->clean, run, err);
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct settings s = {0};
    struct chain chain = {0};
    const struct oy_option option[] = {
        {"preset", 0, OY_OPT_LIST, &s.preset, "NAME|FILE", NULL,
         OY_OPT_IN_MANIFEST,
         "Rules, parameters and words from a preset. Several are joined."},
        {"rules", 0, OY_OPT_STRING, &s.rules, "R1,R2,...", NULL,
         OY_OPT_IN_MANIFEST,
         "The rules, in this order, instead of the presets' list; none judges "
         "nothing."},
        {"set", 0, OY_OPT_LIST, &s.set, "RULE.PARAM=VALUE", NULL,
         OY_OPT_IN_MANIFEST,
         "A parameter of a rule. VALUE is JSON if it parses, else a string."},
        {"words", 0, OY_OPT_STRING, &s.words, WORDS_NAMES, NULL,
         OY_OPT_IN_MANIFEST, "What a word is."},
        {"dictionary", 0, OY_OPT_STRING, &s.clean.dictionary, "FILE", NULL, 0,
         "The dictionary of --words jieba, in the form of jieba's dict.txt; "
         "that of Debian's python3-jieba unless given."},
        {"lang-model", 0, OY_OPT_STRING, &s.clean.language_model, "FILE", NULL,
         0,
         "A model of languages for the rule `language`: fastText's .bin or "
         ".ftz (lid.176, GlotLID)."},
        {"keep-lang", 0, OY_OPT_STRING, &s.keep_lang, "LANG:MIN,...", NULL,
         OY_OPT_IN_MANIFEST,
         "Keep these languages, where the best score is above MIN (0.65 "
         "unless given). Without it the rule `language` only measures."},
        {"annotate", 0, OY_OPT_FLAG, &s.clean.annotate, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Keep every record and add oyster.clean, with what was measured."},
        {"all-reasons", 0, OY_OPT_FLAG, &s.clean.all_reasons, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Run the rules behind the first that fails too; oyster.clean.failed "
         "lists all that fail."},
        {"dropped", 0, OY_OPT_STRING, &run.dropped, "FILE", NULL, 0,
         "Write dropped records to FILE as they were read, with "
         "oyster.clean."},
        {"sample-dropped", 0, OY_OPT_INT, &s.clean.n_sample, "N", "0:", 0,
         "Of every reason write only N dropped records, chosen by chance "
         "(--seed)."},
        {"dry-run", 0, OY_OPT_FLAG, &s.clean.dry_run, NULL, NULL, 0,
         "Judge and count, write no records."},
        {"print-words", 0, OY_OPT_FLAG, &s.clean.print_words, NULL, NULL,
         OY_OPT_IN_MANIFEST,
         "Keep every record and add oyster.words, the list of its words, and "
         "oyster.splitter, what found them."},
        {0},
    };
    struct oy_program program = {
        .name = "oy-clean",
        .synopsis = "[OPTION]... [FILE]...",
        .summary = "keep the records that rules of quality let pass",
        .description = description,
        .option = option,
    };

    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        clean_main(&s, &run, &chain, &err);
    oy_list_release(&s.preset);
    oy_list_release(&s.set);
    const int code = oy_run_exit(&run, &err);
    chain_release(&chain);
    return code;
}
