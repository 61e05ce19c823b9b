"""How weights start. The paper does not say."""

from torch import nn


def initialise(module: nn.Module) -> None:
    """Glorot for linear and LSTM input weights, orthogonal LSTM recurrences, zero biases; for
    ``Module.apply``.

    PyTorch's own defaults shrink a signal in every layer. Through the layers between an image and
    the evaluator's score so little of it is left that the evaluator long judges by the text alone.

    Sources: Glorot and Bengio 2010, http://proceedings.mlr.press/v9/glorot10a.html; Saxe et al.
    2014, https://arxiv.org/abs/1312.6120
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.LSTM):
        for name, parameter in module.named_parameters():
            if name.startswith("bias"):
                nn.init.zeros_(parameter)
                continue
            # The four gates' matrices lie one above another, each one to be started as a matrix of
            # its own.
            for gate in parameter.data.chunk(4):
                (nn.init.orthogonal_ if name.startswith("weight_hh") else nn.init.xavier_uniform_)(
                    gate
                )
