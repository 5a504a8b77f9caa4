"""Single calls: a page of them in every format, and one of them whole."""
