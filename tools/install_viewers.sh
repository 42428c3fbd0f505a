#!/bin/sh
# What the tests of windows and browsers need of the system: Chromium, Firefox, a screen in memory
# (Xvfb), OpenGL by the processor (Mesa) and the libraries that Qt loads for a window. On Debian and
# its kin, root gets what is missing by apt-get; elsewhere, and where that fails, those tests skip
# and say why. Never fails.
set -u

packages='chromium firefox-esr xvfb libgl1-mesa-dri libgl1 libegl1 libdbus-1-3 libxkbcommon-x11-0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
    libxcb-shape0 libxcb-xinerama0 libxcb-xkb1'

say() { echo "install_viewers.sh: $*" >&2; }

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    say 'this is no Debian: tests of windows and browsers that are not installed will skip.'
    exit 0
fi

missing=
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' \
        || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    say "tests of windows and browsers will skip; for all of them: apt-get install$missing"
    exit 0
fi

say "installing:$missing"
apt-get update -qq >&2 || say 'apt-get update failed.'
# One after another where they do not go together: a distribution may lack one of them.
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 \
    || for package in $missing; do
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" \
            >/dev/null 2>&1 || say "$package could not be installed: what needs it will skip."
    done
exit 0
