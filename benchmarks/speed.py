"""Speed of training, generation and scoring on one CPU thread, and on a GPU where there is one.

    python benchmarks/speed.py --output speed.json               all of it, about 25 minutes
    python benchmarks/speed.py --work beam10 --widths default    one figure

The work is that of a published implementation of these models, measured on one pinned thread
(``PUBLISHED`` below):
R = 100 regions x 2048 float32, a dictionary of 33, 9 to 13 decoding steps a pair, test pairs in
image order with 9.8 an image; joint variational model with region scaling and attention alignment.
Feature values and words are random; questions are drawn from 107, answers from 13, as in easy-VQA;
every pair is decoded for 11 steps. "published" widths are LSTMs of 512 a direction, "default" ours.
Each work runs in a process of its own, with one thread pinned to one core. CPU seconds are medians
over repeats, after one that is not counted; peak memory is the process's. Beside each stands the
rate of floating-point operations, and the same thread's rate in a matrix product.
"""

import argparse
import itertools
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from types import SimpleNamespace

# pairs per CPU-second, GiB
PUBLISHED = {
    "train": (11.6, 4.6),
    "beam10": (10.1, 3.4),
    "beam1": (39.9, 1.6),
    "score": (51.6, 5.6),
}
WIDTHS = {
    "published": {
        "hidden_size": 1024,
        "decoder_hidden_size": 512,
        "embed_dim": 300,
        "latent_dim": 512,
    },
    "default": {"hidden_size": 512, "embed_dim": 300, "latent_dim": 512},
}
# work: (pairs a batch, pairs of an image in it, compared with)
WORK = {
    "train": (128, 1, "train"),
    "train-grouped": (128, 8, "train"),
    "beam10": (256, 9.8, "beam10"),
    "beam1": (256, 9.8, "beam1"),
    "score": (256, 9.8, "score"),
}
# What cost grows with: for each, the work, the option and its values
GROWTH = {
    "regions": ("train", "regions", (25, 49, 100, 196)),
    "batch": ("train", "batch", (32, 64, 128, 256)),
    "pairs an image": ("train", "per_image", (1, 2, 4, 8)),
    "beam": ("beam10", "beam", (1, 2, 5, 10, 20)),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", nargs="*", choices=WORK, default=list(WORK), help="default: all")
    parser.add_argument(
        "--widths", nargs="*", choices=WIDTHS, default=list(WIDTHS), help="default: both"
    )
    parser.add_argument(
        "--growth", action="store_true", help="also how cost grows with each size (default widths)"
    )
    parser.add_argument(
        "--repeats", type=int, default=5, help="counted runs of each (default: %(default)s)"
    )
    parser.add_argument("--output", metavar="FILE", help="JSON to write")
    parser.add_argument(
        "--one", metavar="JSON", help=argparse.SUPPRESS
    )  # what a process of its own is asked to do
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(**json.loads(args.one))))
        return
    results = {
        "machine": platform.processor() or platform.machine(),
        "repeats": args.repeats,
        "work": [],
        "growth": [],
    }
    print(
        f"{'work':<14} {'widths':<10} {'device':<6} {'pairs/s':>8} {'ratio':>6} {'GiB':>5} "
        f"{'share':>6} {'GFLOP/s':>8} {'of matmul':>9}"
    )
    for device in devices():
        for widths in args.widths:
            for work in args.work:
                results["work"].append(
                    run_one(work=work, widths=widths, repeats=args.repeats, device=device)
                )
                show(results["work"][-1])
    if args.growth:
        for name, (work, option, values) in GROWTH.items():
            for value in values:
                result = run_one(
                    work=work, widths="default", repeats=3, device="cpu", **{option: value}
                )
                results["growth"].append({"grows_with": name, option: value, **result})
                print(
                    f"{name} {value}: {result['seconds_a_batch']:.2f} s a batch, "
                    f"{result['pairs_per_second']:.1f} pairs/s"
                )
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=2)


def devices():
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def run_one(**asked):
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, __file__, "--one", json.dumps(asked)]
    output = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return json.loads(output.splitlines()[-1])


def show(result):
    published, memory = PUBLISHED[WORK[result["work"]][2]]
    cpu_at_published_widths = result["device"] == "cpu"
    ratio = f"{result['pairs_per_second'] / published:.1f}x" if cpu_at_published_widths else "-"
    share = f"{result['peak_gib'] / memory:.0%}" if cpu_at_published_widths else "-"
    print(
        f"{result['work']:<14} {result['widths']:<10} {result['device']:<6} "
        f"{result['pairs_per_second']:>8.1f} {ratio:>6} "
        f"{result['peak_gib']:>5.1f} {share:>6} {result['gflops']:>8.1f} "
        f"{result['gflops'] / result['matmul_gflops']:>9.0%}",
        flush=True,
    )


def measure(work, widths, repeats, device, regions=100, batch=None, per_image=None, beam=10):
    """Median seconds of one batch of *work*: CPU seconds on a CPU, wall seconds on a GPU."""
    if hasattr(os, "sched_setaffinity") and device == "cpu":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import torch

    torch.set_num_threads(1)
    pairs, default_per_image, _ = WORK[work]
    pairs = batch or pairs
    step, count = prepare(
        work, widths, pairs, per_image or default_per_image, regions, beam, torch.device(device)
    )

    def seconds(action):
        if device == "cuda":
            torch.cuda.synchronize()
        clock = time.process_time if device == "cpu" else time.perf_counter
        start = clock()
        action()
        if device == "cuda":
            torch.cuda.synchronize()
        return clock() - start

    seconds(step)
    spent = [seconds(step) for _ in range(repeats)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
    if device == "cuda":
        memory = torch.cuda.max_memory_allocated() / 2**30
    matrix = torch.randn(2048, 2048, device=device)
    product = statistics.median(seconds(lambda: matrix @ matrix) for _ in range(5))
    median = statistics.median(spent)
    return {
        "work": work,
        "widths": widths,
        "device": device,
        "pairs": pairs,
        "beam": beam,
        "seconds": spent,
        "seconds_a_batch": median,
        "pairs_per_second": pairs / median,
        "peak_gib": memory,
        "gflops": count() / median / 1e9,
        "matmul_gflops": 2 * 2048**3 / product / 1e9,
        "profile": profile(step),
    }


def profile(step, rows=8):
    """The share of the time of one batch that each operation takes, without what it calls."""
    import torch

    with torch.profiler.profile() as profiler:
        step()
    events = sorted(
        profiler.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True
    )
    total = sum(event.self_cpu_time_total for event in events)
    return {event.key: round(event.self_cpu_time_total / total, 3) for event in events[:rows]}


def prepare(
    work, widths, pairs, per_image, regions, beam, device, fused_adam=False, question_steps=(11,)
):
    """Two functions without arguments: one batch of *work*, and the count of its operations.

    In training, the questions of each batch in turn are cut to one of *question_steps*.
    """
    import numpy as np
    import torch
    from fairseq.data import Dictionary
    from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY
    from fairseq.optim.adam import Adam
    from torch.utils.flop_counter import FlopCounterMode

    import vqapg.tasks.vqapg
    import vqapg.tasks.vqapg_consistency  # noqa: F401  registers the models
    from vqapg.criterions.elbo import ElboConfig, ElboCriterion
    from vqapg.generation.beam_search import BeamSearch
    from vqapg.generation.token_rules import TokenRules
    from vqapg.memory import keep_freed_memory
    from vqapg.modules.noise import Stream
    from vqapg.tasks.fused_adam import FusedAdam
    from vqapg.tokens import SEPARATOR

    keep_freed_memory()  # as the tasks do
    torch.manual_seed(0)
    dictionary = Dictionary()
    for word in [SEPARATOR, *(f"word{number}" for number in range(33 - 5))]:
        dictionary.add_symbol(word)
    channels = 2048
    features = SimpleNamespace(
        path=None,
        mean=np.zeros(channels, np.float32),
        std=np.ones(channels, np.float32),
        source={"backbone": "resnet50", "weights": "none", "weights_sha256": "", "image_size": 299},
    )
    arch = "vqapg_consistency" if work == "score" else "vqapg_joint_variational"
    options = {
        name: size
        for name, size in WIDTHS[widths].items()
        if hasattr(MODEL_DATACLASS_REGISTRY[arch], name)
    }
    task = SimpleNamespace(dictionary=dictionary, features=features, target_dictionary=dictionary)
    model = (
        MODEL_REGISTRY[arch].build_model(MODEL_DATACLASS_REGISTRY[arch](**options), task).to(device)
    )

    images = max(1, round(pairs / per_image))
    image_index = (torch.arange(pairs) * images // pairs).to(device)
    stored = torch.randn(images, regions, channels).half()

    def texts(distinct, shortest, longest):
        lengths = torch.randint(shortest, longest + 1, (distinct, 1))
        text = torch.randint(dictionary.nspecial + 1, len(dictionary), (distinct, longest + 1))
        text.scatter_(1, lengths, dictionary.eos())
        text = text.masked_fill(torch.arange(longest + 1) > lengths, dictionary.pad())
        return text[torch.randint(distinct, (pairs,))].to(device)

    # 7 to 11 and 2 decoding steps with the ends
    question, answer = texts(107, 6, 10), texts(13, 1, 1)
    keys = np.array([[1, 1, pair] for pair in range(pairs)])

    if work.startswith("train"):
        criterion = ElboCriterion(ElboConfig(), task)
        optimizer = (FusedAdam if fused_adam else Adam)(model.parameters(), lr=1e-4)
        model.train()
        steps = itertools.cycle(question_steps)

        def step():
            batch = {
                "features": stored.to(device),
                "image_index": image_index,
                "question": question[:, : next(steps)],
                "answer": answer,
                "noise_keys": keys,
            }
            optimizer.zero_grad()
            loss, size, _ = criterion(model, {"net_input": batch, "nsentences": pairs})
            (loss / size).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
    elif work == "score":
        model.eval()
        # As collate_triples makes them: every distinct text once
        (question, question_index), (answer, answer_index) = (
            text.unique(dim=0, return_inverse=True) for text in (question, answer)
        )
        triples = torch.stack([image_index, question_index, answer_index], dim=1)

        def step():
            with torch.inference_mode():
                model(features=stored.to(device), question=question, answer=answer, triples=triples)
    else:
        model.eval()
        forbidden = (dictionary.bos(), dictionary.pad(), dictionary.index(SEPARATOR))

        def search_of(shortest, longest):
            rules = TokenRules(
                dictionary.eos(), forbidden, dictionary.unk(), min_len=shortest, max_len=longest
            )
            return BeamSearch(rules, 1 if work == "beam1" else beam)

        searches = {Stream.QUESTION: search_of(8, 8), Stream.ANSWER: search_of(1, 1)}

        def search(decoder, *rest):
            return searches[decoder.stream](decoder, *rest)

        def step():
            with torch.inference_mode():
                model.generate(stored.to(device), image_index, keys, search)

    def count():
        # oneDNN's LSTM hides its products from the counter.
        with (
            torch.backends.mkldnn.flags(enabled=False),
            torch.backends.cudnn.flags(enabled=False),
            FlopCounterMode(display=False) as counter,
        ):
            step()
        return counter.get_total_flops()

    return step, count


if __name__ == "__main__":
    main()
