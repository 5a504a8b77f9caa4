"""What a call costs: the user's own prices, then genai-prices, then unknown."""
