"""Runs pytest in the current folder."""

import sys

import pytest

sys.exit(pytest.main(sys.argv[1:]))
