"""Reading along on the body of an HTTP response, while the application reads it."""
