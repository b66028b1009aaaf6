"""The dashboard in a real browser, on the data of the demo: `make browser`."""
