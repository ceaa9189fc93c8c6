/* SPDX-License-Identifier: Apache-2.0
 *
 * oy-chat: talks with a model in the terminal. */
#include "model/chat.h"

static const char description[] =
    "Each line of standard input is a turn; the answer is written as it comes. "
    "The conversation is rendered by the model's chat template. What begins "
    "with / is a command: /help lists them. Ctrl-C ends an answer and keeps "
    "what was said of it.\n"
    "\n"
    "With --url an OpenAI-compatible server answers in the model's place: "
    "URL/v1/chat/completions is asked, with $OPENAI_API_KEY where that is "
    "set.\n"
    "\n"
    "    oy-chat --model ckpt --system 'You are brief.'";

static void init_settings(struct chat_settings *settings)
{
    *settings = (struct chat_settings){.generate.max_tokens = 1024};
    sampler_options_init(&settings->generate.sampler);
    /* MiniMind's generate(), which small models are tuned with. */
    settings->generate.sampler.temperature = 0.85;
    settings->generate.sampler.top_p = 0.85;
}

int main(int argc, char **argv)
{
    struct oy_run run;
    struct oy_error err = {0};
    struct chat_settings settings;
    struct generate_options *generate = &settings.generate;
    struct sampler_options *sampler = &generate->sampler;
    const struct oy_option option[] = {
        {"model", 'm', OY_OPT_STRING, &settings.model, "DIR", NULL, 0,
         "Checkpoint folder, model file, or a name in the Hugging Face "
         "cache."},
        {"url", 0, OY_OPT_STRING, &settings.url, "URL", NULL, 0,
         "Server that answers instead."},
        {"model-name", 0, OY_OPT_STRING, &settings.model_name, "NAME", NULL, 0,
         "Model that the server is asked for."},
        {"tokenizer", 't', OY_OPT_STRING, &settings.tokenizer, "PATH", NULL, 0,
         "Tokenizer; by default the model's."},
        {"chat-template", 0, OY_OPT_STRING, &settings.chat_template,
         "NAME|FILE", NULL, 0,
         "Template of conversations; by default the tokenizer's."},
        {"system", 0, OY_OPT_STRING, &settings.system, "TEXT", NULL, 0,
         "System message."},
        {"kernel", 0, OY_OPT_STRING, &settings.kernel, "NAME", NULL, 0,
         "Matrix kernel: plain, avx2, avx512 or openblas; by default the best "
         "of this CPU."},
        {"kv-memory", 0, OY_OPT_SIZE, &settings.kv_memory, "SIZE", NULL, 0,
         "Most memory for keys and values; by default no limit."},
        {"max-tokens", 'n', OY_OPT_INT, &generate->max_tokens, "N",
         "1:16777216", 0, "Most tokens of an answer."},
        {"temperature", 0, OY_OPT_DOUBLE, &sampler->temperature, "X", "0:1000",
         0, "Divides the logits; 0 takes the best token."},
        {"top-k", 0, OY_OPT_INT, &sampler->top_k, "N", "0:16777216", 0,
         "Keep the N best tokens; 0 keeps all."},
        {"top-p", 0, OY_OPT_DOUBLE, &sampler->top_p, "X", "0:1", 0,
         "Keep the best tokens whose probabilities reach X."},
        {"min-p", 0, OY_OPT_DOUBLE, &sampler->min_p, "X", "0:1", 0,
         "Drop tokens below X times the best one's probability."},
        {"repetition-penalty", 0, OY_OPT_DOUBLE, &sampler->repetition_penalty,
         "X", "0.01:100", 0,
         "Divides positive and multiplies negative logits of tokens that were "
         "there before."},
        {"stop", 0, OY_OPT_LIST, &settings.stop, "TEXT", NULL, 0,
         "A text that ends an answer and is cut off. May be repeated."},
        {0}};
    struct oy_program program = {.name = "oy-chat",
                                 .synopsis = "--model DIR|--url URL "
                                             "[OPTION]...",
                                 .summary = "talk with a model",
                                 .description = description,
                                 .option = option};

    init_settings(&settings);
    oy_run_init(&run, argv[0]);
    if (!oy_run_parse(&run, &program, argc, argv, &err))
        chat_run(&settings, &run, &err);
    return oy_run_exit(&run, &err);
}
