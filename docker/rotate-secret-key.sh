#!/bin/sh
# Puts a new SECRET_KEY beside the one in use. In which order, and when the old one goes, README says: "Rotating".
#   add: every process can read the new key and still writes with the old one · use: they write with the new one ·
#   drop: the old one is gone
set -eu
file=${SECRETS_DIR:-/run/tributary}/secret_key
keys=$(cat "$file")
umask 077

case ${1:-} in
  add) keys=$keys,$(node -e 'process.stdout.write(require("node:crypto").randomBytes(32).toString("hex"))') ;;
  use) keys=${keys##*,},${keys%,*} ;;
  drop) keys=${keys%%,*} ;;
  *) echo "usage: $0 add|use|drop" >&2; exit 2 ;;
esac

printf %s "$keys" > "$file.new"
chown --reference="$file" "$file.new"
mv "$file.new" "$file"
