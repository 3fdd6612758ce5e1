"""The kit of recorded answers, where it lies beside the project."""

import subprocess
import sys
from pathlib import Path

import pytest

from sispy.sandbox import Faults, Sandbox

KIT = Path(__file__).parents[4] / "shared" / "conformance"


@pytest.mark.skipif(not (KIT / "recorded.json").exists(), reason=f"no conformance kit at {KIT}")
def test_the_kit_finds_no_difference():
    with Sandbox(password="secret", cors=True, allow_hosts=["x"], faults=Faults(defects=True)) as sis:
        command = [sys.executable, str(KIT / "conformance.py"), "check", str(KIT / "recorded.json")]
        options = ["--url", sis.url, "--user", "root", "--password", "secret", "-q", "--strict"]
        run = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert run.stdout.splitlines()[-2:] == ["0 differ in allowed ways", "872 passed, 0 failed"], run.stdout
