"""Doctests here are those of the pages; scripts are run by the documentation's build."""

collect_ignore_glob = ["*.py"]
