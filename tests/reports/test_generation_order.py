"""Figure 5: a bar a model and order, and what it says of those that are missing."""

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from PIL import Image

from tests.support.study_folder import figure, metrics, write
from vqapg.reports.generation_order import lacking
from vqapg.reports.plots import FACES, figure_5
from vqapg.reports.report import write_report


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


def test_figure_5_has_a_bar_an_order_and_its_interval():
    study = {
        "pipeline_variational": {1: metrics(100, 0.8), 2: metrics(110, 0.9)},
        "pipeline_variational-qa": {1: metrics(120, 0.95)},
        "sequential_variational": {1: metrics(50, 0.7)},
    }
    panels = figure_5(study).axes
    assert [axes.get_ylabel() for axes in panels] == ["D (%)", "N", "P (%)"]
    assert [label.get_text() for label in panels[1].get_xticklabels()] == [
        "Pipeline*",
        "Sequential*",
    ]
    first, second = (
        container for container in panels[1].containers if hasattr(container, "patches")
    )
    assert [bar.get_height() for bar in first] == [105, 50]
    # The sequential model was evaluated in one order only.
    height, nothing = (bar.get_height() for bar in second)
    assert height == 120 and np.isnan(nothing)
    intervals = [segment[:, 1] for segment in first.errorbar.lines[2][0].get_segments()]
    assert [tuple(interval) for interval in intervals] == [(95, 115), (45, 55)]
    assert first[0].get_facecolor()[:3] == to_rgb(FACES[""][0]) and second[0].get_hatch() == "//"
    (missing,) = [text for text in panels[1].texts if text.get_text() == "missing"]
    assert missing.get_position()[0] == second[1].get_x() + second[1].get_width() / 2
    assert list(lacking(study)) == [
        "Sequential*, question first, is missing: it was not evaluated."
    ]
    assert (
        figure_5({name: study[name] for name in ("pipeline_variational", "sequential_variational")})
        is None
    )


def test_the_legend_of_figure_5_names_each_orders_bars():
    study = {
        "pipeline_variational": {1: metrics(105, 0.8)},
        "pipeline_variational-qa": {1: metrics(120, 0.9)},
    }
    drawn = figure_5(study)
    (legend,) = drawn.legends
    of_label = {
        text.get_text(): (patch.get_facecolor(), patch.get_hatch())
        for text, patch in zip(legend.get_texts(), legend.legend_handles, strict=True)
    }
    bars = {
        bar.get_height(): (bar.get_facecolor(), bar.get_hatch()) for bar in drawn.axes[1].patches
    }
    # The plain runs of a study are answer first, which made 105 pairs; those of "-qa" made 120.
    assert of_label == {"answer first": bars[105], "question first": bars[120]}
    assert bars[105] != bars[120]


NOTHING = {"value": None, "n": 0, "ci95": None}


# What is stored of a run whose pairs are all malformed
FORMLESS = metrics(0, 0.5, malformed=9673) | dict.fromkeys(
    ("distinct4", "unique_pairs", "consistent", "mean_score"), NOTHING
)


def test_figure_5_draws_what_one_model_lacks_of_the_others():
    study = {
        "pipeline_variational": {1: metrics(100, 0.8, true_consistent=figure(0.7))},
        "pipeline_variational-qa": {1: metrics(100, 0.8) | {"consistent": NOTHING}},
        "sequential_variational": {1: metrics(50, 0.7), 2: FORMLESS},
        "sequential_variational-qa": {1: FORMLESS},
    }
    panels = {axes.get_ylabel(): axes for axes in figure_5(study).axes}
    assert list(panels) == ["D (%)", "N", "P (%)", "truly consistent (%)"]
    assert [len(axes.texts) for axes in panels.values()] == [1, 1, 2, 3]
    assert list(lacking(study)) == [
        "Sequential*, answer first of seed 2 has no figures: none of its pairs is well-formed.",
        "Sequential*, question first has no figures: none of its pairs is well-formed.",
        "Pipeline*, question first, lacks P (%), truly consistent (%): not measured.",
        "Sequential*, answer first, lacks truly consistent (%): not measured.",
    ]
    formless = {name: {1: FORMLESS} for name in study}
    assert figure_5(formless) is None


def test_figure_that_lacks_a_model_says_so_in_its_caption(tmp_path):
    folder = tmp_path / "study"
    for name, stored in (
        ("pipeline_variational", metrics(100, 0.8)),
        ("pipeline_variational-qa", FORMLESS),
    ):
        write(folder / name / "seed-1/metrics.json", stored)
    report = write_report(folder, tmp_path / "out")
    sentence = "Pipeline*, question first has no figures: none of its pairs is well-formed."
    with Image.open(tmp_path / "out/figure5.png") as picture:
        assert sentence in picture.info["Description"]
    part = (tmp_path / "out/report.md").read_text().partition("## Figure 5")[2]
    assert sentence in part and "Figure 5" not in report.missing
    write(folder / "pipeline_variational/seed-1/metrics.json", FORMLESS)
    report = write_report(folder, tmp_path / "out", overwrite=True)
    assert report.missing["Figure 5"].endswith(", of models that make well-formed pairs")
