# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2154,SC2016
# A Debian of another release in a folder (a "root"), made once and cached, to build and test in.
# Needs debian.sh. All mounts live in a mount namespace of the command's own, so the kernel takes them away with
# it, however it ends; nothing is ever mounted on the host itself.

sumi_cache=${XDG_CACHE_HOME:-$HOME/.cache}/sumi
sumi_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

root_folder ()
{
  echo "$sumi_cache/debian-$1"
}

# Where /build of root_enter is on the host; one per source tree, so that two trees can share one root
root_build_folder ()
{
  echo "$sumi_cache/build/debian-$1-$(cksum <<<"$sumi_source" | cut -d' ' -f1)"
}

# root_impossible: says why no root can be made or entered here; fails if nothing speaks against it
root_impossible ()
{
  if ! can_be_root; then
    echo "it needs root or sudo without a password"
  elif ! "${as_root[@]}" unshare --mount --pid --fork --propagation private true 2>/dev/null; then
    echo "this system lets nobody unshare and mount (a container without CAP_SYS_ADMIN?)"
  else
    return 1
  fi
}

# The host's mirrors, for another release: "deb URI SUITE main" lines
root_sources ()
{
  local here there uri suite
  here=$(debian_codename "$(debian_release)")
  there=$(debian_codename "$1")
  apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
    sed -n 's/^Packages \(http[^ ]*\) \([^ ]*\) main$/\1 \2/p' | sort -u |
    while read -r uri suite; do
      case $suite in
        "$here"|"$here"-updates|"$here"-security) echo "deb $uri ${suite/#$here/$there} main" ;;
        stable*|oldstable*) echo "deb $uri $there${suite##*stable} main" ;;
      esac
    done | sort -u
}

# root_bootstrap RELEASE FOLDER: fills an empty folder
root_bootstrap ()
{
  local release=$1 folder=$2 packages sources options=()
  packages=$(debian_packages "$release" test | tr -s ' \n' ,)
  sources=$(root_sources "$release")
  # proxies, certificates and checks of the host's apt hold for the root as well
  apt-config dump --format '%F "%v";%n' Acquire |
    grep -E '^Acquire::(http|https|ftp|socks|tor|Check-|ForceIP|Allow|Max-)[^ ]* "[^"]' >"$folder.apt" || true
  printf '%s\n' 'APT::Install-Recommends "false";' 'Acquire::Languages "none";' 'Acquire::Retries "3";' >>"$folder.apt"
  options=(--mode=root --variant=minbase --include="${packages%,}" --aptopt="$folder.apt"
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*'
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*'
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    --customize-hook='mkdir -p "$1/src" "$1/build"' --quiet)
  "${as_root[@]}" mmdebstrap "${options[@]}" "$(debian_codename "$release")" "$folder" - <<<"$sources"
}

# root_make RELEASE: makes the root if there is none, updates it if its package list has changed.
# Returns 1 on failure; a root that is not complete never gets the final name.
root_make ()
{
  local release=$1 folder wanted stamp fresh log
  folder=$(root_folder "$release")
  stamp=$folder.packages
  mkdir -p "$sumi_cache"
  exec 7>"$folder.lock"
  flock 7
  wanted=$(debian_packages "$release" test | tr -s ' \n' '\n' | sort)
  if [ -d "$folder" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    exec 7>&-
    return 0
  fi
  apt_install mmdebstrap debian-archive-keyring || { exec 7>&-; return 1; }
  log=$folder.log
  if [ -d "$folder" ] && [ -f "$stamp" ]; then
    say "Updating the Debian $release root in $folder"
    rm -f "$stamp"
    # shellcheck disable=SC2086
    if root_mount "$folder" "$sumi_source" /var/empty env DEBIAN_FRONTEND=noninteractive sh -c \
         'apt-get -qq update && apt-get -qq -y install "$@" && apt-get clean' sh $wanted </dev/null >"$log" 2>&1; then
      echo "$wanted" >"$stamp"
      rm -f "$log"
      exec 7>&-
      return 0
    fi
    say "The root could not be updated; making a new one"
  fi
  "${as_root[@]}" rm -rf --one-file-system "$folder" "$folder".new.*
  rm -f "$stamp"
  say "Making a Debian $release root in $folder (once, about a minute and 1.6 GB)"
  fresh=$(mktemp -d "$folder.new.XXXXXX")
  if root_bootstrap "$release" "$fresh" </dev/null >"$log" 2>&1 && "${as_root[@]}" mv -T "$fresh" "$folder"; then
    echo "$wanted" >"$stamp"
    rm -f "$log" "$fresh.apt"
    exec 7>&-
    return 0
  fi
  tail -n 20 "$log" >&2
  "${as_root[@]}" rm -rf --one-file-system "$fresh" "$fresh.apt"
  exec 7>&-
  return 1
}

# root_mount ROOT SOURCE BUILD COMMAND...: runs as root with the root's usual mounts, /src read-only, /build
root_mount ()
{
  "${as_root[@]}" unshare --mount --pid --fork --kill-child --propagation private bash -c '
    set -e
    root=$1 source=$2 build=$3
    shift 3
    mkdir -p "$root/src" "$root/build"
    mount -t proc proc "$root/proc"
    # devices of its own: what a test does to them as root must not reach the host
    mount -t tmpfs -o mode=755 dev "$root/dev"
    for d in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
      IFS=: read -r name major minor <<<"$d"
      mknod -m 666 "$root/dev/$name" c "$major" "$minor"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 pts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s /proc/self/fd/0 "$root/dev/stdin"
    ln -s /proc/self/fd/1 "$root/dev/stdout"
    ln -s /proc/self/fd/2 "$root/dev/stderr"
    mount -t sysfs -o ro sys "$root/sys" || mount -o ro,bind /sys "$root/sys"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    mount -o ro,bind "$source" "$root/src"
    [ "$build" = /var/empty ] || mount --bind "$build" "$root/build"
    for f in /etc/resolv.conf /etc/hosts; do
      [ -e "$root$f" ] || touch "$root$f"
      [ ! -e "$f" ] || mount --bind "$(readlink -f "$f")" "$root$f"
    done
    if [ -d /etc/ssl/certs ]; then
      mkdir -p "$root/etc/ssl/certs"
      mount -o ro,bind /etc/ssl/certs "$root/etc/ssl/certs"
    fi
    cd /
    exec chroot "$root" "$@"
  ' bash "$@"
}

# root_enter RELEASE COMMAND...: runs it as the calling user in /src (this source tree, read-only); /build is kept
# between calls, /tmp is not
root_enter ()
{
  local release=$1 folder build v keep=()
  shift
  folder=$(root_folder "$release")
  build=$(root_build_folder "$release")
  mkdir -p "$build/home"
  for v in CI TERM MESON_TESTTHREADS http_proxy https_proxy no_proxy; do
    [ -z "${!v:-}" ] || keep+=("$v=${!v}")
  done
  for v in "${!SUMI_@}"; do keep+=("$v=${!v}"); done
  (
    exec 7<"$folder.lock"
    flock -s 7
    root_mount "$folder" "$sumi_source" "$build" \
      setpriv --reuid "$(id -u)" --regid "$(id -g)" --clear-groups \
      env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/build/home LANG=C.UTF-8 "${keep[@]}" \
      sh -c 'cd /src && exec "$@"' sh "$@"
  )
}
