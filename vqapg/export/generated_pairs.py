"""What ``vqapg export`` writes: generated pairs in a format, with a judge's score where given."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.data.directory import SPLITS, DataDirectory
from vqapg.data.input_image import InputImage
from vqapg.errors import InputError
from vqapg.evaluation.figures import distinct_triples
from vqapg.evaluation.generated import GeneratedPair, read_records, readable_records
from vqapg.evaluation.judge_verdict import stored_verdict
from vqapg.export.made_of_file import made_of_file
from vqapg.export.outputs import check_data_set, format_named, write_records
from vqapg.export.pair_origin import Origin, images_of_data
from vqapg.judges.context import JudgeContext
from vqapg.judges.judge import Judge, make_judge, score_triples

# generate-train.txt, my-valid.jsonl, test.txt
SPLIT_IN_NAME = re.compile(rf"(?:.*[-_.])?({'|'.join(SPLITS)})", re.DOTALL)


class Exported(NamedTuple):
    """How many pairs were written, and how many were malformed and left out."""

    written: int
    malformed: int


def files_of_splits(files: Sequence[str], split: str | None = None) -> dict[str, str]:
    """The file of each split.

    Args:
        files: ``generate-SPLIT.txt``, or others with names that end in the split
        split: of the only file; None: its name tells, and else it is test

    Raises:
        InputError: if of several files a name does not tell the split, or two tell the same
    """
    found: dict[str, str] = {}
    for file in files:
        named = SPLIT_IN_NAME.fullmatch(Path(file).stem)
        if len(files) == 1:
            return {split or (named[1] if named else "test"): file}
        if split is not None:
            raise InputError(
                f"--split {split}: goes with one file; of several, each tells its split by its "
                "name, such as generate-valid.txt"
            )
        if named is None:
            raise InputError(
                f"{file}: its name does not tell the split, as that of each of several files must; "
                "let it end in -train, -valid or -test"
            )
        if named[1] in found:
            raise InputError(
                f"{file}: is of the split {named[1]}, and so is {found[named[1]]}; give one file "
                "for each split"
            )
        found[named[1]] = file
    return found


def export_pairs(
    data: DataDirectory,
    generated: Mapping[str, str | os.PathLike[str]],
    output: str | os.PathLike[str],
    format: str,
    *,
    judge: str | Judge | None = None,
    licence: str | None = None,
    checkpoint: Path | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write the well-formed pairs of *generated*.

    Args:
        data: the data directory that was generated from
        generated: by split ``generate-<split>.txt``, or JSON lines; several only for a data set
        output: the file or folder
        format: the format's name
        judge: as ``--judge`` names it, or a judge; its scores are written as "consistency"
        licence: of the pairs, an identifier of the hub; only for a data set
        checkpoint: of the model that made the pairs; only for a data set
        overwrite: replace what exists, if vqapg wrote it

    Raises:
        InputError: if the pairs cannot be read or judged, or the output may not be replaced
        RunError: if the disk is full
    """
    if len(generated) > 1 and not format_named(format).is_dataset:
        raise InputError(
            f"--format {format}: has no splits; give one file of pairs, or another --format, such "
            "as imagefolder"
        )
    check_data_set(format, licence=licence, checkpoint=checkpoint)
    pairs: dict[str, list[GeneratedPair]] = {}
    made: dict[str, object] = {}
    for split, path in generated.items():
        read = list(read_records(path, data, split))
        pairs[split] = sorted((one.pair for one in read), key=lambda pair: pair.id)
        known = made_of_file(Path(path), read, checkpoint)
        of_split = f" ({split})" if len(generated) > 1 else ""
        made |= {f"{what}{of_split}": value for what, value in known.items()}
    images = _images_of(data, pairs)
    used = {pair.image for found in pairs.values() for pair in found if not pair.malformed}
    check_data_set(format, images=(image for image in images if image.name in used))
    records: list[dict[str, Any]] = []
    for split, found in pairs.items():
        scores = None
        if judge is not None:
            triples = distinct_triples(found)
            judging = make_judge(judge, JudgeContext(data, split))
            scores = dict(zip(triples, score_triples(judging, triples), strict=True))
            made["judge of consistency"] = judging.name
            if verdict := stored_verdict(judging.identity):
                made["how far the judge can be trusted"] = verdict["text"]
        records += [record | {"split": split} for record in readable_records(found, scores)]
    origin = Origin(made=made, images=images_of_data(data), license=licence)
    written = write_records(
        os.fspath(output), format, records, images, overwrite=overwrite, origin=origin
    )
    return Exported(written, sum(map(len, pairs.values())) - written)


def _images_of(
    data: DataDirectory, pairs: Mapping[str, Sequence[GeneratedPair]]
) -> list[InputImage]:
    """All images of the splits, with those that have no pair: their places number the others."""
    names = dict.fromkeys(image for split in pairs for image in data.image_ids(split))
    return [InputImage(image, str(data.image_path(image))) for image in names]
