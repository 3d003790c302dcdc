#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run-gui.sh API PLUGIN_FOLDER DRIVER_FOLDER DATA [SHOTS]: one call as a user makes it, under Xvfb: the dialog opens,
# Return runs it, one Ctrl+Z takes everything back. SHOTS: a folder that receives screenshots. Exits 77 (skipped)
# without Xvfb.
set -em # a process group for each job: GIMP and its plug-ins end together
here=$(dirname "$0")
# shellcheck source=tests/gimp/profile.sh
. "$here/profile.sh"
api=$1 plugin=$2 driver=$3 shots=${5:-}
export SUMI_DATA="$4"
for program in Xvfb xdotool; do
  command -v $program > /dev/null || { echo "skipped: there is no $program"; exit 77; }
done

work=$(mktemp -d)
xvfb='' gimp=''
stop ()
{
  [ -z "$gimp" ] || kill -- -"$gimp" 2> /dev/null || true
  [ -z "$xvfb" ] || kill -- -"$xvfb" 2> /dev/null || true
  wait
  rm -rf "$work" || true
}
trap stop EXIT

unset DISPLAY
make_profile "$api" "$work/gimp" "$plugin" "$driver"
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3> "$work/display" > "$work/xvfb.log" 2>&1 &
xvfb=$!
for _ in $(seq 100); do [ ! -s "$work/display" ] || break; sleep 0.1; done
DISPLAY=:$(tr -d '\n' < "$work/display")
export DISPLAY
for _ in $(seq 100); do ! xdotool getdisplaygeometry > /dev/null 2>&1 || break; sleep 0.1; done

args=(--new-instance --no-data --no-fonts --no-splash --console-messages --stack-trace-mode=never)
if [ "$api" = 2 ]; then
  run_clean 2 "$work/gimp" gimp-2.10 "${args[@]}" --batch='(plug-in-sumi-test RUN-NONINTERACTIVE "gui")' \
    --batch='(gimp-quit 1)' > "$work/log" 2>&1 &
else
  run_clean 3 "$work/gimp" gimp-3.0 "${args[@]}" --batch-interpreter=plug-in-sumi-test --batch=gui --quit \
    > "$work/log" 2>&1 &
fi
gimp=$!

# window NAME: waits for it and prints its id
window ()
{
  for _ in $(seq 150); do
    id=$(xdotool search --onlyvisible --name "$1" 2> /dev/null | tail -1) || true
    [ -z "$id" ] || { echo "$id"; return; }
    sleep 0.2
  done
  echo "no window \"$1\" came" >&2
  return 1
}

# said LINE: waits for a line of the driver's report
said ()
{
  for _ in $(seq 150); do
    ! grep -q "$1" "$work/gimp/result" 2> /dev/null || return 0
    kill -0 $gimp 2> /dev/null || return 1
    sleep 0.2
  done
  echo "the driver did not say \"$1\"" >&2
  return 1
}

shot ()
{
  [ -z "$shots" ] || { mkdir -p "$shots"; sleep 0.7; import -window root "$shots/gimp$api-$1.png"; }
}

press ()
{
  xdotool windowfocus "$1"
  sleep 0.3
  xdotool key "$2"
}

ok=yes
dialog=$(window '^Upscale$') || ok=no
if [ $ok = yes ]; then
  shot dialog
  press "$dialog" Return
  if said '^waiting for undo'; then
    shot after
    main=$(window 'GIMP$')
    press "$main" ctrl+z
    said '^undone' || ok=no
    shot undone
    # cancelled, the second time
    dialog=$(window '^Upscale$') && press "$dialog" Escape
    said '^cancelled' || ok=no
  else
    ok=no
  fi
fi
said 'checks,' || ok=no
for _ in $(seq 50); do kill -0 $gimp 2> /dev/null || break; sleep 0.2; done
cat "$work/gimp/result" || true
if [ $ok = no ] || ! grep -qx PASSED "$work/gimp/result"; then
  shot failed
  echo "--- GIMP said:"
  cat "$work/log"
  exit 1
fi
