#compdef smreg
# SPDX-License-Identifier: MIT
# smreg.zsh - completion of smreg(8) for zsh

_smreg() {
  local state line
  local -a common reading text verbs
  common=('--hive[the hive]:hive:_files' '--state[the state directory]:directory:_files -/'
    '--help[help]')
  reading=('--salvage[read what can be read]' '--no-logs[do not apply logs]')
  text=('--output[into a file]:file:_files' '--utf16[as regedit writes]'
    '--readable[lists as text]')
  verbs=(
    'init:make a new hive'
    'import:carry out .reg files'
    'restore:take back an earlier hive'
    'query:show a key, a value, or a tree'
    'export:a key and all below as .reg text'
    'add:make a key or set a value'
    'delete:delete a key or a value'
    'copy:copy a key'
    'edit:a key in your editor'
    'check:check every value that drives smss'
    'diff:what parts two hives, sets or texts'
    'plan:tell what the next boot will do'
  )
  _arguments -C $common '--version[version]' '1:verb:{ _describe verb verbs }' \
    '*::argument:->rest'
  [[ $state == rest ]] || return
  case $line[1] in
  init)
    _arguments $common '--force[in spite of errors]' '*:file:_files -g "*.reg"'
    ;;
  import)
    _arguments $common '--force[in spite of errors]' '--whole[the files are all there is]' \
      '*:file:_files -g "*.reg"'
    ;;
  restore)
    _arguments $common '--previous[before the last commit]' '--lkg[the last that booted well]' \
      '--force[in spite of errors]'
    ;;
  query)
    _arguments $common $reading '--value[one value]:name:' \
      '(-s --recursive)'{-s,--recursive}'[with all below]' '--json[print JSON]' \
      '--times[when keys were last written]' '1:key:'
    ;;
  export) _arguments $common $reading $text '--force[leave out what has no form]' '1:key:' ;;
  add)
    _arguments $common '--value[its name]:name:' '*--data[its data]:data:' \
      '--type[its type]:type:(REG_SZ REG_EXPAND_SZ REG_MULTI_SZ REG_DWORD REG_QWORD REG_BINARY)' \
      '--force[in spite of errors]' '1:key:'
    ;;
  delete) _arguments $common '--value[one value]:name:' '--force[in spite of errors]' '1:key:' ;;
  copy)
    _arguments $common $reading '(-s --recursive)'{-s,--recursive}'[with all below]' \
      '--from[from another hive]:hive:_files' '--force[overwrite]' '1:key:' '2:to key:'
    ;;
  edit) _arguments $common '--force[in spite of errors]' '1:key:' ;;
  check) _arguments $common $reading '--all[unused values too]' '--json[print JSON]' ;;
  diff)
    _arguments $common $reading $text '--with[a hive or a .reg file]:file:_files' \
      '--sets[two control sets]:sets:(1,2 current,lastknowngood)' \
      '--whole[the file is all there is]' '--short[one line a change]' '--json[print JSON]' \
      '1:key:'
    ;;
  plan)
    _arguments $common $reading '--json[print JSON]' '--write[keep plan and queue beside the hive]'
    ;;
  esac
}

_smreg "$@"
