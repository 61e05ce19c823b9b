"""Who says whether a question-answer pair is right: one file a judge."""
