#!/bin/sh
# Makes the lock files anew from the packages' pyproject.toml: current versions, for every
# supported Python and platform, with hashes. Needs uv (`pip install uv`).
set -eu
cd "$(dirname "$0")/.."

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --no-header \
        --no-emit-package movie-database --no-emit-package movie-api --no-emit-package movie-loader \
        --no-emit-package movie-jobs --no-emit-package movie-launcher --no-emit-package movie-testing "$@"
}

echo 'setuptools>=80' | compile - -o locks/build.txt
compile solution/*/pyproject.toml testing/pyproject.toml --extra embedded -o locks/dev.txt "${UPGRADE:---upgrade}"
for image in "api solution/api" "loader solution/data-loader"; do
    # shellcheck disable=SC2086 # two words on purpose
    set -- $image
    compile "$2/pyproject.toml" -c locks/dev.txt -o "locks/$1.txt"
done
compile solution/api/pyproject.toml solution/data-loader/pyproject.toml -c locks/dev.txt -o locks/worker.txt
compile solution/*/pyproject.toml --extra embedded -c locks/dev.txt -o locks/run.txt
