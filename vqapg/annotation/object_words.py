"""Words of a pair that may name its object. The page of the paper's evaluation suggests them."""

# They name no thing: articles, pronouns, verbs of asking, prepositions, and words about pictures.
FUNCTION_WORDS = frozenset(
    """
    a an the this that these those it its there here he she his her him they their them i you
    your we our what which who whom whose where when why how many much kind type sort is are was
    were be been being am do does did has have had can could will would should may might must
    not no yes and or but if in on at of to for from with without by as into over under near
    next top behind front out up down off than too very any some more most other image side left
    right close picture photo contain contains present visible shown color colour
    """.split()
)


def suggested_objects(question: str, answer: str) -> list[str]:
    """Words of the pair that may name its object, the question's first.

    Args:
        question: as people read it
        answer: as people read it
    """
    words = [
        word.strip(" .,;:!?\"'()").removesuffix("'s")
        for word in f"{question} {answer}".lower().split()
    ]
    return list(dict.fromkeys(word for word in words if word and word not in FUNCTION_WORDS))
