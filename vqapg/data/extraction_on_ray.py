"""``vqapg extract-features --ray``: parts of the images on many machines.

Ray hands the parts out and starts what died again. A part is written to the data directory by the
machine that makes it, see :class:`~vqapg.data.feature_parts.FeatureParts`. So the driver may die
too. The driver alone writes the features file.
"""

import math
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vqapg.backbones import build_backbone
from vqapg.data.feature_encoding import Encoded, check_left_out, encode_pictures
from vqapg.data.feature_parts import FeatureParts, Part
from vqapg.errors import InputError, RunError
from vqapg.picture_size import PictureSize
from vqapg.ray_pool import actor_needs, cluster, results

# Enough parts to keep many GPUs at work, and none that takes long to make again.
PARTS = 200
MOST_IMAGES = 1000


@dataclass(frozen=True)
class Cluster:
    """Where features are made with Ray, and of what.

    Attributes:
        address: of the cluster, see :func:`~vqapg.ray_pool.cluster`
        backbone, weights, image_size: as :func:`~vqapg.backbones.build_backbone` takes them
    """

    address: str
    backbone: str
    weights: str = "imagenet"
    image_size: PictureSize | None = None


@dataclass(frozen=True)
class ExtractionJob:
    """What every actor needs to know.

    Attributes:
        cluster: what the backbone is made of
        parts: where they are written
        seen: a picture that the driver sees
        device: of every actor
        batch_size, num_workers, skip_bad_images: of ``encode_pictures``
    """

    cluster: Cluster
    parts: FeatureParts
    seen: Path | None
    device: str
    batch_size: int
    num_workers: int
    skip_bad_images: bool

    def load(self) -> Callable[[int, Part], None]:
        """Build the backbone; see :class:`vqapg.ray_pool.Job`.

        Raises:
            InputError: if it is another one than the driver's, or the images are not to be seen
        """
        machine = socket.gethostname()
        made_of = self.cluster
        backbone = build_backbone(made_of.backbone, made_of.weights, made_of.image_size)
        if backbone.source != self.parts.source:
            raise InputError(
                f"--weights {made_of.weights}: the machine {machine} has other weights of "
                f"{made_of.backbone} than this one; put the same file on all machines"
            )
        # Otherwise --skip-bad-images would leave out whatever falls to this machine.
        if self.seen is not None and not self.seen.is_file():
            raise InputError(
                f"{self.seen}: the machine {machine} does not see this image; "
                "all machines must have the images under one path"
            )

        def make(number: int, part: Part) -> None:
            if self.parts.done(part, self.skip_bad_images):
                return
            encoded = encode_pictures(
                backbone,
                part.paths,
                device=self.device,
                batch_size=self.batch_size,
                num_workers=self.num_workers,
                skip_bad_images=self.skip_bad_images,
            )
            self.parts.write(part, encoded, backbone.grid, backbone.channels)

        return make


def encode_on_ray(
    where: Cluster,
    left: Part,
    parts: FeatureParts,
    *,
    device: str,
    batch_size: int,
    num_workers: int,
    skip_bad_images: bool,
) -> Iterator[Encoded]:
    """Yields the features of the images *left*, a part at a time and in their order.

    A part is removed when the next one is asked for: by then its features must be safe.

    Args:
        where: the cluster
        left: the images
        parts: where the actors write
        device: auto, cpu or cuda
        batch_size, num_workers, skip_bad_images: of ``encode_pictures``

    Raises:
        InputError: if there is no Ray or cluster, or a picture cannot be read
        RunError: if a machine runs short of something, or Ray gives up
    """
    if not left.ids:
        return
    cut = list(enumerate(cut_in_parts(left, batch_size)))
    parts.begin()
    done = {number for number, part in cut if parts.done(part, skip_bad_images)}
    with cluster(where.address) as ray:
        device, needs, most = actor_needs(ray, device)
        job = ExtractionJob(
            where,
            parts,
            next((path for path in left.paths if path.is_file()), None),
            device,
            batch_size,
            # A core has one process.
            0 if device == "cpu" else num_workers,
            skip_bad_images,
        )
        waiting = [(number, part) for number, part in cut if number not in done]
        made = results(ray, job, waiting, actors=most, needs=needs)
        try:
            for number, part in cut:
                while number not in done:
                    done.add(next(made)[0])
                encoded = parts.read(part)
                check_left_out(encoded.errors, skip_bad_images)
                yield encoded
                parts.remove(part)
        except RunError as error:
            raise RunError(f"{error}: what is done is kept, the same command goes on") from error


def cut_in_parts(images: Part, batch_size: int) -> list[Part]:
    """The parts of a run. How they are cut does not depend on the machines.

    Nor does it depend on how many images are left, so that a later run finds the parts of an
    earlier one. A part has whole batches. So the network sees the batches that it sees without Ray,
    and the features are equal to the last bit.
    """
    count = images.first + len(images.ids)
    size = min(MOST_IMAGES, math.ceil(count / PARTS))
    size = math.ceil(size / batch_size) * batch_size
    return [
        Part(
            images.first + begin,
            images.ids[begin : begin + size],
            images.paths[begin : begin + size],
        )
        for begin in range(0, len(images.ids), size)
    ]
