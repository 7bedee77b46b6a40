"""The completion scripts: what a shell asks smtpref when Tab is pressed, and how it shows the answer.

`python -m smtpref.completion completions` writes them. They speak Typer's protocol, but are not Typer's own scripts: in bash those
expand a value like a pattern and lose an empty word before the cursor, in zsh the first Tab gives nothing and the answer is run as code,
in fish smtpref runs twice for one Tab and a narrow terminal turns the rest of a description into a value, and in PowerShell they take over
the Tab key and leave variables behind. No shell's word for a value after `--option=` is the same; each script says what its own needs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

FILES: Mapping[str, str] = {"bash": "smtpref.bash", "zsh": "_smtpref", "fish": "smtpref.fish", "powershell": "smtpref.ps1"}

# Typer's form for fish, a line for each value with its description after a tab, is one that every shell can read.
# Typer fits descriptions to the terminal's width by breaking them; COLUMNS keeps each on its line.
_DESCRIBED: Mapping[str, str] = {"_SMTPREF_COMPLETE": "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "COLUMNS": "9999"}

_BASH = r"""# smtpref's completion for bash, made by `python -m smtpref.completion`.

_smtpref_completion() {
    local program=smtpref before=${COMP_WORDS[COMP_CWORD - 1]} prefix='' word
    local -a words=(smtpref)
    COMPREPLY=()
    # Bash takes redirections and colons for words of their own; what follows one is no code.
    [[ $before && -z ${before//[<>&:]/} ]] && return
    [[ $1 == */* ]] && program=${1/#"~/"/"$HOME/"}
    # The "=" of --option=value is a word of its own too, unless COMP_WORDBREAKS lacks it.
    [[ $2 == --*=* ]] && prefix=${2%%=*}=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word == "=" ]] || words+=("$word")
    done
    while IFS= read -r word; do
        [[ $word ]] && COMPREPLY+=("$prefix$word")
    done < <(
        env COMP_WORDS="$(printf '%s\n' "${words[@]}" && printf '%q' "$2")" COMP_CWORD=${#words[@]} \
            _SMTPREF_COMPLETE=complete_bash "$program" 2>/dev/null
    )
}

# nosort, which keeps 5.1.10 after 5.1.9, is new in bash 4.4.
complete -o nosort -o bashdefault -o default -F _smtpref_completion smtpref 2>/dev/null ||
    complete -o bashdefault -o default -F _smtpref_completion smtpref
"""

_ZSH = r"""#compdef smtpref
# smtpref's completion for zsh, made by `python -m smtpref.completion`: to be found in fpath, or sourced after compinit.

_smtpref() {
  local program=smtpref typed
  local -a lines
  [[ $words[1] == */* ]] && program=${~words[1]}
  typed="${(j: :)words[1,CURRENT-1]} ${(qq)${(Q)PREFIX}}"
  lines=(${(f)"$(env @SETTINGS@ _TYPER_COMPLETE_ARGS=$typed $program 2>/dev/null)"})
  [[ $PREFIX == --*=* ]] && compset -P 1 '*='
  if (( $#lines )); then
    # No value has a colon; a description may, after the first one.
    lines=("${(@)lines/$'\t'/:}")
    _describe -V smtpref lines
  else
    _files
  fi
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _smtpref "$@"
else
  compdef _smtpref smtpref
fi
"""

_FISH = r"""# smtpref's completion for fish, made by `python -m smtpref.completion`.

function __smtpref_complete
    set -l program smtpref
    set -l words (commandline --tokenize --current-process --cut-at-cursor)
    set -l typed (commandline --current-process --cut-at-cursor | string collect)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l option (string match --regex -- '^--[^=]+=' $word)
    if string match --quiet -- '*/*' $words[1]
        set program (string replace --regex -- '^~/' "$HOME/" $words[1])
    end
    set -l lines (env @SETTINGS@ _TYPER_COMPLETE_ARGS=$typed $program 2>/dev/null | string match --regex -- '.+')
    if not set -q lines[1]
        set lines (__fish_complete_path (string replace -- "$option" '' $word))
    end
    string join \n -- "$option"$lines
end

complete --command smtpref --keep-order --no-files --arguments '(__smtpref_complete)'
"""

_POWERSHELL = r"""# smtpref's completion for PowerShell, made by `python -m smtpref.completion`.

Register-ArgumentCompleter -Native -CommandName smtpref -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $typed = $commandAst.ToString()
    $length = $cursorPosition - $commandAst.Extent.StartOffset
    # Blanks before the cursor are no part of the command.
    $typed = if ($length -gt $typed.Length) { "$typed " } else { $typed.Substring(0, $length) }
    $option = if ("$wordToComplete" -match '^--[^=]+=') { $Matches[0] } else { '' }
    $program = $commandAst.GetCommandName()
    $settings = @{
@SETTINGS@
        _TYPER_COMPLETE_ARGS = $typed
    }
    $before = @{}
    foreach ($name in $settings.Keys) {
        $before[$name] = [Environment]::GetEnvironmentVariable($name)
    }
    try {
        foreach ($name in $settings.Keys) {
            Set-Item -Path "Env:$name" -Value $settings[$name]
        }
        $lines = @(& $program 2>$null)
    } finally {
        foreach ($name in $settings.Keys) {
            if ($null -eq $before[$name]) {
                Remove-Item -Path "Env:$name" -ErrorAction SilentlyContinue
            } else {
                Set-Item -Path "Env:$name" -Value $before[$name]
            }
        }
    }
    foreach ($line in $lines | Where-Object { $_ }) {
        $value, $description = $line -split "`t", 2
        if (-not $description) {
            $description = $value
        }
        [System.Management.Automation.CompletionResult]::new("$option$value", $value, 'ParameterValue', $description)
    }
}
"""


def script(shell: str) -> str:
    """The completion script for `shell`, one of FILES; raises KeyError for any other."""
    in_posix_form = " ".join(f"{name}={value}" for name, value in _DESCRIBED.items())
    in_powershell_form = "\n".join(f"        {name} = '{value}'" for name, value in _DESCRIBED.items())
    scripts = {
        "bash": _BASH,
        "zsh": _ZSH.replace("@SETTINGS@", in_posix_form),
        "fish": _FISH.replace("@SETTINGS@", in_posix_form),
        "powershell": _POWERSHELL.replace("@SETTINGS@", in_powershell_form),
    }
    return scripts[shell]


def write(folder: Path) -> None:
    """Write every shell's script into `folder`."""
    for shell, name in FILES.items():
        (folder / name).write_text(script(shell), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m smtpref.completion FOLDER")
    write(Path(sys.argv[1]))
