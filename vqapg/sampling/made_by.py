"""What the card of a data set says of how ``vqapg sample`` made its pairs."""

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vqapg.sampling.options import SamplingOptions
    from vqapg.sampling.sampler import PairSampler


def made_by(sampler: "PairSampler", options: "SamplingOptions") -> dict[str, object]:
    """{what: value}: the model, the judge, and the flags of drawing and choosing."""
    judge, verdict = sampler.judge, sampler.verdict()
    flags = {
        f"--{field.name.replace('_', '-')}": getattr(options, field.name)
        for field in dataclasses.fields(options)
    }
    if options.keep is None:
        del flags["--diversity"]
    return {
        "model": sampler.name,
        "judge": "nobody" if judge is None else judge.name,
        "how far the judge can be trusted": None if verdict is None else verdict["text"],
        **flags,
    }
