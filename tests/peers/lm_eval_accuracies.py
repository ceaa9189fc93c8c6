# SPDX-License-Identifier: Apache-2.0
"""lm-eval on our checkpoint gives the accuracies of oy-eval, document by document.

Arguments: folder of the programs, checkpoint, JSONL text. The data are the bundled samples; lm-eval reads them through a stand-in for load_dataset.
"""
import glob
import json
import os
import subprocess
import sys
import tempfile

import datasets

programs, checkpoint = sys.argv[1:3]
SAMPLES = os.path.join("benchmarks", "samples")
TASKS = ["arc_easy", "arc_challenge", "mmlu_anatomy", "mmlu_world_religions", "hellaswag"]


def load_dataset(path=None, name=None, **_):
    folder = os.path.join(SAMPLES, path.replace("/", "__"), name or "default")
    read = lambda f: [json.loads(line) for line in open(f, encoding="utf-8")]
    return datasets.DatasetDict({os.path.basename(f).split(".")[0]: datasets.Dataset.from_list(read(f)) for f in glob.glob(folder + "/*.jsonl")})


datasets.load_dataset = load_dataset
import lm_eval  # noqa: E402  (after the stand-in is in place)

theirs = lm_eval.simple_evaluate(model="hf", model_args=f"pretrained={checkpoint},dtype=float32", tasks=TASKS, limit=20, batch_size=1, device="cpu", bootstrap_iters=0)
with tempfile.TemporaryDirectory() as folder:
    out = os.path.join(folder, "r.json")
    subprocess.run([os.path.join(programs, "oy-eval"), "--model", checkpoint, "--tasks", ",".join(TASKS), "--limit", "20", "--data", SAMPLES, "-o", out],
                   check=True, capture_output=True)
    mine = json.load(open(out))
bad = 0
for task in TASKS:
    for key, want in theirs["results"][task].items():
        if key.startswith("acc") and "stderr" not in key and mine["results"][task].get(key) != want:
            print(f"{task} {key}: {mine['results'][task].get(key)} want {want}")
            bad += 1
print(f"lm-eval: {len(TASKS)} tasks, {bad} differing metrics")
sys.exit(bad != 0)
