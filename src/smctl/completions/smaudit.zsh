#compdef smaudit
# SPDX-License-Identifier: MIT
# smaudit.zsh - completion of smaudit(8) for zsh

_smaudit() {
  local state line
  local -a common told processes images logs verbs
  common=('--colour[colours]:when:(auto always never)' '--quiet[the exit status tells]'
    '--progress[progress on stderr]' '(-o --output)'{-o,--output}'[into a file]:file:_files'
    '--help[help]')
  told=('--format[the form]:format:(text ndjson ecs)' '--json[the same as --format ndjson]'
    '--all[also what is noted]')
  processes=('--grace[how long a copy may live]:seconds:' '--late[how late a master may begin]:seconds:'
    '--system-root[where Windows lies]:path:' '--host[the machine]:name:')
  images=('*--roots[more root certificates]:file:_files' '--catalog[the signed list]:file:_files'
    '--catalog-key[its public key]:file:_files')
  logs=('*--logs[a log of the hive]:file:_files')
  verbs=(
    'all:files of any kind, told by content'
    'live:this machine, under smss'
    'hive:SYSTEM hives'
    'processes:lists and events as JSON or CSV'
    'evtx:event logs of Windows'
    'image:programs, PE or ELF'
    'profile:what evidence says of one image'
    'rules:the indicators'
  )
  _arguments -C $common $told '--version[version]' '1:verb:{ _describe verb verbs; _files }' \
    '*::argument:->rest'
  [[ $state == rest ]] || return
  case $line[1] in
  live)
    _arguments $common $told '--grace[how long a copy may live]:seconds:' \
      '--late[how late a master may begin]:seconds:' '--root[where the machine lies]:directory:_files -/'
    ;;
  hive) _arguments $common $told $logs '--host[the machine]:name:' '*:hive:_files' ;;
  processes | evtx) _arguments $common $told $processes '*:file:_files' ;;
  image)
    _arguments $common $told $images '--claimed[its path on its machine]:path:' \
      '--host[the machine]:name:' '*:image:_files'
    ;;
  profile)
    _arguments $common $processes $images $logs '--format[the form]:format:(text json html)' \
      '--json[the same as --format json]' '1:name:(smss.exe smss)' '*:file:_files'
    ;;
  rules) _arguments $common '--json[print JSON]' ;;
  *) _arguments $common $told $processes $images $logs '*:file:_files' ;;
  esac
}

_smaudit "$@"
