"""neural-style (Johnson 2015) and neural-style-pt: their flags, their objective, this package's descent."""
