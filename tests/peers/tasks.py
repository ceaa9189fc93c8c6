# SPDX-License-Identifier: Apache-2.0
"""Tasks ask what lm-eval's own tasks ask, and grade as they do: contexts, continuations and generation arguments of invented documents at 0 and 2 shots, and metrics of invented answers by document and filter.

Arguments: folder of the programs (others are ignored). lm-eval reads the documents through a stand-in for load_dataset.
"""
import json
import os
import random
import subprocess
import sys
import tempfile

import datasets

programs = sys.argv[1]
R = random.Random(7)
WORDS = "the They oyster his Her closed  because of  A rain, it's; über 牡蛎 _ stone\tred  [title] 'quoted' (B) \"said\" x=1 é 3.5 end.".split(" ")
LIST = "oyster clam mussel oysters whelk cockle".split()
N_DOC = 12


def words(low=1, high=9):
    return " ".join(R.choice(WORDS) for _ in range(R.randint(low, high))).rstrip() or "x"


def options(n):
    return [words(1, 4) for _ in range(n)]


def problem():
    question = words() + "  _  ." if R.random() < 0.4 else words() + "?"
    return {"question": question, "answer": R.choice("ABCD"), "options": options(4)}


def winograd():
    option = [R.choice(["The oyster", "his boat", "They", "Ann", "An old man's  net"]) for _ in range(2)]
    pronoun = R.choice(["it", "his", "They", "my", "she"])
    before = words(2, 6) + R.choice([" ", ". ", ".  "])
    text = before + pronoun + " " + words(2, 5)
    return {"text": text, "pronoun": pronoun, "pronoun_loc": len(before.replace("  ", " ")), "quote": "", "quote_loc": 0, "options": option, "label": R.randint(0, 1), "source": ""}


def gold():
    return {"query": words(5, 20), "choices": options(R.randint(2, 5)), "gold": R.choice([[0], [1], [0, 1]])}


def mmlu():
    return {"question": " " + words() + " ", "subject": "x", "choices": options(4), "answer": R.randint(0, 3)}


def tex():
    """A MATH problem whose answer is spelt in one of TeX's ways."""
    answer = R.choice(["\\frac{1}{2}", "\\dfrac12", "1/2", "0.5", ".5", "12", "x=3", "\\sqrt3", "90^\\circ", "12\\%", "5\\text{ cm}", "\\left(1,2\\right)"])
    return {"problem": words() + " $x$?", "level": "Level 1", "type": "Algebra", "solution": words() + " $\\boxed{" + answer + "}$."}


MAKE = {
    "EleutherAI/hendrycks_math": tex,
    "aps/super_glue copa": lambda: {"premise": words() + " .", "choice1": words(), "choice2": words(), "question": R.choice(["cause", "effect"]), "idx": 0, "label": R.randint(0, 1)},
    "lighteval/siqa": lambda: {"context": words(), "question": words(), "answerA": words(), "answerB": words(), "answerC": words(), "label": R.choice("123")},
    "EleutherAI/logiqa": lambda: {"label": R.choice(["a", "b ", " c", "d"]), "context": words(), "question": words(), "options": options(4)},
    "EleutherAI/race": lambda: {"article": words(9, 30), "problems": repr([problem() for _ in range(R.randint(1, 4))])},
    "lighteval/winograd_wsc": winograd,
    "hails/agieval-math": lambda: {"query": words(), "answer": tex()["solution"][-30:]},
    "hails/agieval": gold,
    "cais/mmlu": mmlu,
    "SaylorTwift/bbh": lambda: {"input": words(5, 20) + "\n(A) an oyster\n(B) a clam\n(C) an oyster bed\nList: " + " ".join(R.sample(LIST, 5)), "target": R.choice(["True", "(A)", "7", "valid", "yes"])},
}
TASKS = ["copa", "social_iqa", "logiqa", "race", "wsc273", "agieval_aqua_rat", "agieval_jec_qa_kd", "agieval_lsat_ar", "agieval_sat_en", "bbh_cot_fewshot_snarks",
         "bbh_cot_fewshot_word_sorting", "bbh_fewshot_dyck_languages", "bbh_fewshot_navigate", "mmlu_anatomy", "mmlu_anatomy_continuation", "mmlu_anatomy_generative",
         "mmlu_flan_n_shot_loglikelihood_anatomy", "mmlu_flan_n_shot_generative_anatomy", "mmlu_flan_cot_zeroshot_anatomy", "mmlu_flan_cot_fewshot_anatomy"]
TASKS += ["agieval_math", "hendrycks_math_algebra", "hendrycks_math_precalc"]
TASKS += [f"bbh_{kind}_{name}" for kind in ("zeroshot", "cot_zeroshot") for name in (
    "snarks", "object_counting", "web_of_lies", "word_sorting", "navigate", "dyck_languages", "multistep_arithmetic_two", "sports_understanding", "formal_fallacies")]


def make_data(folder):
    def load_dataset(path=None, name=None, **_):
        key = next(k for k in MAKE if f"{path} {name}".startswith(k) or path.startswith(k))
        at = os.path.join(folder, path.replace("/", "__"), name or "default")
        splits = {}
        for split in ("train", "validation", "test", "dev"):
            file = os.path.join(at, split + ".jsonl")
            if not os.path.exists(file):
                os.makedirs(at, exist_ok=True)
                with open(file, "w", encoding="utf-8") as out:
                    out.writelines(json.dumps(MAKE[key](), ensure_ascii=False) + "\n" for _ in range(N_DOC))
            splits[split] = datasets.Dataset.from_list([json.loads(line) for line in open(file, encoding="utf-8")])
        return datasets.DatasetDict(splits)
    return load_dataset


def theirs(manager, name, shots):
    task = manager.load([name])["tasks"][name]
    if shots is not None and task.get_config("num_fewshot") != 0:  # as lm-eval's evaluator does
        task.set_config(key="num_fewshot", value=shots)
    task.set_fewshot_seed(seed=1234)
    task.build_all_requests(rank=0, world_size=1)
    return task


def program(name, arguments, text=""):
    run = subprocess.run([os.path.join(programs, name), *arguments], input=text.encode(), capture_output=True)
    assert run.returncode == 0, f"{name} {arguments}: {run.stderr.decode()}"
    return run.stdout.decode()


def answer(task, request):
    """What a model may say: log-likelihoods as often equal as not, or a text that has an answer somewhere."""
    if request["type"] != "generate_until":
        return {"logprob": R.choice([-1.5, -2.25, -20.0, -3.0 - R.random()]), "is_greedy": R.random() < 0.3}
    target = str(request["target"])
    letter = R.choice("ABCD")
    said = R.choice([target, target.lower(), f"({letter})", letter, "seven", "two hundred and five", "no", "the truth", "tells the truth", "An Oyster", "a clam.",
                     " ".join(R.choices(LIST, k=4)), "12 of -3", f"${target}$", f"x = {target}", words()])
    return {"completion": R.choice(["{}", " {}", "So the answer is {}.", "The answer is {}. Q", "the answer is: {}", "{}\n\n", "I think {}, then {}.", "(B) or {}", "Answer: {}", ""]).replace("{}", said)}


def grade_theirs(task, answers):
    """{(document, filter): metrics}, as lm-eval's evaluator has them."""
    for instance, got in zip(task.instances, answers):
        instance.resps.append(got["completion"] if "completion" in got else (got["logprob"], got["is_greedy"]))
    task.apply_filters()
    found = {}
    for name in task.instances[0].filtered_resps:
        for doc in {i.doc_id: i.doc for i in task.instances}.items():
            found[doc[0], name] = task.process_results(doc[1], [i.filtered_resps[name] for i in task.instances if i.doc_id == doc[0]])
    return found


def grade_mine(lines, answers, folder, name):
    samples = os.path.join(folder, "samples")
    text = "".join(json.dumps(line | got) + "\n" for line, got in zip(lines, [{}] + answers))
    program("oy-grade", ["--log-samples", samples, "-o", os.path.join(folder, "results.json")], text)
    found = {}
    for line in open(os.path.join(samples, f"samples_{name}.jsonl"), encoding="utf-8"):
        sample = json.loads(line)
        found[sample["doc_id"], sample["filter"]] = {m: sample[m] for m in sample["metrics"]}
    return found


def check(manager, folder, name, shots):
    """Requests, and whether all is equal."""
    task = theirs(manager, name, shots)
    want = [(i.doc_id, i.request_type, i.args[0], i.args[1]) for i in task.instances]
    arguments = ["--tasks", name, "--data", folder] + ([] if shots is None else ["--num-fewshot", str(shots)])
    lines = [json.loads(line) for line in program("oy-ask", arguments).splitlines()]
    got = [(r["doc_id"], r["type"], r["context"], r.get("gen", r.get("continuation"))) for r in lines[1:]]
    differing = [(a, b) for a, b in zip(got, want) if a != b]
    if len(got) == len(want) and not differing:
        target = ""
        answers = []
        for line in lines[1:]:
            target = line.get("target", target)
            answers.append(answer(name, line | {"target": target}))
        mine, theirs_ = grade_mine(lines, answers, folder, name), grade_theirs(task, answers)
        differing = [(k, mine.get(k), v, [a for a, i in zip(answers, task.instances) if i.doc_id == k[0]]) for k, v in theirs_.items() if mine.get(k) != v]
    for one in differing[:2]:
        print(f"{name}, {shots} shots: {len(differing)} differ:", *one, sep="\n    ")
    return len(want), len(got) == len(want) and not differing


with tempfile.TemporaryDirectory() as folder:
    datasets.load_dataset = make_data(folder)
    from lm_eval.tasks import TaskManager  # noqa: E402  (after the stand-in is in place)

    manager = TaskManager()
    bad = n = 0
    for task in TASKS:
        for shots in (None, 0) if task.startswith("agieval") else (None, 0, 2):  # lists of right answers make no shots in lm-eval
            count, is_equal = check(manager, folder, task, shots)
            n += count
            bad += not is_equal
print(f"tasks: {len(TASKS)} tasks, {n} requests, {bad} differing runs")
sys.exit(bad != 0)
