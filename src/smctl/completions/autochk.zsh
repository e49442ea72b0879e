#compdef autochk
# SPDX-License-Identifier: MIT
# autochk.zsh - completion of autochk(8) for zsh

local -a switches
switches=(
  '-n:say what would be done, and do nothing'
  '/q:only failures reach the console'
  '/v:also what needed nothing'
  '/p:check in any case'
  '/r:check in any case and read the whole surface'
  '/m:check if dirty or flagged'
  '/k\::do not check'
  '--help:help'
  '--version:version'
)
_alternative 'switches:switch:{ _describe switch switches }' 'volumes:volume:_files'
