"""Tests a running gateway against its own OpenAPI document: drive.py URL ADMIN_TOKEN

Everything that may change accounts and tokens runs last, for it may take away what it runs with.
"""

import os
import pathlib
import subprocess
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
EXAMPLES = os.environ.get("POSTRIDER_EXAMPLES", "10")
CREDENTIALS = "^/v1/(accounts|tokens)"


def run(url, token, *which):
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    arguments = ["--config-file", HERE / "schemathesis.toml", "run", f"{url}/openapi.json", *which]
    arguments += ["--checks", "all", "--max-examples", EXAMPLES, "--workers", "1", "--no-shrink", "--no-color"]
    arguments += ["--seed", "1", "--request-timeout", "10", "--header", f"Authorization: Bearer {token}"]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": str(HERE / "rules.py")}
    return subprocess.run([program, *arguments], env=environment).returncode


def main(url, token):
    failed = run(url, token, "--exclude-path-regex", CREDENTIALS)
    # Had the token been lost on the way, most requests would have tested nothing.
    request = urllib.request.Request(f"{url}/v1/accounts", headers={"Authorization": f"Bearer {token}"})
    urllib.request.urlopen(request, timeout=10)
    return failed or run(url, token, "--include-path-regex", CREDENTIALS)


sys.exit(main(*sys.argv[1:]))
