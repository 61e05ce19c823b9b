"""Attention alignment of the joint model, equation 4."""


def mean_over_tokens(attention, real):
    """Mean attention over a text's real tokens: ``[B, T, R]``, bool ``[B, T]`` -> ``[B, R]``."""
    real = real.unsqueeze(2).type_as(attention)
    return (attention * real).sum(dim=1) / real.sum(dim=1)


def attention_alignment(question_attention, question_real, answer_attention, answer_real, eps=1e-8):
    """KL(mean_i beta_i || mean_i gamma_i) in nats, a pair: equation 4 without its weight.

    Args:
        question_attention, answer_attention: beta ``[B, m, R]`` and gamma ``[B, n, R]``, distributions over regions
        question_real, answer_real: bool ``[B, m]`` and ``[B, n]``, False on padding

    Returns:
        ``[B]``
    """
    question = mean_over_tokens(question_attention.float(), question_real)
    answer = mean_over_tokens(answer_attention.float(), answer_real)
    # A softmax may underflow to 0; 0 log 0 is 0, and log 0 of gamma is held finite.
    return (question * ((question + eps).log() - (answer + eps).log())).sum(dim=-1)
