# Tries on a real Windows what Wine cannot show. Run it as administrator, in a folder with shirase-agent.exe:
#
#   powershell -ExecutionPolicy Bypass -File try-here.ps1
#
# It works below a folder of its own in %TEMP%, makes one local user and removes it again, and prints one test page
# only with -Print. The outcome is a table on the screen and try-here-COMPUTER.json beside this script; that file goes
# into deploy/windows/results/ of the source tree, one a machine.
param(
    [string]$Agent = (Join-Path $PSScriptRoot 'shirase-agent.exe'),
    [switch]$Print
)
$ErrorActionPreference = 'Stop'
$results = @()
$home_ = Join-Path $env:TEMP ('shirase-try-' + [guid]::NewGuid())
$share = Join-Path $home_ 'share'
New-Item -ItemType Directory -Path $share | Out-Null

function Note($name, $passed, $detail) {
    $script:results += [pscustomobject]@{ step = $name; passed = [bool]$passed; detail = "$detail" }
    Write-Host ('{0,-6} {1}  {2}' -f $(if ($passed) { 'ok' } else { 'FAILED' }), $name, $detail)
}

# Looks every half second whether something is so, for at most so many seconds.
function Wait-Until($seconds, [scriptblock]$probe) {
    $until = (Get-Date).AddSeconds($seconds)
    while ((Get-Date) -lt $until) {
        $found = & $probe
        if ($found) { return $found }
        Start-Sleep -Milliseconds 500
    }
    return $null
}

function Make-Files($dir, $count) {
    New-Item -ItemType Directory -Force -Path $dir | Out-Null
    1..$count | ForEach-Object { Set-Content -Path (Join-Path $dir "$_.pdf") -Value "%PDF-1.7 chart $_" }
}

# Starts `watch`; what it prints goes to a file.
function Start-Watch($name, $arguments) {
    $out = Join-Path $home_ "$name.jsonl"
    $process = Start-Process -FilePath $Agent -ArgumentList (@('watch', $share, '--json') + $arguments) `
        -RedirectStandardOutput $out -RedirectStandardError "$out.err" -PassThru -WindowStyle Hidden
    $ready = Wait-Until 60 { Get-Content $out -ErrorAction SilentlyContinue | Select-String '"type":"ready"' }
    return @{ process = $process; out = $out; ready = "$ready"; errors = "$out.err" }
}

function First-Alarm($watch, $seconds) {
    Wait-Until $seconds { Get-Content $watch.out | Select-String '"severity":"(high|critical)"' | Select-Object -First 1 }
}

function Stop-Watch($watch) {
    Stop-Process -Id $watch.process.Id -Force -ErrorAction SilentlyContinue
    $watch.process.WaitForExit(5000) | Out-Null
}

function Harmed($alarm) { if ("$alarm" -match '"files_affected":(\d+)') { [int]$Matches[1] } else { $null } }

try {
    $system = Get-CimInstance Win32_OperatingSystem
    Note 'system' $true "$($system.Caption) $($system.Version)"

    # The change journal: first whether it is used at all, then an encryptor.
    Make-Files $share 200
    $watch = Start-Watch 'journal' @('--backend', 'usn')
    Note 'the change journal is read' ($watch.ready -match 'usn \(change journal') ("$($watch.ready)" + (Get-Content $watch.errors -Raw))
    $begun = Get-Date
    Get-ChildItem $share -Filter *.pdf | Rename-Item -NewName { $_.Name + '.qzx' }
    $alarm = First-Alarm $watch 20
    Note 'renames are told from the journal' $alarm "files harmed: $(Harmed $alarm), after $([int]((Get-Date) - $begun).TotalMilliseconds) ms"

    # Quiet: what does watching cost?
    $before = (Get-Process -Id $watch.process.Id).TotalProcessorTime.TotalMilliseconds
    Start-Sleep -Seconds 60
    $used = (Get-Process -Id $watch.process.Id).TotalProcessorTime.TotalMilliseconds - $before
    Note 'a quiet minute costs little' ($used -lt 600) "$([int]$used) ms of processor time, $([int]((Get-Process -Id $watch.process.Id).WorkingSet64 / 1MB)) MB"
    Stop-Watch $watch

    # Killed, encrypted meanwhile, started again: deletions leave nothing a rescan could find, the journal has them.
    $state = Join-Path $home_ 'state'
    Get-ChildItem $share | Remove-Item -Recurse -Force
    Make-Files (Join-Path $share 'tree\deep') 120
    $watch = Start-Watch 'before' @('--backend', 'usn', '--state', $state)
    # The place in the journal is kept every second, ten seconds late, when something happens in the folder.
    1..15 | ForEach-Object { Set-Content -Path (Join-Path $share 'note.txt') -Value $_; Start-Sleep -Seconds 1 }
    Stop-Watch $watch
    Remove-Item (Join-Path $share 'tree') -Recurse -Force
    $watch = Start-Watch 'after' @('--backend', 'usn', '--state', $state)
    $alarm = First-Alarm $watch 30
    Note 'a tree deleted while the agent was dead is told' $alarm "files: $(Harmed $alarm)"

    # Wide overwriting, in place and through a file that stays open.
    Make-Files $share 100
    $bytes = New-Object byte[] 4096; (New-Object Random 7).NextBytes($bytes)
    Get-ChildItem $share -Filter *.pdf | ForEach-Object { [IO.File]::WriteAllBytes($_.FullName, $bytes) }
    $overwritten = Wait-Until 20 { Get-Content $watch.out | Select-String '"magic_lost":[1-9]' | Select-Object -First 1 }
    Note 'overwriting is told from the journal' $overwritten ''
    Stop-Watch $watch

    # ReadDirectoryChangesW beside it, for comparison.
    Get-ChildItem $share | Remove-Item -Recurse -Force
    Make-Files $share 3000
    foreach ($backend in 'usn', 'notify') {
        $watch = Start-Watch "storm-$backend" @('--backend', $backend)
        $suffix = ".$backend"
        Get-ChildItem $share | Rename-Item -NewName { $_.Name + $suffix }
        Start-Sleep -Seconds 10
        $lines = Get-Content $watch.out
        $affected = ($lines | Select-String '"files_affected":(\d+)' -AllMatches).Matches | ForEach-Object { [int]$_.Groups[1].Value }
        $most = ($affected | Measure-Object -Maximum).Maximum
        $losses = ($lines | Select-String '"kind":"loss"').Count
        Note "3000 renames with $backend" ($most -ge 3000 -or $losses -gt 0) "told: $most, losses told: $losses"
        Stop-Watch $watch
    }

    # How the machine is set up: every part is seen, and a port Windows says it waits on is among those told. No name is kept.
    $posture = & $Agent posture
    $unseen = @($posture | Select-String 'not seen')
    Note 'every part of the posture is seen' ($unseen.Count -eq 0) ($unseen -join ' | ')
    $port = (Get-NetTCPConnection -State Listen | Where-Object { $_.LocalAddress -notmatch '^(127|::1)' } | Sort-Object LocalPort | Select-Object -First 1).LocalPort
    Note 'a listening port is told' ($posture | Select-String "on tcp $port for other machines|and \d+ more") "port $port"

    # The service: installed, restarted by the manager after a kill, in the Event Log, removed.
    if (Test-Path 'C:\ProgramData\Shirase\agent.toml') {
        & $Agent install | Out-Null
        Start-Service shirase-agent
        $running = Wait-Until 120 { (Get-Service shirase-agent).Status -eq 'Running' }
        Note 'the service runs' $running ''
        $id = (Get-CimInstance Win32_Service -Filter "Name='shirase-agent'").ProcessId
        Stop-Process -Id $id -Force
        $again = Wait-Until 60 { $now = (Get-CimInstance Win32_Service -Filter "Name='shirase-agent'").ProcessId; $now -and $now -ne $id }
        Note 'the manager starts it again after a kill' $again ''
        $lines = Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = 'shirase-agent' } -MaxEvents 5 -ErrorAction SilentlyContinue
        Note 'it writes to the Event Log, readable' ($lines -and $lines[0].Message -notmatch 'cannot be found') "$($lines[0].Message)"
        $status = & $Agent status
        Note 'the sensors are well' (-not ($status | Select-String 'BLIND')) ($status -join ' | ')

        # The Security log: a refused logon, a new administrator. Auditing of logons is on by default on servers.
        $user = 'shirase-try'
        net user $user ('Aa1!' + [guid]::NewGuid()) /add | Out-Null
        1..12 | ForEach-Object { net use '\\127.0.0.1\IPC$' /user:$user wrong-password 2>$null | Out-Null }
        net localgroup Administrators $user /add 2>$null | Out-Null
        Start-Sleep -Seconds 5
        $kept = & $Agent buffer export
        Note 'refused logons are told' ($kept | Select-String '"kind":"logon"') 'needs auditing of logon failures'
        net localgroup Administrators $user /delete 2>$null | Out-Null
        net user $user /delete | Out-Null
        if ($Print) {
            'one page' | Out-Printer
            Note 'a print job is seen' (& $Agent status | Select-String 'printing') 'look for the job in the trace'
        }
    } else {
        Note 'the service' $false 'not tried: enrol this machine first (shirase-agent enroll …)'
    }
} finally {
    Remove-Item $home_ -Recurse -Force -ErrorAction SilentlyContinue
}

$record = [pscustomobject]@{
    computer = $env:COMPUTERNAME; system = "$($system.Caption) $($system.Version)"
    agent = "$(& $Agent --version)"; tried_at = (Get-Date).ToUniversalTime().ToString('s') + 'Z'; results = $results
}
$record | ConvertTo-Json -Depth 4 | Set-Content -Encoding UTF8 (Join-Path $PSScriptRoot "try-here-$env:COMPUTERNAME.json")
$failed = @($results | Where-Object { -not $_.passed }).Count
Write-Host "$failed step(s) failed"
exit [int]($failed -gt 0)
