#!/usr/bin/env bash
# Builds both programs and runs the whole road once on this machine: agent, collector and a mail sink on loopback.
#
#   deploy/quickstart.sh [DIR]           stays until Ctrl-C; state goes to DIR (default: ./target/quickstart)
#   deploy/quickstart.sh [DIR] --drill   orders a drill, takes it to an approved PDF through the console's own pages, ends
#
# Needs a Rust toolchain with a C compiler, and for the PDF a Japanese font, which it installs where it may.
set -euo pipefail
cd "$(dirname "$0")/.."

font_there() {
  # A folder that is not there makes find fail, which says nothing about fonts.
  { find /usr/share/fonts /usr/local/share/fonts "$HOME/.fonts" "$HOME/.local/share/fonts" -type f 2>/dev/null || true; } |
    grep -ciE 'BIZ-?UD|NotoSans(CJK|JP)|ipaex|VL-?Gothic' >/dev/null
}

if ! font_there; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "quickstart: installing a Japanese font for the report (fonts-morisawa-bizud-gothic)" >&2
    apt-get update -qq && apt-get install -y -qq --no-install-recommends fonts-morisawa-bizud-gothic >&2
  else
    echo "quickstart: no Japanese font found; install one first, on Debian or Ubuntu:" >&2
    echo "  sudo apt-get install fonts-morisawa-bizud-gothic" >&2
    exit 1
  fi
fi

echo "quickstart: building both programs; a first build takes some minutes" >&2
cargo build --workspace --locked --bins
# Started by its path: `cargo run -p` would build a third of the crates again, with the features of one package only.
exec "${CARGO_TARGET_DIR:-target}/debug/quickstart" "$@"
