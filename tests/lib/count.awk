# SPDX-License-Identifier: GPL-3.0-or-later
# Reads meson's testlog.json (one test program a line, its output in it) and prints "PASSED FAILED SKIPPED", where
# each TAP line of a program counts as one test, and a program that printed none as one.
{
  # quotes inside the output are escaped, so these keys are found only where they are keys
  if (!match ($0, /"result": "[A-Z]+"/))
    next
  result = substr ($0, RSTART + 11, RLENGTH - 12)
  ok = not_ok = skip = 0
  if (match ($0, /"stdout": "([^"\\]|\\.)*"/))
    {
      n = split (substr ($0, RSTART + 11, RLENGTH - 12), line, /\\n/)
      for (i = 1; i <= n; i++)
        {
          if (line[i] !~ /^ *(not )?ok( |$)/)
            continue
          if (tolower (line[i]) ~ /# skip|^ *ok - skipped/)
            skip++
          else if (line[i] ~ /^ *ok/ || line[i] ~ /# TODO/)
            ok++
          else
            not_ok++
        }
    }
  if (result == "SKIP" && ok + not_ok + skip == 0)
    skip = 1
  else if ((result == "OK" || result == "EXPECTEDFAIL") && ok + not_ok + skip == 0)
    ok = 1
  else if (result !~ /^(OK|EXPECTEDFAIL|SKIP)$/ && not_ok == 0)
    not_ok = 1
  passed += ok
  failed += not_ok
  skipped += skip
}
END { print passed + 0, failed + 0, skipped + 0 }
