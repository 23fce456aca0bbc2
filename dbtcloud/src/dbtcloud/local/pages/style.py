"""The style sheet of the pages, for light and dark mode."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b2330; --soft: #5b6675; --line: #e2e6ec; --ground: #f6f7f9;
  --card: #fff; --link: #0b57d0; --good: #1a7f37; --bad: #c62828; --warn: #8a6100; --busy: #0b57d0;
  --bar: #c9d7f5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ef; --soft: #97a3b4; --line: #2b3442;
  --ground: #11151b; --card: #191f28; --link: #8ab4f8; --good: #6fdd8b; --bad: #ff8a80; --warn: #e6c04d;
  --busy: #8ab4f8; --bar: #2d4370 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header { background: var(--card); border-bottom: 1px solid var(--line); padding: .8rem 1.5rem }
header a { color: var(--ink); font-weight: 650; text-decoration: none }
header nav { float: right } header nav a { font-weight: 500; margin-left: 1rem }
code { font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere }
button { font: inherit; color: var(--link); background: var(--card); border: 1px solid currentColor;
  border-radius: 6px; padding: .1rem .8rem; cursor: pointer }
header span { color: var(--soft); margin-left: .6rem }
main { max-width: 72rem; margin: 1.5rem auto; padding: 0 1.5rem }
h1 { font-size: 1.45rem; margin: 0 0 .4rem; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 0 0 .6rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.2rem;
  margin-bottom: 1.2rem; overflow-x: auto }
a { color: var(--link) } p { margin: .3rem 0; overflow-wrap: anywhere } .soft { color: var(--soft) }
.message { white-space: pre-wrap }
table { border-collapse: collapse; width: 100% }
th { color: var(--soft); font-weight: 500; font-size: 13px }
th, td { text-align: left; padding: .4rem .8rem .4rem 0;
  vertical-align: top } tr + tr { border-top: 1px solid var(--line) }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.badge { display: inline-block; padding: 0 .6em; border-radius: 1em; font-size: 13px; font-weight: 600;
  color: var(--soft); border: 1px solid currentColor; white-space: nowrap }
.Success, .success, .pass { color: var(--good) } .Error, .error, .fail { color: var(--bad) }
.Cancelled, .warn, .skipped { color: var(--warn) } .Running, .Starting { color: var(--busy) }
.bar { background: var(--bar); border-radius: 3px; height: .7rem; min-width: 2px; margin-top: .4rem }
.bar.error, .bar.fail { background: var(--bad) } td.wide { width: 38% }
details { border-top: 1px solid var(--line); padding: .5rem 0 } details:first-of-type { border-top: 0 }
summary { cursor: pointer; overflow-wrap: anywhere } summary .soft { float: right; margin-left: 1rem }
pre { background: var(--ground); border-radius: 6px; padding: .8rem; overflow: auto; max-height: 32rem;
  font: 13px/1.45 ui-monospace, monospace; margin: .6rem 0 .2rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem; margin: .8rem 0 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
"""
