#!/usr/bin/env bash
# Builds the agent for Windows and packs it as an installer package, into target/packages. Wants a Rust toolchain and the
# Debian packages gcc-mingw-w64-x86-64 and wixl, which it installs where it may.
#
#   deploy/windows/package.sh                    the release build
#   deploy/windows/package.sh --built PROGRAM    packs a shirase-agent.exe that is there already, for tests
#   deploy/windows/package.sh --version VERSION  gives it another version than Cargo.toml's; three numbers
set -euo pipefail
cd "$(dirname "$0")/../.."

program= version=$(grep -m1 '^version' Cargo.toml | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')
while [ $# -gt 0 ]; do
  case "$1" in
    --built) program=$(realpath "${2:?--built takes a file}"); shift 2 ;;
    --version) version=${2:?--version takes three numbers}; shift 2 ;;
    *) echo "package.sh: unknown argument \`$1\`; it takes --built PROGRAM and --version VERSION" >&2; exit 2 ;;
  esac
done
# The installer compares these three and ignores a fourth; each ends at 255, 255 and 65535.
[[ $version =~ ^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,5}$ ]] || { echo "package.sh: \`$version\` is no version; write 1.2.3" >&2; exit 2; }

target=${CARGO_TARGET_DIR:-$PWD/target}
triple=x86_64-pc-windows-gnu

need() {
  command -v "$1" >/dev/null && return
  if [ "$(id -u)" -ne 0 ]; then echo "package.sh: not root; install the Debian package \`$2\` first" >&2; exit 1; fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2"
}

need wixl wixl
if [ -z "$program" ]; then
  need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
  rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
  cargo build --locked --release -p shirase-agent --bin shirase-agent --target "$triple"
  program=$target/$triple/release/shirase-agent.exe
fi

# wixl takes files from where it runs.
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp "$program" "$stage/shirase-agent.exe"
cp deploy/agent.toml "$stage/agent.default.toml"
cp LICENSE "$stage/LICENSE.txt"
cp deploy/windows/shirase-agent.wxs "$stage/"
mkdir -p "$target/packages"
(cd "$stage" && wixl --arch x64 -D "Version=$version" -o agent.msi shirase-agent.wxs)
mv "$stage/agent.msi" "$target/packages/shirase-agent-$version-x64.msi"
ls -l "$target/packages/shirase-agent-$version-x64.msi"
