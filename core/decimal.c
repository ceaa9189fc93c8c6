/* SPDX-License-Identifier: Apache-2.0
 *
 * Exact conversion between binary floating point and decimal text.
 *
 * Writing is the free-format algorithm of Steele and White ("How to Print
 * Floating-Point Numbers Accurately", 1990) on big integers, with the
 * boundaries and the last digit chosen as in Gay's dtoa, mode 0, which is
 * what Python's repr calls. Reading takes a close guess and moves it until
 * the exact comparison with the middle between two neighbours agrees. */
#include "core/decimal.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

/* ---- big integers ---- */

/* Little-endian limbs without leading zeros. The largest one needed is a text
 * of 769 digits times 10^330, or 2^1076 times 10^1100: under 5,000 bits. */
enum { N_LIMB = 176 };

struct big {
    int n;
    uint32_t limb[N_LIMB];
};

static void big_trim(struct big *a)
{
    while (a->n && !a->limb[a->n - 1])
        a->n--;
}

static void big_set(struct big *a, uint64_t value)
{
    a->limb[0] = (uint32_t)value;
    a->limb[1] = (uint32_t)(value >> 32);
    a->n = 2;
    big_trim(a);
}

/* a = a * factor + more */
static void big_scale(struct big *a, uint32_t factor, uint32_t more)
{
    uint64_t carry = more;

    for (int i = 0; i < a->n; i++) {
        carry += (uint64_t)a->limb[i] * factor;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        OY_ASSERT(a->n < N_LIMB);
        a->limb[a->n++] = (uint32_t)carry;
    }
}

static void big_scale_ten(struct big *a, int exponent)
{
    for (; exponent >= 9; exponent -= 9)
        big_scale(a, 1000000000, 0);
    for (; exponent > 0; exponent--)
        big_scale(a, 10, 0);
}

static void big_shift(struct big *a, int bits)
{
    const int limbs = bits / 32;

    if (!a->n)
        return;
    if (bits % 32)
        big_scale(a, 1u << bits % 32, 0);
    OY_ASSERT(a->n + limbs <= N_LIMB);
    memmove(a->limb + limbs, a->limb, (size_t)a->n * sizeof a->limb[0]);
    memset(a->limb, 0, (size_t)limbs * sizeof a->limb[0]);
    a->n += limbs;
}

static int big_compare(const struct big *a, const struct big *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (int i = a->n - 1; i >= 0; i--) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

/* a -= b; a must not be smaller. */
static void big_subtract(struct big *a, const struct big *b)
{
    int64_t borrow = 0;

    for (int i = 0; i < a->n; i++) {
        borrow += (int64_t)a->limb[i] - (i < b->n ? b->limb[i] : 0);
        a->limb[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    big_trim(a);
}

static void big_add(struct big *a, const struct big *b)
{
    uint64_t carry = 0;

    for (int i = 0; i < b->n || carry; i++) {
        if (i >= a->n) {
            OY_ASSERT(i < N_LIMB);
            a->limb[i] = 0;
            a->n = i + 1;
        }
        carry += (uint64_t)a->limb[i] + (i < b->n ? b->limb[i] : 0);
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

/* Compares a + b with c. */
static int big_compare_sum(const struct big *a, const struct big *b,
                           const struct big *c)
{
    struct big sum;

    sum.n = a->n;
    memcpy(sum.limb, a->limb, (size_t)a->n * sizeof a->limb[0]);
    big_add(&sum, b);
    return big_compare(&sum, c);
}

/* ---- writing ---- */

/* A positive number taken apart: mantissa * 2^exponent. */
struct binary {
    uint64_t mantissa;
    int exponent;
    int uneven; /* 1: the neighbour below is half as far as that above */
};

/* 0.DIGITS * 10^point */
struct decimal {
    char digit[20];
    int n;
    int point;
};

/* The state of the generation: the rest `r` and the tolerances above and
 * below, all over the common scale `s`. */
struct generator {
    struct big r, s, above, below;
    int even; /* the ends of the interval read back as this number too */
};

static void generator_init(struct generator *g, const struct binary *number)
{
    const int up = number->exponent > 0 ? number->exponent : 0;
    const int down = number->exponent < 0 ? -number->exponent : 0;
    const int more = number->uneven ? 2 : 1;

    big_set(&g->r, number->mantissa);
    big_shift(&g->r, up + more);
    big_set(&g->s, 1);
    big_shift(&g->s, down + more);
    big_set(&g->above, 1);
    big_shift(&g->above, up + more - 1);
    big_set(&g->below, 1);
    big_shift(&g->below, up);
    g->even = !(number->mantissa & 1);
}

static void generator_scale(struct generator *g, int tens)
{
    big_scale_ten(&g->r, tens);
    big_scale_ten(&g->above, tens);
    big_scale_ten(&g->below, tens);
}

/* Whether rounding the rest up stays in the interval. */
static int high_is_fine(const struct generator *g)
{
    const int order = big_compare_sum(&g->r, &g->above, &g->s);

    return order > 0 || (order == 0 && g->even);
}

static int low_is_fine(const struct generator *g)
{
    const int order = big_compare(&g->r, &g->below);

    return order < 0 || (order == 0 && g->even);
}

/* Whether the last digit becomes one more: the nearer one, ties to even. */
static int rounds_up(struct generator *g, int digit)
{
    const int order = big_compare_sum(&g->r, &g->r, &g->s);

    return order > 0 || (order == 0 && (digit & 1));
}

/* Adds one in the last place. */
static void carry_up(struct decimal *out)
{
    int i = out->n - 1;

    while (i >= 0 && out->digit[i] == '9')
        i--;
    if (i < 0) {
        out->digit[0] = '1';
        out->n = 1;
        out->point++;
        return;
    }
    out->digit[i]++;
    out->n = i + 1;
}

static void generate_digits(struct generator *g, struct decimal *out)
{
    for (;;) {
        int digit = 0;
        while (big_compare(&g->r, &g->s) >= 0) {
            big_subtract(&g->r, &g->s);
            digit++;
        }
        OY_ASSERT(digit < 10 && out->n < (int)sizeof out->digit);
        out->digit[out->n++] = (char)('0' + digit);
        const int low = low_is_fine(g), high = high_is_fine(g);
        if (low || high) {
            if (high && (!low || rounds_up(g, digit)))
                carry_up(out);
            return;
        }
        generator_scale(g, 1);
    }
}

static void shortest_digits(const struct binary *number, struct decimal *out)
{
    struct generator g;
    const double size = log10((double)number->mantissa) +
                        number->exponent * 0.30102999566398120; /* log10 2 */

    generator_init(&g, number);
    out->n = 0;
    out->point = (int)ceil(size - 1e-10); /* right, or one too small */
    if (out->point > 0)
        big_scale_ten(&g.s, out->point);
    else
        generator_scale(&g, -out->point);
    if (high_is_fine(&g))
        out->point++;
    else
        generator_scale(&g, 1);
    generate_digits(&g, out);
    while (out->n > 1 && out->digit[out->n - 1] == '0')
        out->n--;
}

/* Numbers of few decimals, the most frequent ones: number = whole / 10^k. As
 * long as whole < 2^50 the product is off by less than 1/2, so the smallest k
 * that divides back exactly gives the shortest digits. */
static int few_digits(double number, struct decimal *out)
{
    double scale = 1;

    for (int k = 0; k <= 15; k++, scale *= 10) {
        const double whole = rint(number * scale);
        if (whole >= 1125899906842624.0) /* 2^50 */
            return 0;
        if (whole / scale != number)
            continue;
        char text[24];
        out->n = snprintf(text, sizeof text, "%lld", (long long)whole);
        memcpy(out->digit, text, (size_t)out->n);
        out->point = out->n - k;
        while (out->n > 1 && out->digit[out->n - 1] == '0')
            out->n--;
        return 1;
    }
    return 0;
}

static size_t put_exponent(char *text, const struct decimal *number)
{
    char *at = text;

    *at++ = number->digit[0];
    if (number->n > 1) {
        *at++ = '.';
        memcpy(at, number->digit + 1, (size_t)number->n - 1);
        at += number->n - 1;
    }
    at += snprintf(at, 8, "e%+03d", number->point - 1);
    return (size_t)(at - text);
}

/* The layout of float.__repr__ in CPython: fixed from 1e-4 up to 1e16. */
static size_t put_layout(char *text, const struct decimal *number)
{
    const int n = number->n, point = number->point;
    char *at = text;

    if (point < -3 || point > 16)
        return put_exponent(text, number);
    if (point <= 0) {
        memcpy(at, "0.000", 5);
        at += 2 - point;
        memcpy(at, number->digit, (size_t)n);
        return (size_t)(at + n - text);
    }
    const int whole = n < point ? n : point;
    memcpy(at, number->digit, (size_t)whole);
    at += whole;
    memset(at, '0', (size_t)(point - whole));
    at += point - whole;
    *at++ = '.';
    if (n <= point) {
        *at++ = '0';
    } else {
        memcpy(at, number->digit + point, (size_t)(n - point));
        at += n - point;
    }
    return (size_t)(at - text);
}

static size_t put_special(char *text, double number)
{
    const char *word = number == 0 ? signbit(number) ? "-0.0" : "0.0" : "null";
    const size_t len = strlen(word);

    memcpy(text, word, len);
    return len;
}

size_t oy_decimal_put_double(char *text, double number)
{
    struct decimal decimal = {0};
    char *at = text;
    int exponent;

    if (number == 0 || !isfinite(number))
        return put_special(text, number);
    if (number < 0)
        *at++ = '-';
    number = fabs(number);
    if (number < 1e-5 || !few_digits(number, &decimal)) {
        frexp(number, &exponent);
        exponent = exponent - 53 < -1074 ? -1074 : exponent - 53;
        const struct binary binary = {
            .mantissa = (uint64_t)ldexp(number, -exponent),
            .exponent = exponent,
            .uneven = ldexp(number, -exponent) == 0x1p52 && exponent > -1074,
        };
        shortest_digits(&binary, &decimal);
    }
    return (size_t)(at - text) + put_layout(at, &decimal);
}

size_t oy_decimal_put_float(char *text, float number)
{
    struct decimal decimal = {0};
    char *at = text;
    int exponent;

    if (number == 0 || !isfinite(number))
        return put_special(text, (double)number);
    if (number < 0)
        *at++ = '-';
    number = fabsf(number);
    frexpf(number, &exponent);
    exponent = exponent - 24 < -149 ? -149 : exponent - 24;
    const double mantissa = ldexp((double)number, -exponent);
    const struct binary binary = {
        .mantissa = (uint64_t)mantissa,
        .exponent = exponent,
        .uneven = mantissa == 0x1p23 && exponent > -149,
    };
    shortest_digits(&binary, &decimal);
    return (size_t)(at - text) + put_layout(at, &decimal);
}

/* ---- reading ---- */

/* A middle between two doubles has at most 767 significant digits, so what
 * follows the 768th decides by being zero or not alone. */
enum { MAX_DIGITS = 768 };

/* DIGITS * 10^exponent, without leading zeros. */
struct digits {
    char digit[MAX_DIGITS + 1];
    int n;
    int64_t exponent;
};

static void take_digit(struct digits *out, char c, int behind_point)
{
    out->exponent -= behind_point;
    if (out->n == 0 && c == '0')
        return;
    if (out->n < MAX_DIGITS) {
        out->digit[out->n++] = c;
        return;
    }
    out->exponent++;
    if (out->n == MAX_DIGITS && c != '0') {
        out->digit[out->n++] = '1'; /* a little more than the digits so far */
        out->exponent--;
    }
}

static int64_t read_exponent(const char *at, const char *end)
{
    const int negative = at < end && *at == '-';
    int64_t exponent = 0;

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        if (exponent < 1000000000000)
            exponent = exponent * 10 + (*at - '0');
    }
    return negative ? -exponent : exponent;
}

static void read_digits(struct digits *out, const char *at, const char *end)
{
    int behind_point = 0;

    out->n = 0;
    out->exponent = 0;
    for (; at < end; at++) {
        if (*at >= '0' && *at <= '9')
            take_digit(out, *at, behind_point);
        else if (*at == '.' && !behind_point)
            behind_point = 1;
        else
            break;
    }
    if (at < end && (*at == 'e' || *at == 'E'))
        out->exponent += read_exponent(at + 1, end);
    while (out->n && out->digit[out->n - 1] == '0') {
        out->n--;
        out->exponent++;
    }
}

/* Compares the digits with the middle between the double of these bits and
 * the next one above. */
static int compare_middle(const struct digits *digits, uint64_t bits)
{
    const int field = (int)(bits >> 52);
    const uint64_t fraction = bits & 0xfffffffffffffULL;
    const uint64_t mantissa = field ? fraction | 1ULL << 52 : fraction;
    const int exponent = (field ? field - 1075 : -1074) - 1;
    const int ten = (int)digits->exponent;
    struct big left, right;

    big_set(&left, 0);
    for (int i = 0; i < digits->n; i++)
        big_scale(&left, 10, (uint32_t)(digits->digit[i] - '0'));
    big_set(&right, 2 * mantissa + 1);
    if (ten > 0)
        big_scale_ten(&left, ten);
    else
        big_scale_ten(&right, -ten);
    if (exponent > 0)
        big_shift(&right, exponent);
    else
        big_shift(&left, -exponent);
    return big_compare(&left, &right);
}

/* Within a neighbour or two: exact digits times a power of ten of some
 * roundings in extended precision. */
static double guess(const struct digits *digits)
{
    const int n = digits->n < 18 ? digits->n : 18;
    const int exponent = (int)digits->exponent + digits->n - n;
    long double value = 0, power = 1, ten = 10;

    for (int i = 0; i < n; i++)
        value = value * 10 + (digits->digit[i] - '0');
    for (int rest = exponent < 0 ? -exponent : exponent; rest; rest >>= 1) {
        if (rest & 1)
            power *= ten;
        ten *= ten;
    }
    return (double)(exponent < 0 ? value / power : value * power);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Whether the digits round to more than the double of these bits. */
static int is_above(const struct digits *digits, uint64_t bits)
{
    const int order = compare_middle(digits, bits);

    return order > 0 || (order == 0 && (bits & 1));
}

static double round_digits(const struct digits *digits)
{
    const uint64_t infinity = bits_of(INFINITY);
    uint64_t bits = bits_of(guess(digits));
    double value;

    if (bits >= infinity)
        bits = infinity - 1;
    while (bits < infinity && is_above(digits, bits))
        bits++;
    while (bits > 0 && !is_above(digits, bits - 1))
        bits--;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Up to 15 digits and 10^22 are doubles, so that one operation rounds once. */
static int easy_case(const struct digits *digits, double *value)
{
    static const double power[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    int64_t whole = 0;

    if (digits->n > 15 || digits->exponent > 22 || digits->exponent < -22)
        return 0;
    for (int i = 0; i < digits->n; i++)
        whole = whole * 10 + (digits->digit[i] - '0');
    *value = digits->exponent < 0 ? (double)whole / power[-digits->exponent]
                                  : (double)whole * power[digits->exponent];
    return 1;
}

double oy_decimal_parse(const char *text, size_t len)
{
    const int negative = len && text[0] == '-';
    struct digits digits;
    double value;

    read_digits(&digits, text + negative, text + len);
    const int64_t point = digits.exponent + digits.n;
    if (digits.n == 0 || point < -330)
        value = 0;
    else if (point > 330)
        value = INFINITY;
    else if (!easy_case(&digits, &value))
        value = round_digits(&digits);
    return negative ? -value : value;
}
