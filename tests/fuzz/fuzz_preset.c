/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes preset files of oy-clean: refused with a message, or their rules
 * judge a text. Rules that name files are not loaded. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline/chain.h"
#include "tests/fuzz/fuzz_loop.h"

static void judge(const struct chain *chain)
{
    static const char text[] = "A text, 123-4567.\r\nShare\n\nof two lines";
    struct document document = {.splitter = WORDS_WS};
    uint64_t turn[RULE_N_TURN] = {0};
    struct oy_buffer padded = {0};

    oy_buffer_append(&padded, text, sizeof text - 1);
    document.turn = turn;
    document_start(&document, (struct oy_text){padded.data, padded.len});
    for (size_t i = 0; i < chain->n_step; i++) {
        const struct chain_step *step = &chain->step[i];
        if (!step->rule->needs_language_model)
            step->rule->judge(step->params, &document, NULL);
    }
    document_release(&document);
    oy_buffer_release(&padded);
}

static int is_loadable(const struct chain *chain)
{
    for (size_t i = 0; i < chain->n_step; i++) {
        if (chain->step[i].rule->load &&
            strcmp(chain->step[i].rule->name, "match") != 0)
            return 0;
    }
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chain chain = {0};
    struct oy_error err = {0};
    char path[64];
    const int fd = memfd_create("fuzz", 0);

    OY_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const int failed = chain_add_preset(&chain, NULL, path, &err);
    OY_ASSERT(!failed == !err.code);
    if (!failed && is_loadable(&chain) && !chain_load(&chain, NULL, &err))
        judge(&chain);
    chain_release(&chain);
    close(fd);
    return 0;
}
