"""Attention alignment of the joint model, equation 4."""

from torch import Tensor

# Which KL divergence: of the question's attention from the answer's (the paper), or the other way
# round (its code).
DIRECTIONS = ("question-answer", "answer-question")


def mean_over_tokens(attention: Tensor, real: Tensor) -> Tensor:
    """Mean attention over a text's real tokens.

    Shape: ``[B, T, R]``, bool ``[B, T] -> [B, R]``.
    """
    real = real.unsqueeze(2).type_as(attention)
    return (attention * real).sum(dim=1) / real.sum(dim=1)


def attention_alignment(
    question_attention: Tensor,
    question_real: Tensor,
    answer_attention: Tensor,
    answer_real: Tensor,
    eps: float = 1e-8,
    direction: str = "question-answer",
) -> Tensor:
    """KL(mean_i beta_i || mean_i gamma_i) in nats, a pair: equation 4 without its weight.

    Args:
        question_attention, answer_attention: beta and gamma, distributions over regions
        question_real, answer_real: bool, False on padding
        eps: keeps the logarithms finite
        direction: one of :data:`DIRECTIONS`; "answer-question" is KL(mean gamma || mean beta)

    Shape: ``[B, m, R], [B, m], [B, n, R], [B, n] -> [B]``.
    """
    question = mean_over_tokens(question_attention.float(), question_real)
    answer = mean_over_tokens(answer_attention.float(), answer_real)
    if direction == "answer-question":
        question, answer = answer, question
    # A softmax may underflow to 0; 0 log 0 is 0, and log 0 of gamma is held finite.
    return (question * ((question + eps).log() - (answer + eps).log())).sum(dim=-1)
