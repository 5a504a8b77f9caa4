"""Tokens and cost of LLM calls: log them, load them, report them."""
