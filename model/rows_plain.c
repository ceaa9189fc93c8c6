/* SPDX-License-Identifier: Apache-2.0
 *
 * The row kernels for the compiler's baseline; the oracle of the others.
 */
#define ROWS_TABLE rows_plain
#include "model/rows_kernels.h"
