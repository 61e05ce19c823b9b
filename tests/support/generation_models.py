"""Every generation model at small sizes, and what tests do with all of them."""

from types import SimpleNamespace

import torch
from fairseq.models import MODEL_DATACLASS_REGISTRY, MODEL_REGISTRY

from vqapg.criterions.elbo import ElboConfig, ElboCriterion
from vqapg.generation.pair_generator import PairGenerator
from vqapg.tokens import SEPARATOR

BASELINES = ("vqapg_joint", "vqapg_pipeline", "vqapg_sequential")
VARIATIONAL = tuple(f"{name}_variational" for name in BASELINES)
CONDITIONAL = ("vqapg_vqg", "vqapg_vqa")
ORDERED = tuple(name for name in (*BASELINES, *VARIATIONAL) if "joint" not in name)
# Each (model, order) once; None where it has no order.
ALL = [
    (name, order)
    for name in (*BASELINES, *VARIATIONAL, *CONDITIONAL)
    for order in (("aq", "qa") if name in ORDERED else (None,))
]


def build(name, dictionary, features, order=None, **options):
    """The model as fairseq would build it, from seed 0, in evaluation mode."""
    options = {"hidden_size": 8, "embed_dim": 6, **options}
    if order is not None:
        options["order"] = order
    if name in VARIATIONAL:
        options.setdefault("latent_dim", 4)
    torch.manual_seed(0)
    cfg = MODEL_DATACLASS_REGISTRY[name](**options)
    task = SimpleNamespace(dictionary=dictionary, features=features)
    return MODEL_REGISTRY[name].build_model(cfg, task).eval()


def criterion(dictionary, **options):
    return ElboCriterion(ElboConfig(**options), SimpleNamespace(target_dictionary=dictionary))


def sample_of(batch):
    return {"net_input": batch, "nsentences": len(batch["question"])}


def generation_options(**changes):
    """Stock fairseq's generation options and their defaults, as far as they are read."""
    defaults = {
        "beam": 5,
        "nbest": 1,
        "max_len_b": 8,
        "min_len": 1,
        "unnormalized": False,
        "lenpen": 1.0,
        "unkpen": 0.0,
        "temperature": 1.0,
        "sampling": False,
        "sampling_topk": -1,
        "sampling_topp": -1.0,
    }
    return SimpleNamespace(**(defaults | changes))


def generate(model, dictionary, batch, latent_temperature=1.0, refine=0, rescore=1, **changes):
    """For each pair a list of hypotheses in fairseq's form."""
    options = generation_options(**changes)
    generator = PairGenerator(
        model,
        dictionary,
        dictionary.index(SEPARATOR),
        options,
        latent_temperature,
        refine,
        rescore,
    )
    return generator.generate([model], {"net_input": batch})


def texts_of(found, dictionary):
    return [[dictionary.string(hypothesis["tokens"]) for hypothesis in row] for row in found]


def fit(model, dictionary, pairs, steps, rate=0.01, **options):
    """Trains on the same pairs over and over, with new noise each time.

    The learning rate falls from *rate* to 0; *options* are those of the criterion.
    """
    elbo = criterion(dictionary, **options)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=steps)
    keys = pairs["noise_keys"].copy()
    model.train()
    for step in range(steps):
        keys[:, 1] = step
        optimizer.zero_grad()
        elbo(model, sample_of(pairs | {"noise_keys": keys}))[0].backward()
        optimizer.step()
        schedule.step()
    return model.eval()
