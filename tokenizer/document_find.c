/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding the file that a tokenizer's PATH means: the file itself, one of a
 * folder, or one of a model in the Hugging Face cache. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/input.h"
#include "core/model_name.h"
#include "tokenizer/document_internal.h"

/* Names whose folder's configuration belongs to them, in the order in which a
 * folder's are preferred. */
static const char *const well_known[] = {
    "tokenizer.json",      "vocab.json",     "encoder.json",
    "tokenizer.model",     "spiece.model",   "sentencepiece.bpe.model",
    "sentencepiece.model", "tiktoken.model", "qwen.tiktoken",
    "vocab.txt",           "tokenizer.bin",
};

/* Then the only file of a suffix. */
static const char *const suffix[] = {".model", ".tiktoken", ".gguf"};

#define N_OF(array) (sizeof(array) / sizeof *(array))

static int has_end(const char *text, size_t len, const char *end)
{
    const size_t n = strlen(end);

    return len > n && !memcmp(text + len - n, end, n);
}

/* The length of a name without the suffix of a compressor. */
static size_t stem_of(const char *name)
{
    static const char *const packed[] = {".zst", ".gz", ".xz", ".bz2"};
    const size_t len = strlen(name);

    for (size_t i = 0; i < N_OF(packed); i++) {
        if (has_end(name, len, packed[i]))
            return len - strlen(packed[i]);
    }
    return len;
}

char *document_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return oy_strdup(".");
    return slash == path ? oy_strdup("/")
                         : oy_strndup(path, (size_t)(slash - path));
}

static int is_well_known(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t len = stem_of(name);

    if (len == strlen("merges.txt") && !memcmp(name, "merges.txt", len))
        return 1;
    for (size_t i = 0; i < N_OF(well_known); i++) {
        if (len == strlen(well_known[i]) && !memcmp(name, well_known[i], len))
            return 1;
    }
    return 0;
}

/* ---- folders ---- */

/* A vocab.json is one of BPE only with its merges. */
static int is_complete(const char *folder, const char *name)
{
    const char *other = !strcmp(name, "vocab.json")     ? "merges.txt"
                        : !strcmp(name, "encoder.json") ? "vocab.bpe"
                                                        : NULL;
    char *path = other ? document_find_beside(folder, other) : NULL;
    const int found = path != NULL;

    oy_free(path);
    return found || !other;
}

/* The only file with this end of its name: 1; 0 when there is none. */
static int find_only(const char *folder, const char *end, char **file,
                     struct oy_error *err)
{
    DIR *dir = opendir(folder);
    char *found = NULL;
    int n = 0;

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (!has_end(entry->d_name, stem_of(entry->d_name), end))
            continue;
        oy_free(found);
        found = oy_asprintf("%s/%s", folder, entry->d_name);
        n++;
    }
    if (dir)
        closedir(dir);
    if (n == 1) {
        *file = found;
        return 1;
    }
    oy_free(found);
    return n ? oy_fail(err, OY_DATA, "%s: %d files end with '%s': name one",
                       folder, n, end)
             : 0;
}

int document_find_in_folder(const char *folder, char **file,
                            struct oy_error *err)
{
    for (size_t i = 0; i < N_OF(well_known); i++) {
        *file = document_find_beside(folder, well_known[i]);
        if (*file && is_complete(folder, well_known[i]))
            return 0;
        oy_free(*file);
        *file = NULL;
    }
    for (size_t i = 0; i < N_OF(suffix); i++) {
        const int found = find_only(folder, suffix[i], file, err);
        if (found)
            return found < 0 ? -1 : 0;
    }
    return oy_fail(err, OY_NOINPUT, "%s: no tokenizer in this folder", folder);
}

/* ---- the whole ---- */

static int find_of_folder(char **file, char **folder, struct oy_error *err)
{
    if (document_find_in_folder(*folder, file, err))
        return -1;
    if (has_end(*file, stem_of(*file), ".gguf")) {
        oy_free(*folder); /* it has a configuration of its own */
        *folder = NULL;
    }
    return 0;
}

int document_find_file(const char *path, char **file, char **folder,
                       struct oy_error *err)
{
    struct stat st;
    const int is_missing = stat(path, &st) != 0;

    *folder = NULL;
    *file = NULL;
    if (!is_missing && S_ISDIR(st.st_mode))
        *folder = oy_strdup(path);
    else if (is_missing && oy_model_is_name(path))
        *folder = oy_model_snapshot(path);
    if (*folder)
        return find_of_folder(file, folder, err);
    if (is_missing && oy_model_is_name(path))
        return oy_model_fail_missing(path, err);
    *file = oy_strdup(path);
    if (is_well_known(path))
        *folder = document_folder_of(path);
    return 0;
}
