#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run-kill.sh API PLUGIN_FOLDER DRIVER_FOLDER DATA: kills the plug-in while it computes, as GIMP's Cancel does: the
# image is as it was. Then kills GIMP while the plug-in computes: the plug-in ends too.
set -em
here=$(dirname "$0")
# shellcheck source=tests/gimp/profile.sh
. "$here/profile.sh"
api=$1 plugin=$2 driver=$3
export SUMI_DATA="$4"
work=$(mktemp -d)
gimp=''
# shellcheck disable=SC2317 # trap calls it
stop ()
{
  [ -z "$gimp" ] || kill -KILL -- -"$gimp" 2> /dev/null || true
  wait
  rm -rf "$work" || true
}
trap stop EXIT

unset DISPLAY
make_profile "$api" "$work/gimp" "$plugin" "$driver"
args=(--no-interface --new-instance --no-data --no-fonts --stack-trace-mode=never)
if [ "$api" = 2 ]; then
  run_clean 2 "$work/gimp" gimp-console-2.10 "${args[@]}" --batch='(plug-in-sumi-test RUN-NONINTERACTIVE "kill")' \
    --batch='(gimp-quit 1)' > "$work/log" 2>&1 &
else
  run_clean 3 "$work/gimp" gimp-console-3.0 "${args[@]}" --batch-interpreter=plug-in-sumi-test --batch=kill --quit \
    > "$work/log" 2>&1 &
fi
gimp=$!

fail ()
{
  echo "not ok - $1"
  cat "$work/gimp/result" "$work/log"
  exit 1
}

said ()
{
  for _ in $(seq 300); do
    ! grep -qx "$1" "$work/gimp/result" 2> /dev/null || return 0
    sleep 0.1
  done
  fail "the driver did not say \"$1\""
}

# working: prints the id of the plug-in that this GIMP started
working ()
{
  for _ in $(seq 100); do
    for p in /proc/[0-9]*; do
      [ "$(readlink "$p/exe" 2> /dev/null)" = "$(realpath "$plugin/sumi")" ] || continue
      if tr '\0' '\n' < "$p/environ" 2> /dev/null | grep -qxF "GIMP${api}_DIRECTORY=$work/gimp"; then
        echo "${p#/proc/}"
        return
      fi
    done
    sleep 0.1
  done
  fail "the plug-in does not run"
}

said computing
pid=$(working)
sleep 1
kill -KILL "$pid" || fail "the plug-in was too fast"
said 'computing again'
cat "$work/gimp/result"
! grep '^not ok' "$work/gimp/result" || exit 1

pid=$(working)
sleep 1
kill -0 "$pid" || fail "the plug-in was too fast"
# GIMP alone: the program whose child the plug-in is
kill -KILL "$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status")"
for _ in $(seq 50); do
  if [ ! -d "/proc/$pid" ] || grep -q '^State:.*zombie' "/proc/$pid/status"; then
    echo "ok - it ended with GIMP"
    exit 0
  fi
  sleep 0.1
done
fail "the plug-in goes on without GIMP"
