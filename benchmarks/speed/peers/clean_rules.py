# SPDX-License-Identifier: Apache-2.0
"""One peer of a rule of oy-clean over a sample of a JSONL file: its processor time and the bytes of the sample's lines.

Usage: clean_rules.py CASE FILE SHARED. Documents are taken evenly; work ends after some seconds.
"""
import json
import os
import re
import sys
import time

BUDGET = 4.0   # seconds of processor time
STEP = 37      # of so many documents one


def filters(names, ws):
    from datatrove.pipeline import filters as all_filters
    from datatrove.utils import word_tokenizers
    if ws:
        class Split:
            def word_tokenize(self, text):
                return text.split()

            def span_tokenize(self, text):     # of sentences
                return [m.span() for m in re.finditer(r".+?(?:[.!?]+\s+|$)", text, re.DOTALL)]

            def sent_tokenize(self, text):
                return [text[a:b] for a, b in self.span_tokenize(text)]
        word_tokenizers.load_word_tokenizer = lambda *a, **k: Split()
        for module in list(sys.modules.values()):
            if module and module.__name__.startswith("datatrove.pipeline.filters") and hasattr(module, "split_into_words"):
                module.split_into_words = lambda text, language=None: text.split()
    return [getattr(all_filters, n)(**({"filter_no_terminal_punct": False} if n == "C4QualityFilter" and len(names) > 1 else {})) for n in names]


CHAIN = ["GopherRepetitionFilter", "GopherQualityFilter", "C4QualityFilter", "FineWebQualityFilter"]


def by_filters(names, ws):
    from datatrove.data import Document
    chain = filters(names, ws)

    def work(text):
        document = Document(text=text, id="0")
        for f in chain:
            try:
                kept = f.filter(document)
            except ZeroDivisionError:
                return
            if kept is not True and not (isinstance(kept, tuple) and kept[0]):
                return
    return work


def by_formatter(module, name):
    formatter = getattr(__import__("datatrove.pipeline.formatters." + module, fromlist=[name]), name)()
    return formatter.format


def by_spacy():
    import spacy
    nlp = spacy.blank("en")
    nlp.max_length = 1 << 30
    return lambda text: [t.text for t in nlp.tokenizer(text)]


def by_fasttext(shared):
    import fasttext
    model = fasttext.load_model(os.path.join(shared, "data", "models", "lid176", "lid.176.ftz"))
    return lambda text: model.f.predict(text.replace("\n", " ") + "\n", 1, 0.0, "strict")


def peer(case, shared):
    single = {"gopher_quality": "GopherQualityFilter", "gopher_repetition": "GopherRepetitionFilter", "fineweb_quality": "FineWebQualityFilter",
              "c4_quality": "C4QualityFilter"}
    if case in single:
        return by_filters([single[case]], True)
    return {"chain_spacy": lambda: by_filters(CHAIN, False), "chain_ws": lambda: by_filters(CHAIN, True), "words_spacy": by_spacy,
            "pii": lambda: by_formatter("pii", "PIIFormatter"), "fix_text": lambda: by_formatter("ftfy", "FTFYFormatter"),
            "symbol_lines": lambda: by_formatter("symbol_lines_remover", "SymbolLinesFormatter"),
            "language": lambda: by_fasttext(shared)}[case]()


def main():
    case, path, shared = sys.argv[1:4]
    work = peer(case, shared)
    with open(path, "rb") as f:
        lines = [line for i, line in enumerate(f) if i % STEP == 0]
    texts = [json.loads(line)["text"] for line in lines]
    work(texts[0])                                # what is loaded at the first call
    done, start = 0, time.process_time()
    for line, text in zip(lines, texts):
        work(text)
        done += len(line)
        if time.process_time() - start > BUDGET:
            break
    print(json.dumps({"seconds": time.process_time() - start, "bytes": done}))


main()
