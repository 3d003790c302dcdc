# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# For the programs of this folder: each takes the source tree as its first argument and prints TAP.
set -u
export LC_ALL=C
cd "${1:?usage: $0 SOURCE-TREE}" || exit 1

tap_count=0
tap_failed=0

# tap NAME PROBLEMS: ok if PROBLEMS is empty, else not ok; one line for each goes to standard error, which meson shows
tap ()
{
  tap_count=$((tap_count + 1))
  if [ -z "$2" ]; then
    printf 'ok %d %s\n' "$tap_count" "$1"
  else
    printf 'not ok %d %s\n' "$tap_count" "$1"
    printf '%s\n' "$2" | sed 's/^/# /' >&2
    tap_failed=$((tap_failed + 1))
  fi
}

tap_skip ()
{
  tap_count=$((tap_count + 1))
  printf 'ok %d %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

tap_done ()
{
  printf '1..%d\n' "$tap_count"
  [ "$tap_failed" = 0 ]
}

# every file of the tree that is not git's and not built
tree_files ()
{
  find . \( -path ./.git -o -path './build*' -o -name __pycache__ -o -path ./.cache \) -prune -o -type f -print |
    sed 's,^\./,,' | sort
}

# those of them that people write as text
text_files ()
{
  tree_files | grep -vE '(^|/)LICENSE$|\.(safetensors|gguf|png|jpe?g|webp|tiff?|icc|xcf|orig|rej)$'
}
