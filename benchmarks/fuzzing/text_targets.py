"""Mutated text: data sets, data directories, generated pairs and annotations."""

from pathlib import Path

from fuzzing.case import GENERATE, Case, copy
from fuzzing.corpus import fairseq, vqapg
from fuzzing.mutations import mutate_bytes, mutate_json, mutate_lines


def jsonl(corpus, case, rng, traps):
    copy(corpus / "images", case / "images")
    file = case / "pairs.jsonl"
    file.write_bytes(mutate_lines((corpus / "pairs.jsonl").read_bytes(), rng, mutate_json))
    return Case(
        file,
        "lines",
        lambda: vqapg(
            "prepare", "--dataset", "jsonl", "--source", file, "--dest", case / "out/data"
        ),
    )


def vqa2(corpus, case, rng, traps):
    source = copy(corpus / "vqa2", case / "vqa2")
    file = rng.choice(sorted(source.glob("*.json")))
    file.write_bytes(mutate_json(file.read_bytes(), rng))
    return Case(
        file,
        file.name,
        lambda: vqapg(
            "prepare",
            "--dataset",
            "vqa2",
            "--source",
            source,
            "--valid-pairs",
            2,
            "--dest",
            case / "out/data",
        ),
    )


def visual7w(corpus, case, rng, traps):
    source = copy(corpus / "visual7w", case / "visual7w")
    file = source / "dataset_v7w_telling.json"
    file.write_bytes(mutate_json(file.read_bytes(), rng))
    return Case(
        file,
        "JSON",
        lambda: vqapg(
            "prepare", "--dataset", "visual7w", "--source", source, "--dest", case / "out/data"
        ),
    )


def generated(corpus, case, rng, traps):
    """generate-test.txt, or pairs as JSON lines."""
    name = rng.choice(("generate-test.txt", "pairs-out.jsonl"))
    change = mutate_bytes if name.endswith(".txt") else mutate_json
    file, data, out = case / name, corpus / "data", case / "out"
    file.write_bytes(mutate_lines((corpus / name).read_bytes(), rng, change))
    command = rng.choice(("evaluate", "jsonl", "vqa2", "imagefolder", "overlap", "csv"))
    if command == "evaluate":
        run = lambda: vqapg("evaluate", data, "--pairs", file, "--output", out / "metrics.json")  # noqa: E731
    elif command == "overlap":
        run = lambda: vqapg("overlap", data, "--pairs", file, "--output", out / "overlap.json")  # noqa: E731
    else:
        output = out / {"jsonl": "x.jsonl", "vqa2": "x.json", "csv": "x.csv"}.get(command, "x")
        run = lambda: vqapg("export", file, "--data", data, "--format", command, "--output", output)  # noqa: E731
    return Case(file, command, run)


def directory(corpus, case, rng, traps):
    """manifest.json, dict.txt and the texts of a data directory."""
    data, out = copy(corpus / "data", case / "data"), case / "out"
    file = data / rng.choice(
        (
            "manifest.json",
            "manifest.json",
            "dict.txt",
            "test.question",
            "test.image",
            "train.answer",
        )
    )
    if file.suffix == ".json":
        file.write_bytes(mutate_json(file.read_bytes(), rng))
    else:
        file.write_bytes(mutate_lines(file.read_bytes(), rng))
    commands = {
        "evaluate": lambda: vqapg(
            "evaluate",
            data,
            "--pairs",
            corpus / "generate-test.txt",
            "--evaluator",
            corpus / "evaluator.pt",
            "--output",
            out / "metrics.json",
        ),
        "generate": lambda: fairseq(
            "generate",
            data,
            *GENERATE.split(),
            "--path",
            corpus / "generator.pt",
            "--results-path",
            out,
        ),
        "prepare": lambda: vqapg(
            "prepare", "--dataset", "jsonl", "--source", corpus / "pairs.jsonl", "--dest", data
        ),
        "start": lambda: vqapg(
            "annotate",
            "start",
            out / "session",
            "--data",
            data,
            "--images",
            1,
            "--pairs",
            f"one={corpus / 'generate-test.txt'}",
        ),
    }
    command = rng.choice(sorted(commands))
    # prepare makes a directory that is not finished.
    may_change = (data,) if command == "prepare" else ()
    return Case(file, f"{file.name}, {command}", commands[command], may_change)


def _read_sheet(session: Path, sheet: Path) -> int:
    """Run read-sheet, which saves what the log of judgements lacks, as after a cut.

    Raises:
        AssertionError: if a whole line of the log is lost
    """
    log = session / "judgements.jsonl"
    before = log.read_bytes()
    status = vqapg("annotate", "read-sheet", session, sheet)
    assert log.read_bytes().startswith(before[: before.rfind(b"\n") + 1]), "a judgement is lost"
    return status


def annotations(corpus, case, rng, traps):
    """A session, its judgements, and a sheet."""
    session, sheet, out = (
        copy(corpus / "session", case / "session"),
        case / "sheet.csv",
        case / "out",
    )
    copy(corpus / "sheet.csv", sheet)
    file = rng.choice((session / "session.json", session / "judgements.jsonl", sheet))
    change = {
        ".json": mutate_json,
        ".jsonl": lambda content, rng: mutate_lines(content, rng, mutate_json),
    }
    file.write_bytes(change.get(file.suffix, mutate_lines)(file.read_bytes(), rng))
    commands = {
        "score": lambda: vqapg("annotate", "score", session, "--output", out / "human.json"),
        "sheet": lambda: vqapg(
            "annotate", "sheet", session, "--annotator", "anna", "--output", out / "sheet.csv"
        ),
        "read-sheet": lambda: _read_sheet(session, sheet),
    }
    command = "read-sheet" if file == sheet else rng.choice(sorted(commands))
    may_change = (session / "judgements.jsonl",) if command == "read-sheet" else ()
    return Case(file, f"{file.name}, {command}", commands[command], may_change)
