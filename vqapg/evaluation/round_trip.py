"""Round-trip agreement: does a VQA model, given the image and a generated question, give the generated answer?

A second opinion beside the consistency evaluator's, from a model that was trained on gold pairs alone and never saw a
negative. What a model without the image (``--blind``) agrees with, the words give away.
"""

import numpy as np
import torch
from fairseq.dataclass.configs import GenerationConfig as FairseqGenerationConfig
from tqdm import tqdm

from vqapg.data.pair_dataset import pad
from vqapg.data.tokenizer import detokenize
from vqapg.data.vqa_answers import ANSWER_TYPES, answer_type, exact_match, token_f1
from vqapg.errors import InputError
from vqapg.evaluation.bootstrap import ImageBootstrap
from vqapg.judges import easy_vqa_truth as truth
from vqapg.tasks.checkpoints import load_model
from vqapg.tasks.vqapg import GenerationConfig, GenerationTask
from vqapg.tokens import SEPARATOR

LONGEST_ANSWER = 50  # words, so that a model that has not learned to end costs no minutes


class Answerer:
    """The model of a ``vqapg_vqa`` checkpoint, to answer questions.

    Args:
        checkpoint: its path
        data: :class:`~vqapg.data.directory.DataDirectory`, whose features hold the images
        blind: whether it must be one that was trained with ``--blind``, or must not
        beam: 1: the most probable word each time

    Raises:
        InputError: as :func:`~vqapg.tasks.checkpoints.load_model`, or if it is no ``vqapg_vqa``, or is blind where
            it must not be, or the other way round
    """

    def __init__(self, checkpoint, data, blind, beam=1):
        self.task = GenerationTask(GenerationConfig(_name="vqapg", data=str(data.path), seed=1))
        self.model = load_model(checkpoint, self.task)
        if self.model.given != "question":
            raise InputError(
                f"{checkpoint}: does not answer questions; give a checkpoint of --arch vqapg_vqa"
            )
        if self.model.blind != blind:
            is_, wanted = ("blind", "without") if self.model.blind else ("not blind", "with")
            raise InputError(f"{checkpoint}: is {is_}; give a vqapg_vqa trained {wanted} --blind")
        options = FairseqGenerationConfig(beam=beam, nbest=1, max_len_b=LONGEST_ANSWER)
        self.generator = self.task.build_generator([self.model], options)

    def answers(self, asked, batch_size=256):
        """The answer to each of the (image, question) in *asked*; questions and answers as space-joined tokens.

        Raises:
            InputError: if an image has no features
        """
        task, device, answers = self.task, next(self.model.parameters()).device, [None] * len(asked)
        task.features.require(dict.fromkeys(image for image, _ in asked))
        # Questions of an image side by side, so that a batch holds few images.
        order = sorted(range(len(asked)), key=lambda i: task.features.rows[asked[i][0]])
        batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        for batch in tqdm(
            batches, desc="answering blindly" if self.model.blind else "answering", unit="batch"
        ):
            images, image_index = np.unique(
                [task.features.rows[asked[i][0]] for i in batch], return_inverse=True
            )
            inputs = {
                "features": torch.from_numpy(task.features.read(images)).to(device),
                "image_index": torch.from_numpy(image_index).to(device),
                "question": pad([asked[i][1] for i in batch], task.dictionary).to(device),
                "noise_keys": np.zeros(
                    (len(batch), 3), dtype=np.int64
                ),  # no latent variable, nothing is drawn
            }
            for i, (hypothesis,) in zip(
                batch, self.generator.generate([self.model], {"net_input": inputs})
            ):
                answers[i] = task.dictionary.string(hypothesis["tokens"]).split(f"{SEPARATOR} ")[1]
        return answers


def compare(triples, answers, blind_answers=None, worlds=None, *, seed=1, resamples=1000):
    """Figures of agreement, each ``{"value", "n", "ci95"}``, shares within 0..1.

    Args:
        triples: distinct (image, question, answer), texts as space-joined tokens
        answers: what the answerer says to each one's question, as such tokens
        blind_answers: what the blind one says
        worlds: {image: possible worlds} of easy-VQA; without them nothing is said about the truth
        seed, resamples: of the bootstrap over images
    """
    numbers = {
        image: number
        for number, image in enumerate(dict.fromkeys(image for image, _, _ in triples))
    }
    image = np.array([numbers[triple[0]] for triple in triples], dtype=np.int64)
    bootstrap = ImageBootstrap(max(len(numbers), 1), resamples, seed)
    asserted = [detokenize(answer.split()) for _, _, answer in triples]
    types = np.array([answer_type(answer) for answer in asserted])

    def share(value, which=slice(None), possible=(0.0, 1.0)):
        value, of = np.asarray(value, dtype=np.float64)[which], image[which]
        mean = float(value.mean()) if len(value) else None
        return {"value": mean, "n": len(value), "ci95": bootstrap.mean(of, value, possible)}

    def agreement(said):
        said = [detokenize(answer.split()) for answer in said]
        exact = np.array([exact_match(*both) for both in zip(said, asserted)], dtype=bool)
        figures = {
            "exact": share(exact),
            "f1": share([token_f1(*both) for both in zip(said, asserted)]),
            "exact_by_type": {name: share(exact, types == name) for name in ANSWER_TYPES},
        }
        return exact, figures

    exact, figures = agreement(answers)
    if blind_answers is not None:
        blind_exact, figures["blind"] = agreement(blind_answers)
        figures["above_blind"] = share(exact.astype(float) - blind_exact, possible=(-1.0, 1.0))
    if worlds is not None:
        verdicts = np.array([truth.verdict(worlds[i], q, a) for i, q, a in triples], dtype=object)
        right, wrong = verdicts == truth.RIGHT, verdicts == truth.WRONG
        figures["truth"] = {
            "true_consistent": share(right, right | wrong),
            "agrees_with_truth": share(exact == right, right | wrong),
            "agrees_with_right": share(exact, right),
            "disagrees_with_wrong": share(~exact, wrong),
        }
    return figures


# (path to a figure, label)
ROWS = (
    (("exact",), "agrees exactly (%)"),
    *((("exact_by_type", name), f"  {name} (%)") for name in ANSWER_TYPES),
    (("f1",), "token F1 (%)"),
    (("blind", "exact"), "blind answerer agrees exactly (%)"),
    *((("blind", "exact_by_type", name), f"  {name} (%)") for name in ANSWER_TYPES),
    (("blind", "f1"), "blind answerer's token F1 (%)"),
    (("above_blind",), "seeing above blind (points)"),
    (("truth", "true_consistent"), "truly consistent (%)"),
    (("truth", "agrees_with_truth"), "agreement says what is true (%)"),
    (("truth", "agrees_with_right"), "  agrees with a right pair (%)"),
    (("truth", "disagrees_with_wrong"), "  disagrees with a wrong pair (%)"),
)


def format_agreement(columns):
    """A table of the results of :func:`compare`, by name."""
    rows = [["", *columns]]
    for path, label in ROWS:
        cells = []
        for figures in columns.values():
            for key in path:
                figures = (figures or {}).get(key)
            cells.append(_cell(figures))
        if any(cells):
            rows.append([label, *cells])
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    )


def _cell(figure):
    if not figure or figure["value"] is None:
        return ""
    interval = ", ".join(f"{100 * bound:.2f}" for bound in figure["ci95"] or ())
    return (
        f"{100 * figure['value']:.2f} "
        + (f"[{interval}] " if interval else "")
        + f"over {figure['n']:,}"
    )
