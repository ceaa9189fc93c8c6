/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzes the files of a model: safetensors and config.json. Nothing may crash
 * or leak; what is accepted must be inside the file.
 *
 *     clang -fsanitize=fuzzer,address ...        libFuzzer
 *     gcc -DFUZZ_STANDALONE -fsanitize=address ...
 *         FILE..., or --mutations N of own seeds */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "model/config.h"
#include "model/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tensors(const struct safetensors *file)
{
    const char *begin = file->map, *end = begin + file->map_size;

    for (int i = 0; i < file->n_tensor; i++) {
        const struct safetensor *tensor = &file->tensor[i];
        const char *at = tensor->data;
        float first;

        OY_ASSERT(at >= begin && at <= end);
        OY_ASSERT(tensor->size <= (uint64_t)(end - at));
        OY_ASSERT(safetensors_find(file, tensor->name) == tensor);
        if (tensor->n_element)
            safetensor_to_f32(tensor, tensor->n_element - 1, 1, &first);
    }
}

static void check_file(const uint8_t *data, size_t size)
{
    char path[] = "/tmp/fuzz_model.XXXXXX";
    const int fd = mkstemp(path);
    struct safetensors file;
    struct oy_error err = {0};

    OY_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    if (!safetensors_open(&file, path, &err)) {
        check_tensors(&file);
        safetensors_close(&file);
    } else {
        OY_ASSERT(err.code == OY_DATA && err.message[0]);
    }
    unlink(path);
}

static void check_config(const uint8_t *data, size_t size)
{
    struct decoder_config config;
    struct oy_error err = {0};

    if (config_parse(&config, "fuzz", (const char *)data, size, &err)) {
        OY_ASSERT(err.code == OY_DATA && err.message[0]);
        return;
    }
    OY_ASSERT(config.n_head % config.n_kv_head == 0);
    OY_ASSERT(config.head_dim % 2 == 0 && config.head_dim <= 1024);
    OY_ASSERT(config.n_eos <= DECODER_MAX_EOS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_file(data, size);
    check_config(data, size);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "core/input.h"
#include "core/random.h"

static const char config_seed[] =
    "{\"model_type\":\"llama\",\"vocab_size\":96,\"hidden_size\":32,"
    "\"intermediate_size\":80,\"num_hidden_layers\":2,"
    "\"num_attention_heads\":4,\"num_key_value_heads\":2,\"eos_token_id\":[2],"
    "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,"
    "\"low_freq_factor\":1,\"high_freq_factor\":4,"
    "\"original_max_position_embeddings\":32}}";
static const char tensor_seed[] =
    "\x81\0\0\0\0\0\0\0"
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
    "\"b\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[8,12]},"
    "\"__metadata__\":{}}"
    "0123456789ab";

static void mutate(uint8_t *data, size_t size, struct oy_random *random)
{
    static const char piece[] = "{}[]\",:0-9e.\\u\0\xff";
    const uint64_t n = oy_random_below(random, 5);

    for (uint64_t i = 0; i < n; i++)
        data[oy_random_below(random, size)] =
            oy_random_below(random, 2)
                ? (uint8_t)piece[oy_random_below(random, sizeof piece)]
                : (uint8_t)oy_random_next(random);
}

static void run_mutations(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        struct oy_random random = oy_random_at(1, i);
        const char *seed = i % 2 ? config_seed : tensor_seed;
        const size_t full =
            (i % 2 ? sizeof config_seed : sizeof tensor_seed) - 1;
        const size_t size = oy_random_below(&random, 4)
                                ? full
                                : 1 + oy_random_below(&random, full);
        uint8_t *data = oy_alloc(size);
        memcpy(data, seed, size);
        mutate(data, size, &random);
        LLVMFuzzerTestOneInput(data, size);
        oy_free(data);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "--mutations")) {
        run_mutations(strtoull(argv[2], NULL, 10));
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        struct oy_error err = {0};
        size_t size;
        char *data = oy_input_slurp(argv[i], 1 << 26, &size, &err);
        if (data)
            LLVMFuzzerTestOneInput((const uint8_t *)data, size);
        oy_free(data);
    }
    return 0;
}
#endif
