#!/bin/sh
# Install the service into a virtual environment: install.sh PREFIX, from the root of a checkout.
# Everything is pinned and hashed; the project itself is built without its dependencies.
set -eu
prefix=$1
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_QUIET=1

"${PYTHON:-python3}" -m venv "$build/env"
"$build/env/bin/python" -m pip install --no-deps --require-hashes --requirement requirements-build.txt
deploy/container/hashed_pip.sh requirements.txt "$build/env/bin/python" -m pip wheel --wheel-dir "$build"
"$build/env/bin/python" -m pip wheel --no-deps --no-build-isolation --wheel-dir "$build" .

"${PYTHON:-python3}" -m venv "$prefix"
"$prefix/bin/python" -m pip install --no-deps --no-index "$build"/*.whl
# Without h2corn's wheel the gate is grpcio, and pip would miss h2corn.
if ls "$build"/h2corn-*.whl > /dev/null 2>&1; then "$prefix/bin/python" -m pip check; fi
"$prefix/bin/python" -m compileall -q "$prefix/lib"
cp deploy/container/health.py "$prefix/health.py"
