/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes grammars and JSON schemas: what is accepted must read texts byte by
 * byte, what is not must say so; the grammar of a schema is always one. */
#include <string.h>

#include "model/automaton.h"
#include "model/grammar.h"
#include "model/json_schema.h"
#include "tests/fuzz/fuzz_loop.h"

enum { MAX_SIZE = 300, MAX_STEPS = 60 };

static void read_bytes(const struct grammar *grammar, const uint8_t *data,
                       size_t size)
{
    struct automaton *automaton = automaton_new(grammar);
    int32_t state = automaton_start(automaton);

    for (size_t i = 0; i < size && i < MAX_STEPS; i++) {
        const int32_t next = automaton_step(automaton, state, data[i]);
        if (next == AUTOMATON_DEAD)
            continue;
        OY_ASSERT(automaton_may_end(automaton, next) ||
                  automaton_may_go_on(automaton, next));
        state = next;
    }
    automaton_free(automaton);
}

static void read_grammar(const char *text, size_t len, const uint8_t *data,
                         size_t size, int must)
{
    struct oy_error err = {0};
    struct grammar *grammar = grammar_read(text, len, &err);

    OY_ASSERT(grammar ? err.code == 0 : err.code == OY_DATA);
    /* A $ref to itself is the one schema that is no grammar. */
    OY_ASSERT(grammar || !must || strstr(err.message, "begins with itself") ||
              strstr(err.message, "can never end"));
    if (grammar)
        read_bytes(grammar, data, size);
    grammar_free(grammar);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t n = size < MAX_SIZE ? size : MAX_SIZE;
    struct oy_buffer text = {0}, grammar = {0};
    struct oy_error err = {0};

    oy_buffer_append(&text, data, n);
    read_grammar(oy_buffer_string(&text), n, data, size, 0);
    if (json_schema_write(text.data, n, &grammar, &err) == 0)
        read_grammar(oy_buffer_string(&grammar), grammar.len, data, size, 1);
    else
        OY_ASSERT(err.code == OY_DATA);
    oy_buffer_release(&text);
    oy_buffer_release(&grammar);
    return 0;
}

/* Bits of both, so that many are accepted. */
const char *const fuzz_piece[] = {"root ::= ",
                                  "\"a\"",
                                  "[a-c]",
                                  "(",
                                  ")",
                                  " | ",
                                  "*",
                                  "{1,2}",
                                  "\nb ::= ",
                                  " b ",
                                  "[^\"]",
                                  "\\u00e9",
                                  "{\"type\":",
                                  "\"object\"",
                                  "\"string\"",
                                  ",\"pattern\":",
                                  "\"^a|b$\"",
                                  "\"properties\":{\"a\":",
                                  "true",
                                  "}",
                                  "\"enum\":[1,\"x\"]",
                                  "\"required\":[\"a\"]",
                                  "\"$ref\":\"#\"",
                                  "\"anyOf\":[",
                                  "]",
                                  ",",
                                  NULL};
