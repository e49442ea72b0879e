# SPDX-License-Identifier: MIT
# smaudit.fish - completion of smaudit(8) for fish

complete -c smaudit -n __fish_use_subcommand -a all -d 'Files of any kind, told by content'
complete -c smaudit -n __fish_use_subcommand -a live -d 'This machine, under smss'
complete -c smaudit -n __fish_use_subcommand -a hive -d 'SYSTEM hives'
complete -c smaudit -n __fish_use_subcommand -a processes -d 'Lists and events as JSON or CSV'
complete -c smaudit -n __fish_use_subcommand -a evtx -d 'Event logs of Windows'
complete -c smaudit -n __fish_use_subcommand -a image -d 'Programs, PE or ELF'
complete -c smaudit -n __fish_use_subcommand -a profile -d 'What evidence says of one image'
complete -c smaudit -n __fish_use_subcommand -a rules -d 'The indicators'
complete -c smaudit -n '__fish_seen_subcommand_from live rules' -f
complete -c smaudit -l help -d 'Help'
complete -c smaudit -n __fish_use_subcommand -l version -d 'Version'
complete -c smaudit -l colour -x -a 'auto always never' -d 'Colours'
complete -c smaudit -l quiet -d 'The exit status tells'
complete -c smaudit -l progress -d 'Progress on stderr'
complete -c smaudit -s o -l output -r -F -d 'Into a file'
complete -c smaudit -n 'not __fish_seen_subcommand_from profile rules' -l format -x \
    -a 'text ndjson ecs' -d 'The form'
complete -c smaudit -n '__fish_seen_subcommand_from profile' -l format -x -a 'text json html' \
    -d 'The form'
complete -c smaudit -l json -d 'Print JSON'
complete -c smaudit -n 'not __fish_seen_subcommand_from profile rules' -l all \
    -d 'Also what is noted'
complete -c smaudit -n 'not __fish_seen_subcommand_from hive image rules' -l grace -x \
    -d 'How long a copy may live'
complete -c smaudit -n 'not __fish_seen_subcommand_from hive image rules' -l late -x \
    -d 'How late a master may begin'
complete -c smaudit -n 'not __fish_seen_subcommand_from live hive image rules' -l system-root -x \
    -d 'Where Windows lies'
complete -c smaudit -n 'not __fish_seen_subcommand_from live rules' -l host -x -d 'The machine'
complete -c smaudit -n '__fish_seen_subcommand_from all hive profile' -l logs -r -F \
    -d 'A log of the hive'
complete -c smaudit -n '__fish_seen_subcommand_from image' -l claimed -x -d 'Its path on its machine'
complete -c smaudit -n '__fish_seen_subcommand_from all image profile' -l roots -r -F \
    -d 'More root certificates'
complete -c smaudit -n '__fish_seen_subcommand_from all image profile' -l catalog -r -F \
    -d 'The signed list'
complete -c smaudit -n '__fish_seen_subcommand_from all image profile' -l catalog-key -r -F \
    -d 'Its public key'
complete -c smaudit -n '__fish_seen_subcommand_from live' -l root -r -F -d 'Where the machine lies'
