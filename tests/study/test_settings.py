"""The presets, value by value, and the flags that they become."""

import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
from fairseq import options, utils
from fairseq.dataclass.initialize import hydra_init
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.version import VersionBase
from omegaconf import OmegaConf

from tests.support.fairseq_commands import REPOSITORY
from tests.support.world import vqapg
from vqapg.cli.main import main
from vqapg.errors import InputError
from vqapg.study.settings import (
    compose,
    data_sets,
    flags,
    generate_command,
    models,
    presets,
    quoted,
    train_command,
)

GENERATION_MODELS = [model for model in models() if model != "consistency"]
VARIATIONAL = [model for model in models() if model.endswith("_variational")]


def parsed(words):
    """What fairseq-train makes of its command line."""
    utils.import_user_module(SimpleNamespace(user_dir=str(REPOSITORY / "vqapg")))
    parser = options.get_training_parser()
    return convert_namespace_to_omegaconf(options.parse_args_and_arch(parser, words))


# Section 5.3, sentence by sentence. The last column says what the flag is called.
SECTION_5_3 = [
    ("all the representations and latent variables are 512", "--hidden-size", "512"),
    ("all the representations and latent variables are 512", "--latent-dim", "512"),
    ("dropout all models with a ratio of 0.1", "--dropout", "0.1"),
    ("free-bits of 5 to the KL term in the ELBO", "--kl-free-bits", "5.0"),
    ("free-bits of 5 to the KL term in the ELBO", "--free-bits-mode", "paper"),
    ("free-bits of 0.03 ... attention alignment", "--attention-alignment-free-bits", "0.03"),
    ("the weight lambda of L_attn to 0.5", "--attention-alignment-weight", "0.5"),
    ("all the model 40 epochs", "--max-epoch", "40"),
    ("batch size 256 on two Nvidia Titan RTXs", "--global-batch-size", "256"),
    ("updated by Adam optimizer", "--optimizer", "adam"),
    ("initial learning rate 1e-3", "--lr", "0.001"),
    ("decays with a ratio of 0.5", "--lr-shrink", "0.5"),
    ("not improved for five consecutive epochs", "--lr-scheduler", "reduce_lr_on_plateau"),
    ("not improved for five consecutive epochs", "--lr-patience", "4"),
]


@pytest.mark.parametrize("model", VARIATIONAL)
@pytest.mark.parametrize("sentence, flag, value", SECTION_5_3)
def test_preset_paper_is_section_5_3(model, sentence, flag, value):
    words = train_command(compose(model), "DATA", "SAVE")
    assert words[words.index(flag) + 1] == value, sentence


def test_preset_paper_takes_from_the_text_what_the_code_has_otherwise():
    settings = compose("joint_variational")
    assert settings.criterion.reconstruction == "sum"
    assert settings.criterion.attention_alignment_direction == "question-answer"
    assert settings.model.region_scaling and settings.model.region_scaling_factor == 0
    assert settings.model.region_scaling_map == "mlp" and not settings.model.scaled_start
    assert settings.vqapg.features == {"backbone": "resnet50", "image_size": 299}
    assert settings.vqapg.glove == 300 and settings.vqapg.training.weights == "best"
    assert settings.checkpoint.best_checkpoint_metric == "elbo"
    assert compose("consistency").task.negatives == "paper"


def test_table_8_of_preset_paper_is_section_6_6():
    table_8 = compose("vqa").vqapg.table_8
    assert table_8.pairs == 5 and table_8.passes == 5 and table_8.pretraining == []
    tuned = compose("vqa", overrides=list(table_8.fine_tuning))
    assert tuned.optimization.max_epoch == 20 and list(tuned.optimization.lr) == [3e-4]


# docs/fidelity.md, the column of the published code
PUBLISHED = {
    "criterion.reconstruction": "token-mean",
    "criterion.attention_alignment_direction": "answer-question",
    "criterion.free_bits_mode": "paper",
    "model.region_scaling_factor": 100,
    "model.region_scaling_map": "linear",
    "model.scaled_start": False,
    "model.separate_text_encoders": True,
    "model.dropout": 0.5,
    "model.hidden_size": 1024,
    "model.decoder_hidden_size": 512,
    "lr_scheduler.lr_patience": 5,
    "checkpoint.best_checkpoint_metric": "nll_prior",
    "checkpoint.maximize_best_checkpoint_metric": False,
    "optimization.clip_norm": 5.0,
    "task.global_batch_size": 256,
    "generation.beam": 10,
    "generation.max_len_b": 100,
    "vqapg.training.weights": "last",
}


@pytest.mark.parametrize("key, value", PUBLISHED.items())
def test_preset_published_is_the_authors_code(key, value):
    assert OmegaConf.select(compose("joint_variational", "published"), key) == value


@pytest.mark.parametrize("data_set, nats", [("vqa2", 6.0), ("visual7w", 5.0), (None, 5.0)])
def test_published_free_bits_are_the_data_sets(data_set, nats):
    settings = compose("joint_variational", "published", data_set)
    assert settings.criterion.kl_free_bits == nats
    assert compose("joint_variational", "paper", data_set).criterion.kl_free_bits == 5.0


def test_published_evaluator_trains_as_in_the_code():
    evaluator = compose("consistency", "published")
    assert evaluator.optimization.max_epoch == 60 and evaluator.task.global_batch_size == 64
    assert evaluator.task.negatives == "published" and evaluator.model.dropout == 0.5
    assert evaluator.vqapg.training.weights == "best"


@pytest.mark.parametrize("model", models())
@pytest.mark.parametrize("preset", presets())
def test_flags_are_read_by_fairseq_as_the_settings_say(model, preset):
    settings = compose(model, preset)
    cfg = parsed(train_command(settings, "DATA", "SAVE", gpus=2)[1:])
    for section in ("common", "task", "model", "criterion", "dataset", "optimization"):
        for key in settings[section]:
            if key != "_name" and not OmegaConf.is_missing(settings[section], key):
                assert str(cfg[section][key]) == str(settings[section][key]), (section, key)
    for section in ("optimizer", "lr_scheduler", "checkpoint"):
        for key, value in settings[section].items():
            found = cfg[section][key]
            assert str(getattr(found, "value", found)) == str(value), (section, key)
    assert cfg.distributed_training.distributed_world_size == 2


@pytest.mark.parametrize("preset", presets())
def test_every_preset_says_what_it_is(preset):
    settings = compose("joint_variational", preset)
    assert settings.vqapg.preset == preset and settings.vqapg.about
    comments = (REPOSITORY / f"configs/preset/{preset}.yaml").read_text()
    assert comments.startswith("# @package _global_\n# ")


def test_every_value_of_preset_paper_says_where_it_is_from():
    lines = (REPOSITORY / "configs/preset/paper.yaml").read_text().splitlines()
    values = [line for line in lines if line.strip() and not line.strip().startswith("#")]
    silent = [line for line in values if not line.rstrip().endswith(":") and "#" not in line]
    # What names the preset, and the two that go with the line above them.
    assert [line.strip().partition(":")[0] for line in silent] == [
        "preset",
        "about",
        "maximize_best_checkpoint_metric",
    ]


def test_no_script_holds_a_number_of_a_training():
    for script in (REPOSITORY / "scripts").glob("*.sh"):
        text = script.read_text()
        for flag in ("--lr ", "--hidden-size", "--max-update", "--batch-size 2", "--clip-norm"):
            assert flag not in "\n".join(
                line for line in text.splitlines() if not line.startswith("#")
            ), script


@pytest.mark.parametrize("data_set", data_sets())
def test_data_sets_add_nothing_of_a_model(data_set):
    with_it, without = (compose("joint_variational", "small", name) for name in (data_set, None))
    assert with_it.model == without.model and with_it.optimization == without.optimization
    assert with_it.vqapg.data.name.replace("-", "_") == data_set


def test_recommended_is_small_without_scaling():
    small, recommended = (compose("joint_variational", name) for name in ("small", "recommended"))
    assert small.model.region_scaling and not recommended.model.region_scaling
    recommended.model.region_scaling = True
    for section in ("model", "criterion", "optimization", "lr_scheduler", "task"):
        assert small[section] == recommended[section]


def test_generation_at_a_preset_and_for_table_8():
    settings = compose("joint_variational", "small")
    words = generate_command(settings, "DATA", "CKPT", seed=3)
    assert words[words.index("--beam") + 1] == "10" and words[words.index("--seed") + 1] == "3"
    assert "--cpu" in words and "--sampling" not in words
    words = generate_command(settings, "DATA", "CKPT", "train", gpus=1, pretraining=True)
    assert {"--sampling", "--sampling-topk", "--nbest"} <= set(words) and "--cpu" not in words


@pytest.mark.parametrize("preset", ["paper", "published"])
@pytest.mark.parametrize("model", models())
def test_embeddings_start_from_glove_of_the_data(model, preset):
    """Section 5.3: "The word embedding is initialized using Glove"."""
    data = "data/it's"
    words = train_command(compose(model, preset), data, "SAVE")
    assert words[words.index("--embed-path") + 1] == f"{data}/glove.300d.txt"
    words = train_command(compose(model, preset), "DATA", "SAVE", embed_path="other.txt")
    assert words.count("--embed-path") == 1 and "other.txt" in words
    settings = compose(model, preset, overrides=[f"task.data={quoted(data)}"])
    assert settings.model.embed_path == f"{data}/glove.300d.txt"
    assert "--data" not in flags(settings)


def test_small_presets_start_from_no_vectors():
    for preset in ("small", "recommended"):
        assert compose("joint", preset).model.embed_path == ""


def test_word_vectors_of_the_users_own_are_taken():
    settings = compose("joint", overrides=["model.embed_path=mine.txt"])
    assert settings.model.embed_path == "mine.txt"


def test_settings_are_the_same_once_fairseq_runs():
    before = compose("joint")
    hydra_init("joint")  # as fairseq-hydra-train tells hydra of all of fairseq's defaults
    try:
        assert compose("joint") == before
    finally:
        del ConfigStore.instance().repo["joint.yaml"]


def test_composing_leaves_hydra_as_it_was():
    version = VersionBase.instance().getbase()
    compose("joint")
    assert not GlobalHydra.instance().is_initialized()
    assert VersionBase.instance().getbase() == version


def test_user_changes_come_last():
    settings = compose("joint", "small", overrides=["optimization.max_epoch=3"])
    assert settings.optimization.max_epoch == 3
    assert "--lr-patience" not in flags(compose("joint"), leave_out=["lr_scheduler"])


@pytest.mark.parametrize(
    "arguments, line",
    [
        (("jiont",), "model jiont: there is none; did you mean joint? There are consistency"),
        (("joint", "papre"), "--preset papre: there is none; did you mean paper?"),
        (("joint", "paper", "vqa"), "--data-set vqa: there is none; did you mean vqa2?"),
        (("joint", "paper", None, ["max_epoch"]), "max_epoch: is no change of a setting"),
        (
            ("joint", "paper", None, ["model.droput=1"]),
            "settings of joint: model.droput: no file names it; did you mean model.dropout? What",
        ),
        (("joint", "paper", None, ["model.dropout=a=b"]), "settings of joint: mismatched input"),
    ],
)
def test_what_is_none_is_one_line(arguments, line):
    with pytest.raises(InputError) as error:
        compose(*arguments)
    assert str(error.value).startswith(line) and "\n" not in str(error.value)


def test_the_command_prints_one_line_of_flags(capsys):
    vqapg("settings", "joint", "--preset", "small")
    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith(" ".join(flags(compose("joint", "small"))))


def test_changes_may_stand_behind_options(capsys):
    for words in (
        ["model.dropout=0.7", "--preset", "small"],
        ["--preset", "small", "model.dropout=0.7"],
    ):
        vqapg("settings", "joint", *words)
        assert "--dropout 0.7 " in capsys.readouterr().out


def test_words_that_are_no_changes_are_refused(capsys):
    for words, told in (
        (["joint", "--preset", "small", "0.7"], "unrecognized arguments: 0.7"),
        (["joint", "--oops=1"], "--oops: there is no such option"),
    ):
        with pytest.raises(SystemExit) as stop:
            vqapg("settings", *words)
        assert stop.value.code == 2 and told in capsys.readouterr().err
    with pytest.raises(SystemExit):
        vqapg("list", "models", "model.dropout=0.7")


def test_the_command_asks_for_the_data_of_glove(capsys):
    assert main(["settings", "joint"]) == 2
    assert "name it with --data DATA" in capsys.readouterr().err
    vqapg("settings", "joint", "--data", "my data")
    words = shlex.split(capsys.readouterr().out)
    assert words[words.index("--embed-path") + 1] == "my data/glove.300d.txt"


def test_a_group_of_settings_is_printed_as_flags(capsys):
    vqapg("settings", "joint", "--get", "vqapg.features")
    assert capsys.readouterr().out == "--backbone resnet50 --image-size 299\n"


def test_the_command_imports_no_torch():
    code = (
        "import sys; from vqapg.cli.main import main; main(['settings', 'joint', '--yaml']);"
        "sys.exit('torch' in sys.modules or 'fairseq' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
