"""Files of pairs and sessions that estimate their consistency, on pictures of one colour."""

import json

import numpy as np
from PIL import Image

from tests.support.handwritten_data import write_data
from vqapg.annotation.consistency_drawing import start_consistency_session
from vqapg.annotation.judgements import JudgementLog
from vqapg.annotation.pair_source import data_source

IMAGES = [f"{letter}.png" for letter in "abcd"]


class Believer:
    """Scores 0.9 for an answer that begins with "good", 0.1 for one with "bad", else NaN."""

    def __init__(self):
        self.name, self.identity = "believer", {"judge": "believer"}

    def score(self, triples):
        return np.array(
            [{"good": 0.9, "bad": 0.1}.get(t.answer.split()[0], np.nan) for t in triples]
        )


def triples(kind, numbers):
    """Distinct triples of a kind ("good", "bad" or "odd"), over all images in turn."""
    return [(IMAGES[n % 4], f"is it {kind} {n} ?", f"{kind} {n}") for n in numbers]


def write_world(folder):
    """The data directory DATA in *folder*, with a picture for each image."""
    data = write_data(folder / "DATA", [(image, "is it good ?", "yes") for image in IMAGES])
    manifest = json.loads((data / "manifest.json").read_text())
    manifest["image_root"] = str(folder / "images")
    (data / "manifest.json").write_text(json.dumps(manifest))
    (folder / "images").mkdir()
    for number, image in enumerate(IMAGES):
        colour = (60 * number, 120, 200)
        Image.new("RGB", (320, 240), colour).save(folder / "images" / image)
    return data


def write_pairs(path, of_file):
    """Writes (image, question, answer) each as JSON lines; the path."""
    keys = ("image", "question", "answer")
    path.write_text(
        "".join(json.dumps(dict(zip(keys, triple))) + "\n" for triple in of_file), encoding="utf-8"
    )
    return path


def make_session(folder, files, judge=None, **options):
    """A session "session" in *folder* of files, {name: its triples}."""
    data = folder / "DATA"
    if not data.exists():
        write_world(folder)
    paths = {name: write_pairs(folder / f"{name}.jsonl", found) for name, found in files.items()}
    return start_consistency_session(
        folder / "session", data_source(data), paths, judge=judge, **options
    )


def say(session, annotator, mark_of, pairs=None):
    """Saves *mark_of(pair)* for each pair of *pairs*, by id; without them for all."""
    with JudgementLog(session) as log:
        log.extend(
            (annotator, pair.id, "consistency", mark_of(pair))
            for group in session.groups
            for pair in group.pairs
            if pairs is None or pair.id in pairs
        )


def shown_pairs(session):
    """{id: ShownPair} of all pairs."""
    return {pair.id: pair for group in session.groups for pair in group.pairs}
