"""The configurations under fairseq-hydra-train, and scripts/train.sh, mean the same.

tests/study/test_settings.py has their values.
"""

from types import SimpleNamespace

import pytest
import torch
from fairseq import options, tasks, utils
from fairseq.dataclass.initialize import add_defaults, hydra_init
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from tests.support.fairseq_commands import REPOSITORY, hydra_train
from tests.support.train_script import train_script
from vqapg.study.settings import models, presets

CONFIGS = REPOSITORY / "configs"


def composed(name, data, *overrides):
    """The configuration as fairseq-hydra-train sees it."""
    utils.import_user_module(SimpleNamespace(user_dir=str(REPOSITORY / "vqapg")))
    GlobalHydra.instance().clear()
    hydra_init(name)
    paths = [f"common.user_dir={REPOSITORY / 'vqapg'}", f"task.data={data}"]
    with initialize_config_dir(config_dir=str(CONFIGS), version_base="1.1"):
        cfg = compose(config_name=name, overrides=[*paths, *overrides])
    add_defaults(cfg)
    OmegaConf.resolve(cfg)
    return cfg


def test_every_model_has_a_file():
    from fairseq.models import MODEL_REGISTRY

    assert {f"vqapg_{name}" for name in models()} == {
        name for name in MODEL_REGISTRY if name.startswith("vqapg_")
    }


@pytest.mark.parametrize("name", models())
def test_every_model_builds_at_the_papers_sizes(world, name):
    cfg = composed(name, world / "data", "model.embed_path=''")  # GloVe is no part of the tests
    task = tasks.setup_task(cfg.task)
    model, criterion = task.build_model(cfg.model), task.build_criterion(cfg.criterion)
    assert criterion.task is task and sum(p.numel() for p in model.parameters()) > 5e6


@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("name", ["joint_variational", "pipeline", "consistency"])
def test_script_and_hydra_train_by_the_same_settings(world, tmp_path, name, preset):
    done, (program, *flags) = train_script(
        tmp_path, name, world / "data", "--preset", preset, "--seed", "3"
    )
    assert done.returncode == 0 and program == "fairseq-train", done.stderr
    parser = options.get_training_parser()
    parsed = convert_namespace_to_omegaconf(options.parse_args_and_arch(parser, flags))
    cfg = composed(name, world / "data", f"preset={preset}", "common.seed=3")
    for section in ("model", "task", "criterion", "lr_scheduler"):
        ours, theirs = dict(cfg[section]), dict(parsed[section])
        for key in ours.keys() - {"seed", "lr", "maximize_best_checkpoint_metric", "update_freq"}:
            assert str(theirs[key]) == str(ours[key]), (section, key)
    for section, keys in {
        "dataset": ["batch_size", "num_workers"],
        "optimization": ["lr", "max_epoch", "clip_norm"],
        "checkpoint": ["best_checkpoint_metric", "maximize_best_checkpoint_metric"],
        "common": ["seed"],
    }.items():
        for key in keys:
            assert str(parsed[section][key]) == str(cfg[section][key]), key


def test_four_processes_share_the_papers_256_pairs(world, tmp_path):
    nodes = {
        "NODES": "2",
        "NODE_RANK": "1",
        "MASTER_ADDR": "host0",
        "MASTER_PORT": "29500",
        "PROCESSES": "2",
    }
    done, lines = train_script(tmp_path, "joint", world / "data", "--lr", "5e-4", **nodes)
    assert done.returncode == 0 and lines[0] == "torchrun"
    # The task shares them, see tests/tasks.
    assert lines[lines.index("--global-batch-size") + 1] == "256"
    assert lines[lines.index("--nnodes") + 1] == "2"
    assert lines[lines.index("--node-rank") + 1] == "1"
    # What the user gives comes last, and wins.
    assert lines[-2:] == ["--lr", "5e-4"]


@pytest.mark.parametrize("word", [["--lr-scheduler", "cosine"], ["--lr-scheduler=cosine"]])
def test_another_schedule_comes_without_the_presets_flags(world, tmp_path, word):
    _, lines = train_script(tmp_path, "joint", world / "data", *word)
    assert "--lr-patience" not in lines and lines[-len(word) :] == word


def test_the_script_says_how_it_is_used(tmp_path):
    done, _ = train_script(tmp_path)
    assert done.returncode == 2 and "bash scripts/train.sh MODEL DATA" in done.stderr


@pytest.mark.parametrize(
    "arguments, environment, message",
    [
        (["joint"], {}, "which data directory?"),
        (["jointly", "DATA"], {}, "model jointly: there is none; did you mean joint?"),
        (["joint", "DATA", "--preset", "tiny"], {}, "--preset tiny: there is none"),
        (["joint", "DATA", "--preset"], {}, "--preset: which one?"),
        (["joint", "none"], {}, "none: not a finished data directory"),
        (["joint", "DATA"], {"PROCESSES": "0"}, "from 1 up, not 0"),
        (["joint", "DATA"], {"PROCESSES": "abc"}, "from 1 up, not abc"),
        (["joint", "DATA"], {"NODES": "-1"}, "from 1 up, not -1"),
        (["joint", "DATA"], {"NODES": "2", "NODE_RANK": "0"}, "MASTER_ADDR is not set"),
    ],
)
def test_the_script_refuses_what_cannot_be_in_one_line(
    world, tmp_path, arguments, environment, message
):
    arguments = [world / "data" if word == "DATA" else word for word in arguments]
    done, _ = train_script(tmp_path, *arguments, **environment)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and "error: " in line and message in line


def test_bad_input_under_hydra_is_one_line(world, tmp_path):
    done = hydra_train(
        "--config-dir",
        CONFIGS,
        "--config-name",
        "joint",
        "task.data=data/mine",
        f"hydra.run.dir={tmp_path}",
        status=2,
    )
    assert "Traceback" not in done.stderr
    expected = f"data/mine: not a finished data directory (no manifest.json in it under {tmp_path})"
    assert expected in done.stderr.splitlines()[-1]


def test_hydra_trains(world, tmp_path):
    hydra_train(
        "--config-dir",
        CONFIGS,
        "--config-name",
        "sequential_variational",
        "preset=small",
        "+data=easy_vqa",
        "common.cpu=true",
        f"task.data={world / 'data'}",
        "model.hidden_size=16",
        "model.embed_dim=12",
        "model.latent_dim=8",
        "optimization.max_epoch=1",
        f"hydra.run.dir={tmp_path}",
    )
    checkpoint = torch.load(tmp_path / "checkpoints/checkpoint_best.pt")
    assert checkpoint["cfg"]["model"]["_name"] == "vqapg_sequential_variational"
    assert checkpoint["cfg"]["criterion"]["kl_free_bits"] == 5
