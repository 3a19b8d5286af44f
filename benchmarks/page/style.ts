/**
 * The page's style. Colours are variables, which the plots read as well. The series' colours are
 * Okabe and Ito's, told apart by colour-blind readers, with brighter twins for the dark scheme. Paper
 * is light, whatever the screen is.
 */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --card: #f6f7f9; --text: #1b1f24; --faint: #57606a; --line: #d0d7de;
  --bad: #a40e26; --bad-ground: #ffebe9; --good: #116329; --link: #0550ae;
  --series-0: #0072b2; --series-1: #d55e00; --series-2: #009e73; --series-3: #b8588f;
  --series-4: #8a6d00; --series-5: #3f8fc0;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #0d1117; --card: #161b22; --text: #e6edf3; --faint: #9da7b3; --line: #30363d;
    --bad: #ff938a; --bad-ground: #3d1214; --good: #56d364; --link: #79c0ff;
    --series-0: #56b4e9; --series-1: #ff8f3d; --series-2: #2fd0a0; --series-3: #e796c4;
    --series-4: #f0e442; --series-5: #b5d8f0;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 72rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.25rem; }
h3 { font-size: 1rem; margin: 0 0 0.5rem; }
p { margin: 0.25rem 0 0.75rem; max-width: 65ch; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; padding: 0; list-style: none; }
figure, dl {
  margin: 0 0 1rem; padding: 0.75rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 0.5rem;
}
.plot { position: relative; height: 20rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td {
  padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; overflow-wrap: normal;
}
th.n, td.n { text-align: right; white-space: nowrap; }
thead th { color: var(--faint); }
tbody th { font-weight: normal; }
tr.wrong th, tr.wrong td { color: var(--bad); font-weight: bold; }
summary { cursor: pointer; padding: 0.25rem 0; color: var(--link); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { color: var(--faint); }
dd { margin: 0; }
.verdict { font-size: 1.1rem; font-weight: bold; color: var(--good); }
.alarm {
  padding: 1rem; border: 3px solid var(--bad); border-radius: 0.5rem; color: var(--bad);
  background: var(--bad-ground);
}
.alarm h2 { margin: 0; font-size: 1.5rem; }
.empty { color: var(--faint); font-style: italic; }
@media (max-width: 40rem) {
  body { padding: 0.6rem; }
  figure, dl { padding: 0.5rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.4rem; }
}
@media print {
  :root { color-scheme: light; }
  nav, summary { display: none; }
  figure { break-inside: avoid; }
  .plot canvas { max-width: 100%; }
  .scroll { overflow: visible; }
}
`;
