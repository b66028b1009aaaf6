"""How events become numbers: cells of integers, sketches, intervals, the metrics answer."""
