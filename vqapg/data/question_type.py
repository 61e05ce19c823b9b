"""What a question asks, as far as its first words tell."""

from vqapg.data.tokenizer import plain_spelling


def question_type(question: str) -> str:
    """The question's first two words, as in appendix C's example: "what color", "how many", "is
    there".
    """
    return " ".join(plain_spelling(question).lower().split()[:2]).strip(" .,;:!?\"'")
