#!/bin/sh
# Puts a new SECRET_KEY beside the one in use. In which order, and when the old one goes, README says: "Rotating".
#   add: every process can read the new key and still writes with the old one · use: they write with the new one ·
#   drop: the old one is gone
set -eu
file=${SECRETS_DIR:-/run/tributary}/secret_key
keys=$(cat "$file")
last=$(cat "$file.step" 2>/dev/null || echo drop)
umask 077

# Each once: a second `use` would put the old key in front again, and `drop` would then lose the new one.
case "$last ${1:-}" in
  'drop add') keys=$keys,$(node -e 'process.stdout.write(require("node:crypto").randomBytes(32).toString("hex"))') ;;
  'add use') keys=${keys##*,},${keys%,*} ;;
  'use drop') keys=${keys%%,*} ;;
  *) echo "usage: $0 add, then use, then drop; the last step was: $last" >&2; exit 2 ;;
esac

# The step first: cut off between the two, the steps that follow lose no key that is in use.
printf %s "$1" > "$file.step"
printf %s "$keys" > "$file.new"
chown --reference="$file" "$file.new"
mv "$file.new" "$file"
