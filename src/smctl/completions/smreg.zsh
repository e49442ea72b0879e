#compdef smreg
# SPDX-License-Identifier: MIT
# smreg.zsh - completion of smreg(8) for zsh

_smreg() {
  local state line
  local -a common verbs
  common=('--hive[the hive]:hive:_files' '--state[the state directory]:directory:_files -/'
    '--help[help]')
  verbs=(
    'init:make a new hive'
    'import:carry out .reg files'
    'query:show a key, a value, or a tree'
    'export:a key and all below as .reg text'
    'add:make a key or set a value'
    'delete:delete a key or a value'
    'check:check every value that drives smss'
    'plan:tell what the next boot will do'
  )
  _arguments -C $common '--version[version]' '1:verb:{ _describe verb verbs }' \
    '*::argument:->rest'
  [[ $state == rest ]] || return
  case $line[1] in
  init | import)
    _arguments $common '--force[in spite of errors]' '*:file:_files -g "*.reg"'
    ;;
  query)
    _arguments $common '--value[one value]:name:' \
      '(-s --recursive)'{-s,--recursive}'[with all below]' '--json[print JSON]' '1:key:'
    ;;
  export) _arguments $common '--output[into a file]:file:_files' '1:key:' ;;
  add)
    _arguments $common '--value[its name]:name:' '--data[its data]:data:' \
      '--type[its type]:type:(REG_SZ REG_EXPAND_SZ REG_MULTI_SZ REG_DWORD REG_QWORD REG_BINARY)' \
      '--force[in spite of errors]' '1:key:'
    ;;
  delete) _arguments $common '--value[one value]:name:' '--force[in spite of errors]' '1:key:' ;;
  check) _arguments $common '--all[unused values too]' '--json[print JSON]' ;;
  plan) _arguments $common '--json[print JSON]' '--write[keep plan and queue beside the hive]' ;;
  esac
}

_smreg "$@"
