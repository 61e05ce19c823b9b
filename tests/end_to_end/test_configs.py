"""Every file under configs/ composes, builds and means what scripts/train.sh does.

hydra's training runs.
"""

from types import SimpleNamespace

import pytest
import torch
from fairseq import options, tasks, utils
from fairseq.dataclass.initialize import add_defaults, hydra_init
from fairseq.dataclass.utils import convert_namespace_to_omegaconf
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra

from tests.support.fairseq_commands import REPOSITORY, hydra_train
from tests.support.train_script import train_script

CONFIGS = REPOSITORY / "configs"
MODELS = sorted(path.stem for path in CONFIGS.glob("*.yaml") if path.stem != "paper")
GROUPS = sorted(f"{path.parent.name}={path.stem}" for path in CONFIGS.glob("*/*.yaml"))


def composed(name, data, *overrides):
    """The configuration as fairseq-hydra-train sees it."""
    utils.import_user_module(SimpleNamespace(user_dir=str(REPOSITORY / "vqapg")))
    GlobalHydra.instance().clear()
    hydra_init(name)
    paths = [f"common.user_dir={REPOSITORY / 'vqapg'}", f"task.data={data}"]
    with initialize_config_dir(config_dir=str(CONFIGS), version_base="1.1"):
        cfg = compose(config_name=name, overrides=[*paths, *overrides])
    add_defaults(cfg)
    return cfg


def test_every_model_has_a_file():
    from fairseq.models import MODEL_REGISTRY

    assert {f"vqapg_{name}" for name in MODELS} == {
        name for name in MODEL_REGISTRY if name.startswith("vqapg_")
    }


@pytest.mark.parametrize("name", MODELS)
def test_every_model_builds_at_the_papers_settings(world, name):
    cfg = composed(name, world / "data")
    task = tasks.setup_task(cfg.task)
    model, criterion = task.build_model(cfg.model), task.build_criterion(cfg.criterion)
    assert cfg.model._name == f"vqapg_{name}" and (cfg.model.hidden_size, cfg.model.embed_dim) == (
        512,
        300,
    )
    assert criterion.task is task and sum(p.numel() for p in model.parameters()) > 5e6
    # Section 5.3
    assert (cfg.dataset.batch_size, cfg.optimization.max_epoch, list(cfg.optimization.lr)) == (
        256,
        40,
        [1e-3],
    )
    assert (cfg.lr_scheduler._name, cfg.lr_scheduler.lr_shrink, cfg.lr_scheduler.lr_patience) == (
        "reduce_lr_on_plateau",
        0.5,
        4,
    )


@pytest.mark.parametrize("group", GROUPS)
def test_every_data_set_and_size_builds_with_every_model(world, group):
    for name in ("joint_variational", "pipeline"):
        cfg = composed(name, world / "data", f"+{group}")
        tasks.setup_task(cfg.task).build_model(cfg.model)
        written = (CONFIGS / f"{group.replace('=', '/')}.yaml").read_text()
        for key in ("hidden_size", "decoder_hidden_size", "batch_size"):
            lines = [
                line.split()[1]
                for line in written.splitlines()
                if line.strip().startswith(f"{key}:")
            ]
            for value in lines:
                section = cfg.dataset if key == "batch_size" else cfg.model
                assert section[key] == int(value)


@pytest.mark.parametrize("name", MODELS)
def test_the_script_trains_as_the_file_says(world, tmp_path, name):
    done, (program, *flags) = train_script(tmp_path, name, world / "data")
    assert done.returncode == 0 and program == "fairseq-train"
    parser = options.get_training_parser()
    parsed = convert_namespace_to_omegaconf(options.parse_args_and_arch(parser, flags))
    cfg = composed(name, world / "data")
    for section in ("model", "task", "criterion", "lr_scheduler"):
        ours, theirs = dict(cfg[section]), dict(parsed[section])
        for key in ours.keys() - {"seed", "lr", "maximize_best_checkpoint_metric"}:
            assert str(theirs[key]) == str(ours[key]), (section, key)
    for section, keys in {
        "dataset": ["batch_size", "num_workers"],
        "optimization": ["lr", "max_epoch", "clip_norm"],
        "checkpoint": ["best_checkpoint_metric", "maximize_best_checkpoint_metric"],
        "common": ["seed"],
    }.items():
        for key in keys:
            assert parsed[section][key] == cfg[section][key], key


def test_the_script_shares_the_papers_batch_among_all_processes(world, tmp_path):
    nodes = {
        "NODES": "2",
        "NODE_RANK": "1",
        "MASTER_ADDR": "host0",
        "MASTER_PORT": "29500",
        "PROCESSES": "2",
    }
    done, lines = train_script(tmp_path, "joint", world / "data", "--lr", "5e-4", **nodes)
    assert done.returncode == 0 and lines[0] == "torchrun"
    assert lines[lines.index("--batch-size") + 1] == "64"
    assert (
        lines[lines.index("--nnodes") + 1] == "2" and lines[lines.index("--node-rank") + 1] == "1"
    )
    # What the user gives comes last, and wins.
    assert lines[-2:] == ["--lr", "5e-4"]


def test_the_script_continues_from_the_newest_checkpoint(world, tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    for name in ("checkpoint2.pt", "checkpoint10.pt", "checkpoint_best.pt", "checkpoint_last.pt"):
        (folder / name).write_bytes(b"")
    for words in (["--save-dir", folder], [f"--save-dir={folder}"]):
        _, lines = train_script(tmp_path, "joint", world / "data", *words)
        assert lines[lines.index("--restore-file") + 1] == str(folder / "checkpoint10.pt")


@pytest.mark.parametrize("word", [["--lr-scheduler", "cosine"], ["--lr-scheduler=cosine"]])
def test_another_schedule_comes_without_the_flags_of_the_papers(world, tmp_path, word):
    _, lines = train_script(tmp_path, "joint", world / "data", *word)
    assert "--lr-patience" not in lines and lines[-len(word) :] == word


def test_the_script_says_how_it_is_used(tmp_path):
    done, _ = train_script(tmp_path)
    assert done.returncode == 2 and "bash scripts/train.sh MODEL DATA" in done.stderr


@pytest.mark.parametrize(
    "arguments, environment, message",
    [
        (["joint"], {}, "which data directory?"),
        (["jointly", "DATA"], {}, "there is no model jointly"),
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
    assert done.returncode == 2 and line.startswith("error: ") and message in line


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
