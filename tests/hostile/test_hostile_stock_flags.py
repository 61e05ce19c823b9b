"""Stock flags that this plugin cannot follow are refused in one line, never ignored."""

import ast
import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from fairseq.dataclass.configs import FairseqConfig, GenerationConfig
from omegaconf import OmegaConf

from tests.support.generation_models import build, generation_options
from vqapg.errors import InputError
from vqapg.models.stock_flags import FOLLOWED, refuse_generation_flags
from vqapg.tasks.data_task import DataDirectoryTask
from vqapg.tasks.one_line_errors import Told, tell
from vqapg.tasks.vqapg import GenerationTask


def configuration(**changes):
    """fairseq's whole configuration, with ``section__field`` changed."""
    cfg = OmegaConf.create(
        OmegaConf.to_container(OmegaConf.structured(FairseqConfig()), resolve=False)
    )
    cfg.update({"bpe": None, "tokenizer": None, "scoring": {"_name": "bleu"}})
    for name, value in changes.items():
        OmegaConf.update(cfg, name.replace("__", "."), value, force_add=True)
    return cfg


@pytest.mark.parametrize(
    "changes, flag",
    [
        ({"dataset__num_shards": 2}, "--num-shards"),
        ({"dataset__shard_id": 1}, "--shard-id"),
        ({"generation__retain_dropout": True}, "--retain-dropout"),
        ({"generation__prefix_size": 2}, "--prefix-size"),
        ({"generation__constraints": "ordered"}, "--constraints"),
        ({"generation__lm_weight": 0.5}, "--lm-weight"),
        ({"generation__diverse_beam_groups": 2}, "--diverse-beam-groups"),
        ({"generation__sacrebleu": True}, "--sacrebleu"),
        ({"generation__no_repeat_ngram_size": 2}, "--no-repeat-ngram-size"),
        ({"common__bf16": True}, "--bf16"),
        ({"generation__iter_decode_max_iter": 3}, "--iter-decode-max-iter"),
        ({"generation__max_len_a": 1.0}, "--max-len-a"),
        ({"common_eval__post_process": "sentencepiece"}, "--post-process"),
        ({"bpe": {"_name": "gpt2"}}, "--bpe"),
        ({"tokenizer": {"_name": "moses"}}, "--tokenizer"),
        ({"scoring": {"_name": "wer"}}, "--scoring"),
        ({"interactive__buffer_size": 1}, "fairseq-interactive reads texts"),
    ],
)
def test_flag_that_cannot_be_followed_is_named(dictionary, features, changes, flag):
    model = build("vqapg_joint", dictionary, features)
    model.prepare_for_inference_(configuration())
    with pytest.raises(InputError, match=flag) as error:
        model.prepare_for_inference_(configuration(**changes))
    assert "\n" not in str(error.value)


def test_every_flag_of_generation_is_followed_or_refused():
    refuse_generation_flags(GenerationConfig())
    others = {bool: True, int: 3, float: 0.25, str: "x"}
    refused = set()
    for field in dataclasses.fields(GenerationConfig):
        value = others.get(type(field.default), "x")
        try:
            refuse_generation_flags(SimpleNamespace(**{field.name: value}))
        except InputError:
            refused.add(field.name)
    assert refused == {field.name for field in dataclasses.fields(GenerationConfig)} - FOLLOWED
    # What this package's own generator reads, and no more, is followed.
    assert set(vars(generation_options())) == FOLLOWED - {"_name"}


def test_max_tokens_below_one_pair_is_one_line(monkeypatch):
    task = GenerationTask.__new__(GenerationTask)
    made = []
    monkeypatch.setattr(
        "fairseq.tasks.FairseqTask.get_batch_iterator", lambda *a, **options: made.append(options)
    )
    dataset = type("Dataset", (), {"sizes": np.array([4, 9, 7]), "__len__": lambda self: 3})()
    with pytest.raises(
        InputError, match="--max-tokens 8 is less than one pair, the longest of which has 9 tokens"
    ):
        DataDirectoryTask.get_batch_iterator(task, dataset, max_tokens=8)
    for enough in (9, None):
        DataDirectoryTask.get_batch_iterator(task, dataset, max_tokens=enough, num_shards=2)
    assert [options["max_tokens"] for options in made] == [9, None]


def raised(function):
    try:
        function()
    except Exception as error:
        return error


def test_flags_that_fairseq_asserts_are_told_in_one_line():
    code = compile(
        "assert False, '--path required for generation!\\nmore'",
        "/x/fairseq_cli/generate.py",
        "exec",
    )
    assert tell(raised(lambda: exec(code, {}))) == Told("--path required for generation!", 2)
    # An assertion of another place is a fault of the program, and is shown whole.
    code = compile("assert False, 'sizes differ'", "/x/fairseq/modules/lstm.py", "exec")
    assert tell(raised(lambda: exec(code, {}))) is None


@pytest.mark.parametrize("value", ["{", "{'a': b}"])
def test_model_overrides_that_are_no_dictionary_are_told_in_one_line(value):
    told = tell(raised(lambda: ast.literal_eval(value)))
    assert told.status == 2 and "--model-overrides" in told.line and "\n" not in told.line
