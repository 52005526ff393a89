"""Settings that every test shares."""

import hypothesis

# The same examples on every run and machine; a shared machine's speed decides nothing.
hypothesis.settings.register_profile(
    "repeatable", derandomize=True, deadline=None, max_examples=50, print_blob=False
)
hypothesis.settings.load_profile("repeatable")
