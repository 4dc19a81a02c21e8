"""What appears on the terminal, and what happens there: words, progress, reports, Ctrl-C."""
