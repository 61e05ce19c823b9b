"""The multi-layer perceptron M of the paper (section 4)."""

from torch import nn


class MLP(nn.Sequential):
    """Linear, ReLU, dropout, Linear: every ``M`` of section 4, whose depth the paper leaves open.

    Shape: ``[..., input_dim] -> [..., output_dim]``.
    """

    def __init__(
        self, input_dim: int, hidden_dim: int, output_dim: int, dropout: float = 0.0
    ) -> None:
        super().__init__(
            nn.Linear(input_dim, hidden_dim),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, output_dim),
        )
