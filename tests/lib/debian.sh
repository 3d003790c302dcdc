# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What Debian is this, which packages does Sumi need there, and how are they installed.
# Sourced by tests/run, tests/root and data/try-it.

# Empty for root. Without a terminal sudo must not wait for a password.
as_root=()
if [ "$(id -u)" != 0 ]; then
  if [ -t 0 ]; then as_root=(sudo); else as_root=(sudo -n); fi
  as_root+=(env)
  # sudo drops them, and apt needs them
  for v in http_proxy https_proxy no_proxy; do
    [ -z "${!v:-}" ] || as_root+=("$v=${!v}")
  done
fi

say ()
{
  printf '%s\n' "$*" >&2
}

die ()
{
  say "$(basename "$0"): $*"
  exit 1
}

can_be_root ()
{
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && "${as_root[@]}" true 2>/dev/null; }
}

# 12 or 13; nothing on a system that is neither
debian_release ()
(
  # shellcheck disable=SC1091
  . /etc/os-release 2>/dev/null || exit 0
  [ "${ID:-}" = debian ] || exit 0
  case ${VERSION_ID:-} in 12|13) echo "$VERSION_ID" ;; esac
)

debian_codename ()
{
  case $1 in
    12) echo bookworm ;;
    13) echo trixie ;;
    *) return 1 ;;
  esac
}

# debian_packages RELEASE try-it|test: what is needed to build and use, or also to test
debian_packages ()
{
  echo gcc libc6-dev meson ninja-build pkg-config gettext libglib2.0-dev libvips-dev liblcms2-dev \
    libgexiv2-dev libgtk-3-dev gimp
  case $1 in
    12) echo libgimp2.0-dev ;;
    13) echo libgimp-3.0-dev ;;
  esac
  if [ "$2" = test ]; then
    echo xvfb xauth xdotool imagemagick locales
  fi
}

# apt_install PACKAGE...: installs what is missing; tries again, for mirrors are sometimes busy
apt_install ()
{
  local missing=() p log try
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600
    -o Dpkg::Use-Pty=0 -o DPkg::Options::=--force-unsafe-io)
  for p in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! can_be_root; then
    say "These packages are missing and only root can install them; please run this and try again:"
    say "  sudo apt-get install --no-install-recommends ${missing[*]}"
    return 1
  fi
  say "Installing ${missing[*]}"
  log=$(mktemp)
  for try in 1 2 3; do
    if "${as_root[@]}" "${apt[@]}" update </dev/null >"$log" 2>&1 &&
       "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1; then
      rm -f "$log"
      return 0
    fi
    [ "$try" = 3 ] || sleep $((try * 5))
  done
  tail -n 30 "$log" >&2
  rm -f "$log"
  say "apt-get could not install ${missing[*]} (see above). Is there a network, and does 'apt-get update' work?"
  return 1
}
