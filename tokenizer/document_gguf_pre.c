/* SPDX-License-Identifier: Apache-2.0
 *
 * The pre-tokenizers that a GGUF names, as the tokenizer.json that they were
 * taken from have them.
 *
 * Names and expressions are those of llama.cpp's src/llama-vocab.cpp
 * (llm_tokenizer_bpe, llama_vocab::impl::load), which quotes the originals
 * where it had to change them. Its `\s+(?!\S)` without `|\s+` behind leaves
 * white space over, which becomes a piece; so does GPT-2's own expression.
 * llama.cpp normalises nothing; that these are for NFC is from their
 * tokenizer.json. Not here: kimi-k2, afmoe and superbpe, which are code and
 * not expressions; gemma4 and its kin, whose pieces are no bytes. */
#include <string.h>

#include "tokenizer/document_gguf.h"

/* In this form tokenizer/split.h knows them. */
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES      "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define SYMBOLS     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
#define WORD        "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define CL100K      CONTRACTION "|" WORD "\\p{N}{1,3}|" SYMBOLS SPACES
#define QWEN2       CONTRACTION "|" WORD "\\p{N}|" SYMBOLS SPACES

#define UPPER  "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LOWER  "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define BEFORE "[^\\r\\n\\p{L}\\p{N}]?"
#define CASED(tail)                                                            \
    BEFORE UPPER "*" LOWER "+" tail "|" BEFORE UPPER "+" LOWER "*" tail "|"
#define O200K_REST " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES
#define O200K      CASED(CONTRACTION "?") "\\p{N}{1,3}|" O200K_REST

#define DEEPSEEK_CJK                                                           \
    "[\xe4\xb8\x80-\xe9\xbe\xa5\xe3\x81\x80-\xe3\x82\x9f\xe3\x82\xa0-"         \
    "\xe3\x83\xbf]+"
#define DEEPSEEK_WORD                                                          \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|"                   \
    "[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
#define OLD_DEEPSEEK_CJK                                                       \
    "[\\x{4E00}-\\x{9FA5}\\x{800}-\\x{4E00}\\x{AC00}-\\x{D7FF}]+"
#define BLOOM                                                                  \
    " ?[^(\\s|.,!?\xe2\x80\xa6\xe3\x80\x82\xef\xbc\x8c\xe3\x80\x81"            \
    "\xe0\xa5\xa4\xdb\x94\xd8\x8c)]+"

/* What DeepSeek LLM takes for letters. */
#define CASED_LETTERS                                                          \
    "A-Za-z\\x{B5}\\x{C0}-\\x{D6}\\x{D8}-\\x{F6}\\x{F8}-\\x{1BA}"              \
    "\\x{1BC}-\\x{1BF}\\x{1C4}-\\x{293}\\x{295}-\\x{2AF}"                      \
    "\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37B}-\\x{37D}\\x{37F}\\x{386}"       \
    "\\x{388}-\\x{38A}\\x{38C}\\x{38E}-\\x{3A1}\\x{3A3}-\\x{3F5}"              \
    "\\x{3F7}-\\x{481}\\x{48A}-\\x{52F}\\x{531}-\\x{556}"                      \
    "\\x{10A0}-\\x{10C5}\\x{13A0}-\\x{13F5}\\x{13F8}-\\x{13FD}"                \
    "\\x{1C90}-\\x{1CBA}\\x{1CBD}-\\x{1CBF}\\x{1D00}-\\x{1D2B}"                \
    "\\x{1D6B}-\\x{1D77}\\x{1D79}-\\x{1D9A}\\x{1E00}-\\x{1F15}"                \
    "\\x{1F18}-\\x{1F1D}\\x{1F20}-\\x{1F45}\\x{1F48}-\\x{1F4D}"                \
    "\\x{1F50}-\\x{1F57}\\x{1F59}\\x{1F5B}\\x{1F5D}\\x{1F5F}-\\x{1F7D}"        \
    "\\x{1F80}-\\x{1FB4}\\x{1FB6}-\\x{1FBC}\\x{1FBE}\\x{1FC2}-\\x{1FC4}"       \
    "\\x{1FC6}-\\x{1FCC}\\x{1FD0}-\\x{1FD3}\\x{1FD6}-\\x{1FDB}"                \
    "\\x{1FE0}-\\x{1FEC}\\x{1FF2}-\\x{1FF4}\\x{1FF6}-\\x{1FFC}\\x{2102}"       \
    "\\x{2107}\\x{210A}-\\x{2113}\\x{2115}\\x{2119}-\\x{211D}\\x{2124}"        \
    "\\x{2126}\\x{2128}\\x{212A}-\\x{212D}\\x{212F}-\\x{2134}\\x{2139}"        \
    "\\x{213C}-\\x{213F}\\x{2145}-\\x{2149}\\x{214E}\\x{2183}\\x{2184}"        \
    "\\x{2C00}-\\x{2C7B}\\x{2C7E}-\\x{2CE4}\\x{2CEB}-\\x{2CEE}\\x{2CF2}"       \
    "\\x{2CF3}\\x{A640}-\\x{A66D}\\x{A680}-\\x{A69B}\\x{A722}-\\x{A76F}"       \
    "\\x{A771}-\\x{A787}\\x{A78B}-\\x{A78E}\\x{AB70}-\\x{ABBF}"                \
    "\\x{FB00}-\\x{FB06}\\x{FB13}-\\x{FB17}\\x{FF21}-\\x{FF3A}"                \
    "\\x{FF41}-\\x{FF5A}\\x{10400}-\\x{1044F}\\x{104B0}-\\x{104D3}"            \
    "\\x{104D8}-\\x{104FB}\\x{10C80}-\\x{10CB2}\\x{10CC0}-\\x{10CF2}"          \
    "\\x{118A0}-\\x{118DF}\\x{1E900}-\\x{1E943}"

static const char nfc[] = "{\"type\":\"NFC\"}";

static const struct document_pre known[] = {
    {.names = "gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es jina-v2-de "
              "a.x-4.0 mellum exaone4 jais trillion granite-docling",
     .cuts_gpt2 = 1},
    {.names = "mpt olmo modern-bert", .normalizer = nfc, .cuts_gpt2 = 1},
    {.names = "roberta-bpe jina-v1-en jina-v2-code",
     .cuts_gpt2 = 1,
     .adds_sep = 1},
    {.names = "starcoder refact smollm codeshell exaone minerva-7b mellum2",
     .cuts_digits = 1,
     .cuts_gpt2 = 1},
    {.names = "command-r", .normalizer = nfc, .cuts_digits = 1, .cuts_gpt2 = 1},
    {.names = "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 "
              "lfm2 jina-v5-nano",
     .regex = {CL100K},
     .ignores_merges = 1,
     .adds_bos = 1},
    {.names = "dbrx smaug-bpe glm4 chatglm-bpe", .regex = {CL100K}},
    {.names = "minicpm5",
     .regex = {"\\p{N}{1,3}", CONTRACTION "|" WORD "\\p{N}+|" SYMBOLS SPACES},
     .ignores_merges = 1},
    {.names = "jais-2",
     .regex = {CONTRACTION
               "|" WORD "\\p{N}{1,3}|" SYMBOLS
               "\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|"
               "\\s{64}(?!\\S)|\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|"
               "\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}"}},
    {.names = "qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 megrez",
     .normalizer = nfc,
     .regex = {QWEN2}},
    {.names = "hunyuan solar-open grok-2", .regex = {QWEN2}},
    {.names = "laguna", .regex = {"[^\\n]+|[\\n]+", QWEN2}},
    {.names = "qwen35",
     .normalizer = nfc,
     .regex = {CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}|"
                           " ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" SPACES}},
    {.names = "ufakzeka", .regex = {WORD "\\p{N}|" SYMBOLS SPACES}},
    {.names = "seed-coder",
     .regex = {CONTRACTION "|" WORD
                           "\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" SPACES}},
    {.names = "bailingmoe bailingmoe2 llada-moe",
     .regex = {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}|"
               " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|"
               "\\s+"}},
    {.names = "exaone-moe",
     .regex = {CONTRACTION
               "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|"
               "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]?|\\s*[\\r\\n]|"
               "\\s+(?!\\S)|\\s+"}},
    {.names = "gpt-4o llama4 kanana2 talkie minimax-m2", .regex = {O200K}},
    {.names = "granite-embed-multi-97m", .regex = {O200K}, .ignores_merges = 1},
    {.names = "tiny_aya cohere2moe",
     .regex = {"\\d{1,3}(?=(?:\\d{3})*\\b)", O200K}},
    {.names = "tekken",
     .regex = {CASED("") "\\p{N}|" O200K_REST},
     .ignores_merges = 1,
     .adds_bos = 1},
    {.names = "youtu",
     .regex = {"[\\x{AC00}-\\x{D7A3}\\x{3131}-\\x{318E}]+|"
               "[\\x{FF01}\\x{2026}\\x{201C}\\x{201D}\\x{2018}\\x{2019}"
               "\\x{2014}\\x{FF1A}\\x{FF1B}\\x{FF0C}\\x{3001}-\\x{303F}"
               "\\x{FE30}-\\x{FE4F}]+|[\\x{3105}-\\x{312F}]+|"
               "[\\x{4E00}-\\x{9FA5}\\x{3040}-\\x{309F}\\x{30A0}-\\x{30FF}]+",
               CASED(CONTRACTION "?") "\\p{N}|" O200K_REST},
     .ignores_merges = 1},
    {.names = "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
     .regex = {"\\p{N}{1,3}", DEEPSEEK_CJK,
               DEEPSEEK_WORD " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|"
                             "\\s+(?!\\S)|\\s+"}},
    {.names = "spark2_5",
     .regex = {"\\p{N}{1,3}", DEEPSEEK_CJK,
               DEEPSEEK_WORD " ?[\\p{P}\\p{S}]+|[\r\n]|\\s+(?!\\S)|\\s+",
               "\\p{N}"}},
    {.names = "deepseek-llm",
     .regex = {"[\r\n]", "\\s?[" CASED_LETTERS "]+",
               "\\s?[!-/:-~\\x{FF01}-\\x{FF0F}\\x{FF1A}-\\x{FF5E}"
               "\\x{2018}-\\x{201F}\\x{3000}-\\x{3002}]+",
               "\\s+$", OLD_DEEPSEEK_CJK, "\\p{N}+"}},
    {.names = "deepseek-coder",
     .regex = {"[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", OLD_DEEPSEEK_CJK,
               "\\p{N}"}},
    {.names = "falcon",
     .regex = {"[\\p{P}\\$\\+<=>\\^~\\|`]+",
               "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|"
               " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
               "[0-9][0-9][0-9]"}},
    {.names = "default",
     .regex = {"[\\p{P}\\$\\+<=>\\^~\\|]+",
               "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|"
               " ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
               "\\p{N}+", "[0-9][0-9][0-9]"}},
    {.names = "bloom poro-chat gpt3-finnish", .regex = {BLOOM}},
    {.names = "viking", .regex = {BLOOM, "\\p{N}"}},
    {.names = "chameleon",
     .regex = {"<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
               "([\\t\\n]|    |  )", "\\p{N}", "[\\p{P}!-/:-@\\[-`{-~]"},
     .cuts_gpt2 = 1,
     .adds_bos = 1},
};

/* Whether the word is one of those between spaces. */
static int is_named(const char *names, struct oy_text name)
{
    while (*names) {
        const size_t len = strcspn(names, " ");
        if (len == name.len && !memcmp(names, name.at, len))
            return 1;
        names += len;
        names += *names == ' ';
    }
    return 0;
}

const struct document_pre *document_pre_find(struct oy_text name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (is_named(known[i].names, name))
            return &known[i];
    }
    return NULL;
}

void document_pre_put(const struct document_pre *pre, struct oy_buffer *out)
{
    size_t n = 0;

    if (pre->cuts_digits) {
        oy_buffer_append_string(out, "{\"type\":\"Sequence\","
                                     "\"pretokenizers\":[{\"type\":\"Digits\","
                                     "\"individual_digits\":true},");
        draft_put_byte_level(out, 0, 1, 1);
        oy_buffer_append_string(out, "]}");
        return;
    }
    while (n < sizeof pre->regex / sizeof *pre->regex && pre->regex[n])
        n++;
    draft_put_splits(out, pre->regex, n, pre->cuts_gpt2);
}

static int has_splits(const struct document_pre *pre, const char *const *regex,
                      size_t n)
{
    const size_t most = sizeof pre->regex / sizeof *pre->regex;
    size_t i = 0;

    while (i < most && pre->regex[i]) {
        if (i >= n || strcmp(pre->regex[i], regex[i]))
            return 0;
        i++;
    }
    return i == n;
}

const char *document_pre_name(const char *const *regex, size_t n,
                              int cuts_digits, int cuts_gpt2,
                              int ignores_merges, int is_normalized,
                              size_t *len)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct document_pre *pre = &known[i];
        if (pre->cuts_digits != cuts_digits || pre->cuts_gpt2 != cuts_gpt2 ||
            pre->ignores_merges != ignores_merges || pre->adds_sep ||
            (pre->normalizer != NULL) != is_normalized ||
            !has_splits(pre, regex, n))
            continue;
        *len = strcspn(pre->names, " ");
        return pre->names;
    }
    return NULL;
}
