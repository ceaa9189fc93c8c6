/* SPDX-License-Identifier: Apache-2.0
 *
 * Floating-point numbers to and from decimal text, exactly and whatever the
 * locale. Pure functions.
 *
 * Writing gives the shortest digits that read back as the same number, the
 * closest to it among those, in the layout of Python's repr. Reading rounds
 * correctly, ties to even, like a good strtod.
 */
#ifndef CORE_DECIMAL_H
#define CORE_DECIMAL_H

#include <stddef.h>

/* Room for any number: sign, 17 digits, point, exponent, leading zeros. */
enum { OY_DECIMAL_SIZE = 32 };

/* Writes the text without a NUL and returns its length. NaN and infinities
 * are written as `null`. A whole number ends in `.0`; below 1e-4 and from
 * 1e16 on it has an exponent of two digits at least (1e-05, 1e+16). */
size_t oy_decimal_put_double(char *text, double number);
/* The same for the shortest digits that read back as this float. */
size_t oy_decimal_put_float(char *text, float number);

/* The number of a text that follows JSON's grammar: [-]digits[.digits]
 * [e[sign]digits]. Reading stops at the first byte that does not. Too large
 * gives an infinity, too small a zero. */
double oy_decimal_parse(const char *text, size_t len);

#endif
