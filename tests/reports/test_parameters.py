from pathlib import Path

import pytest

from vqapg.cli.main import main
from vqapg.reports.paper import PAPER
from vqapg.reports.parameters import SIZES, count_parameters


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
    assert count_parameters("sequential", **SIZES["published"]) == count


@pytest.mark.parametrize("name", ["joint", "sequential"])
def test_two_of_the_papers_sizes_are_met_to_its_last_digit(name):
    millions = count_parameters(name, **SIZES["published"]) / 1e6
    assert round(millions, 2) == PAPER["table10_parameters_millions"][name]


def test_the_published_sizes_are_those_of_the_configuration():
    text = (Path(__file__).parents[2] / "configs/size/published.yaml").read_text()
    written = dict(
        line.split("#")[0].split(":") for line in text.splitlines() if line.startswith("  ")
    )
    sizes = {name.strip(): int(value) for name, value in written.items()}
    assert sizes == SIZES["published"] | {"embed_dim": 300}


def test_the_counts_are_stored_and_a_report_is_made_of_them_alone(tmp_path, capsys):
    assert main(["report", "--table-10", "--output", str(tmp_path / "parameters.json")]) == 0
    printed = capsys.readouterr().out
    assert main(["report", str(tmp_path)]) == 0
    assert (tmp_path / "report/table10.md").read_text() == printed.removesuffix("\n")
    (row,) = [line for line in printed.splitlines() if line.startswith("| Sequential ")]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "Sequential",
        "24.46",
        "15.71 (-36%)",
        "24.46 (-0%)",
    ]
