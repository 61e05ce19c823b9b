"""A small study written by hand, as the commands store it."""

import json

from PIL import Image


def figure(value, width=0.01):
    return {"value": value, "n": 10, "ci95": [value - width, value + width]}


def metrics(n, consistent, **changes):
    return {
        "pairs": 9673,
        "images": 1000,
        "malformed": 0,
        "distinct4": figure(n / 10_000),
        "unique_pairs": figure(n, 5),
        "consistent": figure(consistent),
        "mean_score": figure(consistent - 0.1),
        "not_computed": {},
    } | changes


def write(path, stored):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stored))
    return path


def looked_pair(question, answer, grid, at, consistency=None, weights=True):
    """All attention on the region *at*[text] of each text; weights 1 there, 0.25 elsewhere."""
    regions = grid[0] * grid[1]

    def spread(text, there, elsewhere):
        return [there if region == at[text] else elsewhere for region in range(regions)]

    pair = {
        "question": question,
        "answer": answer,
        "score": -0.5,
        "weights": {text: spread(text, 1.0, 0.25) for text in at} if weights else {},
        "attention": {text: spread(text, 1.0, 0.0) for text in at},
    }
    return pair | ({} if consistency is None else {"consistency": consistency})


def write_attention(folder, model, images, grid=(2, 3)):
    """Makes the pictures of *images*, {id: pairs}: 60 wide, 20 high, the top right third bright.

    All else is black.
    """
    records = []
    for image, pairs in images.items():
        path = folder / "pictures" / image
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.new("RGB", (60, 20))
        picture.paste((255, 255, 255), (40, 0, 60, 10))
        picture.save(path)
        records.append({"image": image, "path": str(path), "malformed": 0, "pairs": pairs})
    return write(folder / model / "seed-1/attention.json", {"grid": list(grid), "images": records})
