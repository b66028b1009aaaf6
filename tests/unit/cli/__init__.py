"""The program `assay`, without servers."""
