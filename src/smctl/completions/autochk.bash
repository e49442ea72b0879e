# SPDX-License-Identifier: MIT
# autochk.bash - completion of autochk(8) for bash

_autochk() {
  local cur=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  case $cur in
  -*) mapfile -t COMPREPLY < <(compgen -W '-n --help --version' -- "$cur") ;;
  '' | / | /?)
    mapfile -t COMPREPLY < <(compgen -W "/q /v /p /r /m /k: '*'" -- "$cur"; compgen -f -- "$cur")
    ;;
  *) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
  esac
}
complete -F _autochk autochk
