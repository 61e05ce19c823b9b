"""A study: the runs that the paper's tables and figures need, and what makes them."""
