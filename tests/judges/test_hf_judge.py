"""`--judge hf:`: its cache, its options, what it is told of pictures, and what it refuses."""

import builtins
import json
import shutil

import numpy as np
import pytest
from huggingface_hub.utils import filter_repo_objects
from PIL import Image

import vqapg
from tests.support import tiny_vlms
from tests.support.handwritten_data import write_data
from vqapg.cli.main import main
from vqapg.data.directory import DataDirectory
from vqapg.errors import InputError
from vqapg.judges.context import JudgeContext
from vqapg.judges.hf import HFJudge, picture_digest, triple_key
from vqapg.judges.judge import Triple, make_judge, score_triples

TRIPLES = [
    ("a.png", "what color is the shape ?", "red"),
    ("b.png", "is there a circle ?", "yes"),
    ("a.png", "is it red ?", "the blue circle"),
    ("c.png", "is there a circle ?", "no"),
    ("b.png", "what color is the circle in the image ?", "red or blue"),
]
PICTURES = dict(zip(("a.png", "b.png", "c.png"), tiny_vlms.pictures(), strict=True))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return {
        "blip": tiny_vlms.save_blip(folder / "blip"),
        "vilt": tiny_vlms.save_vilt(folder / "vilt"),
        "llava": tiny_vlms.save_llava(folder / "llava"),
    }


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Each test has a cache of its own, and no network."""
    monkeypatch.setenv("VQAPG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    return tmp_path / "cache"


def offline(*names, **options):
    raise ConnectionError("no network\nand a second line")


def context(pictures=PICTURES):
    return JudgeContext(open_picture=pictures.__getitem__)


class CountedScorer:
    """What it wraps, and the triples that it was asked about."""

    def __init__(self, scorer, most=None):
        self.scorer, self.most, self.asked = scorer, most, []

    def score(self, pictures, asked):
        if self.most is not None and len(self.asked) >= self.most:
            raise KeyboardInterrupt
        self.asked += asked
        return self.scorer.score(pictures, asked)


def counted(spec, most=None, pictures=PICTURES):
    judge = HFJudge(spec, context(pictures))
    judge.scorer = CountedScorer(judge.scorer, most)
    return judge


@pytest.mark.parametrize("kind", ["blip", "vilt", "llava"])
def test_second_run_gives_the_same_and_loads_no_model(models, kind, monkeypatch):
    first = counted(f"{models[kind]}?batch=2")
    scores = score_triples(first, TRIPLES)
    assert len(first.scorer.asked) == 5 and (np.isnan(scores).any() == (kind == "vilt"))
    monkeypatch.setattr("vqapg.judges.hf.load_scorer", lambda *given: pytest.fail("was loaded"))
    again = HFJudge(str(models[kind]), context())
    np.testing.assert_array_equal(score_triples(again, TRIPLES[::-1]), scores[::-1])


def test_batches_change_no_score(models, monkeypatch, tmp_path):
    alone = score_triples(counted(f"{models['blip']}?batch=1"), TRIPLES)
    monkeypatch.setenv("VQAPG_CACHE", str(tmp_path / "other"))
    np.testing.assert_allclose(score_triples(counted(str(models["blip"])), TRIPLES), alone, 1e-4)


def test_a_killed_run_goes_on_where_it_stopped(models):
    spec = f"{models['llava']}?batch=2"
    killed = counted(spec, most=2)
    with pytest.raises(KeyboardInterrupt):
        score_triples(killed, TRIPLES)
    rest = counted(spec)
    scores = score_triples(rest, TRIPLES)
    assert len(killed.scorer.asked) == 2 and len(rest.scorer.asked) == 3
    assert not set(killed.scorer.asked) & set(rest.scorer.asked)
    assert len(set(scores)) == 5 and ((scores > 0) & (scores < 1)).all()


def test_cache_goes_by_the_picture_not_its_name(models):
    spec = str(models["llava"])
    scores = score_triples(counted(spec), TRIPLES[:1])
    renamed = counted(spec, pictures={"z.png": PICTURES["a.png"]})
    np.testing.assert_array_equal(score_triples(renamed, [("z.png", *TRIPLES[0][1:])]), scores)
    replaced = counted(spec, pictures={"a.png": PICTURES["b.png"]})
    assert score_triples(replaced, TRIPLES[:1]) != scores
    assert len(renamed.scorer.asked) == 0 and len(replaced.scorer.asked) == 1


def test_digest_tells_pictures_and_texts_apart():
    wide, high = Image.new("RGB", (4, 2)), Image.new("RGB", (2, 4))
    assert picture_digest(wide) != picture_digest(high)
    assert picture_digest(wide) == picture_digest(Image.new("L", (4, 2)))
    assert triple_key(b"a", "is it ?", "so") != triple_key(b"a", "is it", "? so")


def test_name_changes_with_whatever_changes_scores(models, tmp_path):
    other = shutil.copytree(models["blip"], tmp_path / "other")
    moved = HFJudge(str(other), context())
    template = json.loads((other / "processor_config.json").read_text())
    template["image_processor"]["image_mean"] = [0, 0, 0]
    (other / "processor_config.json").write_text(json.dumps(template))
    specs = ["", "?score=yes", "?dtype=bfloat16"]
    judges = [HFJudge(f"{models['blip']}{options}", context()) for options in specs]
    names = {judge.name for judge in [*judges, HFJudge(str(other), context())]}
    assert len(names) == 4 and moved.name == judges[0].name
    assert HFJudge(f"{models['blip']}?batch=3&score=answer", context()).name == judges[0].name
    identity = judges[1].identity
    assert identity["prompt"] == "{question} is {answer} the right answer?"
    assert identity["model"] == str(models["blip"]) and identity["kind"] == "VQA generator"


def test_chat_model_is_asked_for_yes_unless_told(models):
    assert HFJudge(str(models["llava"]), context()).ask == "yes"
    assert HFJudge(f"{models['llava']}?score=answer", context()).ask == "answer"
    assert HFJudge(str(models["vilt"]), context()).ask == "answer"


def test_score_and_check_see_pictures_of_a_data_directory(models, tmp_path):
    data = write_data(tmp_path / "DATA", TRIPLES)
    manifest = json.loads((data / "manifest.json").read_text())
    manifest["image_root"] = str(tmp_path)
    (data / "manifest.json").write_text(json.dumps(manifest))
    for name, picture in {**PICTURES, "train.png": PICTURES["a.png"]}.items():
        picture.save(tmp_path / name)
    PICTURES["a.png"].save(tmp_path / "valid.png")
    spec = f"hf:{models['blip']}"
    scores = vqapg.score(data, TRIPLES, judge=spec)
    np.testing.assert_array_equal(scores, score_triples(make_judge(spec, context()), TRIPLES))
    assert len(set(scores)) == 5
    # The same pictures in the other way.
    given = JudgeContext(DataDirectory(data), "test")
    np.testing.assert_array_equal(score_triples(make_judge(spec, given), TRIPLES), scores)
    arguments = ["check-evaluator", str(data), "--judge", spec, "--output", f"{tmp_path}/c.json"]
    assert main(arguments) == 0
    assert json.loads((tmp_path / "c.json").read_text())["judge"]["judge"] == "hf"


def test_question_is_asked_as_people_write_it(models):
    judge = counted(str(models["blip"]))
    judge.score([Triple("a.png", "what 's this ?", "it ca n't")])
    assert judge.scorer.asked[0][1:] == ("what's this?", "it can't")


@pytest.mark.parametrize(
    "spec, message",
    [
        ("", "--judge hf: names no model; give hf:NAME_OR_PATH"),
        ("?score=yes", "--judge hf: names no model"),
        ("{blip}?scores=yes", "has no option 'scores'; its options are score, dtype, batch"),
        ("{blip}?score=maybe", "score=maybe is not possible; give answer or yes"),
        ("{blip}?batch=0", "batch=0 is not possible; give 1 or more"),
        ("{blip}?batch=2&batch=3", "batch is given twice"),
        ("{blip}?revision=main", "a folder has no revision"),
        ("./nowhere/model", "--judge hf:./nowhere/model: there is no such folder"),
        ("some/model", "hub does not give it (no network); see to the name and the network"),
    ],
)
def test_a_spec_that_names_no_model_is_one_line(models, spec, message):
    with pytest.raises(InputError) as error:
        HFJudge(spec.format(**models), context())
    assert message in str(error.value) and "\n" not in str(error.value)


def test_hub_is_asked_for_safe_files_only(models, monkeypatch):
    asked = []

    def download(name, **options):
        asked.append((name, options))
        return str(models["blip"])

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    judge = HFJudge("some/model?revision=v2", context())
    ((name, options),) = asked
    assert (name, options["revision"]) == ("some/model", "v2")
    offered = "config.json model.safetensors vocab.txt chat_template.jinja".split()
    others = "pytorch_model.bin run.py onnx/config.json tf/model.safetensors README.md".split()
    chosen = {name: options[name] for name in ("allow_patterns", "ignore_patterns")}
    assert list(filter_repo_objects([*offered, *others], **chosen)) == offered
    assert judge.identity["model"] == "some/model"


def test_without_transformers_one_line_says_what_to_install(models, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "transformers":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"not installed; pip install 'vqapg\[hf\]'$"):
        HFJudge(str(models["blip"]), context())


def edit_config(folder, **entries):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | entries))


def rename_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_weights(folder):
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-100])


@pytest.mark.parametrize(
    "kind, damage, message",
    [
        ("blip", rename_weights, "has no weights in safetensors"),
        ("blip", lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        ("blip", lambda folder: (folder / "config.json").write_text("[]"), "names no model_type"),
        ("blip", lambda folder: edit_config(folder, model_type="bert"), "answers no questions"),
        ("blip", cut_weights, "cannot be loaded"),
        ("blip", lambda folder: edit_config(folder, model_type="vilt"), "cannot be loaded|lacks"),
        (
            "llava",
            lambda folder: (folder / "chat_template.jinja").unlink(),
            "has no chat template, so nobody knows how to ask it",
        ),
    ],
)
def test_a_damaged_model_is_one_line(models, tmp_path, kind, damage, message):
    folder = shutil.copytree(models[kind], tmp_path / "model")
    damage(folder)
    with pytest.raises(InputError, match=message) as error:
        score_triples(HFJudge(str(folder), context()), TRIPLES)
    assert "\n" not in str(error.value)


def test_weights_that_are_missing_are_not_made_up(models, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(models["vilt"], tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="is no VQA classifier: it lacks 6 weights, such as class"):
        score_triples(HFJudge(str(folder), context()), TRIPLES)


def test_code_of_the_models_maker_never_runs(models, tmp_path):
    folder = shutil.copytree(models["blip"], tmp_path / "model")
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: pass\n")
    auto = {"AutoConfig": "evil.Model", "AutoProcessor": "evil.Model"}
    edit_config(folder, auto_map=auto)
    processor = json.loads((folder / "processor_config.json").read_text())
    (folder / "processor_config.json").write_text(json.dumps(processor | {"auto_map": auto}))
    try:
        score_triples(HFJudge(str(folder), context()), TRIPLES)
    except InputError as error:
        assert "\n" not in str(error)
    assert not (tmp_path / "ran").exists()
