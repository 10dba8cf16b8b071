#!/usr/bin/env bash
# Builds both programs and packs them for Debian, Ubuntu and RPM systems, into target/packages.
#
#   deploy/package.sh                    both static (musl), so that they start on any Linux
#   deploy/package.sh --built PROFILE    packs what was built for this machine already (dev or release), for tests
#   deploy/package.sh --version VERSION  gives the packages another version than Cargo.toml's
#   deploy/package.sh --only NAME        packs the agent or the collector alone
#
# Needs a Rust toolchain, musl-tools, lintian, rpm and binutils (Debian packages, installed where it may), cargo-deb and
# cargo-generate-rpm (installed by cargo into target/tools where they are missing).
set -euo pipefail
cd "$(dirname "$0")/.."

built= version= only=
while [ $# -gt 0 ]; do
  case "$1" in
    --built) built=${2:?--built takes dev or release}; shift 2 ;;
    --version) version=${2:?--version takes a Debian version}; shift 2 ;;
    --only) only=${2:?--only takes agent or collector}; shift 2 ;;
    *) echo "package.sh: unknown argument \`$1\`; it takes --built PROFILE, --version VERSION and --only NAME" >&2; exit 2 ;;
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

# Nothing of the system may be needed, no library, no loader, no symbol of its C library, or it does not start on the old
# ones.
refuse_dynamic() {
  local needs
  needs=$(
    readelf --dynamic --wide "$1" | grep NEEDED || true
    readelf --program-headers --wide "$1" | grep -w INTERP || true
    readelf --symbols --wide "$1" | grep -F @GLIBC || true
  )
  if [ -n "$needs" ]; then
    printf 'package.sh: `%s` needs something of the system:\n%s\n' "$1" "$needs" >&2
    exit 1
  fi
  # It says who it is without any of that.
  "$1" --version
}

# An RPM holds the program, its unit and its page, and says what it does when it comes and goes.
inspect_rpm() {
  local name=$1 rpm=$2 part
  for part in "/usr/bin/$name" "/usr/lib/systemd/system/$name.service" "/usr/share/man/man1/$name.1"; do
    rpm -qpl "$rpm" | grep -xF "$part" >/dev/null || { echo "package.sh: \`$rpm\` lacks $part" >&2; exit 1; }
  done
  for part in postinstall preuninstall postuninstall; do
    rpm -qp --scripts "$rpm" | grep "^$part scriptlet" >/dev/null || { echo "package.sh: \`$rpm\` has no $part script" >&2; exit 1; }
  done
  rpm -qpi "$rpm" | grep -E '^(Name|Version|Release|Architecture|License|Size)'
  rpm -qpR "$rpm"
}

wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

if [ -z "$built" ]; then
  need musl-gcc musl-tools
  need readelf binutils
  rustup target list --installed | grep -qx "$triple" || rustup target add "$triple"
  if wanted agent; then
    cargo build --locked --release -p shirase-agent --target "$triple"
    refuse_dynamic "$target/$triple/release/shirase-agent"
  fi
  if wanted collector; then
    cargo build --locked --release -p shirase-collector --target "$triple"
    refuse_dynamic "$target/$triple/release/shirase-collector"
  fi
  how=(--target "$triple") profile=release
else
  how=(--fast) profile=$built
fi

deb() {
  local package=$1
  shift
  cargo deb --package "$package" --no-build --locked --strip --profile "$profile" --output "$out" \
    ${version:+--deb-version "$version"} "$@"
}
! wanted agent || deb shirase-agent "${how[@]}"
! wanted collector || deb shirase-collector "${how[@]}"

# RHEL 8 unpacks xz.
rpm_options=(--output "$out" --payload-compress xz)
if [ -z "$built" ]; then
  need rpm rpm
  ! wanted agent || cargo generate-rpm --package agent "${rpm_options[@]}" --target "$triple"
  ! wanted collector || cargo generate-rpm --package collector "${rpm_options[@]}" --target "$triple"
  for rpm in "$out"/*.rpm; do
    case "$rpm" in
      */shirase-agent-*) inspect_rpm shirase-agent "$rpm" ;;
      */shirase-collector-*) inspect_rpm shirase-collector "$rpm" ;;
    esac
  done
fi

# It closes no bug of Debian, because it is no part of Debian. What an earlier run packed was looked at then.
need lintian lintian
made=()
! wanted agent || made+=("$out"/shirase-agent_*"${version:-}"*.deb)
! wanted collector || made+=("$out"/shirase-collector_*"${version:-}"*.deb)
lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "${made[@]}"
ls -l "$out"
