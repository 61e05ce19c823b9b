"""From a data set to a data directory: read, see whether it is done, write, say what was built."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vqapg.data.directory import WRONG_ANSWERS, DataDirectory, images_digest
from vqapg.data.directory_writer import our_directory, write_directory
from vqapg.data.manifest import read_manifest, tokenizer_version
from vqapg.data.tokenizer import TOKENIZER_VERSION
from vqapg.datasets import reader
from vqapg.datasets.reader import SPLITS, SourceData, Value
from vqapg.errors import InputError
from vqapg.files import link_or_copy, sha256, writing
from vqapg.locks import Lock, check_free
from vqapg.targets import check_target, real_path


class Prepared(NamedTuple):
    manifest: dict[str, Any]
    done_before: bool  # it stood there already
    features_removed: bool  # its features.h5 was of other images


def prepare(
    dataset: str,
    source: str | Path | None,
    dest: str | Path,
    options: Mapping[str, Value],
    *,
    overwrite: bool = False,
) -> Prepared:
    """Make the data directory *dest* from *source*.

    Args:
        dataset: the name of the data set, or ``package.module:READER``
        source: None: where the data set lies by itself
        dest: the data directory to write
        options: options of the data set's reader; those that are not in it take their defaults
        overwrite: replace a data directory that vqapg made otherwise

    Raises:
        InputError: for bad input, and when *dest* holds something made otherwise
    """
    if not str(dest):
        raise InputError("--dest: is empty; name the data directory to write")
    dest = real_path(Path(dest))
    if dest.exists() and not dest.is_dir():
        raise InputError(f"{dest}: is a file; give a directory as --dest")
    chosen = reader(dataset)
    options = chosen.complete(dataset, options)

    standing = None if overwrite else read_manifest(dest)
    for key in ("dataset", "options", "source", "source_sha256", "counts", "distinct_tokens"):
        if standing is not None and key not in standing:
            raise InputError(
                f"{dest}/manifest.json: has no {key}; give another --dest, or --overwrite"
            )
    if standing is not None and standing["dataset"] == dataset:
        # An older version of the reader may have had fewer options.
        defaults = {option.name: option.default for option in chosen.options}
        standing["options"] = defaults | standing["options"]
    if standing is not None and (standing["dataset"], standing["options"]) != (dataset, options):
        raise InputError(
            f"{dest}: holds {standing['dataset']} made with {_spell(standing['options'])}, not "
            f"{dataset} with "
            f"{_spell(options)}; give another --dest, or --overwrite"
        )
    if standing is None:
        check_target(dest, our_directory, overwrite=overwrite, option="--dest")
    source_data = chosen.read(source, **options)
    source_data.check(dataset)
    if standing is not None:
        if standing["source"] != str(source_data.source):
            raise InputError(
                f"{dest}: was made from {standing['source']}; give another --dest, or --overwrite"
            )
        if standing["source_sha256"] != {str(file): sha256(file) for file in source_data.files}:
            raise InputError(
                f"{dest}: {source_data.source} was changed since this was made; give another "
                "--dest, or --overwrite"
            )
        DataDirectory(dest)  # raises when a file of it was lost
        if tokenizer_version(standing) != TOKENIZER_VERSION:
            print(
                f"warning: {dest}: was made with tokenizer {tokenizer_version(standing)}, this "
                f"vqapg has {TOKENIZER_VERSION}. A few texts have other tokens now, above all "
                "those with typographic quotes. Make it anew with --overwrite, and train again",
                file=sys.stderr,
            )
        wrong = any(record.wrong_answers for record in source_data.records)
        if wrong and not (dest / WRONG_ANSWERS[0]).exists():
            print(
                f"warning: {dest}: was made before vqapg kept wrong answers. To have them, make it "
                "anew with --overwrite; its other texts and its features stay as they are",
                file=sys.stderr,
            )
        return Prepared(standing, done_before=True, features_removed=False)

    features = dest / "features.h5"
    features_stood = features.exists()
    try:
        with writing(dest):
            dest.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{dest}: cannot be made ({error.strerror}); give another --dest"
        ) from error
    with Lock(dest):
        for lock in dest.glob(".features*.h5.lock"):
            check_free(dest / lock.name.removeprefix(".").removesuffix(".lock"))
        manifest = write_directory(
            dest,
            source_data,
            dataset=dataset,
            options=options,
            paper_table2=chosen.paper_table2,
            empty_split_cure=chosen.empty_split_cure,
            overwrite=overwrite,
            keep=lambda folder: _keep_features(dest, folder, source_data),
        )
    return Prepared(
        manifest, done_before=False, features_removed=features_stood and not features.exists()
    )


def _keep_features(dest: Path, folder: Path, source_data: SourceData) -> None:
    """Keep in *folder* those features of the data directory *dest* that are of the very same
    images.
    """
    if not any(dest.glob("features*.h5")):
        return
    from vqapg.data.feature_store import FeatureStore

    image_ids: dict[str, dict[str, None]] = {split: {} for split in SPLITS}
    for record in source_data.records:
        image_ids[record.split][record.image] = None
    digest = images_digest(source_data.image_root, image_ids)
    for path in dest.glob("features*.h5"):
        try:
            if FeatureStore(path).images_digest == digest:
                link_or_copy(path, folder / path.name)
        except InputError:
            pass  # not features that anybody could use


def table2(manifest: Mapping[str, Any]) -> str:
    """The paper's Table 2 for what was built: images and pairs a split, and the size of the
    dictionary.
    """
    rows: list[tuple[str, ...]] = [("", *SPLITS)]
    for what in ("images", "pairs"):
        rows.append((what, *(f"{manifest['counts'][split][what]:,}" for split in SPLITS)))
        if "paper_table_2" in manifest:
            rows.append(
                (
                    "  in the paper",
                    *(f"{manifest['paper_table_2'][split][what]:,}" for split in SPLITS),
                )
            )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    return "\n".join([*lines, f"dictionary: {manifest['distinct_tokens']:,} tokens (train split)"])


def _spell(options: Mapping[str, Value]) -> str:
    return (
        " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
        or "no options"
    )
