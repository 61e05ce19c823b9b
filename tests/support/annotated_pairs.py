"""Generated pairs of three images by two models, written by hand."""

from vqapg.evaluation.generated import GeneratedPair

MODELS = ("model-one", "model-two")
PAIRS = {
    "model-one": [
        ("what color is the cat ?", "black"),
        ("what color is the dog ?", "white"),
        ("is there a cat ?", "yes"),
    ],
    # Said twice: a repeat.
    "model-two": [
        ("what is on the table ?", "cup"),
        ("what is on the table ?", "cup"),
        ("where is the cat ?", "here"),
    ],
}
IMAGES = [f"{letter}.png" for letter in "abc"]


def generated(images=IMAGES):
    return {
        model: [GeneratedPair(0, image, *pair, -1.0) for image in images for pair in pairs]
        for model, pairs in PAIRS.items()
    }
