# SPDX-License-Identifier: MIT
# smss.fish - completion of smss(8) for fish: what a person may ask of it

complete -c smss -f
complete -c smss -l help -d 'Help'
complete -c smss -l version -d 'Version'
complete -c smss -n 'not contains -- -- (commandline -opc)' -a -- \
    -d 'Run a command as pid 1 of a container'
complete -c smss -n 'contains -- -- (commandline -opc)' -a '(__fish_complete_command)'
