"""`assay doctor`: probes gather facts, judgements make findings of them; nothing is mended."""
