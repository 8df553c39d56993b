#!/usr/bin/env bash
# Builds and signs a release.
set -euo pipefail

readonly VERSION_FILE=VERSION
OUT=${OUT:-dist}

usage() {
  echo "usage: $0 [--dry-run] VERSION" >&2
}

# Prints the version that is checked in.
function current_version {
  cat "$VERSION_FILE"
}

build() (
  mkdir -p "$OUT"
  tar cf - . | gzip > "$OUT/$1.tar.gz"
)

function sign() {
  local key=$2
  gpg --local-user "$key" --detach-sign "$OUT/$1.tar.gz"
}

main() {
  case ${1-} in
    '' | -h) usage; exit 2 ;;
  esac
  build "$1" && sign "$1" "${KEY:?}"
}

main "$@"
