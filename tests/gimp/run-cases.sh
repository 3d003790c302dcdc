#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# run-cases.sh API PLUGIN_FOLDER DRIVER_FOLDER DATA GROUP: runs the cases of GROUP inside GIMP, without a display
set -e
here=$(dirname "$0")
# shellcheck source=tests/gimp/profile.sh
. "$here/profile.sh"
api=$1 plugin=$2 driver=$3 group=$5
export SUMI_DATA="$4"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset DISPLAY
make_profile "$api" "$work/gimp" "$plugin" "$driver"

if [ "$group" = german ]; then
  export SUMI_TEST_LANG=de_DE.UTF-8 LOCPATH="$work/locale"
  mkdir "$LOCPATH"
  localedef --no-archive -i de_DE -f UTF-8 "$LOCPATH/de_DE.UTF-8" > /dev/null 2>&1 ||
    { echo "skipped: no German locale can be made (Debian package locales)"; exit 77; }
fi

run_quiet ()
{
  program=$1
  shift
  run_clean "$api" "$work/gimp" "$program" --no-interface --new-instance --no-data --no-fonts \
    --stack-trace-mode=never "$@"
}

if [ "$api" = 2 ]; then
  run_quiet gimp-console-2.10 --batch="(plug-in-sumi-test RUN-NONINTERACTIVE \"$group\")" \
    --batch='(gimp-quit 1)' > "$work/log" 2>&1 || status=$?
else
  run_quiet gimp-console-3.0 --batch-interpreter=plug-in-sumi-test --batch="$group" --quit \
    > "$work/log" 2>&1 || status=$?
fi
cat "$work/gimp/result" 2>/dev/null || true
if [ "${status:-0}" != 0 ] || ! grep -qx PASSED "$work/gimp/result"; then
  echo "--- GIMP's exit status ${status:-0}; it said:"
  cat "$work/log"
  exit 1
fi
