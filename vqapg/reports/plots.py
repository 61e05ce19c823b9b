"""Figures 5 to 8, from stored JSON alone. Colours tell apart for colour-blind readers: Okabe and
Ito's, and cividis.
"""

import textwrap

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from vqapg.data.pictures import open_rgb
from vqapg.reports.generation_order import ORDERS, measures, paradigms
from vqapg.reports.paper import MODELS
from vqapg.reports.stored import summary

STYLE = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
    "pdf.fonttype": 42,
    "savefig.dpi": 200,
}
BLUE, ORANGE = "#0072B2", "#E69F00"
COLOURS, OPACITY = "viridis", 0.55
# By the order of generation
FACES = {"": (BLUE, ""), "-qa": (ORANGE, "//")}
NOTHING = (np.nan, np.nan, np.nan)
PANEL = 2.6  # inches


def figure_5(study):
    """Diversity and consistency by order of generation; None where no model was evaluated in both
    orders, or nothing is measured. In the place of a bar that there is not stands "missing".
    """
    names, shown = paradigms(study), measures(study)
    if not shown:
        return None
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, len(shown), figsize=(PANEL * len(shown), 3), squeeze=False)
        for axes, measure in zip(panels[0], shown):
            for place, (order, label) in enumerate(ORDERS.items()):
                colour, hatch = FACES[order]
                found = [summary(measure, study.get(name + order, {})) for name in names]
                mean, low, high = measure.scaled(np.array([one or NOTHING for one in found])).T
                places = np.arange(len(names)) + (place - 0.5) * 0.38
                for at, one in zip(places, found):
                    if one is None:
                        _write_missing(axes, at)
                axes.bar(
                    places,
                    mean,
                    0.36,
                    color=colour,
                    hatch=hatch,
                    edgecolor="white",
                    label=label,
                    yerr=(mean - low, high - mean),
                    capsize=3,
                    error_kw={"elinewidth": 1, "ecolor": "black"},
                )
            axes.set_xticks(range(len(names)), [MODELS[name] for name in names])
            axes.set_ylabel(measure.head)
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _write_missing(axes, place):
    axes.text(
        place,
        0.02,
        "missing",
        rotation=90,
        ha="center",
        va="bottom",
        transform=axes.get_xaxis_transform(),
    )


def figure_6(image, records):
    """Region weights of each model's first pair for *image*; None where no model scales regions.

    A pipeline has a latent variable for each text, so two panels; the others have one for both.
    """
    panels = []
    for model, record in records.items():
        for pair in record.pairs_of(image)[:1]:
            for text in ("answer", "question"):
                if text in pair.weights and not (record.shared and text == "question"):
                    what = str(pair) if record.shared else f"{text}: {getattr(pair, text)}"
                    panels.append(
                        (f"{MODELS[model]}\n{_wrapped(what)}", pair.map_of(pair.weights[text]))
                    )
    if not panels:
        return None
    path = next(record.path_of(image) for record in records.values() if image in record.images)
    return _panels(path, image, panels, highest=1.0, label="region weight")


def figure_7(image, record, pair):
    """Mean attention of the answer's and the question's decoder for *pair*, side by side, on one
    scale.
    """
    panels = [
        (f"answer: {_wrapped(pair.answer)}", pair.map_of(pair.attention["answer"])),
        (f"question: {_wrapped(pair.question)}", pair.map_of(pair.attention["question"])),
    ]
    highest = max(weights.max() for _, weights in panels)
    title = f"{image}: KL of question and answer attention {pair.divergence:.2f} nats"
    if pair.consistency is not None:
        title += f"; evaluator's score {pair.consistency:.2f}"
    return _panels(record.path_of(image), title, panels, highest, "mean attention")


def _panels(path, title, panels, highest, label):
    picture = open_rgb(path)
    width = PANEL * min(2.0, max(0.7, picture.width / picture.height))
    with plt.rc_context(STYLE):
        figure, row = plt.subplots(
            1,
            len(panels) + 1,
            figsize=(width * (len(panels) + 1) + 0.8, PANEL + 1.1),
            squeeze=False,
        )
        row = row[0]
        row[0].imshow(picture, extent=(0, picture.width, picture.height, 0))
        row[0].set_title("image")
        for axes, (head, weights) in zip(row[1:], panels):
            overlaid = overlay(axes, picture, weights, highest)
            axes.set_title(head)
        for axes in row:
            axes.set_axis_off()
        figure.colorbar(overlaid, ax=list(row), label=label, shrink=0.8)
        figure.suptitle(title, fontsize=10)
    return figure


def overlay(axes, picture, weights, highest):
    """*weights* ``[H, W]`` over the picture in grey, each over the part of the picture that is its
    region.

    The backbone sees the whole picture, squeezed into a square: stretched back, its grid covers the
    whole picture.
    """
    extent = (0, picture.width, picture.height, 0)
    axes.imshow(picture.convert("L"), cmap="gray", vmin=0, vmax=255, extent=extent)
    return axes.imshow(
        weights,
        cmap=COLOURS,
        vmin=0,
        vmax=highest,
        alpha=OPACITY,
        extent=extent,
        interpolation="nearest",
    )


def _wrapped(words, width=28):
    # A word that is longer than a line keeps it to itself.
    return "\n".join(textwrap.wrap(words, width, break_long_words=False))
