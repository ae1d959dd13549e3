#!/bin/bash
# What try.sh runs inside of the virtual machine, as docs/operations.md tells it. A line for each step.
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root

# is WHAT COMMAND…: the command succeeds.
is() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then echo "ok - $what [$(cut -d ' ' -f 1 /proc/uptime) s]"; else
    echo "not ok - $what"
    { printf '%s\n' "$said"; journalctl -u wok -n 20 -o short-monotonic; } | tail -n 40 | sed 's/^/    /'
  fi
}
show() { systemctl show -p "$1" --value wok; }
# until_is PROPERTY VALUE SECONDS
until_is() {
  local left=$3
  while [ "$(show "$1")" != "$2" ]; do
    [ $((left--)) -gt 0 ] || { systemctl status --no-pager wok; return 1; }
    sleep 1
  done
}
health() { curl -sf -m 60 http://127.0.0.1:7777/health | grep -x ok; }
name_is() { curl -s -H 'Accept: application/nostr+json' http://127.0.0.1:7777/ | grep -F "\"name\":\"$1\""; }
set_name() { sed -i "s/^name = .*/name = $1/" /etc/wok/relay.conf; }
exposure() {
  systemd-analyze security --no-pager wok | tail -n 1 | tee /dev/stderr |
    awk '/exposure level/ { for (i = 1; i < NF; i++) if ($i == "wok.service:") exit !($(i + 1) <= 2.0) }'
}
refused_reload() { ! systemctl reload wok && [ "$(show ActiveState)" = active ]; }
graceful() {
  local old refused=0
  old=$(show MainPID)
  wok service restart --graceful &
  while kill -0 "$old" 2> /dev/null; do
    curl -s -o /dev/null -m 120 http://127.0.0.1:7777/health || refused=$((refused + 1))
  done
  wait $! && [ $refused = 0 ] && [ "$(show MainPID)" != "$old" ] && [ "$(show NRestarts)" = 0 ]
}
watchdog() {
  kill -STOP "$(show MainPID)"
  until_is NRestarts 1 300 && until_is ActiveState active 300 && journalctl -u wok | grep -i watchdog
}
killed() {
  kill -KILL "$(show MainPID)"
  until_is NRestarts 2 60 && until_is ActiveState active 300
}

is 'wok service install makes everything and starts it' wok service install
is 'it is ready when systemd says so' health
is 'systemd shows how it is' bash -c "systemctl show -p StatusText wok | grep 'port 7777: '"
is 'wok status answers' wok status
is 'no warning in the journal' bash -c "! journalctl -q -u wok -p warning | grep ."
is 'lines have no time of their own' bash -c "journalctl -u wok -o cat | grep '^wok .* listens on'"
is 'the exposure is at most 2.0' exposure
is 'LimitNOFILE is in effect' grep 'Max open files *65536 *65536' "/proc/$(show MainPID)/limits"
set_name '"Bare relay"'
is 'systemctl reload takes a new name' systemctl reload wok
is 'the new name is told' name_is 'Bare relay'
set_name 5
is 'systemctl reload fails with a wrong configuration, and the relay goes on' refused_reload
is 'the name is the one from before' name_is 'Bare relay'
set_name '"Bare relay"'
is 'a graceful restart refuses nobody, and systemd follows the new process' graceful
is 'the new process is well' health
is 'the watchdog ends a process that is stopped, and systemd starts another' watchdog
is 'a killed process is started again' killed
is 'systemctl stop ends in order' bash -c 'systemctl stop wok && [ "$(systemctl show -p Result --value wok)" = success ]'
is 'wok service install again leaves the configuration as it is' bash -c "wok service install | grep 'as it is'"
is 'wok service uninstall takes the unit away' bash -c 'wok service uninstall && ! systemctl cat wok && [ -e /var/lib/wok/wok.db ]'
is 'and --purge the rest' bash -c 'wok service uninstall --purge && [ ! -e /var/lib/wok ] && [ ! -e /etc/wok ] && ! getent passwd wok'
echo 'all steps were taken'
