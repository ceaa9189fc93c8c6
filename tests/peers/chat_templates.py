#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Chat templates rendered by transformers (its Jinja environment) and by us.

  chat_templates.py make DIR SHARED   conversations, and what transformers
                                      makes of them
  chat_templates.py BIN [CKPT [TEXT]] render with BIN/oy-tok and transformers,
                                      print what differs (TEMPLATES: further
                                      files, a tokenizer_config.json(.zst) too;
                                      SEED: of the conversations)

DIR is tests/data/chat: NAME.jinja are templates, conversations.jsonl.zst is
written, and NAME.expected: a line a conversation, the first 16 hex digits of
the SHA-256 of the rendered text, or `raises`; shared-NAME.expected for the
templates of SHARED/data/tokenizers/NAME, and masks.jsonl.zst: ids and masks of
templates with generation blocks, by the tokenizer of tests/data/tokenizer.
transformers 5.23 made what is committed."""
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from glob import glob
from datetime import datetime as real_datetime

import transformers.utils.chat_template_utils as utils
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

COUNT = 200
NOW = real_datetime(2024, 2, 29, 13, 5, 9)
HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZER = os.path.join(HERE, "../data/tokenizer/tokenizer.json")
TOKENS = {"bos_token": "<|begin|>", "eos_token": "<|end|>"}


class Clock:
    """The time that strftime_now() tells."""

    @staticmethod
    def now():
        return NOW


utils.datetime = Clock

# ---- conversations ----

TEXTS = [
    "Hi", "", " ", "\n", "What is 12*34?", "  leading and trailing  \n",
    "Line one\nline two\n\nline four", "naïve café — 北京 😀 \u200b zero",
    "<b>&amp; \"quotes\" 'single' \\ back\tslash</b>", "<|im_end|> typed",
    "{{ not a template }} {% raw %}", "a" * 2000, "\u2028\u00a0\ufeff",
    "1. first\n2. second", "Ünïcödé ﬁ ß İ", "[INST] typed [/INST]",
    "<think>\nhm\n</think>\n\nso", "plain</think>only closed", "0", "null",
    "مرحبا بالعالم", "नमस्ते", "```c\nint x = 1;\n```",
]
REASONING = ["", "Let me think.", "\nFirst,\nthen.\n", "北 → 京", "a</think>b"]
TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather", "description": "Weather of a \"city\".",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "City's name"},
            "unit": {"type": "string", "enum": ["celsius", "kelvin"],
                     "default": "celsius"},
            "days": {"type": ["integer", "null"]}},
            "required": ["city"]},
        "return": {"type": "string", "description": "forecast"}}},
    {"type": "function", "function": {
        "name": "搜索", "description": "Multi\nline <tool> & more",
        "parameters": {"type": "object", "properties": {
            "items": {"type": "array", "items": {"type": "object",
                      "properties": {"k": {"type": "number"}}}},
            "opts": {"anyOf": [{"type": "string"}, {"type": "boolean"}]}},
            "required": []}}},
    {"type": "function", "function": {
        "name": "noop", "description": "",
        "parameters": {"type": "object", "properties": {}}}},
]
ARGUMENTS = [{}, {"city": "Paris"}, {"city": "北京", "days": 3, "x": 1.5},
             {"items": [{"k": 1e-7}, {"k": 1e20}], "opts": True, "n": None},
             {"nested": {"a": ["b", {"c": "d\n\"e\""}]}}]
DOCUMENTS = [{"title": "One", "text": "First <doc>"},
             {"title": "二", "text": "Second\nline", "id": 7}]


def call(rng, form):
    arguments = rng.choice(ARGUMENTS)
    function = {"name": rng.choice(["get_weather", "搜索", "noop"]),
                "arguments": json.dumps(arguments, ensure_ascii=False)
                if form == "text" else arguments}
    out = {"type": "function", "function": function}
    if rng.random() < 0.7:
        out["id"] = rng.choice(["abcdefghi", "call_12345", "x"])
    return out if rng.random() < 0.9 else function


def content(rng, odd=False):
    if odd and rng.random() < 0.3:
        parts = [{"type": "text", "text": rng.choice(TEXTS)}
                 for _ in range(rng.randint(0, 3))]
        if rng.random() < 0.3:
            parts.insert(0, {"type": "image"})
        return parts
    if odd and rng.random() < 0.2:
        return None
    return rng.choice(TEXTS)


def assistant(rng, wild, odd=False):
    message = {"role": "assistant", "content": content(rng, odd)}
    if rng.random() < 0.25:
        name = rng.choice(["reasoning_content", "thinking", "reasoning"])
        message[name] = rng.choice(REASONING)
    if wild and rng.random() < 0.4:
        form = rng.choice(["text", "object"])
        message["tool_calls"] = [call(rng, form)
                                 for _ in range(rng.randint(0, 2))]
        if rng.random() < 0.5:
            message["content"] = rng.choice([None, "", "calling"])
        if rng.random() < 0.1:
            del message["content"]
    return message


def tool_answers(rng, message):
    for item in message.get("tool_calls") or []:
        answer = {"role": "tool",
                  "content": rng.choice(["22", '{"t": 22.5}', "", "北", None])}
        if rng.random() < 0.8:
            answer["tool_call_id"] = item.get("id", "abcdefghi")
        if rng.random() < 0.5:
            answer["name"] = item.get("function", item)["name"]
        yield answer


def conversation(rng, wild):
    messages, odd = [], rng.random() < 0.15
    if rng.random() < 0.5:
        messages.append({"role": rng.choice(["system"] * 8 + ["developer"]),
                         "content": content(rng, odd)})
    for _ in range(rng.randint(1, 5 if rng.random() < 0.9 else 30)):
        messages.append({"role": "user", "content": content(rng, odd)})
        if rng.random() < 0.95:
            messages.append(assistant(rng, wild, odd))
            messages.extend(tool_answers(rng, messages[-1]))
            if messages[-1]["role"] == "tool" and rng.random() < 0.8:
                messages.append(assistant(rng, False))
    if rng.random() < 0.06:
        rng.shuffle(messages)
    if rng.random() < 0.02:
        messages[-1] = {"role": "narrator", "content": "odd"}
    return messages


def case(rng):
    wild = rng.random() < 0.5
    out = {"messages": conversation(rng, wild)}
    if wild and rng.random() < 0.8:
        out["tools"] = rng.choice(
            [TOOLS[:1], TOOLS, [t["function"] for t in TOOLS[:2]], [], None])
    if rng.random() < 0.05:
        out["documents"] = DOCUMENTS
    if rng.random() < 0.5:
        out["add_generation_prompt"] = rng.random() < 0.8
    kwargs = {}
    if rng.random() < 0.25:
        kwargs["enable_thinking"] = rng.random() < 0.5
    if rng.random() < 0.1:
        kwargs["thinking"] = rng.random() < 0.5
    if rng.random() < 0.1:
        kwargs["reasoning_effort"] = rng.choice(["low", "high"])
    if rng.random() < 0.1:
        kwargs["date_string"] = "01 Jan 2025"
    if kwargs:
        out["chat_template_kwargs"] = kwargs
    return out


def cases():
    rng = random.Random(int(os.environ.get("SEED", 4)))
    return [case(rng) for _ in range(COUNT)]


# ---- transformers ----

def peer():
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE()), **TOKENS)


def render(tokenizer, template, case):
    """The text, or the exception."""
    try:
        return tokenizer.apply_chat_template(
            case["messages"], chat_template=template, tokenize=False,
            tools=case.get("tools"), documents=case.get("documents"),
            add_generation_prompt=case.get("add_generation_prompt", False),
            **case.get("chat_template_kwargs", {}))
    except Exception as error:  # whatever a template does
        return error


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def zstd(path, text):
    subprocess.run(["zstd", "-q", "-19", "-f", "-o", path],
                   input=text.encode(), check=True)


def read_template(path):
    """Of a file of Jinja, or of a tokenizer's configuration."""
    if ".json" not in os.path.basename(path):
        return open(path, newline="").read()
    data = subprocess.run(["zstd", "-dcqf", path], capture_output=True,
                          check=True).stdout
    return json.loads(data).get("chat_template")


def templates(folder, shared):
    """(name, text) of all that have expectations."""
    for path in sorted(glob(os.path.join(folder, "*.jinja"))):
        yield os.path.basename(path)[:-6], read_template(path)
    pattern = "data/tokenizers/*/tokenizer_config.json.zst"
    for path in sorted(glob(os.path.join(shared, pattern))):
        template = read_template(path)
        if template:
            yield "shared-" + os.path.basename(os.path.dirname(path)), template


def make(folder, shared):
    all_cases, tokenizer = cases(), peer()
    zstd(os.path.join(folder, "conversations.jsonl.zst"),
         "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in all_cases))
    for name, template in templates(folder, shared):
        with open(os.path.join(folder, name + ".expected"), "w") as out:
            for c in all_cases:
                text = render(tokenizer, template, c)
                good = isinstance(text, str)
                out.write(digest(text) + "\n" if good else "raises\n")
    zstd(os.path.join(folder, "masks.jsonl.zst"), masks(all_cases))


# ---- masks ----

GENERATION = [
    "{% for m in messages %}<|begin|>{{ m.role }}\n{% if m.role == "
    "'assistant' %}{% generation %}{{ m.content }}<|end|>{% endgeneration %}"
    "{% else %}{{ m.content }}<|end|>{% endif %}{% endfor %}",
    "start {% for m in messages %}{{ m.role }}{%- generation -%}"
    "{{ m.content }}{%- endgeneration -%}{% endfor %} end",
    "start {% macro say(m) %}{% generation %}{{ m.content }}"
    "{% endgeneration %}{% endmacro %}{% for m in messages %}{{ m.role }}: "
    "{{ say(m) }}\n{% endfor %}",
]


def masks(all_cases):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=TOKENIZER, **TOKENS)
    out = []
    for n, c in enumerate(all_cases[:60]):
        template = GENERATION[n % len(GENERATION)]
        made = tokenizer.apply_chat_template(
            c["messages"], chat_template=template, return_dict=True,
            return_assistant_tokens_mask=True)
        out.append(json.dumps({
            "template": template, "messages": c["messages"],
            "ids": made["input_ids"],
            "assistant_mask": made["assistant_masks"]}, ensure_ascii=False))
    return "".join(line + "\n" for line in out)


# ---- ours ----

def ours(folder, binary, all_cases):
    """Our texts, None where the record was bad, and the messages."""
    with tempfile.TemporaryDirectory() as t:
        rejects = os.path.join(t, "rejects")
        lines = "".join(json.dumps(dict(c, n=i)) + "\n"
                        for i, c in enumerate(all_cases))
        run = subprocess.run(
            [os.path.join(binary, "oy-tok"), "chat", "-t", folder, "-q",
             "--no-mask", "--bad", "skip", "--rejects", rejects,
             "--date", NOW.isoformat()],
            input=lines.encode(), capture_output=True)
        if run.returncode:
            raise RuntimeError(run.stderr.decode()[:300])
        good = {}
        for line in run.stdout.splitlines():
            record = json.loads(line)
            good[record["n"]] = record["text"]
        why = {}
        if os.path.exists(rejects):
            for line in open(rejects):
                record = json.loads(line)
                why[record["line"] - 1] = record["error"]
    return good, why


def fill_folder(folder, template):
    """A model's folder around a template."""
    with open(os.path.join(folder, "tokenizer.json"), "w") as out:
        out.write(open(TOKENIZER).read())
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as out:
        json.dump(dict(TOKENS, chat_template=template), out)


def compare(name, template, binary, all_cases, tokenizer):
    """How many of the conversations differ; prints the first ones."""
    with tempfile.TemporaryDirectory() as t:
        fill_folder(t, template)
        good, why = ours(t, binary, all_cases)
    differ = raised = 0
    for i, c in enumerate(all_cases):
        want = render(tokenizer, template, c)
        fails = not isinstance(want, str)
        raised += fails
        if fails == (i not in good) and (fails or want == good[i]):
            continue
        differ += 1
        if differ <= 3:
            print(f"{name}: case {i}:\n  want {want!r:.600}\n"
                  f"  got  {good.get(i, why.get(i))!r:.600}")
    print(f"{name}: {COUNT - differ} of {COUNT} equal, {raised} raise")
    return differ


def check(binary):
    all_cases, tokenizer, bad = cases(), peer(), 0
    shared = os.environ.get("OYSTER_SHARED", "../shared")
    pairs = list(templates(os.path.join(HERE, "../data/chat"), shared))
    for path in os.environ.get("TEMPLATES", "").split():
        pairs.append((path, read_template(path)))
    for name, template in pairs:
        bad += compare(name, template, binary, all_cases, tokenizer)
    return bad != 0


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "make":
        make(sys.argv[2], sys.argv[3])
    elif len(sys.argv) > 1 and sys.argv[1] != "make":
        sys.exit(check(sys.argv[1]))
    else:
        sys.exit(__doc__)
