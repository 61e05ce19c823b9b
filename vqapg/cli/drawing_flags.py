"""What ``vqapg sample`` draws of each image, and how."""

import argparse


def add_drawing_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the group "drawing"; its flags are SamplingOptions' fields. None stands for a default
    that the demo has another of.
    """
    draw = parser.add_argument_group("drawing")
    draw.add_argument(
        "--num-samples", type=int, metavar="N", help="draws an image (default: 10; the demo's: 40)"
    )
    draw.add_argument("--seed", type=int, default=1, help="of all draws (default: 1)")
    draw.add_argument(
        "--question",
        metavar="TEXT",
        help="complete this question: VQA, or a pipeline of --order qa",
    )
    draw.add_argument(
        "--answer", metavar="TEXT", help="complete this answer: VQG, or a pipeline of --order aq"
    )
    draw.add_argument(
        "--beam",
        type=int,
        default=10,
        metavar="K",
        help="beam of each draw (default: 10, as in the published code)",
    )
    draw.add_argument(
        "--sampling",
        action=argparse.BooleanOptionalAction,
        help="draw the words too, instead of beam search (default: only for the demo)",
    )
    draw.add_argument(
        "--sampling-topk",
        type=int,
        default=-1,
        metavar="K",
        help="of the K likeliest words (default: all)",
    )
    draw.add_argument(
        "--sampling-topp",
        type=float,
        default=-1.0,
        metavar="P",
        help="of the fewest words that have P (default: all)",
    )
    draw.add_argument(
        "--temperature", type=float, metavar="T", help="of words (default: 1; the demo's: 0.4)"
    )
    draw.add_argument(
        "--latent-temperature",
        type=float,
        default=1.0,
        metavar="T",
        help="scales the standard deviation of the latent variable; 0: its mean (default: 1)",
    )
    draw.add_argument(
        "--refine",
        type=int,
        default=0,
        metavar="N",
        help="decode, take for the latent variable the mean of its posterior given what was "
        "decoded, and decode again, N times; each costs as much as decoding once (default: 0)",
    )
    draw.add_argument(
        "--rescore",
        type=int,
        default=1,
        metavar="K",
        help="of K draws of a pair keep the one whose answer the model finds likeliest given the "
        "image and its own question; costs K decodings, and up to K^2 readings of a pair "
        "(default: 1)",
    )
