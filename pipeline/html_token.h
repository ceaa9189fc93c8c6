/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens of a page (section 13.2.5 of the HTML standard): tags, runs of
 * text, comments, the doctype. Whoever builds the tree says where raw text
 * begins, because that depends on the tree.
 */
#ifndef PIPELINE_HTML_TOKEN_H
#define PIPELINE_HTML_TOKEN_H

#include "pipeline/html_tree.h"

enum html_token_kind {
    HTML_TOKEN_END_OF_PAGE,
    HTML_TOKEN_TEXT,
    HTML_TOKEN_START,
    HTML_TOKEN_END,
    HTML_TOKEN_COMMENT,
    HTML_TOKEN_DOCTYPE,
};

struct html_token {
    enum html_token_kind kind;
    enum html_tag tag;
    int self_closing;
    struct html_slice slice; /* a text's bytes; a start tag's attributes in
                                tree->attribute, first and number */
    uint64_t hash; /* of all attributes of a formatting element, in any order */
    const char *at; /* name of a tag, inside of a doctype */
    size_t len;
};

/* Where the next token begins. */
struct html_tokenizer {
    struct html_tree *tree; /* takes attributes and decoded texts */
    const char *at, *end;
    int in_foreign; /* CDATA sections are texts */
};

/* The next token; attributes stay in the tree's list, for the node that is
 * made of the token. */
void html_token_next(struct html_tokenizer *tokenizer,
                     struct html_token *token);

/* How raw text ends and reads. */
enum html_raw { HTML_RAWTEXT, HTML_RCDATA, HTML_SCRIPT, HTML_PLAINTEXT };

/* The text up to the end tag `</name`, which is left to be read (or the end
 * of the page). */
struct html_slice html_token_raw(struct html_tokenizer *tokenizer,
                                 enum html_raw raw, const char *name,
                                 size_t len);

#endif
