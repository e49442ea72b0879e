# SPDX-License-Identifier: MIT
# autochk.fish - completion of autochk(8) for fish

complete -c autochk -s n -d 'Say what would be done, and do nothing'
complete -c autochk -l help -d 'Help'
complete -c autochk -l version -d 'Version'
complete -c autochk -a /q -d 'Only failures reach the console'
complete -c autochk -a /v -d 'Also what needed nothing'
complete -c autochk -a /p -d 'Check in any case'
complete -c autochk -a /r -d 'Check in any case and read the whole surface'
complete -c autochk -a /m -d 'Check if dirty or flagged'
complete -c autochk -a /k: -d 'Do not check'
