#!/bin/sh
# Builds a Debian package of this checkout, which has to be installed (npm ci) and built (npm run build).
#
# Usage: build.sh [DIRECTORY FOR THE PACKAGE]     needs dpkg-deb, node and npm; no root
#
# The package has wok with its dependencies in /usr/lib/wok, /usr/bin/wok, the unit, and
# /etc/wok/relay.conf. The native parts are those of this machine: build where the Node.js, the
# processor and the glibc are those of the target.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
out=$(cd "${1:-.}" && pwd)
cd "$root"
[ -f dist/src/wok.js ] || { echo 'build.sh: dist is missing; run npm run build' >&2; exit 1; }
version=$(node -p "require('./package.json').version")
architecture=$(dpkg --print-architecture)
node_major=$(node -p 'process.versions.node.split(".")[0]')
# The native parts fit this major version of Node.js only. The binaries of uWebSockets.js for Node.js 22
# and later need a newer glibc (src/lib/uws.ts).
case $node_major in
  20) node_min=20.19 libc_min=2.28 ;;
  22 | 24 | 25) node_min=$node_major libc_min=2.38 ;;
  *) echo "build.sh: uWebSockets.js has no binary for Node.js $node_major" >&2; exit 1 ;;
esac
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"

lib=$stage/usr/lib/wok
mkdir -p "$lib/dist" "$stage/usr/bin" "$stage/lib/systemd/system" "$stage/etc/wok" \
  "$stage/usr/share/doc/wok" "$stage/DEBIAN"
cp -r dist/src dist/workers dist/bench "$lib/dist/"
mkdir -p "$lib/src/web/browser"
cp src/web/browser/*.css src/web/browser/*.svg "$lib/src/web/browser/"
cp -r package.json schema.sql relay.conf deploy docs "$lib/"
cp LICENSE "$stage/usr/share/doc/wok/copyright"

# What is needed to run, as npm knows it; the links are followed.
modules=$(cd -P node_modules && pwd)
npm ls --omit=dev --all --parseable 2>/dev/null | sed -n 's#^.*/node_modules/##p' | sort -u |
  while read -r name; do
    [ -d "$modules/$name" ] || continue
    mkdir -p "$lib/node_modules/$name"
    cp -r "$modules/$name/." "$lib/node_modules/$name/"
  done

# Native parts of other systems, and what the others were compiled from.
abi=$(node -p process.versions.modules)
cpu=$(node -p process.arch)
find "$lib/node_modules/uWebSockets.js" -name '*.node' ! -name "uws_linux_${cpu}_$abi.node" -delete
find "$lib/node_modules/koffi" "$lib/node_modules/@koromix" -name '*.node' 2>/dev/null |
  grep -v "linux_$cpu/\|linux-$cpu/" | xargs -r rm -f
rm -rf "$lib/node_modules/koffi/vendor" "$lib/node_modules/koffi/doc"
find "$lib/node_modules" -type d -path '*/prebuilds/*' ! -name "linux-$cpu*" -prune -exec rm -rf {} +
find "$lib/node_modules" -type d \( -path '*/better-sqlite3/deps' -o -path '*/build/Release/obj*' \
  -o -path '*/secp256k1/src' \) -prune -exec rm -rf {} +
find "$lib/node_modules" -type f \( -name '*.map' -o -name '*.o' -o -name '*.a' -o -name '*.cc' \
  -o -name '*.hh' -o -name '*.cpp' \) -delete

ln -s ../lib/wok/dist/src/wok.js "$stage/usr/bin/wok"
chmod 755 "$lib/dist/src/wok.js"
cp deploy/systemd/wok.service "$stage/lib/systemd/system/"
sed 's#^directory = .*#directory = "/var/lib/wok"#' relay.conf > "$stage/etc/wok/relay.conf"
chmod 640 "$stage/etc/wok/relay.conf"

cat > "$stage/DEBIAN/control" <<CONTROL
Package: wok
Version: $version
Architecture: $architecture
Maintainer: wok <wok@localhost>
Section: net
Priority: optional
Depends: nodejs (>= $node_min~), nodejs (<< $((node_major + 1))~), libc6 (>= $libc_min), adduser
Recommends: libsecp256k1-1 | libsecp256k1-2 | libsecp256k1-0
Description: Nostr relay for one busy machine
 wok keeps its events in a single SQLite file, answers exactly, and loses nothing
 that it has acknowledged. systemctl enable --now wok starts it.
CONTROL
echo /etc/wok/relay.conf > "$stage/DEBIAN/conffiles"
cat > "$stage/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  getent passwd wok > /dev/null ||
    adduser --system --group --home /var/lib/wok --no-create-home --quiet wok
  install -d -o wok -g wok -m 0750 /var/lib/wok
  chown root:wok /etc/wok
  # A removed configuration is replaced by the defaults.
  if [ -e /etc/wok/relay.conf ]; then chown root:wok /etc/wok/relay.conf; fi
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # An upgrade: the new version takes over from the old one without refusing a connection.
    if [ -n "$2" ] && systemctl --quiet is-active wok; then
      wok service restart --graceful || systemctl restart wok
    fi
  fi
fi
SCRIPT
cat > "$stage/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then systemctl disable --now --quiet wok; fi
SCRIPT
cat > "$stage/DEBIAN/postrm" <<'SCRIPT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$1" = purge ]; then
  echo 'The database stays in /var/lib/wok; remove it by hand if you want to.'
fi
SCRIPT
chmod 755 "$stage/DEBIAN/postinst" "$stage/DEBIAN/prerm" "$stage/DEBIAN/postrm"
package=$out/wok_${version}_$architecture.deb
dpkg-deb --root-owner-group -Zgzip -z1 --build "$stage" "$package" > /dev/null
echo "$package"
