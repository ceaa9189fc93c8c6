/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates cut into tokens, white-space control done on the way
 * (jinja2/lexer.py has the rules). */
#include <string.h>

#include "core/unicode.h"
#include "core/utf8.h"
#include "tokenizer/template_internal.h"

struct lexer {
    const char *at;
    const char *end;
    unsigned flags;
    int line;
    int line_starting; /* nothing but removed text stands on this line */
    struct oy_arena *arena;
    struct token_list *list;
    struct oy_error *err;
};

static int fail(const struct lexer *lexer, const char *why)
{
    return oy_fail(lexer->err, OY_DATA, "template line %d: %s", lexer->line,
                   why);
}

static void push(struct lexer *lexer, enum token_kind kind, const char *at,
                 size_t len)
{
    struct token_list *list = lexer->list;

    OY_GROW(list->token, list->cap_token, list->n_token + 1);
    list->token[list->n_token++] = (struct token){kind, lexer->line, {at, len}};
}

/* Moves over text and counts its lines. */
static void advance(struct lexer *lexer, const char *to)
{
    for (; lexer->at < to; lexer->at++)
        lexer->line += *lexer->at == '\n';
}

static int starts(const struct lexer *lexer, const char *word)
{
    const size_t len = strlen(word);

    return (size_t)(lexer->end - lexer->at) >= len &&
           !memcmp(lexer->at, word, len);
}

/* The next "{{", "{%" or "{#", or the end. */
static const char *find_tag(const struct lexer *lexer)
{
    const char *at = lexer->at;

    while (at < lexer->end) {
        at = memchr(at, '{', (size_t)(lexer->end - at));
        if (!at)
            break;
        if (at + 1 < lexer->end &&
            (at[1] == '{' || at[1] == '%' || at[1] == '#'))
            return at;
        at++;
    }
    return lexer->end;
}

static int is_blank(const char *at, const char *end)
{
    const struct oy_text rest = template_strip(
        (struct oy_text){at, (size_t)(end - at)}, (struct oy_text){0}, 1, 0);

    return rest.len == 0;
}

/* Emits the text before a tag: stripped by `-`, or by lstrip_blocks. */
static void push_text(struct lexer *lexer, const char *tag)
{
    struct oy_text text = {lexer->at, (size_t)(tag - lexer->at)};
    const char mark = tag + 2 < lexer->end ? tag[2] : 0;
    const char *line = tag;

    if (tag < lexer->end && mark == '-') {
        text = template_strip(text, (struct oy_text){0}, 0, 1);
    } else if (tag < lexer->end && tag[1] != '{' && mark != '+' &&
               lexer->flags & TEMPLATE_LSTRIP_BLOCKS) {
        while (line > lexer->at && line[-1] != '\n')
            line--;
        if ((line > lexer->at || lexer->line_starting) && is_blank(line, tag))
            text.len = (size_t)(line - lexer->at);
    }
    if (text.len)
        push(lexer, TOKEN_TEXT, text.at, text.len);
    advance(lexer, tag);
}

static void skip_space(struct lexer *lexer)
{
    const struct oy_text rest = template_strip(
        (struct oy_text){lexer->at, (size_t)(lexer->end - lexer->at)},
        (struct oy_text){0}, 1, 0);

    advance(lexer, rest.len ? rest.at : lexer->end);
}

/* Behind a tag: `-` removes all white space, trim_blocks one LF. */
static void after_tag(struct lexer *lexer, int minus, int trim)
{
    const char *start = lexer->at;

    if (minus)
        skip_space(lexer);
    else if (trim && lexer->at < lexer->end && *lexer->at == '\n')
        advance(lexer, lexer->at + 1);
    lexer->line_starting = lexer->at > start && lexer->at[-1] == '\n';
}

static int lex_comment(struct lexer *lexer)
{
    const char *close =
        memmem(lexer->at + 2, (size_t)(lexer->end - lexer->at) - 2, "#}", 2);

    if (!close)
        return fail(lexer, "comment without end");

    const char mark = close > lexer->at + 2 ? close[-1] : 0;
    advance(lexer, close + 2);
    after_tag(lexer, mark == '-',
              mark != '+' && lexer->flags & TEMPLATE_TRIM_BLOCKS);
    return 0;
}

/* ---- inside of tags ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \xHH, \uHHHH, \UHHHHHHHH at `at` (behind the letter). */
static int put_hex_escape(const char **at, const char *end, int n,
                          struct oy_buffer *out)
{
    uint32_t c = 0;

    for (int i = 0; i < n; i++, (*at)++) {
        const int digit = *at < end ? hex_digit(**at) : -1;
        if (digit < 0)
            return -1;
        c = c << 4 | (uint32_t)digit;
    }
    out->len += oy_utf8_put(oy_buffer_reserve(out, 4), c);
    return 0;
}

/* The escape behind a backslash; unknown ones stay as they are. */
static int put_escape(const char **at, const char *end, struct oy_buffer *out)
{
    static const char from[] = "\\'\"abfnrtv\n";
    static const char to[] = "\\'\"\a\b\f\n\r\t\v";
    const char letter = *(*at)++;
    const char *known = letter ? strchr(from, letter) : NULL;

    if (letter == 'x' || letter == 'u' || letter == 'U')
        return put_hex_escape(at, end,
                              letter == 'x' ? 2 : (letter == 'u' ? 4 : 8), out);
    if (letter >= '0' && letter <= '7') {
        uint32_t c = (uint32_t)(letter - '0');
        for (int i = 0; i < 2 && *at < end && **at >= '0' && **at <= '7'; i++)
            c = c * 8 + (uint32_t)(*(*at)++ - '0');
        out->len += oy_utf8_put(oy_buffer_reserve(out, 4), c);
        return 0;
    }
    if (!known)
        oy_buffer_append_char(out, '\\');
    if (letter != '\n')
        oy_buffer_append_char(out, known ? to[known - from] : letter);
    return 0;
}

static int lex_string(struct lexer *lexer)
{
    const char quote = *lexer->at;
    const char *at = lexer->at + 1;
    struct oy_buffer text = {0};
    int rc = 0;

    while (rc == 0 && at < lexer->end && *at != quote) {
        if (*at != '\\')
            oy_buffer_append_char(&text, *at++);
        else if (++at < lexer->end)
            rc = put_escape(&at, lexer->end, &text);
    }
    if (rc == 0 && at < lexer->end) {
        push(lexer, TOKEN_STRING,
             oy_arena_copy(lexer->arena, text.data, text.len), text.len);
        advance(lexer, at + 1);
    } else {
        rc = fail(lexer, rc ? "malformed escape" : "text without end");
    }
    oy_buffer_release(&text);
    return rc;
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_name_char(char c)
{
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && (is_digit(*at) || *at == '_'))
        at++;
    return at;
}

static void lex_number(struct lexer *lexer)
{
    const char *at = skip_digits(lexer->at, lexer->end);
    enum token_kind kind = TOKEN_INT;

    if (at + 1 < lexer->end && *at == '.' && is_digit(at[1])) {
        kind = TOKEN_FLOAT;
        at = skip_digits(at + 1, lexer->end);
    }
    if (at + 1 < lexer->end && (*at | 0x20) == 'e') {
        const char *digits = at + 1 + (at[1] == '-' || at[1] == '+');
        if (digits < lexer->end && is_digit(*digits)) {
            kind = TOKEN_FLOAT;
            at = skip_digits(digits, lexer->end);
        }
    }
    push(lexer, kind, lexer->at, (size_t)(at - lexer->at));
    lexer->at = at;
}

static int lex_operator(struct lexer *lexer)
{
    static const char two[][3] = {"**", "//", "==", "!=", "<=", ">="};

    for (size_t i = 0; i < sizeof two / sizeof *two; i++) {
        if (starts(lexer, two[i])) {
            push(lexer, TOKEN_OPERATOR, lexer->at, 2);
            lexer->at += 2;
            return 0;
        }
    }
    if (!memchr("+-*/%~<>=.:|,()[]{}", *lexer->at, 19))
        return fail(lexer, "unexpected character");
    push(lexer, TOKEN_OPERATOR, lexer->at, 1);
    lexer->at++;
    return 0;
}

static int lex_token(struct lexer *lexer)
{
    const char *at = lexer->at;

    if (*at == '\'' || *at == '"')
        return lex_string(lexer);
    if (is_digit(*at)) {
        lex_number(lexer);
        return 0;
    }
    if (!is_name_char(*at))
        return lex_operator(lexer);
    while (at < lexer->end && is_name_char(*at))
        at++;
    push(lexer, TOKEN_NAME, lexer->at, (size_t)(at - lexer->at));
    lexer->at = at;
    return 0;
}

/* Whether the tag ends here; *mark is its `-` or `+`. Braces that are open
 * inside win over "}}". */
static int at_close(const struct lexer *lexer, const char *close, int open,
                    char *mark)
{
    const char *at = lexer->at;

    *mark = 0;
    if (*at == '-' || *at == '+')
        *mark = *at++;
    return (open == 0 || *close == '%') && lexer->end - at >= 2 &&
           !memcmp(at, close, 2);
}

static int lex_inside(struct lexer *lexer, const char *close, char *mark)
{
    int open = 0;

    for (;;) {
        skip_space(lexer);
        if (lexer->at >= lexer->end)
            return close ? fail(lexer, "tag without end") : 0;
        if (close && at_close(lexer, close, open, mark))
            return 0;
        if (memchr("([{", *lexer->at, 3))
            open++;
        else if (memchr(")]}", *lexer->at, 3))
            open--;
        if (lex_token(lexer))
            return -1;
    }
}

/* {% raw %} ... {% endraw %}: *taken tells whether it was one. */
static int lex_raw(struct lexer *lexer, int *taken)
{
    struct lexer probe = *lexer;
    const char *end;

    *taken = 0;
    probe.at += 2 + (probe.at[2] == '-' || probe.at[2] == '+');
    skip_space(&probe);
    if (!starts(&probe, "raw"))
        return 0;
    probe.at += 3;
    skip_space(&probe);

    const int minus = *probe.at == '-';
    probe.at += minus;
    if (!starts(&probe, "%}"))
        return 0;
    probe.at += 2;
    *taken = 1;
    after_tag(&probe, minus, probe.flags & TEMPLATE_TRIM_BLOCKS);
    lexer->at = probe.at;
    lexer->line = probe.line;
    for (end = lexer->at;; end++) {
        end = memmem(end, (size_t)(lexer->end - end), "{%", 2);
        if (!end)
            return fail(lexer, "raw without endraw");
        probe.at = end + 2 + (end[2] == '-' || end[2] == '+');
        skip_space(&probe);
        if (starts(&probe, "endraw"))
            break;
    }
    push_text(lexer, end);
    probe.at += 6;
    skip_space(&probe);

    const int minus_after = *probe.at == '-';
    lexer->at = probe.at + minus_after;
    if (!starts(lexer, "%}"))
        return fail(lexer, "raw without endraw");
    lexer->at += 2;
    after_tag(lexer, minus_after, lexer->flags & TEMPLATE_TRIM_BLOCKS);
    return 0;
}

static int lex_tag(struct lexer *lexer)
{
    const int is_block = lexer->at[1] == '%';
    char mark = 0;
    int taken = 0;

    if (is_block) {
        const int rc = lex_raw(lexer, &taken);
        if (rc || taken)
            return rc;
    }
    push(lexer, is_block ? TOKEN_BLOCK : TOKEN_OPEN, lexer->at, 2);
    lexer->at += 2;
    if (lexer->at < lexer->end && (*lexer->at == '-' || *lexer->at == '+'))
        lexer->at++;
    if (lex_inside(lexer, is_block ? "%}" : "}}", &mark))
        return -1;
    push(lexer, is_block ? TOKEN_END_BLOCK : TOKEN_CLOSE, lexer->at, 2);
    lexer->at += mark ? 3 : 2;
    after_tag(lexer, mark == '-',
              is_block && mark != '+' && lexer->flags & TEMPLATE_TRIM_BLOCKS);
    return 0;
}

static int lex_template(struct lexer *lexer)
{
    lexer->line_starting = 1;
    while (lexer->at < lexer->end) {
        const char *tag = find_tag(lexer);

        push_text(lexer, tag);
        if (tag >= lexer->end)
            break;
        if (tag[1] == '#' ? lex_comment(lexer) : lex_tag(lexer))
            return -1;
    }
    return 0;
}

/* Jinja reads CR and CR LF as LF. */
static size_t normalise_newlines(char *text, size_t len)
{
    size_t out = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\r') {
            text[out++] = '\n';
            i += i + 1 < len && text[i + 1] == '\n';
        } else {
            text[out++] = text[i];
        }
    }
    text[out] = '\0';
    return out;
}

int template_lex(const char *source, size_t len, unsigned flags, int expression,
                 struct oy_arena *arena, struct token_list *list,
                 struct oy_error *err)
{
    char *text = oy_arena_copy(arena, source, len);
    struct lexer lexer = {.at = text,
                          .flags = flags,
                          .line = 1,
                          .arena = arena,
                          .list = list,
                          .err = err};
    char mark;

    len = normalise_newlines(text, len);
    if (!expression && !(flags & TEMPLATE_KEEP_NEWLINE) && len &&
        text[len - 1] == '\n')
        len--;
    lexer.end = text + len;
    if (!oy_utf8_valid(text, len))
        return fail(&lexer, "not UTF-8");
    if (expression ? lex_inside(&lexer, NULL, &mark) : lex_template(&lexer))
        return -1;
    push(&lexer, TOKEN_EOF, lexer.end, 0);
    return 0;
}
