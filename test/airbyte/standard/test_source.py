"""Airbyte's standard tests of a source, on the executable that CLEARGRID_EXECUTABLE names."""

import json
import os
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path

from airbyte_cdk.models import AirbyteMessageSerializer, AirbyteStateMessageSerializer, Type
from airbyte_cdk.sources import Source
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase


class ProcessSource(Source):
    """Passes each command on to the process, and its messages back."""

    def spec(self, logger):
        return self._only(Type.SPEC, "spec").spec

    def check(self, logger, config):
        return self._only(Type.CONNECTION_STATUS, "check", config=config).connectionStatus

    def discover(self, logger, config):
        return self._only(Type.CATALOG, "discover", config=config).catalog

    def read(self, logger, config, catalog, state=None):
        states = [AirbyteStateMessageSerializer.dump(entry) for entry in state or []]
        yield from self._run("read", config=config, catalog=asdict(catalog), state=states)

    def _only(self, kind, command, **files):
        return next(message for message in self._run(command, **files) if message.type == kind)

    @staticmethod
    def _run(command, **files):
        with tempfile.TemporaryDirectory() as folder:
            arguments = [os.environ["CLEARGRID_EXECUTABLE"], command]
            for name, content in files.items():
                path = Path(folder, f"{name}.json")
                path.write_text(json.dumps(content, default=lambda value: value.value))
                arguments += [f"--{name}", str(path)]
            ended = subprocess.run(arguments, capture_output=True, check=False)
        for line in ended.stdout.splitlines():
            yield AirbyteMessageSerializer.load(json.loads(line))
        if ended.returncode != 0:
            raise RuntimeError(f"{command} ended with {ended.returncode}: {ended.stderr.decode()}")


class TestSource(SourceTestSuiteBase):
    connector = ProcessSource
