"""List the names that other commands take, one a line: backbones, data sets, judges and more.

The list includes what other installed packages add, with the name of the package.
"""

HELP = "list the backbones, data sets, judges, truths, metrics, formats or models"
EXAMPLE = "vqapg list backbones"

# Each kind with its registry.
REGISTRIES = {
    "backbones": "vqapg.backbones:BACKBONES",
    "datasets": "vqapg.datasets:DATASETS",
    "judges": "vqapg.judges.judge:JUDGES",
    "truths": "vqapg.judges.truth:TRUTHS",
    "metrics": "vqapg.evaluation.metrics:METRICS",
    "formats": "vqapg.export:FORMATS",
}
KINDS = {
    "backbones": "networks that turn pictures into regions: vqapg extract-features --backbone",
    "datasets": "sources of question-answer pairs: vqapg prepare --dataset",
    "judges": "who says whether a pair is right: vqapg evaluate --judge",
    "truths": "what is known of a data set's images: vqapg evaluate --judge truth:NAME",
    "metrics": "what vqapg evaluate reports",
    "formats": "forms of a file of pairs: vqapg export --format",
    "models": "architectures: fairseq-train --arch",
}


def add_arguments(parser):
    parser.add_argument(
        "kind",
        nargs="?",
        choices=KINDS,
        metavar="KIND",
        help=f"{', '.join(KINDS)} (default: list these kinds)",
    )


def run(args):
    if args.kind is None:
        lines = list(KINDS.items())
    elif args.kind == "models":
        lines = models()
    else:
        import pkgutil

        lines = pkgutil.resolve_name(REGISTRIES[args.kind]).entries()
    width = max((len(name) for name, _ in lines), default=0)
    for name, summary in lines:
        print(f"{name:<{width}}  {summary}".rstrip())


def models() -> list[tuple[str, str]]:
    """The architectures of this package, each with the first paragraph of its model's docstring."""
    from fairseq.models import ARCH_MODEL_REGISTRY

    import vqapg.models  # noqa: F401  registers them

    return [
        (name, " ".join((model.__doc__ or "").strip().partition("\n\n")[0].split()))
        for name, model in sorted(ARCH_MODEL_REGISTRY.items())
        if model.__module__.startswith("vqapg.")
    ]
