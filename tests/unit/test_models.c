/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the models: WordPiece, Unigram, WordLevel, the rarer options of
 * BPE, and of what is said about damaged ones.
 *
 * tests/data/tokenizer/models.jsonl holds random tokenizers with texts and
 * their ids, all from Hugging Face's tokenizers 0.23.3 (tests/peers/models.py
 * --freeze). */
#include "tests/unit/tokenizer_peer.h"

#include <time.h>

#include "core/random.h"
#include "tokenizer/token_trie.h"

static void all_is_as_the_peer_has_it(void **state)
{
    (void)state;
    assert_true(check_peer_file("tests/data/tokenizer/models.jsonl") > 300);
}

/* ---- single tokenizers ---- */

static struct tokenizer *load(const char *json)
{
    struct oy_error err = {0};
    char *name = write_file(json, strlen(json));
    struct tokenizer *tokenizer = tokenizer_load(name, &err);

    if (!tokenizer)
        fail_msg("%s", err.message);
    drop_file(name);
    return tokenizer;
}

/* Encodes a text and compares with the ids, -1 behind them. */
static void expect(const char *json, const char *text, const int32_t *want)
{
    struct tokenizer *tokenizer = load(json);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    struct token_ids ids = {0};
    struct oy_buffer copy = {0};
    size_t n = 0;

    oy_buffer_append_string(&copy, text);
    tokenizer_encode(worker, copy.data, copy.len, TOKENIZER_TOKEN, &ids, NULL);
    for (; want[n] >= 0; n++) {
        if (n >= ids.n || ids.id[n] != want[n])
            fail_msg("'%s': id %zu is not %d", text, n, want[n]);
    }
    assert_int_equal(ids.n, n);
    oy_buffer_release(&copy);
    token_ids_release(&ids);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

#define IDS(...) ((const int32_t[]){__VA_ARGS__, -1})

#define WORDPIECE(options)                                                     \
    "{\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"type\":"        \
    "\"WordPiece\",\"unk_token\":\"[UNK]\"" options                            \
    ",\"vocab\":{\"[UNK]\":0,\"a\":1,\"ab\":2,\"##c\":3,\"##cd\":4,"           \
    "\"##\":5,\"\xc3\xa9\":6,\"##\xc3\xa9\":7,\"c\":9}}}"

static void wordpiece_takes_the_longest(void **state)
{
    (void)state;
    expect(WORDPIECE(""), "abcd abc a", IDS(2, 4, 2, 3, 1));
    /* One character that does not fit, and the word is unknown. */
    expect(WORDPIECE(""), "abcx a", IDS(0, 1));
    /* The prefix alone stands for no text, nor is it part of one. */
    expect(WORDPIECE(""), "aa", IDS(0));
    expect(WORDPIECE(",\"continuing_subword_prefix\":\"\""), "aabc",
           IDS(1, 2, 9));
    expect(WORDPIECE(",\"continuing_subword_prefix\":\"@\""), "abc a",
           IDS(0, 1));
}

static void wordpiece_counts_characters(void **state)
{
    const char *three = WORDPIECE(",\"max_input_chars_per_word\":3");

    (void)state;
    expect(three, "\xc3\xa9\xc3\xa9\xc3\xa9", IDS(6, 7, 7));
    expect(three, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", IDS(0));
}

#define UNIGRAM(options, tokens)                                               \
    "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0" options                    \
    ",\"vocab\":[[\"<unk>\",0]," tokens "]}}"

static void unigram_finds_the_best_way(void **state)
{
    const char *json =
        UNIGRAM("", "[\"a\",0],[\"b\",0],[\"c\",0],[\"d\",0],[\"cd\",1.0],"
                    "[\"ab\",2.0],[\"abc\",5.0],[\"abcd\",10.0]");

    (void)state;
    /* The example of HF's model.rs. */
    expect(json, "abcdacdxx", IDS(8, 1, 5, 0));
    /* Text that spells the unknown token joins unknown characters. */
    expect(json, "xy<unk>zab", IDS(0, 6));
}

static void unigram_keeps_the_first_of_equals(void **state)
{
    (void)state;
    expect(UNIGRAM("", "[\"a\",-1],[\"aa\",-1]"), "aaa", IDS(1, 2));
    /* 0.1 + 0.2 is more than 0.3, by the last bit. */
    expect(UNIGRAM("", "[\"a\",-0.1],[\"b\",-0.2],[\"ab\",-0.3]"), "ab",
           IDS(3));
    expect(UNIGRAM("", "[\"a\",0.1],[\"b\",0.2],[\"ab\",0.3]"), "ab",
           IDS(1, 2));
}

/* Bit for bit; the peer reads the first two one bit off. */
static void scores_are_read_as_the_peer_does(void **state)
{
    const char *json =
        UNIGRAM("", "[\"a\",-13.428229331970215],[\"b\",-1.2806287645399461],"
                    "[\"c\",-9.193288803100586],[\"d\",-0.5E+1],"
                    "[\"e\",123456789012345678901234567890],"
                    "[\"f\",0.10000000000000000000000000001],[\"g\",2.5e-320],"
                    "[\"h\",1e-400]");
    static const double want[] = {
        0,
        -0x1.adb40e0000001p+3,
        -0x1.47d7496604157p+0,
        -0x1.262f6cp+3,
        -5,
        0x1.8ee90ff6c373ep+96,
        0.1,
        0x0.00000000013c4p-1022,
        0,
    };
    struct oy_error err = {0};
    char *name = write_file(json, strlen(json));
    struct vocab *vocab = vocab_load(name, &err);

    (void)state;
    assert_non_null(vocab);
    assert_int_equal(vocab->n_model, sizeof want / sizeof *want);
    for (int i = 0; i < vocab->n_model; i++)
        assert_true(vocab->score[i] == want[i]);
    vocab_free(vocab);
    drop_file(name);
}

#define BYTES "[\"<0xC3>\",-9],[\"<0xA9>\",-9],[\"x\",-1]"

static void unigram_falls_back_to_bytes(void **state)
{
    const char *json = UNIGRAM(",\"byte_fallback\":true", BYTES);

    (void)state;
    expect(json, "x\xc3\xa9x", IDS(3, 1, 2, 3));
    /* All bytes of a stretch, or none. */
    expect(json, "\xc3\xa9\xc3\xa8", IDS(0));
    expect(UNIGRAM("", BYTES), "x\xc3\xa9x", IDS(3, 0, 3));
}

/* The last of equal spellings counts. */
static void unigram_may_spell_twice(void **state)
{
    (void)state;
    expect(UNIGRAM("", "[\"a\",-1],[\"a\",-2],[\"b\",-1]"), "ab", IDS(2, 3));
}

static void wordlevel_knows_whole_pieces(void **state)
{
    (void)state;
    expect("{\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"type\":"
           "\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"a\":3,\"?\":5,"
           "\"ab\":1}}}",
           "ab b a", IDS(1, 5, 3));
}

/* ByteLevel before a model that is not BPE: tokens are spelled visibly. */
static void models_see_visible_bytes(void **state)
{
    (void)state;
    expect("{\"pre_tokenizer\":" BYTE_LEVEL ",\"model\":{\"type\":"
           "\"WordLevel\",\"unk_token\":\"?\",\"vocab\":{\"\xc4\xa0"
           "a\":0,\"?\":1,\"\xc3\x83\xc2\xa9\":2}}}",
           "\xc3\xa9 a b", IDS(2, 0, 1));
}

#define BPE(options, tokens, merges)                                           \
    "{\"model\":{\"type\":\"BPE\"" options ",\"vocab\":{" tokens               \
    "},\"merges\":[" merges "]}}"

static void bpe_spells_affixes(void **state)
{
    const char *json =
        BPE(",\"continuing_subword_prefix\":\"##\",\"end_of_word_suffix\":"
            "\"$\"",
            "\"a\":0,\"##b\":1,\"##b$\":2,\"a$\":3,\"ab\":4,\"ab$\":5,"
            "\"##bb$\":6",
            "[\"a\",\"##b\"],[\"a\",\"##b$\"],[\"##b\",\"##b$\"]");

    (void)state;
    expect(json, "ab", IDS(5));
    expect(json, "a", IDS(3));
    expect(json, "abb", IDS(4, 2));
    /* "b" has no token at the begin of a word. */
    expect(json, "bb", IDS(2));
}

/* Old files have no type. */
static void models_are_known_by_their_members(void **state)
{
    (void)state;
    expect("{\"model\":{\"vocab\":{\"a\":0,\"b\":1},\"unk_token\":\"b\"}}", "a",
           IDS(0));
    expect("{\"model\":{\"vocab\":{\"a\":0,\"##b\":1},\"unk_token\":\"a\","
           "\"continuing_subword_prefix\":\"##\","
           "\"max_input_chars_per_word\":9}}",
           "ab", IDS(0, 1));
    expect("{\"model\":{\"vocab\":[[\"a\",-1]],\"unk_id\":0}}", "aa", IDS(0));
}

/* Model ids with holes: their number is the first id of an added token that
 * the model lacks, be it taken or not, and known contents do not move it. */
static void added_tokens_may_share_ids(void **state)
{
    const char *json =
        "{\"added_tokens\":[{\"content\":\"c\"},{\"content\":\"X\"},"
        "{\"content\":\"Y\"}],\"pre_tokenizer\":{\"type\":\"Whitespace\"},"
        "\"model\":{\"type\":\"WordLevel\",\"unk_token\":\"u\",\"vocab\":{"
        "\"a\":0,\"u\":1,\"b\":4,\"c\":7}}}";
    struct tokenizer *tokenizer = load(json);
    struct oy_buffer out = {0};

    (void)state;
    expect(json, "a b X Y c", IDS(0, 4, 4, 5, 7));
    tokenizer_decode(tokenizer, IDS(0, 4, 5, 7), 4, 0, &out);
    assert_string_equal(oy_buffer_string(&out), "a X Y c");
    oy_buffer_release(&out);
    tokenizer_free(tokenizer);
}

static void long_pieces_are_fast(void **state)
{
    const char *json = UNIGRAM("", "[\"a\",-1],[\"aaaa\",-1],[\"b\",-2]");
    const size_t len = 1 << 20;
    struct tokenizer *tokenizer = load(json);
    struct tokenizer_worker *worker = tokenizer_worker_new(tokenizer);
    char *text = oy_calloc(len + OY_PADDING, 1);
    struct token_ids ids = {0};

    (void)state;
    memset(text, 'a', len);
    const clock_t start = clock();
    tokenizer_encode(worker, text, len, TOKENIZER_TOKEN, &ids, NULL);
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    assert_int_equal(ids.n, len / 4);
    token_ids_release(&ids);
    oy_free(text);
    tokenizer_worker_free(worker);
    tokenizer_free(tokenizer);
}

/* ---- the trie ---- */

enum { N_TOKEN = 3000 };

/* A vocabulary of short random strings, some of them twice, one empty. */
static struct vocab *random_vocab(uint64_t seed)
{
    struct oy_random random = oy_random_at(seed, 0);
    struct oy_buffer json = {0};
    struct oy_error err = {0};

    oy_buffer_append_string(&json, "{\"model\":{\"unk_id\":0,\"vocab\":[");
    for (int i = 0; i < N_TOKEN; i++) {
        char text[24];
        size_t len = oy_random_below(&random, i % 7 ? 5 : 12);
        for (size_t at = 0; at < len; at++)
            text[at] = (char)oy_random_below(&random, 1 + i % 127);
        oy_buffer_append_string(&json, i ? ",[" : "[");
        oy_json_put_string(&json, text, len);
        oy_buffer_append_string(&json, ",-1]");
    }
    oy_buffer_append_string(&json, "]}}");
    char *name = write_file(json.data, json.len);
    struct vocab *vocab = vocab_load(name, &err);
    oy_buffer_release(&json);
    drop_file(name);
    return vocab;
}

/* What is found on the way along a text is what the table knows. */
static void check_walk(const struct token_trie *trie, const struct vocab *vocab,
                       const char *text, size_t len)
{
    uint32_t node = TOKEN_TRIE_ROOT;
    size_t n = 0;

    while (n < len && token_trie_step(trie, &node, (unsigned char)text[n])) {
        n++;
        assert_int_equal(token_trie_id(trie, node), vocab_find(vocab, text, n));
    }
    for (n++; n <= len; n++)
        assert_int_equal(vocab_find(vocab, text, n), -1);
}

static void tries_hold_all_tokens(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct vocab *vocab = random_vocab(seed);
        struct token_trie trie;
        char text[16];
        assert_non_null(vocab);
        token_trie_init(&trie, vocab);
        assert_int_equal(token_trie_id(&trie, TOKEN_TRIE_ROOT), -1);
        for (int i = 0; i < N_TOKEN; i++) {
            const struct vocab_token *token = &vocab->token[i];
            memcpy(text, vocab->text + token->at, token->len);
            check_walk(&trie, vocab, text, token->len);
            text[token->len] = (char)i;
            check_walk(&trie, vocab, text, token->len + 1);
        }
        token_trie_release(&trie);
        vocab_free(vocab);
    }
}

/* ---- damage ---- */

static void refuse(const char *json, const char *want)
{
    struct oy_error err = {0};
    char *name = write_file(json, strlen(json));

    assert_null(tokenizer_load(name, &err));
    assert_int_equal(err.code, OY_DATA);
    if (!strstr(err.message, want))
        fail_msg("'%s' does not say '%s'", err.message, want);
    drop_file(name);
}

static void places_in_bpe_are_named(void **state)
{
    (void)state;
    refuse("", "not a tokenizer");
    refuse("[]", "not a tokenizer");
    refuse("{\"model\":{\"vocab\":{", "truncated after 19 bytes");
    refuse("{\"model\" 1}", "expected ':' at byte 9");
    refuse("{}", "model: not an object");
    refuse("{\"model\":{\"type\":\"Magic\"}}", "model.type: \"Magic\"");
    refuse(BPE("", "\"a\":-1", ""), "model.vocab.\"a\": id -1 is out of range");
    refuse(BPE("", "\"a\":16777216", ""), "model.vocab.\"a\": id 16777216");
    refuse(BPE("", "\"a\":0.5", ""), "model.vocab.\"a\": not an id");
    refuse(BPE("", "\"\\x\":0", ""), "model.vocab.\"\\x\": ");
    refuse(BPE("", "\"a\":0,\"b\":0", ""),
           "model.vocab.\"b\": another token has id 0");
    refuse(BPE("", "\"a\":7,\"a\":3", ""),
           "model.vocab: ids 3 and 7 are spelled alike");
    refuse(BPE("", "\"a\":0", "\"a a\""),
           "model.merges[0]: its result is not in the vocabulary");
    refuse(BPE("", "\"a\":0,\"aa\":1", "\"a a\",\"a b\""),
           "model.merges[1]: its right part");
    refuse(BPE("", "\"a\":0,\"aa\":1", "\"#version: 0.2\",\"b a\""),
           "model.merges[1]: its left part");
    refuse(BPE("", "\"a\":0", "\"a\""), "model.merges[0]: not two parts");
    refuse(BPE("", "\"a\":0", "[\"a\"]"), "model.merges[0]: not a pair");
    refuse(BPE("", "\"a\":0", "[\"a\",\"a\",\"a\"]"),
           "model.merges[0]: not a pair");
    refuse(BPE("", "\"a\":0", "[\"a\",1]"), "model.merges[0]: not strings");
    refuse(BPE("", "\"a\":0", "[\"a\",\"\\ud8\"]"), "model.merges[0]: ");
    refuse(BPE("", "\"a\":0", "\"#version\" 5"),
           "model.merges: expected ',' at byte ");
    refuse(BPE(",\"continuing_subword_prefix\":\"##\"",
               "\"a\":0,\"##a\":1,\"aa\":2", "[\"a\",\"##a\"],[\"a\",\"a\"]"),
           "model.merges[1]: its right part is shorter");
    refuse(BPE(",\"fuse_unk\":1", "", ""), "model.fuse_unk: not a boolean");
    refuse(BPE(",\"dropout\":0.1", "", ""), "model.dropout: ");
    refuse(BPE(",\"dropout\":\"x\"", "", ""), "model.dropout: not a number");
    refuse(BPE(",\"end_of_word_suffix\":1", "", ""),
           "model.end_of_word_suffix: not a string");
    refuse(BPE(",\"byte_fallback\":true,\"end_of_word_suffix\":\"x\"", "", ""),
           "model.byte_fallback: ");
    refuse(BPE(",\"unk_token\":\"?\"", "\"a\":0", ""), "model.unk_token: ");
}

static void places_in_other_models_are_named(void **state)
{
    (void)state;
    refuse(UNIGRAM("", "[\"a\"]"), "model.vocab[1]: not a pair");
    refuse(UNIGRAM("", "[\"a\",\"b\"]"), "model.vocab[1]: its score");
    refuse(UNIGRAM("", "[\"a\",1e999]"), "model.vocab[1]: its score");
    refuse(UNIGRAM("", "[1,1]"), "model.vocab[1]: not a string");
    refuse("{\"model\":{\"type\":\"Unigram\",\"unk_id\":1,"
           "\"vocab\":[[\"a\",0]]}}",
           "model.unk_id: not in the vocabulary");
    refuse("{\"model\":{\"type\":\"Unigram\",\"unk_id\":null,"
           "\"vocab\":[[\"a\",0]]}}",
           "model.unk_id: null");
    refuse("{\"model\":{\"type\":\"Unigram\",\"vocab\":{}}}",
           "model.vocab: not a list");
    refuse("{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\","
           "\"vocab\":{\"a\":0}}}",
           "model.unk_token: \"[UNK]\" is not in the vocabulary");
    refuse(WORDPIECE(",\"max_input_chars_per_word\":-1"),
           "model.max_input_chars_per_word: not a count");
    refuse("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}",
           "model.unk_token: not a string");
}

#define ADDED(entry)                                                           \
    "{\"added_tokens\":[{\"id\":5,\"content\":\"b\"}," entry                   \
    "],\"model\":{\"vocab\":{\"a\":0},\"merges\":[]}}"

static void places_in_added_tokens_are_named(void **state)
{
    (void)state;
    refuse(ADDED("1"), "added_tokens[1]: not an object");
    refuse(ADDED("{}"), "added_tokens[1].content: not a string");
    refuse(ADDED("{\"content\":1}"), "added_tokens[1].content: not a string");
    refuse(ADDED("{\"content\":\"\\q\"}"), "added_tokens[1].content: ");
    refuse(ADDED("{\"content\":\"c\",\"id\":\"x\"}"),
           "added_tokens[1].id: not an id");
    refuse(ADDED("{\"content\":\"c\",\"special\":0}"),
           "added_tokens[1].special: not a boolean");
    refuse(ADDED("{\"content\" 1}"), "added_tokens[1]: expected ':'");
    refuse("{\"added_tokens\":{},\"model\":{\"vocab\":{},\"merges\":[]}}",
           "added_tokens: not a list");
}

int main(void)
{
    const struct CMUnitTest test[] = {
        cmocka_unit_test(all_is_as_the_peer_has_it),
        cmocka_unit_test(wordpiece_takes_the_longest),
        cmocka_unit_test(wordpiece_counts_characters),
        cmocka_unit_test(unigram_finds_the_best_way),
        cmocka_unit_test(unigram_keeps_the_first_of_equals),
        cmocka_unit_test(scores_are_read_as_the_peer_does),
        cmocka_unit_test(unigram_falls_back_to_bytes),
        cmocka_unit_test(unigram_may_spell_twice),
        cmocka_unit_test(wordlevel_knows_whole_pieces),
        cmocka_unit_test(models_see_visible_bytes),
        cmocka_unit_test(bpe_spells_affixes),
        cmocka_unit_test(models_are_known_by_their_members),
        cmocka_unit_test(added_tokens_may_share_ids),
        cmocka_unit_test(long_pieces_are_fast),
        cmocka_unit_test(tries_hold_all_tokens),
        cmocka_unit_test(places_in_bpe_are_named),
        cmocka_unit_test(places_in_other_models_are_named),
        cmocka_unit_test(places_in_added_tokens_are_named),
    };

    return cmocka_run_group_tests(test, NULL, NULL);
}
