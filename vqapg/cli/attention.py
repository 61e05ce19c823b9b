"""Generate pairs for named images and store where the model looked: the weights it gave to the
image's regions, and the attention of question and answer. `vqapg report` draws Figures 6 to 8, and
makes Table 7, from the files of a study.
"""

from vqapg.cli.judge_flags import add_judge_arguments
from vqapg.cli.paths import add_overwrite

HELP = "store region weights and attentions of pairs generated for named images"
EXAMPLE = (
    "vqapg attention data/easy --checkpoint STUDY/joint_variational/seed-1/final.pt "
    "--output STUDY/joint_variational/seed-1/attention.json test/images/705.png test/images/649.png"
)


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="the data directory, with features")
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="an image of DATA, as in its *.image files; or any image file",
    )
    parser.add_argument(
        "--checkpoint", required=True, metavar="CKPT", help="joint, pipeline or sequential model"
    )
    add_judge_arguments(parser, "who scores the pairs of DATA's images")
    parser.add_argument(
        "--weights",
        metavar="PATH",
        help="of the backbone, for other image files, where DATA's features were made with a "
        "weights file of your own",
    )
    parser.add_argument(
        "--num-samples", type=int, default=4, metavar="N", help="pairs an image (default: 4)"
    )
    parser.add_argument("--beam", type=int, default=10, help="default: 10")
    parser.add_argument("--seed", type=int, default=1, help="of the latent variables (default: 1)")
    parser.add_argument("--output", required=True, metavar="FILE", help="JSON file to write")
    add_overwrite(parser)


def run(args):
    from vqapg.cli.judge_flags import judge_of
    from vqapg.cli.paths import input_file, output_file
    from vqapg.data.directory import DataDirectory
    from vqapg.errors import InputError, printable
    from vqapg.provenance import provenance
    from vqapg.targets import our_json, write_json

    for name, least in (("num_samples", 1), ("beam", 1), ("seed", 0)):
        if getattr(args, name) < least:
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option} {getattr(args, name)}: must be at least {least}")
    judge, checkpoints = judge_of(args)
    inputs = [input_file("--checkpoint", args.checkpoint), *checkpoints]
    data = DataDirectory(args.data)
    inputs += data.path.glob("*")
    output = output_file("--output", args.output, our_json, overwrite=args.overwrite, inputs=inputs)

    from vqapg.reports.attention_record import record_attention

    record = record_attention(
        args.checkpoint,
        data,
        args.images,
        judge=judge,
        draws=args.num_samples,
        seed=args.seed,
        beam=args.beam,
        weights=args.weights,
    )
    named = {"data": args.data, "checkpoint": args.checkpoint}
    named |= {f"judge {number}": path for number, path in enumerate(checkpoints, 1)}
    record["provenance"] = provenance(seed=args.seed, inputs=named)
    write_json(output, record, overwrite=args.overwrite, indent=None)
    for image in record["images"]:
        counted = f"{len(image['pairs'])} pairs, {image['malformed']} malformed left out"
        print(printable(f"{image['image']}: {counted}"))
        for pair in image["pairs"]:
            print(printable(f"  {pair['question']} {pair['answer']}"))
