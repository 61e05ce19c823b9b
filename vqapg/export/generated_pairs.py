"""What ``vqapg export`` writes: generated pairs in a format, with a judge's score where given."""

import os
from typing import NamedTuple

from vqapg.data.directory import DataDirectory
from vqapg.data.input_image import InputImage
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.generated import read_generated, readable_records
from vqapg.export.outputs import write_records
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, make_judge, score_triples


class Exported(NamedTuple):
    """How many pairs were written, and how many were malformed and left out."""

    written: int
    malformed: int


def export_pairs(
    data: DataDirectory,
    generated: str | os.PathLike[str],
    output: str | os.PathLike[str],
    format: str,
    *,
    judge: str | Judge | None = None,
    split: str = "test",
    overwrite: bool = False,
) -> Exported:
    """Write the well-formed pairs of *generated*.

    Args:
        data: the data directory that was generated from
        generated: ``generate-<split>.txt``, or JSON lines
        output: the file or folder
        format: the format's name
        judge: as ``--judge`` names it, or a judge; its scores are written as "consistency"
        split: of the images
        overwrite: replace what exists, if vqapg wrote it

    Raises:
        InputError: if the pairs cannot be read or judged, or the output may not be replaced
        RunError: if the disk is full
    """
    pairs = read_generated(generated, data, split)
    scores = None
    if judge is not None:
        triples = distinct_triples(pairs)
        made = make_judge(judge, JudgeContext(data, split))
        scores = dict(zip(triples, score_triples(made, triples), strict=True))
    records = readable_records(pairs, scores)
    images = [InputImage(image, str(data.image_path(image))) for image in data.image_ids(split)]
    written = write_records(os.fspath(output), format, records, images, overwrite=overwrite)
    return Exported(written, len(pairs) - written)
