"""What a question asks, as far as its first words tell."""


def question_type(question):
    """The question's first two words, as in appendix C's example: "what color", "how many", "is there"."""
    return " ".join(question.lower().split()[:2]).strip(" .,;:!?\"'")
