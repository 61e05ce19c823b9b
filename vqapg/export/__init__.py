"""Files of pairs that other tools read: one file a format."""
