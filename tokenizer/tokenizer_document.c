/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and reading the file that a tokenizer's PATH means. */
#include "tokenizer/tokenizer_document.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/input.h"

enum { MAX_FILE_SIZE = 512 << 20 };

/* The tokenizer.json of a folder: plain, else compressed. The caller's. */
static char *find_in_folder(const char *folder)
{
    char *plain = oy_asprintf("%s/tokenizer.json", folder);

    if (!access(plain, F_OK))
        return plain;
    char *packed = oy_asprintf("%s.zst", plain);
    if (!access(packed, F_OK)) {
        oy_free(plain);
        return packed;
    }
    oy_free(packed);
    return plain; /* its absence will be the message */
}

/* The tokenizer.json that PATH means, and the folder whose configuration
 * belongs to it (NULL: none). Both are the caller's. */
static char *find_file(const char *path, char **folder)
{
    struct stat st;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
        *folder = oy_strdup(path);
        return find_in_folder(path);
    }
    if (!strcmp(name, "tokenizer.json") || !strcmp(name, "tokenizer.json.zst"))
        *folder =
            slash ? oy_strndup(path, (size_t)(slash - path)) : oy_strdup(".");
    return oy_strdup(path);
}

int tokenizer_document_read(const char *path,
                            struct tokenizer_document *document,
                            struct oy_error *err)
{
    char *folder = NULL;
    size_t len;

    document->path = find_file(path, &folder);
    char *data = oy_input_slurp(document->path, MAX_FILE_SIZE, &len, err);
    int failed = data ? 0 : -1;
    if (data) {
        document->json.data = data;
        document->json.len = len;
        document->json.cap = len;
    }
    if (!failed && folder)
        failed = tokenizer_document_read_config(document, folder, err);
    oy_free(folder);
    return failed;
}

void tokenizer_document_release(struct tokenizer_document *document)
{
    oy_free(document->path);
    oy_buffer_release(&document->json);
    oy_free(document->bos_token);
    oy_free(document->eos_token);
    oy_free(document->chat_template);
    *document = (struct tokenizer_document){0};
}
