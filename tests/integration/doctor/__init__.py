"""The doctor and real servers, with faults that are planted."""
