#compdef smss
# SPDX-License-Identifier: MIT
# smss.zsh - completion of smss(8) for zsh: what a person may ask of it

if (( ${words[(I)--]} && ${words[(I)--]} < CURRENT )); then
  local at=${words[(I)--]}
  words=("${words[@]:$at}")
  (( CURRENT -= at ))
  _normal
else
  _values -w 'smss' '--[run a command as pid 1 of a container]' '--help[help]' '--version[version]'
fi
