from pathlib import Path

import pytest
import yaml

from vqapg.cli.main import main
from vqapg.reports.paper import MODELS, PAPER, PUBLISHED_MILLIONS, PUBLISHED_WORDS
from vqapg.reports.parameters import SIZES, WORDS, count_parameters


def lstm(inputs, width, layers=2, directions=1):
    total = 0
    for layer in range(layers):
        total += (
            directions * 4 * width * ((inputs if layer == 0 else directions * width) + width + 2)
        )
    return total


def test_the_baseline_sequential_model_counted_by_hand():
    words, embed, regions, decoder = 8650, 300, 1024, 512
    count = (
        words * embed  # embedding
        + (2048 + 1) * embed
        + lstm(embed, regions // 2, directions=2)  # image encoder
        + lstm(embed, decoder)
        + decoder * regions  # the query
        + (decoder + regions + 1) * decoder  # [state ; attended] back to the state's width
        + (decoder + 1) * words  # output
        + (regions + 1) * 2 * 2 * decoder  # h and c of both layers from the mean region
    )
    assert count_parameters("sequential", **SIZES["published sizes"]) == count


@pytest.mark.parametrize("name", ["joint", "sequential"])
def test_two_of_the_papers_sizes_are_met_to_its_last_digit(name):
    millions = count_parameters(name, **SIZES["published sizes"]) / 1e6
    assert round(millions, 2) == PAPER["table10_parameters_millions"][name]


def values(settings):
    """{key: value} of nested settings; the innermost keys differ."""
    found = {}
    for key, value in settings.items():
        found |= values(value) if isinstance(value, dict) else {key: value}
    return found


def test_the_published_sizes_are_those_of_the_configuration():
    configs = Path(__file__).parents[2] / "configs"
    preset, size = (configs / folder / "published.yaml" for folder in ("preset", "size"))
    written = values(yaml.safe_load((preset if preset.exists() else size).read_text()))
    sizes = SIZES["published sizes"]
    assert {"hidden_size", "decoder_hidden_size", "embed_dim"} <= set(written)
    assert {key: written[key] for key in sizes if key in written} == {
        key: sizes[key] for key in sizes if key in written
    }


def test_the_published_codes_figures_are_the_papers_but_one():
    paper = PAPER["table10_parameters_millions"]
    assert list(PUBLISHED_MILLIONS) == list(paper) == list(MODELS)
    differ = [name for name in paper if abs(PUBLISHED_MILLIONS[name] - paper[name]) > 0.03]
    assert differ == ["pipeline_variational"]
    assert PUBLISHED_WORDS == WORDS


def test_a_size_that_a_model_lacks_is_left_out():
    widths = {"hidden_size": 16, "embed_dim": 8}
    plain = count_parameters("sequential", **widths)
    assert count_parameters("sequential", **widths, region_scaling=False) == plain
    scaled = count_parameters("sequential_variational", **widths, latent_dim=4)
    assert (
        count_parameters("sequential_variational", **widths, latent_dim=4, region_scaling=False)
        < scaled
    )


def test_the_counts_are_stored_and_a_report_is_made_of_them_alone(tmp_path, capsys):
    assert main(["report", "--table-10", "--output", str(tmp_path / "parameters.json")]) == 0
    printed = capsys.readouterr().out
    assert main(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report/table10.md").read_text() == printed.removesuffix("\n")
    (row,) = [line for line in printed.splitlines() if line.startswith("| Sequential ")]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "Sequential",
        "24.46",
        "24.46",
        "15.71 (-36%)",
        "24.46 (-0%)",
    ]
