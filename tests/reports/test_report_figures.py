import csv
import json

import numpy as np
import pytest
from matplotlib import pyplot
from PIL import Image

from tests.support.study_folder import looked_pair, write_attention
from vqapg.reports.attention_maps import attention_records, painted
from vqapg.reports.conditions import StudyConditions
from vqapg.reports.figure_captions import captions
from vqapg.reports.other_tables import table_7
from vqapg.reports.plots import figure_6, figure_7, overlay
from vqapg.reports.report import _file_names, write_report

GRID = (2, 3)


@pytest.fixture(autouse=True)
def close():
    yield
    pyplot.close("all")


@pytest.fixture
def records(tmp_path):
    joint = [
        looked_pair("is there a dog ?", "no", GRID, {"question": 2, "answer": 0}, consistency=0.25),
        looked_pair(
            "is there a cat ?", "yes", GRID, {"question": 2, "answer": 2}, consistency=0.75
        ),
    ]
    pipeline = [looked_pair("what is this ?", "a dog", GRID, {"question": 5, "answer": 4})]
    sequential = [
        looked_pair("who is this ?", "ann", GRID, {"question": 1, "answer": 1}, weights=False)
    ]
    write_attention(tmp_path, "joint_variational", {"a.png": joint})
    write_attention(tmp_path, "pipeline_variational", {"a.png": pipeline, "b.png": pipeline})
    write_attention(tmp_path, "sequential_variational", {"a.png": sequential})
    return attention_records(tmp_path)


def drawn(figure):
    """{title: weights} of the panels with an overlay, in order."""
    return {
        axes.get_title(): axes.images[1].get_array()
        for axes in figure.axes
        if len(axes.images) == 2
    }


def test_regions_lie_row_by_row_over_the_very_part_of_the_picture_that_they_are():
    """A picture of six grey fields, with the greys as weights: a pixel's weight is its field's."""
    fields = np.array([[0, 51, 102], [153, 204, 255]], dtype=np.uint8)
    picture = Image.fromarray(np.kron(fields, np.ones((50, 40), np.uint8)))  # 120 wide, 100 high
    panel = pyplot.figure(figsize=(1.2, 1), dpi=100)
    axes = panel.add_axes((0, 0, 1, 1))
    overlaid = overlay(axes, picture.convert("RGB"), np.arange(6).reshape(GRID) / 5, 1.0)
    axes.set_axis_off()
    assert axes.images[0].get_extent() == overlaid.get_extent() == [0, 120, 100, 0]
    # Drawn alone and opaque in grey, the weights are the picture again.
    overlaid.set(alpha=1, cmap="gray")
    panel.canvas.draw()
    pixels = np.asarray(panel.canvas.buffer_rgba())[..., 0]
    assert pixels.shape == (100, 120)
    for y, x in [(2, 2), (2, 60), (2, 117), (97, 2), (97, 60), (97, 117), (47, 37), (53, 43)]:
        assert pixels[y, x] == fields[y // 50, x // 40]


def test_boxes_are_filled_with_the_values_of_their_regions():
    boxes = np.array([[0, 0, 0.5, 1], [0.25, 0, 0.75, 0.5]])
    raster = painted(np.array([0.5, 1.0]), boxes)
    rows, columns = (200 * np.array([[0.75, 0.25, 0.25, 0.75], [0.1, 0.3, 0.6, 0.6]])).astype(int)
    assert raster[rows, columns].tolist() == [0.5, 1.0, 1.0, 0.0]
    # The larger one is seen, whichever is named first
    np.testing.assert_array_equal(painted(np.array([1.0, 0.5]), boxes[::-1]), raster)


def test_maps_of_objects_are_painted_from_stored_boxes(tmp_path):
    at = {"question": 0, "answer": 2}
    pair = looked_pair("is it ?", "yes", (1, 3), at)
    boxes = [[0, 0, 0.5, 0.5], [0.5, 0, 1, 0.5], [0, 0.5, 1, 1]]
    path = write_attention(tmp_path, "joint_variational", {"a.png": [pair]}, grid=(1, 3))
    stored = json.loads(path.read_text()) | {"grid": None}
    stored["images"][0]["boxes"] = boxes
    path.write_text(json.dumps(stored))
    record = attention_records(tmp_path)["joint_variational"]
    (looked,) = record.pairs_of("a.png")
    assert looked.attention["answer"].tolist() == [0, 0, 1]
    assert looked.map_of(looked.attention["answer"]).mean() == 0.5
    assert figure_6("a.png", {"joint_variational": record}) is not None
    assert figure_7("a.png", record, looked) is not None


def test_figure_6_has_a_panel_a_latent_variable_and_none_without_region_scaling(records):
    panels = drawn(figure_6("a.png", records))
    assert list(panels) == [
        "Pipeline*\nanswer: a dog",
        "Pipeline*\nquestion: what is this?",
        "Joint*\nis there a dog? no",
    ]
    answer, question, joint = panels.values()
    # Regions 4, 5 and 0 of two rows of three
    assert np.argwhere(answer == 1).tolist() == [[1, 1]]
    assert np.argwhere(question == 1).tolist() == [[1, 2]]
    assert np.argwhere(joint == 1).tolist() == [[0, 0]] and joint.min() == 0.25
    assert figure_6("a.png", {"sequential_variational": records["sequential_variational"]}) is None


def test_figures_7_and_8_show_answer_and_question_on_one_scale(records):
    joint = records["joint_variational"]
    best, worst = joint.best_and_worst("a.png")
    assert (str(best), str(worst)) == ("is there a cat? yes", "is there a dog? no")
    figure = figure_7("a.png", joint, worst)
    panels = drawn(figure)
    assert list(panels) == ["answer: no", "question: is there a dog?"]
    assert np.argwhere(panels["answer: no"] == 1).tolist() == [[0, 0]]
    assert np.argwhere(panels["question: is there a dog?"] == 1).tolist() == [[0, 2]]
    assert {axes.images[1].get_clim() for axes in figure.axes if len(axes.images) == 2} == {(0, 1)}
    assert "evaluator's score 0.25" in figure.get_suptitle()
    # All attention on different regions, -log 1e-8; on the same, nothing.
    assert worst.divergence == pytest.approx(
        np.log(1e8), rel=1e-6
    ) and best.divergence == pytest.approx(0, abs=1e-6)


def test_without_scores_the_first_pair_is_shown_and_a_pair_that_is_accepted_is_no_figure_8(
    tmp_path,
):
    at = {"question": 0, "answer": 1}
    write_attention(
        tmp_path,
        "joint_variational",
        {
            "a.png": [looked_pair("q ?", "a", GRID, at), looked_pair("r ?", "b", GRID, at)],
            "b.png": [
                looked_pair("q ?", "a", GRID, at, 0.6),
                looked_pair("r ?", "b", GRID, at, 0.9),
            ],
            "c.png": [],
        },
    )
    record = attention_records(tmp_path)["joint_variational"]
    assert [str(pair) for pair in record.best_and_worst("a.png")] == ["q? a", "None"]
    assert [str(pair) for pair in record.best_and_worst("b.png")] == ["r? b", "None"]
    assert record.best_and_worst("c.png") == (None, None)


def test_images_and_models_without_pairs_are_named_in_captions(tmp_path):
    at = {"question": 0, "answer": 1}
    pairs = [looked_pair("q ?", "a", GRID, at, 0.9), looked_pair("r ?", "b", GRID, at, 0.1)]
    flat = [looked_pair("q ?", "a", GRID, at, weights=False)]
    write_attention(tmp_path, "joint_variational", {"a.png": pairs, "b.png": []})
    write_attention(tmp_path, "sequential_variational", {"a.png": flat, "c.png": flat})
    records = attention_records(tmp_path)
    found = captions({}, records, StudyConditions(tmp_path, None))
    none = (
        "Joint* drew no well-formed pair for b.png.",
        "Joint* was not given c.png.",
    )
    other = ("Sequential* was not given b.png.",)
    assert {name: caption.lacking for name, caption in found.items()} == {
        "Figure 6": (
            "Pipeline* is missing: vqapg attention did not run for it.",
            "Sequential* is missing: it does not scale regions.",
            *none,
            *other,
        ),
        "Figure 7": none[:1],
        "Figure 8": ("No pair is shown of b.png: the evaluator rejects none.",),
    }
    table = table_7(records, StudyConditions(tmp_path, None))
    assert table.note.endswith(" ".join([*none, *other]))


def test_picture_that_is_gone_costs_its_figure_only(tmp_path):
    at = {"question": 0, "answer": 1}
    pair = [looked_pair("q ?", "a", GRID, at)]
    folder = tmp_path / "study"
    write_attention(folder, "joint_variational", {"a.png": pair, "b.png": pair})
    (folder / "pictures/a.png").unlink()
    report = write_report(folder, tmp_path / "out")
    assert report.written["Figure 7"] == ["figure7-b.png", "figure7-b.pdf"]
    part = (tmp_path / "out/report.md").read_text().partition("## Figure 7")[2]
    assert f"{folder}/pictures/a.png: no such image file; put it back" in part
    (folder / "pictures/b.png").unlink()
    report = write_report(folder, tmp_path / "out", overwrite=True)
    assert "Table 7" in report.written and "Figure 7" not in report.written
    assert "when this is mended: " in report.missing["Figure 7"]


def test_file_names_of_images_differ():
    assert _file_names(["test/images/a.png", "test images/a.jpg", "Ü.png"]) == {
        "test/images/a.png": "test-images-a",
        "test images/a.jpg": "test-images-a-2",
        "Ü.png": "image",
    }


def test_table_7_shows_four_draws_and_figure_8_a_later_one(tmp_path):
    at = {"question": 0, "answer": 0}
    draws = [looked_pair(f"is it {n} ?", "yes", GRID, at, 0.9) for n in range(5)]
    draws.append(looked_pair("is it wrong ?", "yes", GRID, at, 0.1))
    folder = tmp_path / "study"
    write_attention(folder, "joint_variational", {"a.png": draws})
    report = write_report(folder, tmp_path / "report", overwrite=True)
    with open(tmp_path / "report/table7.csv") as file:
        asked = [row["question"] for row in csv.DictReader(file)]
    assert asked == ["is it 0?", "is it 1?", "is it 2?", "is it 3?"]
    assert (tmp_path / "report/figure8-a.png").is_file() and "Figure 8" not in report.missing
