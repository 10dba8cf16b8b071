#!/usr/bin/env bash
# Builds both programs and packs them for Debian, Ubuntu and RPM systems, into target/packages.
#
#   deploy/package.sh                    the agent static (musl), so that it starts on any Linux; the collector for this one
#   deploy/package.sh --built PROFILE    packs what was built for this machine already (dev or release), for tests
#   deploy/package.sh --version VERSION  gives the packages another version than Cargo.toml's
#
# Needs a Rust toolchain, musl-tools and lintian (Debian packages, installed where it may), cargo-deb and
# cargo-generate-rpm (installed by cargo into target/tools where they are missing).
set -euo pipefail
cd "$(dirname "$0")/.."

built= version= fast=
while [ $# -gt 0 ]; do
  case "$1" in
    --built) built=${2:?--built takes dev or release}; shift 2 ;;
    --version) version=${2:?--version takes a Debian version}; shift 2 ;;
    *) echo "package.sh: unknown argument \`$1\`; it takes --built PROFILE and --version VERSION" >&2; exit 2 ;;
  esac
done

target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/packages
triple=x86_64-unknown-linux-musl
mkdir -p "$out"
export PATH=$target/tools/bin:$PATH

tool() {
  local name=$1 wanted=$2
  command -v "$name" >/dev/null || cargo install "$name" --version "$wanted" --locked --root "$target/tools"
}
tool cargo-deb 3.8.0
tool cargo-generate-rpm 0.21.1

need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" -ne 0 ]; then echo "package.sh: not root; install the Debian package \`$2\` first" >&2; exit 1; fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2"
}

# No library of the system may be needed, or the agent does not start on the old ones.
refuse_dynamic() {
  if readelf --dynamic "$1" | grep -q NEEDED; then
    echo "package.sh: \`$1\` needs libraries of the system: $(readelf --dynamic "$1" | grep NEEDED)" >&2
    exit 1
  fi
}

if [ -z "$built" ]; then
  need musl-gcc musl-tools
  rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
  cargo build --locked --release -p shirase-agent --target "$triple"
  refuse_dynamic "$target/$triple/release/shirase-agent"
  cargo build --locked --release -p shirase-collector
  agent=(--target "$triple") profile=release
else
  agent=(--fast) profile=$built fast=--fast
fi

deb() {
  local package=$1
  shift
  cargo deb --package "$package" --no-build --locked --strip --profile "$profile" --output "$out" \
    ${version:+--deb-version "$version"} "$@"
}
deb shirase-agent "${agent[@]}"
deb shirase-collector ${fast:+"$fast"}

if [ -z "$built" ]; then
  for package in agent collector; do
    options=(--package "$package" --output "$out")
    [ "$package" = collector ] || options+=(--target "$triple")
    cargo generate-rpm "${options[@]}"
  done
fi

# It closes no bug of Debian, because it is no part of Debian.
need lintian lintian
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$out"/*.deb
ls -l "$out"
