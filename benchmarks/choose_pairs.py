"""Draw many, keep few: consistency against distinct pairs on easy-VQA, whose truth is known.

    python benchmarks/choose_pairs.py DATA --evaluator EVALUATOR.pt runs/*/seed-1/final.pt --images
    150 --draws 40

For each checkpoint it draws pairs of test images at even distances, and prints a Markdown table:

- the first --few draws, all kept
- all draws, unfiltered
- those chosen by consistency alone (--min-consistency)
- those chosen by maximal marginal relevance (--keep, --diversity): about as many as the few draws
  gave, so that N compares

A checkpoint's draws are the same in all its rows.

Pairs are distinct (image, question, answer); "things asked" are an image's questions, however
worded: whether there is a circle and whether there is no circle are two, "is there a circle" and
"is a circle present" one. N counts distinct "question answer"; the truth leaves out pairs that the
data does not settle (vqapg/judges/easy_vqa_truth.py).
"""

import argparse
import logging
import os

import numpy as np
import torch
from tqdm import tqdm

from vqapg.data.directory import DataDirectory
from vqapg.data.tokenizer import tokenize
from vqapg.judges.easy_vqa_truth import (
    ALL_PAIRS,
    parse,
    possible_worlds,
    verdict,
)
from vqapg.judges.judge import evaluator_spec
from vqapg.judges.truth import RIGHT, UNDETERMINED
from vqapg.sampling.choose import choose, pair_similarity
from vqapg.sampling.options import SamplingOptions
from vqapg.sampling.stored_features import StoredSampler

HEAD = (
    "| model | draws | kept | pairs an image | things asked an image | N | N, % of unfiltered "
    "| possible pairs found | truly consistent (%) |"
)


def draw(checkpoint, evaluator, data, images, options):
    """For each image its distinct pairs: tokens (question, answer), consistency, draw."""
    sampler = StoredSampler(checkpoint, data, evaluator_spec(evaluator), "cpu")
    rows, found = [sampler.store.rows[image] for image in images], []
    step = max(1, 256 // options.num_samples)
    for start in tqdm(range(0, len(rows), step), desc=sampler.name, unit="batch"):
        chunk = rows[start : start + step]
        for sampled in sampler.sample_batch(torch.tensor(chunk), chunk, options):
            found.append(
                [
                    (
                        (" ".join(tokenize(pair.question)), " ".join(tokenize(pair.answer))),
                        pair.consistency,
                        pair.draw,
                    )
                    for pair in sampled
                ]
            )
    return found


def figures(pairs_of_image, images, worlds):
    """(pairs, things asked, N, possible pairs found, share truly consistent) of the kept (question,
    answer) of each image; the first two over all images."""
    texts, verdicts, things = set(), [], 0
    for image, pairs in zip(images, pairs_of_image, strict=True):
        things += len({parse(question) for question, _ in pairs})
        for question, answer in pairs:
            texts.add(f"{question} {answer}")
            verdicts.append(verdict(worlds[image], question, answer))
    known = [one == RIGHT for one in verdicts if one != UNDETERMINED]
    return (
        len(verdicts),
        things,
        len(texts),
        len(texts & ALL_PAIRS),
        float(np.mean(known)) if known else float("nan"),
    )


def chosen(found, **how):
    for pairs in found:
        scores = [consistency for _, consistency, _ in pairs]
        kept = (
            choose(scores, pair_similarity([pair for pair, _, _ in pairs]), **how) if pairs else []
        )
        yield [pairs[place][0] for place in kept]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--evaluator", required=True)
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--few", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    logging.disable(logging.INFO)
    data = DataDirectory(args.data)
    worlds = possible_worlds(data, "test")
    images = data.image_ids("test")
    images = [
        images[place] for place in np.linspace(0, len(images) - 1, args.images).round().astype(int)
    ]
    options = SamplingOptions(num_samples=args.draws, seed=args.seed)
    print(
        f"{args.images} test images, seed {args.seed}, beam "
        f"{options.beam}\n\n{HEAD}\n|{' --- |' * 9}",
        flush=True,
    )
    folder = os.path.commonpath([os.path.dirname(path) for path in args.checkpoints])
    for checkpoint in args.checkpoints:
        name = os.path.relpath(checkpoint, folder)
        found = draw(checkpoint, args.evaluator, data, images, options)
        everything = [[pair for pair, _, _ in pairs] for pairs in found]
        few = [[pair for pair, _, number in pairs if number < args.few] for pairs in found]
        unfiltered = figures(everything, images, worlds)[2]
        keep = round(np.mean([len(pairs) for pairs in few]))
        rows = [(args.few, "all", few), (args.draws, "all", everything)]
        for minimum in (0.3, 0.5, 0.6, 0.7):
            rows.append(
                (
                    args.draws,
                    f"consistency >= {minimum}",
                    list(chosen(found, minimum=minimum, diversity=0)),
                )
            )
        for diversity in (0, 0.25, 0.5, 0.75, 1):
            how = {"minimum": 0.5, "keep": keep, "diversity": diversity}
            rows.append(
                (
                    args.draws,
                    f">= 0.5, best {keep}, diversity {diversity}",
                    list(chosen(found, **how)),
                )
            )
        for draws, what, pairs in rows:
            count, things, distinct, possible, consistent = figures(pairs, images, worlds)
            print(
                f"| {name} | {draws} | {what} | {count / len(images):.1f} | "
                f"{things / len(images):.1f} | {distinct} | {100 * distinct / unfiltered:.0f} | "
                f"{possible} | {100 * consistent:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
