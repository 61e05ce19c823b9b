"""What the last lines of ``vqapg sample`` tell to do."""

from collections import Counter

import pytest

from vqapg.cli.sample_closing import print_closing
from vqapg.demo import FOLDER, MODEL
from vqapg.sampling.counts import Counts
from vqapg.sampling.options import SamplingOptions

COUNTS = Counts(12, 0, 12, 0, 0, ["a.png: cut"], cut=1, repetition="'a? yes' is said of 12")


@pytest.mark.parametrize(
    ("is_demo", "sampling", "of_cut", "of_repetition"),
    [
        (False, False, ": train the model longer", "give --sampling, or train longer"),
        (
            False,
            True,
            ": train the model longer, or leave out --sampling",
            "give a higher --temperature, or train longer",
        ),
        (True, True, ": give a lower --temperature", "give a higher --temperature"),
        (True, False, "", "give --sampling"),
    ],
)
def test_cures_are_those_that_the_user_can_take(is_demo, sampling, of_cut, of_repetition, capsys):
    checkpoint = str(FOLDER / MODEL) if is_demo else "mine.pt"
    print_closing(COUNTS, SamplingOptions(sampling=sampling), checkpoint, Counter(), ["o.jsonl"])
    shown = capsys.readouterr()
    assert shown.out == f"o.jsonl: 12 pairs of 12 images; 1 pair cut at 50 words{of_cut}; " + (
        "1 image left out that cannot be read\n"
    )
    assert shown.err == (
        f"warning: {COUNTS.repetition}; {of_repetition}: docs/sample.md, Too few questions\n"
        "left out: a.png: cut\n"
    )
