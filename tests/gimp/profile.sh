# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# Sourced: makes a private GIMP profile that knows only what a test needs.
#   make_profile API DIR PLUGIN_FOLDER...
make_profile ()
{
  api=$1 dir=$2
  shift 2
  pc=gimp-$([ "$api" = 2 ] && echo 2.0 || echo 3.0)
  core=$(pkg-config --variable=gimplibdir "$pc")/plug-ins
  data=$(pkg-config --variable=gimpdatadir "$pc")
  rm -rf "$dir"
  mkdir -p "$dir/plug-ins" "$dir/scripts" "$dir/none" "$dir/home"
  for p in script-fu file-png; do
    [ ! -e "$core/$p" ] || ln -s "$core/$p" "$dir/plug-ins/$p"
  done
  for p in "$@"; do ln -s "$(realpath "$p")" "$dir/plug-ins/$(basename "$p")"; done
  # Script-Fu of GIMP 3.0 crashes unless its path has two entries, one of them with scriptfu-init/
  init=$data/scripts/scriptfu-init
  [ ! -d "$init" ] || ln -s "$init" "$dir/scripts/scriptfu-init"
  cat > "$dir/gimprc" <<RC
(plug-in-path "$dir/plug-ins")
(script-fu-path "$dir/none:$dir/scripts")
(module-path "$dir/none")
(color-profile-policy keep)
(check-updates no)
(save-document-history no)
RC
  if [ "$api" = 3 ]; then
    version=$(pkg-config --modversion gimp-3.0)
    printf '(%s)\n' "config-version \"$version\"" 'show-welcome-dialog no' 'metadata-rotation-policy keep' \
      >> "$dir/gimprc"
  fi
}

# run_clean API DIR COMMAND...: nothing of the caller's environment but what a test needs
run_clean ()
{
  api=$1 dir=$2
  shift 2
  env -i PATH=/usr/bin:/bin HOME="$dir/home" LANG="${SUMI_TEST_LANG:-C.UTF-8}" ${LOCPATH:+LOCPATH="$LOCPATH"} \
    ${DISPLAY:+DISPLAY="$DISPLAY"} NO_AT_BRIDGE=1 "GIMP${api}_DIRECTORY=$dir" BABL_PATH_LENGTH=2 GEGL_USE_OPENCL=no \
    SUMI_DATA="$SUMI_DATA" SUMI_TEST_RESULT="$dir/result" ASAN_OPTIONS=detect_leaks=0 "$@"
}
