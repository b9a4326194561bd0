# shellcheck shell=bash
# The Debian packages that tombstone is built and tested with. Sourced by
# spec/run and examples/run.

# What builds the Lua 5.4 module.
build_packages=(
  gcc libc6-dev cmake ninja-build pkg-config
  lua5.4 liblua5.4-dev libsqlite3-dev
)

# What the command `tombstone` needs besides; lua-readline is for the history of its shell alone.
# shellcheck disable=SC2034
command_packages=(
  lua-argparse lua-term lua-cjson lua-filesystem lua-readline
)

# What the suite needs besides.
# shellcheck disable=SC2034  # used where this is sourced
spec_packages=(
  "${build_packages[@]}"
  "${command_packages[@]}"
  g++ binutils clang-format graphviz valgrind sqlite3 python3-django postgresql
  lua-busted lua-check lua-discount lua-ldoc python3
  clang gcc-multilib make luarocks # C programs, on 32 bits too, and the rock
  lua5.1 liblua5.1-0-dev lua5.2 liblua5.2-dev lua5.3 liblua5.3-dev luajit2 libluajit2-5.1-dev
  neovim tmux # the plug-in, and a terminal in which its keys are pressed
  love xvfb xdotool imagemagick # the game, its screen, keys and pictures of it
  tarantool # posts and fibers
  nginx libnginx-mod-http-lua curl wrk # a blog, what asks it, and many at once
  tshark mpv haproxy # names in captures, bookmarks, a deny list
)

# npm fetches SQLite's amalgamation, for hosts that have a copy of their own. Where
# Node.js is another's package it has brought npm, and Debian's conflicts with it.
command -v npm >/dev/null || spec_packages+=(npm)

is_installed() {
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# Installs those of the named packages that are missing.
need_packages() {
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    echo "All $# packages are there."
    return
  fi
  echo "Installing ${missing[*]}"
  as_root apt-get update -q &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "${missing[@]}"
}
