"""Real work for the demo: classifiers on handwritten digits, and traces of real traffic."""
