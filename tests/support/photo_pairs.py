"""A folder of pictures and pairs of them, as another system would hand them in."""

import json

from tests.support.tiny_checkpoints import draw_pictures

LINES = [
    {"image": "0.png", "question": "Is there a shape?", "answer": "Yes", "system": "vlm"},
    {"image": "1.png", "question": "Is there a shape?", "answer": "yes"},
    {"image": "1.png", "question": "What's it like?", "answer": "unsure", "consistency": 1},
    {"image": "2.png", "question": "  ", "answer": "no"},
    {"image": "1.png", "question": "Is there  a shape ?", "answer": "yes"},
]


def write_photo_pairs(folder, lines=LINES):
    """Makes photos/ with 0.png to 2.png, and pairs.jsonl, in *folder*; the paths of both."""
    photos = draw_pictures(folder / "photos", 3)
    pairs = folder / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return photos, pairs
