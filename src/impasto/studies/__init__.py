"""Looking at networks and papers: figures, visualizations of units, normalization, measures of finished pictures."""
