"""The newcomer's first run: `make demo` on a Debian where nothing is installed."""

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator

import docker
import pytest
from testcontainers.core.container import DockerContainer

from support import servers
from support.servers import ROOT

IMAGE = "debian:trixie-slim"

pytestmark = [pytest.mark.demo, pytest.mark.timeout(3600)]


@pytest.fixture
def run() -> Iterator[Callable[[str], str]]:
    """Run a shell command in the checkout on a clean machine, and return what it printed."""
    if not servers.docker_engine():
        pytest.skip("no Docker engine answers")
    if not has_image(IMAGE):
        pytest.skip(f"the image {IMAGE} is neither here nor to be had")
    with DockerContainer(IMAGE).with_command("sleep infinity") as machine:
        container = machine.get_wrapped_container()
        container.put_archive("/", checkout("root/logintel"))

        def run(command: str) -> str:
            code, output = container.exec_run(["bash", "-c", command], workdir="/root/logintel")
            assert code == 0, f"{command} failed:\n{output.decode()[-4000:]}"
            return output.decode()

        yield run


def has_image(name: str) -> bool:
    client = docker.from_env()
    try:
        client.images.get(name)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(name)
        except docker.errors.APIError:
            return False
    return True


def checkout(folder: str) -> bytes:
    """Pack the files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in filter(None, names):
            if (ROOT / name).exists():
                archive.add(ROOT / name, f"{folder}/{name}")
    return packed.getvalue()


def test_demo_goes_from_nothing_to_predictions_and_can_be_run_again(run: Callable[[str], str]):
    run("apt-get update -qq && apt-get install -y -qq --no-install-recommends make")
    for _ in range(2):
        printed = run("make demo")
        for view in ("ml_status", "ml_corrections", "ml_anomalies", "ml_recent_predictions"):
            assert view in printed
    assert int(run('psql -At "$(make -s dsn)" -c "SELECT count(predicted_level) FROM ml_predictions"')) > 0
    run("make clean")
    assert run("ls -d build .venv /var/lib/logintel/* 2>/dev/null | cat") == ""
