import csv
import importlib.util
import json
import shutil

import pytest

from tests.support.study_folder import figure, looked_pair, metrics, write, write_attention
from vqapg.cli.main import main
from vqapg.errors import InputError
from vqapg.reports.report import write_report


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "study"
    for model, seed, stored in [
        (
            "joint",
            1,
            metrics(
                13,
                0.2,
                bleu4=figure(0.5),
                rouge_l=figure(0.6),
                bleu4_published=figure(0.4),
                rouge_l_published=figure(0.3),
                not_computed={"meteor": "needs Java"},
            ),
        ),
        ("joint_variational", 1, metrics(240, 0.75, true_consistent=figure(0.7))),
        ("joint_variational", 2, metrics(230, 0.77, true_consistent=figure(0.72))),
        ("joint_variational-no_scaling", 1, metrics(280, 0.9)),
        ("pipeline_variational", 1, metrics(111, 0.85)),
        ("pipeline_variational-qa", 1, metrics(118, 0.89)),
    ]:
        write(folder / model / f"seed-{seed}/metrics.json", stored)
    counts = {
        split: {"images": 10 * n, "pairs": 100 * n}
        for n, split in enumerate(("train", "valid", "test"), start=1)
    }
    write(folder / "data/manifest.json", {"format": 1, "dataset": "visual7w", "counts": counts})
    table3 = {"train": figure(0.9), "valid": figure(0.8), "test": figure(0.95)}
    write(
        folder / "evaluator/evaluator.json", {"table3": table3, "evaluator": {"negatives": "paper"}}
    )
    write(
        folder / "evaluator-hard/evaluator.json",
        {"table3": table3, "evaluator": {"negatives": "hard"}},
    )
    models = {
        "joint_variational": {"count": 300, "diversity": figure(0.7), "consistency": figure(0.6)},
        "Pipeline*": {"count": 310, "diversity": figure(0.8), "consistency": figure(0.5)},
        "mine": {
            "count": 5,
            "diversity": figure(0.8),
            "consistency": {"value": None, "n": 0, "ci95": None},
        },
    }
    write(
        folder / "human.json",
        {"images": 50, "models": models, "agreement": {"consistency": {"value": 0.712}}},
    )
    for task, name, value in (
        ("vqg", "baseline", 0.25),
        ("vqg", "joint_variational", 0.26),
        ("vqa", "baseline", 0.1),
    ):
        stored = {key: figure(value) for key in ("bleu4", "meteor", "rouge_l", "exact")}
        write(folder / f"downstream/{task}/{name}/seed-1/metrics.json", stored)
    pair = looked_pair(
        "is there a dog ?", "no", (2, 3), {"question": 2, "answer": 0}, consistency=0.25
    )
    write_attention(folder, "joint_variational", {"a.png": [pair]})
    return folder


def rows(path):
    """The rows of a Markdown table in a file, as lists of cells; the head first."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if set(line) != {"|", "-", " "}
    ]


def column(path, head):
    with open(path, newline="") as file:
        return [row[head] for row in csv.DictReader(file)]


def test_every_table_stands_beside_the_papers(folder, tmp_path):
    out = tmp_path / "out"
    report = write_report(folder, out)
    assert [name for name in report.written if name.startswith("Table")] == [
        f"Table {n}" for n in (2, 3, 4, 5, 6, 7, 8, 9)
    ]
    # Of a single pair there is no other that could be worse.
    assert list(report.missing) == ["Table 10", "Figure 8"]
    assert (
        report.missing["Table 10"] == f"vqapg report --table-10 --output {folder}/parameters.json"
    )

    assert rows(out / "table2.md")[1:] == [
        ["visual7w", "10", "20", "30", "100", "200", "300"],
        ["Visual7W, paper", "14.4K", "5.7K", "8.6K", "69.8K", "28.0K", "42.0K"],
    ]
    assert rows(out / "table3.md")[1:] == [
        [
            "evaluator",
            "paper",
            "90.00 [89.00, 91.00]",
            "87.2",
            "80.00 [79.00, 81.00]",
            "85.3",
            "95.00 [94.00, 96.00]",
            "89.6",
        ],
        [
            "evaluator-hard",
            "hard",
            "90.00 [89.00, 91.00]",
            "87.2",
            "80.00 [79.00, 81.00]",
            "85.3",
            "95.00 [94.00, 96.00]",
            "89.6",
        ],
    ]
    table = {row[0]: row for row in rows(out / "table4.md")}
    assert table["model"] == [
        "model",
        "seeds",
        "D (%)",
        "paper",
        "N",
        "paper",
        "P (%)",
        "paper",
        "S",
        "paper",
        "truly consistent (%)",
    ]
    # Mean of 240 and 230, from 225 to 245; the paper's 15.14 thousand
    assert table["Joint*"][1:8] == [
        "1, 2",
        "2.35 [1.30, 3.40]",
        "12.15",
        "235 [225, 245]",
        "15,140",
        "76.00 [74.00, 78.00]",
        "79.34",
    ]
    assert table["Joint"][-1] == "-" and table["Sequential"][1:6] == [
        "-",
        "-",
        "2.10",
        "-",
        "1,730",
    ]
    ablation = rows(out / "table5.md")
    assert [row[0] for row in ablation[1:]] == [
        "Pipeline*",
        "- scaling",
        "Joint*",
        "- scaling (keeps L_attn)",
        "- scaling and L_attn, as the published script",
        "- alignment",
        "Sequential*",
        "- scaling",
    ]
    assert ablation[4][4:6] == ["280 [275, 285]", "17,640"]
    assert rows(out / "table6.md")[1:] == [
        ["Joint*", "300", "355", "0.700 [0.690, 0.710]", "0.62", "0.600 [0.590, 0.610]", "0.64"],
        ["Pipeline*", "310", "365", "0.800 [0.790, 0.810]", "0.75", "0.500 [0.490, 0.510]", "0.58"],
        ["mine", "5", "-", "0.800 [0.790, 0.810]", "-", "-", "-"],
    ]
    assert "alpha of consistency: 0.71" in (out / "table6.md").read_text()
    assert rows(out / "table7.md")[1:] == [["a.png", "Joint*", "is there a dog?", "no", "0.25"]]
    # Both readings stand beside the same row of the paper.
    assert ablation[5][4:6] == ["-", "17,640"]
    assert [row[:5] for row in rows(out / "table8.md")[1:]] == [
        ["VQG", "none: gold pairs alone", "1", "unknown", "25.00 [24.00, 26.00]"],
        ["VQG", "Joint*", "1", "unknown", "26.00 [25.00, 27.00]"],
        ["VQA", "none: gold pairs alone", "1", "unknown", "10.00 [9.00, 11.00]"],
    ]
    assert [row[5] for row in rows(out / "table8.md")[1:]] == ["25.37", "25.24", "16.26"]
    overlap = {row[0]: row for row in rows(out / "table9.md")}
    assert overlap["model"][2:5] == ["BLEU-4 (%), ours", "BLEU-4 (%), published rule", "paper"]
    assert overlap["Joint"] == [
        "Joint",
        "1",
        "50.00 [49.00, 51.00]",
        "40.00 [39.00, 41.00]",
        "19.83",
        "-",
        "-",
        "21.44",
        "60.00 [59.00, 61.00]",
        "30.00 [29.00, 31.00]",
        "55.34",
    ]
    assert "Not computed: meteor needs Java." in (out / "table9.md").read_text()


def test_csv_holds_the_numbers_and_latex_the_same_rows(folder, tmp_path):
    out = tmp_path / "out"
    write_report(folder, out)
    assert [float(x) for x in column(out / "table4.csv", "N") if x] == [111, 13, 235]
    assert column(out / "table4.csv", "N paper Visual7W")[3] == "15140.0"
    assert column(out / "table2.csv", "images, train") == ["10", "14400"]
    tex = (out / "table4.tex").read_text()
    assert (
        r"Joint* & 1, 2 & 2.35 [1.30, 3.40] & 12.15 & 235 [225, 245] &" in tex and r"D (\%)" in tex
    )


def test_of_another_data_set_both_of_the_papers_stand_beside(folder, tmp_path):
    manifest = json.loads((folder / "data/manifest.json").read_text()) | {"dataset": "easy-vqa"}
    write(folder / "data/manifest.json", manifest)
    write_report(folder, tmp_path / "out")
    assert {row[0]: row for row in rows(tmp_path / "out/table4.md")}["Joint*"][3] == "11.47 / 12.15"
    assert [row[0] for row in rows(tmp_path / "out/table2.md")[1:]] == [
        "easy-vqa",
        "VQA2.0, paper",
        "Visual7W, paper",
    ]


def test_the_index_holds_tables_figures_and_what_is_missing(folder, tmp_path):
    out = tmp_path / "out"
    report = write_report(folder, out)
    text = (out / "report.md").read_text()
    assert all((out / name).read_text() in text for name in ("table2.md", "table9.md"))
    assert "![figure5.png](figure5.png)" in text and "![figure7-a.png](figure7-a.png)" in text
    assert "- Table 10: `vqapg report --table-10" in text
    assert {path.name for path in out.iterdir()} == {
        ".vqapg.json",
        "report.md",
        *(name for names in report.written.values() for name in names),
    }
    for name in ("figure5.png", "figure6-a.png", "figure7-a.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")
        assert (out / name).with_suffix(".pdf").read_bytes().startswith(b"%PDF")


def test_what_an_earlier_report_wrote_does_not_stay_and_what_is_mine_does(folder, tmp_path):
    out = tmp_path / "out"
    write_report(folder, out)
    (out / "mine.txt").touch()
    with pytest.raises(InputError, match="out: holds mine.txt, which vqapg did not write"):
        write_report(folder, out, overwrite=True)
    assert (out / "mine.txt").exists() and (out / "report.md").exists()
    (out / "mine.txt").unlink()
    (folder / "human.json").unlink()
    shutil.rmtree(folder / "pipeline_variational-qa")
    with pytest.raises(
        InputError, match="out: is there already; give another name, or --overwrite"
    ):
        write_report(folder, out)
    report = write_report(folder, out, overwrite=True)
    assert {"Table 6", "Figure 5"} <= set(report.missing)
    assert not list(out.glob("table6.*")) and not list(out.glob("figure5.*"))


def test_without_matplotlib_there_are_tables_and_the_cure(folder, tmp_path, monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name: None if name == "matplotlib" else find_spec(name),
    )
    report = write_report(folder, tmp_path / "out")
    assert (
        "Table 4" in report.written and report.missing["Figure 5"] == 'pip install "vqapg[report]"'
    )


def test_the_command_says_what_it_wrote_and_what_is_missing(folder, capsys):
    assert main(["report", str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "Table 4: table4.md, table4.tex, table4.csv" in printed
    assert (
        f"Table 10 is missing; make it with: vqapg report --table-10 --output "
        f"{folder}/parameters.json" in printed
    )
    assert printed[-1] == f"All in one: {folder}/report/report.md"


@pytest.mark.parametrize(
    "file, stored, message",
    [
        ("data/manifest.json", {"format": 1, "dataset": "jsonl"}, "counts no images and pairs"),
        (
            "evaluator/evaluator.json",
            {},
            "evaluator.json: has no table3; make it again with vqapg check-evaluator",
        ),
        (
            "evaluator/evaluator.json",
            {"table3": {"train": figure(1), "valid": figure(1)}},
            "test is no figure",
        ),
        ("human.json", [], "human.json: holds no figures; make it again with vqapg annotate score"),
        ("human.json", {"models": {"a": 3}}, "has no models"),
        (
            "human.json",
            {"models": {"a": {"count": 3, "diversity": figure(1)}}},
            "consistency is no figure",
        ),
        (
            "downstream/vqg/baseline/seed-1/metrics.json",
            {"bleu4": 3},
            "bleu4 is no figure with an interval; make it again with vqapg overlap",
        ),
        (
            "parameters.json",
            {"words": 3, "channels": 4, "parameters": {"small": {"joint": 3}}},
            "has no count for pipeline",
        ),
        ("parameters.json", {"parameters": {}}, "has no number of words"),
        (
            "joint_variational/seed-1/attention.json",
            {"grid": [2, 3]},
            "holds no region weights and attentions",
        ),
        (
            "joint_variational/seed-1/attention.json",
            {
                "grid": [2, 2],
                "images": [
                    {
                        "image": "a",
                        "path": "b",
                        "pairs": [looked_pair("q", "a", (2, 3), {"question": 1, "answer": 2})],
                    }
                ],
            },
            "cannot reshape",
        ),
        ("joint/seed-1/metrics.json", "not read", "cannot be read as JSON|holds no figures"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named_with_its_cure(
    folder, tmp_path, capsys, file, stored, message
):
    write(folder / file, stored)
    with pytest.raises(InputError, match=message):
        write_report(folder, tmp_path / "out")
    assert main(["report", str(folder), "--output", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_none_or_holds_nothing_is_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path / "none")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert main(["report", str(tmp_path)]) == 2
    assert (
        "holds nothing to report" in capsys.readouterr().err and not (tmp_path / "report").exists()
    )
    (tmp_path / "file").touch()
    assert main(["report", str(tmp_path), "--output", str(tmp_path / "file")]) == 2
    assert "is a file; give the name of a folder" in capsys.readouterr().err


def test_right_pairs_stand_beside_n_where_they_are_known(folder, tmp_path):
    for seed, count in ((1, 150), (2, 160)):
        path = folder / f"joint_variational/seed-{seed}/metrics.json"
        stored = json.loads(path.read_text())
        path.write_text(json.dumps(stored | {"right_pairs": figure(count, 5)}))
    write_report(folder, tmp_path / "out")
    for table in ("table4", "table5"):
        head, *body = rows(tmp_path / f"out/{table}.md")
        place = head.index("N")
        assert head[place : place + 3] == ["N", "paper", "R"], head
        [found] = [row for row in body if row[0] == "Joint*"]
        assert found[place + 2] == "155 [145, 165]"
    # Not in a study of data whose truth nobody knows
    assert "R" not in rows(tmp_path / "out/table9.md")[0]


def test_report_without_known_truth_has_no_right_pairs(folder, tmp_path):
    write_report(folder, tmp_path / "out")
    assert "R" not in rows(tmp_path / "out/table4.md")[0]
