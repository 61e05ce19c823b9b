"""Typographic text: the same tokens, and so the same figures, as its plain spelling."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.handwritten_data import write_data
from vqapg.data.directory import DataDirectory
from vqapg.data.directory_writer import write_directory
from vqapg.data.prepare import prepare
from vqapg.data.question_type import question_type
from vqapg.data.tokenizer import detokenize, plain_spelling, tokenize
from vqapg.datasets import Record, SourceData
from vqapg.evaluation.generated import read_generated
from vqapg.evaluation.human import normalise_label
from vqapg.evaluation.metrics import compute_metrics

PLAIN_AND_TYPOGRAPHIC = [
    ("what's on the man's head?", "What’s on the man’s head?"),
    ("isn't it?", "isn´t it?"),
    ("isn't it?", "isn`t it?"),
    ("isn't it?", "isnʼt it?"),
    ('"stop"', "“stop”"),
    ('"stop"', "„stop“"),
    ('"stop"', "«stop»"),
    ('"stop"', "＂stop＂"),
    ("'stop'", "‘stop’"),
    ("'stop'", "‚stop‛"),
    ("'stop'", "‹stop›"),
    ("wait...", "wait…"),
    ("red--or blue", "red—or blue"),
    ("red--or blue", "red―or blue"),
    ("9-5", "9–5"),
    ("9-5", "9‒5"),
    ("-5", "−5"),
    ("t-shirt", "t‑shirt"),
    ("6' 2\"", "6′ 2″"),
    ("10 cm", "10\u00a0cm"),
    ("10 cm", "10\u202fcm"),
    ("skateboard", "skate\u00adboard"),
    ("left to right", "\u200eleft to right\u200f"),
    ("what?", "ｗｈａｔ？"),
    ("what?", "ＷＨＡＴ？"),
    ("fish on the floor", "ﬁsh on the ﬂoor"),
    ("a café", unicodedata.normalize("NFD", "a café")),
    ("ÉCOLE", unicodedata.normalize("NFD", "école")),
    ("10:30", "10：30"),
    ("$5.00", "＄5.00"),
]


@pytest.mark.parametrize(("plain", "typographic"), PLAIN_AND_TYPOGRAPHIC)
def test_typographic_text_has_the_tokens_of_its_plain_spelling(plain, typographic):
    assert tokenize(typographic) == tokenize(plain)


# Beside coco-caption's PTBTokenizer, worked out by hand from the Treebank's rules.
@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("'stop'", "` stop '"),
        ("the sign 'says 'no' twice'", "the sign ` says ` no ' twice '"),
        ("a 'to-go' cup?", "a ` to-go ' cup ?"),
        ("('stop')", "( ` stop ' )"),
        ("the '90s", "the '90s"),
        ("give 'em that", "give 'em that"),
        ("the dogs' bowl", "the dogs ' bowl"),
        ("10 a.m.", "10 a.m."),
        ("at 10 a.m. or p.m.?", "at 10 a.m. or p.m. ?"),
        ("(a.m.)", "( a.m. )"),
        ("the U.S.", "the u.s."),
        ("in a TV.", "in a tv ."),
        ("10:30 and 10.30.", "10:30 and 10.30 ."),
        ("$5.00.", "$ 5.00 ."),
        ("I can't, cannot and gonna", "i ca n't , can not and gon na"),
        ("what's a dog's?", "what 's a dog 's ?"),
        ("so... -- no", "so ... -- no"),
    ],
)
def test_tokens_are_those_of_the_treebank(text, tokens):
    assert tokenize(text) == tokens.split()
    assert tokenize(detokenize(tokens.split())) == tokens.split()


@given(st.text())
def test_the_plain_spelling_is_its_own_and_is_composed(text):
    plain = plain_spelling(text)
    assert plain_spelling(plain) == plain
    for token in tokenize(text):
        assert unicodedata.is_normalized("NFC", token)
        assert not set(token) & set("‘’‚‛‹›“”„‟«»–—…\u00ad")


def test_fractions_and_powers_stay_what_they_are():
    # NFKC would make 21/2 and m2 of them.
    assert tokenize("2½ m²") == ["2½", "m²"]


def test_labels_and_question_types_are_equal_in_both_spellings():
    assert question_type("What’s on it?") == question_type("What's on it?") == "what's on"
    assert normalise_label("The man’s “hat”") == normalise_label('the man\'s "hat"')


def test_figures_are_those_of_the_plain_spelling(tmp_path, monkeypatch):
    monkeypatch.setattr("vqapg.evaluation.overlap.find_java", lambda: None)
    gold = [
        ("a.png", "what 's on the man 's head ?", "it 's a hat"),
        ("b.png", "what does it say ?", "`` stop ''"),
        ("b.png", "what is it ?", "a café"),
    ]
    data = DataDirectory(write_data(tmp_path / "DATA", gold))
    spelled = {
        "plain": [("What's on the man's head?", "it's a hat"), ("What does it say?", '"stop"')],
        "typographic": [
            ("What’s on the man’s head?", "it’s a hat"),
            ("What does it say?", "“stop”"),
        ],
    }
    found = {}
    for name, pairs in spelled.items():
        path = tmp_path / f"{name}.jsonl"
        rows = [(image, *pair) for image, pair in zip("ab", pairs)]
        rows += [
            ("b", "what is it?", unicodedata.normalize(form, "a café")) for form in ("NFC", "NFD")
        ]
        lines = ({"image": f"{image}.png", "question": q, "answer": a} for image, q, a in rows)
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        found[name] = compute_metrics(
            read_generated(path, data), gold=data.pairs("test"), resamples=5
        )
    assert found["typographic"] == found["plain"]
    # All gold pairs of both images are found, word for word; the accent in two forms is one pair.
    assert found["plain"]["gold_recall"]["value"] == 1
    assert found["plain"]["bleu4"]["value"] == pytest.approx(1, abs=1e-6)
    assert found["plain"]["unique_pairs"]["value"] == 3


def _source(path, answer="yes"):
    records = [
        Record(f"{split}.jpg", "is it?", answer, split) for split in ("train", "valid", "test")
    ]
    path.touch()
    return SourceData(path, path.parent, records, [path])


def test_scripts_without_spaces_are_counted(tmp_path, capsys):
    write_directory(
        tmp_path / "english", _source(tmp_path / "a", "a café"), dataset="jsonl", options={}
    )
    assert capsys.readouterr().err == ""
    for number, answer in enumerate(["一只猫", "แมว", "ねこです", "カメラ"]):
        write_directory(
            tmp_path / str(number), _source(tmp_path / "b", answer), dataset="jsonl", options={}
        )
        (line,) = capsys.readouterr().err.splitlines()
        assert "b: 3 of 3 pairs are in a script without spaces" in line


def test_a_directory_of_an_earlier_tokenizer_is_said(tmp_path, capsys, monkeypatch):
    source = tmp_path / "pairs.jsonl"
    rows = (
        {"image": f"{s}.jpg", "question": "is it?", "answer": "yes", "split": s}
        for s in ("train", "valid", "test")
    )
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for split in ("train", "valid", "test"):
        (tmp_path / f"{split}.jpg").touch()
    assert prepare("jsonl", source, tmp_path / "DATA", {}).manifest["tokenizer"] == 2
    prepare("jsonl", source, tmp_path / "DATA", {})
    read_generated(_line(tmp_path), DataDirectory(tmp_path / "DATA"))
    assert capsys.readouterr().err == ""
    manifest = json.loads((tmp_path / "DATA/manifest.json").read_text())
    del manifest["tokenizer"]
    (tmp_path / "DATA/manifest.json").write_text(json.dumps(manifest))
    assert prepare("jsonl", source, tmp_path / "DATA", {}).done_before
    assert "was made with tokenizer 1, this vqapg has 2" in capsys.readouterr().err
    read_generated(_line(tmp_path), DataDirectory(tmp_path / "DATA"))
    assert "was made with another tokenizer" in capsys.readouterr().err


def _line(folder):
    path = folder / "generated.jsonl"
    path.write_text('{"image": "test.jpg", "question": "is it?", "answer": "no"}')
    return path
