#!/bin/sh
# Mutates one module of dbtcloud or of the provider with cosmic-ray, and prints the mutants that its tests let live:
# scripts/mutants.sh dbtcloud.client.retry [tests/client/test_retry.py]. Works on a copy in .mutants.
set -eu
cd "$(dirname "$0")/.."
module=${1:?"name a module: make mutants MODULE=dbtcloud.client.retry"}
path=$(echo "$module" | tr . /).py
name=$(basename "$path")
case $module in
dbtcloud.*) root=dbtcloud source=src/$path python=$PWD/.venv-dbtcloud/bin/python folder=${path#dbtcloud/} ;;
*) root=. source=$path python=$PWD/.venv/bin/python folder=${path#airflow_dbt_cloud/} ;;
esac
tests=${2:-tests/$(dirname "$folder")/test_$name}
[ -f "$root/$source" ] || { echo "There is no $root/$source." >&2; exit 1; }
[ -f "$root/$tests" ] || { echo "There is no $root/$tests: name the tests with TESTS=." >&2; exit 1; }

rm -rf .mutants
mkdir .mutants
cp -R dbtcloud airflow_dbt_cloud tests pyproject.toml scripts .mutants/
# Its own environment: what it needs is not what the project needs.
tool="$(command -v uv || echo "$PWD/.venv-tools/bin/uv") tool run --quiet --from cosmic-ray==8.4.6"
cd ".mutants/$root"
export PYTHONPATH="$PWD/src:$PWD" PYTHONDONTWRITEBYTECODE=1
cat >mutants.toml <<EOF
[cosmic-ray]
module-path = "$source"
timeout = 60.0
excluded-modules = []
test-command = "$python -m pytest -x -q -p no:cacheprovider -m 'not dbt and not contract' $tests"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
# Nearly every | stands in an annotation, which nothing evaluates.
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]
EOF
$tool cosmic-ray baseline mutants.toml
$tool cosmic-ray init mutants.toml mutants.sqlite
$tool cr-filter-operators mutants.sqlite mutants.toml
$tool cosmic-ray exec mutants.toml mutants.sqlite
$tool cr-report mutants.sqlite --surviving-only --show-diff
