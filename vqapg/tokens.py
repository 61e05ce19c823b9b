"""The token that is ours in fairseq's dictionary."""

# Between question and answer: in the sequential model's texts, and in every generated line.
SEPARATOR = "<sep>"
