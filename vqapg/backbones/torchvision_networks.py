"""Any convolutional classifier of torchvision, cut before its pooling over all positions."""

import re

import torch
import torchvision
from torch import fx, nn

from vqapg.backbones.backbone import Backbone, Preprocessing
from vqapg.backbones.weights import State, downloaded_file, load_weights
from vqapg.errors import InputError
from vqapg.picture_size import PictureSize

IMAGE_SIZE = 299  # a ResNet's feature map is 10 x 10 then


def build(name: str, weights: str, image_size: PictureSize | None) -> Backbone:
    """The last feature map of the classifier, see :class:`vqapg.backbones.backbone.Builder`.

    Raises:
        InputError: if it has no feature map, or the weights are missing or do not fit
    """
    # The first ImageNet weights are those of the original training recipe, which the paper's
    # features are from. The later ones (V2) classify better but make poorer grid features.
    published = next(iter(torchvision.models.get_model_weights(name)))
    extra = {}
    if name in ("googlenet", "inception_v3"):
        # Their published weights expect a re-normalised input; their initialisation is slow.
        extra = {"transform_input": True, "init_weights": weights == "none"}
    classifier = torchvision.models.get_model(name, weights=None, **extra).eval()
    loaded = load_weights(
        classifier,
        name,
        weights,
        lambda: downloaded_file(name, published.url),
        _without_dots if name.startswith("densenet") else lambda state: state,
    )
    recipe = published.transforms()
    size = IMAGE_SIZE if image_size is None else image_size
    preprocessing = Preprocessing(size, tuple(recipe.mean), tuple(recipe.std))
    return Backbone(name, _up_to_global_pooling(name, classifier), preprocessing, *loaded)


def _without_dots(state: State) -> State:
    """A DenseNet's state dict from before module names could hold no dots: norm.1 is norm1 now."""
    dotted = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")
    return {dotted.sub(r"\1\2.", key): value for key, value in state.items()}


def _up_to_global_pooling(name: str, classifier: nn.Module) -> fx.GraphModule:
    """The part of *classifier* before its last pooling, found in its traced graph."""
    graph = fx.symbolic_trace(classifier).graph
    pooling = [node for node in graph.nodes if _pools_globally(node, classifier)]
    if not pooling:
        raise InputError(
            f"--backbone {name}: no feature map [C, H, W] found in it; take another one"
        )
    feature_map = pooling[-1].args[0]
    graph.erase_node(next(node for node in graph.nodes if node.op == "output"))
    graph.output(feature_map)
    graph.eliminate_dead_code()
    # GraphModule keeps only those parts of the classifier that the graph still names.
    return fx.GraphModule(classifier, graph)


def _pools_globally(node: fx.Node, classifier: nn.Module) -> bool:
    if node.op == "call_module":
        return isinstance(classifier.get_submodule(str(node.target)), nn.AdaptiveAvgPool2d)
    if node.op == "call_function":
        return node.target is torch.nn.functional.adaptive_avg_pool2d
    # shufflenet and mnasnet write the pooling as x.mean([2, 3])
    return bool(node.op == "call_method" and node.target == "mean" and node.args[1] == [2, 3])
