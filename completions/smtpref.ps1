# smtpref's completion for PowerShell, made by `python -m smtpref.completion`.

Register-ArgumentCompleter -Native -CommandName smtpref -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $typed = $commandAst.ToString()
    $length = $cursorPosition - $commandAst.Extent.StartOffset
    # Blanks before the cursor are no part of the command.
    $typed = if ($length -gt $typed.Length) { "$typed " } else { $typed.Substring(0, $length) }
    $option = if ("$wordToComplete" -match '^--[^=]+=') { $Matches[0] } else { '' }
    $program = $commandAst.GetCommandName()
    $settings = @{
        _SMTPREF_COMPLETE = 'complete_fish'
        _TYPER_COMPLETE_FISH_ACTION = 'get-args'
        COLUMNS = '9999'
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
