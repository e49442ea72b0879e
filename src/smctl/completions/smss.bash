# SPDX-License-Identifier: MIT
# smss.bash - completion of smss(8) for bash: what a person may ask of it

_smss() {
  local cur=${COMP_WORDS[COMP_CWORD]} at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    if [[ ${COMP_WORDS[at]} == -- ]]; then
      mapfile -t COMPREPLY < <(compgen -c -f -- "$cur")
      return
    fi
  done
  mapfile -t COMPREPLY < <(compgen -W '-- --help --version' -- "$cur")
}
complete -F _smss smss
