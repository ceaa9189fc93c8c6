/* SPDX-License-Identifier: Apache-2.0
 *
 * What conversations look like in records of many makers, read as the list of
 * messages that chat templates know.
 *
 *  {"messages":[{"role","content",...}]}       OpenAI, Hugging Face
 *  {"conversations":[{"role","content",...}]}  MiniMind
 *  {"conversations":[{"from","value"}]}        ShareGPT: human, gpt, system,
 *                                              function_call, observation
 *  {"instruction","input","output"}            Alpaca, also with "system" and
 *                                              "history" [[question,answer]]
 *  {"prompt","completion"}                     texts, or lists of messages
 *
 * "tools" is a list or a text with one (of the record, else of the system
 * message, as MiniMind has it), as is "tool_calls" of a message; "system" goes
 * in front where no system message is. Further members of messages are kept.
 * A role is system, developer, user, assistant, tool, function, ipython or
 * observation; anything else is a fault of the record.
 *
 * Pairs have "chosen" and "rejected": whole conversations, or what follows a
 * prompt in any of the forms above, as a text, a message or a list of
 * messages; or texts with turns "\n\nHuman: " and "\n\nAssistant: ".
 */
#ifndef TOKENIZER_PACK_MESSAGES_H
#define TOKENIZER_PACK_MESSAGES_H

#include "core/alloc.h"
#include "core/json.h"
#include "tokenizer/template_value.h"

/* The members that are looked for, in the order of pack_message_fields. */
enum pack_field {
    PACK_OWN_FIELD, /* --field */
    PACK_MESSAGES,
    PACK_CONVERSATIONS,
    PACK_TOOLS,
    PACK_SYSTEM,
    PACK_INSTRUCTION,
    PACK_INPUT,
    PACK_OUTPUT,
    PACK_HISTORY,
    PACK_PROMPT,
    PACK_COMPLETION,
    PACK_CHOSEN,
    PACK_REJECTED,
    PACK_IDS, /* so that those of a record are replaced */
};
/* For struct oy_filter: from PACK_MESSAGES on, ends with NULL. */
extern const char *const pack_message_fields[];

struct pack_talk {
    struct template_value messages; /* a list of dictionaries, not empty */
    struct template_value tools;    /* a list or none */
};

/* Reads a record's conversation out of its fields; `own` says that --field
 * names it. What is made lies in `arena`, texts may lie in the record. 0, or
 * -1 with *why (in `arena`). */
int pack_read_talk(const struct oy_json_value *found, int own,
                   struct oy_arena *arena, struct pack_talk *talk,
                   const char **why);
/* The same for the two of a pair. */
int pack_read_pair(const struct oy_json_value *found, struct oy_arena *arena,
                   struct pack_talk *chosen, struct pack_talk *rejected,
                   const char **why);

/* The role of message i, "" when it has none. */
struct oy_text pack_role_of(const struct pack_talk *talk, size_t i);
/* Puts a system message in front. */
void pack_add_system(struct pack_talk *talk, struct oy_arena *arena,
                     struct oy_text text);

#endif
