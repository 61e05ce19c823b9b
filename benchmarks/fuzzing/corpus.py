"""The good files: a tiny data directory, its checkpoints, and what people bring."""

import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw

PAIRS = (
    ("What color is it?", "red"),
    ("Is there a circle?", "yes"),
    ("What's the dog's name?", "a cat"),
)
IMAGE_SIZE = 64
SMALL = (
    "--hidden-size 8 --embed-dim 6 --batch-size 8 --optimizer adam --lr 1e-3 --max-epoch 1 --cpu "
    "--num-workers 0"
)
FORMATS = ("jpg", "png", "webp", "gif", "tif", "bmp", "ppm")
# Compressed 1,000 times smaller than it is, so that it costs nobody a disk.
BOMB = 400 << 20


def vqapg(*arguments) -> int:
    """Run the vqapg program in this process; its exit status."""
    from vqapg.cli.main import main

    return main([str(argument) for argument in arguments])


def fairseq(program: str, *arguments) -> int:
    """Run ``fairseq-train`` or another of fairseq's programs in this process; its exit status."""
    import importlib

    import vqapg

    sys.argv = [
        f"fairseq-{program}",
        *map(str, arguments),
        "--user-dir",
        str(Path(vqapg.__file__).parent),
    ]
    importlib.import_module(f"fairseq_cli.{program}").cli_main()
    return 0


def build(folder: Path) -> None:
    """Write every good file into *folder*.

    Raises:
        RuntimeError: when a command refuses a good file.
    """
    (folder / "images").mkdir(parents=True)
    names = [f"{split}{number}.png" for split in ("train", "valid", "test") for number in range(2)]
    for number, name in enumerate(names):
        draw(number).save(folder / "images" / name)
    lines = [
        {"image": f"images/{name}", "question": question, "answer": answer, "split": name[:-5]}
        for name in names
        for question, answer in PAIRS
    ]
    write_lines(folder / "pairs.jsonl", lines)
    data = folder / "data"
    must(vqapg("prepare", "--dataset", "jsonl", "--source", folder / "pairs.jsonl", "--dest", data))
    must(
        vqapg(
            "extract-features",
            data,
            "--backbone",
            "resnet18",
            "--weights",
            "none",
            "--image-size",
            IMAGE_SIZE,
            "--num-workers",
            0,
        )
    )
    train(folder, "generator", "vqapg", "vqapg_joint_variational", "vqapg_elbo", "--latent-dim", 4)
    train(folder, "evaluator", "vqapg_consistency", "vqapg_consistency", "vqapg_consistency")
    write_generated(folder / "generate-test.txt", folder / "pairs-out.jsonl", lines[-6:])
    write_photographs(folder)
    write_vqa2(folder / "vqa2")
    write_visual7w(folder / "visual7w")
    session = folder / "session"
    must(
        vqapg(
            "annotate",
            "start",
            session,
            "--data",
            data,
            "--images",
            2,
            "--pairs",
            f"one={folder / 'generate-test.txt'}",
        )
    )
    must(
        vqapg("annotate", "sheet", session, "--annotator", "anna", "--output", folder / "sheet.csv")
    )
    judge(folder, session)
    with (
        zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data/0", "w") as file,
    ):
        for _ in range(BOMB >> 20):
            file.write(bytes(1 << 20))


def must(status):
    if status:
        raise RuntimeError(f"a command refused a good file of the corpus (exit status {status})")


def draw(number):
    picture = Image.new("RGB", (40, 30), (40 * number % 256, 120, 200))
    ImageDraw.Draw(picture).ellipse((5, 5, 20 + number, 20), fill=(200, 30 * number % 256, 10))
    return picture


def write_lines(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def train(folder, name, task, architecture, criterion, *options):
    fairseq(
        "train",
        folder / "data",
        "--task",
        task,
        "--arch",
        architecture,
        "--criterion",
        criterion,
        *SMALL.split(),
        *options,
        "--save-dir",
        folder / name,
    )
    shutil.copy(folder / name / "checkpoint_last.pt", folder / f"{name}.pt")
    shutil.rmtree(folder / name)


def write_generated(text, lines, records):
    said = [
        ("what color is it ?", "red"),
        ("is there a circle ?", "yes"),
        ("what is this ?", "a cat"),
    ] * 2
    text.write_text(
        "".join(
            f"S-{number}\t-\nH-{number}\t-1.5\t{question} <sep> {answer}\nP-{number}\t-1.5\n"
            for number, (question, answer) in enumerate(said)
        )
    )
    write_lines(
        lines,
        [
            {
                "id": number,
                "image": record["image"],
                "question": question,
                "answer": answer,
                "score": -1.5,
            }
            for number, (record, (question, answer)) in enumerate(zip(records, said, strict=True))
        ],
    )


def write_photographs(folder):
    (folder / "photos").mkdir()
    for number, ending in enumerate(FORMATS):
        draw(number).save(folder / "photos" / f"photo.{ending}")
    with tarfile.open(folder / "shard.tar", "w") as shard:
        for number in range(3):
            content = io.BytesIO()
            draw(number).save(content, "JPEG")
            member = tarfile.TarInfo(f"{number}.jpg")
            member.size = content.tell()
            content.seek(0)
            shard.addfile(member, content)


def write_vqa2(folder):
    for part in ("train", "val"):
        (folder / f"{part}2014").mkdir(parents=True)
        questions, annotations = [], []
        for image in range(1, 4):
            draw(image).save(folder / f"{part}2014/COCO_{part}2014_{image:012d}.jpg")
            for place, (question, answer) in enumerate(PAIRS):
                own = {"question_id": 10 * image + place, "image_id": image}
                questions.append(own | {"question": question})
                ten = [
                    {"answer": answer, "answer_confidence": "yes", "answer_id": number}
                    for number in range(1, 11)
                ]
                annotations.append(
                    own
                    | {
                        "multiple_choice_answer": answer,
                        "answer_type": "other",
                        "answers": ten,
                        "question_type": "what",
                    }
                )
        write_json(
            folder / f"v2_OpenEnded_mscoco_{part}2014_questions.json", {"questions": questions}
        )
        write_json(folder / f"v2_mscoco_{part}2014_annotations.json", {"annotations": annotations})


def write_visual7w(folder):
    (folder / "images").mkdir(parents=True)
    images = []
    for number, split in enumerate(("train", "val", "test")):
        draw(number).save(folder / f"images/v7w_{number}.jpg")
        pairs = [
            {
                "qa_id": 10 * number + place,
                "image_id": number,
                "type": "what",
                "question": question,
                "answer": answer,
                "multiple_choices": ["a", "b", "c"],
            }
            for place, (question, answer) in enumerate(PAIRS)
        ]
        images.append(
            {"image_id": number, "filename": f"v7w_{number}.jpg", "split": split, "qa_pairs": pairs}
        )
    write_json(
        folder / "dataset_v7w_telling.json", {"dataset": "visual7w-telling", "images": images}
    )


def write_json(path, content):
    path.write_text(json.dumps(content))


def judge(folder, session):
    """Fill in the sheet, and some judgements."""
    sheet = folder / "sheet.csv"
    rows = sheet.read_text(encoding="utf-8-sig").splitlines()
    filled = [row.removesuffix(",") for row in rows[1:]]
    filled = [",".join([*row.split(",")[:-2], "2", row.split(",")[-1], "cat"]) for row in filled]
    sheet.write_text("\n".join([rows[0], *filled, ""]), encoding="utf-8-sig")
    must(vqapg("annotate", "read-sheet", session, sheet))


def fake_ghostscript(folder: Path, canary: Path) -> None:
    """Make PATH the *folder*, with a ``gs`` that leaves *canary* when it is run."""
    folder.mkdir()
    program = folder / "gs"
    program.write_text(f"#!/bin/sh\n: > '{canary}'\n")
    program.chmod(0o755)
    os.environ["PATH"] = str(folder)
