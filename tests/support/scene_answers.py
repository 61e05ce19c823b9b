"""The truth about scenes by another way than the package's: all questions of a scene, written out.

It builds every text that can be asked and puts the answer beside it. Nothing is parsed, and a thing
is a dict.
"""

COLORS = ["red", "green", "blue", "yellow", "purple", "black"]
NOUNS = {
    "circle": "circles",
    "square": "squares",
    "triangle": "triangles",
    "cross": "crosses",
    "object": "objects",
}


def descriptions():
    """(one, several, test of a thing) for each of the 35 ways to speak of things."""
    for color in [None, *COLORS]:
        for noun, plural in NOUNS.items():
            words = [color] if color else []

            def suits(thing, color=color, noun=noun):
                if color and thing["color"] != color:
                    return False
                return noun == "object" or thing["shape"] == noun

            yield " ".join([*words, noun]), " ".join([*words, plural]), suits


def all_answers(things):
    """{question: right answer} of a scene; None where the question has none."""
    answers = {}
    found = [(one, many, [t for t in things if suits(t)]) for one, many, suits in descriptions()]
    for one, many, them in found:
        there = "yes" if them else "no"
        for text in (f"is there a {one} ?", f"is a {one} present ?"):
            answers[text] = there
        answers[f"does the image contain a {one} ?"] = there
        for text in (f"how many {many} are there ?", f"what is the number of {many} ?"):
            answers[text] = str(len(them))
        answers[f"how many {many} does the image contain ?"] = str(len(them))
        only = dict.fromkeys(("color", "shape", "size", "side", "height"))
        if len(them) == 1:
            (thing,) = them
            only = {
                "color": thing["color"],
                "shape": thing["shape"],
                "size": "large" if thing["radius"] > 12 else "small",
                "side": "left" if thing["x"] <= 63 else "right",
                "height": "top" if thing["y"] <= 63 else "bottom",
            }
        for what in ("color", "shape"):
            answers[f"what {what} is the {one} ?"] = only[what]
            answers[f"what is the {what} of the {one} ?"] = only[what]
        answers[f"what size is the {one} ?"] = only["size"]
        answers[f"is the {one} small or large ?"] = only["size"]
        answers[f"is the {one} on the left or on the right ?"] = only["side"]
        answers[f"is the {one} in the left or the right half ?"] = only["side"]
        answers[f"is the {one} at the top or at the bottom ?"] = only["height"]
        answers[f"is the {one} in the top or the bottom half ?"] = only["height"]
    for one, many, them in found:
        for other, others, those in found:
            excess = len(them) - len(those)
            for phrase, so in (
                (f"more {many} than {others}", excess > 0),
                (f"fewer {many} than {others}", excess < 0),
                (f"as many {many} as {others}", excess == 0),
            ):
                answers[f"are there {phrase} ?"] = "yes" if so else "no"
                answers[f"does the image contain {phrase} ?"] = "yes" if so else "no"
            of_two = of_two_things(them, those)
            for words, what in (
                (("left of", "to the left of"), "left"),
                (("right of", "to the right of"), "right"),
                (("above", "higher than"), "above"),
                (("below", "lower than"), "below"),
            ):
                for word in words:
                    answers[f"is the {one} {word} the {other} ?"] = of_two[what]
            for what in ("color", "shape"):
                answers[f"are the {one} and the {other} the same {what} ?"] = of_two[what]
                answers[f"is the {one} the same {what} as the {other} ?"] = of_two[what]
    return answers


def of_two_things(them, those):
    """{"left": "yes", ...} of the only one of *them* and the only one of *those*."""
    if len(them) != 1 or len(those) != 1 or them[0] is those[0]:
        return dict.fromkeys(("left", "right", "above", "below", "color", "shape"))
    both = [them[0], those[0]]
    across, down = (sorted(both, key=lambda thing: thing[axis]) for axis in "xy")
    so = {
        "left": across[0] is both[0],
        "right": across[1] is both[0],
        "above": down[0] is both[0],
        "below": down[1] is both[0],
        "color": len({thing["color"] for thing in both}) == 1,
        "shape": len({thing["shape"] for thing in both}) == 1,
    }
    return {what: "yes" if is_so else "no" for what, is_so in so.items()}
