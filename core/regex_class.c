/* SPDX-License-Identifier: Apache-2.0
 *
 * Named classes of Oniguruma as sets, and sets as bracket expressions of
 * PCRE2.
 */
#include <stdlib.h>
#include <string.h>

#include "core/regex_internal.h"
#include "core/unicode_script.h"

enum {
    FIRST_SURROGATE = 0xd800,
    LAST_SURROGATE = 0xdfff,
    /* Without characters, but for the last two of each plane: skipped. */
    FIRST_EMPTY_PLANE = 0x40000,
    BEHIND_EMPTY_PLANES = 0xe0000,
};

/* ---- categories ---- */

/* Adds [first, last] to the category; runs come in ascending order. */
static void add_category(struct oy_regex_set *category, enum oy_category cat,
                         uint32_t first, uint32_t last)
{
    oy_regex_set_add(&category[cat], first, last);
}

static void read_categories(struct oy_regex_set *category, int version)
{
    uint32_t first = 0;
    enum oy_category now = oy_unicode_category(0, version);

    for (uint32_t c = 1; c <= OY_REGEX_LAST; c++) {
        if (c == FIRST_EMPTY_PLANE)
            c = BEHIND_EMPTY_PLANES;
        const enum oy_category cat = oy_unicode_category(c, version);

        if (cat != now) {
            add_category(category, now, first, c - 1);
            first = c;
            now = cat;
        }
    }
    add_category(category, now, first, OY_REGEX_LAST);
}

#define BIT(category) (1u << (category))

enum {
    LETTER = BIT(OY_LU) | BIT(OY_LL) | BIT(OY_LT) | BIT(OY_LM) | BIT(OY_LO),
    MARK = BIT(OY_MN) | BIT(OY_MC) | BIT(OY_ME),
    NUMBER = BIT(OY_ND) | BIT(OY_NL) | BIT(OY_NO_),
    PUNCTUATION = BIT(OY_PC) | BIT(OY_PD) | BIT(OY_PS) | BIT(OY_PE) |
                  BIT(OY_PI) | BIT(OY_PF) | BIT(OY_PO),
    SYMBOL = BIT(OY_SM) | BIT(OY_SC) | BIT(OY_SK) | BIT(OY_SO),
    SEPARATOR = BIT(OY_ZS) | BIT(OY_ZL) | BIT(OY_ZP),
    CASED = BIT(OY_LU) | BIT(OY_LL) | BIT(OY_LT),
    OTHER = BIT(OY_CC) | BIT(OY_CF) | BIT(OY_CN) | BIT(OY_CO) | BIT(OY_CS),
};

/* Groups first: writing looks for large parts first. */
static const struct category_name {
    const char *code, *name;
    unsigned mask;
} category_names[OY_REGEX_N_NAME] = {
    {"L", "Letter", LETTER},
    {"M", "Mark", MARK},
    {"N", "Number", NUMBER},
    {"P", "Punctuation", PUNCTUATION},
    {"S", "Symbol", SYMBOL},
    {"Z", "Separator", SEPARATOR},
    {"C", "Other", OTHER},
    {"LC", "Cased_Letter", CASED},
    {"Lu", "Uppercase_Letter", BIT(OY_LU)},
    {"Ll", "Lowercase_Letter", BIT(OY_LL)},
    {"Lt", "Titlecase_Letter", BIT(OY_LT)},
    {"Lm", "Modifier_Letter", BIT(OY_LM)},
    {"Lo", "Other_Letter", BIT(OY_LO)},
    {"Mn", "Nonspacing_Mark", BIT(OY_MN)},
    {"Mc", "Spacing_Mark", BIT(OY_MC)},
    {"Me", "Enclosing_Mark", BIT(OY_ME)},
    {"Nd", "Decimal_Number", BIT(OY_ND)},
    {"Nl", "Letter_Number", BIT(OY_NL)},
    {"No", "Other_Number", BIT(OY_NO_)},
    {"Pc", "Connector_Punctuation", BIT(OY_PC)},
    {"Pd", "Dash_Punctuation", BIT(OY_PD)},
    {"Ps", "Open_Punctuation", BIT(OY_PS)},
    {"Pe", "Close_Punctuation", BIT(OY_PE)},
    {"Pi", "Initial_Punctuation", BIT(OY_PI)},
    {"Pf", "Final_Punctuation", BIT(OY_PF)},
    {"Po", "Other_Punctuation", BIT(OY_PO)},
    {"Sm", "Math_Symbol", BIT(OY_SM)},
    {"Sc", "Currency_Symbol", BIT(OY_SC)},
    {"Sk", "Modifier_Symbol", BIT(OY_SK)},
    {"So", "Other_Symbol", BIT(OY_SO)},
    {"Zs", "Space_Separator", BIT(OY_ZS)},
    {"Zl", "Line_Separator", BIT(OY_ZL)},
    {"Zp", "Paragraph_Separator", BIT(OY_ZP)},
    {"Cc", "Control", BIT(OY_CC)},
    {"Cf", "Format", BIT(OY_CF)},
    {"Cn", "Unassigned", BIT(OY_CN)},
    {"Co", "Private_Use", BIT(OY_CO)},
};

static void add_categories(const struct oy_regex_set *category, unsigned mask,
                           struct oy_regex_set *set)
{
    for (int i = 0; i < OY_REGEX_N_CATEGORY; i++) {
        if (mask & BIT(i))
            oy_regex_set_join(set, &category[i]);
    }
}

/* PCRE2 takes no surrogate as an end of a range. */
static void leave_surrogates(struct oy_regex_set *set)
{
    struct oy_regex_set surrogates = {0};

    oy_regex_set_add(&surrogates, FIRST_SURROGATE, LAST_SURROGATE);
    oy_regex_set_subtract(set, &surrogates);
    oy_regex_set_release(&surrogates);
}

void oy_regex_classes_init(struct oy_regex_classes *classes, int pcre2_version)
{
    struct oy_regex_set category[OY_REGEX_N_CATEGORY] = {{0}};

    memset(classes, 0, sizeof *classes);
    read_categories(classes->category, 16);
    /* The versions that core/unicode.h tells exactly. */
    classes->has_pcre2 = pcre2_version >= 14 && pcre2_version <= 16;
    if (!classes->has_pcre2)
        return;
    read_categories(category, pcre2_version);
    for (int i = 0; i < OY_REGEX_N_NAME; i++) {
        add_categories(category, category_names[i].mask, &classes->pcre2[i]);
        leave_surrogates(&classes->pcre2[i]);
    }
    for (int i = 0; i < OY_REGEX_N_CATEGORY; i++)
        oy_regex_set_release(&category[i]);
}

void oy_regex_classes_release(struct oy_regex_classes *classes)
{
    for (int i = 0; i < OY_REGEX_N_CATEGORY; i++)
        oy_regex_set_release(&classes->category[i]);
    for (int i = 0; i < OY_REGEX_N_NAME; i++)
        oy_regex_set_release(&classes->pcre2[i]);
}

/* ---- other classes ---- */

/* What a class is made of. White_Space is Z and these controls. */
enum {
    ALPHABETIC = 1 << 0, /* oy_unicode_other_alphabetic */
    UPPERCASE = 1 << 1,
    LOWERCASE = 1 << 2,
    SPACE_CONTROLS = 1 << 3, /* U+0009-000D, U+0085 */
    TAB = 1 << 4,
    /* U+00B2, U+00B3, U+00B9, U+00BC-00BE: alone, `\w` has them. */
    LATIN_NUMBERS = 1 << 5,
    INVERTED = 1 << 6,
};

enum { ANYWHERE = -1 };

/* doc/RE of Oniguruma, "Unicode Case", measured in Hugging Face's 0.23.3. The
 * first row of a name that fits the place counts. */
static const struct class_name {
    const char *name;
    int place;
    unsigned mask; /* of categories */
    unsigned more;
} class_names[] = {
    {"alnum", ANYWHERE, LETTER | BIT(OY_NL) | BIT(OY_ND), ALPHABETIC},
    {"alpha", ANYWHERE, LETTER | BIT(OY_NL), ALPHABETIC},
    {"alphabetic", ANYWHERE, LETTER | BIT(OY_NL), ALPHABETIC},
    {"blank", ANYWHERE, BIT(OY_ZS), TAB},
    {"cntrl", ANYWHERE, BIT(OY_CC), 0},
    {"digit", ANYWHERE, BIT(OY_ND), 0},
    {"graph", ANYWHERE, SEPARATOR | BIT(OY_CC) | BIT(OY_CN) | BIT(OY_CS),
     INVERTED},
    {"lower", ANYWHERE, BIT(OY_LL), LOWERCASE},
    {"lowercase", ANYWHERE, BIT(OY_LL), LOWERCASE},
    {"print", ANYWHERE,
     BIT(OY_ZL) | BIT(OY_ZP) | BIT(OY_CC) | BIT(OY_CN) | BIT(OY_CS), INVERTED},
    {"punct", OY_REGEX_POSIX, PUNCTUATION | SYMBOL, 0},
    {"punct", ANYWHERE, PUNCTUATION, 0},
    {"space", ANYWHERE, SEPARATOR, SPACE_CONTROLS},
    {"whitespace", ANYWHERE, SEPARATOR, SPACE_CONTROLS},
    {"upper", ANYWHERE, BIT(OY_LU), UPPERCASE},
    {"uppercase", ANYWHERE, BIT(OY_LU), UPPERCASE},
    {"word", OY_REGEX_ALONE,
     LETTER | MARK | BIT(OY_NL) | BIT(OY_ND) | BIT(OY_PC),
     ALPHABETIC | LATIN_NUMBERS},
    {"word", ANYWHERE, LETTER | MARK | BIT(OY_NL) | BIT(OY_ND) | BIT(OY_PC),
     ALPHABETIC},
    {"assigned", ANYWHERE, BIT(OY_CN), INVERTED},
    {"any", ANYWHERE, 0, INVERTED},
};

static void add_runs(const uint32_t *run, struct oy_regex_set *set)
{
    for (; *run; run += 2)
        oy_regex_set_add(set, run[0], run[1]);
}

static void add_class(const struct oy_regex_classes *classes,
                      const struct class_name *class, struct oy_regex_set *set)
{
    struct oy_regex_set own = {0};

    add_categories(classes->category, class->mask, &own);
    if (class->more & ALPHABETIC)
        add_runs(oy_unicode_other_alphabetic, &own);
    if (class->more & UPPERCASE)
        add_runs(oy_unicode_other_uppercase, &own);
    if (class->more & LOWERCASE)
        add_runs(oy_unicode_other_lowercase, &own);
    if (class->more & SPACE_CONTROLS) {
        oy_regex_set_add(&own, '\t', '\r');
        oy_regex_set_add(&own, 0x85, 0x85);
    }
    if (class->more & LATIN_NUMBERS) {
        oy_regex_set_add(&own, 0xb2, 0xb3);
        oy_regex_set_add(&own, 0xb9, 0xb9);
        oy_regex_set_add(&own, 0xbc, 0xbe);
    }
    if (class->more & TAB)
        oy_regex_set_add(&own, '\t', '\t');
    if (class->more & INVERTED)
        oy_regex_set_invert(&own);
    oy_regex_set_join(set, &own);
    oy_regex_set_release(&own);
}

static int add_ascii_class(const char *name, size_t len,
                           struct oy_regex_set *set)
{
    if (oy_unicode_same_name(name, len, "ascii")) {
        oy_regex_set_add(set, 0, 127);
        return 0;
    }
    if (!oy_unicode_same_name(name, len, "xdigit"))
        return -1;
    oy_regex_set_add(set, '0', '9');
    oy_regex_set_add(set, 'A', 'F');
    oy_regex_set_add(set, 'a', 'f');
    return 0;
}

static int add_script(const char *name, size_t len, struct oy_regex_set *set)
{
    const int script = oy_unicode_find_script(name, len);
    uint32_t end;

    for (uint32_t c = 0; script >= 0 && c <= OY_REGEX_LAST; c = end) {
        if (oy_unicode_script_until(c, &end) == script)
            oy_regex_set_add(set, c, end - 1);
    }
    return script < 0 ? -1 : 0;
}

int oy_regex_class_add(const struct oy_regex_classes *classes,
                       enum oy_regex_place place, const char *name, size_t len,
                       struct oy_regex_set *set)
{
    for (int i = 0; i < OY_REGEX_N_NAME; i++) {
        const struct category_name *const known = &category_names[i];

        if (oy_unicode_same_name(name, len, known->code) ||
            oy_unicode_same_name(name, len, known->name)) {
            add_categories(classes->category, known->mask, set);
            return 0;
        }
    }
    for (size_t i = 0; i < sizeof class_names / sizeof *class_names; i++) {
        const struct class_name *const class = &class_names[i];

        if ((class->place == ANYWHERE || class->place == (int)place) &&
            oy_unicode_same_name(name, len, class->name)) {
            add_class(classes, class, set);
            return 0;
        }
    }
    return add_ascii_class(name, len, set) && add_script(name, len, set) ? -1
                                                                         : 0;
}

/* ---- case ---- */

void oy_regex_fold_add(uint32_t c, struct oy_regex_set *set)
{
    const uint32_t low = c | 0x20;

    oy_regex_set_add(set, low, low);
    oy_regex_set_add(set, low - 0x20, low - 0x20);
    if (low == 'k')
        oy_regex_set_add(set, 0x212a, 0x212a);
    if (low == 's')
        oy_regex_set_add(set, 0x17f, 0x17f);
}

int oy_regex_is_caseless(uint32_t c)
{
    switch (oy_unicode_category(c, 16)) {
    /* Roman numbers, circled letters, the iota below and modifiers have case,
     * or are parts of what a letter folds to. */
    case OY_LU:
    case OY_LL:
    case OY_LT:
    case OY_LM:
    case OY_MN:
    case OY_NL:
    case OY_SO: return 0;
    default: return 1;
    }
}

/* ---- writing ---- */

static int is_larger(const void *left, const void *right)
{
    const struct oy_regex_run *const a = left, *const b = right;
    const uint32_t size_a = a->last - a->first, size_b = b->last - b->first;

    if (size_a != size_b)
        return size_a < size_b ? 1 : -1;
    return (a->first > b->first) - (a->first < b->first);
}

static void write_run(struct oy_regex_run run, struct oy_buffer *out)
{
    oy_buffer_append_format(out, "\\x{%x}", (unsigned)run.first);
    if (run.last > run.first)
        oy_buffer_append_format(out, "-\\x{%x}", (unsigned)run.last);
}

/* A set as PCRE2 is told it: categories and runs, without `minus`. */
struct spelling {
    struct oy_buffer names; /* "\\p{L}\\p{Mn}" */
    struct oy_regex_set runs, minus;
};

/* Names a category that the set has all of, or most of when that saves runs:
 * Kimi's letters are those that are not Han. */
static void try_category(const struct oy_regex_set *set,
                         const struct category_name *name,
                         const struct oy_regex_set *members,
                         struct spelling *spelling)
{
    const int is_single = (name->mask & (name->mask - 1)) == 0;
    struct oy_regex_set left = {0}, beyond = {0};

    oy_regex_set_join(&left, members);
    oy_regex_set_intersect(&left, &spelling->runs);
    oy_regex_set_join(&beyond, members);
    oy_regex_set_subtract(&beyond, set);
    if (left.n && (!beyond.n || (is_single && left.n > 4 * beyond.n + 16))) {
        oy_buffer_append_format(&spelling->names, "\\p{%s}", name->code);
        oy_regex_set_subtract(&spelling->runs, members);
        oy_regex_set_join(&spelling->minus, &beyond);
    }
    oy_regex_set_release(&left);
    oy_regex_set_release(&beyond);
}

/* PCRE2 finds a category by one look-up, a range by comparing. */
static void spell_categories(const struct oy_regex_classes *classes,
                             const struct oy_regex_set *set,
                             struct spelling *spelling)
{
    for (int i = 0; classes->has_pcre2 && i < OY_REGEX_N_NAME; i++) {
        const struct oy_regex_set *const members = &classes->pcre2[i];

        /* PCRE2 has its own name for LC; Latin is in bit maps. */
        if (members->n && category_names[i].mask != CASED &&
            members->run[members->n - 1].last > 255)
            try_category(set, &category_names[i], members, spelling);
    }
}

static void write_runs(struct oy_regex_set *set, struct oy_buffer *out)
{
    /* The largest first: they are asked first. */
    if (set->n)
        qsort(set->run, set->n, sizeof *set->run, is_larger);
    for (size_t i = 0; i < set->n; i++)
        write_run(set->run[i], out);
}

static void write_spelling(struct spelling *spelling, int inverted,
                           struct oy_buffer *out)
{
    const int has_minus = spelling->minus.n > 0;

    if (has_minus) {
        oy_buffer_append_string(out, inverted ? "(?:[" : "(?:(?![");
        write_runs(&spelling->minus, out);
        oy_buffer_append_string(out, inverted ? "]|" : "])");
    }
    oy_buffer_append_string(out, inverted ? "[^" : "[");
    oy_buffer_append(out, spelling->names.data, spelling->names.len);
    write_runs(&spelling->runs, out);
    oy_buffer_append_string(out, has_minus ? "])" : "]");
}

void oy_regex_class_write(const struct oy_regex_classes *classes,
                          const struct oy_regex_set *set, struct oy_buffer *out)
{
    struct spelling spelling = {.names = {0}};
    struct oy_regex_set own = {0};
    const int inverted = set->n && set->run[set->n - 1].last == OY_REGEX_LAST;

    oy_regex_set_join(&own, set);
    if (inverted)
        oy_regex_set_invert(&own);
    leave_surrogates(&own);
    oy_regex_set_join(&spelling.runs, &own);
    if (own.n) {
        spell_categories(classes, &own, &spelling);
        write_spelling(&spelling, inverted, out);
    } else {
        oy_buffer_append_string(out, inverted ? "(?s:.)" : "(?!)");
    }
    oy_regex_set_release(&own);
    oy_regex_set_release(&spelling.runs);
    oy_regex_set_release(&spelling.minus);
    oy_buffer_release(&spelling.names);
}
