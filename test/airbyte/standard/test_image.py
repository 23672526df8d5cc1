"""Airbyte's standard tests of an image: --connector-image names it."""

from airbyte_cdk.test.standard_tests.docker_base import DockerConnectorTestSuite


class TestImage(DockerConnectorTestSuite):
    pass
