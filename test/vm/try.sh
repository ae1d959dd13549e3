#!/bin/sh
# Tries wok as a service on a bare Debian 12 with a real systemd, in a virtual machine of one processor and
# 2 GB: makes the disk, starts the machine, which runs steps.sh and switches itself off, and shows what it said.
#
# Usage: sudo sh test/vm/try.sh [DIRECTORY]     needs 4 GB there; the system in it is used again
#
# Needs root, qemu-system-x86, debootstrap, e2fsprogs, and Debian's packages and npm's within reach; the
# Node.js of this machine goes along. WOK_VM_ACCEL=tcg does without KVM, at a twentieth of the speed.
#
# Exit codes: 0 all steps are as they should be, or something that it needs is missing; 1 one is not.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
wok=$(cd "$here/../.." && pwd)
accel=${WOK_VM_ACCEL:-kvm}

leave_out() {
  echo "try.sh: $*; nothing was tried" >&2
  exit 0
}
for tool in qemu-system-x86_64 debootstrap mke2fs npm; do
  command -v $tool > /dev/null || leave_out "there is no $tool here (apt-get install qemu-system-x86 debootstrap)"
done
[ "$(id -u)" = 0 ] || leave_out 'debootstrap needs root'
[ "$accel" != kvm ] || [ -w /dev/kvm ] || leave_out 'there is no /dev/kvm here (WOK_VM_ACCEL=tcg is slow, and does without)'

directory=${1:-${TMPDIR:-/tmp}/wok-vm}
mkdir -p "$directory"
cd "$directory"
packages=systemd-sysv,dbus,udev,linux-image-amd64,iproute2,curl,ca-certificates,libstdc++6,procps
if [ ! -e root/made ]; then
  rm -rf root
  debootstrap --variant=minbase --include=$packages bookworm root > debootstrap.log
  echo '/dev/vda / ext4 rw 0 1' > root/etc/fstab
  echo bare > root/etc/hostname
  touch root/made
fi
cp "$(realpath "$(command -v node)")" root/usr/bin/node
rm -rf root/usr/lib/node_modules
(cd "$wok" && npm pack --silent --pack-destination "$directory")
# On this machine instead of in it, where a compiler would take its time.
npm install --silent --global --prefix "$directory/root/usr" ./wok-relay-*.tgz
rm wok-relay-*.tgz
cp "$here/steps.sh" root/root/steps.sh
cat > root/etc/systemd/system/steps.service << 'UNIT'
[Unit]
After=network.target
SuccessAction=poweroff-force
FailureAction=poweroff-force
[Service]
ExecStart=/bin/bash /root/steps.sh
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p root/etc/systemd/system/multi-user.target.wants
ln -sf /etc/systemd/system/steps.service root/etc/systemd/system/multi-user.target.wants/
ln -sf /dev/null root/etc/systemd/system/serial-getty@ttyS0.service
mke2fs -q -F -t ext4 -d root disk.img 4G

if [ "$accel" = kvm ]; then set -- -accel kvm -cpu host; else set -- -accel tcg,tb-size=512 -cpu Nehalem; fi
nice -n 15 qemu-system-x86_64 "$@" -m 2048 -smp 1 -nographic -no-reboot -net none \
  -kernel root/boot/vmlinuz-* -initrd root/boot/initrd.img-* \
  -append 'root=/dev/vda rw console=ttyS0 quiet loglevel=3 systemd.show_status=0' \
  -drive file=disk.img,if=virtio,format=raw < /dev/null | tee console.log
grep -q '^all steps were taken' console.log || { echo 'try.sh: the machine did not come to the end' >&2; exit 1; }
! grep '^not ok' console.log
