"""The keys of the records that vqapg writes, by which its files are known again."""

COLUMNS = ("image", "question", "answer", "score")
EXPORTED = ("id", *COLUMNS)
SAMPLED = ("seed", "draw", "model")
RECORDS = (
    EXPORTED,
    (*EXPORTED, "consistency"),
    (*COLUMNS, *SAMPLED),
    (*COLUMNS, "consistency", *SAMPLED),
)
