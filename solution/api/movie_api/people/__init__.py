"""People: one, those with a name, and what movies show of them."""
